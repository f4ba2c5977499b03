"""Where uses are going: new since which version, gone since which, and when none are to be expected any more."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple, Optional

from ..history.evidence import REHEARSALS
from ..history.queries import Selection
from .usage_report import iso_day

WEEKS = 12
"""Weeks from which a forecast is made."""
LEAST = 4
"""Weeks with which one begins."""
DAY = 86400.0


class Forecast(NamedTuple):
    """When the uses of a move end, if they go on falling as they do: likely, and between which days; ``None`` for never."""

    earliest: str
    likely: str
    latest: Optional[str]


class Change(NamedTuple):
    """A move that a service has begun to use, or uses no more: since which version, or since which day."""

    move: str
    service: str
    since: str
    day: str


def forecast(weekly: Sequence[int], today: int) -> Forecast | None:
    """Return when ``weekly`` sums, the last week last, reach zero by the straight line through them.

    The days between which it happens are those of the line's slope, two standard errors to either side. ``None`` where
    the sums do not fall, or are too few.
    """
    sums = list(weekly)
    while sums and not sums[0]:
        del sums[0]
    if len(sums) < LEAST or not sums[-1]:
        return None
    middle, mean = (len(sums) - 1) / 2, sum(sums) / len(sums)
    spread = sum((week - middle) ** 2 for week in range(len(sums)))
    slope = sum((week - middle) * (uses - mean) for week, uses in enumerate(sums)) / spread
    rest = sum((uses - mean - slope * (week - middle)) ** 2 for week, uses in enumerate(sums))
    doubt = 2 * (rest / (len(sums) - 2) / spread) ** 0.5
    if slope + doubt / 2 >= 0:
        return None

    def end(falling: float) -> str:
        weeks = max(0.0, middle - mean / falling - (len(sums) - 1))
        return iso_day(today + min(36500, round(weeks * 7)))

    return Forecast(end(slope - doubt), end(slope), end(slope + doubt) if slope + doubt < 0 else None)


def forecasts(connection: sqlite3.Connection, selection: Selection) -> dict[str, Forecast]:
    """Return the forecast of each move of ``selection`` whose uses, but for those in tests, fall."""
    weekly: dict[str, list[int]] = {}
    for move, week, uses in connection.execute(
        "SELECT g.move, (:today - min(d.day, :today)) / 7, sum(d.count) FROM groups g JOIN daily d ON d.grp = g.id "
        "WHERE g.environment != 'test' AND d.day > :today - 7 * :weeks GROUP BY 1, 2",
        {"today": selection.today, "weeks": WEEKS},
    ):
        weekly.setdefault(move, [0] * WEEKS)[WEEKS - 1 - week] += uses
    found = {move: forecast(sums, selection.today) for move, sums in weekly.items()}
    return {move: each for move, each in found.items() if each is not None}


def changes(connection: sqlite3.Connection, selection: Selection, days: int = 7) -> tuple[list[Change], list[Change]]:
    """Return what is new in the last ``days`` days, and what was used in as many before them and is not any more.

    Both per service, outside of tests.
    """
    versions: dict[str, list[tuple[float, str]]] = {}
    marks = ",".join("?" * len(REHEARSALS))
    for service, version, started in connection.execute(
        f"SELECT service, version, min(started) FROM processes WHERE environment NOT IN ({marks}) GROUP BY 1, 2 ORDER BY 3",
        sorted(REHEARSALS),
    ):
        versions.setdefault(service, []).append((started, version))
    new, gone = [], []
    start = (selection.today - days + 1) * DAY
    for move, service, first, last in connection.execute(
        "SELECT g.move, g.service, min(d.first), max(d.last) FROM groups g JOIN daily d ON d.grp = g.id "
        "WHERE g.environment != 'test' AND (:moves IS NULL OR g.move IN (SELECT value FROM json_each(:moves))) "
        "AND g.move GLOB :glob GROUP BY 1, 2 ORDER BY 1, 2",
        {name: selection.values[name] for name in ("moves", "glob")},
    ):
        seen = versions.get(service, [])
        if first >= start:
            at = [version for started, version in seen if started <= first]
            new.append(Change(move, service, at[-1] if len(at) > 1 else "", iso_day(int(first // DAY))))
        elif start - days * DAY <= last < start:
            after = [version for started, version in seen if started > last]
            gone.append(Change(move, service, after[0] if after else "", iso_day(int(last // DAY))))
    return new, gone


def new_callers(connection: sqlite3.Connection, selection: Selection, days: int = 7) -> list[tuple[str, str, int]]:
    """Return ``(move, caller, uses)`` of callers whose first use of a move, outside of tests, lies in the last ``days`` days."""
    return connection.execute(
        "SELECT g.move, g.caller, sum(d.count) FROM groups g JOIN daily d ON d.grp = g.id WHERE g.environment != 'test' "
        "AND g.move GLOB :glob GROUP BY 1, 2 HAVING min(d.day) > :today - :days ORDER BY 3 DESC, 1, 2",
        {"glob": selection.glob, "today": selection.today, "days": days},
    ).fetchall()


def shares(connection: sqlite3.Connection, selection: Selection) -> dict[str, tuple[int, int]]:
    """Return by service how many of its processes of the period used anything legacy, and how many were observed."""
    return {
        service: (used, seen)
        for service, used, seen in connection.execute(
            "SELECT service, count(DISTINCT CASE WHEN uses != 0 THEN p END), count(DISTINCT p) "
            "FROM (SELECT service, uses, substr(id, 1, instr(id || '|', '|') - 1) AS p FROM processes "
            "WHERE coalesce(ended, started) >= :start AND environment != 'test') GROUP BY 1",
            {"start": selection.first * DAY},
        )
    }
