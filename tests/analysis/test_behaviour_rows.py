"""Old names of settings, options and keys in source: found as strings, left with the reason, listed in the guide."""

from __future__ import annotations

from textwrap import dedent

import pytest

from compat.analysis import scan
from compat.analysis.documents import explain, guide, linter_export, stubs
from compat.analysis.rewriting import rewriter
from compat.ledger import Behaviour, Deprecated, Ledger

V = {"since": "1.0", "removal": "3.0"}
UNTIL = "is deprecated since shop 1.0 and will be removed in 3.0."


@pytest.fixture
def settings():
    return Ledger(
        "shop",
        version="1.5",
        rows=[
            Behaviour("shop.SHOP_QTY", "Environment variable SHOP_QTY", old="SHOP_QTY", new="SHOP_QUANTITY", instead=None, **V),
            Behaviour("shop.option", "Option --qty", old="--qty", new="--quantity", instead=None, **V),
            Behaviour("shop.mode", "Loading in legacy mode", instead="mode='strict'", **V),
            Deprecated("market:Basket", on="construct", instead="make_basket()", **V),
        ],
    )


PROGRAM = '''\
"""SHOP_QTY"""
import os
import subprocess


def test(monkeypatch):
    monkeypatch.setenv("SHOP_QTY", "1")
    os.environ["SHOP_QTY"] = "2"
    quantity = {"SHOP_QTY": 3}
    return subprocess.run(["shop", "--qty", "4", "SHOP_QTY=5", "SHOP_QTY_MAX"])
'''
FOUND = [(7, 24, "shop.SHOP_QTY"), (8, 16, "shop.SHOP_QTY"), (9, 17, "shop.SHOP_QTY"), (10, 36, "shop.option")]


def findings(ledger, folder, program, **options):
    (folder / "tree").mkdir(exist_ok=True)
    (folder / "tree" / "module.py").write_text(dedent(program))
    return scan([str(folder / "tree")], ledger, **options).findings


def test_a_string_that_is_an_old_name_is_found(settings, tmp_path):
    found = findings(settings, tmp_path, PROGRAM)
    assert [(one.line, one.column, one.symbol) for one in found] == FOUND
    assert {(one.rule, one.how, one.confidence) for one in found} == {("behaviour", "setting", "medium")}
    assert found[0].message == f"Environment variable SHOP_QTY {UNTIL} Use SHOP_QUANTITY instead."


def test_other_strings_are_not(settings, tmp_path):
    assert findings(settings, tmp_path, "import os\nos.environ['SHOP_QUANTITY']\nSHOP_QTY = 'qty'\nf'{SHOP_QTY}'\n") == []


def test_the_declaration_itself_is_no_use(settings, tmp_path):
    row = "Behaviour('shop.SHOP_QTY', 'Variable SHOP_QTY', old='SHOP_QTY', new='SHOP_QUANTITY')"
    program = f"import compat\nfrom compat import Behaviour\na = {row}\nb = compat.{row}\nc = Other(old='SHOP_QTY')\n"
    assert [one.line for one in findings(settings, tmp_path, program)] == [5]


def test_each_is_left_with_the_reason(settings):
    outcome = rewriter.fix_text(PROGRAM, settings)
    assert outcome.status == "skipped"
    reason = "who reads this string is not known; rewrite it by hand: Use {} instead."
    told = [(skip.line, skip.column, skip.symbol, skip.reason) for skip in outcome.skips]
    new = {"shop.SHOP_QTY": "SHOP_QUANTITY", "shop.option": "--quantity"}
    assert told == [(line, column, id, reason.format(new[id])) for line, column, id in FOUND]


def test_the_guide_lists_it_in_words_and_nothing_names_it_as_a_module(settings):
    text = guide.generate(settings)
    assert "| Environment variable SHOP_QTY | Use SHOP_QUANTITY instead. |\n" in text
    assert "| Loading in legacy mode | Use mode='strict' instead. |\n" in text
    assert "SHOP_QTY" not in linter_export.ruff(settings) and not any("shop" in path for path in stubs.generate(settings))
    told = explain.explain(settings, "shop.mode")
    assert (told.message, told.before) == (f"Loading in legacy mode {UNTIL} Use mode='strict' instead.", "")


@pytest.mark.parametrize("program", ["from market import Basket\n", "from unittest import mock\nmock.patch('market.Basket')\n"])
def test_a_quick_scan_finds_no_more_than_a_full_one(settings, tmp_path, program):
    assert findings(settings, tmp_path, program) == findings(settings, tmp_path, program, select=("imports", "strings")) == []
