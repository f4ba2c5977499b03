"""Name: one name moved or was renamed."""

from __future__ import annotations

from ..move import TARGET, Move


class Name(Move):
    """A name moved or was renamed; old code gets the canonical object itself.

    Uses are counted where the name is imported or read, not where the object it stands for is called. An attribute of a class,
    ``"module:Class.OLD"``, may have moved anywhere; the class is named by the module in which it is now.
    """

    kind = "name"
    meaning = "A name that moved is used."
    needs_attribute = True
    takes_patterns = True
    __slots__ = ()

    @property
    def place(self) -> str:
        """As of every row; an attribute of a class is put on that class."""
        return self.place_of_member

    @property
    def differs(self) -> str:
        """An attribute of a class may have moved to where no attribute is read."""
        return f"moved to {self.canonical.replace(':', '.')}" if self.place == TARGET else self.depends
