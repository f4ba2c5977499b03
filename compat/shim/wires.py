"""What stands in the places of a ledger's rows until something legacy is used, and needs nothing of what a use needs.

A library that comes with a ledger is imported by programs of which most use nothing legacy. Its import puts wires in place:
descriptors, and functions that pass canonical calls on. The first legacy use trips them: :func:`trip` loads all that a use needs
and installs every ledger that stands by, which puts the real thing in the place of each wire, and the use goes on there.

Whoever holds a function that stands by has what takes its place as well: the function is given the code of that one.
"""

import functools
import sys
from itertools import repeat
from types import CodeType, FunctionType, ModuleType

from compat._forking import GatedLock, ImportLockReleased

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from typing import Any

    from compat.ledger import Ledger

MISSING = object()  # type: Any
#: The module whose class of work items is covered as it is loaded, if it is not loaded yet.
EXECUTORS = "concurrent.futures.thread"
UNSEEN = "importlib _bootstrap"  # what the name of a file holds whose frames ``warnings.warn(stacklevel=...)`` passes over
#: The file of all code that a use passes through where it has tripped a wire.
FILE = f"<compat standby {UNSEEN}>"
#: Calls in the present form after which a function trips all the same: what takes its place is four times as quick.
MANY = 20_000


class Standing:
    """A ledger that stands by; ``failed`` is called where it cannot be installed."""

    def __init__(self, ledger, failed):  # type: (Ledger, Callable[[Exception], object]) -> None
        self.ledger, self.failed = ledger, failed


#: The installations in force, oldest first.
installed = []  # type: list[Any]
#: The ledgers that stand by, until all of them are installed.
standing = []  # type: list[Standing]
#: Names of modules that are being executed, and will be covered after that.
loading = set()  # type: set[str]
#: Classes whose statements have tripped a wire, and are looked at after that.
defining = set()  # type: set[int]
#: What loads :mod:`compat.shim.installation`, for which this stands by: given by who has ledgers stand by.
loads = []  # type: list[Callable[[], Any]]
#: Modules that came to stand by while another thread had tripped, which covers them.
late = []  # type: list[ModuleType]
#: Packages whose first import is running, after which their ledger is installed, with what is to be recorded then.
awaited = {}  # type: dict[str, list[Callable[[], None]]]
#: Called when all ledgers that stood by are installed.
on_trip = []  # type: list[Callable[[], object]]
lock = GatedLock()
#: Held for a moment only, and while nothing is imported.
moment = GatedLock()
_tripping = []  # type: list[bool]
# By the identity of what stands in a place: the thing itself, which keeps it alive, and what it stands for.
_wires = {}  # type: dict[int, tuple[object, Any]]
# By the identity of a function or a wire: itself, the function that stands by for it, and what is seen of that.
_waiting = {}  # type: dict[int, tuple[Any, Any, Any]]
# By module and path, where something stands by.
_places = {}  # type: dict[tuple[str, str], tuple[Any, str, Any]]
# The canonical modules, once the process ends: destructors find no modules by name any more.
kept = {}  # type: dict[str, ModuleType]


def trip():  # type: () -> bool
    """Install every ledger that stands by; return whether that could be done.

    It cannot while the interpreter goes down, nor while the files of this package are not there: uses are passed on uncounted.
    """
    if sys.meta_path is None:
        return False
    # A fork waits while all that is loaded.
    with lock, ImportLockReleased():
        if not standing or _tripping:
            return True
        with moment:
            _tripping.append(True)
        try:
            try:
                home = installation()
            except Exception as error:  # its files are gone, or are being replaced under this process
                for one in standing:
                    one.failed(error)
                return False
            for one in list(standing):
                try:
                    home.serve(one.ledger, drop_in=True)
                except Exception as error:
                    one.failed(error)
            for done in on_trip:
                done()
            while True:
                with moment:
                    if not late:
                        standing.clear()
                        break
                    module = late.pop()
                loading.discard(module.__name__)
                home.cover(module)
        finally:
            del _tripping[:]
    home.finish()
    return True


def arrived(package):  # type: (str) -> None
    """Record what was reported while a package was imported and its ledger awaited; raises as those uses do."""
    for report in awaited.pop(package, ()):
        report()


def installation():  # type: () -> Any
    """What installs ledgers, loaded by now."""
    return loads[-1]()


def is_tripped():  # type: () -> bool
    """Whether what came to stand by is to be installed by now: a thread has begun to."""
    return bool(_tripping) or not standing


def unwired(found):  # type: (Any) -> Any
    """What stands in a place but for wires: :data:`MISSING` where a wire stands alone."""
    known = _wires.get(id(_inner(found)))
    return found if known is None else known[1]


