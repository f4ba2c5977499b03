"""The hot-path interface: what the shim calls to count a use, and the state that a process has once.

``open_cell`` hands out the cells of :mod:`.cells`, which count in memory or in this process's segment, as
``COMPAT_TELEMETRY`` says. Nothing in here raises into legacy code, and importing it loads nothing heavy.
"""

from __future__ import annotations

import os
import sys
from itertools import repeat
from time import time

from compat._forking import GatedLock, at_fork, gate, notice

from . import life, news
from .asked import forget as _ask_again
from .asked import is_asked, is_reading
from .cells import Counters, log_warning
from .sites import Site, portable_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .cells import Table
    from .observed import Place

LIVED = 0.25
"""Seconds that a process lives at least to be evidence of zero: recording a shorter one would cost it too much."""


def _directory() -> str:
    """Return the state directory as it was at the first use: a daemon changes its working directory afterwards."""
    if not _place:
        from .directory import state_directory

        _place.append(state_directory())
    return _place[0]


def _say(message: str) -> None:
    with gate:
        import logging  # noqa: F401
    log_warning(message)


def _mode() -> str:
    return os.environ.get("COMPAT_TELEMETRY", "on").strip().lower()


def _chosen() -> Counters | None:
    """Return the counters that ``COMPAT_TELEMETRY`` asks for; ``None`` for "off"."""
    mode = _mode()
    if mode == "off":
        return None
    if mode == "memory":
        return Counters()
    # Loaded here and not under the lock of the counters: the import system has locks of its own.
    from . import segments
    from .identity import this_process
    from .observed import append_record

    directory = _directory()
    this_process()  # while files can be read: at the end of the interpreter they cannot
    _watch()

    def durable() -> Table:
        segment = segments.Segment(directory)
        try:
            # Should the segment be removed, this process is no evidence of zero.
            append_record(directory, segment.header, counted=True)
        except OSError:
            pass
        return segment

    counters = Counters(durable, say=_say)
    if mode not in ("on", ""):
        counters.trouble = f"COMPAT_TELEMETRY={mode!r} is none of off, memory, on: it is taken for on"
    return counters


def observed(start: bool = False) -> None:
    """Note that the drop-in is active in this process, so that its zero uses are evidence and no mere absence.

    Costs one registration: the record is written when the process ends in an orderly way, if it lived for ``LIVED``
    seconds or more (a process that uses something legacy is recorded by its segment, and needs none), and once an hour
    while it lives. With ``start`` it is written now as well: for servers and explicit installs.
    """
    _watch()
    if start and not _noted:
        _noted.append(True)
        _record(0.0)


def ended(started: float) -> None:
    """Record, at the end of a process that was active since ``started`` (seconds since 1970), that it was observed.

    For the boot path, which registers its own exit function: loading this room at every start would cost too much.
    """
    if not _left:
        _watched[:] = [min([started, *_watched])]
        _leave()


def living(started: float) -> None:
    """Record a process that was active since ``started`` and lives on; for the boot path, as :func:`ended`."""
    if not _watched:
        _watch(started)
        _mark(time())


def _watch(started: float | None = None) -> None:
    if not _watched:
        _watched.append(time() if started is None else started)
        with gate:
            import atexit

            if _mode() not in ("off", "memory"):
                # At a mark, in the middle of anything, nothing may be imported.
                from . import identity, observed  # noqa: F401
        atexit.register(_leave)
        _watch_children()
        life.begin(_mark)


def _leave() -> None:
    # What is registered while the functions for the end are being called is not called any more.
    _left.append(True)
    life.end()
    _finish()


def _mark(now: float) -> None:
    """Note that this process lives at ``now``."""
    notice()
    counters = _current[0] if _current else None
    if counters is not None and counters.table is not None:
        counters.table.end(now)
        if not counters.table.is_there():
            _record(now, counted=True)
    else:
        _record(now, counted=counters is not None and bool(counters.usage()))


def _record(ended: float, counted: bool = False) -> None:
    if _mode() in ("off", "memory"):
        return
    with gate:
        if not counted and (is_reading() or not is_asked()):
            return
        directory = _directory()
        from .identity import this_process
        from .observed import renew_record
    place = _places.pop(counted, None)
    try:
        _places[counted] = renew_record(directory, place, this_process()._replace(ended=ended), counted)
    except OSError as error:
        with gate:
            import logging
        logging.getLogger("compat").info("this process cannot be recorded as observed: %s", error)


def _finish() -> None:
    notice()
    counters = _current[0] if _current else None
    if counters is not None and counters.table is not None:
        counters.table.end(time())
        if not counters.table.is_there():
            _record(time(), counted=True)
    elif counters is not None and counters.usage():
        _record(time(), counted=True)  # for want of a file, in memory
    elif _watched and (_noted or time() - _watched[0] >= LIVED):
        _record(time())


