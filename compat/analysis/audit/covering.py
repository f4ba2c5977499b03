"""Which row of a ledger covers what is gone or different."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import breaks

if TYPE_CHECKING:
    from compat.ledger import Ledger, Move

    from .breaks import Break


class Covering:
    """The rows of a ledger by what they speak of."""

    def __init__(self, ledger: Ledger) -> None:
        self._exact: dict[str, Move] = {}
        self._functions: dict[str, list[Move]] = {}
        for row in ledger:
            if row.function:
                self._functions.setdefault(_dotted(row.function), []).append(row)
            else:
                self._exact.setdefault(_dotted(row.legacy), row)

    def row(self, broken: Break) -> Move | None:
        """The row that covers a break; ``None`` where none does."""
        path = _dotted(broken.path)
        if broken.parameter:
            for owner in (path, path.rpartition(".__init__")[0] or path):
                for row in self._functions.get(owner, ()):
                    if broken.parameter in row.parameter_names or broken.kind in (breaks.PARAMETER_MOVED, breaks.PARAMETER_KIND):
                        return row
        while path:
            known = self._exact.get(path)
            if known is not None and (path == _dotted(broken.path) or broken.kind == breaks.REMOVED):
                return known
            path = path.rpartition(".")[0]
        return None


def _dotted(path: str) -> str:
    return path.replace(":", ".")
