"""In-memory counts that add up, on their way from segments into the history."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import TypeVar

from ..record.layout import Block, Row, rows_of

Number = TypeVar("Number", int, float)
Owner = tuple[str, str, str]
"""Service, version and environment."""
Counts = dict[tuple[bytes, int], list[float]]
"""Key and day -> count, first, last."""


class Tally(dict[Owner, Counts]):
    """Counts per owner, site and day. Adding is associative and commutative."""

    def add(self, owner: Owner, rows: Iterable[Row]) -> int:
        """Add rows, and return how many uses they count."""
        counts = self.setdefault(owner, {})
        added = 0
        get = counts.get
        for _, key, day, uses, first, last in rows:
            added += uses
            total = get((key, day))
            if total is None:
                counts[key, day] = [uses, first, last]
            else:
                total[0] += uses
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


class Columns:
    """Adds whole blocks, column by column: those of the same key table on the same day, as processes of one service
    write them, cost a few C calls instead of a loop over their rows."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[Owner, int, int], list[Block]] = {}
        self._rest: list[tuple[Owner, list[Row]]] = []

    def add(self, owner: Owner, block: Block) -> int:
        """Add ``block``, and return how many uses it counts."""
        if block.first_day != block.last_day:
            self._rest.append((owner, rows_of(block)))
        else:
            # Equal key tables are one list, which the blocks kept here keep alive.
            self._blocks.setdefault((owner, id(block.keys), block.first_day), []).append(block)
        return block.total

    def into(self, tally: Tally) -> None:
        """Add everything to ``tally``."""
        for (owner, _, _), blocks in self._blocks.items():
            if len(blocks) > 1:
                uses = array("Q", _slotwise(sum, [block.uses for block in blocks]))
                firsts = array("d", _slotwise(min, [block.firsts for block in blocks]))
                lasts = array("d", _slotwise(max, [block.lasts for block in blocks]))
                blocks = [blocks[0]._replace(uses=uses, total=sum(uses), firsts=firsts, lasts=lasts)]
            tally.add(owner, rows_of(blocks[0]))
        for owner, rows in self._rest:
            tally.add(owner, rows)


def _slotwise(function: Callable[[Iterable[Number]], Number], columns: list[array[Number]]) -> list[Number]:
    """Return ``function`` of the numbers that all columns have for each slot."""
    slots = len(columns[0])
    joined = columns[0][:]
    for column in columns[1:]:
        joined += column
    return [function(joined[slot::slots]) for slot in range(slots)]
