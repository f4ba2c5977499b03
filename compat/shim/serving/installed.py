"""One installed ledger, as what serves it sees it."""

from __future__ import annotations

from ..recording.funnel import UseRecorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from compat.ledger import Ledger, Move


class Installed:
    """A ledger, the recorders of its rows, and the undo callbacks of what was put in place for it."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.undoings: list[Callable[[], None]] = []
        self.recorders: dict[str, UseRecorder] = {}

    def recorder(self, move: Move) -> UseRecorder:
        """The funnel's side of a row, made at its first use."""
        found = self.recorders.get(move.legacy)
        if found is None:
            found = self.recorders.setdefault(move.legacy, UseRecorder(move, self.ledger))
        return found
