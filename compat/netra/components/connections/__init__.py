"""Around one connection: states, heartbeats, reconnection, errors, background tasks."""
