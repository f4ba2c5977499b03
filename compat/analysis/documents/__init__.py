"""Documents derived from a ledger: stubs, guide, explanation, configuration of other linters."""
