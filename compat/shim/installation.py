"""Installing ledgers and taking them out again: one finder for all, and a list of undoings for each."""

from __future__ import annotations

import sys
from types import MappingProxyType, ModuleType

from compat._forking import GatedLock, serving
from compat.ledger import Ledger, Move
from compat.telemetry.record import counters

from . import attach, handed, imports, overlay
from .finder import Finder
from .funnel import Tap, forget_taps
from .modules import LegacyModule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

_lock = GatedLock()
_installed: list[Installation] = []
_finder: Finder | None = None
serving.append(lambda root: _finder is not None and root in _finder.roots)


class Installation:
    """One installed ledger. Use as a context manager, or call :meth:`remove`."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.undoings: list[Callable[[], None]] = []
        self._taps: dict[str, Tap] = {}

    def tap(self, move: Move) -> Tap:
        """The funnel's side of a row, made at its first use."""
        found = self._taps.get(move.legacy)
        if found is None:
            found = self._taps.setdefault(move.legacy, Tap(move, self.ledger))
        return found

    def cover(self, module: ModuleType) -> None:
        """Overlay a live module with this ledger's rows for it."""
        rows = self.ledger.module_rows(module.__name__)
        undo = overlay.cover(module, rows, self.tap)
        if undo is not None:
            self.undoings.append(undo)
        self.undoings.extend(attach.attach(module, self.ledger, self.tap))

    def remove(self) -> None:
        """Undo everything: finder, modules, overlays, attached methods. A second call does nothing."""
        global _finder
        with _lock:
            if self not in _installed:
                return
            _installed.remove(self)
            while self.undoings:
                self.undoings.pop()()
            for name, module in list(sys.modules.items()):
                if isinstance(module, LegacyModule) and vars(module).get("__compat_owner__") is self:
                    del sys.modules[name]
                    imports.unwatch(name)
                    parent, _, last = name.rpartition(".")
                    holder = sys.modules.get(parent)
                    if holder is not None and getattr(holder, last, None) is module:
                        delattr(holder, last)
            forget_taps(self._taps.values())
            if not _installed and _finder is not None:
                sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not _finder]
                _finder = None
                handed.disarm()

    def __enter__(self) -> Installation:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.remove()


def install(ledger: Ledger, *, drop_in: bool = False) -> Installation:
    """Serve the legacy paths of a ledger from now on, in this process.

    Returns an :class:`Installation`; ``with compat.install(LEDGER): ...`` takes it out again at the end. An installation that
    fails half-way is undone before its error is raised. Installing the same ledger object twice returns the first.
    """
    global _finder
    if not isinstance(ledger, Ledger):
        raise TypeError(f"compat.install() takes a Ledger, not {type(ledger).__name__}; write compat.install(LEDGER)")
    with _lock:
        for done in _installed:
            if done.ledger is ledger:
                return done
        made = Installation(ledger)
        _installed.append(made)
        try:
            if _finder is None:
                _finder = Finder(_installed)
                sys.meta_path.insert(0, _finder)
            _finder.refresh()
            handed.arm()
            if not drop_in:
                counters.observed(start=True)
            for name in ledger.modules | attach.canonical_modules(ledger):
                module = sys.modules.get(name)
                if module is not None and not isinstance(module, LegacyModule):
                    made.cover(module)
        except BaseException:
            made.remove()
            raise
        return made


def installed() -> tuple[Installation, ...]:
    """The installations in force, oldest first."""
    return tuple(_installed)


def finder() -> Finder | None:
    """The finder in ``sys.meta_path``, if anything is installed."""
    return _finder


NO_ROWS: Mapping[str, Move] = MappingProxyType({})
