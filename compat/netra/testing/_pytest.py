"""pytest's fixtures, where pytest is there: the test bases themselves do without it."""

from __future__ import annotations

from typing import Any, Callable, TypeVar

_F = TypeVar("_F", bound=Callable[..., Any])

try:
    import pytest
except ImportError:
    HAS_PYTEST = False
else:
    HAS_PYTEST = True


def fixture(function: _F) -> _F:
    """A fixture of pytest; without pytest the function as it is."""
    return pytest.fixture(function) if HAS_PYTEST else function  # type: ignore[return-value]
