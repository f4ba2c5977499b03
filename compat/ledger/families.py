"""Compact forms of many rows with the same words."""

from __future__ import annotations

from .kinds import Name, Removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .move import Category, Move


def names(
    module: str,
    canonical: str,
    words: str,
    *,
    since: str,
    removal: str,
    instead: str | None,
    note: str = "",
    category: Category = None,
) -> list[Move]:
    """Compact form of a family: one :class:`Name` row per word of ``words``; ``Old=New`` renames on the way."""
    told = {"since": since, "removal": removal, "note": note}
    rows: list[Move] = []
    for word in words.split():
        old, _, new = word.partition("=")
        rows.append(Name(f"{module}:{old}", f"{canonical}:{new or old}", instead=instead, category=category, **told))
    return rows


def removed(
    module: str, words: str, *, since: str, instead: str, removal: str = "", note: str = "", category: Category = None
) -> list[Move]:
    """Compact form of tombstones: one :class:`Removed` row per word of ``words``."""
    told = {"since": since, "removal": removal, "instead": instead, "note": note}
    return [Removed(f"{module}:{word}", category=category, **told) for word in words.split()]
