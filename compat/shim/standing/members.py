"""Stands by for what is read of a class: properties and attributes, deprecated in their places or renamed."""

from __future__ import annotations

import functools
from types import BuiltinFunctionType, FunctionType

from .. import wires
from ..wires import MISSING, Member, static, trip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


_CALLED = (FunctionType, BuiltinFunctionType, staticmethod, classmethod, type)


class Placed:
    """In front of an attribute of a class; ``real`` is what serves it where somebody has put his own in its place."""

    real: Any = None
    kind: Any
    name: str
    found: Any

    def now(self) -> Any:
        """What serves the attribute by now; what stood there before, where nothing does."""
        trip()
        now = self.real if self.real is not None else vars(self.kind).get(self.name, self)
        return self.found if now is self else now

    def placed(self, kind: Any, name: str, found: Any) -> Any:
        """Remember what it stands for."""
        self.kind, self.name, self.found = kind, name, found
        return self


class Property(Placed, property):
    """In front of a property."""


class Data(Placed):
    """In front of a data descriptor, which keeps the value."""

    def __init__(self, found: Any) -> None:
        self.__doc__ = getattr(found, "__doc__", None)

    @wires.unseen
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self.now().__get__(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        self.found.__set__(instance, value)

    def __delete__(self, instance: Any) -> None:
        self.found.__delete__(instance)


class Held(Data):
    """In front of an attribute that an instance may have of its own, too."""

    @wires.unseen
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        now = self.now()
        own = getattr(instance, "__dict__", None) if instance is not None and now is self.found else None
        if own is not None and self.name in own:
            return own[self.name]
        get = getattr(type(now), "__get__", None)
        return now if get is None else get(now, instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        self._own(instance)[self.name] = value

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


def watch(kind: Any, name: str, place: tuple[str, str]) -> bool:
    """Stand by for an attribute that is deprecated in its place; return whether that could be done."""
    found = static(kind, name)
    if found is MISSING or name.startswith("__") or wires.is_wire(vars(kind).get(name)) or isinstance(found, _CALLED):
        return False
    if type(found) is property:
        made: Any = _property(found)
    elif hasattr(type(found), "__set__") or hasattr(type(found), "__delete__"):
        made = Data(found)
    else:
        made = Held(found)
    wires.lay(kind, name, made.placed(kind, name, found), vars(kind).get(name, MISSING))
    wires.put_at(place, kind, name, made)
    return True


@wires.unseen
def _property(found: property) -> Property:
    def get(self: Any) -> Any:
        now = made.now()
        return now.fget(self) if hasattr(now, "fget") else now.__get__(self, type(self))

    def put(self: Any, value: Any) -> None:
        now = made.now()
        now.fset(self, value) if hasattr(now, "fset") else now.__set__(self, value)

    if found.fget is not None:
        functools.update_wrapper(get, found.fget)
    made = Property(get, put if found.fset is not None else None, found.fdel, found.__doc__)
    return made


class Renamed(Member):
    """A name that a class lacks, of what is read and may be assigned; ``was`` is ``method`` or ``property`` of what changed."""

    __slots__ = ("was",)

    def __init__(self, name: str, canonical: str, became: str, was: str) -> None:
        super().__init__(name, canonical, became)
        self.was = was

    @wires.unseen
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if not self.was or trip() or instance is None:
            return Member.__get__(self, instance, owner)
        if not self.became:
            return wires.kept_at(self.canonical)(instance)
        value = getattr(instance, self.became)
        return value() if self.was == "property" else lambda: value

    @wires.unseen
    def __set__(self, instance: Any, value: Any) -> None:
        real = self._real(instance)
        if hasattr(type(real), "__set__"):
            real.__set__(instance, value)
        elif real is MISSING and self.became and not self.was:
            setattr(instance, self.became, value)
        else:
            vars(instance)[self.name] = value

    @wires.unseen
    def __delete__(self, instance: Any) -> None:
        real = self._real(instance)
        if hasattr(type(real), "__delete__"):
            real.__delete__(instance)
        elif real is MISSING and self.became and not self.was:
            delattr(instance, self.became)
        elif self.name in vars(instance):
            del vars(instance)[self.name]
        else:
            raise AttributeError(self.name)

    def _real(self, instance: Any) -> Any:
        return static(type(instance), self.name) if trip() else MISSING


def watch_renamed(kind: Any, name: str, row: Any, became: str) -> None:
    """Stand by under a name that a class lacks, for what is read of it or was."""
    was = "method" if row.was_called else "property" if row.was_read else ""
    wires.lay(kind, name, Renamed(name, row.canonical, became, was), MISSING)
