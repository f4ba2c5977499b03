"""Legacy modules: real module objects whose attributes are looked up on the canonical side, and the specs that see importers.

CPython reads ``module.__spec__._initializing`` each time an import statement meets a module that is already loaded. A spec
that makes a property of it sees every importer, not only the first.
"""

from __future__ import annotations

import importlib
import sys
import types
from _thread import get_ident
from importlib.machinery import ModuleSpec

from compat.errors import LegacyExpiredAttribute, LegacyExpiredModule, RemovedAttribute, RemovedModule, of_module

from .. import kinds
from ..recording import bytecode, callsite, filters
from ..recording.callsite import unseen
from ..recording.funnel import lost_error, record, site_key
from ..standby import sought_below
from . import imports
from .descriptors import child_property, count_write, module_property, record_module_read
from .targets import is_there, load_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType
    from typing import Any, SupportsIndex

    from compat.ledger import Move

    from ..recording.funnel import UseRecorder


# PyPy goes on from here to the import system in Python, where those who wait are seen.
_WAITS_IN_PYTHON = sys.implementation.name == "pypy"


_NAMESPACE: Any = vars(types.ModuleType)["__dict__"]
# Names of this package in a legacy module's own dict.
_INNER = frozenset(("__canonical__", "__compat_owner__", "__compat_recorder__", "__getattr__"))


class Contents(dict):  # type: ignore[type-arg]
    """The names of a legacy module and what stands behind them at this moment; items that are set or deleted go through."""

    def __init__(self, module: LegacyModule, own: dict[str, Any], frame: FrameType) -> None:
        canonical = _canonical(module)
        held = {} if canonical is None else {name: value for name, value in vars(canonical).items() if name[:2] != "__"}
        for name in _served(type(module)):
            try:
                held[name] = getattr(module, name)
            except AttributeError:
                held.pop(name, None)  # expired, or its target is missing
        if not callsite.is_looking(frame):
            for recorder in _recorders(module, own, held):
                record(recorder, "attribute", frame)
        super().__init__({**held, **{name: value for name, value in own.items() if name not in _INNER}})
        self._module = module

    def __setitem__(self, name: str, value: object) -> None:
        super().__setitem__(name, value)
        setattr(self._module, name, value)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name)
        delattr(self._module, name)

    def update(self, *args: Any, **kwargs: Any) -> None:
        for name, value in dict(*args, **kwargs).items():
            self[name] = value


def _recorders(module: LegacyModule, own: dict[str, Any], held: dict[str, Any]) -> list[UseRecorder]:
    """The recorders of a module whose contents are taken all at once: of the module, or of each row that stands in it."""
    recorder = own.get("__compat_recorder__")
    if recorder is not None:
        return [recorder]
    rows = type(module).__compat_rows__
    return [own["__compat_owner__"].recorder(move) for name, move in rows.items() if name in held]


class LegacyModule(types.ModuleType):
    """A module at a legacy path. Each has a class of its own, which carries its descriptors."""

    __compat_rows__: Mapping[str, Move] = types.MappingProxyType({})

    @property
    @unseen
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """What ``vars()`` of the module is: its own names for the import system and for this package, all of it for users."""
        frame = callsite.stack_top(1)
        own: dict[str, Any] = _NAMESPACE.__get__(self)
        if frame is None or callsite.is_machinery(frame) or callsite.is_importlib(frame) or callsite.is_patching(frame):
            return own
        return Contents(self, own, frame)

    @property
    def __annotations__(self) -> dict[str, Any]:  # type: ignore[override]
        """Those of the canonical module; the interpreter would find those of this class, or look into all contents."""
        return getattr(_canonical(self), "__annotations__", {})

    def __dir__(self) -> list[str]:
        names = set(types.ModuleType.__dir__(self)) - _INNER
        names.update(_served(type(self)))
        canonical = _canonical(self)
        if canonical is not None:
            names.update(dir(canonical))
        return sorted(names - gone_names(self))

    def __setattr__(self, name: str, value: object) -> None:
        canonical = _canonical(self)
        plain = name.startswith("__") or isinstance(value, LegacyModule)
        if plain and isinstance(value, LegacyModule):
            bind_child(self, name, value)
        elif plain or canonical is None or name in vars(type(self)):
            types.ModuleType.__setattr__(self, name, value)
        elif isinstance(value, types.ModuleType) and callsite.is_importlib(sys._getframe(1)):
            return  # the import system binds a submodule on its parent; it is found through the canonical package
        else:
            recorder = vars(self).get("__compat_recorder__")
            if recorder is not None:
                count_write(recorder, sys._getframe(1))
            setattr(canonical, name, value)

    def __delattr__(self, name: str) -> None:
        canonical = _canonical(self)
        if canonical is None or name in vars(self) or name in vars(type(self)):
            types.ModuleType.__delattr__(self, name)
        else:
            delattr(canonical, name)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Callable[[str], types.ModuleType], tuple[str]]:
        """By reference, to the canonical module where there is one."""
        return importlib.import_module, (vars(self)["__canonical__"] or self.__name__,)


