"""The ledgers of a run: those that the project names, and those that installed distributions declare."""

from __future__ import annotations

import sys
from contextlib import suppress

from compat.errors import CompatError
from compat.ledger import discovery
from compat.ledger.in_use import in_use

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


def concerned(root: str) -> list[Ledger]:
    """Those in reach but the shipped one, unless the project of a directory uses it."""
    unused = {entry.value for entry in in_use(root)[1] if entry.value.startswith("compat.")}
    left_out = [discovery.load(reference) for reference in unused]
    return [ledger for ledger in in_reach(root) if not any(ledger is other for other in left_out)]


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
