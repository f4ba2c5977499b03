"""The call site: the one thing that is counted, made of static facts of code alone."""

from __future__ import annotations

import sys
from _operator import itemgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class Site(NamedTuple):
        """One place in the code that uses one move in one way."""

        move: str
        kind: str
        file: str
        line: int
        function: str
        module: str

else:

    class Site(tuple):
        """One place in the code that uses one move in one way.

        Written by hand: ``collections.namedtuple`` and ``typing.NamedTuple`` cost more to import than this whole room.
        """

        __slots__ = ()
        _fields = ("move", "kind", "file", "line", "function", "module")

        def __new__(cls, move, kind, file, line, function, module):
            return tuple.__new__(cls, (move, kind, file, line, function, module))

        move = property(itemgetter(0), doc="Stable id of the move.")
        kind = property(itemgetter(1), doc="How it is used: import, attribute, call, subclass, ...")
        file = property(itemgetter(2), doc="File of the using line.")
        line = property(itemgetter(3), doc="Number of the using line, from 1; 0 where there is none.")
        function = property(itemgetter(4), doc="Qualified name of the using function, or '<module>'.")
        module = property(itemgetter(5), doc="Dotted name of the using module.")

        def __getnewargs__(self):
            return tuple(self)

        def __repr__(self):
            return "Site({})".format(", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self)))


OVERFLOW = "overflow"
"""The kind of the row that counts, per move, what the bounded table has no room for."""


def overflow_of(site: Site) -> Site:
    """Return the row that stands for every site of one move for which there is no room."""
    return Site(site.move, OVERFLOW, "", 0, "", "")


#: ``sys.path`` as it was last seen.
_path: list[list[str]] = [sys.path]


def portable_path(file: str, entries: list[str] | None = None) -> str:
    """Return ``file`` relative to the longest entry of ``sys.path`` that holds it, with forward slashes.

    A path that no entry holds stays as it is: it is still a fact of the code, and a report must be able to name it.
    """
    best = ""
    if entries is None:
        # Gone while the interpreter goes down, when destructors still run.
        entries = _path[0] = sys.path if sys.path is not None else _path[0]  # type: ignore[redundant-expr]
    for entry in entries:
        if not isinstance(entry, str) or len(entry) <= len(best):
            continue
        stem = entry.rstrip("/\\")
        if stem and file.startswith(stem) and file[len(stem) : len(stem) + 1] in ("/", "\\"):
            best = entry
    relative = file[len(best.rstrip("/\\")) + 1 :] if best else file
    return relative.replace("\\", "/") if best else file
