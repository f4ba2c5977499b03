"""Functions, methods, properties, attributes of classes and members of enumerations, observed in their places."""

from __future__ import annotations

import enum
import functools
import sys
import types

from compat.errors import LegacyExpiredKey

from ..forward import IN_PLACE, forward
from ..kinds.kind import replaced
from ..methods import counted
from ..recording import callsite
from ..recording.funnel import lost_error, record
from ..wires import adopt, unwired
from .classes import looked_up, put, record_lookup

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from ..recording.funnel import LateRecorder, UseRecorder

_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, staticmethod, classmethod)
_MISSING: Any = object()


def raw_of(owner: Any, name: str) -> Any:
    """What an attribute path leads to, descriptors unread."""
    if isinstance(owner, type):
        for base in owner.__mro__:
            if name in vars(base):
                return unwired(vars(base)[name])
    return unwired(getattr(owner, name))


def is_called(found: Any) -> bool:
    """Whether calls of a thing are what its uses are: of everything else, reads are."""
    return isinstance(found, _FUNCTIONS)


def function(found: Any, recorder: UseRecorder | LateRecorder) -> Any:
    """A function or method whose calls are counted."""
    if isinstance(found, (staticmethod, classmethod)):
        return type(found)(function(found.__func__, recorder))
    return forward(found, recorder, file=IN_PLACE, adopt=adopt)


def watch_function(owner: Any, name: str, recorder: UseRecorder) -> Callable[[], None]:
    """Count each call of a function or method; return the undoing."""
    return replaced(owner, name, functools.partial(function, recorder=recorder))


def watch_member(owner: Any, name: str, recorder: UseRecorder) -> Callable[[], None]:
    """Count each read of a property or class attribute, and each assignment to a property; return the undoing."""
    return put(owner, name, member(raw_of(owner, name), name, recorder))


def member(found: Any, name: str, recorder: UseRecorder | LateRecorder) -> Any:
    """The descriptor of a property or class attribute whose reads are counted."""
    if type(found) is property:
        return counted(found, recorder)
    if hasattr(type(found), "__set__") or hasattr(type(found), "__delete__"):
        return _Data(found, name, recorder)
    return _Held(found, name, recorder)


def _is_read(frame: FrameType) -> bool:
    # To copy a member of an enumeration, early releases of 3.11 read it from its class by name: nobody wrote that name.
    return not callsite.is_looking(frame) and callsite.module_name(frame) != "copy"


def _read(recorder: UseRecorder | LateRecorder, frame: FrameType) -> None:
    if _is_read(callsite.asking(frame)):
        record(recorder, "attribute", frame)


class _Data:
    """In front of a data descriptor of a class, which keeps the value."""

    def __init__(self, found: Any, name: str, recorder: UseRecorder | LateRecorder) -> None:
        self.found, self.name, self.recorder = found, name, recorder
        self.__doc__ = getattr(found, "__doc__", None)

    @callsite.unseen
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        _read(self.recorder, sys._getframe(1))
        return self.found.__get__(instance, owner)

    @callsite.unseen
    def __set__(self, instance: Any, value: Any) -> None:
        self.found.__set__(instance, value)

    @callsite.unseen
    def __delete__(self, instance: Any) -> None:
        self.found.__delete__(instance)


class _Held:
    """In front of an attribute of a class that an instance may have of its own too: a constant, a cached property."""

    def __init__(self, found: Any, name: str, recorder: UseRecorder | LateRecorder) -> None:
        self.found, self.name, self.recorder = found, name, recorder
        self.__doc__ = getattr(found, "__doc__", None)

    @callsite.unseen
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        _read(self.recorder, sys._getframe(1))
        own = getattr(instance, "__dict__", None) if instance is not None else None
        if own is not None and self.name in own:
            return own[self.name]
        get = getattr(type(self.found), "__get__", None)
        return self.found if get is None else get(self.found, instance, owner)

    @callsite.unseen
    def __set__(self, instance: Any, value: Any) -> None:
        self._own(instance)[self.name] = value

    @callsite.unseen
    def __delete__(self, instance: Any) -> None:
        own = self._own(instance)
        if self.name not in own:
            raise AttributeError(self.name)
        del own[self.name]

    def _own(self, instance: Any) -> dict[str, Any]:
        own: dict[str, Any] | None = getattr(instance, "__dict__", None)
        if own is None:
            raise AttributeError(f"{type(instance).__name__!r} object attribute {self.name!r} is read-only")
        return own


