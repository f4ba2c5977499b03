"""Members of classes that are gone, moved elsewhere, or became something else, in source."""

from __future__ import annotations

import pytest

from compat.analysis import scan
from compat.analysis.documents import explain, guide
from compat.analysis.rewriting import rewriter
from compat.ledger import Ledger

from ..shim.kinds.test_members import ROWS, ZOO

#: A line of old code; the row that speaks of it, the rule and the way; what it becomes, ``None`` where it is left.
USES = {
    "one.gone": ("zoo:K.gone", "removed", "attribute", None),
    "one.gone(1)": ("zoo:K.gone", "removed", "call", None),
    "K.LIMIT": ("zoo:K.LIMIT", "name", "attribute", None),
    "one.ANSWER": ("zoo:K.ANSWER", "name", "attribute", None),
    "one.describe(True)": ("zoo:K.describe", "method", "call", None),
    "one.shown": ("zoo:K.shown", "method", "attribute", None),
    "one.is_ready()": ("zoo:K.is_ready", "method", "call", "one.ready"),
    "one.is_ready( )": ("zoo:K.is_ready", "method", "call", "one.ready"),
    "call(one.is_ready)": ("zoo:K.is_ready", "method", "attribute", None),
    "one.ready()": ("zoo:K.ready", "method", "call", "one.ready"),
    "one.length": ("zoo:K.length", "method", "attribute", "one.size()"),
    "one.length = 1": ("zoo:K.length", "method", "attribute", None),
    "one.w += 1": ("zoo:K.w", "method", "attribute", "one.width += 1"),
}
HEAD = "from zoo import K\n\none = K()\n"


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "zoo.py").write_text(ZOO)
    monkeypatch.syspath_prepend(str(tmp_path / "home"))
    return Ledger("zoo", version="1.5", rows=ROWS)


@pytest.mark.parametrize("line", USES)
def test_each_use_is_found_and_rewritten_where_that_is_certain(zoo, tmp_path, line):
    move, rule, how, after = USES[line]
    file = tmp_path / "tree" / "user.py"
    file.parent.mkdir()
    file.write_text(f"{HEAD}{line}\n")
    found = [(item.move, item.rule, item.how, item.line) for item in scan([str(file)], zoo).findings]
    assert found == [(move, rule, how, 4)]
    fixed = rewriter.fix_text(file.read_text(), zoo)
    assert fixed.after.decode() == f"{HEAD}{after or line}\n"
    assert [(skip.line, skip.symbol) for skip in fixed.skips] == ([] if after else [(4, move)])


@pytest.mark.parametrize("line", ["one.ready", "one.size()", "call(one.size)"])
def test_the_present_form_is_no_use(zoo, tmp_path, line):
    (tmp_path / "user.py").write_text(f"{HEAD}{line}\n")
    assert scan([str(tmp_path / "user.py")], zoo).findings == []
    assert rewriter.fix_text(f"{HEAD}{line}\n", zoo).skips == ()


def test_an_overriding_definition_is_found_at_its_name(zoo, tmp_path):
    (tmp_path / "user.py").write_text("from zoo import K\n\n\nclass Mine(K):\n    def is_ready(self):\n        return True\n")
    found = scan([str(tmp_path / "user.py")], zoo).findings
    assert [(item.move, item.how, item.line) for item in found] == [("zoo:K.is_ready", "override", 5)]
    assert found[0].message.startswith("Overriding K.is_ready of 'zoo' is deprecated since zoo 1.0")


def test_guide_and_explain_word_each(zoo):
    text = guide.generate(zoo)
    for words in (
        "Call zoo.describe() with it instead.",
        "Read K.ready instead.",
        "Call K.size() instead.",
        "Removed. Use K.new",
    ):
        assert words in text
    told = explain.explain(zoo, "zoo.K.length")
    assert told.replacement == "Call K.size() instead."
