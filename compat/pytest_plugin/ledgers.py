"""The ledgers of a run: those that the project names, and those that installed distributions declare."""

from __future__ import annotations

import sys
from contextlib import suppress

from compat.errors import CompatError
from compat.ledger import discovery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from compat.ledger import Ledger


def named(root: str) -> Iterator[Ledger]:
    """Yield the ledgers of ``[tool.compat] ledgers``; raise :class:`compat.CompatError` for one that cannot be loaded."""
    for reference in discovery.configured(root):
        yield _load(reference, root)


def in_reach(root: str) -> list[Ledger]:
    """Every ledger that may be served in this run, each once; raise :class:`compat.CompatError` as :func:`named` does."""
    found: list[Ledger] = []
    for ledger in [*(discovery.load(entry.value) for entry in discovery.entry_points(sys.path)), *named(root)]:
        if not any(known is ledger for known in found):
            found.append(ledger)
    return found


def _load(reference: str, root: str) -> Ledger:
    try:
        return discovery.load(reference)
    except CompatError:
        # A ledger may lie in the directory of the project, which pytest has not put on sys.path yet.
        sys.path.insert(0, root)
        try:
            return discovery.load(reference)
        finally:
            with suppress(ValueError):
                sys.path.remove(root)
