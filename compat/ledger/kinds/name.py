"""Name: one name moved or was renamed."""

from __future__ import annotations

from ..move import Move


class Name(Move):
    """A name moved or was renamed; old code gets the canonical object itself.

    Uses are counted where the name is imported or read, not where the object it stands for is called.
    """

    kind = "name"
    meaning = "A name that moved is used."
    needs_attribute = True
    __slots__ = ()
