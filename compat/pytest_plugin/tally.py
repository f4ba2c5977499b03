"""Uses by place, with the tests that made them, of one process or of all."""

from __future__ import annotations

from compat.telemetry.record.sites import Site

from .owners import CATEGORIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .owners import Owners

    #: site, number of uses, who made them (the id of a test, or a phase), whether in a test, whether a mark allows them
    Record = tuple[Site, int, str, bool, bool]


class Counted:
    """What one place did."""

    __slots__ = ("_outside", "_tests", "expected")

    def __init__(self) -> None:
        self.expected = 0
        #: Tests, and phases of the session by process, with their uses, in the order of the first.
        self._tests: dict[str, int] = {}
        self._outside: dict[str, dict[str, int]] = {}

    def add(self, count: int, by: str, in_test: bool, expected: bool, process: str) -> None:
        """Add uses by a test, or by a phase that every process has once."""
        if expected:
            self.expected += count
            self._tests.setdefault(by, 0)
            return
        made = self._tests if in_test else self._outside.setdefault(by, {})
        key = by if in_test else process
        made[key] = made.get(key, 0) + count

    @property
    def by(self) -> dict[str, int]:
        """Who made how many uses here that no mark allows.

        All workers import and collect the same, as one process does without them: there the largest number is the session's.
        """
        return {**{by: max(counts.values()) for by, counts in self._outside.items()}, **self._tests}

    @property
    def count(self) -> int:
        """The number of uses that no mark allows."""
        return sum(self.by.values())


class Row:
    """One line of the result: a place, the uses there, and what the ledger says."""

    __slots__ = ("advice", "by", "category", "count", "expected", "file", "kind", "line", "move", "own")

    def __init__(self, site: Site, counted: Counted, owners: Owners, facts: tuple[str, str, str]) -> None:
        legacy, canonical, self.advice = facts
        self.move, self.kind, self.line = site.move, site.kind, site.line
        self.file, self.own = owners.place(site.file)
        self.category = owners.category(site.file, legacy, canonical)
        self.count, self.expected, self.by = counted.count, counted.expected, counted.by

    def as_json(self) -> dict[str, Any]:
        """The row for the report."""
        names = ("category", "move", "kind", "file", "line", "count", "expected", "advice", "by")
        return {name: getattr(self, name) for name in names}


class Tally:
    """All uses of a session."""

    def __init__(self) -> None:
        self.counted: dict[Site, Counted] = {}
        #: By id of a move: its legacy path, its canonical path, what to write instead.
        self.facts: dict[str, tuple[str, str, str]] = {}
        #: By process: what it told of each site, to set it against the segment of one that crashed.
        self.told: dict[str, dict[Site, int]] = {}

    def add(self, records: Iterable[Record], process: str = "") -> None:
        """Add what a process counted."""
        told = self.told.setdefault(process, {})
        for site, count, by, in_test, expected in records:
            self.counted.setdefault(site, Counted()).add(count, by, in_test, expected, process)
            told[site] = told.get(site, 0) + count

    def rows(self, owners: Owners) -> list[Row]:
        """One row per place, by category, move and place."""
        rows = [Row(site, counted, owners, self.facts.get(site.move, ("", "", ""))) for site, counted in self.counted.items()]
        return sorted(rows, key=lambda row: (CATEGORIES.index(row.category), row.move, row.file, row.line, row.kind))


def totals(rows: Iterable[Row]) -> dict[str, int]:
    """The number of uses by category."""
    found = dict.fromkeys(CATEGORIES, 0)
    for row in rows:
        found[row.category] += row.count
    return found
