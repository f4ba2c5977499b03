"""pytest, or an error that says that the test bases need it."""

from __future__ import annotations

try:
    import pytest
except ImportError as error:
    raise ImportError("the test bases and fixtures need pytest: pip install pytest") from error

__all__ = ["pytest"]
