"""Commands for the authors of ledgers: what is wrong with rows, and what of them is due."""
