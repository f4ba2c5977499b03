"""Legacy methods and attributes on adapters: renamed, converted, or written out; each counted and warned at its caller."""

from __future__ import annotations

import functools
import inspect
import sys

from compat.ledger import Method

from .forward import forward
from .recording import callsite
from .recording.funnel import LateRecorder, UseRecorder, record, record_read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, overload

    from typing_extensions import Concatenate, ParamSpec

    P = ParamSpec("P")
    R = TypeVar("R")


class Legacy:
    """What a decorator or :func:`renamed` leaves in a class body; the class puts the real attribute in its place."""

    def __init__(self, instead: str | None, note: str = "") -> None:
        self.instead, self.note = instead, note

    def recorder(self, owner: Any, name: str) -> LateRecorder:
        """The recorder of ``owner.name``: its move takes versions and path from the owner's own row."""

        def make(hot: dict[int, Any]) -> UseRecorder:
            row, ledger = owner.__compat_row__()
            move = Method(
                f"{row.legacy}.{name}",
                f"{row.canonical}.{self.target(name)}",
                since=row.since,
                removal=row.removal,
                instead=self.instead,
                note=self.note,
            ).replace(ledger=row.ledger, category=row.category)
            return UseRecorder(move, ledger, hot)

        return LateRecorder(make)

    def target(self, name: str) -> str:
        """The canonical attribute's name."""
        return name

    def made(self, owner: Any, name: str) -> Any:
        """The attribute to put on the class."""
        raise NotImplementedError


class _Written(Legacy):
    def __init__(self, function: Any, instead: str | None, note: str) -> None:
        super().__init__(instead, note)
        self.function = function

    def made(self, owner: Any, name: str) -> Any:
        recorder, function = self.recorder(owner, name), self.function
        if isinstance(function, (staticmethod, classmethod)):
            return type(function)(forward(function.__func__, recorder))
        if isinstance(function, property):
            return counted(function, recorder)
        return forward(function, recorder)