def _inner(found):  # type: (Any) -> Any
    return found.__func__ if isinstance(found, (staticmethod, classmethod)) else found


def unseen(function, file=FILE):  # type: (Any, str) -> Any
    """Let a warning that the canonical side gives from below a function, and what this defines, name the line of the user."""

    def moved(code):  # type: (CodeType) -> CodeType
        inner = tuple(moved(one) if isinstance(one, CodeType) else one for one in code.co_consts)
        return code.replace(co_filename=file, co_consts=inner)

    function.__code__ = moved(function.__code__)
    return function


def kept_at(canonical):  # type: (str) -> Any
    """What stands at a path, where nothing can be installed."""
    home, _, attribute = canonical.partition(":")
    found: Any = kept.get(home) or (sys.modules or {}).get(home, MISSING)
    for part in attribute.split(".") if attribute else ():
        found = getattr(found, part, MISSING)
    return found


def owner_in(module, path):  # type: (ModuleType, str) -> tuple[Any, str]
    """What holds the last attribute of a path in a module, and that attribute's name."""
    owner: Any = module
    *heads, last = path.split(".")
    for head in heads:
        owner = getattr(owner, head)
    return owner, last


def static(kind, name):  # type: (type, str) -> Any
    """What a class has under a name, descriptors unread; :data:`MISSING` where it has nothing."""
    held = (unwired(vars(base).get(name, MISSING)) for base in kind.__mro__)
    return next((found for found in held if found is not MISSING), MISSING)


def lay(kind, name, wire, instead_of):  # type: (Any, str, object, object) -> None
    """Put a wire in the place of an attribute of a class."""
    _wires[id(_inner(wire))] = (wire, instead_of)
    type.__setattr__(kind, name, wire)


# Functions


def _argument_code(*args, **kwargs):  # type: (*Any, **Any) -> Any
    if (kwargs and not _compat_legacy.isdisjoint(kwargs)) or _compat_len(args) > _compat_limit:  # type: ignore[name-defined]  # noqa: F821
        return _compat_tripped(args, kwargs)  # type: ignore[name-defined]  # noqa: F821
    for _ in _compat_steps:  # type: ignore[name-defined]  # noqa: F821
        return _compat_function(*args, **kwargs)  # type: ignore[name-defined]  # noqa: F821
    return _compat_tripped(args, kwargs)  # type: ignore[name-defined]  # noqa: F821


def _deprecated_code(*args, **kwargs):  # type: (*Any, **Any) -> Any
    return _compat_tripped(args, kwargs)  # type: ignore[name-defined]  # noqa: F821


ARGUMENT = unseen(_argument_code).__code__  # type: CodeType
_IN_PLACE = unseen(_deprecated_code).__code__  # type: CodeType
_SPECIAL = 0x20 | 0x80 | 0x100 | 0x200  # generators and coroutines


def is_function(found):  # type: (Any) -> bool
    """Whether a function can stand by for a callable."""
    function = _inner(found)
    return type(function) is FunctionType and id(function) not in _wires


def is_plain(found):  # type: (Any) -> bool
    """Whether that is a function which runs when it is called."""
    return is_function(found) and not _is_special(_inner(found))


def _is_special(function):  # type: (Any) -> bool
    return bool(function.__code__.co_flags & _SPECIAL) or "_is_coroutine_mark" in vars(function)


def displaced(module, path):  # type: (str, str) -> tuple[Any, str, Any] | None
    """The class or module, the name, and the function or wire of a place at which somebody has put his own in front of it."""
    found = _places.get((module, path))
    known = _waiting.get(id(found[2])) if found is not None else None
    if found is None or known is None:
        return None
    if known[1] is None:
        del _waiting[id(found[2])]  # from now on, something else stands there
    return None if _inner(vars(found[0]).get(found[1])) is known[2] else found


def put_at(place, owner, name, wire):  # type: (tuple[str, str], Any, str, Any) -> None
    """Remember where a wire stands, for :func:`displaced`."""
    _places[place] = (owner, name, wire)
    _waiting[id(wire)] = (wire, None, wire)


def watch_calls(owner, name, place):  # type: (Any, str, tuple[str, str]) -> None
    """Stand by for a function that is deprecated in its place."""
    _places[place] = (owner, name, _inner(vars(owner)[name]))
    _stand_in(owner, name, _IN_PLACE, {}, {})


