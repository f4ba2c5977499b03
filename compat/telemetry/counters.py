"""The hot-path face: one cell per site, whose call counts one use exactly, in one C call.

How a cell counts. ``cell()`` is ``map(setitem, filter(None, views), repeat(0), numbers).__next__``: it takes the next
view, takes the next number, and stores the number in the view. Between number and store there is no bytecode, so no
other thread can run: the count is exact on every interpreter with a GIL, Python 3.9 included, and when the call
returns, the number is in the view, which is a piece of an mmap.

``views`` runs over the list ``cell.stream`` again and again: the cell itself, then its view a number of times. The
cell is false, so ``filter`` drops it, but not without asking ``Cell.__bool__``: that is where, every so many uses, the
clock is read, and where the view is changed at midnight UTC and after a fork. It is asked *before* a number is taken,
so an exception in there (KeyboardInterrupt, RecursionError) costs no count and leaves the iterators usable.
"""

from __future__ import annotations

import os
import sys
from _operator import setitem
from _thread import RLock
from itertools import chain, count, repeat
from time import time

from .sites import Site, overflow_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Slot(Protocol):
        """Where one cell counts on one day: ``view[0]`` is the running number, ``count = view[0] - base``."""

        view: memoryview

        base: int

        def touch(self, now: float) -> None: ...

    class Table(Protocol):
        """What gives out slots: memory, or a segment file."""

        def allot(self, site: Site, base: int, total: int, now: float) -> Slot: ...

        def end(self, now: float) -> None: ...

        def release(self) -> None: ...


DAY = 86400.0
BURST = 64
"""Uses at most between two looks at the clock: what may be put on the wrong day by a burst that ends at midnight."""
QUICK = 0.01
"""Seconds: while as many uses as asked for came quicker than this, twice as many go before the next look."""
LIVED = 0.25
"""Seconds that a process lives at least to be evidence of zero: recording a shorter one would cost it too much."""
RETRY = 60.0
"""Seconds after which a process that could not write its segment tries again, if it meets a new site or a new day."""
SITES = 8192
"""Sites counted one by one in one process; those beyond are counted per move."""


def _one_at_a_time() -> bool:
    """Tell whether a GIL keeps threads out of a C call, which it does not in PyPy and in free-threaded builds."""
    return sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()


class MemorySlot:
    """A slot that dies with the process."""

    __slots__ = ("base", "view")

    def __init__(self, base: int, total: int) -> None:
        self.base = base
        self.view = memoryview(bytearray(8)).cast("Q")
        self.view[0] = total

    def touch(self, now: float) -> None:
        """Remember nothing: who reads a slot of memory is there to see."""


class MemoryTable:
    """The table of ``COMPAT_TELEMETRY=memory``, and of a process that cannot write its segment."""

    def allot(self, site: Site, base: int, total: int, now: float) -> Slot:
        """Return a slot in which ``total - base`` uses are counted already."""
        return MemorySlot(base, total)

    def end(self, now: float) -> None:
        """Note nothing."""

    def release(self) -> None:
        """Let go of nothing."""


class Cell:
    """The counter of one site in this process; false on purpose, see the module's docstring."""

    __slots__ = (
        "advance",
        "base",
        "burst",
        "counters",
        "day",
        "increment",
        "numbers",
        "places",
        "since",
        "site",
        "slot",
        "stream",
    )

    def __init__(self, counters: Counters, site: Site) -> None:
        self.counters = counters
        self.site = site
        self.base = 0
        self.slot: Slot | None = None
        self.places: dict[int, Slot] = {}
        self.day = -1
        self.since = 0.0
        self.burst = 1
        self.numbers = count(1)
        self.stream: list[Any] = [self]
        views = filter(None, chain.from_iterable(repeat(self.stream)))
        self.advance: Callable[[], object] = map(setitem, views, repeat(0), self.numbers).__next__
        self.increment = self.advance if counters.exact else self.locked

    def total(self) -> int:
        """Return how many uses this process and its ancestors counted here up to now."""
        # A count object tells its next value by its repr alone: it has no reader, and pickling it is gone from 3.14.
        return int(repr(self.numbers)[6:-1]) - 1

    def uses(self) -> int:
        """Return how many uses this very process counted here."""
        return self.total() - self.base

    def __bool__(self) -> bool:
        now = time()
        quick = 0.0 <= now - self.since < QUICK
        self.since = now
        slot = self.slot
        if slot is None or now // DAY != self.day:
            slot = self.counters.place(self, now)
        slot.touch(now)
        burst = min(self.burst * 2, BURST) if quick else 1
        if burst != self.burst:
            with self.counters.lock:
                # Another thread may have moved the cell: an old view in the stream would count twice.
                if slot is self.slot:
                    self.burst = burst
                    self.stream[:] = [self, *([slot.view] * burst)]
        return False

    def locked(self) -> object:
        """Count one use where no GIL makes ``advance`` one step."""
        with self.counters.lock:
            return self.advance()


