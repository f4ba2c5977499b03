"""The ``compat.ledgers`` entry points below a path, read with nothing but ``os``: every failed import of a program comes here."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GROUP = "compat.ledgers"


class EntryPoint:
    """One line of an installed distribution's ``compat.ledgers`` group."""

    __slots__ = ("distribution", "name", "value")

    def __init__(self, name: str, value: str, distribution: str) -> None:
        self.name, self.value, self.distribution = name, value, distribution


def entry_points(path: Iterable[str]) -> Iterator[EntryPoint]:
    """Read the group from the metadata below ``path``.

    Reads the files themselves: this runs when a program's own import has failed, and ``importlib.metadata`` would cost it
    more than everything else the drop-in does.
    """
    for folder in path:
        try:
            entries = sorted(
                entry.path for entry in os.scandir(folder or ".") if entry.name.endswith((".dist-info", ".egg-info"))
            )
        except OSError:
            continue
        for entry in entries:
            try:
                with open(os.path.join(entry, "entry_points.txt"), encoding="utf-8") as file:
                    text = file.read()
            except (OSError, UnicodeDecodeError):
                continue
            if f"[{GROUP}]" in text:
                yield from _section(text, os.path.basename(entry).rpartition(".")[0])


_others: dict[str, list[EntryPoint]] | None = None


def others(shipped: str) -> dict[str, list[EntryPoint]]:
    """The ledgers of other distributions by the packages that they speak of; looked up once, by the ``sys.path`` of then.

    A ledger speaks of the package that it lies in, and of the package that its entry point is named after.
    """
    global _others
    if _others is None:
        _others = {}
        for entry in entry_points(sys.path):
            if entry.value != shipped:
                for root in {entry.name, entry.value.partition(":")[0].partition(".")[0]}:
                    _others.setdefault(root, []).append(entry)
    return _others


def _section(text: str, distribution: str) -> Iterator[EntryPoint]:
    inside = False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line == f"[{GROUP}]"
        elif inside and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield EntryPoint(name.strip(), value.partition("[")[0].strip(), distribution)