def watch_arguments(owner, name, place, rows, judged=None):  # type: (Any, str, tuple[str, str], list[Any], Any) -> None
    """Stand by for a function that has legacy arguments; ``judged`` is the code, and what it asks, where names do not tell."""
    function = _inner(vars(owner)[name])
    _places[place] = (owner, name, function)
    limit = sys.maxsize if function.__code__.co_flags & 0x4 else function.__code__.co_argcount
    names = frozenset(one for row in rows for one in row.legacy_names)
    code, values = judged or (ARGUMENT, {"_compat_legacy": names, "_compat_limit": limit})
    _stand_in(owner, name, code, values, {row.argument: row.became for row in rows if row.is_passed_on and not row.convert})


@unseen
def _stand_in(owner, name, code, values, renamed):  # type: (Any, str, CodeType, dict[str, Any], dict[str, str | None]) -> None
    raw = vars(owner)[name]
    function = _inner(raw)

    def tripped(args, kwargs):  # type: (Any, Any) -> Any
        if standing and not trip():
            kept = ((renamed.get(key, key), value) for key, value in kwargs.items())
            return function(*args, **{key: value for key, value in kept if key})
        # Its code is another one by now, but for a row that cannot be served, or while the interpreter goes down.
        real = standby if standby.__code__ is not code else standby.__globals__.get("_compat_real", function)
        return real(*args, **kwargs)

    scope = {
        "__name__": __name__,
        "__builtins__": {"KeyError": KeyError, "ValueError": ValueError},
        "_compat_function": function,
        "_compat_len": len,
        "_compat_steps": repeat(None, MANY),
        "_compat_tripped": tripped,
    }
    scope.update(values)
    standby: Any = FunctionType(code, scope, function.__name__)
    shown = standby
    if _is_special(function):
        from .function_like import KEPT, FunctionLike  # most ledgers do without

        scope[KEPT] = shown = FunctionLike.of(standby, function)
    functools.update_wrapper(shown, function)
    changed = shown if raw is function else type(raw)(shown)
    _wires[id(shown)] = (shown, raw)
    _waiting[id(function)] = (function, standby, shown)
    setattr(owner, name, changed)


def scope_of(function):  # type: (Any) -> dict[str, Any]
    """The globals of what takes the place of a function: those of the one that stands by for it, if one does."""
    known = _waiting.get(id(function))
    return known[1].__globals__ if known is not None else {}


def adopt(function, made):  # type: (Any, Any) -> Any
    """Let the function that stands by for another one be what takes its place, and return it; ``made`` where none stands by."""
    known = _waiting.pop(id(function), None)
    if known is None:
        return made
    standby = known[1]
    _wires.pop(id(known[2]), None)
    if type(made) is not FunctionType or made.__closure__:
        standby.__globals__["_compat_real"] = made
        standby.__globals__["_compat_limit"] = -1
        return standby
    if standby.__globals__ is not made.__globals__:
        standby.__globals__.update(made.__globals__)
    standby.__defaults__, standby.__kwdefaults__ = made.__defaults__, made.__kwdefaults__
    standby.__code__ = made.__code__
    return standby


def is_wire(found):  # type: (object) -> bool
    """Whether something stands in a place until something legacy is used."""
    return id(found) in _wires


# Classes


class Member:
    """A name on a class that has nothing of its own under it: a renamed method, an attribute that moved or was removed."""

    __slots__ = ("became", "canonical", "name")

    def __init__(self, name, canonical, became):  # type: (str, str, str) -> None
        self.name, self.canonical, self.became = name, canonical, became

    @unseen
    def __get__(self, instance, owner=None):  # type: (Any, Any) -> Any
        owner = type(instance) if owner is None else owner
        found: Any = MISSING
        if trip():
            found = static(owner, self.name)
            if found is MISSING and not standing:
                installation().finish()
                found = static(owner, self.name)
        elif self.became:
            return getattr(owner if instance is None else instance, self.became)
        else:
            found = kept_at(self.canonical)
        if found is MISSING:
            shown = f"type object {owner.__name__!r}" if instance is None else f"{owner.__name__!r} object"
            raise AttributeError(f"{shown} has no attribute {self.name!r}")
        get = getattr(type(found), "__get__", None)
        return found if get is None else get(found, instance, owner)


def watch_member(kind, name, canonical, became=""):  # type: (type, str, str, str) -> None
    """Stand by under a name that a class lacks; ``became`` names a member of the same class."""
    lay(kind, name, Member(name, canonical, became), MISSING)


