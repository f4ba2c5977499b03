"""What stays where it is and is deprecated there, in source: found, left with the reason, marked in stubs, explained, judged."""

from __future__ import annotations

import json
import subprocess
import sys
from textwrap import dedent

import pytest

from compat.analysis import scan
from compat.analysis.documents import explain, guide, linter_export, stubs
from compat.analysis.rewriting import rewriter
from compat.ledger import Deprecated, Ledger, Name

V = {"since": "1.0", "removal": "3.0"}
MARKET = '''\
"""A market."""

from __future__ import annotations

import enum
from typing import Union

LIMIT: int = 10


def total(prices: list[int], tax: int = 0) -> int:
    """Sum up."""
    return sum(prices) + tax


class Basket:
    size: int = 3

    def __init__(self, owner: str = "") -> None:
        self.owner = owner

    def add(self, item: str) -> str:
        return item

    @property
    def weight(self) -> Union[int, str]:
        return 1


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Shelf:
    pass
'''


@pytest.fixture
def market(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "market.py").write_text(MARKET)
    (tmp_path / "home" / "stall").mkdir()
    (tmp_path / "home" / "stall" / "__init__.py").write_text("")
    (tmp_path / "home" / "stall" / "past.py").write_text("def go(): pass\n")
    monkeypatch.syspath_prepend(str(tmp_path / "home"))
    return Ledger(
        "market",
        version="1.5",
        rows=[
            Deprecated("market:total", instead="grand_total()", **V),
            Deprecated("market:LIMIT", instead=None, **V),
            Deprecated("market:Basket.add", instead="Basket.put()", **V),
            Deprecated("market:Basket.weight", instead="Basket.mass", **V),
            Deprecated("market:Color.RED", instead="Color.BLUE", **V),
            Deprecated("market:Shelf", on="subclass", instead="composition", **V),
            Deprecated("market:Basket", on="construct", instead="make_basket()", **V),
            Deprecated("stall.past", instead="stall.now", **V),
        ],
    )


PROGRAM = """\
from market import LIMIT, Basket, Color, Shelf, total
import market as m
import market
import stall.past
from stall.past import go
from stall import past

basket = Basket("ann")
basket.add("apple")
print(basket.weight, Color.RED, Color.BLUE, LIMIT, total([1]))
m.total([2]), market.LIMIT, market.Basket(), m.Color.RED


class Mine(Shelf):
    pass


class Yours(market.Shelf):
    shelf = Shelf()


def test(mock):
    mock.patch("market.total")
    assert isinstance(basket, Basket)
"""
FOUND = [
    ("import", 1, 20, "market:LIMIT"),
    ("import", 1, 49, "market:total"),
    ("import", 4, 8, "stall.past"),
    ("import", 5, 24, "stall.past:go"),
    ("import", 6, 19, "stall.past"),
    ("construct", 8, 10, "market:Basket"),
    ("call", 9, 8, "market:Basket.add"),
    ("attribute", 10, 14, "market:Basket.weight"),
    ("attribute", 10, 28, "market:Color.RED"),
    ("call", 11, 1, "market:total"),
    ("attribute", 11, 15, "market:LIMIT"),
    ("construct", 11, 29, "market:Basket"),
    ("attribute", 11, 54, "market:Color.RED"),
    ("subclass", 14, 12, "market:Shelf"),
    ("subclass", 18, 13, "market:Shelf"),
    ("patch", 23, 16, "market:total"),
]


def findings(ledger, folder, program=PROGRAM):
    (folder / "tree").mkdir(exist_ok=True)
    (folder / "tree" / "module.py").write_text(dedent(program))
    return scan([str(folder / "tree")], ledger).findings


def test_each_use_is_found_and_of_a_class_those_that_its_row_means(market, tmp_path):
    found = findings(market, tmp_path)
    assert [(one.how, one.line, one.column, one.symbol) for one in found] == FOUND
    assert {one.rule for one in found} == {"deprecated"}


def test_a_finding_says_what_the_warning_says(market, tmp_path):
    words = {(one.symbol, one.how): one.message for one in findings(market, tmp_path)}
    until = "is deprecated since market 1.0 and will be removed in 3.0."
    assert words["market:Basket", "construct"] == f"Constructing Basket from 'market' {until} Use make_basket() instead."
    assert words["market:Shelf", "subclass"] == f"Subclassing Shelf from 'market' {until} Use composition instead."
    assert words["market:Basket.add", "call"] == f"Calling Basket.add() of 'market' {until} Use Basket.put() instead."
    assert words["market:LIMIT", "import"] == f"Importing LIMIT from 'market' {until}"


@pytest.mark.parametrize(
    "program",
    [
        "from market import Basket\nisinstance(1, Basket)\nBasket.size\n",
        "from market import Shelf\nShelf()\n",
        "from market import Color\nColor.BLUE\n",
        "import market\nimport stall\n",
        "def total(x): return x\ntotal(1)\n",
    ],
)
def test_what_no_row_means_is_not_found(market, tmp_path, program):
    assert findings(market, tmp_path, program) == []


