"""Overriders: subclasses that define what a row renamed or changed, seen at their class statements.

Old code does not only call the old name of a method: it overrides it, and canonical code, which calls the new name, would never
reach the override.
"""

from __future__ import annotations

import sys
import weakref
from types import FunctionType

from compat.errors import LegacyExpiredError

from . import wires
from .forward import ARGUMENT_FILES, PASSING_FILES
from .in_place.classes import above_metaclass, put
from .recording import callsite
from .recording.funnel import record, record_read
from .wires import MISSING, defining, unwired

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, Optional

    from .recording.funnel import UseRecorder

    Undo = Callable[[], None]
    Handler = Callable[[type, "Optional[FrameType]"], "Optional[Undo]"]

#: They make a decorated class a second time; its statement was counted at the first.
_REMAKERS = ("dataclasses", "attr._make")


class _Hook:
    """The handlers of one class, in their order, and what they did to its subclasses."""

    def __init__(self, kind: Any) -> None:
        self.handlers: list[tuple[int, Handler]] = []
        self.undoings: list[tuple[Handler, weakref.ref[type], Undo]] = []
        self.seen: dict[int, weakref.ref[type]] = {}  # by identity: a metaclass may make its classes unhashable
        self.leaves: list[tuple[weakref.ref[type], Undo]] = []
        self.put_on(kind)

    @callsite.unseen
    def put_on(self, kind: Any) -> None:
        """See the subclasses of a class: of the hook's own, or of one below that has an ``__init_subclass__`` too.

        That one need not call ours.
        """
        raw = unwired(vars(kind).get("__init_subclass__", MISSING))

        def __init_subclass__(cls: Any, /, **kwargs: Any) -> None:
            if raw is not MISSING:
                raw.__get__(None, cls)(**kwargs)
            else:
                super(kind, cls).__init_subclass__(**kwargs)
            if not self.is_known(cls):
                self.arrived(cls, above_metaclass(callsite.stack_top(1), ("__new__", "__call__", "__init_subclass__")))

        self.leaves.append((weakref.ref(kind), put(kind, "__init_subclass__", classmethod(__init_subclass__))))

    def arrived(self, cls: Any, frame: FrameType | None) -> None:
        """A subclass is being defined, by the class statement in ``frame``."""
        self.known(cls)
        remade = frame is not None and callsite.module_name(frame) in _REMAKERS
        for _order, handler in self.handlers:
            self.see(handler, cls, None if remade else frame)

    def is_known(self, cls: Any) -> bool:
        known = self.seen.get(id(cls))
        return known is not None and known() is cls

    def known(self, cls: Any) -> None:
        """Look at a subclass once, and at those that it will have."""
        if not self.is_known(cls):
            self.seen[id(cls)] = weakref.ref(cls)
            if "__init_subclass__" in vars(cls):
                self.put_on(cls)

    def see(self, handler: Handler, cls: type, frame: FrameType | None) -> None:
        undo = handler(cls, frame)
        if undo is not None:
            self.undoings.append((handler, weakref.ref(cls), undo))

    def take_off(self) -> None:
        for cls, leave in reversed(self.leaves):
            if cls() is not None:
                leave()


_hooks: weakref.WeakKeyDictionary[type, _Hook] = weakref.WeakKeyDictionary()


def watch(kind: Any, handler: Handler, order: int = 0) -> Undo:
    """Call ``handler(subclass, frame)`` for each subclass of a class, those that are there already included; return the undoing.

    ``frame`` is that of the class statement; ``None`` where it has passed. The handler may return what undoes what it did.
    Handlers of a lower ``order`` are called first.
    """
    hook = _hooks.get(kind)
    if hook is None:
        hook = _hooks[kind] = _Hook(kind)
    hook.handlers.append((order, handler))
    hook.handlers.sort(key=lambda one: one[0])
    for cls in _below(kind):
        if id(cls) in defining:
            continue
        hook.known(cls)
        try:
            hook.see(handler, cls, None)
        except (LegacyExpiredError, Warning):
            continue  # counted; the statement has passed, and nobody's import is to fail for it

    def undo() -> None:
        for one in [one for one in hook.undoings if one[0] is handler]:
            hook.undoings.remove(one)
            if one[1]() is not None:
                one[2]()
        hook.handlers[:] = [one for one in hook.handlers if one[1] is not handler]
        if not hook.handlers and _hooks.get(kind) is hook:
            hook.take_off()
            del _hooks[kind]

    return undo


def _below(kind: Any) -> list[Any]:
    found: list[Any] = []
    for cls in type.__subclasses__(kind):
        for one in (cls, *_below(cls)):
            if one not in found:
                found.append(one)
    return found


def record_override(recorder: UseRecorder, raw: object, frame: FrameType | None) -> None:
    """Count an overriding definition: at its class statement, or, where that has passed, at the definition itself."""
    if frame is None:
        inner = next((getattr(raw, held) for held in ("__func__", "fget", "func") if hasattr(raw, held)), raw)
        if not isinstance(inner, FunctionType):
            return  # a plain value does not tell where it was written
        if inner in recorder.defined:
            return  # a decorator has made its class a second time
        recorder.defined.add(inner)
        frame = _Definition(inner)  # type: ignore[assignment]
    record(recorder, "override", frame)


class _Definition:
    """What a call site is read from, of a function that has been defined."""

    f_back = None
    f_lasti = 0  # below zero it would leave nothing of the address of the code in the keys of Python 3.10

    def __init__(self, function: FunctionType) -> None:
        self.f_code, self.f_globals = function.__code__, function.__globals__
        self.f_lineno = function.__code__.co_firstlineno


class Renamed:
    """The old name of a method or property on its class, where subclasses override it.

    ``super().old()`` in an override asks for what this class has: the new name, looked up on the object, would come back to
    the override.
    """

    def __init__(self, kind: Any, old: str, new: str, recorder: UseRecorder) -> None:
        self.kind, self.old, self.new, self.recorder = kind, old, new, recorder

    @callsite.unseen
    def _target(self, instance: Any, owner: Any) -> Any:
        for base in owner.__mro__:
            if base is self.kind:
                break
            if self.old in vars(base):
                found = next(vars(one)[self.new] for one in self.kind.__mro__ if self.new in vars(one))
                get = getattr(type(found), "__get__", None)
                return found if get is None else get(found, instance, owner)
        return getattr(owner if instance is None else instance, self.new)

    def method(self, like: Any) -> Any:
        """The old method, a forwarder that asks for each call what it is to reach."""
        is_class_method = isinstance(like, classmethod)
        recorder, target = self.recorder, self._target

        def forwarder(self: Any, /, *args: Any, **kwargs: Any) -> Any:
            record(recorder, "call", callsite.beyond(callsite.stack_top(1), ARGUMENT_FILES))
            found = target(None, self) if is_class_method else target(self, type(self))
            return found(*args, **kwargs)

        return classmethod(forwarder) if is_class_method else forwarder

    @callsite.unseen
    def property(self) -> property:
        """The old property."""
        recorder, target, new = self.recorder, self._target, self.new

        def get(self: Any) -> Any:
            record_read(recorder, sys._getframe(1))
            return target(self, type(self))

        def put(self: Any, value: Any) -> None:
            record(recorder, "set", sys._getframe(1))
            setattr(self, new, value)

        return property(get, put)


wires.unseen(Renamed.method, f"<compat overriding {callsite.UNSEEN}>")
PASSING_FILES.add(Renamed.method.__code__.co_filename)
