"""What a rewrite touched is parsed alone: where that is enough, the whole parses; where it may not be, the whole is parsed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from compat.analysis.model import file_uses
from compat.analysis.reading import dialects
from compat.analysis.reading.sources import decode
from compat.analysis.rewriting import rewriter
from compat.analysis.rewriting.edits import Edit, apply
from compat.analysis.rewriting.import_blocks import reparsing
from compat.analysis.rewriting.planning import make_plan
from compat.analysis.targets import Targets

GOLD = Path(__file__).parent.parent / "gold" / "fix"


@pytest.fixture
def parsed(monkeypatch):
    """Every text that is parsed whole."""
    texts = []
    parse = dialects.parse

    def spy(source):
        texts.append(source.text)
        return parse(source)

    monkeypatch.setattr(dialects, "parse", spy)
    return texts


def test_a_rewritten_file_is_parsed_once(ledger, parsed):
    before = "import os\nfrom shop_old.things import Widget, MAX\n\n\ndef f(w: Widget):\n    return MAX, os.sep\n"
    assert rewriter.fix_text(before, ledger).status == "fixed"
    assert parsed == [before]


def test_every_golden_result_parses(ledger):
    changed = 0
    for path in sorted(GOLD.glob("*.txt")):
        for section in path.read_text(encoding="utf-8").split("=== ")[1:]:
            before = section.partition("\n")[2].partition("---\n")[0]
            outcome = rewriter.fix_text(before, ledger)
            dialects.parse(decode("after.py", outcome.after))
            changed += outcome.after != outcome.before
    assert changed > 50


NAMES_OF_OLD = {
    "a name in the head of a statement": ("if old: pass\n", "new", True),
    "a path in a decorator": ("@a.old\ndef f(): pass\n", "a.b.new", True),
    "a path for a parameter's name": ("def f(old): pass\n", "a.new", False),
    "a keyword in a head": ("if old: pass\n", "lambda", False),
    "a word with a meaning of its own": ("if old: pass\n", "match", False),
    "a bracket that is left open": ("x = old\n", "(new", False),
    "a second statement": ("x = old\n", "1; y = 2", False),
    "a second line where the first is shared": ("if x: y = old\n", "1\nz = 2", False),
    "another statement": ("old\n", "pass", False),
    "a part of an escape": ('x = "\\old"\n', "New", False),
    "a statement behind a backslash": ("if x: \\\n  y = old\n", "1 + 1", False),
    "an expression in a simple statement": ("class A:\n    x = old.y\n", "(await new)", True),
    "an expression in a head": ("if old.y: pass\n", "(await new)", False),
    "a name in a comment": ("x = 1  # old\n", "new", True),
}


@pytest.mark.parametrize("before, new, is_enough", NAMES_OF_OLD.values(), ids=NAMES_OF_OLD.keys())
def test_what_is_parsed_alone_is_enough_only_where_it_tells_of_the_whole(ledger, before, new, is_enough):
    source = decode("x.py", before.encode())
    file = file_uses.read(source, Targets(ledger)).file
    word = "a.old" if "." in new and "a.old" in before else "old"
    start = before.index(word)
    edits = [Edit(start, start + len(word), word.encode(), new.encode())]
    after = apply(source.data, edits)
    assert (reparsing.imports(file, edits, {}, after, reparsing.Shifts(edits)) is not None) is is_enough
    if is_enough:
        ast.parse(after)


@pytest.mark.parametrize("text", ["import a\nimport b", "from a import (\n        x,\n    )", "import a; import b"])
@pytest.mark.parametrize("lead", ["", "if 1:\n    ", "def f():\n\t", "x = 1; ", "# ż\n", "if 1:\r    "])
def test_offsets_are_those_of_the_whole(lead, text):
    text = text.replace("\n", "\n" + lead.rpartition("\n")[2].rpartition("\r")[2] if not lead.endswith("; ") else "; ")
    if lead.endswith("; ") and "(" in text:
        text = "from a import (x)"
    data = f"{lead}{text}\ny = 1\n".encode()
    start = len(lead.encode())
    found = reparsing.statements(data, start, start + len(text.encode()))
    assert found is not None
    assert all(data[at:].startswith((b"import", b"from")) for _node, at in found)
    assert len(found) == data.count(b"import ")


@pytest.mark.parametrize(
    "old, new", [(b"(2)", b"(2"), (b"Widget(", b"a b("), (b"MAX", b"MAX as")], ids=["value", "head", "import"]
)
def test_a_result_that_does_not_parse_is_not_given(ledger, monkeypatch, old, new):
    before = b"from shop_old.things import Widget, MAX\nif Widget(1):\n    Widget(2)\n"

    def spoilt(*given, **more):
        plan = make_plan(*given, **more)
        start = before.index(old)
        plan.edits = [edit for edit in plan.edits if edit.end <= start or edit.start >= start + len(old)]
        plan.edits.append(Edit(start, start + len(old), old, new))
        return plan

    monkeypatch.setattr(rewriter, "make_plan", spoilt)
    outcome = rewriter.fix_text(before.decode(), ledger)
    assert outcome.status == "failed"
    assert outcome.reason.startswith("the rewritten text would not hold: ")
    assert outcome.after == before
