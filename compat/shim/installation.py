"""Installing ledgers and taking them out again: one finder for all, and undo callbacks for each."""

from __future__ import annotations

import sys

from compat._forking import GatedLock, serving
from compat.ledger import Ledger
from compat.telemetry.record import counters

from . import attach, kinds, wires
from .recording import callsite, funnel, thread_origin
from .serving import imports
from .serving.finder import Finder
from .serving.installed import Installed
from .serving.modules import LegacyModule
from .serving.targets import keep_targets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType, TracebackType

    from .recording.funnel import UseRecorder

_lock = GatedLock()
attach.LOCKS.append(_lock)
_installed: list[Installation] = wires.installed
_finder: Finder | None = None
#: Recorders of rows that were used before a ledger that has them was installed.
provisional: list[UseRecorder] = []
serving.append(lambda root: _finder is not None and root in _finder.roots)


class Installation(Installed):
    """One installed ledger. Use as a context manager, or call :meth:`remove`."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        #: How many have asked for it; the end of a ``with`` takes it out for the last of them.
        self.askers = 1

    def remove(self) -> None:
        """Undo everything: finder, modules, overlays, attached methods. A second call does nothing."""
        global _finder
        with _lock:
            if self not in _installed:
                return
            _installed.remove(self)
            attach.forget(self)
            _learn_adapters()
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
            funnel.forget_recorders(self.recorders.values())
            if not _installed and _finder is not None:
                sys.meta_path = [finder for finder in sys.meta_path if finder is not _finder]
                _finder = None
                thread_origin.disarm()

    def __enter__(self) -> Installation:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with _lock:
            self.askers -= 1
            is_last = self.askers < 1
        if is_last:
            self.remove()


def install(ledger: Ledger, *, drop_in: bool = False) -> Installation:
    """Serve the legacy paths of a ledger from now on, in this process.

    Returns an :class:`Installation`; ``with compat.install(LEDGER): ...`` takes it out again at the end. An installation that
    fails half-way is undone before its error is raised. Installing the same ledger object again returns the first
    installation, and what was in force before a ``with`` block is in force after it.
    """
    if not isinstance(ledger, Ledger):
        raise TypeError(f"compat.install() takes a Ledger, not {type(ledger).__name__}; write compat.install(LEDGER)")
    wires.trip()
    made = serve(ledger, drop_in=drop_in)
    attach.finish(made)
    return made


def serve(ledger: Ledger, *, drop_in: bool = False) -> Installation:
    """Like :func:`install`, but for what needs modules that are not loaded: :func:`finish` loads them, while no lock is held."""
    global _finder
    with _lock:
        for done in _installed:
            if done.ledger is ledger:
                done.askers += 1
                return done
        kinds.load(ledger)
        made = Installation(ledger)
        _installed.append(made)
        _learn_adapters()
        try:
            if _finder is None:
                _finder = Finder(_installed)
                sys.meta_path.insert(0, _finder)
            _finder.refresh()
            thread_origin.arm()
            if not drop_in:
                counters.observed(start=True)
            packages = attach.changed_packages(ledger)
            below = [name for name in list(sys.modules) if attach.is_below(name, packages)] if packages else []
            roots = ledger.roots
            parents = {name for name in list(sys.modules) if name.partition(".")[0] in roots and ledger.has_children(name)}
            if ledger.patterns:
                parents |= {name for name in list(sys.modules) if ledger.module_rows(name)}
            changed: attach.Changed = {}
            for name in ledger.modules | attach.changed_modules(ledger) | parents.union(below):
                module = sys.modules.get(name)
                if module is not None and not isinstance(module, LegacyModule) and name not in wires.loading:
                    attach.cover(made, module, changed)
            if changed:
                attach.share(made, changed, list(sys.modules))
            funnel.forget_recorders([one for one in provisional if one.move.legacy in ledger])
            provisional[:] = [one for one in provisional if one.move.legacy not in ledger]
        except BaseException:
            made.remove()
            raise
        return made


def finish() -> None:
    """Put in place what needs modules that were not loaded as its ledger was installed."""
    attach.finish()


def end() -> None:
    """Have ready what a use by a destructor needs; for what is loaded as the process ends, and is told of the end by nobody."""
    funnel.prepare_for_the_end()
    keep_targets()


def cover(module: ModuleType) -> None:
    """Put the rows of all installed ledgers in place that concern a module which was loaded while they were installed."""
    if _finder is not None:
        _finder.cover(module)


def _learn_adapters() -> None:
    known = {row.adapter.partition(":")[0] for one in _installed for row in one.ledger if row.adapter}
    callsite.ADAPTERS.intersection_update(known)
    callsite.ADAPTERS.update(known)


def installed() -> tuple[Installation, ...]:
    """The installations in force, oldest first; what stands by is installed."""
    wires.trip()
    return tuple(_installed)


def finder() -> Finder | None:
    """The finder in ``sys.meta_path``, if anything is installed."""
    return _finder


def judge_anew() -> None:
    """Let what is installed already know that ``COMPAT_AS_OF`` has changed."""
    funnel.judge_anew()
    with _lock:
        if _finder is not None:
            _finder.drop_gone()
