"""Deprecated: what stays where it is, and is not to be used any more."""

from __future__ import annotations

import sys

from ..move import TARGET, Move
from ..paths import dotted, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Optional, Union

    from ..move import Category, Fault

_WAYS = ("construct", "subclass")
_HEAP, _IMMUTABLE = 1 << 9, 1 << 8  # Py_TPFLAGS_HEAPTYPE, and since 3.10 Py_TPFLAGS_IMMUTABLETYPE


class Deprecated(Move):
    """A function, class, method, property, module, constant or enum member stays as it is, and its uses are counted and warned.

    ``on`` says which uses of a class are meant: ``"construct"``, ``"subclass"``, or both, which is what holds unless given.
    """

    kind = "deprecated"
    meaning = "Something that stays where it is, and is deprecated there, is used."
    stays = True
    __slots__ = ("on",)
    on: tuple[str, ...]

    def __init__(
        self,
        path: str,
        *,
        on: Union[str, tuple[str, ...]] = (),
        since: str,
        removal: str,
        instead: str | None,
        note: str = "",
        id: str = "",
        category: Category = None,
        replacement: str = "",
        imports: Union[str, tuple[str, ...]] = (),
        parameters: Optional[str] = None,
    ) -> None:
        super().__init__(
            path,
            path,
            since=since,
            removal=removal,
            instead=instead,
            note=note,
            id=id,
            category=category,
            replacement=replacement,
            imports=imports,
            parameters=parameters,
        )
        object.__setattr__(self, "on", (on,) if isinstance(on, str) else tuple(on))

    @property
    def differs(self) -> str:
        """There is one path only."""
        return "stays where it is"

    @property
    def changed(self) -> str:
        """The thing itself."""
        return self.canonical

    @property
    def place(self) -> str:
        """:data:`compat.ledger.move.TARGET`: what stays is observed in its place."""
        return TARGET

    @property
    def is_importable(self) -> bool:
        """Its path is that of the object itself."""
        return "." not in self.attribute

    def covers(self, use: str) -> bool:
        """A class may be deprecated in one way only."""
        return not self.on or use in self.on

    def advice(self) -> str:
        """Nothing: there is no other path to tell."""
        return ""

    def faults(self) -> Iterator[Fault]:
        """As of every row; and ``on`` holds ways to use a class."""
        yield from super().faults()
        for way in self.on:
            if way not in _WAYS:
                yield f"on={way!r} is no way to use a class", "write on='construct' or on='subclass', or leave it out"

    def target_faults(self, target: object) -> Iterator[Fault]:
        """What is observed must be observable: no member of a type that cannot be changed, no field of instances."""
        if self.on and not isinstance(target, type):
            yield "on says how a class is used, and this is none", "leave on out"
        holder, _, name = self.canonical.rpartition(".")
        owner = resolve(holder)[0] if "." in self.attribute else None
        changed = target if isinstance(target, type) else owner
        if isinstance(changed, type) and (not changed.__flags__ & _HEAP or changed.__flags__ & _IMMUTABLE):
            yield f"{dotted(self.canonical)} belongs to a type that cannot be changed", "deprecate a function that uses it"
        elif name in getattr(owner, "__dataclass_fields__", ()):
            yield f"{name} is a field of instances, whose uses are not seen", "deprecate an argument, or make it a property"
        elif self.covers("subclass") and sys.version_info < (3, 12) and getattr(target, "_is_protocol", False):
            yield "subclassing of a protocol is not seen before Python 3.12", "write on='construct', or move the protocol"
