"""Overlays on modules that still exist: single moved names, and legacy submodules below a real package.

The module's class is swapped for a subclass with one data descriptor per name. What the module itself still defines is
left alone: where something real answers, the shim does not.
"""

from __future__ import annotations

import sys
import types

from ..recording import bytecode, callsite
from .descriptors import child_property
from .modules import by_reference, missing, served_property
from .targets import is_there

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from importlib.machinery import ModuleSpec
    from typing import Any

    from compat.ledger import Move

    from ..recording.funnel import UseRecorder
    from .installed import Installed

_MARK = "__compat_overlay__"
_HIDDEN = "__compat_hidden__"


def class_of(module: types.ModuleType) -> type | None:
    """The class to put descriptors on: the module's own overlay class, made at need; ``None`` where it cannot be."""
    kind = type(module)
    if _MARK in vars(kind):
        return kind
    before: Any = kind

    def __dir__(self: types.ModuleType) -> list[str]:
        own = vars(type(self))
        return sorted({*before.__dir__(self), *(name for name, _ in _listed(type(self)))} - own[_HIDDEN])

    body = {"__module__": kind.__module__, "__dir__": __dir__, "__reduce_ex__": by_reference, _MARK: {}, _HIDDEN: set()}
    made = type(kind.__name__, (kind,), body)
    try:
        module.__class__ = made  # type: ignore[assignment]
    except TypeError:
        return None  # a module type with a layout of its own (C extension); its names stay as they are
    return made


@callsite.unseen
def read_by_descriptors(kind: Any) -> None:
    """Have every read of a module of an overlay class ask its descriptors, also of names that its dict has.

    From 3.14 on, the interpreter specialises reads of a module of any class to reads of its dict, and asks the descriptors of
    the class once only (gh-156399); those of a class with a ``__getattribute__`` of its own it leaves alone.
    """

    def __getattr__(self: types.ModuleType, name: str) -> Any:
        own = vars(self).get("__getattr__")
        return types.ModuleType.__getattribute__(self, name) if own is None else own(name)

    if sys.version_info >= (3, 14) and kind.__getattribute__ is types.ModuleType.__getattribute__:
        if not hasattr(kind, "__getattr__"):
            kind.__getattr__ = __getattr__
            kind.__getattribute__ = object.__getattribute__


def _listed(kind: type) -> Iterator[tuple[str, Move]]:
    """The names that rows put on a module's class and that have not expired."""
    for name, recorder in vars(kind)[_MARK].items():
        if not recorder.raises:
            yield name, recorder.move


def cover(owner: Installed, module: types.ModuleType, rows: Mapping[str, Move]) -> Callable[[], None] | None:
    """Put the rows of a live module onto it; return the function that takes them off again, ``None`` for no change."""
    namespace, recorder_of = vars(module), owner.recorder
    wanted = {}
    for name, move in owner.servable(rows).items():
        if is_defined(module, move):
            owner.refuse(move, *STILL_DEFINED, is_harmless=True)
        else:
            wanted[name] = move
            owner.outcomes[move.legacy] = ("", "")
    if not wanted:
        return None
    kind = class_of(module)
    if kind is None:
        for move in wanted.values():
            owner.refuse(move, f"modules of type {type(module).__name__!r} take no names", "serve it from a Python module")
        return None
    popped = {name: namespace.pop(name) for name in wanted if name in namespace}
    for name, move in wanted.items():
        setattr(kind, name, served_property(move, recorder_of))
        vars(kind)[_MARK][name] = recorder_of(move)
    own = namespace.get("__getattr__")
    namespace["__getattr__"] = made = missing(module, own, owner.ledger.is_declared)
    if "__all__" not in namespace and "__all__" not in vars(kind):
        type.__setattr__(kind, "__all__", _star(kind))

    def uncover() -> None:
        if namespace.get("__getattr__") is made:
            if own is None:
                del namespace["__getattr__"]
            else:
                namespace["__getattr__"] = own
        for name in wanted:
            if name in vars(kind):
                delattr(kind, name)
            vars(kind)[_MARK].pop(name, None)
        for name, value in popped.items():
            namespace.setdefault(name, value)
        if not vars(kind)[_MARK] and isinstance(vars(kind).get("__all__"), property):
            delattr(kind, "__all__")

    return uncover


