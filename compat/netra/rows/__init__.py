"""The rows of the shipped ledger, one file per family; each exports ``ROWS``."""
