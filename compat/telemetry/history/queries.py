"""Every question that reports put to a usage history, in SQL.

Two levels answer them: ``groups`` and ``daily`` are a rollup per (move, caller, service) and day, so that a table over
ten million site-days reads some ten thousand rows; ``sites`` and ``uses`` are asked only about files and lines.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

TREND_DAYS = 30
KEYS = ("move", "caller", "file", "service", "day", "environment", "version", "owner")

# A caller is the top-level module: what a team owns, and few enough to be a label.
CALLER = "substr(g.module, 1, instr(g.module || '.', '.') - 1)"
# by -> key, caller, table of days, table of their owners
_LEVELS = {
    "move": ("g.move", "g.caller", "daily", "groups"),
    "caller": ("g.caller", "g.caller", "daily", "groups"),
    "service": ("g.service", "g.caller", "daily", "groups"),
    "file": ("g.file", CALLER, "uses", "sites"),
    "environment": ("g.environment", "g.caller", "daily", "groups"),
    # Versions are told apart by service: each counts its own.
    "version": ("rtrim(g.service || ' ' || g.version)", CALLER, "uses", "sites"),
    "owner": ("owner_of(g.file)", CALLER, "uses", "sites"),
}
# What a clock that is ahead dates after today is of today: it was counted, and must not vanish.
_DAY = "min(d.day, :today)"
_FOREIGN = {"daily": "grp", "uses": "site"}
CHOSEN = "g.move GLOB :glob AND (:moves IS NULL OR g.move IN (SELECT value FROM json_each(:moves)))"


class Selection(NamedTuple):
    """What a report is about: days since 1970-01-01 (UTC), both included, and a pattern of move ids ("" for all).

    ``moves`` narrows it to these ids; ``None`` to none in particular.
    """

    first: int
    today: int
    match: str = ""
    moves: frozenset[str] | None = None

    @property
    def glob(self) -> str:
        """The pattern as SQL's GLOB; text without wildcards is looked for anywhere in the id."""
        if not self.match:
            return "*"
        return self.match if any(sign in self.match for sign in "*?[") else f"*{self.match}*"

    def includes(self, move: str) -> bool:
        """Whether the pattern matches a move."""
        return fnmatchcase(move, self.glob)

    @property
    def values(self) -> dict[str, Any]:
        """What :data:`CHOSEN` and the period's days are bound to."""
        moves = None if self.moves is None else json.dumps(sorted(self.moves))
        return {"first": self.first, "today": self.today, "glob": self.glob, "moves": moves}


class Line(NamedTuple):
    """The uses of one key: today, in 7 days, in the 7 before, in 30, in the period. Times in seconds since 1970.

    When the key is a day, that day takes the place of today.
    """

    key: str
    today: int
    week: int
    week_before: int
    month: int
    total: int
    first: float | None
    last: float | None
    moves: int
    callers: int
    services: tuple[str, ...]
    trend: tuple[int, ...]


class Place(NamedTuple):
    """One call site of a move over all processes that ran it: a function in a file, wherever its lines were moved to.

    ``line`` and ``version`` are those of the last use.
    """

    move: str
    caller: str
    kind: str
    file: str
    line: int
    function: str
    services: tuple[str, ...]
    total: int
    last: float | None
    version: str


class Observed(NamedTuple):
    """In how many processes, over how many hours, since when, the drop-in was watching: what makes a zero evidence."""

    processes: int
    hours: float
    since: float | None
    services: tuple[str, ...]


