"""The shipped ledger, served."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator
from typing import Any, Callable

import pytest

import compat
from compat.errors import LegacyUseWarning
from compat.netra.ledger import LEDGER


@pytest.fixture(autouse=True)
def served() -> Iterator[None]:
    """Legacy paths answer for the time of a test; what it is warned of is another test's matter."""
    with compat.install(LEDGER), warnings.catch_warnings():
        warnings.simplefilter("ignore", LegacyUseWarning)
        yield


@pytest.fixture
def old(served: None) -> Callable[[str], Any]:
    """Read ``old("package.module:name")`` as legacy code does."""

    def read(path: str) -> Any:
        module, _, name = path.partition(":")
        found = importlib.import_module(module)
        return getattr(found, name) if name else found

    return read
