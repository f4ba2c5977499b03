"""A name that moved: its sentences and its faults."""

from __future__ import annotations

import pytest

from compat.ledger import Ledger, Name, sentence
from compat.ledger.checking import find_faults

DATES = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.mark.parametrize(
    ("row", "use", "text"),
    [
        (
            Name("old:A", "new:B", **DATES),
            "import",
            "Importing A from 'old' is deprecated since 1.0 and will be removed in 2.0. Use canonical path 'from new import B' instead.",
        ),
        (
            Name("old:A", "new:B", since="1.0", removal="2.0", instead="from new import B"),
            "attribute",
            "Using A from 'old' is deprecated since 1.0 and will be removed in 2.0. Use canonical path 'from new import B' instead.",
        ),
        (
            Name("old:A", "new:B", since="1.0", removal="2.0", instead="new.make()", note="It leaks."),
            "subclass",
            "Subclassing A from 'old' is deprecated since 1.0 and will be removed in 2.0. Use new.make() instead. It leaks.",
        ),
    ],
)
def test_its_sentences(row, use, text):
    assert sentence(row, use) == text


def reasons(row):
    return [reason for _row, reason, _remedy in find_faults(Ledger("t", version="1.0") + [row])]


def test_it_wants_a_name_after_the_module():
    assert reasons(Name("old", "json:loads", **DATES)) == ["a name is missing after the module"]


def test_it_may_not_lead_back_to_itself():
    assert "the move leads back to itself: json:loads -> json:loads" in reasons(Name("json:loads", "json:loads", **DATES))
