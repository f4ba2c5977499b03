"""Findings from counted uses: what ran at a line is a use there, and a use that was found is told how often it ran."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Optional

from ..findings import HIGH, Finding
from ..hints import times, word_of
from ..rules import report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compat.ledger import Move

    from ..hints import Hints
    from ..model.file_uses import FileUses

HOW = "evidence"


def add(uses: FileUses, hints: Hints, findings: list[Finding]) -> list[Finding]:
    """The findings of a file with the counts of the uses among them, and those that only ran; lines that changed say nothing."""
    made = [*findings]
    for ran in hints.ran:
        span = hints.statement(uses.file.tree.module, ran.line)
        row = _row(uses, ran.move)
        if span is None or row is None:
            continue
        told = f" Here {times(ran.uses)}."
        known = [index for index, one in enumerate(made) if one.move == row.id and span[0] <= one.line <= span[1]]
        exact = [index for index in known if made[index].symbol.replace(":", ".") == ran.move.replace(":", ".")]
        if known:
            index = (exact or known)[0]
            made[index] = made[index]._replace(message=made[index].message + told)
        else:
            place = next(_places(uses, span, word_of(ran.move)), None)
            if place is not None:
                found = report.from_row(uses.file.source, uses.targets, row, place, row.kind, HOW, HIGH)
                made.append(found._replace(message=found.message + told, symbol=ran.move))
    return made


def _row(uses: FileUses, move: str) -> Optional[Move]:
    """The row of a counted id: its own, else that of the class or module that it belongs to."""
    ledger = uses.targets.ledger
    known = {row.id for row in ledger}
    while move and move not in known:
        cut = max(move.rfind("."), move.rfind(":"))
        move = move[:cut] if cut > 0 else ""
    return ledger.by_id(move) if move else None


def _places(uses: FileUses, span: tuple[int, int], word: str) -> Iterator[tuple[int, int]]:
    """Where a word stands as a name, an attribute or a keyword in the lines of a statement."""
    file, size = uses.file, len(word.encode())
    for node in ast.walk(file.tree.module):
        if not span[0] <= getattr(node, "lineno", 0) <= span[1]:
            continue
        if isinstance(node, ast.Attribute) and node.attr == word:
            end = file.span(node)[1]
            yield end - size, end
        elif (isinstance(node, ast.Name) and node.id == word) or (isinstance(node, ast.keyword) and node.arg == word):
            start = file.span(node)[0]
            yield start, start + size
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value.replace(":", ".").rpartition(".")[2] == word
        ):
            yield file.span(node)
