"""Rows about callables that still exist: legacy methods attached to canonical classes, functions that take legacy arguments."""

from __future__ import annotations

import functools

from compat.ledger import Argument, Ledger, Method, Move

from .arguments import accept
from .forward import forward
from .methods import ClassAttribute, counted_property

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from .funnel import Tap


@functools.lru_cache(maxsize=64)
def canonical_modules(ledger: Ledger) -> frozenset[str]:
    """The canonical modules that this ledger's Method and Argument rows change as they are imported."""
    return frozenset(move.canonical.partition(":")[0] for move in ledger if isinstance(move, (Method, Argument)))


def attach(module: ModuleType, ledger: Ledger, tap_of: Callable[[Move], Tap]) -> list[Callable[[], None]]:
    """Attach what the ledger says about a live canonical module; return the undoings."""
    if module.__name__ not in canonical_modules(ledger):
        return []
    undoings: list[Callable[[], None]] = []
    arguments: dict[str, list[Argument]] = {}
    for move in ledger:
        if move.canonical.partition(":")[0] != module.__name__:
            continue
        if isinstance(move, Method):
            undoings.append(_attach_method(module, move, tap_of(move)))
        elif isinstance(move, Argument):
            arguments.setdefault(move.canonical.partition(":")[2], []).append(move)
    for path, moves in arguments.items():
        owner, name = _owner(module, path)
        rows = [(move, tap_of(move)) for move in moves]
        undoings.append(_replace(owner, name, functools.partial(accept, rows=rows)))
    return undoings


def _owner(module: ModuleType, path: str) -> tuple[Any, str]:
    owner: Any = module
    *heads, last = path.split(".")
    for head in heads:
        owner = getattr(owner, head)
    return owner, last


_MISSING: Any = object()


def _replace(owner: Any, name: str, change: Callable[[Any], Any]) -> Callable[[], None]:
    """Put ``change(callable)`` in place of ``owner.name``, whatever kind of method it is."""
    raw = vars(owner).get(name, _MISSING)
    found = raw if raw is not _MISSING else getattr(owner, name)
    if isinstance(found, (staticmethod, classmethod)):
        changed: Any = type(found)(change(found.__func__))
    else:
        changed = change(found)
    setattr(owner, name, changed)

    def undo() -> None:
        if vars(owner).get(name) is changed:
            if raw is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, raw)

    return undo


def _attach_method(module: ModuleType, move: Method, tap: Tap) -> Callable[[], None]:
    kind, new = _owner(module, move.canonical.partition(":")[2])
    old = move.legacy.rpartition(".")[2]
    before = vars(kind).get(old, _MISSING)
    setattr(kind, old, legacy_attribute(kind, new, tap))

    def undo() -> None:
        if before is _MISSING:
            delattr(kind, old)
        else:
            setattr(kind, old, before)

    return undo


def legacy_attribute(kind: type, new: str, tap: Tap) -> Any:
    """What stands on a class under a legacy method's name: a forwarder, or a property for what is not called."""
    found = next((vars(base)[new] for base in kind.__mro__ if new in vars(base)), None)
    if isinstance(found, (staticmethod, classmethod)):
        return type(found)(forward(found.__func__, tap, kind="call"))
    if callable(found):
        return forward(found, tap, kind="call", through=new)
    made = counted_property(tap, new)
    if found is None or hasattr(type(found), "__set__"):
        return made  # what instances have, or what is a property there too
    return ClassAttribute.of(made, tap, new)
