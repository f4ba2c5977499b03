"""Removed: every use raises an error that says what to write instead, and is counted first."""

from __future__ import annotations

import sys

from ..in_place.members import put_member
from ..recording import bytecode, callsite
from ..serving import imports
from ..serving.descriptors import define, gone_getter
from ..serving.refusing import Refusal
from ..wires import owner_in
from .kind import Kind, Placed, member_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from compat.ledger import Move

    from ..recording.funnel import UseRecorder
    from ..serving.installed import Installed


class RemovedKind(Kind):
    """A tombstone in the place of a module or of a name."""

    __slots__ = ()

    def find(self, owner: Installed, name: str, move: Move) -> ModuleSpec | None:
        """An import of the module raises; ``importlib.util.find_spec`` finds nothing."""
        return Refusal(owner, name, move).spec() if name == move.module and imports.is_loading(sys._getframe(2)) else None

    def descriptor(self, recorder: UseRecorder) -> property:
        """Raises when it is read; once somebody sets the name, his object answers."""
        name = recorder.move.attribute

        return property(gone_getter(recorder), lambda module, value: define(module, name, value))

    def faults(self, module: ModuleType, path: str, rows: Sequence[Move]) -> Iterator[tuple[Move, str, str]]:
        """There is a class, and nothing on it under the old name."""
        for move in rows:
            fault = member_fault(module, path, move)
            if fault is not None:
                yield (move, *fault)

    def attach(self, module: ModuleType, path: str, rows: Sequence[tuple[Move, UseRecorder]]) -> Callable[[], None]:
        """Put the tombstone on the class; what a subclass or an instance has under the name answers by itself."""
        owner, name = owner_in(module, path)
        return put_member(owner, name, _Gone(rows[0][1], name), rows[0][1])


class _Gone(Placed):
    """A member of a class that is gone: no data descriptor, so that what an instance sets is what it gets."""

    def __init__(self, recorder: UseRecorder, name: str) -> None:
        self.recorder, self.name = recorder, name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        frame = callsite.asking(sys._getframe(1))
        if callsite.is_looking(frame):
            shown = f"type object {owner.__name__!r}" if instance is None else f"{owner.__name__!r} object"
            raise AttributeError(f"{shown} has no attribute {self.name!r}")
        error = self.recorder.refusal("call" if bytecode.loads_method(frame) else "attribute", frame)
        if error is not None:
            raise error


KIND = RemovedKind()
