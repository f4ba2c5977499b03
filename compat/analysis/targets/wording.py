"""The sentence about a use of a target, worded by the ledger, and the replacement it advises."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from compat.ledger import advice, replacement, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from compat.ledger import Ledger, Move

    from .target import Target


class Wording:
    """Words for the targets of one ledger; ``names`` are its rows by legacy module."""

    def __init__(self, ledger: Ledger, names: Mapping[str, Mapping[str, Move]]) -> None:
        self._ledger, self._names = ledger, names
        self._said: dict[tuple[str, str, str], tuple[str, str]] = {}

    def row(self, target: Target) -> Move | None:
        """The row to word a sentence from; for what a module's row implies, a row made for that one name."""
        move = target.move
        if move is None or move.legacy == target.legacy or not (target.canonical or not move.is_tombstone):
            return move
        return move.implied(target.legacy, target.canonical)

    def words(self, target: Target, use: str) -> tuple[str, str]:
        """The sentence about one use of a target, and what to write instead."""
        key = (target.id, target.legacy, use)
        said = self._said.get(key)
        if said is None:
            said = self._said[key] = self._words(target, use)
        return said

    def _words(self, target: Target, use: str) -> tuple[str, str]:
        row = self.row(target)
        if row is None:
            moved = {move.canonical.partition(":")[0] for move in self._names[target.legacy].values() if move.canonical}
            new = sorted(module for module in moved if not advice.lies_in(module, self._stopgaps))
            if new:
                instead = f"Import its names from {' or '.join(new)} instead."
            elif moved:
                instead = f"Each of its names has its own replacement; see compat explain {target.legacy}.NAME."
            else:
                instead = "Nothing replaces it."
            return f"Importing '{target.legacy}' is deprecated: its names moved. {instead}", instead
        return self.say(row, use), replacement(row)

    def by_hand(self, target: Target, use: str, subject: str = "it") -> str:
        """Why a use of a stop-gap is left as it is, and what to write instead: the advice of its row."""
        words = self.words(target, use)[1]
        leads = any(path.partition(".")[0] in self._tops for path in advice.named_paths(words))
        return f"{subject} has no {'one-to-one' if leads else 'canonical'} replacement; rewrite it by hand: {words}"

    @cached_property
    def _stopgaps(self) -> frozenset[str]:
        return advice.stopgaps(self._ledger)

    @cached_property
    def _tops(self) -> frozenset[str]:
        """The top-level packages that rows lead to: an advice that names one knows a replacement of another shape."""
        paths = (row.canonical.partition(":")[0] for row in self._ledger if row.canonical)
        return frozenset(path.partition(".")[0] for path in paths if not advice.lies_in(path, self._stopgaps))

    def say(self, move: Move, use: str) -> str:
        """The sentence of one row at the stage that is in force."""
        return sentence(move, use, self._ledger.stage(move), docs=self._ledger.origin(move).docs)
