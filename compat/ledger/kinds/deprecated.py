"""Deprecated: what stays where it is, and is not to be used any more."""

from __future__ import annotations

import sys

from ..paths import dotted, resolve
from . import every

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..move import Fault
    from ..rows import Deprecated

_WAYS = ("construct", "subclass")
_HEAP, _IMMUTABLE = 1 << 9, 1 << 8  # Py_TPFLAGS_HEAPTYPE, and since 3.10 Py_TPFLAGS_IMMUTABLETYPE

meaning = "Something that stays where it is, and is deprecated there, is used."


def advice(row: Deprecated) -> str:
    """Nothing: there is no other path to tell."""
    return ""


def faults(row: Deprecated) -> Iterator[Fault]:
    """As of every row; and ``on`` holds ways to use a class."""
    yield from every.faults(row)
    for way in row.on:
        if way not in _WAYS:
            yield f"on={way!r} is no way to use a class", "write on='construct' or on='subclass', or leave it out"


def target_faults(row: Deprecated, target: object) -> Iterator[Fault]:
    """What is observed must be observable: no member of a type that cannot be changed, no field of instances."""
    if row.on and not isinstance(target, type):
        yield "on says how a class is used, and this is none", "leave on out"
    holder, _, name = row.canonical.rpartition(".")
    owner = resolve(holder)[0] if "." in row.attribute else None
    changed = target if isinstance(target, type) else owner
    if isinstance(changed, type) and (not changed.__flags__ & _HEAP or changed.__flags__ & _IMMUTABLE):
        yield f"{dotted(row.canonical)} belongs to a type that cannot be changed", "deprecate a function that uses it"
    elif name in getattr(owner, "__dataclass_fields__", ()):
        yield f"{name} is a field of instances, whose uses are not seen", "deprecate an argument, or make it a property"
    elif row.covers("subclass") and sys.version_info < (3, 12) and getattr(target, "_is_protocol", False):
        yield "subclassing of a protocol is not seen before Python 3.12", "write on='construct', or move the protocol"
