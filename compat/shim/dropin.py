"""The drop-in: what the boot path hands over to at the first legacy import, and the ledgers that other packages declare."""

from __future__ import annotations

import sys

from compat import _boot
from compat.ledger import Ledger

from . import installation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

#: The shipped ledger, as its own distribution declares it for the command line.
SHIPPED = "compat.legacy.ledger:LEDGER"
_discovered = False


def shipped() -> Ledger:
    """The shipped ledger, narrowed to the roots of ``COMPAT_ROOTS``."""
    from compat.legacy.ledger import LEDGER

    roots = _boot._roots()
    if roots >= LEDGER.roots:
        return LEDGER
    made = Ledger(LEDGER.name, version=lambda: LEDGER.origin(next(iter(LEDGER))).version, docs=LEDGER.docs)
    return made + [row for row in LEDGER if row.kind in ("method", "argument") or row.module.partition(".")[0] in roots]


def wake(name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    """The first import of a legacy root: install the shipped ledger and answer with the real finder."""
    try:
        installation.install(shipped(), drop_in=True, generic=_boot.GENERIC)
    except Exception as error:
        # Whatever is wrong with us, the program asked for its own module.
        import logging

        logging.getLogger("compat").warning("the shipped ledger is not served: %s", error)
    found = installation.finder()
    return found.find_spec(name, path, target) if found is not None else None


def discover(name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    """The first import that nobody could answer: install what other distributions declare, and ask once more."""
    global _discovered
    if _discovered:
        return None
    _discovered = True
    from compat.ledger import discovery

    for entry in discovery.entry_points(sys.path):
        if entry.value == SHIPPED:
            continue  # served by its roots; loading it for every unknown name would be a waste
        try:
            installation.install(discovery.load(entry.value))
        except Exception as error:
            # The program asked for something else entirely: a broken ledger costs it a log line.
            import logging

            logging.getLogger("compat").warning("ledger %s of %s is not served: %s", entry.value, entry.distribution, error)
    found = installation.finder()
    return found.find_spec(name, path, target) if found is not None else None