_choosing = GatedLock()
_place: list[str] = []
_watched: list[float] = []
_noted: list[bool] = []
_left: list[bool] = []
_places: dict[bool, Place | None] = {}
_current: list[Counters | None] = []
_aside: list[Counters] = []  # the uses that nobody asked to keep, in memory
_nothing: Callable[[], object] = repeat(None).__next__
_callbacks: list[Callable[[], object]] = []


def open_cell(site: Site, kept: bool = True) -> Callable[[], object]:
    """Return the zero-argument increment of ``site``; calling it counts one use, from any thread.

    Where nobody has asked that uses be kept, those that are not ``kept`` anyway are counted in memory alone.

    It is the bound ``__next__`` of an iterator, which hot code may step itself (``increment.__self__``).
    The same site gives the same cell. Cells stay valid for the life of the process and in its forked children
    (which count for themselves), until ``on_reset`` calls back.
    """
    if not kept and _is_aside():
        return _ready_aside().cell(site)
    if not _current:
        prepare()
    counters = _current[0]
    return _nothing if counters is None else counters.cell(site)


def _is_aside() -> bool:
    """Whether uses that are not kept anyway are counted in memory alone: nobody has asked for more."""
    return _mode() not in ("off", "memory") and not _is_asked()


def _ready_aside() -> Counters:
    if not _aside:
        with _choosing:
            if not _aside:
                _aside.append(Counters())
    return _aside[0]


def _is_asked() -> bool:
    with gate:
        return is_asked()


def prepare(kept: bool = True) -> None:
    """Have ready whatever a first use needs, ``kept`` anyway or not: nothing can be imported once the interpreter goes down."""
    if not kept and _is_aside():
        _ready_aside()
    elif not _current:
        with _choosing:
            if not _current:
                _current.append(_chosen())
    portable_path("")  # remembers sys.path


def ensure_counting() -> Counters:
    """Return the counters of this process; where telemetry is off, count in memory from now on."""
    prepare()
    counters = _current[0]
    if counters is None:
        counters = _current[0] = Counters()
        for callback in list(_callbacks):
            callback()
    return counters


def keep_in(directory: str) -> None:
    """Where this process counts in memory only, count in a segment in ``directory`` from now on, which outlives it."""
    from .segments import Segment

    if not lasting():
        ensure_counting().move_to(lambda: Segment(directory))


def usage() -> list[tuple[Site, int]]:
    """Return ``(site, count)`` for every site used in this very process, without touching the disk."""
    counters = _current[0] if _current else None
    kept = [] if counters is None else counters.usage()
    return kept + _aside[0].usage() if _aside else kept


def on_reset(callback: Callable[[], object]) -> None:
    """Have ``callback()`` called when every cell handed out has become invalid: after ``reset()``."""
    _callbacks.append(callback)


def on_new_site(callback: Callable[[Site], object]) -> Callable[[], None]:
    """Have ``callback(site)`` called once for each call site of something legacy that this process uses, from now on.

    Sites that were used before are told at once. The callback runs in another thread, one site after the other; what it
    raises is logged and goes no further, and it may use something legacy itself. Returns what ends it. In a forked child,
    sites that are new there are told; with ``COMPAT_TELEMETRY=off`` none are. Raises ``TypeError`` for what cannot be called.
    """
    if not callable(callback):
        raise TypeError(f"compat.on_new_site() takes a function of a site, not {callback!r}")
    return news.listen(callback, [site for site, _ in usage()])


def lasting() -> bool:
    """Tell whether this process counts in a file, or would do so at its first use; not where some uses are in memory alone."""
    if _aside:
        return False
    if not _current:
        return _mode() not in ("off", "memory") and _is_asked()
    counters = _current[0]
    return counters is not None and counters.lasting()


def reset() -> None:
    """Forget every count of this process and begin again, with the mode that the environment names now."""
    _finish()
    if _current and _current[0] is not None and _current[0].table is not None:
        _current[0].table.release()
    _current.clear()
    _aside.clear()
    _ask_again()
    _place.clear()
    _places.clear()
    for callback in list(_callbacks):
        callback()


def _is_child() -> None:
    _places.clear()
    if _aside:
        _aside[0].forked()
    if _current and _current[0] is not None:
        _current[0].forked()
    if _watched:
        _watched[0] = time()
        del _noted[:], _left[:]
        _watch_children()


def _watch_children() -> None:
    """Have the children of multiprocessing recorded: they leave by os._exit(), past atexit, but not past finalizers."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(_finish, _finish_with)


def _finish_with(_: object) -> None:
    from multiprocessing.util import Finalize

    Finalize(None, _finish, exitpriority=0)


at_fork(after_in_child=_is_child)