class Usage:
    """The questions, put to one SQLite connection, which is only read; ``owners`` tells whose a file is."""

    def __init__(self, connection: sqlite3.Connection, owners: Callable[[str], str] = lambda file: "") -> None:
        self._connection = connection
        connection.create_function("owner_of", 1, owners)

    def lines(self, by: str, selection: Selection) -> list[Line]:
        """One line per key that was ever used, those used most in 30 days first; ``by`` is one of :data:`KEYS`.

        Counts, callers and services are those of the period; first and last are those of the whole history, so that
        a key whose uses have ended still says when.
        """
        if by == "day":
            return self._days(selection)
        key, caller, days, owner = _LEVELS[by]
        values = selection.values
        source = f"FROM {owner} g JOIN {days} d ON d.{_FOREIGN[days]} = g.id WHERE {CHOSEN}"
        # Days are told apart for the trend only, and summed up here: SQLite would sort every day of every key by name.
        start = selection.today - TREND_DAYS + 1
        trends: dict[str, list[int]] = {}
        for name, at, counts in self._connection.execute(
            f"SELECT {key}, json_group_array({_DAY} - :start), json_group_array(d.count) {source} "
            "AND d.day >= :start GROUP BY g.id",
            {**values, "start": start},
        ):
            trend = trends.get(name)
            if trend is None:
                trend = trends[name] = [0] * TREND_DAYS
            for day, count in zip(json.loads(at), json.loads(counts)):
                trend[day] += count
        older: dict[str, int] = {}
        if selection.first < start:
            older.update(
                self._connection.execute(
                    f"SELECT {key}, sum(d.count) {source} AND d.day >= :first AND d.day < :start GROUP BY 1",
                    {**values, "start": start},
                )
            )
        mine = f"FROM {days} d WHERE d.{_FOREIGN[days]} = g.id"
        found = []
        for name, first, last, moves, callers, services in self._connection.execute(
            f"""
            SELECT key, min(first), max(last), count(DISTINCT CASE WHEN used THEN move END),
                count(DISTINCT CASE WHEN used THEN caller END), json_group_array(DISTINCT service) FILTER (WHERE used)
            FROM (SELECT {key} AS key, g.move AS move, {caller} AS caller, g.service AS service,
                (SELECT d.first {mine} ORDER BY d.day LIMIT 1) AS first,
                (SELECT d.last {mine} ORDER BY d.day DESC LIMIT 1) AS last,
                EXISTS (SELECT 1 {mine} AND d.day >= :first) AS used
                FROM {owner} g WHERE {CHOSEN})
            WHERE last IS NOT NULL GROUP BY key
            """,
            values,
        ):
            trend = trends.get(name) or [0] * TREND_DAYS
            total = older.get(name, 0) + sum(trend[max(0, selection.first - start) :])
            found.append(Line(name, *_windows(trend), total, first, last, moves, callers, _names(services), tuple(trend)))
        return sorted(found, key=lambda line: (-line.month, -line.total, -(line.last or 0), line.key))

    def _days(self, selection: Selection) -> list[Line]:
        rows = self._connection.execute(
            f"""
            SELECT date({_DAY} * 86400, 'unixepoch'), {_DAY}, sum(d.count), min(d.first), max(d.last),
                count(DISTINCT g.move), count(DISTINCT g.caller), json_group_array(DISTINCT g.service)
            FROM groups g JOIN daily d ON d.grp = g.id
            WHERE {CHOSEN} AND d.day >= :first GROUP BY 2 ORDER BY 2 DESC
            """,
            selection.values,
        ).fetchall()
        counts = {row[1]: row[2] for row in rows}
        lines = []
        for key, day, count, first, last, moves, callers, services in rows:
            trend = [counts.get(each, 0) for each in range(day - TREND_DAYS + 1, day + 1)]
            lines.append(Line(key, *_windows(trend), count, first, last, moves, callers, _names(services), tuple(trend)))
        return lines

    def all_places(self, selection: Selection) -> list[Place]:
        """The call sites of all moves in the period, outside of tests, with their latest lines, the busiest first."""
        rows = self._connection.execute(
            f"""
            SELECT g.move, {CALLER} AS caller, g.kind, g.file AS file, g.line AS line, g.function, sum(d.count) AS total,
                max(d.last), g.version, json_group_array(DISTINCT g.service)
            FROM sites g JOIN uses d ON d.site = g.id WHERE {CHOSEN} AND g.environment != 'test' AND d.day >= :first
            GROUP BY g.move, caller, g.kind, g.file, g.function ORDER BY total DESC, g.move, file, line
            """,
            selection.values,
        )
        return [
            Place(move, caller, kind, file, line, function, _names(services), total, last, version)
            for move, caller, kind, file, line, function, total, last, version, services in rows
        ]

    def lines_of_code(self, selection: Selection) -> Iterator[tuple[str, str, int, int]]:
        """``(move, file, line, uses)`` of every line with a use in the period, in whatever version and environment."""
        return self._connection.execute(
            f"SELECT g.move, g.file, g.line, sum(d.count) FROM sites g JOIN uses d ON d.site = g.id "
            f"WHERE {CHOSEN} AND d.day >= :first GROUP BY 1, 2, 3 ORDER BY 2, 3, 1",
            selection.values,
        )

    def used(self, selection: Selection) -> set[str]:
        """The ids of the moves with a use in the period."""
        rows = self._connection.execute(
            f"SELECT DISTINCT g.move FROM groups g WHERE {CHOSEN} AND EXISTS "
            "(SELECT 1 FROM daily d WHERE d.grp = g.id AND d.day >= :first)",
            selection.values,
        )
        return {move for (move,) in rows}

    def moves(self) -> set[str]:
        """The ids of all moves that were ever used."""
        return {move for (move,) in self._connection.execute("SELECT DISTINCT move FROM groups")}

    def total(self, selection: Selection) -> int:
        """All uses in the period."""
        (found,) = self._connection.execute(
            f"SELECT sum(d.count) FROM groups g JOIN daily d ON d.grp = g.id WHERE {CHOSEN} AND d.day >= :first",
            selection.values,
        ).fetchone()
        return int(found or 0)

    def totals(self, selection: Selection) -> dict[str, int]:
        """All uses in the period by move."""
        rows = self._connection.execute(
            f"SELECT g.move, sum((SELECT total(count) FROM daily WHERE grp = g.id AND day >= :first)) FROM groups g "
            f"WHERE {CHOSEN} GROUP BY 1",
            selection.values,
        )
        return {move: int(uses) for move, uses in rows}

    def ahead(self, selection: Selection) -> float | None:
        """When the last use is dated, if that is after today: a clock is ahead."""
        found = self._connection.execute(
            "SELECT max((SELECT max(last) FROM daily WHERE grp = id AND day > ?)) FROM groups", (selection.today,)
        ).fetchone()[0]
        return None if found is None else float(found)

    def first_day(self) -> int | None:
        """The oldest day with a use, ``None`` for an empty history."""
        found = self._connection.execute("SELECT min(day) FROM daily").fetchone()[0]
        return None if found is None else int(found)

    def observed(self, selection: Selection, without: Collection[str] = ()) -> Observed:
        """The processes that ran with the drop-in active within the period, and their hours within it.

        Those of the environments ``without`` are left out. One that was observed in several stretches is one: what
        follows ``|`` in an id is a stretch.
        """
        start, end = selection.first * 86400.0, (selection.today + 1) * 86400.0
        processes, seconds, since, services = self._connection.execute(
            """
            SELECT count(DISTINCT substr(id, 1, instr(id || '|', '|') - 1)),
                sum(min(coalesce(ended, started), :end) - max(started, :start)), min(max(started, :start)),
                json_group_array(DISTINCT service)
            FROM processes WHERE coalesce(ended, started) >= :start AND started < :end
                AND environment NOT IN (SELECT value FROM json_each(:without))
            """,
            {"start": start, "end": end, "without": json.dumps(sorted(without))},
        ).fetchone()
        return Observed(processes, (seconds or 0.0) / 3600, since, _names(services))


def _names(array: str | None) -> tuple[str, ...]:
    return tuple(sorted(json.loads(array))) if array else ()


def _windows(trend: list[int]) -> tuple[int, int, int, int]:
    """Uses on the last day, in the last 7 days, in the 7 before these, in all 30."""
    return trend[-1], sum(trend[-7:]), sum(trend[-14:-7]), sum(trend)
