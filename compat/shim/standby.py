"""Ledgers that stand by: found by their entry points, and installed at the first use of something legacy (see :mod:`.wires`).

The finder of these looks on as the modules of their rows are imported, and puts wires in place. What cannot stand by has all of
them installed at once; so has the import of a legacy module.
"""

import atexit
import functools
import sys
from _thread import get_ident
from types import BuiltinFunctionType, MethodType, ModuleType

from compat._forking import gate, serving
from compat.ledger.move import TARGET

from . import wires

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import FrameType
    from typing import Any

    from compat.ledger import Ledger, Move

_HEAP, _IMMUTABLE = 1 << 9, 1 << 8  # Py_TPFLAGS_HEAPTYPE, and since 3.10 Py_TPFLAGS_IMMUTABLETYPE
_IMPORTERS = ("_frozen_importlib", "importlib._bootstrap", "importlib.util")
_START = ("netra_compat_start", "compat.boot.start")


class _Ledger(wires.Standing):
    """A ledger that stands by, its roots, and by module which of its rows change what."""

    def __init__(self, ledger, failed):  # type: (Ledger, Callable[[Exception], object]) -> None
        super().__init__(ledger, failed)
        self.roots = ledger.roots
        self.changes: dict[str, dict[str, list[Any]]] = {}
        for row in ledger:
            if row.place == TARGET:
                module, _, path = row.changed.partition(":")
                self.changes.setdefault(module, {}).setdefault(path, []).append(row)
        self.packages = [f"{name}." for name, paths in self.changes.items() if "" in paths]
        #: The top-level names below which there are modules that rows are about.
        self.tops = self.roots.union(name.partition(".")[0] for name in self.changes)
        #: By identity, functions of modules, and what stands by for them.
        self._replaced: dict[int, tuple[object, object]] = {}

    def concerns(self, name):  # type: (str) -> bool
        """Whether rows are about a module that exists."""
        top = name.partition(".")[0]
        if top not in self.tops:
            return False
        if name in self.changes or (self.packages and any(name.startswith(package) for package in self.packages)):
            return True
        return top in self.roots and self.ledger.is_declared(name)

    def serves(self, name):  # type: (str) -> bool
        """Whether a legacy module, or one below a module that moved, is meant by a name."""
        if name.partition(".")[0] not in self.roots:
            return False
        if self.ledger.is_declared(name):
            return True
        while name:
            rows = self.ledger.module_rows(name)
            if rows:
                return "" in rows
            name = name.rpartition(".")[0]
        return False

    def cover(self, module):  # type: (ModuleType) -> bool
        """Put wires in place for the rows that concern a module; return whether all of them could stand by."""
        name, namespace = module.__name__, vars(module)
        if self.packages and any(name.startswith(package) for package in self.packages):
            return False
        is_served = name.partition(".")[0] in self.roots
        if is_served and not _watch_names(module, self.ledger.module_rows(name)):
            return False
        for path, rows in self.changes.get(name, {}).items():
            found = namespace.get(path)
            could = _watch(module, path, rows, self._is_gone(rows[0]))
            if found is not namespace.get(path):
                self._replaced[id(found)] = found, namespace[path]
            if not could:
                return False
        if is_served and self.ledger.has_children(name):
            _watch_missing(module, self.ledger.is_declared)
        return True

    def _is_gone(self, row):  # type: (Any) -> bool
        """Whether what stays where it is is missing by now, to whoever looks."""
        return bool(row.stays and row.raises(self.ledger.stage(row)) and not row.on)

    def loaded(self):  # type: () -> list[tuple[str, ModuleType]]
        """The modules below the top-level names that rows are about."""
        tops = self.tops
        found = [one for one in list(sys.modules.items()) if one[0].partition(".")[0] in tops]
        return [one for one in found if isinstance(one[1], ModuleType)]

    def share(self, loaded=None):  # type: (list[tuple[str, ModuleType]] | None) -> None
        """Put what stands by also where loaded modules of the same package have imported the functions to."""
        replaced = self._replaced
        if not replaced:
            return
        roots = {name.partition(".")[0] for name in self.changes}
        for name, module in self.loaded() if loaded is None else loaded:
            namespace = vars(module)
            if name.partition(".")[0] in roots and not replaced.keys().isdisjoint(map(id, list(namespace.values()))):
                own = self.changes.get(name, ())
                for key, value in list(namespace.items()):
                    if id(value) in replaced and key not in own:
                        namespace[key] = replaced[id(value)][1]
        replaced.clear()


