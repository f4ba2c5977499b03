"""What is generated from the shipped ledger and committed is what would be generated now."""

from __future__ import annotations

from pathlib import Path

import pytest

from compat.analysis.documents import guide

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shipped():
    from compat.netra.ledger import LEDGER

    return LEDGER


def test_guide_is_fresh(shipped):
    """`python -m compat guide --ledger compat.netra.ledger:LEDGER --write` writes it."""
    intros = guide.read_intros(shipped.intro)
    assert (ROOT / "MIGRATION.md").read_text(encoding="utf-8") == guide.generate(shipped, intros)


def test_every_row_stands_in_the_guide(shipped):
    text = (ROOT / "MIGRATION.md").read_text(encoding="utf-8")
    missing = [row.legacy for row in shipped if (row.attribute.rpartition(".")[2].partition("(")[0] or row.module) not in text]
    assert missing == []


def test_every_introduction_belongs_to_a_module_or_the_head(shipped):
    modules = {row.module for row in shipped} | {guide.HEAD}
    assert set(guide.read_intros(shipped.intro)) <= modules
