"""Scan trees: prefilter raw bytes, examine the candidates, cache results, use several processes."""