def watch_enum(owner: Any, name: str, recorder: UseRecorder) -> Callable[[], None]:
    """Count each use of a member of an enumeration: by attribute, by name, by value; return the undoing."""
    found = owner.__members__[name]
    undoings = [
        watch_names(owner, name, recorder),
        put(owner, name, _Constant(found, recorder)),
        put(owner, "__new__", looked_up(owner, lambda member: recorder if member is found else None, "attribute")),
    ]

    def undo() -> None:
        while undoings:
            undoings.pop()()

    return undo


def watch_names(owner: Any, name: str, recorder: UseRecorder, moved: Callable[[], object] | None = None) -> Callable[[], None]:
    """Count each look-up of a member of an enumeration by name, and let the errors of its descriptor through.

    ``moved`` returns what a name stands for that is none of the enumeration's own any more, until its row expires.
    """
    held = owner._member_map_
    if not isinstance(held, _Members):
        type.__setattr__(owner, "_member_map_", _Members(held))
    owner._member_map_.recorders[name] = recorder
    if moved is not None:
        owner._member_map_.moved[name] = moved

    def undo() -> None:
        members = owner._member_map_
        if isinstance(members, _Members):
            members.recorders.pop(name, None)
            members.moved.pop(name, None)
            if not members.recorders:
                type.__setattr__(owner, "_member_map_", dict(members))

    return undo


def put_member(
    owner: Any, name: str, made: object, recorder: UseRecorder, moved: Callable[[], object] | None = None
) -> Callable[[], None]:
    """Set an attribute of a class which may be an enumeration: there it is one by name, too; return the undoing."""
    leave = put(owner, name, made)
    if not isinstance(owner, enum.EnumMeta):
        return leave
    forget = watch_names(owner, name, recorder, moved)
    return lambda: (forget(), leave())[1]


class _Constant:
    def __init__(self, found: Any, recorder: UseRecorder) -> None:
        self.found, self.recorder = found, recorder

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        _read(self.recorder, sys._getframe(1))
        return self.found


class _Members(dict):  # type: ignore[type-arg]
    """The members of an enumeration by name, which counts ``Color["RED"]``; what the enumeration does itself is no use."""

    def __init__(self, members: dict[str, Any]) -> None:
        super().__init__(members)
        self.recorders: dict[str, UseRecorder] = {}
        self.moved: dict[str, Callable[[], object]] = {}

    def __getitem__(self, name: str) -> Any:
        recorder = self.recorders.get(name)
        if recorder is not None:
            self._seen(recorder, callsite.asking(sys._getframe(1)))
            if name in self.moved and not recorder.raises:
                return self.moved[name]()
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        recorder = self.recorders.get(name)  # type: ignore[call-overload]
        if recorder is None:
            return super().__contains__(name)
        return not recorder.raises and (name in self.moved or super().__contains__(name))

    def get(self, name: str, default: Any = None) -> Any:
        recorder = self.recorders.get(name)
        if recorder is None:
            return super().get(name, default)
        if name not in self:
            return default
        self._seen(recorder, callsite.asking(sys._getframe(1)))
        return self.moved[name]() if name in self.moved else super().__getitem__(name)

    def _seen(self, recorder: UseRecorder, frame: FrameType) -> None:
        if callsite.module_name(frame) != "enum":
            if _is_read(frame):
                record_lookup(recorder, "attribute", frame, LegacyExpiredKey)
        elif frame.f_code.co_name == "__getitem__":
            record_lookup(recorder, "attribute", callsite.find_user(frame), LegacyExpiredKey)
        elif frame.f_code.co_name == "__getattr__":
            # Up to 3.11 an enumeration answers itself where its descriptor has raised.
            lost = lost_error(recorder.move.attribute)
            if lost is not None:
                raise lost from None
