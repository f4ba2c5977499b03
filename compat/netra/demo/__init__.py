"""A chat service written for legacy import paths, run untouched on the canonical core with real WebSocket clients."""
