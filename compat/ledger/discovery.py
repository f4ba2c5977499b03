"""Finds ledgers: by the entry-point group ``compat.ledgers``, by ``[tool.compat] ledgers``, by name."""

from __future__ import annotations

import importlib
import os

from compat.boot.entry_points import EntryPoint, entry_points
from compat.errors import CompatError

from .ledger import Ledger

__all__ = ["EntryPoint", "configured", "discover", "entry_points", "load"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def load(reference: str) -> Ledger:
    """Import the ledger at ``"package.module:LEDGER"``; raise :class:`compat.CompatError` that says what is wrong with it."""
    name, _, attribute = reference.partition(":")
    if not name or not attribute:
        raise CompatError(f"{reference!r} names no ledger; write 'package.module:LEDGER'")
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        raise CompatError(f"ledger {reference!r} cannot be imported: {error}") from error
    except (Exception, SystemExit) as error:
        # Whatever a module of somebody else's does when it is imported, it says nothing about this package.
        raise CompatError(f"ledger {reference!r}: importing {name!r} raises {type(error).__name__}: {error}") from error
    try:
        found: object = getattr(module, attribute)
    except AttributeError:
        raise CompatError(f"ledger {reference!r}: module {name!r} has no {attribute!r}") from None
    if not isinstance(found, Ledger):
        raise CompatError(f"{reference!r} is of type {type(found).__name__}, not a Ledger")
    return found


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


def settings(file: str) -> dict[str, Any]:
    """The ``[tool.compat]`` table of a ``pyproject.toml``; empty where it has none."""
    toml = _toml()
    with open(file, "rb") as stream:
        try:
            table: Any = toml.load(stream)
        except ValueError as error:
            raise CompatError(f"{file}: {error}") from error
    for key in ("tool", "compat"):
        table = table.get(key, {})
        if not isinstance(table, dict):
            raise CompatError(f"{file}: [tool.compat] must be a table; {key} is {table!r}")
    return dict(table)


def _from_pyproject(file: str) -> list[str]:
    found = settings(file).get("ledgers", [])
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
