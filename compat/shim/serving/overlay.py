"""Overlays on modules that still exist: single moved names, and legacy submodules below a real package.

The module's class is swapped for a subclass with one data descriptor per name. What the module itself still defines is
left alone: where something real answers, the shim does not.
"""

from __future__ import annotations

import sys
import types

from ..recording import bytecode, callsite
from ..standby import is_same
from ..wires import HIDDEN, MARK, MISSING, class_of, unwired
from .descriptors import child_property
from .modules import missing, served_property
from .targets import is_there

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from compat.ledger import Move

    from ..recording.funnel import UseRecorder
    from .installed import Installed


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
    for name, recorder in vars(kind)[MARK].items():
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
    held = [name for name in wanted if name in namespace]
    if held:
        read_by_descriptors(kind)  # the module's own code reads its dict, so they stay there
    for name, move in wanted.items():
        setattr(kind, name, served_property(move, recorder_of))
        vars(kind)[MARK][name] = recorder_of(move)
    shown = [hide(module, kind, name) for name in held if recorder_of(wanted[name]).raises]
    own = namespace.get("__getattr__")
    namespace["__getattr__"] = made = missing(module, own, owner.ledger.is_declared)
    if "__all__" not in namespace and unwired(vars(kind).get("__all__", MISSING)) is MISSING:
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
            vars(kind)[MARK].pop(name, None)
        for show in shown:
            show()
        if not vars(kind)[MARK] and isinstance(vars(kind).get("__all__"), property):
            delattr(kind, "__all__")

    return uncover


def hide(module: types.ModuleType, kind: Any, name: str) -> Callable[[], None]:
    """Leave what a module still has, and what is refused, out of star imports and listings of it; return the undoing."""
    namespace = vars(module)
    before = namespace.get("__all__")
    after = [one for one in before if one != name] if before is not None and name in before else before
    if after is not before:
        namespace["__all__"] = after
    elif before is None and unwired(vars(kind).get("__all__", MISSING)) is MISSING:
        type.__setattr__(kind, "__all__", _star(kind))
    vars(kind)[HIDDEN].add(name)

    def undo() -> None:
        vars(kind)[HIDDEN].discard(name)
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
    return move.attribute in namespace and not is_same(namespace[move.attribute], move)


def _star(kind: type) -> property:
    """``__all__`` for ``from live import *`` only: the module has none, and other readers must not see one."""

    def get(module: Any) -> list[str]:
        frame = callsite.asking(sys._getframe(1))
        if bytecode.is_readable(frame) and not (bytecode.is_import_from(frame) or frame.f_code.co_name == "_handle_fromlist"):
            raise AttributeError(f"module {module.__name__!r} has no attribute '__all__'")
        names = {name for name in vars(module) if not name.startswith("_")}
        moved = _listed(type(module))
        names -= vars(type(module))[HIDDEN]
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
