"""The target of a legacy path: its row and its canonical path."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
        if self.move is None or (self.is_module and self.move.kind != "removed"):
            return "module"
        return "name" if self.move.kind == "module" else self.move.kind

    @property
    def id(self) -> str:
        return self.move.id if self.move is not None else self.legacy
