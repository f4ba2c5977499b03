"""A module that moved: its sentences and its faults."""

from __future__ import annotations

import pytest

from compat.ledger import Ledger, Module, sentence
from compat.ledger.checking import find_faults

DATES = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.mark.parametrize(
    ("row", "use", "text"),
    [
        (
            Module("old", "new", **DATES),
            "import",
            "Importing 'old' is deprecated since 1.0 and will be removed in 2.0. Use canonical path 'import new' instead.",
        ),
    ],
)
def test_its_sentences(row, use, text):
    assert sentence(row, use) == text


def reasons(row):
    return [reason for _row, reason, _remedy in find_faults(Ledger("t", version="1.0") + [row])]


@pytest.mark.parametrize(
    "row", [Module("old:A", "json", **DATES), Module("old", "json:loads", **DATES)], ids=["legacy", "canonical"]
)
def test_it_moves_a_whole_module_to_a_whole_module(row):
    assert reasons(row) == ["a Module row moves a whole module to a whole module"]
