"""The cells: one per site, whose call counts one use exactly, in one C call.

How a cell counts. ``cell`` is ``map(setitem, views, repeat(INDEX), numbers).__next__``: it takes the next view, takes the
next number, and stores the number in the view. Between number and store there is no bytecode, so no other thread can run:
the count is exact on every interpreter with a GIL, Python 3.9 included, and when the call returns, the number is in the
view, which is a piece of an mmap.

``views`` goes in turns: ``Cell.look`` is called, then the list ``cell.stream`` gives its view a number of times. That is
where, every so many uses, the clock is read, and where the view is changed at midnight UTC and after a fork. It is called
*before* a number is taken, so an exception in there (KeyboardInterrupt, RecursionError) costs no count; and by an inner
iterator of the ``chain``, which such an exception leaves usable: one of the outer iterator would end it for good. So the
outer one may call nothing, not even a builtin: near the limit of the recursion that raises too.
"""

from __future__ import annotations

import sys
from _operator import setitem
from _thread import RLock
from itertools import chain, count, cycle, repeat
from time import time

from compat._forking import notice

from . import news
from .sites import Site, overflow_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    class Slot(Protocol):
        """Where one cell counts on one day: the running number is in ``view``, ``count = number - base``."""

        view: memoryview

        base: int

        def touch(self, now: float) -> None: ...

    class Table(Protocol):
        """What gives out slots: memory, or a segment file."""

        def allot(self, site: Site, base: int, total: int, now: float) -> Slot: ...

        def end(self, now: float) -> None: ...

        def is_there(self) -> bool: ...

        def release(self) -> None: ...


DAY = 86400.0
BURST = 1 if "uwsgi" in sys.modules else 64
"""Uses at most between two looks at the clock; a power of two. So many may be put on the wrong day by a burst at midnight,
and at the parent by a child of which nobody has told: what embeds Python and is known for such children has a look at each."""
QUICK = 0.01
"""Seconds: while as many uses as asked for came quicker than this, twice as many go before the next look."""
RETRY = 60.0
"""Seconds after which a process that could not write its segment tries again, if it meets a new site or a new day."""
SITES = 8192
"""Sites counted one by one in one process; those beyond are counted per move."""
#: Per watch (see :mod:`.watching`) the cells that took a look since it last asked.
watched: list[dict[Cell, None]] = []
# A view without dimensions is stored to quicker than one of one item; PyPy cannot do that.
INDEX: Any = ... if sys.implementation.name == "cpython" else 0
SHAPE: list[int] = [] if INDEX is ... else [1]


def calls_are_atomic() -> bool:
    """Tell whether a GIL keeps threads out of a C call, which it does not in PyPy and in free-threaded builds."""
    return sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()


def number_at(view: memoryview) -> memoryview:
    """Return the view of a number, stored to under ``INDEX``, in which a cell counts."""
    return view.cast("Q", SHAPE)


def log_warning(message: str) -> None:
    """Log ``message``; logging is loaded for it, and no sooner."""
    import logging

    logging.getLogger("compat").warning(message)


class MemorySlot:
    """A slot that dies with the process."""

    __slots__ = ("base", "view")

    def __init__(self, base: int, total: int) -> None:
        self.base = base
        self.view = number_at(memoryview(bytearray(8)))
        self.view[INDEX] = total

    def touch(self, now: float) -> None:
        """Do nothing: the readers of a slot in memory look at it themselves."""


class MemoryTable:
    """The table of ``COMPAT_TELEMETRY=memory``, and of a process that cannot write its segment."""

    def allot(self, site: Site, base: int, total: int, now: float) -> Slot:
        """Return a slot in which ``total - base`` uses are counted already."""
        return MemorySlot(base, total)

    def is_there(self) -> bool:
        """Tell whether what is counted here can still be found: memory is not removed."""
        return True

    def end(self, now: float) -> None:
        """Note nothing."""

    def release(self) -> None:
        """Let go of nothing."""


