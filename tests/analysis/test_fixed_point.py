"""One run of `fix` leaves nothing for a second: rows that lead to each other are followed to their end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.analysis import fixer, rules
from compat.analysis.model import file_uses
from compat.analysis.reading import sources
from compat.analysis.rewriting import rewriter
from compat.analysis.targets import Targets
from compat.ledger import Argument, Class, Ledger, Method, Module, Name, Removed

TOLD = {"since": "1.0", "removal": "3.0", "instead": None}
CART = "carts.core:Cart"
ROWS = [
    Method(f"{CART}.addItem", f"{CART}.put", **TOLD),
    Method(f"{CART}.put", f"{CART}.add", **TOLD),
    Argument(f"{CART}.add", "qty", became="count", **TOLD),
    Argument(f"{CART}.add", "count", became="quantity", **TOLD),
    Argument(f"{CART}.add", "loud", became=None, **TOLD),
    Name("carts.old:build", "carts.old:assemble", **TOLD),
    Name("carts.old:assemble", "carts.core:make", **TOLD),
    Argument("carts.core:make", "len", became="size", **TOLD),
    Module("carts.first", "carts.second", **TOLD),
    Module("carts.second", "carts.core", **TOLD),
    Name("carts.old:Basket", "carts.second:Cart", **TOLD),
]
TEXT = """from carts.core import Cart
from carts.old import build, Basket as B
import carts.first
import carts.old as o
Cart().addItem(1, qty=2)
Cart().put(1, count=2, loud=True)
Cart().add(1, quantity=2)
build(len=3), o.build(len=4), o.assemble(size=5)
carts.first.make(len=6)
B().addItem(1, qty=3)
"""
FIXED = """from carts.core import Cart
from carts.core import make, Cart as B
import carts.core
from carts import core
Cart().add(1, quantity=2)
Cart().add(1, quantity=2)
Cart().add(1, quantity=2)
make(size=3), core.make(size=4), core.make(size=5)
carts.core.make(size=6)
B().add(1, quantity=3)
"""


@pytest.fixture(autouse=True)
def canonical(tmp_path, monkeypatch):
    (tmp_path / "carts").mkdir()
    (tmp_path / "carts" / "__init__.py").write_text("")
    (tmp_path / "carts" / "core.py").write_text(
        "class Cart:\n    def add(self, item, quantity=1): return item, quantity\ndef make(size=1): return size\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


def targets(rows):
    ledger = Ledger("carts", version="1.0", docs="")
    ledger += rows
    return Targets(ledger)


def found(data, known):
    uses = file_uses.read(sources.decode("m.py", data), known)
    return [finding.symbol for finding in rules.find(uses)]


def test_rows_are_followed_to_their_end():
    known = targets(ROWS)
    outcome = rewriter.fix_bytes("m.py", TEXT.encode(), known)
    assert (outcome.skips, outcome.after.decode()) == ((), FIXED)
    assert found(outcome.after, known) == []
    assert rewriter.fix_bytes("m.py", outcome.after, known).status == "unchanged"


@given(st.permutations(ROWS), st.integers(1, len(ROWS)))
def test_a_second_run_changes_nothing_whichever_rows_there_are(rows, count):
    known = targets(rows[:count])
    once = rewriter.fix_bytes("m.py", TEXT.encode(), known)
    assert once.status in ("fixed", "unchanged", "skipped")
    assert rewriter.fix_bytes("m.py", once.after, known).after == once.after
    assert sorted(found(once.after, known)) == sorted(skip.symbol for skip in once.skips)


def test_the_argument_of_a_renamed_method_is_found_before_the_method_is_renamed():
    assert found(b"from carts.core import Cart\nCart().addItem(1, qty=2)\n", targets(ROWS)) == [
        "carts.core:Cart.addItem",
        "carts.core:Cart.add(qty)",
    ]


@pytest.mark.parametrize(
    "row, text, reason",
    [
        (Argument(f"{CART}.add", "count", became=None, **TOLD), "Cart().add(1, qty=2)", "count is a legacy argument, too"),
        (
            Argument(f"{CART}.add", "count", became="n", convert="builtins:int", **TOLD),
            "Cart().add(1, qty=2)",
            "count is a legacy argument, too",
        ),
        (Argument(f"{CART}.add", "count", became="n", **TOLD), "Cart().add(1, qty=2, n=3)", "n is passed, too"),
        (Argument(f"{CART}.add", "count", became="n", **TOLD), "Cart().add(1, qty=2, count=3)", "n is passed, too"),
    ],
)
def test_what_cannot_be_followed_is_left_with_a_reason(row, text, reason):
    known = targets([Argument(f"{CART}.add", "qty", became="count", **TOLD), row])
    outcome = rewriter.fix_bytes("m.py", f"from carts.core import Cart\n{text}\n".encode(), known)
    assert reason in [skip.reason for skip in outcome.skips]
    assert rewriter.fix_bytes("m.py", outcome.after, known).after == outcome.after


@pytest.mark.parametrize(
    "after",
    [
        Removed("carts.core:mid", since="1.0", instead="write nothing"),
        Class("carts.core:mid", "carts.core:Cart", adapter="carts.adapters:Cart", **TOLD),
    ],
)
def test_a_row_that_ends_in_something_else_is_not_followed(after):
    known = targets([Name("carts.old:mid", "carts.core:mid", **TOLD), after])
    target = known.attribute("carts.old", "mid")
    assert target is not None and target.canonical == "carts.core:mid"


CHAINED = {
    "by its annotation": "def add(self, item) -> Cart:\n        return self",
    "by what it returns": "def add(self, item):\n        return Cart()",
}


@pytest.mark.parametrize("method", CHAINED.values(), ids=CHAINED)
def test_calls_on_what_renamed_methods_return_are_renamed_in_the_same_run(method, tmp_path):
    (tmp_path / "chained.py").write_text(f"from __future__ import annotations\n\n\nclass Cart:\n    {method}\n")
    app = tmp_path / "app.py"
    app.write_text("from chained import Cart\n\nCart().addItem(1).addItem(2).put(3)\ncart = Cart().put(1)\ncart.addItem(2)\n")
    rows = Ledger("chained", version="1.5", docs="")
    rows += [
        Method("chained:Cart.addItem", "chained:Cart.put", **TOLD),
        Method("chained:Cart.put", "chained:Cart.add", **TOLD),
    ]
    assert fixer.fix([str(tmp_path)], rows, write=True, verify=True).problems == []
    assert app.read_text() == "from chained import Cart\n\nCart().add(1).add(2).add(3)\ncart = Cart().add(1)\ncart.add(2)\n"
