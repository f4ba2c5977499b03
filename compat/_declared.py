"""The ``compat.ledgers`` entry points of the installed distributions."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

# As in compat._boot; by its name, because ledgers do not depend on all that the finders in there may wake.
_start: "Any" = sys.modules.get("netra_compat_start") or __import__("compat._start", fromlist=["declaring"])

#: The shipped ledger is declared too, for the command line; the drop-in serves it by its roots.
SHIPPED = "compat.netra.ledger:LEDGER"


class EntryPoint:
    """One line of an installed distribution's ``compat.ledgers`` group."""

    __slots__ = ("distribution", "name", "value")

    def __init__(self, name: str, value: str, distribution: str) -> None:
        self.name, self.value, self.distribution = name, value, distribution


def entry_points(path: "Iterable[str]") -> "Iterator[EntryPoint]":
    """Read the group from the metadata below ``path``."""
    return _parsed(_start.declaring(path))


_others: "dict[str, list[EntryPoint]] | None" = None


def others() -> "dict[str, list[EntryPoint]]":
    """The ledgers of other distributions by the packages that they speak of, as the start module has found them.

    A ledger speaks of the package that it lies in, and of the package that its entry point is named after.
    """
    global _others
    if _others is None:
        _others = {}
        for entry in _parsed(_start.others()):
            if entry.value != SHIPPED:
                for root in {entry.name, entry.value.partition(":")[0].partition(".")[0]}:
                    _others.setdefault(root, []).append(entry)
    return _others


def _parsed(found: "Iterable[tuple[str, bytes]]") -> "Iterator[EntryPoint]":
    for folder, data in found:
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            continue
        yield from _section(text, folder.rpartition(".")[0])


def _section(text: str, distribution: str) -> "Iterator[EntryPoint]":
    inside = False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line == "[compat.ledgers]"
        elif inside and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield EntryPoint(name.strip(), value.partition("[")[0].strip(), distribution)
