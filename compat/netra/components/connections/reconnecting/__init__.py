"""Bringing lost connections back."""
