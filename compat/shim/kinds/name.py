"""Name: old code gets the canonical object itself, counted where the name is imported or read."""

from __future__ import annotations

from ..serving.descriptors import name_property
from .kind import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..recording.funnel import UseRecorder


class NameKind(Kind):
    """Served by a counted descriptor."""

    __slots__ = ()

    def descriptor(self, recorder: UseRecorder) -> property:
        """Hands out what stands at the canonical path."""
        return name_property(recorder, recorder.move.canonical)


KIND = NameKind()
