"""Every pair of kinds on one class or function, in both orders: each row serves and counts as if the other were not there."""

from __future__ import annotations

import itertools

import pytest

import compat
from compat import Argument, Deprecated, Method, Name, Removed
from compat.analysis.rewriting import rewriter

V = {"since": "1.0", "removal": "2.0", "instead": None}

ZOO = """
LIMIT = 9


def describe(one):
    return "described"


class K:
    NEW = 1

    def __init__(self, name="", *, size=0):
        self.name, self.width = name, size

    def new(self, food="hay", count=1):
        return (food, count)

    @property
    def ready(self):
        return True

    def size(self):
        return 5
"""

#: A row, a line of old code, what it gives, and how it is counted.
PARTS = {
    "method": (Method("zoo:K.old", "zoo:K.new", **V), 'K().old("oats")', ("oats", 1), "call"),
    "twice": (Method("zoo:K.older", "zoo:K.new", **V), "K().older(count=2)", ("hay", 2), "call"),
    "called": (Method("zoo:K.is_ready", "zoo:K.ready", was="method", **V), "K().is_ready()", True, "call"),
    "called, same name": (Method("zoo:K.ready", "zoo:K.ready", was="method", **V), "K().ready()", True, "call"),
    "read": (Method("zoo:K.length", "zoo:K.size", was="property", **V), "K().length", 5, "attribute"),
    "function": (Method("zoo:K.describe", "zoo:describe", **V), "K().describe()", "described", "call"),
    "instance": (Method("zoo:K.w", "zoo:K.width", **V), "K().w", 0, "attribute"),
    "constant": (Method("zoo:K.OLD", "zoo:K.NEW", **V), "K.OLD", 1, "attribute"),
    "attribute": (Name("zoo:K.LIMIT", "zoo:LIMIT", **V), "K.LIMIT", 9, "attribute"),
    "name": (
        Name("zoo:Kind", "zoo:K", since="1.0", removal="2.0", instead="the class by its new name"),
        "zoo.Kind().name",
        "",
        "attribute",
    ),
    "removed": (Removed("zoo:K.gone", since="1.0", instead="K.new()"), 'getattr(K(), "gone", 3)', 3, "attribute"),
    "renamed": (Argument("zoo:K.new", "fodder", became="food", **V), 'K().new(fodder="oats")', ("oats", 1), "argument"),
    "dropped": (Argument("zoo:K.new", "loud", **V), "K().new(loud=True)", ("hay", 1), "argument"),
    "value": (Argument("zoo:K.new", "count", values={"one": 1}, **V), 'K().new(count="one")', ("hay", 1), "argument"),
    "default": (Argument("zoo:K.new", "food", was="straw", **V), "K().new(count=3)", ("straw", 3), "argument"),
    "constructor": (Argument("zoo:K", keyword_only="size", **V), 'K("a", 4).width', 4, "argument"),
    "in place": (Deprecated("zoo:K.size", **V), "K().size()", 5, "call"),
    "class in place": (Deprecated("zoo:K", on="construct", **V), 'K(name="b").name', "b", "construct"),
}
#: A row that means each use of the other's line, too.
MEANS_ALL = {"default", "in place", "class in place"}
PAIRS = list(itertools.combinations(PARTS, 2))


@pytest.fixture
def zoo(world):
    world.write("zoo.py", ZOO)
    return world


@pytest.mark.parametrize("turned", [False, True], ids=["", "turned"])
@pytest.mark.parametrize("one, other", PAIRS, ids=[f"{one}+{other}" for one, other in PAIRS])
def test_each_of_two_rows_on_one_class_serves_and_counts_its_own_uses(zoo, installed, ledger_of, one, other, turned):
    rows = [PARTS[one][0], PARTS[other][0]][:: -1 if turned else 1]
    assert compat.check(ledger_of(*rows)) is None
    installed(*rows)
    seen = zoo.ok(f"import zoo\nfrom zoo import K\na = {PARTS[one][1]}\nb = {PARTS[other][1]}\n")
    changed = {"default": ("straw", 2)} if {one, other} == {"twice", "default"} else {}
    for name, value in ((one, seen.namespace["a"]), (other, seen.namespace["b"])):
        wanted = changed.get("default", PARTS[name][2]) if name == "twice" else PARTS[name][2]
        if "default" in (one, other) and name in ("dropped", "value"):
            wanted = ("straw", 1)
        assert value == wanted, name
    counted = seen.counted()
    for line, name in ((3, one), (4, other)):
        row, _line, _value, how = PARTS[name]
        assert counted[row.id, how, line] == 1, (name, counted)
    extra = {
        key for key in counted if key not in {(PARTS[one][0].id, PARTS[one][3], 3), (PARTS[other][0].id, PARTS[other][3], 4)}
    }
    assert {move for move, _how, _line in extra} <= {PARTS[name][0].id for name in MEANS_ALL & {one, other}}


@pytest.mark.parametrize("one, other", PAIRS, ids=[f"{one}+{other}" for one, other in PAIRS])
def test_fix_makes_the_same_of_both_orders_and_comes_to_rest(zoo, ledger_of, one, other):
    text = f"import zoo\nfrom zoo import K\n\na = {PARTS[one][1]}\nb = {PARTS[other][1]}\n"
    made = {}
    for rows in ((PARTS[one][0], PARTS[other][0]), (PARTS[other][0], PARTS[one][0])):
        ledger = ledger_of(*rows)
        fixed = rewriter.fix_text(text, ledger)
        compile(fixed.after, "user.py", "exec")
        made[fixed.after] = sorted((skip.line, skip.symbol) for skip in fixed.skips)
        again = rewriter.fix_text(fixed.after.decode(), ledger)
        assert again.after == fixed.after
    assert len(made) == 1