def sought_below(module, frame):  # type: (str, FrameType | None) -> str
    """The submodule for which the import system asks a module for its ``__path__``; ``""`` where others ask."""
    while frame is not None and frame.f_globals.get("__name__", "").startswith("compat.shim"):
        frame = frame.f_back
    if frame is None or frame.f_globals.get("__name__") not in _IMPORTERS:
        return ""
    name: str = frame.f_locals.get("fullname" if frame.f_code.co_name == "find_spec" else "name", "")
    return name if name.rpartition(".")[0] == module else ""


@wires.unseen
def _watch_missing(module, concerns):  # type: (ModuleType, Callable[[str], bool]) -> None
    """Trip where a legacy submodule is looked for as an attribute of a module, or below one that has no ``__path__``."""
    namespace = vars(module)
    own = namespace.get("__getattr__")

    def __getattr__(name):  # type: (str) -> object
        if wires.standing:
            asking = sys._getframe(1)
            path = sought_below(module.__name__, asking) if name == "__path__" else f"{module.__name__}.{name}"
            if asking.f_code.co_name == "_handle_fromlist" and asking.f_globals.get("__name__") in _IMPORTERS:
                path = ""  # `from package import module`: an import comes next, and asks the finder
            if path and concerns(path) and wires.trip():
                found = namespace.get("__getattr__")
                if found is not __getattr__ and found is not None:
                    return found(name)
        if own is not None:
            return own(name)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    namespace["__getattr__"] = __getattr__


def _watch_names(module, rows):  # type: (ModuleType, dict[str, Move]) -> bool
    namespace = vars(module)
    wanted = {
        name: row
        for name, row in rows.items()
        if name and "." not in name and (name not in namespace or is_same(namespace[name], row))
    }
    if not wanted:
        return True
    kind = wires.class_of(module)
    if kind is None:
        return False
    for name, row in wanted.items():
        wires.watch_name(kind, name, row.canonical)
    if "__all__" not in namespace and "__all__" not in vars(kind):
        wires.watch_name(kind, "__all__")
    return True


def is_same(value, move):  # type: (object, Move) -> bool
    """Whether a live module still carries the very canonical object: observing it changes nothing but the counting."""
    if not move.canonical:
        return False
    module, _, attribute = move.canonical.partition(":")
    found: Any = sys.modules.get(module)
    for part in attribute.split(".") if attribute else ():
        found = getattr(found, part, None)
    return found is not None and found is value


def _watch(module, path, rows, is_gone):  # type: (ModuleType, str, list[Any], bool) -> bool
    """Stand by for rows that change the same; return whether that could be done: who installs them composes several kinds."""
    if not path or (len(rows) > 1 and len({row.kind for row in rows}) > 1):
        return False
    owner, name = wires.owner_in(module, path)
    row = rows[0]
    if is_gone:
        return _watch_gone(owner, name, (module.__name__, path), row)
    if row.stays:
        return _watch_in_place(owner, name, (module.__name__, path), row)
    if row.function:
        return _watch_arguments(owner, name, (module.__name__, path), rows)
    return _watch_member(owner, name, (module.__name__, path), row)


