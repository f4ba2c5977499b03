"""The target of a legacy path: its row and its canonical path."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from compat.ledger import Module

if TYPE_CHECKING:
    from compat.ledger import Move


class Target(NamedTuple):
    """What a legacy path means: ``move`` is ``None`` for a legacy module that only single rows speak of."""

    move: Move | None
    legacy: str
    canonical: str

    @property
    def is_module(self) -> bool:
        return ":" not in self.legacy

    @property
    def kind(self) -> str:
        """The rule that a use of this target falls under."""
        return Module.kind if self.move is None else self.move.rule_for(self.legacy)

    @property
    def is_tombstone(self) -> bool:
        """Whether nothing stands behind the path any more."""
        return self.move is not None and self.move.is_tombstone

    @property
    def stays(self) -> bool:
        """Whether the path leads to the same thing before and after the change."""
        return self.move is not None and self.move.stays

    @property
    def adapter(self) -> str:
        """The adapter that stands in for the canonical class; ``""`` where the canonical object itself is handed out."""
        return "" if self.move is None or self.is_module else self.move.adapter

    @property
    def differs(self) -> str:
        """Why the canonical path cannot simply be written in place of this one; ``""`` where it can."""
        return "" if self.move is None or self.is_module else self.move.differs

    @property
    def id(self) -> str:
        return self.move.id if self.move is not None else self.legacy