def _canonical(module: types.ModuleType) -> types.ModuleType | None:
    name = vars(module).get("__canonical__")
    return sys.modules.get(name) if name else None


def gone_names(module: types.ModuleType) -> set[str]:
    """The names of a legacy module that have expired, or were removed: they are not listed."""
    owner, held = vars(module).get("__compat_owner__"), vars(module)
    if owner is None:
        return set()
    rows: Mapping[str, Move] = type(module).__compat_rows__  # type: ignore[attr-defined]
    return {name for name, move in rows.items() if name and name not in held and owner.recorder(move).raises}


def _served(kind: type) -> list[str]:
    return [name for name, value in vars(kind).items() if isinstance(value, property) and not name.startswith("__")]


def bind_child(parent: types.ModuleType, name: str, child: types.ModuleType) -> None:
    """Bind a legacy submodule on its legacy parent, with the descriptor that sees ``from parent import child``."""
    recorder = vars(child).get("__compat_recorder__")
    own = vars(parent).get("__compat_recorder__")
    vars(parent).pop(name, None)
    setattr(
        type(parent), name, child_property(name, None if recorder is None or _is_same_move(recorder, own) else recorder, child)
    )


def _is_same_move(recorder: UseRecorder, own: UseRecorder | None) -> bool:
    return own is not None and recorder.move.id == own.move.id


class LegacySpec(ModuleSpec):
    """A spec whose ``_initializing`` is asked by the interpreter at each import of the cached module."""

    _loading = 0
    recorder: UseRecorder | None = None
    rows: Mapping[str, Move] = types.MappingProxyType({})
    #: The threads that wait for the module and are counted.
    waiting: set[int]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.waiting = set()

    @property
    def _initializing(self) -> bool:
        recorder = self.recorder
        if self._loading or recorder is None:
            if recorder is not None and self._loading != get_ident() and not _WAITS_IN_PYTHON:
                # Another thread is loading the module; this one has come to wait for it.
                self.waiting.add(get_ident())
                if imports.seen(self.name, recorder, self.rows, sys._getframe(1)):
                    return True  # it must wait even where the load has ended meanwhile
            return bool(self._loading)
        frame = sys._getframe(1)
        known = recorder.hot.get(site_key(frame))
        if known is not None and filters.current() == filters.SNAPSHOT:
            next(known)
            return False
        return imports.seen(self.name, recorder, self.rows, frame)

    @_initializing.setter
    def _initializing(self, value: bool) -> None:
        self._loading = get_ident() if value else 0


def served_property(move: Move, recorder_of: Callable[[Move], UseRecorder]) -> property:
    """The descriptor of one row on a module class."""
    return kinds.of(move).descriptor(recorder_of(move))


def is_public(name: str) -> bool:
    """Whether ``from module import *`` takes a name where there is no ``__all__``."""
    return bool(name) and not name.startswith("_") and "." not in name