def _watch_in_place(owner, name, place, row):  # type: (Any, str, tuple[str, str], Any) -> bool
    found = vars(owner).get(name, wires.MISSING)
    if "__compat_marked__" in getattr(getattr(found, "fget", found), "__dict__", ()):
        return False
    if isinstance(found, type):
        return _watch_class(found, row)
    if wires.is_function(found):
        wires.watch_calls(owner, name, place)
        return True
    if isinstance(owner, type):
        return _watch_attribute(owner, name, place)
    kind = wires.class_of(owner) if isinstance(owner, ModuleType) else None
    if kind is None or found is wires.MISSING or isinstance(found, BuiltinFunctionType) or hasattr(found, "__code__"):
        return False
    wires.watch_name(kind, name)
    return True


def _watch_gone(owner, name, place, row):  # type: (Any, str, tuple[str, str], Any) -> bool
    from .standing import expired

    if isinstance(owner, type) and not hasattr(type(owner), "__members__"):
        return _is_open(owner) and expired.watch(owner, name, place)
    return _watch_in_place(owner, name, place, row) and (isinstance(owner, type) or expired.hide(owner, name))


def _watch_attribute(kind, name, place):  # type: (Any, str, tuple[str, str]) -> bool
    if not _is_open(kind):
        return False
    if hasattr(type(kind), "__members__") and name in kind.__members__:
        from .standing import enums

        return bool(enums.watch(kind, name))
    from .standing import members

    return members.watch(kind, name, place)


def _watch_class(kind, row):  # type: (Any, Any) -> bool
    makes, derives = row.covers("construct"), row.covers("subclass")
    if hasattr(type(kind), "__members__") or getattr(kind, "_is_protocol", False) or not _is_open(kind):
        return False
    if makes and wires.is_plain(vars(kind).get("__init__")):
        wires.watch_construction(kind)
    elif makes:
        from .standing import construction

        if not construction.watch(kind):
            return False
    if derives:
        wires.watch_subclasses(kind, lambda cls: kind in cls.__bases__)
    return True


def _is_override_watched(cls, name, rows):  # type: (Any, str, list[Any]) -> bool
    if name not in vars(cls):
        return True
    from .standing import calls

    return calls.watch_override(cls, name, rows)


def _watch_arguments(owner, name, place, rows):  # type: (Any, str, tuple[str, str], list[Any]) -> bool
    kind = getattr(owner, name)
    if isinstance(kind, type):
        owner, name = kind, "__init__"
    raw, judged = vars(owner).get(name), None
    if not wires.is_function(raw):
        return False
    if isinstance(owner, type):
        if not _is_open(owner):
            return False
        if name not in ("__init__", "__new__"):
            if any(_hides(cls) or not _is_override_watched(cls, name, rows) for cls in _below(owner)):
                return False
            wires.watch_subclasses(owner, lambda cls: _hides(cls) or not _is_override_watched(cls, name, rows))
    if vars(getattr(raw, "__func__", raw)) or not all(row.is_seen_by_name for row in rows):
        from .standing import calls

        judged = calls.judge(raw, rows, int(isinstance(owner, type) and (type(raw) is not staticmethod or name == "__new__")))
    wires.watch_arguments(owner, name, place, rows, judged)
    return True


def _watch_member(kind, name, place, row):  # type: (Any, str, tuple[str, str], Any) -> bool
    if not isinstance(kind, type) or not _is_open(kind):
        return False
    became = row.canonical.rpartition(".")[2] if row.is_overridden and "." in row.canonical.partition(":")[2] else ""
    if became == name and row.was_called:
        return _watch_attribute(kind, name, place)
    if wires.static(kind, name) is not wires.MISSING or any(
        row.is_overridden and (name in vars(cls) or _hides(cls)) for cls in _below(kind)
    ):
        return False
    is_read = bool(became) and not callable(getattr(found := wires.static(kind, became), "__func__", found))
    if row.is_overridden:
        wires.watch_subclasses(kind, lambda cls: name in vars(cls) or _hides(cls))
    if is_read or row.was_called or row.was_read:
        from .standing import members  # what is read can be assigned, too

        members.watch_renamed(kind, name, row, became)
    else:
        wires.watch_member(kind, name, row.canonical, became)
    if hasattr(type(kind), "__members__"):
        from .standing import enums

        enums.watch_key(kind, name, became)
    return True


