"""Method: the old method or attribute stands on the canonical class beside the new one, and forwards to it."""

from __future__ import annotations

from ..forward import forward
from ..methods import ClassAttribute, counted_property
from ..recording import thread_origin
from .kind import MISSING, Kind, owner_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType
    from typing import Any

    from compat.ledger import Move

    from ..recording.funnel import UseRecorder


class MethodKind(Kind):
    """Attached to the canonical class."""

    __slots__ = ()

    def changed(self, move: Move) -> str:
        """The old method on the canonical class."""
        module, _, new = move.canonical.partition(":")
        return f"{module}:{'.'.join([*new.split('.')[:-1], move.attribute.rpartition('.')[2]])}"

    def faults(self, module: ModuleType, path: str, rows: Sequence[Move]) -> Iterator[tuple[Move, str, str]]:
        """Both must be members of one class, under two names, and the old one must be free."""
        for move in rows:
            holder, new = owner_in(module, move.canonical.partition(":")[2])
            old = path.rpartition(".")[2]
            if not isinstance(holder, type):
                yield move, f"{move.canonical!r} is no member of a class", "write 'module:Class.method', or use Name(...)"
            elif new == old:
                yield move, "the move leads back to itself", "point the row at the final canonical path"
            else:
                before = _static(holder, old)
                if before is not MISSING and before is not _static(holder, new) and not _is_ours(before):
                    yield move, f"class {holder.__name__!r} still has a {old!r} of its own", "delete that method, or the row"

    def attach(self, module: ModuleType, path: str, rows: Sequence[tuple[Move, UseRecorder]]) -> Callable[[], None]:
        """Put the old method there; of several rows for it the first holds."""
        move, recorder = rows[0]
        kind, new = owner_in(module, move.canonical.partition(":")[2])
        old = path.rpartition(".")[2]
        before = vars(kind).get(old, MISSING)
        setattr(kind, old, legacy_attribute(kind, new, recorder))

        def undo() -> None:
            if before is MISSING:
                delattr(kind, old)
            else:
                setattr(kind, old, before)

        return undo


def _static(kind: type, name: str) -> Any:
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), MISSING)


def _is_ours(found: Any) -> bool:
    """Whether an attribute of a class was put there by a row, of a base class say."""
    found = getattr(found, "__func__", found)
    if isinstance(found, property):
        return isinstance(found, ClassAttribute) or getattr(found.fget, "__module__", "") == counted_property.__module__
    return thread_origin.is_legacy(found)


def legacy_attribute(kind: type, new: str, recorder: UseRecorder) -> Any:
    """What stands on a class under a legacy method's name: a forwarder, or a property for what is not called."""
    found = next((vars(base)[new] for base in kind.__mro__ if new in vars(base)), None)
    if isinstance(found, (staticmethod, classmethod)):
        return type(found)(forward(found.__func__, recorder, kind="call"))
    if callable(found):
        return forward(found, recorder, kind="call", through=new)
    made = counted_property(recorder, new)
    if found is None or hasattr(type(found), "__set__"):
        return made  # what instances have, or what is a property there too
    return ClassAttribute.of(made, recorder, new)


KIND = MethodKind()