def test_nothing_is_rewritten_and_each_use_is_skipped_with_its_reason(market):
    outcome = rewriter.fix_text(PROGRAM, market)
    assert outcome.status == "skipped"
    told = {(skip.line, skip.column, skip.symbol): skip.reason for skip in outcome.skips}
    by_hand = "it stays where it is; rewrite it by hand:"
    assert set(told) >= {(line, column, symbol) for _how, line, column, symbol in FOUND}
    assert told[8, 10, "market:Basket"] == f"{by_hand} Use make_basket() instead."
    assert told[9, 8, "market:Basket.add"] == f"{by_hand} Use Basket.put() instead."
    assert told[1, 20, "market:LIMIT"] == f"{by_hand} nothing replaces it"
    assert told[14, 12, "market:Shelf"] == f"{by_hand} Use composition instead."


def test_moves_beside_it_are_rewritten_still(market):
    ledger = market + [Name("old_market:crate", "market:Basket", instead=None, **V)]
    before = "from old_market import crate\nfrom market import total\n\ntotal([crate])\n"
    outcome = rewriter.fix_text(before, ledger)
    assert "from market import Basket" in outcome.after.decode() and "total([Basket])" in outcome.after.decode()


def test_a_stub_is_the_source_with_marks(market):
    files = stubs.generate(market)
    assert set(files) == {"market/__init__.pyi", "stall/past.pyi"}
    text = files["market/__init__.pyi"]
    until = "is deprecated since market 1.0 and will be removed in 3.0."
    assert f"@deprecated(\"Calling total() of 'market' {until} Use grand_total() instead.\")\ndef total(prices" in text
    assert f"    @deprecated(\"Calling Basket.add() of 'market' {until} Use Basket.put() instead.\")\n    def add(self" in text
    assert f"# Using LIMIT from 'market' {until}\nLIMIT: int = 10\n" in text
    assert f"    # Using Color.RED from 'market' {until} Use Color.BLUE instead.\n    RED = 1\n" in text
    assert "from typing_extensions import deprecated\nimport enum\n" in text
    words = f"Constructing Basket from 'market' {until} Use make_basket() instead."
    assert f'    @deprecated("{words}")\n    def __init__(self' in text and "\n\n\nclass Basket:" in text
    assert f"# Subclassing Shelf from 'market' {until} Use composition instead.\nclass Shelf:" in text
    assert f"    @property\n    @deprecated(\"Using Basket.weight from 'market' {until} Use Basket.mass instead.\")\n" in text
    compile(text, "market.pyi", "exec")
    assert "# Importing 'stall.past' is deprecated" in files["stall/past.pyi"]


CHECKED = """\
from market import Basket, Color, Shelf, total

total([1])
basket: Basket = Basket()
basket.add("x")
print(basket.weight, Color.RED.value + 1, Shelf())
x: int = basket.add("y")
"""


def test_a_type_checker_reports_the_marked_uses_and_types_the_rest_as_before(market, tmp_path):
    pytest.importorskip("mypy")
    stubs.write(stubs.generate(market), str(tmp_path / "typings"))
    (tmp_path / "use.py").write_text(CHECKED)
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--enable-error-code",
        "deprecated",
        "--cache-dir",
        str(tmp_path / "cache"),
        "use.py",
    ]
    environment = {"MYPYPATH": str(tmp_path / "typings"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    lines = [(line.split(":")[1], line.rpartition("[")[2].rstrip("]")) for line in done.stdout.splitlines() if ": error" in line]
    reported = sorted({line for line, code in lines if code == "deprecated"})
    assert (reported, ("7", "assignment") in lines) == (["1", "5", "6", "7"], True), done.stdout


def test_the_guide_the_export_and_the_explanation_tell_it(market):
    assert "| `total` | Deprecated where it is. Use grand_total() instead. |" in guide.generate(market)
    assert "| `LIMIT` | Deprecated where it is. |" in guide.generate(market)
    assert '"market.total".msg = "Use grand_total() instead."' in linter_export.ruff(market)
    told = explain.explain(market, "market.Basket.add")
    assert (told.stage, told.replacement, told.after) == ("deprecated", "Use Basket.put() instead.", "")


def test_ready_judges_it(market, tmp_path, monkeypatch):
    pytest.importorskip("click")
    from compat.cli.main import main

    (tmp_path / "ledgers.py").write_text(
        "from compat import Deprecated, Ledger\n"
        "ROWS = [Deprecated('market:total', since='1.0', removal='2.0', instead=None),\n"
        "        Deprecated('market:LIMIT', since='1.0', removal='3.0', instead=None)]\n"
        "LEDGER = Ledger('market', version='2.0', rows=ROWS)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("COMPAT_DIR", str(tmp_path / "data"))
    findings(market, tmp_path)
    output = tmp_path / "ready.json"
    main(["ready", "--ledger", "ledgers:LEDGER", "--format", "json", "-o", str(output), str(tmp_path / "tree")])
    answers = {one["move"]: one for one in json.loads(output.read_text())["moves"]}
    assert answers["market:total"]["verdict"] == "in source"
    assert any("module.py:1" in reason for reason in answers["market:total"]["reasons"])
    assert answers["market:LIMIT"]["verdict"] == "in source"
