"""How much of the legacy surface's use the shipped ledger answers: ``python tests/legacy/coverage.py [--missing N]``.

``surface.tsv`` beside this file lists every module and name that real code imports, with the number of uses. A use is
covered where its row resolves to something that is there, a tombstone where the row says what to write instead, and
unanswered where there is no row, or where the row's target cannot be loaded.
"""

from __future__ import annotations

import csv
import importlib
import sys
from pathlib import Path
from typing import NamedTuple

from compat.ledger import Ledger, Move

COVERED, TOMBSTONE, UNANSWERED = "covered", "tombstone", "unanswered"


class Use(NamedTuple):
    """One row of the surface."""

    family: str
    module: str
    name: str
    uses: int


SURFACE = Path(__file__).with_name("surface.tsv")


def read_surface(path: Path = SURFACE) -> list[Use]:
    """The rows with uses."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [Use(r["family"], r["module"], r["name"], int(r["uses"])) for r in csv.DictReader(lines, delimiter="\t")]
    return [row for row in rows if row.uses]


def loads(path: str) -> bool:
    """Whether ``package.module:attribute`` is there."""
    module, _, attribute = path.partition(":")
    try:
        found: object = importlib.import_module(module)
        for part in attribute.split(".") if attribute else ():
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return False
    return True


def judge(ledger: Ledger, use: Use) -> str:
    """What answers one use."""
    if use.name in ("", "*", "__all__"):
        return COVERED if ledger.is_declared(use.module) else UNANSWERED
    move = ledger.get(f"{use.module}:{use.name}") or ledger.get(f"{use.module}.{use.name}")
    if move is not None:
        return judge_move(move)
    if ledger.is_declared(f"{use.module}.{use.name}"):
        return COVERED
    whole = _whole(ledger, use.module)
    if whole is None:
        return UNANSWERED
    if whole.kind == "removed":
        return TOMBSTONE
    below = use.module[len(whole.module) :]
    return COVERED if loads(f"{whole.canonical}{below}:{use.name}") else UNANSWERED


def judge_move(move: Move) -> str:
    """Whether a row's targets are there."""
    if move.kind == "removed":
        return TOMBSTONE
    targets = [move.canonical, *([move.adapter] if move.kind == "class" else [])]  # type: ignore[attr-defined]
    return COVERED if all(map(loads, targets)) else UNANSWERED


def _whole(ledger: Ledger, module: str) -> Move | None:
    while module:
        move = ledger.module_rows(module).get("")
        if move is not None:
            return move
        if ledger.module_rows(module):
            return None
        module = module.rpartition(".")[0]
    return None


def main(arguments: list[str]) -> int:
    """Print the weights by family, what is missing, and the share as the last line."""
    from compat.netra.ledger import LEDGER

    uses = read_surface()
    answers = {use: judge(LEDGER, use) for use in uses}
    print(f"{'family':<16}{COVERED:>10}{TOMBSTONE:>12}{UNANSWERED:>12}")
    for family in sorted({use.family for use in uses}):
        weights = [sum(u.uses for u in uses if u.family == family and answers[u] == a) for a in (COVERED, TOMBSTONE, UNANSWERED)]
        print(f"{family:<16}{weights[0]:>10}{weights[1]:>12}{weights[2]:>12}")
    shown = int(arguments[1]) if arguments[:1] == ["--missing"] else 0
    missing = sorted((use for use in uses if answers[use] != COVERED), key=lambda use: -use.uses)
    for use in missing[:shown]:
        print(f"{use.uses:>6} {answers[use]:<11} {use.module}:{use.name}")
    total = sum(use.uses for use in uses)
    by_answer = {answer: sum(use.uses for use in uses if answers[use] == answer) for answer in (COVERED, TOMBSTONE, UNANSWERED)}
    print(
        f"{by_answer[COVERED]} covered, {by_answer[TOMBSTONE]} tombstoned, {by_answer[UNANSWERED]} unanswered; {len(LEDGER)} rows"
    )
    print(f"{by_answer[COVERED]} of {total} uses covered ({100 * by_answer[COVERED] / total:.1f} %)")
    return 0 if not by_answer[UNANSWERED] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
