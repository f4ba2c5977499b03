"""Legacy modules: real module objects whose attributes are looked up on the canonical side, and the specs that see importers.

CPython reads ``module.__spec__._initializing`` each time an import statement meets a module that is already loaded. A spec
that makes a property of it sees every importer, not only the first.
"""

from __future__ import annotations

import importlib
import sys
import types
from importlib.machinery import ModuleSpec

from compat._forking import gate

from . import callsite, imports, watch
from .descriptors import child_property, count_write, module_property, name_property
from .funnel import lost_error, site_key
from .targets import load_module, spec_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType, FrameType
    from typing import Any

    from compat.ledger import Move

    from .funnel import Tap


class LegacyModule(types.ModuleType):
    """A module at a legacy path. Each has a class of its own, which carries its descriptors."""

    def __dir__(self) -> list[str]:
        names = {name for name in types.ModuleType.__dir__(self) if name != "__getattr__"}
        names.update(_served(type(self)))
        canonical = _canonical(self)
        if canonical is not None:
            names.update(dir(canonical))
        return sorted(names)

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
            tap = vars(self).get("__compat_tap__")
            if tap is not None:
                count_write(tap, sys._getframe(1))
            setattr(canonical, name, value)

    def __delattr__(self, name: str) -> None:
        canonical = _canonical(self)
        if canonical is None or name in vars(self) or name in vars(type(self)):
            types.ModuleType.__delattr__(self, name)
        else:
            delattr(canonical, name)


def _canonical(module: types.ModuleType) -> types.ModuleType | None:
    name = vars(module).get("__canonical__")
    return sys.modules.get(name) if name else None


def _served(kind: type) -> list[str]:
    return [name for name, value in vars(kind).items() if isinstance(value, property) and not name.startswith("__")]


def bind_child(parent: types.ModuleType, name: str, child: types.ModuleType) -> None:
    """Bind a legacy submodule on its legacy parent, with the descriptor that sees ``from parent import child``."""
    tap = vars(child).get("__compat_tap__")
    own = vars(parent).get("__compat_tap__")
    vars(parent).pop(name, None)
    setattr(type(parent), name, child_property(name, None if tap is None or tap is own else tap, child))


class LegacySpec(ModuleSpec):
    """A spec whose ``_initializing`` is asked by the interpreter at each import of the cached module."""

    _loading = False
    tap: Tap | None = None
    rows: Mapping[str, Move] = types.MappingProxyType({})

    @property
    def _initializing(self) -> bool:
        tap = self.tap
        if self._loading or tap is None:
            return self._loading
        frame = sys._getframe(1)
        known = tap.hot.get(site_key(frame))
        if known is not None and watch.current() == watch.SNAPSHOT:
            next(known)
            return False
        return imports.seen(self.name, tap, self.rows, frame)

    @_initializing.setter
    def _initializing(self, value: bool) -> None:
        self._loading = bool(value)


