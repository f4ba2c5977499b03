"""Constant: the descriptor of the name calls the function at each read."""

from __future__ import annotations

import sys

from compat.shim.kinds.kind import Kind
from compat.shim.recording import bytecode, callsite
from compat.shim.recording.funnel import record
from compat.shim.serving.targets import resolve


class ConstantKind(Kind):
    """Served by a counted descriptor."""

    __slots__ = ()

    def descriptor(self, recorder):
        """Gives what the function returns."""
        move = recorder.move

        def get(module):
            frame = sys._getframe(1)
            if not callsite.is_looking(frame):
                record(recorder, "import" if bytecode.is_import_from(frame) else "attribute", frame)
            return resolve(move.canonical, move.id)()

        return property(get)


KIND = ConstantKind()
