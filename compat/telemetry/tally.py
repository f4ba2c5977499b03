"""Counts that add up, in memory: what lies between segments and the history."""

from __future__ import annotations

from collections.abc import Iterable

from .layout import Row

Owner = tuple[str, str]
"""Service and version."""
Counts = dict[tuple[bytes, int], list[float]]
"""Key and day -> count, first, last."""


class Tally(dict[Owner, Counts]):
    """Counts per service and version, site and day. Adding is associative and commutative."""

    def add(self, owner: Owner, rows: Iterable[Row]) -> int:
        """Add the rows of one segment, and return how many uses they count."""
        counts = self.setdefault(owner, {})
        added = 0
        get = counts.get
        for _, key, day, count, first, last in rows:
            added += count
            total = get((key, day))
            if total is None:
                counts[key, day] = [count, first, last]
            else:
                total[0] += count
                if first < total[1]:
                    total[1] = first
                if last > total[2]:
                    total[2] = last
        return added

    def __add__(self, other: Tally) -> Tally:
        result = Tally()
        for part in (self, other):
            for owner, counts in part.items():
                result.add(owner, (Row(0, key, day, int(c), f, la) for (key, day), (c, f, la) in counts.items()))
        return result
