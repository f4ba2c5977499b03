"""The protocol of one installed ledger, for the code that serves it."""

from __future__ import annotations

import sys

from ..recording.funnel import UseRecorder
from .targets import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from compat.ledger import Ledger, Move


class Installed:
    """A ledger, the recorders of its rows, and the undo callbacks of what was put in place for it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.undoings: list[Callable[[], None]] = []
        self.recorders: dict[str, UseRecorder] = {}
        #: By legacy path, what has been put in place: "", or why it was not and what to do about it.
        self.outcomes: dict[str, tuple[str, str]] = {}

    def recorder(self, move: Move) -> UseRecorder:
        """The funnel's side of a row, made at its first use."""
        found = self.recorders.get(move.legacy)
        if found is None:
            found = self.recorders.setdefault(move.legacy, UseRecorder(move, self.ledger))
            require(move)
        return found

    def recorder_at(self, name: str, move: Move) -> UseRecorder:
        """The recorder of a row for the module ``name``, which may lie below the row's own.

        Of one statement, ``import old.sub``, the interpreter asks the child and the parent: each has a hot table of its own,
        or what holds for one would answer for the other. What is said names the module that was asked for.
        """
        if name == move.module:
            return self.recorder(move)
        key = f"{move.legacy} {name}"
        found = self.recorders.get(key)
        if found is None:
            below = name[len(move.module) :]
            said = move.implied(name, f"{move.canonical}{below}") if move.instead is None and move.canonical else move
            found = self.recorders.setdefault(key, UseRecorder(said, self.ledger))
        return found

    def servable(self, rows: Mapping[str, Move]) -> dict[str, Move]:
        """Those of a module's rows that can stand in it as names; of the others the outcome is kept and logged."""
        kept = {}
        for name, move in rows.items():
            if name:
                fault = name_fault(self.ledger, move)
                if fault is None:
                    kept[name] = move
                else:
                    self.refuse(move, *fault)
        return kept

    def refuse(self, move: Move, reason: str, remedy: str, *, is_harmless: bool = False) -> None:
        """Do not serve a row: keep why, and log it once.

        Where the legacy path works by itself the line is one for those who look: it is not printed by default, and
        ``logging`` is not loaded for it.
        """
        if self.outcomes.get(move.legacy, ("", ""))[0]:
            return
        self.outcomes[move.legacy] = (reason, remedy)
        if is_harmless and "logging" not in sys.modules:
            return
        import logging

        level = logging.INFO if is_harmless else logging.WARNING
        row = f"{type(move).__name__}({move.legacy!r})"
        logging.getLogger("compat").log(level, "ledger %r: %s is not served: %s; %s", self.ledger.name, row, reason, remedy)


def name_fault(ledger: Ledger, move: Move) -> tuple[str, str] | None:
    """Why a row cannot stand in a module as a name, and what to do about it; ``None`` where it can."""
    if "." in move.attribute:
        holder = move.attribute.rpartition(".")[0]
        return (
            f"{move.attribute!r} is a member of {holder!r}, not a name of the module",
            "use Method(...) for a member of a class",
        )
    at, passed = move.canonical, set()
    while at and at not in passed:
        if at == move.legacy:
            return "the move leads back to itself", "point the row at the final canonical path"
        passed.add(at)
        following = ledger.get(at)
        at = following.canonical if following is not None else ""
    return None
