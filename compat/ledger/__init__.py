"""What moved: rows, the ledgers that hold them, their checks, and the sentence each speaks.

move       what every row has
rows       the kinds of row: their fields
kinds/     what rows say and what is wrong with them, one file a kind: subject, advice, faults
families   compact forms of many rows
ledger     Ledger: the index and the version in force
choosing   canonical paths that depend on where a program runs
versions   stages
wording    the one sentence
checking   all faults at once
loading    a ledger by its name
discovery  ledgers by entry point, by configuration
in_use     which of them the project at hand uses
"""

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
    from .discovery import discover
    from .families import common, names, removed
    from .kinds import KINDS
    from .ledger import Ledger, Origin
    from .loading import load
    from .move import Move
    from .paths import import_line
    from .rows import Argument, Behaviour, Class, Deprecated, Method, Module, Name, Removed
    from .wording import replacement, sentence

_HOMES = {
    "Argument": "rows",
    "Behaviour": "rows",
    "Class": "rows",
    "Deprecated": "rows",
    "KINDS": "kinds",
    "Ledger": "ledger",
    "Method": "rows",
    "Module": "rows",
    "Move": "move",
    "Name": "rows",
    "Origin": "ledger",
    "Removed": "rows",
    "choose": "choosing",
    "common": "families",
    "discover": "discovery",
    "import_line": "paths",
    "load": "loading",
    "names": "families",
    "removed": "families",
    "replacement": "wording",
    "sentence": "wording",
}


def __getattr__(name: str) -> object:
    # The ledger of a library is imported with the library: it loads what its rows are made of.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(__import__(f"{__name__}.{_HOMES[name]}", fromlist=[name]), name)
    globals()[name] = found
    return found