def _is_handed(one):  # type: (object) -> bool
    """Whether calling ``one`` may be a legacy use: a function that stands by, bound or within a partial."""
    if isinstance(one, functools.partial):
        return _is_handed(one.func) or any(_is_handed(item) for item in one.args[:1])
    if type(one) is tuple:
        return any(_is_handed(item) for item in one[:1])  # type: ignore[index]
    return wires.is_wire(one.__func__ if type(one) is MethodType else one)  # type: ignore[attr-defined]


def _watch_threads():  # type: () -> None
    """Trip where a function that stands by is handed to a thread or an executor: the line that does is to be remembered."""
    threads, executors = sys.modules.get("threading"), sys.modules.get(wires.EXECUTORS)
    for kind in (getattr(threads, "Thread", None), getattr(threads, "Timer", None), getattr(executors, "_WorkItem", None)):
        # Other libraries put classes of their own here (gevent does).
        if isinstance(kind, type) and "__init__" in vars(kind) and not wires.is_wire(vars(kind)["__init__"]):
            _watch_handing(kind)


def _watch_handing(kind):  # type: (Any) -> None
    original = vars(kind)["__init__"]

    @functools.wraps(original)
    def __init__(self, *args, **kwargs):  # type: (Any, *Any, **Any) -> None
        real = original
        if wires.standing and any(_is_handed(one) for one in (*args, *kwargs.values())) and wires.trip():
            real = wires.unwired(vars(kind)["__init__"])
        real(self, *args, **kwargs)

    wires.lay(kind, "__init__", __init__, original)


def _is_open(kind):  # type: (type) -> bool
    return bool(kind.__flags__ & _HEAP) and not kind.__flags__ & _IMMUTABLE


def _hides(cls):  # type: (Any) -> bool
    # It does not let its bases know of its own subclasses.
    own = getattr(vars(cls).get("__init_subclass__"), "__func__", None)
    return own is not None and "__init_subclass__" not in own.__code__.co_names


def _below(kind):  # type: (Any) -> Iterator[Any]
    for cls in type.__subclasses__(kind):
        yield cls
        yield from _below(cls)


class _Finder:
    """The finder of the ledgers that stand by, the first in ``sys.meta_path`` while there are any."""

    def __init__(self):  # type: () -> None
        self.roots: frozenset[str] = frozenset()
        self._concerned: frozenset[str] = frozenset()
        self._busy: set[tuple[int, str]] = set()

    def refresh(self):  # type: () -> None
        """Learn the roots again after a ledger came."""
        ledgers: list[Any] = list(wires.standing)
        self.roots = frozenset(root for one in ledgers for root in one.roots)
        packages = (package.partition(".")[0] for one in ledgers for package in one.packages)
        self._concerned = frozenset(("threading", wires.EXECUTORS, *packages, *(name for one in ledgers for name in one.changes)))

    def find_spec(self, name, path=None, target=None):  # type: (str, Sequence[str] | None, ModuleType | None) -> ModuleSpec | None
        """The import system's question: what really exists is looked on at, what does not is left to those who serve it."""
        root = name.partition(".")[0]
        if root not in self.roots and name not in self._concerned and root not in self._concerned:
            return None
        me = (get_ident(), name)
        if me in self._busy:
            return None
        self._busy.add(me)
        try:
            with gate:
                return self._find(name, path, target)
        finally:
            self._busy.discard(me)

    def _find(self, name, path, target):  # type: (str, Sequence[str] | None, ModuleType | None) -> ModuleSpec | None
        ledgers: list[Any] = list(wires.standing)
        found = self._elsewhere(name, path, target) if ledgers else None
        if found is None:
            if ledgers and not (any(one.serves(name) for one in ledgers) and wires.trip()):
                return None
            # Without ledgers another thread has tripped since this import began: its round of the finders began before the
            # one that serves from now on came in front of them.
            finder = wires.installation().finder()
            return finder.find_spec(name, path, target) if finder is not None else None
        is_real = found.loader is not None or found.submodule_search_locations is not None
        if is_real and (name in ("threading", wires.EXECUTORS) or any(one.concerns(name) for one in ledgers)):
            found.loader = wires.OverlayLoader(found.loader, found, _cover, wires.loading)  # type: ignore[assignment]
        return found

    def _elsewhere(self, name, path, target):  # type: (str, Sequence[str] | None, ModuleType | None) -> ModuleSpec | None
        for other in list(sys.meta_path):
            if other is not self and getattr(other, "__module__", "") not in _START and hasattr(other, "find_spec"):
                found = other.find_spec(name, path, target)
                if found is not None:
                    return found
        return None


