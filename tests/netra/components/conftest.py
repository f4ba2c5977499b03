"""The shipped ledger, for the tests of components that reach them by their legacy paths."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

import compat
from compat.errors import LegacyUseWarning
from compat.netra.ledger import LEDGER


@pytest.fixture
def served() -> Iterator[None]:
    """Legacy paths answer for the time of a test, whatever an earlier one took away; their warnings are no matter here."""
    with compat.install(LEDGER), warnings.catch_warnings():
        warnings.simplefilter("ignore", LegacyUseWarning)
        yield
