"""Finds ledgers: by the entry-point group ``compat.ledgers``, by ``[tool.compat] ledgers``, by name."""

from __future__ import annotations

import importlib
import os

from compat.errors import CompatError

from .ledger import Ledger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

GROUP = "compat.ledgers"


class EntryPoint:
    """One line of an installed distribution's ``compat.ledgers`` group."""

    __slots__ = ("distribution", "name", "value")

    def __init__(self, name: str, value: str, distribution: str) -> None:
        self.name, self.value, self.distribution = name, value, distribution


def load(reference: str) -> Ledger:
    """Import the ledger at ``"package.module:LEDGER"``; raise :class:`compat.CompatError` that says what is wrong with it."""
    name, _, attribute = reference.partition(":")
    if not name or not attribute:
        raise CompatError(f"{reference!r} names no ledger; write 'package.module:LEDGER'")
    try:
        found: object = getattr(importlib.import_module(name), attribute)
    except ImportError as error:
        raise CompatError(f"ledger {reference!r} cannot be imported: {error}") from error
    except AttributeError:
        raise CompatError(f"ledger {reference!r}: module {name!r} has no {attribute!r}") from None
    if not isinstance(found, Ledger):
        raise CompatError(f"{reference!r} is a {type(found).__name__}, not a Ledger")
    return found


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


def _section(text: str, distribution: str) -> Iterator[EntryPoint]:
    inside = False
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            inside = line == f"[{GROUP}]"
        elif inside and "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield EntryPoint(name.strip(), value.partition("[")[0].strip(), distribution)


def configured(directory: str = ".") -> list[str]:
    """The references in ``[tool.compat] ledgers`` of the nearest ``pyproject.toml`` at or above a directory."""
    at = os.path.abspath(directory)
    while True:
        file = os.path.join(at, "pyproject.toml")
        if os.path.isfile(file):
            return _from_pyproject(file)
        above = os.path.dirname(at)
        if above == at:
            return []
        at = above


def _from_pyproject(file: str) -> list[str]:
    toml = _toml()
    with open(file, "rb") as stream:
        try:
            table: Any = toml.load(stream)
        except ValueError as error:
            raise CompatError(f"{file}: {error}") from error
    found = table.get("tool", {}).get("compat", {}).get("ledgers", [])
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise CompatError(f"{file}: [tool.compat] ledgers must be a list of 'package.module:LEDGER', not {found!r}")
    return found


def _toml() -> Any:
    try:
        return importlib.import_module("tomllib")
    except ModuleNotFoundError:
        return importlib.import_module("tomli")


def discover(directory: str = ".") -> list[Ledger]:
    """Every ledger in reach: entry points of the installed distributions first, then the project's own configuration.

    A ledger that is named twice is listed once. Raises :class:`compat.CompatError` for one that cannot be loaded.
    """
    import sys

    found: list[Ledger] = []
    for reference in [*(entry.value for entry in entry_points(sys.path)), *configured(directory)]:
        ledger = load(reference)
        if not any(known is ledger for known in found):
            found.append(ledger)
    return found
