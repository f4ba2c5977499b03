"""A renamed method: its sentences and its faults."""

from __future__ import annotations

import pytest

from compat.ledger import Ledger, Method, sentence
from compat.ledger.checking import find_faults

DATES = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.mark.parametrize(
    ("row", "use", "text"),
    [
        (
            Method("m:C.old", "m:C.new", **DATES),
            "call",
            "Calling C.old() of 'm' is deprecated since 1.0 and will be removed in 2.0. Use C.new instead.",
        ),
    ],
)
def test_its_sentences(row, use, text):
    assert sentence(row, use) == text


def reasons(row):
    return [reason for _row, reason, _remedy in find_faults(Ledger("t", version="1.0") + [row])]


@pytest.mark.parametrize(("use", "verb"), [("attribute", "Using"), ("set", "Assigning")])
def test_a_property_is_used_and_assigned(use, verb):
    assert sentence(Method("m:C.old", "m:C.new", **DATES), use).startswith(f"{verb} C.old of 'm' is deprecated")


def test_it_may_not_lead_back_to_itself():
    row = Method("json:JSONDecoder.decode", "json:JSONDecoder.decode", **DATES)
    assert [reason.partition(":")[0] for reason in reasons(row)] == ["the move leads back to itself"]


def test_it_wants_a_member_after_the_module():
    assert "a name is missing after the module" in reasons(Method("json", "json:JSONDecoder.decode", **DATES))
