"""The rows of authentication and messages, served."""

from __future__ import annotations

import pytest

from compat.ledger import Ledger
from compat.netra.rows import auth, messages
from compat.shim import install


@pytest.fixture
def ledger() -> Ledger:
    """Both families in one ledger."""
    made = Ledger("netra", version="1.0.0", docs="MIGRATION.md")
    made += auth.ROWS
    made += messages.ROWS
    return made


@pytest.fixture
def served(ledger):
    """Legacy paths answer for the time of a test."""
    with install(ledger) as installation:
        yield installation


@pytest.fixture
def old(served):
    """Import a legacy module, ``old("websocket_core.types")``, its warnings silenced for the attributes read."""
    import importlib

    return lambda name: importlib.import_module(f"netra_backend.app.{name}")