_finder = _Finder()
serving.append(lambda root: bool(wires.standing) and root in _finder.roots)


def _cover(module):  # type: (ModuleType) -> None
    """A module has been loaded: let its rows stand by, or, where something legacy was used meanwhile, serve them."""
    with gate:
        could = _stand_by_at(module) if not wires.is_tripped() else True
        with wires.moment:
            is_ahead = bool(wires.standing) and wires.is_tripped()
            if is_ahead:
                wires.late.append(module)  # whoever tripped covers it
            else:
                wires.loading.discard(module.__name__)
            is_past = not wires.standing
        if is_past:
            wires.installation().cover(module)
        elif not could and not is_ahead:
            wires.trip()


def _stand_by_at(module):  # type: (ModuleType) -> bool
    if module.__name__ in ("threading", wires.EXECUTORS):
        _watch_threads()
    could = True
    for one in list(wires.standing):
        try:
            could = one.cover(module) and could  # type: ignore[attr-defined]
            one.share()  # type: ignore[attr-defined]
        except Exception:
            could = False  # who installs it says what is wrong
    return could


def stand_by(ledger, load, failed):  # type: (Ledger, Callable[[], Any], Callable[[Exception], object]) -> None
    """Have a ledger stand by, or install it where what a use needs is loaded anyway.

    ``load`` gives :mod:`compat.shim.installation`; ``failed`` is told of what fails later.
    """
    if "compat.shim.installation" in sys.modules:
        load().install(ledger, drop_in=True)
        return
    made = _Ledger(ledger, failed)
    wires.loads[:] = [load]
    with wires.moment:
        if any(one.ledger is ledger for one in wires.standing):
            return  # two threads have come for it
        wires.standing.append(made)
        _finder.refresh()
        if _finder not in sys.meta_path:
            sys.meta_path.insert(0, _finder)
            wires.on_trip[:] = [_leave]
            atexit.register(_end)
    could, loaded = True, made.loaded()
    for name, module in loaded:
        if made.concerns(name) and name not in wires.loading:
            try:
                could = made.cover(module) and could
            except Exception:
                could = False
    made.share(loaded)
    _watch_threads()
    if not could:
        wires.trip()


def answer(name, path, target):  # type: (str, Sequence[str] | None, ModuleType | None) -> ModuleSpec | None
    """What the ledgers that stand by answer to the import system."""
    return _finder.find_spec(name, path, target) if _finder in sys.meta_path else None


def _leave():  # type: () -> None
    sys.meta_path = [finder for finder in sys.meta_path if finder is not _finder]


def _end():  # type: () -> None
    """The process ends, and destructors find nothing to import any more.

    What a first use needs is loaded only where somebody reads counts, or has asked for warnings: there was none so far.
    """
    if not wires.standing:
        return
    active: Any = next((sys.modules[name] for name in _START if name in sys.modules), None)
    if active is None:
        from compat.boot import active
    if sys.warnoptions or sys.flags.dev_mode or active.is_asked():
        if wires.trip():
            wires.installation().end()
        return
    for one in wires.standing:
        for row in one.ledger:
            home = row.canonical.partition(":")[0]
            if home in sys.modules:
                wires.kept[home] = sys.modules[home]
