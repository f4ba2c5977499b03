"""What is generated from the shipped ledger and committed is what would be generated now."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.analysis.documents import guide, guide_data

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shipped():
    from compat.netra.ledger import LEDGER

    return LEDGER


def test_guide_is_fresh(shipped):
    """`python -m compat guide --ledger compat.netra.ledger:LEDGER --write` writes it."""
    assert (ROOT / "MIGRATION.md").read_text(encoding="utf-8") == guide.generate(shipped, guide_data.read(shipped.intro))
