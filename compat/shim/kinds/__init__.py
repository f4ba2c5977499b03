"""How each kind of move keeps old code running, one file each. A new kind is one more file here, and a line in the table."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from compat.ledger import Move

    from .kind import Kind

#: The module whose ``KIND`` answers for the rows of a kind. By name: a process loads those kinds only that its ledgers have.
KINDS = {
    "module": f"{__name__}.module",
    "name": f"{__name__}.name",
    "class": f"{__name__}.class_",
    "argument": f"{__name__}.argument",
    "method": f"{__name__}.method",
    "removed": f"{__name__}.removed",
    "deprecated": f"{__name__}.deprecated",
    "behaviour": f"{__name__}.behaviour",
}
_loaded: dict[str, Kind] = {}


def of(move: Move) -> Kind:
    """What answers for a row at run time."""
    found = _loaded.get(KINDS[move.kind])
    if found is None:
        home: Any = import_module(KINDS[move.kind])
        found = _loaded.setdefault(KINDS[move.kind], home.KIND)
    return found


def load(rows: Iterable[Move]) -> None:
    """Load what answers for rows before any of them is used: a use must not import."""
    for move in {move.kind: move for move in rows}.values():
        of(move)
