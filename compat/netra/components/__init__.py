"""Components that exist because legacy code imports them; each goes with the removal version of the ledger."""
