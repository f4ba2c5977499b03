"""A tombstone: its sentences and its faults."""

from __future__ import annotations

import pytest

from compat.ledger import Ledger, Removed, sentence
from compat.ledger.checking import find_faults

DATES = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.mark.parametrize(
    ("row", "use", "text"),
    [
        (
            Removed("old:A", since="1.0", instead="write B instead"),
            "import",
            "Importing A from 'old' is impossible: it was removed in 1.0. Write B instead.",
        ),
        (
            Removed("old:A", since="1.0", instead="Write B."),
            "import",
            "Importing A from 'old' is impossible: it was removed in 1.0. Write B.",
        ),
    ],
)
def test_its_sentences(row, use, text):
    assert sentence(row, use) == text


def reasons(row):
    return [reason for _row, reason, _remedy in find_faults(Ledger("t", version="1.0") + [row])]


def test_it_says_the_same_at_every_stage():
    row = Removed("old:A", since="1.0", instead="B")
    said = {sentence(row, "import", stage) for stage in ("announced", "deprecated", "expired")}
    assert said == {"Importing A from 'old' is impossible: it was removed in 1.0. Use B instead."}


def test_it_needs_no_later_removal():
    assert reasons(Removed("old:A", since="1.0", removal="1.0", instead="B")) == []