class Loader:
    """Loads a legacy module: the canonical one first, so that it comes first in ``sys.modules`` too.

    ``pickle.whichmodule`` takes the first module in which it finds an object; it must not be the legacy one.
    """

    def __init__(self, canonical: str, tap: Tap | None, rows: Mapping[str, Move], tap_of: Callable[[Move], Tap]) -> None:
        self.canonical, self.tap, self.rows, self.tap_of = canonical, tap, rows, tap_of

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        if self.canonical and self.tap is not None:
            load_module(self.canonical, self.tap.move.id)
        kind = type("module", (LegacyModule,), {"__module__": "builtins"})
        made: types.ModuleType = kind(spec.name)
        return made

    def exec_module(self, module: types.ModuleType) -> None:
        namespace = vars(module)
        again = "__canonical__" in namespace
        if self.tap is not None:
            imports.first(module.__name__, self.tap, self.rows, sys._getframe(1))
        if again and self.canonical:
            importlib.reload(sys.modules[self.canonical])
        namespace["__canonical__"] = self.canonical
        namespace["__compat_tap__"] = self.tap
        kind = type(module)
        for name, move in self.rows.items():
            if name and "." not in name:
                setattr(kind, name, served_property(move, self.tap_of))
        if self.canonical:
            _dress(module, sys.modules[self.canonical])
            namespace["__getattr__"] = _fallback(module, self.canonical, self.tap)
        else:
            namespace["__getattr__"] = missing(module, None)
        if not self.canonical and "__all__" not in namespace:
            namespace["__all__"] = sorted(name for name, move in self.rows.items() if _is_public(name) and move.kind != "removed")

    # What inspect, runpy, linecache and pkgutil ask a loader for is answered by the canonical module's own.
    def _ask(self, what: str, *default: Any) -> Any:
        spec = spec_of(self.canonical) if self.canonical else None
        method = getattr(spec.loader if spec else None, what, None)
        if method is None:
            if default:
                return default[0]
            raise ImportError(f"there is no source behind {self.canonical or 'this legacy package'!r}")
        return method(self.canonical)

    def get_code(self, name: str) -> CodeType | None:
        code: CodeType | None = self._ask("get_code", None)
        return code

    def get_source(self, name: str) -> str | None:
        source: str | None = self._ask("get_source", None)
        return source

    def get_filename(self, name: str) -> str:
        return str(self._ask("get_filename"))

    def get_data(self, path: str) -> bytes:
        spec = spec_of(self.canonical) if self.canonical else None
        read: Any = getattr(spec.loader if spec else None, "get_data", None)
        if read is None:
            raise OSError(0, "no data behind this legacy package", path)
        data: bytes = read(path)
        return data

    def get_resource_reader(self, name: str) -> Any:
        return self._ask("get_resource_reader", None)

    def is_package(self, name: str) -> bool:
        return bool(self._ask("is_package", not self.canonical))


def served_property(move: Move, tap_of: Callable[[Move], Tap]) -> property:
    """The descriptor of one row on a module class."""
    return name_property(tap_of(move), getattr(move, "adapter", ""))


def _is_public(name: str) -> bool:
    return bool(name) and not name.startswith("_") and "." not in name


def _dress(module: types.ModuleType, canonical: types.ModuleType) -> None:
    namespace = vars(module)
    for name in ("__doc__", "__file__", "__cached__"):
        if name in vars(canonical):
            namespace[name] = vars(canonical)[name]
    if hasattr(canonical, "__path__"):
        namespace["__path__"] = list(canonical.__path__)


def _fallback(module: types.ModuleType, canonical: str, tap: Tap | None) -> Callable[[str], object]:
    # In the module's dict, not on its class: a class-level __getattr__ makes CPython read `_initializing` once more.
    kind = type(module)

    def __getattr__(name: str) -> object:
        lost = lost_error(name)
        if lost is not None:
            raise lost
        target = sys.modules.get(canonical)
        if target is None:
            with gate:
                target = importlib.import_module(canonical)
        if name == "__all__":
            found = getattr(target, "__all__", None)
            names = [key for key in vars(target) if _is_public(key)] if found is None else list(found)
            return names + [key for key in _served(kind) if _is_public(key) and key not in names and found is None]
        if (name.startswith("__") and name.endswith("__")) or tap is None:
            return getattr(target, name)
        if not hasattr(target, name):
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        made = module_property(tap, canonical, name)
        setattr(kind, name, made)
        frame = callsite.stack_top(1)
        if frame is None:
            tap.use("attribute", None)
            return getattr(target, name)
        return _slow_of(made)(module, frame)

    return __getattr__


def missing(module: types.ModuleType, own: Any) -> Callable[[str], object]:
    """A module ``__getattr__`` that lets the errors of descriptors through, before a module's ``own`` one."""

    def __getattr__(name: str) -> object:
        lost = lost_error(name)
        if lost is not None:
            raise lost
        if own is not None:
            return own(name)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    return __getattr__


def _slow_of(made: property) -> Callable[[Any, FrameType], object]:
    slow: Callable[[Any, FrameType], object] = made.fget.slow  # type: ignore[union-attr]
    return slow