class Counters:
    """All cells of one process."""

    def __init__(self, open_table: Callable[[], Table] = MemoryTable, *, exact: bool | None = None) -> None:
        self.lock = RLock()
        self.open_table = open_table
        self.exact = _one_at_a_time() if exact is None else exact
        self.cells: dict[Site, Cell] = {}
        self.table: Table | None = None
        self.allotting = False
        self.strays: list[Cell] = []
        self.retry = 0.0
        self.trouble = ""

    def cell(self, site: Site) -> Callable[[], object]:
        """Return the increment of ``site``: always the same cell for the same site."""
        cell = self.cells.get(site)
        if cell is None:
            if len(self.cells) >= SITES and site != overflow_of(site):
                return self.cell(overflow_of(site))
            # setdefault is one step: of two threads that get here, both leave with the same cell.
            cell = self.cells.setdefault(site, Cell(self, site))
        return cell.increment

    def place(self, cell: Cell, now: float) -> Slot:
        """Give ``cell`` a slot for the day of ``now``.

        The lock keeps other threads out, but not this one: a finalizer or a signal handler may use something legacy
        in the middle of this. So the slot is chosen in one step (``setdefault``), and a cell that comes while a slot
        is being allotted counts in memory for that moment, and is placed before the outer call returns.
        """
        with self.lock:
            before = cell.slot
            if before is not None and now // DAY == cell.day:
                return before
            number = len(cell.places)
            # From here on every count of this cell waits for the lock, so its number stands still.
            cell.stream[:] = [cell]
            total = cell.total()
            # What was counted in memory, for want of a file, goes along.
            base = cell.base if before is None else before.base if isinstance(before, MemorySlot) else total
            slot = cell.places.setdefault(number, self._allot(cell, base, total, now))
            cell.day, cell.burst = -1 if self.allotting else int(now // DAY), 1
            cell.slot = slot
            cell.stream[:] = [cell, slot.view]
            while self.strays and not self.allotting:
                self.place(self.strays.pop(), now)
        if self.trouble and not self.allotting:
            self._tell()
        return slot

    def _allot(self, cell: Cell, base: int, total: int, now: float) -> Slot:
        if self.allotting:
            self.strays.append(cell)
            return MemorySlot(base, total)
        self.allotting = True
        try:
            if self.table is None and now >= self.retry:
                self.table = self.open_table()
            if self.table is not None:
                return self.table.allot(cell.site, base, total, now)
        except OSError as error:
            if not self.retry:
                self.trouble = f"uses of legacy names are counted in memory only: {error}"
            self.retry = now + RETRY
        finally:
            self.allotting = False
        # Better on the wrong day than lost with the process.
        kept = None if isinstance(cell.slot, MemorySlot) else cell.slot
        return kept or MemorySlot(base, total)

    def _tell(self) -> None:
        """Log the trouble; outside of the lock, because a log handler may be waiting for it in another thread."""
        trouble, self.trouble = self.trouble, ""
        with _gate[0]:
            import logging
        logging.getLogger("compat").warning(trouble)

    def lasting(self) -> bool:
        """Tell whether what is counted here outlives the process."""
        return self.open_table is not MemoryTable and (self.table is not None or not self.retry)

    def usage(self) -> list[tuple[Site, int]]:
        """Return every site used in this process with its count, in the order of first use."""
        rows = ((cell.site, cell.uses()) for cell in list(self.cells.values()))
        return [(site, uses) for site, uses in rows if uses]

    def forked(self) -> None:
        """Start from nothing in a child: its counts are its own, and its file must not be its parent's."""
        self.lock = RLock()
        if self.table is not None:
            self.table.release()
        self.table = None
        self.allotting = False
        self.strays = []
        self.retry = 0.0
        self.trouble = ""
        for cell in self.cells.values():
            cell.stream[:] = [cell]
            cell.base = cell.total()
            cell.slot = None
            cell.places = {}


def _durable() -> Table:
    from .segments import Segment

    return Segment(_directory())


def _directory() -> str:
    """Return the state directory as it was at the first use: a daemon changes its working directory afterwards."""
    if not _place:
        from .directory import state_directory

        _place.append(state_directory())
    return _place[0]


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
    from . import segments  # noqa: F401

    _directory()
    _watch()
    counters = Counters(_durable)
    if mode not in ("on", ""):
        counters.trouble = f"COMPAT_TELEMETRY={mode!r} is none of off, memory, on: it is taken for on"
    return counters


def observed(start: bool = False) -> None:
    """Note that the drop-in is active in this process, so that its zero uses are evidence and no mere absence.

    Costs one registration: the record is written when the process ends in an orderly way, if it lived for ``LIVED``
    seconds or more (a process that uses something legacy is recorded by its segment, and needs none). With ``start``
    it is written now as well, which also holds for processes that are killed: for servers and explicit installs.
    """
    _watch()
    if start and not _noted:
        _noted.append(True)
        _record(0.0)


def ended(started: float) -> None:
    """Record, at the end of a process that was active since ``started`` (seconds since 1970), that it was observed.

    For the boot path, which registers its own exit function: loading this room at every start would cost too much.
    """
    if not _watched:
        _watched.append(started)
        _finish()


def _watch() -> None:
    if not _watched:
        _watched.append(time())
        with _gate[0]:
            import atexit
        atexit.register(_finish)
        _watch_children()


def _record(ended: float) -> None:
    if _mode() in ("off", "memory"):
        return
    with _gate[0]:
        directory = _directory()
        from .identity import this_process
        from .observed import append_record
    try:
        append_record(directory, this_process()._replace(ended=ended))
    except OSError as error:
        with _gate[0]:
            import logging
        logging.getLogger("compat").info("this process cannot be recorded as observed: %s", error)


def _finish() -> None:
    counters = _current[0] if _current else None
    if counters is not None and counters.table is not None:
        counters.table.end(time())
    elif _watched and (_noted or time() - _watched[0] >= LIVED):
        _record(time())


# A child that is forked while another thread imports something inherits a module lock that nobody will ever release.
# So what is imported here is imported inside of this gate, and a fork waits at it.
_gate = [RLock()]
_place: list[str] = []
_watched: list[float] = []
_noted: list[bool] = []
_current: list[Counters | None] = []
_nothing: Callable[[], object] = repeat(None).__next__
_callbacks: list[Callable[[], object]] = []


def open_cell(site: Site) -> Callable[[], object]:
    """Return the zero-argument increment of ``site``; calling it counts one use, from any thread.

    The same site gives the same cell. Cells stay valid for the life of the process and in its forked children
    (which count for themselves), until ``on_reset`` calls back.
    """
    if not _current:
        with _gate[0]:
            if not _current:
                _current.append(_chosen())
    counters = _current[0]
    return _nothing if counters is None else counters.cell(site)


def usage() -> list[tuple[Site, int]]:
    """Return ``(site, count)`` for every site used in this very process, without touching the disk."""
    counters = _current[0] if _current else None
    return [] if counters is None else counters.usage()


def on_reset(callback: Callable[[], object]) -> None:
    """Have ``callback()`` called when every cell handed out has become invalid: after ``reset()``."""
    _callbacks.append(callback)


def lasting() -> bool:
    """Tell whether this process counts in a file, or would do so at its first use."""
    if not _current:
        return _mode() not in ("off", "memory")
    counters = _current[0]
    return counters is not None and counters.lasting()


def reset() -> None:
    """Forget every count of this process and begin again, with the mode that the environment names now."""
    _finish()
    if _current and _current[0] is not None and _current[0].table is not None:
        _current[0].table.release()
    _current.clear()
    _place.clear()
    for callback in list(_callbacks):
        callback()


def _forking() -> None:
    _gate[0].acquire()


def _has_forked() -> None:
    _gate[0].release()


def _is_child() -> None:
    _gate[0] = RLock()
    if _current and _current[0] is not None:
        _current[0].forked()
    if _watched:
        _watched[0] = time()
        del _noted[:]
        _watch_children()


def _watch_children() -> None:
    """Have the children of multiprocessing recorded: they leave by os._exit(), past atexit, but not past finalizers."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(_finish, _finish_with)


def _finish_with(_: object) -> None:
    from multiprocessing.util import Finalize

    Finalize(None, _finish, exitpriority=0)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_forking, after_in_parent=_has_forked, after_in_child=_is_child)
