"""A shop that is on its way to version 4."""
