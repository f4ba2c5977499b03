"""A class that a factory builds now: its sentences and its faults."""

from __future__ import annotations

import pytest

from compat.ledger import Class, Ledger, sentence
from compat.ledger.checking import find_faults

DATES = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.mark.parametrize(("use", "verb"), [("import", "Importing"), ("construct", "Constructing"), ("subclass", "Subclassing")])
def test_its_sentences(use, verb):
    assert sentence(Class("old:A", "new:B", adapter="shims:A", **DATES), use) == (
        f"{verb} A from 'old' is deprecated since 1.0 and will be removed in 2.0. Use canonical path 'from new import B' instead."
    )


def reasons(row):
    return [reason for _row, reason, _remedy in find_faults(Ledger("t", version="1.0") + [row])]


def test_it_wants_an_adapter():
    row = Class("a:A", "json:JSONEncoder", adapter="json:JSONEncoder", **DATES)
    assert reasons(row) == ["adapter 'json:JSONEncoder' is no Adapter"]
    missing = Class("a:A", "json:JSONEncoder", adapter="json:Nope", **DATES)
    assert reasons(missing) == ["adapter 'json:Nope' is missing: 'json' has no 'Nope'"]


def test_it_is_not_for_exceptions():
    row = Class("a:Err", "json:JSONDecodeError", adapter="json:JSONEncoder", **DATES)
    assert "an exception cannot be moved as Class: except does not see adapters" in reasons(row)
