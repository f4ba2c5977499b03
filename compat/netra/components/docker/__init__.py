"""Containers of integration tests."""
