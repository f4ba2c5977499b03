"""Authentication results as values, the authentication service, and CORS."""
