"""Where a ledger's rows are written: elements of lists and tuples, and assignments, in modules that are imported."""

from __future__ import annotations

import ast
import os
import sys
from typing import TYPE_CHECKING, Any, Optional

from compat.errors import CompatError
from compat.ledger import Move
from compat.ledger.versions import parse

if TYPE_CHECKING:
    from compat.ledger import Ledger

    from .tree import File, Library

Element = tuple[Any, ast.expr]  # the file, and the element of a list or tuple


def due(ledger: Ledger, as_of: str) -> list[Move]:
    """The rows whose time is over at a version: those whose removal it is, and tombstones that stood for a major version."""
    try:
        at = parse(as_of)
    except (ValueError, ImportError):
        raise CompatError(f"{as_of!r} is no version; write one such as --as-of 3.0") from None
    return [row for row in ledger if _is_due(row, at, as_of)]


def _is_due(row: Move, at: Any, as_of: str) -> bool:
    if not row.removal:
        return False
    if row.is_tombstone and row.removal == row.since:
        # Nobody said until when it tells people what to write.
        return _major(as_of) > _major(row.since)
    return bool(parse(row.removal) <= at)


def _major(version: str) -> int:
    head = version.partition(".")[0]
    return int(head) if head.isdigit() else 0


def written(library: Library, ledger: Ledger) -> list[tuple[File, ast.expr, list[Move]]]:
    """Every element of a list or a tuple that gives rows of a ledger, with those rows.

    Rows are made once more, in the namespace of the module that made them when the ledger was loaded.
    """
    known = {row.legacy: row for row in ledger}
    found = []
    for module in [*sys.modules.values()]:
        place = getattr(module, "__file__", None)
        file = library.by_path.get(os.path.realpath(place)) if isinstance(place, str) else None
        if file is None:
            continue
        for node in ast.walk(file.tree):
            for element in node.elts if isinstance(node, (ast.List, ast.Tuple)) else ():
                rows = _rows(element, vars(module))
                if rows and all(row.legacy in known and _same(row, known[row.legacy]) for row in rows):
                    found.append((file, element, rows))
    return found


def _same(made: Move, known: Move) -> bool:
    return type(made) is type(known) and (made.id, made.canonical, made.removal) == (known.id, known.canonical, known.removal)


def _rows(node: ast.expr, namespace: dict[str, Any]) -> Optional[list[Move]]:
    if isinstance(node, ast.Starred):
        return _rows(node.value, namespace)
    if isinstance(node, (ast.GeneratorExp, ast.ListComp)):
        makes = isinstance(node.elt, ast.Call) and _makes_rows(node.elt.func, namespace)
    elif isinstance(node, ast.Call):
        makes = _makes_rows(node.func, namespace)
    else:
        makes = isinstance(node, ast.Name)
    if not makes:
        return None
    try:
        value = eval(compile(ast.Expression(node), "<row>", "eval"), dict(namespace))
        rows = [value] if isinstance(value, Move) else [*value]
    except Exception:
        return None  # made in another scope: it stays
    return rows if all(isinstance(row, Move) for row in rows) else None


def _makes_rows(node: ast.expr, namespace: dict[str, Any]) -> bool:
    """Whether what is called is a kind of row, or one of the functions that make families of them."""
    words: list[str] = []
    while isinstance(node, ast.Attribute):
        words.insert(0, node.attr)
        node = node.value
    value = namespace.get(node.id) if isinstance(node, ast.Name) else None
    for word in words:
        value = getattr(value, word, None)
    if isinstance(value, type):
        return issubclass(value, Move)
    return callable(value) and str(getattr(value, "__module__", "")).startswith("compat.ledger.")
