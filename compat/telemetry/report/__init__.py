"""A usage report as plain data, and the formats it is written in."""
