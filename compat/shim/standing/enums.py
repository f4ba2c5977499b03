"""Stands by for a deprecated member of an enumeration: by attribute, by name, and by value."""

from __future__ import annotations

import functools
import sys

from .. import wires

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Constant:
    """In front of the member."""

    def __init__(self, kind: Any, name: str, found: Any) -> None:
        self.kind, self.name, self.found = kind, name, found

    @wires.unseen
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        wires.trip()
        now = vars(self.kind).get(self.name, self)
        get = getattr(type(now), "__get__", None)
        return self.found if now is self else now if get is None else get(now, instance, owner)


class _Members(dict):  # type: ignore[type-arg]
    """The members by name; what the enumeration does itself is no use."""

    def __init__(self, kind: Any, members: dict[str, Any]) -> None:
        super().__init__(members)
        self.kind = kind
        #: Those that are deprecated.
        self.wanted: dict[str, Any] = {}
        #: Names that are no member's any more, and what they became, if that is one of these.
        self.moved: dict[str, str] = {}

    @wires.unseen
    def __getitem__(self, name: str) -> Any:
        now = self._now(name, sys._getframe(1))
        return super().__getitem__(self.moved.get(name, name)) if now is self else now[name]

    @wires.unseen
    def __contains__(self, name: object) -> bool:
        if name in self.moved and wires.trip() and self.kind._member_map_ is not self:
            return name in self.kind._member_map_
        return super().__contains__(name)

    @wires.unseen
    def get(self, name: str, default: Any = None) -> Any:
        now = self._now(name, sys._getframe(1))
        return super().get(self.moved.get(name, name), default) if now is self else now.get(name, default)

    def _now(self, name: str, frame: Any) -> Any:
        if (name in self.wanted or name in self.moved) and (not wires.standing or _is_asked(frame)) and wires.trip():
            return self.kind._member_map_
        return self


def _is_asked(frame: Any) -> bool:
    return frame.f_globals.get("__name__") != "enum" or frame.f_code.co_name in ("__getitem__", "__getattr__")


def watch_key(kind: Any, name: str, became: str) -> None:
    """Trip where a name is looked up that is no member's any more."""
    _members_of(kind).moved[name] = became


def _members_of(kind: Any) -> _Members:
    if not isinstance(kind._member_map_, _Members):
        type.__setattr__(kind, "_member_map_", _Members(kind, kind._member_map_))
    members: _Members = kind._member_map_
    return members


@wires.unseen
def watch(kind: Any, name: str) -> bool:
    """Trip where a member is used; return whether that could be done."""
    if wires.is_wire(vars(kind).get(name)):
        return False
    found = kind.__members__[name]
    wires.lay(kind, name, _Constant(kind, name, found), vars(kind).get(name, wires.MISSING))
    members = _members_of(kind)
    is_first = not members.wanted
    members.wanted[name] = found
    if not is_first:
        return True
    before, original = vars(kind).get("__new__", wires.MISSING), kind.__new__

    def __new__(cls: Any, /, *args: Any, **kwargs: Any) -> Any:
        stood = bool(wires.standing)  # what is called from here may use something itself
        made = original(cls, *args, **kwargs)
        if not stood or not any(made is one for one in members.wanted.values()) or not wires.trip():
            return made
        # By the member itself: nothing that a look-up calls is called twice.
        now = wires.unwired(vars(kind)["__new__"])
        return made if now is before else now.__get__(None, kind)(cls, made)

    wires.lay(kind, "__new__", staticmethod(functools.update_wrapper(__new__, original)), before)
    return True