def hide(module: types.ModuleType, kind: Any, name: str) -> Callable[[], None]:
    """Leave what a module still has, and what is refused, out of star imports and listings of it; return the undoing."""
    namespace = vars(module)
    before = namespace.get("__all__")
    after = [one for one in before if one != name] if before is not None and name in before else before
    if after is not before:
        namespace["__all__"] = after
    elif before is None and "__all__" not in vars(kind):
        type.__setattr__(kind, "__all__", _star(kind))
    vars(kind)[_HIDDEN].add(name)

    def undo() -> None:
        vars(kind)[_HIDDEN].discard(name)
        if after is not before and namespace.get("__all__") is after:
            namespace["__all__"] = before

    return undo


def reach(owner: Installed, module: types.ModuleType) -> Callable[[], None]:
    """Let a live package find its legacy submodules as attributes; return the undoing."""
    namespace = vars(module)
    own = namespace.get("__getattr__")
    namespace["__getattr__"] = made = missing(module, own, owner.ledger.is_declared)

    def undo() -> None:
        if namespace.get("__getattr__") is made:
            del namespace["__getattr__"]
            if own is not None:
                namespace["__getattr__"] = own

    return undo


#: Why a row for a name that a live module has by itself is not served, and what to do about it.
STILL_DEFINED = ("the module still defines the name", "delete the definition, or the row")


def is_defined(module: types.ModuleType, move: Move) -> bool:
    """Whether a live module has something of its own under the name of a row: what answers there is left alone."""
    namespace = vars(module)
    return move.attribute in namespace and not _is_same(namespace[move.attribute], move)


def _is_same(value: object, move: Move) -> bool:
    """Whether a live module still carries the very canonical object: observing it changes nothing but the counting."""
    if not move.canonical:
        return False
    module, _, attribute = move.canonical.partition(":")
    found: Any = sys.modules.get(module)
    for part in attribute.split(".") if attribute else ():
        found = getattr(found, part, None)
    return found is not None and found is value


def _star(kind: type) -> property:
    """``__all__`` for ``from live import *`` only: the module has none, and other readers must not see one."""

    def get(module: Any) -> list[str]:
        frame = sys._getframe(1)
        if bytecode.READABLE and not (bytecode.is_import_from(frame) or frame.f_code.co_name == "_handle_fromlist"):
            raise AttributeError(f"module {module.__name__!r} has no attribute '__all__'")
        names = {name for name in vars(module) if not name.startswith("_")}
        moved = _listed(type(module))
        names -= vars(type(module))[_HIDDEN]
        return sorted(names | {name for name, move in moved if not name.startswith("_") and is_there(move)})

    def put(module: Any, value: object) -> None:
        delattr(kind, "__all__")
        vars(module)["__all__"] = value

    return property(get, put)


def adopt(parent: types.ModuleType, name: str, recorder: UseRecorder | None) -> Callable[[], None] | None:
    """Let a live package see ``from package import child`` for a legacy child; return the undoing."""
    kind = class_of(parent)
    if kind is None or recorder is None:
        return None
    setattr(kind, name, child_property(name, recorder))

    def undo() -> None:
        if name in vars(kind):
            delattr(kind, name)

    return undo


class OverlayLoader:
    """Chained before a module's own loader: covers the module once it has run. Everything else is the loader's own."""

    def __init__(self, inner: Any, spec: ModuleSpec, covered: Callable[[types.ModuleType], None]) -> None:
        self._inner, self._spec, self._covered = inner, spec, covered

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        create = getattr(self._inner, "create_module", None)
        return create(spec) if create is not None else None

    def exec_module(self, module: types.ModuleType) -> None:
        # The module must not notice: its loader is its own before its first line runs.
        self._spec.loader = self._inner
        if self._inner is not None:
            module.__loader__ = self._inner
            if hasattr(self._inner, "exec_module"):
                self._inner.exec_module(module)
            else:
                self._inner.load_module(module.__name__)
        self._covered(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
