"""Rule ``behaviour``: the old name of a setting, an option or a key stands in source as a string."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from compat.ledger import Behaviour

from ..findings import MEDIUM
from . import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compat.ledger import Move

    from ..findings import Finding
    from ..model.file_uses import FileUses

RULE = "behaviour"
NEEDS_RECEIVERS = False


class Use(NamedTuple):
    """One string that is the old name of a row, and its span."""

    row: Move
    start: int
    end: int


def find(uses: FileUses) -> Iterator[Finding]:
    """Report each such string."""
    for use in strings(uses):
        yield report.from_row(uses.file.source, uses.targets, use.row, (use.start, use.end), RULE, "setting", MEDIUM)


def strings(uses: FileUses) -> Iterator[Use]:
    """Every string that is an old name, docstrings and the declaration of the row itself aside."""
    rows = uses.targets.texts
    for text in uses.file.names.texts if rows else ():
        row = rows.get(str(text.node.value)) if text.role != "docstring" else None
        if row is not None and not _is_declaration(uses, text.node):
            yield Use(row, *uses.file.span(text.node))


def _is_declaration(uses: FileUses, node: ast.AST) -> bool:
    """Whether a string is ``Behaviour(old=...)``."""
    parents = uses.file.names.parents
    word = parents.get(node)
    call = parents.get(word) if isinstance(word, ast.keyword) and word.arg == "old" else None
    function = call.func if isinstance(call, ast.Call) else None
    return getattr(function, "attr", getattr(function, "id", "")) == Behaviour.__name__
