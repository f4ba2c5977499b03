"""Kinds of move answer for themselves: nobody but a kind's own files asks what kind a row is."""

from __future__ import annotations

import ast
import pathlib

import compat
from compat.ledger import KINDS, Move

ROOT = pathlib.Path(compat.__file__).parent
CLASSES = {kind.__name__ for kind in KINDS.values()}
#: Where a kind speaks of itself: the rule of by-path kinds compares the kind of a target with its own name.
OWN = ("ledger/kinds/", "shim/kinds/", "analysis/rules/", "analysis/rewriting/kinds.py")


def questions(text):
    """The lines on which something is compared with the name of a kind, or tested for being of the class of one."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
            reads_kind = any(isinstance(part, ast.Attribute) and part.attr == "kind" for part in asked)
            words = {inner.value for part in asked for inner in ast.walk(part) if isinstance(inner, ast.Constant)}
            if reads_kind and words & set(KINDS):
                yield node.lineno
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("isinstance", "issubclass") and len(node.args) == 2:
            named = {inner.id for inner in ast.walk(node.args[1]) if isinstance(inner, ast.Name)}
            if named & CLASSES:
                yield node.lineno
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "getattr" and len(node.args) == 3:
            # A field that one kind alone has, read with a default, is the same question.
            fields = {name for kind in KINDS.values() for name in kind.__slots__}
            if getattr(node.args[1], "value", None) in fields - set(Move.__slots__):
                yield node.lineno


def test_the_check_sees_each_way_to_ask():
    asked = (
        "a = move.kind == 'method'\nb = row.kind not in ('name', 'class')\nc = isinstance(row, Argument)\n"
        "d = getattr(row, 'became', None)\ne = use.kind == 'call'\n"
    )
    assert list(questions(asked)) == [1, 2, 3, 4]


def test_no_room_asks_what_kind_a_row_is():
    found = [
        f"compat/{name}:{line}"
        for path in sorted(ROOT.rglob("*.py"))
        for name in [path.relative_to(ROOT).as_posix()]
        if not name.startswith(OWN) and not name.startswith(("canonical/", "shim/"))
        for line in questions(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_every_kind_has_a_file_of_its_name_in_the_ledger_and_among_the_rules_and_rewriters():
    names = {f"{name}_" if name == "class" else name for name in KINDS}
    for folder in ("ledger/kinds", "analysis/rules", "analysis/rewriting"):
        assert names <= {path.stem for path in (ROOT / folder).glob("*.py")}, folder
