"""A watch: what was counted since it was last asked, at a price that depends on what was used and not on what is known.

A cell calls :meth:`Cell.look` before the first use after a watch has asked, and there puts itself on the watch's list.
"""

from __future__ import annotations

from . import cells
from .counters import ensure_counting
from .sites import Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .cells import Cell


class Watch:
    """Counts the uses of this process, in all threads, from its construction on; with ``whole`` from the start of the process.

    Where telemetry is off, counting in memory begins with it.
    """

    def __init__(self, *, whole: bool = False) -> None:
        self._touched: dict[Cell, None] = {}
        self._seen: dict[Cell, int] = {}
        counters = ensure_counting()
        cells.watched.append(self._touched)
        for cell in list(counters.cells.values()):
            if whole:
                self._touched[cell] = None
            else:
                cell.arm()
                self._seen[cell] = cell.total()

    def take(self) -> list[tuple[Site, int]]:
        """Return each site used since the last call (or the construction), with the number of uses."""
        found: list[tuple[Site, int]] = []
        touched = self._touched
        while touched:
            cell, _ = touched.popitem()
            # Armed before it is read: a use by another thread meanwhile is in this number or in the next one.
            cell.arm()
            total = cell.total()
            uses = total - self._seen.get(cell, 0)
            self._seen[cell] = total
            if uses:
                found.append((cell.site, uses))
        found.reverse()
        return found

    def stop(self) -> None:
        """Watch no longer. A second call does nothing."""
        cells.watched[:] = [touched for touched in cells.watched if touched is not self._touched]
