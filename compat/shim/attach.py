"""Puts rows in place that concern live modules: names over them, and changes of what they define, in any order of rows."""

from __future__ import annotations

import functools
import itertools
import sys
from types import ModuleType

from compat._forking import GatedLock
from compat.ledger import Ledger, Move
from compat.ledger.move import TARGET

from . import kinds, wires
from .serving import overlay
from .serving.modules import LegacyModule
from .serving.targets import load_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from .recording.funnel import UseRecorder
    from .serving.installed import Installed

    #: By the id of what stood there before: the package, that, and what stands there now.
    Changed = dict[int, tuple[str, object, object]]
    _Served = list[tuple[Move, UseRecorder]]

    _Group = tuple[str, str]  # the path that is changed, the kind of the rows


@functools.lru_cache(maxsize=64)
def _changes(ledger: Ledger) -> dict[str, list[tuple[str, list[Move]]]]:
    """Who changes what: by module, in the order in which they apply, the path in the module and the rows of one kind for it."""
    groups: dict[_Group, list[Move]] = {}
    for move in ledger:
        if move.place == TARGET:
            groups.setdefault((move.changed, move.kind), []).append(move)
    order = list(kinds.KINDS)
    pending = sorted(groups, key=lambda group: order.index(group[1]))
    found: dict[str, list[tuple[str, list[Move]]]] = {}
    while pending:
        at = next((at for at in pending if not any(_goes_first(groups, one, at) for one in pending)), pending[0])
        pending.remove(at)
        module, _, path = at[0].partition(":")
        found.setdefault(module, []).append((path, groups[at]))
    return found


def _goes_first(groups: Mapping[_Group, list[Move]], one: _Group, other: _Group) -> bool:
    """Whether one group puts something in place that the other one then forwards to, or changes."""
    path = one[0]
    makes_it = all(move.canonical != path for move in groups[one])
    return any(move.canonical == path for move in groups[other]) and (path != other[0] or makes_it) and one != other


def changed_modules(ledger: Ledger) -> frozenset[str]:
    """The modules that rows of a ledger change as they are loaded."""
    return frozenset(_changes(ledger))


def changed_packages(ledger: Ledger) -> frozenset[str]:
    """The modules that rows change as a whole: what lies below them changes as they do."""
    return frozenset(name for name, changes in _changes(ledger).items() if any(not path for path, _rows in changes))


def is_below(module: str, packages: Container[str]) -> bool:
    """Whether a module lies below one of several packages."""
    return any(parent in packages for parent in _parents(module))


def _parents(module: str) -> Iterator[str]:
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


def _rows_for(ledger: Ledger, module: str) -> Iterator[tuple[str, list[Move]]]:
    changes = _changes(ledger)
    yield from changes.get(module, ())
    for parent in _parents(module):
        for path, rows in changes.get(parent, ()):
            if not path and not any(not own for own, _rows in changes.get(module, ())):
                yield path, [move.implied(module, module) for move in rows]
                return


def cover(owner: Installed, module: ModuleType, changed: Changed | None = None) -> None:
    """Put the rows of an installed ledger for a live module in place.

    ``changed`` takes up what :func:`share` is to be told of; without it, the module is running, and that is done at once.

    Nothing is raised: this runs in the import of a module that may be used without any legacy name. What cannot be put in
    place is logged, and the other rows are served. Only where the import is itself a use does it end as uses do.
    """
    rows = owner.ledger.module_rows(module.__name__)
    undo = None
    if rows:
        try:
            undo = overlay.cover(owner, module, rows)
            if undo is not None:
                owner.undoings.append(undo)
        except Exception as error:
            for move in rows.values():
                owner.refuse(move, *_failure(error))
    if undo is None and owner.ledger.has_children(module.__name__):
        owner.undoings.append(overlay.reach(owner, module))
    for path, served in cover_targets(owner, module, changed):
        if served:
            kinds.of(served[0][0]).loaded(module, path, served)


def cover_targets(owner: Installed, module: ModuleType, changed: Changed | None = None) -> list[tuple[str, _Served]]:
    """Put those rows in place that change what a live module defines; return by path those that are."""
    groups = list(_rows_for(owner.ledger, module.__name__))
    before = {path: vars(module).get(path) for path, _rows in groups}
    served = [(path, _change(owner, module, path, rows)) for path, rows in groups]
    root = module.__name__.partition(".")[0]
    found = {id(old): (root, old, vars(module)[path]) for path, old in before.items() if old is not vars(module).get(path)}
    if changed is not None:
        changed.update(found)
    elif found:
        # Only what was loaded while the module ran can have imported from it.
        later = list(itertools.takewhile(lambda name: name != module.__name__, reversed(list(sys.modules))))
        share(owner, found, [*later, module.__name__])
    return served


