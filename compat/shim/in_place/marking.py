"""``deprecated(row)``: the decorator for those who want the mark at the definition as well as in the ledger."""

from __future__ import annotations

from compat.ledger import Deprecated, Ledger, replacement

from .. import installation
from ..recording.funnel import LateRecorder, UseRecorder
from ..reporting import is_off
from . import classes, members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from compat.ledger import Move

    Marked = TypeVar("Marked")

#: Stands on what is observed, with the path of the row: an installed ledger observes it no second time.
MARK = "__compat_marked__"


def deprecated(row: Deprecated) -> Callable[[Marked], Marked]:
    """Mark a function, class, method or property as deprecated by a row of a ledger, where it is defined.

    Its uses are counted and warned whether or not a ledger that has the row is installed; where one is, its version is in
    force. A method's or property's mark stands outermost. Raises TypeError for what is no :class:`compat.Deprecated` row.
    """
    if not getattr(row, "stays", False):
        raise TypeError(f"deprecated() takes a Deprecated row, not {row!r}; write @deprecated(Deprecated('module:name', ...))")

    def mark(found: Any) -> Any:
        if is_off():
            return found
        recorder = LateRecorder(lambda hot: _in_force(row, hot))
        if isinstance(found, type):
            classes.watch(found, recorder, row)
            type.__setattr__(found, MARK, row.legacy)
            return found
        if isinstance(found, property):
            made: Any = members.member(found, row.attribute.rpartition(".")[2], recorder)
            setattr(made.fget, MARK, row.legacy)
            return made
        if not members.is_called(found):
            raise TypeError(f"deprecated() marks functions, classes, methods and properties, not {found!r}: a row alone does")
        made = members.function(found, recorder)
        inner: Any = getattr(made, "__func__", made)
        setattr(inner, MARK, row.legacy)
        inner.__deprecated__ = replacement(row) or row.legacy
        return made

    return mark


def is_marked(found: Any) -> bool:
    """Whether the decorator observes a thing already."""
    if isinstance(found, type):
        return MARK in vars(found)
    inner = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    return MARK in getattr(inner, "__dict__", ())


def _in_force(row: Move, hot: dict[int, Any]) -> UseRecorder:
    """The recorder of the row as the installed ledger has it; else of the row alone, deprecated now."""
    for one in installation.installed():
        found = one.ledger.get(row.legacy)
        if found is not None:
            # Forgotten with the installation.
            made = one.recorders[f"{row.legacy} at its definition"] = UseRecorder(found, one.ledger, hot)
            return made
    alone = UseRecorder(row, Ledger(row.ledger, version=row.since), hot)
    installation.provisional.append(alone)
    return alone
