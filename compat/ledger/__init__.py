"""What moved: rows, the ledgers that hold them, their checks, and the sentence each speaks.

move       what every row has
kinds/     the kinds of row, one file each: fields, subject, advice, faults
families   compact forms of many rows
ledger     Ledger: the index and the version in force
choosing   canonical paths that depend on where a program runs
versions   stages
wording    the one sentence
checking   all faults at once
discovery  ledgers by entry point, by configuration, by name
in_use     which of them the project at hand uses
"""

from __future__ import annotations

from .families import common, names, removed
from .kinds import KINDS, Argument, Behaviour, Class, Deprecated, Method, Module, Name, Removed
from .ledger import Ledger, Origin
from .move import Move
from .paths import import_line
from .wording import replacement, sentence

__all__ = [  # noqa: RUF022 - as sorted() sorts
    "Argument",
    "Behaviour",
    "Class",
    "Deprecated",
    "KINDS",
    "Ledger",
    "Method",
    "Module",
    "Move",
    "Name",
    "Origin",
    "Removed",
    "choose",
    "common",
    "discover",
    "import_line",
    "load",
    "names",
    "removed",
    "replacement",
    "sentence",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .choosing import choose
    from .discovery import discover, load


def __getattr__(name: str) -> object:
    # Checks and discovery read the whole environment; no running program needs them to use a legacy name.
    if name in ("discover", "load"):
        from . import discovery

        return getattr(discovery, name)
    if name == "choose":
        from .choosing import choose

        return choose
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
