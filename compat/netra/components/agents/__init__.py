"""Agent bridge, emitters, notifiers and their execution types."""
