"""Module: a whole module moved."""

from __future__ import annotations

from . import every

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..move import Fault
    from ..rows import Module

meaning = "A module that moved is used."


def faults(row: Module) -> Iterator[Fault]:
    """As of every row, and both paths must be those of modules."""
    yield from every.faults(row)
    if row.attribute or ":" in row.canonical:
        yield "a Module row moves a whole module to a whole module", "use Name(...) or Class(...) for one name"
