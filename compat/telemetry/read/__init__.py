"""Usage read back from a fleet's metrics."""
