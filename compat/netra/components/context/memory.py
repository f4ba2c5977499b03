"""What a context remembers of its own making, for those who look for contexts that live too long."""

from __future__ import annotations

import gc
import os
import sys
import time
import weakref
from types import FrameType
from typing import Any, Optional

_FRAMES = 3
# PyPy's collector does not count.
_count = getattr(gc, "get_count", lambda: (0, 0, 0))
_HERE = os.path.dirname(__file__)


def remembered(context: Any, fingerprint: Optional[str]) -> dict[str, Any]:
    """Return when and where a context is made, with a weak reference to it.

    ``gc_count`` is the collector's own count: walking every object would cost more than making the context.
    """
    return {
        "creation_time": time.time(),
        "creation_stack_summary": _callers(),
        "weak_ref": weakref.ref(context),
        "gc_count": _count()[0],
        "fingerprint": fingerprint,
    }


def _callers() -> list[str]:
    frame: Optional[FrameType] = sys._getframe(1)
    found: list[str] = []
    while frame is not None and len(found) < _FRAMES:
        code = frame.f_code
        # The constructor is no caller: its own module, and the initializers that dataclasses writes.
        if os.path.dirname(code.co_filename) != _HERE and code.co_filename != "<string>":
            found.append(f"{code.co_filename}:{frame.f_lineno} in {code.co_name}")
        frame = frame.f_back
    return found
