"""Managers, streams, connections, events and what keeps them."""
