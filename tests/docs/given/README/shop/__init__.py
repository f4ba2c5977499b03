"""A shop, version 2."""
