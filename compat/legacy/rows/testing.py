"""The test framework: bases of test classes, fixtures, mocks, WebSocket clients and assertions."""

from __future__ import annotations

from compat.ledger import Module, Move

WHEN = {"since": "1.0", "removal": "3.0"}
F = "test_framework"
T = "compat.canonical.testing"

_WHOLE = """\
base = base
base_integration_test = integration
isolated_environment_fixtures = environment_fixtures
ssot.base_test_case = base_test_case
ssot.mock_factory = mock_factory
ssot.mocks = mocks"""

ROWS: list[Move] = [
    *(
        Module(f"{F}.{legacy}", f"{T}.{canonical}", instead=None, **WHEN)
        for legacy, canonical in (line.split(" = ") for line in _WHOLE.split("\n"))
    ),
]
