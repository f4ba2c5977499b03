"""Event checks, delivery tracking, and what is kept for users who are away."""
