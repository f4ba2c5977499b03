"""Emitters: one user's agent events, sent through that user's manager."""
