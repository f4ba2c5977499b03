"""Kinds of move answer for themselves: nobody but a kind's own files asks what kind a row is."""

from __future__ import annotations

import ast
import pathlib
import sys

import pytest

import compat
from compat.ledger import KINDS, Move

ROOT = pathlib.Path(compat.__file__).parent
CLASSES = {kind.__name__ for kind in KINDS.values()}
#: Where a kind speaks of itself: the rule of by-path kinds compares the kind of a target with its own name.
OWN = ("ledger/kinds/", "shim/kinds/", "analysis/rules/", "analysis/rewriting/kinds/")


def named(node):
    """The classes of kinds that an expression names, by themselves or in a module; those of ``ast`` are others."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and inner.id in CLASSES:
            yield inner.id
        elif isinstance(inner, ast.Attribute) and inner.attr in CLASSES and getattr(inner.value, "id", "") != "ast":
            yield inner.attr


def reads_kind(node):
    return isinstance(node, ast.Attribute) and node.attr == "kind"


def words(node):
    return {inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant)} & set(KINDS)


def called(node, *functions):
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") in functions


def questions(text):
    """The lines on which something is compared with the name of a kind, or tested for being of the class of one."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
            by_name = any(map(reads_kind, asked)) and any(map(words, asked))
            by_class = any(called(part, "type") for part in asked) and any(any(named(part)) for part in asked)
            if by_name or by_class:
                yield node.lineno
        elif called(node, "isinstance", "issubclass") and len(node.args) == 2 and any(named(node.args[1])):
            yield node.lineno
        elif called(node, "getattr") and len(node.args) == 3:
            # A field that one kind alone has, read with a default, is the same question.
            fields = {name for kind in KINDS.values() for name in kind.__slots__}
            if getattr(node.args[1], "value", None) in fields - set(Move.__slots__):
                yield node.lineno
        elif type(node).__name__ == "Match":  # since 3.10
            for case in node.cases:
                by_name = reads_kind(node.subject) and words(case.pattern)
                by_class = any(any(named(part.cls)) for part in ast.walk(case.pattern) if hasattr(part, "cls"))
                if by_name or by_class:
                    yield case.pattern.lineno


def test_the_check_sees_each_way_to_ask():
    asked = (
        "a = move.kind == 'method'\nb = row.kind not in ('name', 'class')\nc = isinstance(row, Argument)\n"
        "d = getattr(row, 'became', None)\ne = use.kind == 'call'\nf = isinstance(row, (int, moves.Class))\n"
        "g = type(row) is Name\nh = isinstance(node, ast.Name)\ni = 'removed' == row.kind\n"
    )
    assert sorted(questions(asked)) == [1, 2, 3, 4, 6, 7, 9]


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the match statement came with 3.10")
def test_the_check_sees_matches():
    asked = (
        "match row.kind:\n    case 'method' | 'name':\n        pass\n    case _:\n        pass\n"
        "match row:\n    case Argument(became=None):\n        pass\n    case int():\n        pass\n"
    )
    assert sorted(questions(asked)) == [2, 7]


def test_no_room_asks_what_kind_a_row_is():
    found = [
        f"compat/{name}:{line}"
        for path in sorted(ROOT.rglob("*.py"))
        for name in [path.relative_to(ROOT).as_posix()]
        if not name.startswith((*OWN, "canonical/"))
        for line in questions(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_each_table_has_every_kind():
    from compat.analysis import rules
    from compat.analysis.findings import KIND_RULES
    from compat.shim import kinds as in_shim

    assert all(kind.kind == name and kind.meaning for name, kind in KINDS.items())
    own = {kind for kind in Move.__subclasses__() if kind.__module__.startswith("compat.")}  # tests have kinds of their own
    assert set(KINDS.values()) == own
    assert in_shim.KINDS.keys() == KINDS.keys() == KIND_RULES.keys()
    assert {rule.RULE for rule in rules.KINDS} == KINDS.keys()


def test_every_kind_has_a_file_of_its_name_in_each_room():
    names = {f"{name}_" if name == "class" else name for name in KINDS}
    for folder in ("ledger/kinds", "shim/kinds", "analysis/rules", "analysis/rewriting/kinds"):
        assert names <= {path.stem for path in (ROOT / folder).glob("*.py")}, folder
