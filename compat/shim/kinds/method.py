"""Method: the old method or attribute stands on the canonical class beside the new one, and forwards to it."""

from __future__ import annotations

import enum
import functools
import inspect
import sys

from ..forward import forward
from ..function_like import FunctionLike
from ..in_place.classes import put
from ..in_place.members import watch_names
from ..methods import ClassAttribute, Gone, counted_property
from ..overriding import Renamed, record_override, watch
from ..recording import bytecode, callsite, thread_origin
from ..recording.funnel import record, record_read
from ..serving.targets import resolve
from ..wires import MISSING, owner_in, static, unwired
from .kind import Kind, member_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType, ModuleType
    from typing import Any

    from compat.ledger import Method

    from ..recording.funnel import UseRecorder


class MethodKind(Kind):
    """Attached to the class."""

    __slots__ = ()

    def needs(self, rows: Sequence[Method]) -> Iterator[str]:
        """Those of the functions that methods became."""
        yield from (row.canonical.partition(":")[0] for row in rows if row.became_function)

    def faults(self, module: ModuleType, path: str, rows: Sequence[Method]) -> Iterator[tuple[Method, str, str]]:
        """Both must be members of one class, under two names, and the old one must be free."""
        for move in rows:
            fault = self._fault(module, path, move)
            if fault is not None:
                yield (move, *fault)

    def _fault(self, module: ModuleType, path: str, move: Method) -> tuple[str, str] | None:
        fault = member_fault(module, path, move)
        if move.became_function:
            if fault is None and not callable(resolve(move.canonical, move.id)):
                return f"{move.canonical!r} is not callable", "name a function, or use Name(...) for what is read"
            return fault
        holder, new = owner_in(module, move.canonical.partition(":")[2])
        if not isinstance(holder, type):
            return f"{move.canonical!r} is no member of a class", "write 'module:Class.method', or use Name(...)"
        if sys.version_info < (3, 12) and getattr(holder, "_is_runtime_protocol", False):
            return f"{holder.__name__!r} is a runtime protocol: all its members are asked of an instance", "leave it as it is"
        old, found = path.rpartition(".")[2], static(holder, new)
        if new == old and not move.was:
            return "the move leads back to itself", "point the row at the final canonical path"
        if new == old and move.was == "property":
            return "reading it cannot be told from taking the method", "give the method another name, or deprecate the property"
        if move.was == "method" and not isinstance(found, type) and callable(found):
            return f"{move.canonical!r} is called, too", "leave was= out"
        if move.was == "property" and not callable(getattr(found, "__func__", found)):
            return f"{move.canonical!r} is not called", "leave was= out"
        before = static(holder, old)
        if new != old and before is not MISSING and (before is found or _is_ours(before)):
            return None
        return None if new == old and fault is not None and "still has" in fault[0] else fault

    def attach(self, module: ModuleType, path: str, rows: Sequence[tuple[Method, UseRecorder]]) -> Callable[[], None]:
        """Put the old method there; of several rows for it the first holds. Then watch for subclasses that override it."""
        move, recorder = rows[0]
        kind, old = owner_in(module, path)
        if move.became_function:
            target: Any = resolve(move.canonical, move.id)
            made: Any = _function(move, recorder, target)
            new = ""
        else:
            new = move.canonical.rpartition(".")[2]
            made = _reshaped(move, kind, new, recorder) if move.was else legacy_attribute(kind, new, recorder)
        if recorder.raises and old != new:
            made = Gone(recorder, old)
        before = unwired(vars(kind).get(old, MISSING))
        type.__setattr__(kind, old, made)
        leaves = [watch(kind, _overriders(move, kind, old, new, made, recorder))] if new != old else []
        if isinstance(kind, enum.EnumMeta) and new in kind.__members__:
            leaves.append(watch_names(kind, old, recorder, lambda: kind.__members__[new]))
        elif isinstance(kind, enum.EnumMeta) and isinstance(made, Gone):
            leaves.append(watch_names(kind, old, recorder))

        def undo() -> None:
            while leaves:
                leaves.pop()()
            now = vars(kind).get(old, MISSING)
            if now is made or _is_ours(now):
                if before is MISSING:
                    type.__delattr__(kind, old)
                else:
                    type.__setattr__(kind, old, before)

        return undo


def _is_ours(found: Any) -> bool:
    """Whether an attribute of a class was put there by a row, of a base class say."""
    found = getattr(found, "__func__", found)
    if isinstance(found, Gone):
        return True
    if isinstance(found, property):
        ours = (counted_property.__module__, Renamed.__module__, __name__)
        return isinstance(found, ClassAttribute) or getattr(found.fget, "__module__", "") in ours
    return thread_origin.is_legacy(found)


def legacy_attribute(kind: type, new: str, recorder: UseRecorder) -> Any:
    """What stands on a class under a legacy method's name: a forwarder, or a property for what is not called."""
    found = static(kind, new)
    if isinstance(found, staticmethod):
        return staticmethod(forward(found.__func__, recorder, kind="call"))
    if isinstance(found, classmethod):
        return classmethod(forward(found.__func__, recorder, kind="call", through=new))
    if found is not MISSING and callable(found):
        return forward(found, recorder, kind="call", through=new)
    made = counted_property(recorder, new)
    if found is MISSING or hasattr(type(found), "__set__"):
        return made  # what instances have, or what is a property there too
    return ClassAttribute.of(made, recorder, new)


