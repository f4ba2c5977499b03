"""Helpers for tests that speak WebSocket."""
