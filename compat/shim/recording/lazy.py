"""Lazy imports (Python 3.15): the statement imports nothing, the first read of its name does.

The interpreter asks two to seven times while it makes one lazy name real; the lazy object, one per executed statement,
tells them apart.
"""

from __future__ import annotations

import gc
import sys
import threading
import types
from importlib.machinery import ModuleSpec

from compat._forking import gate

from . import bytecode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType
    from typing import Any

    from compat.ledger import Move

    from .funnel import UseRecorder

LAZY: Any = getattr(types, "LazyImportType", None)
_MOST = 4096
_mine = threading.local()
_counted: dict[int, tuple[Any, object]] = {}


def target(lazy: Any) -> str:
    """What a lazy import names: the module, or the module and the name that is taken from it."""
    return repr(lazy).partition("'")[2].rpartition("'")[0]


def lazy_object(frame: FrameType, name: str) -> Any:
    """The lazy import of legacy module ``name``, or from it, that the frame's instruction makes real; ``None`` for none.

    A variable is looked up as the instruction does it. What is read through a module (``carrier.name``, ``getattr``,
    ``from carrier import name``) or resolved by hand is one of those that the interpreter is resolving in this thread.
    """
    read = bytecode.name_read(frame)
    if read and bytecode.is_name_read(frame):
        for space in (frame.f_globals, frame.f_builtins):
            if isinstance(space.get(read), LAZY):
                return space[read]
    elif not read and not bytecode.is_call(frame):
        return None
    kept = getattr(_mine, "resolving", None)
    if kept is None:
        about = [one for one in _known(frame, read) if _is_about(one, name)]
        if not about:
            return None
        with gate:
            kept = _find_mine()
        if kept is None:
            return next((one for one in about if any(type(holder) is set for holder in gc.get_referrers(one))), None)
        _mine.resolving = kept
    return next((one for one in list(kept) if _is_about(one, name)), None)


def _is_about(one: Any, name: str) -> bool:
    return f"{target(one)}.".startswith(f"{name}.")


def _known(frame: FrameType, read: str) -> Iterator[Any]:
    for space in [frame.f_globals, *(getattr(module, "__dict__", {}) for module in list(sys.modules.values()))]:
        for one in (space.get(read),) if read else list(space.values()):
            if isinstance(one, LAZY):
                yield one
    for one, _ in list(_counted.values()):  # another thread may have put the module in its place by now
        yield one


class _Probe(ModuleSpec):
    """The spec of a module that is imported lazily to see where the interpreter keeps what it resolves."""

    lazy: Any = None
    found: list[set[Any]]

    @property
    def _initializing(self) -> bool:
        self.found = [holder for holder in gc.get_referrers(self.lazy) if type(holder) is set]
        return False


def _find_mine() -> set[Any] | None:
    """The set, one for each thread, in which the interpreter keeps the lazy imports that it is resolving.

    ``None`` where a filter of the user's makes the import of the probe an eager one.
    """
    probe = types.ModuleType(f"compat_probe_{threading.get_ident()}")
    probe.__spec__ = spec = _Probe(probe.__name__, None)
    space: dict[str, Any] = {}
    sys.modules[probe.__name__] = probe
    try:
        exec(f"lazy import {probe.__name__} as probe", space)
        spec.lazy = space["probe"]
        if not isinstance(spec.lazy, LAZY):
            return None
        spec.lazy.resolve()
    finally:
        del sys.modules[probe.__name__]
    return spec.found[0] if spec.found else None


def use_once(recorder: UseRecorder, frame: FrameType, lazy: Any) -> None:
    """Count and warn the reading of one lazy import, whichever of the interpreter's questions comes first."""
    mark = object()
    if len(_counted) > _MOST:
        _counted.clear()
    # setdefault is one step: of two threads that read the same name at once, one counts.
    if _counted.setdefault(id(lazy), (lazy, mark))[1] is not mark:
        return
    try:
        recorder.use("import", frame, is_site=False)
    except BaseException:
        # The name stays lazy, so that the next read imports, and fails, again.
        _counted.pop(id(lazy), None)
        raise


def use_lazily(recorder: UseRecorder, frame: FrameType) -> bool:
    """Count the read as the import that it is where it makes a lazy import real."""
    found = lazy_object(frame, recorder.move.module) if LAZY is not None else None
    if found is None:
        return False
    use_once(recorder, frame, found)
    return True


def refused_lazily(recorder: UseRecorder, frame: FrameType) -> Exception | None:
    """Like :func:`use_lazily`; the error of a move that has expired."""
    found = lazy_object(frame, recorder.move.module) if LAZY is not None else None
    return recorder.refusal("import", frame, is_site=False) if found is not None else None


def reified(name: str, recorder: UseRecorder, rows: Mapping[str, Move], frame: FrameType) -> None:
    """The interpreter asks for module ``name`` on behalf of a lazy import: count it if it names this module."""
    lazy = lazy_object(frame, name)
    if lazy is None:
        return
    wanted = target(lazy)
    if wanted == name or (wanted.rpartition(".")[0] == name and wanted.rpartition(".")[2] not in rows):
        use_once(recorder, frame, lazy)
