"""Imports of a module that stays, and reads of a constant in it."""

from __future__ import annotations

import sys

from ..recording import bytecode, callsite, lazy
from ..serving import imports
from ..serving.descriptors import child_property, count_write, counted_getter
from ..serving.modules import LegacySpec, missing
from ..serving.overlay import hide, read_by_descriptors
from ..wires import class_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, ModuleType
    from typing import Any

    from ..recording.funnel import UseRecorder


def watch(module: ModuleType, recorder: UseRecorder) -> Callable[[], None]:
    """Count each import statement that names a module; return the undoing."""
    name, spec = module.__name__, module.__spec__
    if spec is None:
        return nothing  # run as a script: nobody imports it
    before: Any = type(spec)
    loading = bool(getattr(spec, "_initializing", False))
    seen: Any = spec
    seen.__class__ = LegacySpec if before.__name__ == "ModuleSpec" else type(before.__name__, (LegacySpec, before), {})
    seen.recorder, seen._loading, seen.waiting = recorder, loading, set()
    imports.watch_cached(name, recorder)
    own: Any = missing(module, None)
    if not hasattr(module, "__path__") and "__getattr__" not in vars(module):
        # Where a module lacks an attribute, such as the __path__ that from-imports look for, the interpreter asks the spec once
        # more whether it is loading; where it has a __getattr__ it does not.
        vars(module)["__getattr__"] = own
    leave = _see_from_parent(module, recorder) if recorder.move.id == recorder.move.legacy else nothing

    def undo() -> None:
        leave()
        if vars(module).get("__getattr__") is own:
            del vars(module)["__getattr__"]
        imports.unwatch(name)
        seen.__class__ = before
        # What the import system wrote there before the class was changed: it has no say about it since.
        vars(seen)["_initializing"] = bool(vars(seen).get("_loading"))
        for key in ("recorder", "_loading", "waiting"):
            vars(seen).pop(key, None)

    return undo


def count_load(module: ModuleType, recorder: UseRecorder) -> None:
    """Count the import that is loading a watched module at this moment, if one is, and those that wait for it."""
    spec = module.__spec__
    if getattr(spec, "_loading", False) and not imports.is_ours(sys._getframe(1)):
        try:
            imports.first(module.__name__, recorder, {}, sys._getframe(1))
        finally:
            # Nobody has seen those who found the module in sys.modules while it ran.
            imports.count_waiting(module.__name__, recorder, {}, spec, ("_find_and_load", "_lock_unlock_module"))


def _see_from_parent(module: ModuleType, recorder: UseRecorder) -> Callable[[], None]:
    """Count ``from package import module`` too."""
    parent, _, last = module.__name__.rpartition(".")
    holder = sys.modules.get(parent)
    kind: Any = class_of(holder) if holder is not None else None
    if holder is None or kind is None:
        return nothing
    made = child_property(last, recorder, getattr(holder, last, None), stays=True)
    setattr(kind, last, made)

    def undo() -> None:
        held = getattr(holder, last, None)
        if vars(kind).get(last) is made:
            delattr(kind, last)
        if held is not None:
            vars(holder)[last] = held

    return undo


def nothing() -> None:
    """Nothing was put in place."""


def watch_constant(module: ModuleType, name: str, recorder: UseRecorder) -> Callable[[], None]:
    """Count each read of a module's attribute from outside; the module's own code reads it as before. Return the undoing."""
    kind: Any = class_of(module)
    if kind is None:
        raise TypeError(f"reads of module {module.__name__!r} cannot be seen: its type keeps its instances to itself")
    read_by_descriptors(kind)
    namespace = vars(module)

    def load() -> object:
        try:
            return namespace[name]
        except KeyError:
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}") from None

    def slow(_module: Any, frame: FrameType) -> object:
        if not callsite.is_looking(frame) and not lazy.use_lazily(recorder, frame):
            recorder.use("import" if bytecode.is_import_from(frame) else "attribute", frame)
        return load()

    def put(_module: Any, value: object) -> None:
        count_write(recorder, sys._getframe(1))
        namespace[name] = value

    def delete(_module: Any) -> None:
        load()
        del namespace[name]

    setattr(kind, name, property(counted_getter(recorder, f"{module.__name__}:{name}", load, slow, own=True), put, delete))
    own = namespace.get("__getattr__")
    made = missing(module, own) if recorder.raises else own
    if made is not own:
        namespace["__getattr__"] = made
    show = hide(module, kind, name) if recorder.raises else nothing

    def undo() -> None:
        show()
        if name in vars(kind):
            delattr(kind, name)
        if made is not own and namespace.get("__getattr__") is made:
            if own is None:
                del namespace["__getattr__"]
            else:
                namespace["__getattr__"] = own

    return undo
