"""Finds ledgers: by the entry-point group ``compat.ledgers``, by ``[tool.compat] ledgers``."""

from __future__ import annotations

from compat.boot.entry_points import EntryPoint, entry_points

from .loading import load

__all__ = ["EntryPoint", "configured", "discover", "entry_points", "load"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .ledger import Ledger


def configured(directory: str = ".") -> list[str]:
    """The references in ``[tool.compat] ledgers`` that hold in a directory."""
    from compat import configuration

    table, _file = configuration.load(directory)
    return list(configuration.value(table, "ledgers"))


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