def legacy_method(*, instead: str | None, note: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a method, property, static or class method of an adapter as legacy: each use is counted and warned.

    ``instead`` says what to write; ``None`` words it from the canonical method of the same name. Stands outermost.
    """

    def mark(function: Callable[P, R]) -> Callable[P, R]:
        return _Written(function, instead, note)  # type: ignore[return-value]

    return mark


class _Instance(_Written):
    def made(self, owner: Any, name: str) -> Any:
        recorder = self.recorder(owner, name)

        def instance(cls: Any, *args: Any, **kwargs: Any) -> Any:
            return cls.__compat_make__(*args, **kwargs)

        return classmethod(forward(instance, recorder, like=self.function))


def shared_instance(*, instead: str | None, note: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark an adapter's class method that handed out the one instance, ``instance()`` say; its body is not run.

    It takes what ``__build__`` takes and returns what construction returns, which is one object where the factory returns one.
    ``instead`` says what to write, the call of the factory.
    """

    def mark(function: Callable[P, R]) -> Callable[P, R]:
        return _Instance(function, instead, note)  # type: ignore[return-value]

    return mark


class _Answered(_Written):
    """A legacy method of a part: called on the adapter, answered by the part that the instance keeps under ``attribute``."""

    def __init__(self, written: _Written, attribute: str) -> None:
        super().__init__(written.function, written.instead, written.note)
        self.attribute = attribute

    def made(self, owner: Any, name: str) -> Any:
        path = f"{self.attribute}.{name}"
        if isinstance(self.function, property):
            return counted_property(self.recorder(owner, name), path)
        return forward(self.function, self.recorder(owner, name), through=path)


class Part:
    """A part that an adapter is made of: an object of its own, whose legacy methods are served by the adapter.

    ``class Shop(Adapter, of="...", parts={"_stock": Stock})`` has the legacy methods of ``Stock``, counted; each instance of the
    adapter keeps the part that answers them as ``_stock``. On the part itself they are plain methods.
    """

    __compat_written__: dict[str, _Written] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        written = {name: value for name, value in vars(cls).items() if isinstance(value, _Written)}
        for name, value in written.items():
            if isinstance(value.function, (staticmethod, classmethod)):
                raise TypeError(
                    f"{cls.__name__}.{name}: a part answers for one instance; write a static or class method on the adapter"
                )
            setattr(cls, name, value.function)
        cls.__compat_written__ = {**cls.__compat_written__, **written}

    @classmethod
    def __compat_answers__(cls, attribute: str) -> dict[str, Legacy]:
        """What stands on an adapter whose instances keep the part under ``attribute``, by name."""
        return {name: _Answered(value, attribute) for name, value in cls.__compat_written__.items()}


class _Renamed(Legacy):
    def __init__(self, new: str, instead: str | None, note: str) -> None:
        super().__init__(instead, note)
        self.new = new

    def target(self, name: str) -> str:
        return self.new

    def made(self, owner: Any, name: str) -> Any:
        return renamed_attribute(owner, name, self.new, self.recorder(owner, name))


if TYPE_CHECKING:

    @overload
    def renamed(new: str, *, instead: str | None = None, note: str = "") -> Any: ...

    @overload
    def renamed(
        new: Callable[Concatenate[Any, P], R], *, instead: str | None = None, note: str = ""
    ) -> Callable[Concatenate[Any, P], R]: ...


def renamed(new: Any, *, instead: str | None = None, note: str = "") -> Any:
    """``old = renamed("new")``: the canonical method or attribute ``new`` under its legacy name.

    A method may be given itself where its class is at hand, ``old = renamed(Store.new)``: type checkers then know the
    signature. Raises TypeError for what is no plain method: attributes and class methods go by their name.
    """
    if not isinstance(new, str):
        name = None if inspect.ismethod(new) else getattr(new, "__name__", None)
        if name is None or not callable(new):
            raise TypeError(f"renamed() takes a plain method or a name, not {new!r}: write renamed('its name')")
        new = name
    return _Renamed(new, instead, note)


def renamed_attribute(owner: Any, name: str, new: str, recorder: LateRecorder) -> Any:
    """The attribute of an adapter class that hands out the canonical ``new``, counted when called or read."""
    found = inspect.getattr_static(owner.__compat_canonical__(), new, None)
    if found is not None and callable(found) and not isinstance(found, type):
        made = forward(found, recorder, through=f"canonical.{new}")
        made.__name__ = name
        return made
    return counted_property(recorder, f"canonical.{new}")


class _Converted(Legacy):
    def __init__(self, new: str, to_legacy: Any, to_canonical: Any, instead: str | None, note: str) -> None:
        super().__init__(instead, note)
        self.new, self.to_legacy, self.to_canonical = new, to_legacy, to_canonical

    def target(self, name: str) -> str:
        return self.new

    @callsite.unseen
    def made(self, owner: Any, name: str) -> Any:
        recorder, new, to_legacy, to_canonical = self.recorder(owner, name), self.new, self.to_legacy, self.to_canonical

        def get(self: Any) -> Any:
            record_read(recorder, sys._getframe(1))
            value = getattr(self.canonical, new)
            return to_legacy(value) if to_legacy is not None else value

        def put(self: Any, value: Any) -> None:
            record(recorder, "set", _outside(sys._getframe(1)))
            setattr(self.canonical, new, to_canonical(value) if to_canonical is not None else value)

        return property(get, put)


def converted(new: str, *, to_legacy: Any = None, to_canonical: Any = None, instead: str | None = None, note: str = "") -> Any:
    """``timeout_ms = converted("timeout", to_legacy=..., to_canonical=...)``: an attribute whose form changed too."""
    return _Converted(new, to_legacy, to_canonical, instead, note)


@callsite.unseen
def counted_property(recorder: UseRecorder | LateRecorder, path: str) -> property:
    """A property that reads and writes ``self.<path>``, counted."""
    head, _, last = path.rpartition(".")
    holder: Callable[[Any], Any] = (lambda self: getattr(self, head)) if head else (lambda self: self)

    def get(self: Any) -> Any:
        record_read(recorder, sys._getframe(1))
        return getattr(holder(self), last)

    def put(self: Any, value: Any) -> None:
        record(recorder, "set", _outside(sys._getframe(1)))
        setattr(holder(self), last, value)

    def delete(self: Any) -> None:
        delattr(holder(self), last)

    return property(get, put, delete)


class Gone:
    """What stands in the place of an expired member: it is not found, as after its removal; the error says what to write."""

    def __init__(self, recorder: UseRecorder, name: str) -> None:
        self.recorder, self.name = recorder, name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        frame = callsite.asking(sys._getframe(1))
        error = self.recorder.refusal("attribute", frame) if not callsite.is_looking(frame) else None
        raise error or AttributeError(f"type object {getattr(owner, '__name__', owner)!r} has no attribute {self.name!r}")


class ClassAttribute(property):
    """A counted property that gives the canonical value when it is read on the class too: a constant, a member of an Enum."""

    recorder: Any
    new: str

    @classmethod
    def of(cls, made: property, recorder: UseRecorder | LateRecorder, new: str) -> ClassAttribute:
        """Make one of a counted property."""
        self = cls(made.fget, made.fset, made.fdel)
        self.recorder, self.new = recorder, new
        return self

    @callsite.unseen
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        frame = sys._getframe(1)
        record_read(self.recorder, frame)
        return getattr(owner if instance is None else instance, self.new)


@callsite.unseen
def counted(found: property, recorder: UseRecorder | LateRecorder) -> property:
    """A property that reads and writes as another one does, counted."""

    def get(self: Any) -> Any:
        record_read(recorder, sys._getframe(1))
        return found.fget(self)  # type: ignore[misc]

    def put(self: Any, value: Any) -> None:
        record(recorder, "set", _outside(sys._getframe(1)))
        found.fset(self, value)  # type: ignore[misc]

    made = property(get, put if found.fset is not None else None, found.fdel, found.__doc__)
    if found.fget is not None:
        functools.update_wrapper(get, found.fget)
    return made


def _outside(frame: Any) -> Any:
    # An adapter's own __setattr__ stands between the user and a property's setter.
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith("compat.shim"):
        frame = frame.f_back
    return frame
