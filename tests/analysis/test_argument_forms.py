"""Legacy forms of arguments in source: what the shim counts is found, and rewritten where the rewrite is certain."""

from __future__ import annotations

import pytest

from compat.analysis import scan
from compat.analysis.rewriting import rewriter
from compat.ledger import Argument, Ledger

from ..shim.kinds.argument_forms import FORMS, ZOO, V

HEAD = "from zoo import Keeper, Made, Pair, Point, asyncio, draw, feed, later\n"


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "zoo.py").write_text("import asyncio\n" + ZOO)
    monkeypatch.syspath_prepend(str(tmp_path / "home"))
    return lambda *rows: Ledger("zoo", version="1.5", rows=rows)


@pytest.mark.parametrize("row, legacy, present", FORMS.values(), ids=FORMS)
def test_each_legacy_form_is_found_and_the_present_form_is_not(zoo, tmp_path, row, legacy, present):
    file = tmp_path / "tree" / "user.py"
    file.parent.mkdir()
    file.write_text(HEAD + "".join(f"{call}\n" for call, _result in (*legacy, *present)))
    found = [(item.rule, item.move, item.line) for item in scan([str(file)], zoo(row)).findings]
    assert found == [("argument", row.id, 2 + number) for number in range(len(legacy))]


#: A legacy call, and what ``fix`` makes of it; ``None`` where it is left.
FIXED = {
    "dropped, by position": [("feed('cow', 'red', 'oats')", "feed('cow', 'oats')"), ("feed('cow', red(), 'oats')", None)],
    "dropped at the end, by position and by keyword": [
        ("feed('cow', 'oats', 'red')", "feed('cow', 'oats')"),
        ("feed('cow', 'oats', 'red', count=2)", "feed('cow', 'oats', count=2)"),
        ("feed('cow', colour='red')", "feed('cow')"),
    ],
    "keyword-only now": [
        ("feed('cow', 'oats', 2)", "feed('cow', 'oats', count=2)"),
        ("feed('cow', 'oats', 2, count=3)", None),
        ("feed('cow', 'oats', 2, 3)", None),
    ],
    "keyword-only now, declared by order": [("feed('cow', 'oats', 2)", "feed(animal='cow', food='oats', count=2)")],
    "a value": [
        ("draw('sq')", "draw('square')"),
        ('draw(shape="ci")', 'draw(shape="circle")'),
        ("draw('a', 'sq')", "draw('a', 'sq')"),
    ],
    "a value that is passed on": [("draw('a', 1)", None), ("draw('a', size=1)", None)],
    "a form of value, converted where it stands": [("draw('SQ')", "draw('sq')"), ("draw(shape='SQ')", "draw(shape='sq')")],
    "renamed and converted, by position": [("draw('a', 500)", "draw('a', 0.5)"), ("draw('a', ms=500)", "draw('a', size=0.5)")],
    "several in one": [("draw('a', width=1, height=2)", None)],
    "a combination": [("draw('a', None, True, columns=True)", None)],
    "a changed default": [("feed('cow')", None)],
    "of a method": [("Keeper('a').call('red', 'oats', 2)", "Keeper('a').call('oats', 2)")],
    "of a class method": [("Keeper.hire('a', 3)", "Keeper.hire('a', age=3)")],
    "of a static method": [("Keeper.ring('c', 3)", "Keeper.ring('c', times=3)")],
    "of a constructor": [("Keeper('a', 3)", "Keeper('a', age=3)")],
    "of a __new__": [("Made('a', 3)", "Made('a', age=3)")],
    "of a dataclass": [("Point(1, 'z', 2)", "Point(1, 2)"), ("Point(1, z=3)", "Point(1)")],
}


@pytest.mark.parametrize("form, before, after", [(form, *pair) for form, pairs in FIXED.items() for pair in pairs], ids=str)
def test_what_is_certain_is_rewritten_and_the_rest_is_left_with_a_reason(zoo, form, before, after):
    row = FORMS[form][0]
    fixed = rewriter.fix_text(f"{HEAD}{before}\n", zoo(row))
    assert fixed.after.decode() == f"{HEAD}{before if after is None else after}\n"
    assert [(skip.line, skip.symbol) for skip in fixed.skips] == ([(2, row.legacy)] if after is None else [])
    assert rewriter.fix_text(fixed.after.decode(), zoo(row)).after == fixed.after


@pytest.mark.parametrize("turned", [False, True])
def test_forms_that_meet_in_one_call_are_rewritten_together(zoo, turned):
    rows = [
        Argument("zoo:feed", keyword_only="count", **V),
        Argument("zoo:feed", "animal", values={"moo": "cow"}, **V),
        Argument("zoo:feed", "fodder", became="meal", **V),
        Argument("zoo:feed", "meal", became="food", **V),
    ]
    ledger = zoo(*(reversed(rows) if turned else rows))
    fixed = rewriter.fix_text(f"{HEAD}feed('moo', 'oats', 2)\nfeed('moo', fodder='oats')\n", ledger)
    assert fixed.after.decode() == f"{HEAD}feed('cow', 'oats', count=2)\nfeed('cow', food='oats')\n"
