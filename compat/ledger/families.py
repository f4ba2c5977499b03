"""Compact forms of many rows with the same words, and the words of many rows."""

from __future__ import annotations

from .rows import Name, Removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypedDict, overload

    from .move import Category, Move

    class Versions(TypedDict):
        """What rows of one change have in common."""

        since: str
        removal: str

    class Words(Versions):
        """The same, with what to write instead."""

        instead: str | None


if TYPE_CHECKING:

    @overload
    def common(*, since: str, removal: str) -> Versions: ...

    @overload
    def common(*, since: str, removal: str, instead: str | None) -> Words: ...


def common(**words: Any) -> Any:
    """What several rows have in common, for ``**``: ``V = common(since="2.0", removal="3.0")``, then ``Name(..., **V)``.

    Type checkers know each of them: a row that says ``instead=`` itself takes a group without.
    """
    unknown = sorted({*words} - {"since", "removal", "instead"})
    missing = sorted({"since", "removal"} - {*words})
    if unknown or missing:
        told = f"does not take {', '.join(unknown)}" if unknown else f"needs {' and '.join(missing)}"
        raise TypeError(f"common() {told}; write common(since='2.0', removal='3.0'), and instead= where it is one for all")
    return words


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
