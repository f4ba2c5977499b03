"""Name: old code gets the canonical object itself, counted where the name is imported or read."""

from __future__ import annotations

import sys

from ..in_place.members import put_member
from ..recording import callsite
from ..recording.funnel import record_read
from ..serving.descriptors import name_property
from ..serving.targets import resolve
from ..wires import owner_in
from .kind import Kind, Placed, member_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType
    from typing import Any

    from compat.ledger import Move

    from ..recording.funnel import UseRecorder


class NameKind(Kind):
    """Served by a counted descriptor: on the class of its module, or on the class that had it as an attribute."""

    __slots__ = ()

    def descriptor(self, recorder: UseRecorder) -> property:
        """Hands out what stands at the canonical path."""
        return name_property(recorder, recorder.move.canonical)

    def faults(self, module: ModuleType, path: str, rows: Sequence[Move]) -> Iterator[tuple[Move, str, str]]:
        """There is a class, and nothing on it under the old name."""
        for move in rows:
            fault = member_fault(module, path, move)
            if fault is not None:
                yield (move, *fault)

    def attach(self, module: ModuleType, path: str, rows: Sequence[tuple[Move, UseRecorder]]) -> Callable[[], None]:
        """Put the attribute there; of several rows for it the first holds."""
        owner, name = owner_in(module, path)
        move, recorder = rows[0]
        return put_member(owner, name, _Moved(recorder), recorder, lambda: resolve(move.canonical, move.id))


class _Moved(Placed):
    """An attribute of a class, and of its instances, that stands elsewhere now."""

    def __init__(self, recorder: UseRecorder) -> None:
        self.recorder = recorder

    @callsite.unseen
    def __get__(self, instance: object, owner: object = None) -> Any:
        move, frame = self.recorder.move, callsite.asking(sys._getframe(1))
        if self.recorder.raises:
            error = self.recorder.refusal("attribute", frame) if not callsite.is_looking(frame) else None
            raise error or AttributeError(
                f"type object {getattr(owner, '__name__', owner)!r} has no attribute {move.attribute!r}"
            )
        record_read(self.recorder, frame)
        return resolve(move.canonical, move.id)


KIND = NameKind()