@callsite.unseen
def _function(move: Method, recorder: UseRecorder, target: Any) -> Any:
    if move.was == "property":

        def get(self: Any) -> Any:
            record_read(recorder, sys._getframe(1))
            function: Any = resolve(move.canonical, move.id)
            return function(self)

        return property(get)
    return forward(target, recorder, kind="call")


@callsite.unseen
def _reshaped(move: Method, kind: type, new: str, recorder: UseRecorder) -> Any:
    """What was called and is read now, or the other way round."""
    if move.was == "property":

        def get(self: Any) -> Any:
            record_read(recorder, sys._getframe(1))
            return getattr(self, new)()

        return property(get)
    if move.attribute.rpartition(".")[2] == new:
        return _Called(static(kind, new), recorder)

    def old(self: Any) -> Any:
        record(recorder, "call", callsite.stack_top(1))
        return getattr(self, new)

    old.__name__ = move.attribute.rpartition(".")[2]
    return old


class _Called:
    """A property that was a method of the same name: ``thing.name()`` is the old form, ``thing.name`` the present one."""

    def __init__(self, found: Any, recorder: UseRecorder) -> None:
        self.found, self.recorder = found, recorder
        self.__doc__ = getattr(found, "__doc__", None)

    @callsite.unseen
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        value = self.found.__get__(instance, owner)
        if instance is None:
            return value
        frame = callsite.asking(sys._getframe(1))
        if bytecode.loads_method(frame):
            record(self.recorder, "call", frame)
            return lambda: value
        return value

    @callsite.unseen
    def __set__(self, instance: Any, value: Any) -> None:
        self.found.__set__(instance, value)

    @callsite.unseen
    def __delete__(self, instance: Any) -> None:
        self.found.__delete__(instance)


def _overriders(
    move: Method, kind: type, old: str, new: str, made: Any, recorder: UseRecorder
) -> Callable[[type, FrameType | None], Callable[[], None] | None]:
    """The handler of subclasses that define the old name: counted, and reached by those who call the new one."""
    renamed = Renamed(kind, old, new, recorder)
    aware: list[bool] = []

    def overridden(cls: type, frame: FrameType | None) -> Callable[[], None] | None:
        at = _provider(cls, old)
        if at is None or _is_ours(vars(at)[old]) or (at is not cls and issubclass(at, kind)):
            return None
        if not aware and not move.was and new:
            aware.append(True)
            _make_aware(renamed, made)
        if new:
            present, order = _provider(cls, new), cls.__mro__
            if present is not None and order.index(present) <= order.index(at):
                return None  # it knows both names
        raw = vars(at)[old]
        record_override(recorder, raw, frame)
        reached = _reaching(move, raw, old, new)
        return _put_concrete(cls, new, reached) if reached is not None else None

    return overridden


def _provider(cls: type, name: str) -> type | None:
    """The class, of those that a class derives from, a mixin say, that has an attribute."""
    return next((one for one in cls.__mro__ if name in vars(one)), None)


def _put_concrete(cls: Any, name: str, made: object) -> Callable[[], None]:
    """Set an attribute of a class, which may have been abstract; return the undoing."""
    undo = put(cls, name, made)
    abstract: frozenset[str] = getattr(cls, "__abstractmethods__", frozenset())
    if name not in abstract:
        return undo
    cls.__abstractmethods__ = abstract - {name}

    def undo_both() -> None:
        undo()
        cls.__abstractmethods__ = abstract

    return undo_both


def _make_aware(renamed: Renamed, made: Any) -> None:
    """Let the old name on its class know of overriders, with what rows of its arguments have laid around it."""
    kind, old = renamed.kind, renamed.old
    aware, now = _aware(renamed, made), vars(kind).get(old)
    again = getattr(getattr(now, "__func__", now), "__compat_again__", None)
    if aware is None or (now is not made and again is None):
        return
    if again is not None and isinstance(aware, classmethod):
        aware = classmethod(again(aware.__func__))
    elif again is not None:
        aware = again(aware)
    type.__setattr__(kind, old, aware)


def _aware(renamed: Renamed, made: Any) -> Any:
    inner = getattr(made, "__func__", made)
    if isinstance(made, (staticmethod, ClassAttribute)):
        return None
    if isinstance(made, property):
        return renamed.property()
    method = renamed.method(made)
    if isinstance(method, classmethod):
        return classmethod(functools.update_wrapper(method.__func__, inner))
    is_special = inspect.iscoroutinefunction(inner) or inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner)
    wrapper: Any = FunctionLike.of(method, inner) if is_special else method
    return functools.update_wrapper(wrapper, inner)


@callsite.unseen
def _reaching(move: Method, raw: Any, old: str, new: str) -> Any:
    """What stands in a subclass under the new name, so that its definition of the old one is reached; ``None``: nothing can."""
    if not new:
        return None
    if move.was == "method":
        return property(lambda self: getattr(self, old)())
    if move.was == "property":
        return lambda self: getattr(self, old)
    return raw


KIND = MethodKind()
