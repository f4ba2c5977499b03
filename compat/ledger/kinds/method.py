"""Method: a method or property was renamed on a class that still exists."""

from __future__ import annotations

from ..move import TARGET, Move
from ..paths import dotted


class Method(Move):
    """A method or property was renamed on a canonical class that still exists: ``"mod:Class.old"`` -> ``"mod:Class.new"``."""

    kind = "method"
    meaning = "A renamed method is used."
    needs_attribute = True
    __slots__ = ()

    @property
    def place(self) -> str:
        """:data:`compat.ledger.move.TARGET`: the old method is attached to the canonical class."""
        return TARGET

    def subject(self, use: str) -> str:
        """A method is called, a property used or assigned."""
        if use in ("attribute", "set"):
            return f"{'Using' if use == 'attribute' else 'Assigning'} {dotted(self.attribute)} of '{self.module}'"
        return f"Calling {dotted(self.attribute)}() of '{self.module}'"

    def advice(self) -> str:
        """The new method, without its module."""
        return f"Use {self.canonical.partition(':')[2]} instead." if self.canonical else ""
