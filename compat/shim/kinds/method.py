"""Method: the old method or attribute stands on the canonical class beside the new one, and forwards to it."""

from __future__ import annotations

from ..forward import forward
from ..methods import ClassAttribute, counted_property
from .kind import MISSING, Kind, owner_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

    from compat.ledger import Move

    from ..recording.funnel import UseRecorder


class MethodKind(Kind):
    """Attached to the canonical class."""

    __slots__ = ()

    def changed(self, move: Move) -> str:
        """The old method on the canonical class."""
        return f"{move.canonical.rpartition('.')[0]}.{move.legacy.rpartition('.')[2]}"

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
