"""Class: old code gets the adapter, which counts constructions and subclassings too (see :mod:`compat.shim.adapters`)."""

from __future__ import annotations

from ..serving.descriptors import name_property
from .kind import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..recording.funnel import UseRecorder


class ClassKind(Kind):
    """Served by a counted descriptor."""

    __slots__ = ()

    def descriptor(self, recorder: UseRecorder) -> property:
        """Hands out the adapter."""
        return name_property(recorder, recorder.move.adapter)


KIND = ClassKind()