@unseen
def watch_subclasses(kind, concerns):  # type: (Any, Callable[[Any], bool]) -> None
    """Trip where the statement of a subclass concerns a row."""
    raw = vars(kind).get("__init_subclass__", MISSING)
    if id(_inner(raw)) in _wires:
        raw.__func__.__compat_concerns__.append(concerns)
        return
    asked = [concerns]

    def __init_subclass__(cls, /, **kwargs):  # type: (Any, **Any) -> None
        after: Any = MISSING
        if any(concerns(cls) for concerns in asked):
            defining.add(id(cls))
            try:
                trip()
            finally:
                defining.discard(id(cls))
            after = unwired(vars(kind).get("__init_subclass__", MISSING))
        if after is not MISSING and after is not raw:
            after.__get__(None, cls)(**kwargs)
        elif raw is not MISSING:
            raw.__get__(None, cls)(**kwargs)
        else:
            super(kind, cls).__init_subclass__(**kwargs)

    made: Any = __init_subclass__
    made.__compat_concerns__ = asked
    lay(kind, "__init_subclass__", classmethod(made), raw)


@unseen
def watch_construction(kind):  # type: (Any) -> None
    """Trip where an instance of just this class is made."""
    raw = vars(kind)["__init__"]

    @functools.wraps(raw)
    def __init__(self, /, *args, **kwargs):  # type: (Any, *Any, **Any) -> None
        real = raw
        if type(self) is kind and trip():
            real = unwired(vars(kind)["__init__"])
        real.__get__(self, type(self))(*args, **kwargs)

    lay(kind, "__init__", __init__, raw)


# Modules


class OverlayLoader:
    """Chained before a module's own loader: covers the module once it has run. Everything else is the loader's own."""

    def __init__(self, inner, spec, covered, executing=None):  # type: (Any, ModuleSpec, Callable[[ModuleType], None], set[str] | None) -> None
        self._inner, self._spec, self._covered, self._executing = inner, spec, covered, executing

    def create_module(self, spec):  # type: (ModuleSpec) -> ModuleType | None
        create = getattr(self._inner, "create_module", None)
        return create(spec) if create is not None else None

    def exec_module(self, module):  # type: (ModuleType) -> None
        # The module must not notice: its loader is its own before its first line runs.
        self._spec.loader = self._inner
        if self._executing is not None:
            self._executing.add(module.__name__)
        try:
            if self._inner is not None:
                module.__loader__ = self._inner
                if hasattr(self._inner, "exec_module"):
                    self._inner.exec_module(module)
                else:
                    self._inner.load_module(module.__name__)
        except BaseException:
            if self._executing is not None:
                self._executing.discard(module.__name__)
            raise
        self._covered(module)

    def __getattr__(self, name):  # type: (str) -> Any
        return getattr(self._inner, name)


MARK, HIDDEN = "__compat_overlay__", "__compat_hidden__"


def class_of(module):  # type: (ModuleType) -> type | None
    """The class to put descriptors on: the module's own overlay class, made at need; ``None`` where it cannot be."""
    kind = type(module)
    if MARK in vars(kind):
        return kind
    before: Any = kind

    def __dir__(self):  # type: (ModuleType) -> list[str]
        if standing:
            trip()
        own = vars(type(self))
        listed = (name for name, recorder in own[MARK].items() if not recorder.raises)
        return sorted({*before.__dir__(self), *listed} - own[HIDDEN])

    body = {"__module__": kind.__module__, "__dir__": __dir__, "__reduce_ex__": by_reference, MARK: {}, HIDDEN: set()}
    made = type(kind.__name__, (kind,), body)
    try:
        module.__class__ = made  # type: ignore[assignment]
    except TypeError:
        return None  # a module type with a layout of its own (C extension); its names stay as they are
    return made


def by_reference(self, protocol):  # type: (ModuleType, object) -> Any
    """The ``__reduce_ex__`` of a live module whose class has been swapped: picklers know plain modules by their exact type."""
    from importlib import import_module

    return import_module, (self.__name__,)


@unseen
def watch_name(kind, name, canonical=""):  # type: (Any, str, str) -> None
    """Stand by for a name of a module: one that is gone, or a constant that stays in its namespace."""

    def real(module):  # type: (Any) -> Any
        trip()
        found = vars(kind).get(name)
        return None if found is wire else found

    def get(module):  # type: (Any) -> object
        found = real(module)
        if found is not None:
            return found.fget(module)
        if name in vars(module):
            return vars(module)[name]
        value = kept_at(canonical)
        if value is MISSING:
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        return value

    def put(module, value):  # type: (Any, object) -> None
        found = real(module)
        if found is not None:
            found.fset(module, value)
        else:
            vars(module)[name] = value

    def delete(module):  # type: (Any) -> None
        found = real(module)
        if found is not None:
            found.fdel(module)
        elif name in vars(module):
            del vars(module)[name]
        else:
            raise AttributeError(name)

    wire = property(get, put, delete)
    lay(kind, name, wire, MISSING)