def share(owner: Installed, changed: Changed, names: Iterable[str]) -> None:
    """Put changed functions also where loaded modules of their package have imported them to.

    A package imports its functions into its own namespace before a ledger that lies in it can be installed. What has a row
    of its own under its other path is left to that.
    """
    roots, changes = {root for root, _before, _now in changed.values()}, _changes(owner.ledger)
    shared: list[tuple[dict[str, object], str, object, object]] = []
    for name in names:
        root = name.partition(".")[0]
        other = sys.modules.get(name) if root in roots else None
        kind = type(other)
        if issubclass(kind, ModuleType) and not issubclass(kind, LegacyModule):
            own = {path for path, _rows in changes.get(name, ())}
            namespace = object.__getattribute__(other, "__dict__")  # asked for anything in another way, a lazy module is loaded
            for key, value in list(namespace.items()):
                at, before, now = changed.get(id(value), ("", None, None))
                if at == root and value is before and key not in own:
                    namespace[key] = now
                    shared.append((namespace, key, before, now))

    def undo() -> None:
        for namespace, key, before, now in shared:
            if namespace.get(key) is now:
                namespace[key] = before

    if shared:
        owner.undoings.append(undo)


#: Held while rows are put in place: whoever holds one of them imports nothing, for another thread may be importing that, and come
#: to wait for the lock.
LOCKS = [wires.lock]
#: Rows that wait for a module, until no lock is held.
_waiting: list[_Waiting] = []


class _Waiting:
    """Rows for one path of a module, which need other modules."""

    def __init__(self, owner: Installed, module: ModuleType, path: str, rows: Sequence[Move], needed: Sequence[str]) -> None:
        self.owner, self.module, self.path, self.rows, self.needed = owner, module, path, rows, needed
        self._lock = GatedLock()

    def put(self, *, is_last: bool) -> None:
        """Import what is needed, and put the rows in place; let them wait where that is half loaded, unless ``is_last``."""
        try:
            for name in self.needed:
                load_module(name, self.rows[0].id)
        except Exception as error:
            for move in self.rows:
                self.owner.refuse(move, *_failure(error))
        else:
            if not is_last and not all(_is_whole(name) for name in self.needed):
                return
            with self._lock:
                if self in _waiting:
                    _change(self.owner, self.module, self.path, self.rows, is_ready=True)
        if self in _waiting:
            _waiting.remove(self)


def finish(owner: Installed | None = None) -> None:
    """Put those rows in place that wait for a module, where no lock is held any more; those of ``owner`` now or never."""
    for one in list(_waiting):
        one.put(is_last=one.owner is owner)


def forget(owner: Installed) -> None:
    """Let no row of a ledger wait any longer."""
    _waiting[:] = [one for one in _waiting if one.owner is not owner]


def _is_whole(name: str) -> bool:
    module = sys.modules.get(name)
    return module is not None and not getattr(getattr(module, "__spec__", None), "_initializing", False)


def _change(owner: Installed, module: ModuleType, path: str, rows: Sequence[Move], *, is_ready: bool = False) -> _Served:
    kind = kinds.of(rows[0])
    needed = [] if is_ready else [name for name in kind.needs(rows) if name != module.__name__ and not _is_whole(name)]
    if needed and any(lock.is_held() for lock in LOCKS):
        _waiting.append(_Waiting(owner, module, path, rows, needed))
        return []
    served: _Served = []
    try:
        faults = {move.legacy: fault for move, *fault in kind.faults(module, path, rows)}
        for move in rows:
            if move.legacy in faults:
                owner.refuse(move, *faults[move.legacy])
            else:
                served.append((move, owner.recorder(move)))
        behind = wires.displaced(module.__name__, path)
        if served and behind is not None:
            kind.stand_in(*behind, served)  # once somebody's own function that is in front of it calls it
        elif served:
            owner.undoings.append(kind.attach(module, path, served))
    except Exception as error:
        for move in rows:
            owner.refuse(move, *_failure(error))
        return []
    owner.outcomes.update((move.legacy, ("", "")) for move, _recorder in served)
    return served


def _failure(error: Exception) -> tuple[str, str]:
    return f"it cannot be put in place ({type(error).__name__}: {error})", "correct the row, or delete it"
