"""Known debt: accepted findings (baseline) and the compliance score."""
