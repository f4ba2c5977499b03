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

    @wires.unseen
    def __getitem__(self, name: str) -> Any:
        if name in self.wanted and (not wires.standing or _is_asked(sys._getframe(1))) and wires.trip():
            now = self.kind._member_map_
            if now is not self:
                return now[name]
        return super().__getitem__(name)


def _is_asked(frame: Any) -> bool:
    return frame.f_globals.get("__name__") != "enum" or frame.f_code.co_name in ("__getitem__", "__getattr__")


@wires.unseen
def watch(kind: Any, name: str) -> bool:
    """Trip where a member is used; return whether that could be done."""
    if wires.is_wire(vars(kind).get(name)):
        return False
    members, found = kind._member_map_, kind.__members__[name]
    wires.lay(kind, name, _Constant(kind, name, found), vars(kind).get(name, wires.MISSING))
    if isinstance(members, _Members):
        members.wanted[name] = found
        return True
    members = _Members(kind, members)
    members.wanted[name] = found
    type.__setattr__(kind, "_member_map_", members)
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
