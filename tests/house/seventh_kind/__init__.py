"""A seventh kind of move, complete: a constant became a function. A file each in ledger, shim, rules and rewriting."""
