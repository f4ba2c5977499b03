"""Module: a whole module moved."""

from __future__ import annotations

from ..move import Move
from .name import Name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..move import Fault


class Module(Move):
    """A whole module moved; its submodules follow.

    Words in braces make a row a pattern: ``Module("flow.contrib.{x}_operator", "flow.providers.{x}", ...)``.
    """

    kind = "module"
    meaning = "A module that moved is used."
    takes_patterns = True
    __slots__ = ()

    def rule_for(self, path: str) -> str:
        """A name below a moved module is reported as a moved name."""
        return Name.kind if ":" in path else self.kind

    def implied(self, legacy: str, canonical: str) -> Move:
        """A submodule moved as its parent did; a name below it, as a :class:`Name` row would say."""
        if ":" not in legacy:
            return self.replace(legacy=legacy, canonical=canonical)
        made = Name(legacy, canonical, since=self.since, removal=self.removal, instead=self.instead, note=self.note, id=self.id)
        return made.replace(ledger=self.ledger, category=self.category, requires=self.requires)

    def faults(self) -> Iterator[Fault]:
        """As of every row, and both paths must be those of modules."""
        yield from super().faults()
        if self.attribute or ":" in self.canonical:
            yield "a Module row moves a whole module to a whole module", "use Name(...) or Class(...) for one name"