class Cell:
    """The counter of one site in this process."""

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
        self.stream: list[Any] = []
        looks: Any = map(Cell.look, repeat(self))
        views = chain.from_iterable(cycle((looks, self.stream)))
        self.advance: Callable[[], object] = map(setitem, views, repeat(INDEX), self.numbers).__next__
        self.increment = self.advance if counters.exact else self.__next__

    def total(self) -> int:
        """Return how many uses this process and its ancestors counted here up to now."""
        # A count object tells its next value by its repr alone: it has no reader, and pickling it is gone from 3.14.
        return int(repr(self.numbers)[6:-1]) - 1

    def uses(self) -> int:
        """Return how many uses this very process counted here."""
        return self.total() - self.base

    def look(self) -> None:
        """Read the clock; see that the stream has the view of today, and as many of it as go before the next look.

        A child of which nobody has told (see :func:`compat._forking.notice`) begins here to count for itself.

        Always raises StopIteration: the end of this turn, and not of the ``map`` that calls this.
        """
        notice()
        now = time()
        quick = 0.0 <= now - self.since < QUICK
        self.since = now
        slot = self.slot
        if slot is None or now // DAY != self.day:
            slot = self.counters.place(self, now)
        slot.touch(now)
        for touched in watched:
            touched[self] = None
        burst = self.burst
        if burst != (BURST if quick else 1):
            burst = (burst * 2 or 1) if quick else 1
            with self.counters.lock:
                # Another thread may have moved the cell: an old view in the stream would count twice.
                if slot is self.slot:
                    self.burst = burst
                    self.stream[:] = [slot.view] * burst
        raise StopIteration

    def arm(self) -> None:
        """Have the next use take a look."""
        with self.counters.lock:
            # In this order a look that comes meanwhile fills the stream anew.
            self.burst = 0
            self.stream.clear()

    def __iter__(self) -> Cell:
        return self

    def __next__(self) -> object:
        """Count one use where no GIL makes ``advance`` one step."""
        with self.counters.lock:
            return self.advance()


class Counters:
    """All cells of one process."""

    def __init__(
        self,
        open_table: Callable[[], Table] = MemoryTable,
        *,
        exact: bool | None = None,
        say: Callable[[str], object] = log_warning,
    ) -> None:
        self.say = say
        self.lock = RLock()
        self.open_table = open_table
        self.exact = calls_are_atomic() if exact is None else exact
        self.cells: dict[Site, Cell] = {}
        self.table: Table | None = None
        self.allotting = False
        self.strays: list[Cell] = []
        self.retry = 0.0
        self.trouble = ""

    def cell(self, site: Site) -> Callable[[], object]:
        """Return the increment of ``site``, the bound ``__next__`` of an iterator: always the same for the same site."""
        cell = self.cells.get(site)
        if cell is None:
            if len(self.cells) >= SITES and site != overflow_of(site):
                return self.cell(overflow_of(site))
            # setdefault is one step: of two threads that get here, both leave with the same cell.
            made = Cell(self, site)
            cell = self.cells.setdefault(site, made)
            if cell is made and news.listeners:
                news.tell(site)
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
            cell.stream.clear()
            total = cell.total()
            # What was counted in memory, for want of a file, goes along.
            base = cell.base if before is None else before.base if isinstance(before, MemorySlot) else total
            slot = cell.places.setdefault(number, self._allot(cell, base, total, now))
            cell.day, cell.burst = -1 if self.allotting else int(now // DAY), 1
            cell.slot = slot
            cell.stream[:] = [slot.view]
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
        self.say(trouble)

    def lasting(self) -> bool:
        """Tell whether what is counted here outlives the process."""
        return self.open_table is not MemoryTable and (self.table is not None or not self.retry)

    def usage(self) -> list[tuple[Site, int]]:
        """Return every site used in this process with its count, in the order of first use."""
        rows = ((cell.site, cell.uses()) for cell in list(self.cells.values()))
        return [(site, uses) for site, uses in rows if uses]

    def move_to(self, open_table: Callable[[], Table]) -> None:
        """Count in another table from the next uses on; what was counted in memory goes along with the first of them."""
        with self.lock:
            self.open_table, self.table, self.retry = open_table, None, 0.0
            for cell in list(self.cells.values()):
                cell.day = -1
                cell.arm()

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
            cell.stream.clear()
            cell.base = cell.total()
            cell.slot = None
            cell.places = {}
