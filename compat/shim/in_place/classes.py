"""Construction and subclassing of a class that stays: the same object before and after, for ``except`` and pickles too."""

from __future__ import annotations

import enum
import functools
import inspect
import sys

from compat.errors import LegacyExpiredAttribute, LegacyExpiredValue, RemovedAttribute, RemovedKey

from .. import wires
from ..forward import IN_PLACE
from ..recording import callsite
from ..recording.funnel import lost_error, record, refused
from ..wires import MISSING, static, unwired

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from compat.ledger import Deprecated

    from ..recording.funnel import LateRecorder, UseRecorder

#: They make a decorated class a second time; its statement was counted at the first.
_REMAKERS = ("dataclasses", "attr._make")


def watch(kind: Any, recorder: UseRecorder | LateRecorder, row: Deprecated) -> Callable[[], None]:
    """Count constructions of exactly this class and statements that derive from it directly; return the undoing."""
    undoings = []
    if row.covers("construct"):
        made = _lookup(kind, recorder) if isinstance(kind, enum.EnumMeta) else _construction(kind, recorder)
        undoings.append(put(kind, "__new__" if isinstance(kind, enum.EnumMeta) else "__init__", made))
    if row.covers("subclass") and not (sys.version_info < (3, 12) and getattr(kind, "_is_protocol", False)):
        undoings.append(put(kind, "__init_subclass__", _subclassing(kind, recorder)))

    def undo() -> None:
        while undoings:
            undoings.pop()()

    return undo


def put(kind: Any, name: str, made: object) -> Callable[[], None]:
    """Set an attribute of a class, past what its metaclass forbids; return the undoing."""
    raw = unwired(vars(kind).get(name, MISSING))
    type.__setattr__(kind, name, made)

    def undo() -> None:
        if vars(kind).get(name) is made:
            if raw is MISSING:
                type.__delattr__(kind, name)
            else:
                type.__setattr__(kind, name, raw)

    return undo


def _construction(kind: Any, recorder: UseRecorder | LateRecorder) -> Any:
    # In __init__ and not in __new__: copies and unpickled instances are not constructed by anybody, and a __new__ that was
    # set once cannot be taken out again.
    raw = unwired(vars(kind).get("__init__", MISSING))
    bare_new: Any = object.__new__
    bare_init: Any = object.__init__
    before: Any = static(kind, "__init__")
    plain = raw is MISSING and before is bare_init

    def __init__(self: Any, /, *args: Any, **kwargs: Any) -> None:
        if type(self) is kind:
            record(recorder, "construct", above_metaclass(callsite.stack_top(1), ("__call__",)))
        if raw is not MISSING:
            raw.__get__(self, type(self))(*args, **kwargs)
        elif super(kind, type(self)).__init__ is not bare_init:
            super(kind, self).__init__(*args, **kwargs)
        elif (args or kwargs) and type(self).__new__ is bare_new:
            raise TypeError(f"{type(self).__name__}() takes no arguments")

    functools.update_wrapper(__init__, before)
    if plain:
        del __init__.__wrapped__  # type: ignore[attr-defined]
    if raw is MISSING:
        try:
            first = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
            shown = _signature(kind)
            __init__.__signature__ = shown.replace(parameters=[first, *shown.parameters.values()])  # type: ignore[attr-defined]
        except (ValueError, TypeError):
            pass
    return __init__


def _signature(kind: Any) -> inspect.Signature:
    """That of a class as if nothing stood by for the constructor which it lacks."""
    stands_by = "__init__" in vars(kind) and unwired(vars(kind)["__init__"]) is MISSING
    if stands_by and "__new__" not in vars(kind) and type(kind).__call__ is type.__call__:
        return _signature(next(base for base in kind.__mro__[1:] if "__init__" in vars(base) or "__new__" in vars(base)))
    return inspect.signature(kind)


def _lookup(kind: Any, recorder: UseRecorder | LateRecorder) -> Any:
    # Enumerations look members up in __new__, and run __init__ once for each member only.
    return looked_up(kind, lambda _member: recorder, "construct")


def record_lookup(recorder: UseRecorder | LateRecorder, use: str, frame: FrameType | None, kind: Any) -> None:
    """Count one look-up of a member of an enumeration; where that is gone, raise the ``kind`` of error that the look-up has."""
    error = refused(recorder, use, frame)
    if isinstance(error, (LegacyExpiredAttribute, RemovedAttribute)):
        lost_error(error.legacy_name)  # type: ignore[union-attr]
        error = RemovedKey(str(error)) if isinstance(error, RemovedAttribute) else kind(error.sentence, name=error.name)
    if error is not None:
        raise error


def looked_up(kind: Any, recorder_of: Callable[[Any], UseRecorder | LateRecorder | None], use: str) -> Any:
    """The ``__new__`` of an enumeration that counts a member's look-up by value."""
    original = static(kind, "__new__").__get__(None, kind)

    def __new__(cls: Any, /, *args: Any, **kwargs: Any) -> Any:
        found = original(cls, *args, **kwargs)
        recorder = recorder_of(found)
        asked = callsite.stack_top(1) if recorder is not None else None
        frame = callsite.asking(asked).f_back if asked is not None else None
        if recorder is not None and (frame is None or callsite.module_name(frame) != "copy"):
            record_lookup(recorder, use, callsite.find_user(frame), LegacyExpiredValue)
        return found

    return staticmethod(functools.update_wrapper(__new__, original))


def _subclassing(kind: Any, recorder: UseRecorder | LateRecorder) -> Any:
    raw = unwired(vars(kind).get("__init_subclass__", MISSING))

    def __init_subclass__(cls: Any, /, **kwargs: Any) -> None:
        if kind in cls.__bases__:
            frame = callsite.stack_top(1)
            frame = callsite.asking(frame) if frame is not None else None
            if frame is None or callsite.module_name(frame) not in _REMAKERS:
                record(recorder, "subclass", above_metaclass(frame, ("__new__", "__call__", "__init_subclass__")))
        if raw is not MISSING:
            raw.__get__(None, cls)(**kwargs)
        else:
            super(kind, cls).__init_subclass__(**kwargs)

    return classmethod(__init_subclass__)


def above_metaclass(frame: FrameType | None, names: tuple[str, ...]) -> FrameType | None:
    """The frame of the statement that made an instance or a class: above what its metaclass or a base adds to that."""
    while frame is not None:
        code = frame.f_code
        if callsite.module_name(frame) not in ("abc", "_py_abc") and code.co_filename != wires.FILE:
            if code.co_name not in names or not code.co_argcount:
                return frame
            if not isinstance(frame.f_locals.get(code.co_varnames[0]), type):
                return frame
        frame = frame.f_back
    return None


for passing in (_construction, looked_up, _subclassing):
    wires.unseen(passing, IN_PLACE)
