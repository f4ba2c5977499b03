"""The drop-in: what the boot path hands over to at the first legacy import, and the ledgers that other packages declare."""

from __future__ import annotations

import sys

from compat import _boot
from compat.ledger import Ledger

from . import installation, overlay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from compat._declared import EntryPoint


def shipped() -> Ledger:
    """The shipped ledger, narrowed to the roots of ``COMPAT_ROOTS``."""
    from compat.netra.ledger import LEDGER

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


def serving(declared: dict[str, list[EntryPoint]], name: str, target: ModuleType | None) -> ModuleSpec | None:
    """The spec of a package that ledgers speak of; they are installed as soon as it is loaded."""
    found = _real(name, target)
    if found is not None and found.loader is not None:

        def loaded(module: ModuleType) -> None:
            _install(declared.pop(name, ()))

        found.loader = overlay.OverlayLoader(found.loader, found, loaded)  # type: ignore[assignment]
    return found


def _real(name: str, target: ModuleType | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        if getattr(finder, "__module__", "") != "compat._boot":
            found: ModuleSpec | None = finder.find_spec(name, None, target)
            if found is not None:
                return found
    return None


def serve(entries: Iterable[EntryPoint], name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    """Install the ledgers that other distributions declare, and ask once more."""
    _install(entries)
    found = installation.finder()
    return found.find_spec(name, path, target) if found is not None else None


def _install(entries: Iterable[EntryPoint]) -> None:
    from compat.ledger import discovery

    for entry in entries:
        try:
            installation.install(discovery.load(entry.value))
        except Exception as error:
            # The program asked for something else entirely: a broken ledger costs it a log line.
            import logging

            logging.getLogger("compat").warning("ledger %s of %s is not served: %s", entry.value, entry.distribution, error)
