"""What only running code knows: its sentences and its faults."""

from __future__ import annotations

import pytest

from compat.ledger import Behaviour, Ledger, sentence
from compat.ledger.checking import find_faults

DATES = {"since": "1.0", "removal": "2.0"}
UNTIL = "is deprecated since 1.0 and will be removed in 2.0."


def test_its_sentence_begins_with_what_it_is():
    row = Behaviour("shop.SHOP_QTY", "Environment variable SHOP_QTY", old="SHOP_QTY", new="SHOP_QUANTITY", instead=None, **DATES)
    assert sentence(row, "use") == f"Environment variable SHOP_QTY {UNTIL} Use SHOP_QUANTITY instead."
    row = Behaviour("shop.legacy-mode", "Loading a cart in legacy mode", instead="mode='strict'", **DATES)
    assert sentence(row, "use") == f"Loading a cart in legacy mode {UNTIL} Use mode='strict' instead."
    expired = "has expired: it was deprecated in 1.0 and removed in 2.0."
    assert sentence(row, "use", "expired") == f"Loading a cart in legacy mode {expired} Use mode='strict' instead."


@pytest.mark.parametrize(
    "row, reason",
    [
        (Behaviour("shop:x", "X", instead="y", **DATES), "'shop:x' is no id"),
        (Behaviour("a b", "X", instead="y", **DATES), "'a b' is no id"),
        (Behaviour("shop.x", " ", instead="y", **DATES), "what is empty"),
        (Behaviour("shop.x", "X", new="Y", instead="y", **DATES), "new without old replaces nothing"),
        (Behaviour("shop.x", "X", instead=None, **DATES), "instead is missing: there is no canonical path to word it from"),
    ],
)
def test_its_faults(row, reason):
    assert [found for _row, found, _remedy in find_faults(Ledger("t", version="1.0") + [row])] == [reason]


def test_a_row_with_a_new_name_words_its_advice_from_that():
    row = Behaviour("shop.qty", "Option --qty", old="--qty", new="--quantity", instead=None, **DATES)
    assert list(find_faults(Ledger("t", version="1.0") + [row])) == []


def test_it_is_served_nowhere():
    row = Behaviour("shop.mode", "Mode", instead="other", **DATES)
    ledger = Ledger("t", version="1.5", rows=[row])
    assert (ledger.modules, ledger.roots, row.is_importable) == (frozenset(), frozenset(), False)
    assert ledger.by_id("shop.mode") == row.replace(ledger="t")
