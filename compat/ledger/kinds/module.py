"""Module: a whole module moved."""

from __future__ import annotations

from ..move import Move

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..move import Fault


class Module(Move):
    """A whole module moved; its submodules follow."""

    kind = "module"
    __slots__ = ()

    def faults(self) -> Iterator[Fault]:
        """As of every row, and both paths must be those of modules."""
        yield from super().faults()
        if self.attribute or ":" in self.canonical:
            yield "a Module row moves a whole module to a whole module", "use Name(...) or Class(...) for one name"
