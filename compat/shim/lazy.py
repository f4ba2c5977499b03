"""Lazy imports (Python 3.15): the statement imports nothing, the first read of its name does.

The interpreter asks two to seven times while it makes one lazy name real; the lazy object, one per executed statement,
tells them apart.
"""

from __future__ import annotations

import sys
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
_MOST = 4096
_counted: dict[int, tuple[Any, object]] = {}


def target(lazy: Any) -> str:
    """What a lazy import names: the module, or the module and the name that is taken from it."""
    return repr(lazy).partition("'")[2].rpartition("'")[0]


def lazy_object(frame: FrameType, name: str = "") -> Any:
    """The lazy import that the frame's instruction makes real, ``None`` where it makes none.

    ``name`` is the legacy module in question; it finds the object where the read goes through an attribute of a module, which
    the frame does not show.
    """
    read = bytecode.name_read(frame)
    if not read:
        return None
    if not bytecode.is_name_read(frame):
        for module in list(sys.modules.values()):
            found = getattr(module, "__dict__", {}).get(read)
            if isinstance(found, LAZY) and (not name or f"{target(found)}.".startswith(f"{name}.")):
                return found
        return None
    for space in (frame.f_globals, frame.f_builtins):
        if isinstance(space.get(read), LAZY):
            return space[read]
    return None


def use_once(tap: Tap, frame: FrameType, lazy: Any) -> None:
    """Count and warn the reading of one lazy import, whichever of the interpreter's questions comes first."""
    mark = object()
    if len(_counted) > _MOST:
        _counted.clear()
    # setdefault is one step: of two threads that read the same name at once, one counts.
    if _counted.setdefault(id(lazy), (lazy, mark))[1] is not mark:
        return
    try:
        tap.use("import", frame, is_site=False)
    except BaseException:
        # The name stays lazy, so that the next read imports, and fails, again.
        _counted.pop(id(lazy), None)
        raise


def reified(name: str, tap: Tap, rows: Mapping[str, Move], frame: FrameType) -> None:
    """The interpreter asks for module ``name`` on behalf of a lazy import: count it if it names this module."""
    lazy = lazy_object(frame, name)
    if lazy is None:
        return
    wanted = target(lazy)
    if wanted == name or (wanted.rpartition(".")[0] == name and wanted.rpartition(".")[2] not in rows):
        use_once(tap, frame, lazy)
