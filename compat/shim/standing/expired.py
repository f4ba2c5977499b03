"""Stands by for what stays where it is and has expired: it is missing to whoever looks for it, and the first look trips."""

from __future__ import annotations

from .. import wires
from ..wires import MISSING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


class _Gone:
    """A member of a class; what an instance has of its own under its name is what it gets."""

    def __init__(self, kind: Any, name: str) -> None:
        self.kind, self.name = kind, name

    @wires.unseen
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        wires.trip()
        now = vars(self.kind).get(self.name, self)
        if now is self:
            shown = f"type object {owner.__name__!r}" if instance is None else f"{owner.__name__!r} object"
            raise AttributeError(f"{shown} has no attribute {self.name!r}")
        get = getattr(type(now), "__get__", None)
        return now if get is None else get(now, instance, owner)


def watch(kind: Any, name: str, place: tuple[str, str]) -> bool:
    """Stand by for a member of a class; return whether that could be done."""
    found = wires.static(kind, name)
    inner = found.fget if isinstance(found, property) else getattr(found, "__func__", found)
    is_marked = "__compat_marked__" in getattr(inner, "__dict__", ())
    if found is MISSING or is_marked or name.startswith("__") or wires.is_wire(vars(kind).get(name)):
        return False
    made = _Gone(kind, name)
    wires.lay(kind, name, made, vars(kind).get(name, MISSING))
    wires.put_at(place, kind, name, made)
    return True


def hide(module: ModuleType, name: str) -> bool:
    """Trip where a name of a module is read, or all of its names are; return whether that could be done."""
    kind = wires.class_of(module)
    if kind is None:
        return False
    for one in (name, "__all__"):
        if one not in vars(kind):
            wires.watch_name(kind, one)
    return True
