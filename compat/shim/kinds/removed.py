"""Removed: every use raises an error that says what to write instead, and is counted first."""

from __future__ import annotations

import sys

from ..recording import bytecode, callsite, lazy
from ..serving import imports
from ..serving.descriptors import hide
from .kind import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
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

        def put(module: Any, value: object) -> None:
            # A test double, or a later real definition.
            vars(module)[name] = value
            hide(type(module), name)

        def get(module: Any) -> object:
            return slow(module, sys._getframe(1))

        return property(get, put)


KIND = RemovedKind()
