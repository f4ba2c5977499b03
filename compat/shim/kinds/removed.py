"""Removed: every use raises an error that says what to write instead, and is counted first."""

from __future__ import annotations

import sys

from ..in_place.classes import put
from ..recording import bytecode, callsite, lazy
from ..serving import imports
from ..serving.descriptors import hide
from .kind import Kind, Placed, member_fault, owner_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType, ModuleType
    from typing import Any

    from compat.ledger import Move

    from ..recording.funnel import UseRecorder
    from ..serving.installed import Installed


class RemovedKind(Kind):
    """A tombstone in the place of a module or of a name."""

    __slots__ = ()

    def find(self, owner: Installed, name: str, move: Move) -> None:
        """No module; an import of it raises here, ``importlib.util.find_spec`` finds nothing."""
        if name == move.module and imports.is_loading(sys._getframe(2)):
            owner.recorder(move).use("import", callsite.user_frame(sys._getframe(2)))

    def descriptor(self, recorder: UseRecorder) -> property:
        """Raises when it is read; once somebody sets the name, his object answers."""
        name = recorder.move.attribute

        def slow(module: Any, frame: FrameType) -> object:
            if callsite.is_looking(frame) and frame.f_code.co_name != "_handle_fromlist":
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            if callsite.is_importlib(frame):
                return None  # the import system only asks whether to look for a submodule; the read that follows answers
            if not lazy.use_lazily(recorder, frame):
                recorder.use("import" if bytecode.is_import_from(frame) else "attribute", frame)
            return None  # pragma: no cover - a removed row always raises

        def define(module: Any, value: object) -> None:
            # A test double, or a later real definition.
            vars(module)[name] = value
            hide(type(module), name)

        def get(module: Any) -> object:
            return slow(module, sys._getframe(1))

        return property(get, define)

    def changed(self, move: Move) -> str:
        """The member of the class."""
        return move.legacy

    def faults(self, module: ModuleType, path: str, rows: Sequence[Move]) -> Iterator[tuple[Move, str, str]]:
        """There is a class, and nothing on it under the old name."""
        for move in rows:
            fault = member_fault(module, path, move)
            if fault is not None:
                yield (move, *fault)

    def attach(self, module: ModuleType, path: str, rows: Sequence[tuple[Move, UseRecorder]]) -> Callable[[], None]:
        """Put the tombstone on the class; what a subclass or an instance has under the name answers by itself."""
        owner, name = owner_in(module, path)
        return put(owner, name, _Gone(rows[0][1], name))


class _Gone(Placed):
    """A member of a class that is gone: no data descriptor, so that what an instance sets is what it gets."""

    def __init__(self, recorder: UseRecorder, name: str) -> None:
        self.recorder, self.name = recorder, name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        frame = sys._getframe(1)
        if callsite.is_looking(frame):
            shown = f"type object {owner.__name__!r}" if instance is None else f"{owner.__name__!r} object"
            raise AttributeError(f"{shown} has no attribute {self.name!r}")
        self.recorder.use("call" if bytecode.loads_method(frame) else "attribute", frame)


KIND = RemovedKind()
