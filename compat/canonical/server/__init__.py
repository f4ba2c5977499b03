"""The Starlette application, its endpoint, and ``serve``."""
