"""Legacy classes and functions over the canonical core."""