def dress(module: types.ModuleType, canonical: types.ModuleType) -> None:
    """Give a legacy module what modules have of their own."""
    namespace = vars(module)
    for name in ("__doc__", "__file__", "__cached__"):
        if name in vars(canonical):
            namespace[name] = vars(canonical)[name]
    if hasattr(canonical, "__path__"):
        namespace["__path__"] = list(canonical.__path__)
    # pluggy looks for the hooks of a plugin by inspect.getattr_static(), which passes over __getattr__ and this __dict__.
    for name, value in vars(canonical).items():
        if name.startswith("pytest_") and isinstance(value, types.FunctionType):
            setattr(type(module), name, staticmethod(value))


@unseen
def fallback(module: types.ModuleType, canonical: str, recorder: UseRecorder | None) -> Callable[[str], object]:
    """The ``__getattr__`` of a legacy module: looks a name up in the canonical one, and gives the class a descriptor for it."""
    # In the module's dict, not on its class: a class-level __getattr__ makes CPython read `_initializing` once more.
    kind = type(module)

    def __getattr__(name: str) -> object:
        lost = lost_error(name)
        if lost is not None:
            raise lost
        target = load_module(canonical, canonical if recorder is None else recorder.move.id)
        if name == "__all__":
            found = getattr(target, "__all__", None)
            names = [key for key in vars(target) if is_public(key)] if found is None else list(found)
            if found is not None:
                return names
            gone, rows = gone_names(module), vars(kind)["__compat_rows__"]
            own = [key for key in _served(kind) if is_public(key) and key not in names and key not in gone]
            return names + [key for key in own if key not in rows or is_there(rows[key])]
        if (name.startswith("__") and name.endswith("__")) or recorder is None:
            return getattr(target, name)
        try:
            value = getattr(target, name)
        except AttributeError:
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}") from None
        frame = callsite.stack_top(1)
        path = f"{module.__name__}.{name}"
        rows = vars(module)["__compat_owner__"].ledger.module_rows(path)
        is_whole = "" in rows and len(rows) > 1 and value is sys.modules.get(f"{canonical}.{name}")
        if is_whole and (frame is None or callsite.is_patching(frame) or not callsite.is_looking(frame)):
            return importlib.import_module(path)  # it has names that the canonical submodule lacks
        made = module_property(recorder, canonical, name)
        setattr(kind, name, made)
        if frame is None:
            recorder.use("attribute", None)
        else:
            record_module_read(recorder, frame)
        return value

    return __getattr__


def attribute_error(error: ImportError, name: str, frame: FrameType) -> Exception | None:
    """What a read of a module that is gone raises, by way of its parent; ``None`` where ``error`` tells of something else."""
    if not isinstance(error, (LegacyExpiredModule, RemovedModule)):
        return None
    if bytecode.is_import_from(frame):
        return of_module(error, is_gone=False)
    return RemovedAttribute(str(error)) if isinstance(error, RemovedModule) else LegacyExpiredAttribute(str(error), name=name)


@callsite.unseen
def missing(
    module: types.ModuleType, own: Any, is_declared: Callable[[str], bool] = lambda path: False
) -> Callable[[str], object]:
    """A module ``__getattr__``: lets the errors of descriptors through, asks a module's ``own`` one, and finds legacy submodules.

    ``import package; package.old.f()`` works where the package imported the submodule itself, which it cannot any more.
    """

    def __getattr__(name: str) -> object:
        lost = lost_error(name)
        if lost is not None:
            raise lost
        if name == "__path__" and is_declared(sought_below(module.__name__, sys._getframe(1))):
            return []  # to the import system alone, for this one import: the module stays none that has others below it
        path = f"{module.__name__}.{name}"
        if is_declared(path) and not callsite.is_looking(callsite.outside(sys._getframe(1))):
            try:
                return importlib.import_module(path)
            except ImportError as error:
                failure = attribute_error(error, name, sys._getframe(1))
                if failure is not None:
                    raise failure.with_traceback(None) from None
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}: {error}") from error
        if own is not None:
            return own(name)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    return __getattr__
