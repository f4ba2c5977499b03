"""Lazy imports (Python 3.15): the statement imports nothing, the first read of its name does.

The lazy object, one per statement, identifies the reification: the interpreter asks two to seven times for each.
"""

from __future__ import annotations

import types

from . import bytecode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType
    from typing import Any

    from compat.ledger import Move

    from .funnel import Tap

LAZY: Any = getattr(types, "LazyImportType", None)


def is_reifying(frame: FrameType) -> bool:
    """Whether the frame reads a name that is still a lazy import."""
    return LAZY is not None and lazy_object(frame) is not None


def lazy_object(frame: FrameType) -> Any:
    """The lazy import that the frame's instruction reads, or ``None``."""
    name = bytecode.name_read(frame)
    if not name:
        return None
    found = frame.f_globals.get(name)
    return found if isinstance(found, LAZY) else None


def reified(name: str, tap: Tap, rows: Mapping[str, Move], frame: FrameType) -> None:
    """Count the reification of a lazy import of module ``name`` once."""
    tap.use("import", frame)
