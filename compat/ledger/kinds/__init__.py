"""What the rows of each kind say, and what is wrong with them: one file a kind.

A function of one of these modules is a method of the rows of its kind; :mod:`.every` has those of all rows. They are defined here
and not in the classes because a library that comes with a ledger has its rows constructed with each import, and what they say
is asked once something legacy is used. A new kind is a class in :mod:`compat.ledger.rows`, one more file here, and a line in each
table.
"""

from __future__ import annotations

from .. import move, rows
from . import argument, behaviour, class_, deprecated, every, method, module, name, removed

__all__ = ["KINDS"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

#: The kinds, by the word for each.
KINDS: dict[str, type[move.Move]] = {
    kind.kind: kind
    for kind in (
        rows.Module,
        rows.Name,
        rows.Class,
        rows.Method,
        rows.Argument,
        rows.Removed,
        rows.Deprecated,
        rows.Behaviour,
    )
}
_OWN = {
    "module": module,
    "name": name,
    "class": class_,
    "method": method,
    "argument": argument,
    "removed": removed,
    "deprecated": deprecated,
    "behaviour": behaviour,
}


def _define(kind: type[move.Move], own: ModuleType) -> None:
    for word in move.TOLD:
        if word in vars(own):
            setattr(kind, word, vars(own)[word])


for _word, _own in _OWN.items():
    _define(KINDS[_word], _own)
# Last: a thread that asks a row meanwhile waits for this module.
_define(move.Move, every)
