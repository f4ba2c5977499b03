"""Where uses are going: new since which version, gone since which, and when none are to be expected any more."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple, Optional

from ..history.evidence import REHEARSALS
from ..history.queries import CHOSEN, TREND_DAYS, Line, Selection

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

    def __str__(self) -> str:
        return f"{self.likely} ({self.earliest} to {self.latest or 'much later'})"


class Outlook(NamedTuple):
    """What becomes of a row of a report: since which version (else day) it is new, or gone, and when its uses end."""

    new_since: str = ""
    gone_since: str = ""
    ahead: Optional[Forecast] = None

    def __str__(self) -> str:
        if self.gone_since:
            return f"gone since {self.gone_since}"
        if self.new_since:
            return f"new since {self.new_since}"
        return f"ends {self.ahead.likely}" if self.ahead else ""


class Change(NamedTuple):
    """A move that a service has begun to use, or uses no more: since which version, or since which day."""

    move: str
    service: str
    since: str
    day: str


def forecast(weekly: Sequence[int], today: int) -> Forecast | None:
    """Return when ``weekly`` sums, the last week last, reach zero by the straight line through them.

    The days between which it happens are those of the line's slope, two standard errors to either side. Where the fall has
    become slower than the line, as most do, what is left takes as long as the last weeks say. ``None`` where the
    sums do not fall, or are too few.
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
    lately, last = (sums[-1] - sums[-LEAST]) / (LEAST - 1), float(sums[-1] - sums[-2])
    lately = max(lately, last) if last < 0 else lately
    if slope + doubt / 2 >= 0 or lately >= 0:
        return None

    def end(falling: float, least: float = 0.0) -> str:
        weeks = max(least, middle - mean / falling - (len(sums) - 1))
        return _day(today + min(36500, round(weeks * 7)))

    least = sums[-1] / -lately
    return Forecast(end(slope - doubt), end(slope, least), end(slope + doubt, least) if slope + doubt < 0 else None)


def _day(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def outlooks(connection: sqlite3.Connection, lines: Iterable[Line], selection: Selection) -> dict[str, Outlook]:
    """Return the outlook of each of ``lines`` that has one, by key.

    New is what was first used in the last thirty days, where somebody was observed a week before; gone is what was not used
    for a week; a forecast is made from the last four weeks.
    """
    versions = _versions(connection)
    began = min((seen[0][0] for seen in versions.values()), default=None)
    start, week = (selection.today - TREND_DAYS + 1) * DAY, (selection.today - 6) * DAY
    found = {}
    for line in lines:
        if line.first is None or line.last is None:
            continue
        of = line.services or (tuple(versions) if len(versions) == 1 else ())
        new = gone = ""
        if line.last < week:
            after = [seen for name in of for seen in versions.get(name, ())[1:] if seen[0] > line.last]
            gone = min(after)[1] if after else ""
            gone = gone or _day(int(line.last // DAY) + 1)
        elif line.first >= start and began is not None and began < line.first - 7 * DAY:
            before = [seen for name in of for seen in versions.get(name, ())[1:] if seen[0] <= line.first]
            new = max(before)[1] if before else ""
            new = new or _day(int(line.first // DAY))
        trend = line.trend[-28:]
        ahead = forecast([sum(trend[at : at + 7]) for at in range(0, 28, 7)], selection.today)
        if new or gone or ahead:
            found[line.key] = Outlook(new, gone, ahead)
    return found


def _versions(connection: sqlite3.Connection) -> dict[str, list[tuple[float, str]]]:
    """When each version of each service was first observed, outside of rehearsals, the earliest first."""
    versions: dict[str, list[tuple[float, str]]] = {}
    marks = ",".join("?" * len(REHEARSALS))
    for service, version, started in connection.execute(
        f"SELECT service, version, min(started) FROM processes WHERE environment NOT IN ({marks}) GROUP BY 1, 2 ORDER BY 3",
        sorted(REHEARSALS),
    ):
        versions.setdefault(service, []).append((started, version))
    return versions


def forecasts(
    connection: sqlite3.Connection, selection: Selection, row: Callable[[str], str] = lambda id: id
) -> dict[str, Forecast]:
    """Return the forecast of each move of ``selection`` whose uses, but for those in tests, fall; ``row`` names its row."""
    weekly: dict[str, list[int]] = {}
    for move, days, counts in connection.execute(
        "SELECT g.move, (SELECT json_group_array(day) FROM daily WHERE grp = g.id AND day > :since), "
        "(SELECT json_group_array(count) FROM daily WHERE grp = g.id AND day > :since) FROM groups g "
        f"WHERE g.environment != 'test' AND {CHOSEN}",
        {**selection.values, "since": selection.today - 7 * WEEKS},
    ):
        sums = weekly.setdefault(row(move), [0] * WEEKS)
        for day, uses in zip(json.loads(days), json.loads(counts)):
            sums[WEEKS - 1 - max(0, selection.today - day) // 7] += uses
    found = {move: forecast(sums, selection.today) for move, sums in weekly.items()}
    return {move: each for move, each in found.items() if each is not None}


def changes(connection: sqlite3.Connection, selection: Selection, days: int = 7) -> tuple[list[Change], list[Change]]:
    """Return what is new in the last ``days`` days, and what was used in as many before them and is not any more.

    Both per service, outside of tests.
    """
    versions = _versions(connection)
    new, gone = [], []
    start = (selection.today - days + 1) * DAY
    for move, service, first, last in connection.execute(
        # The first and the last day by the index: the days between them are not read.
        "SELECT move, service, min(first), max(last) FROM (SELECT g.move, g.service, "
        "(SELECT first FROM daily WHERE grp = g.id ORDER BY day LIMIT 1) AS first, "
        "(SELECT last FROM daily WHERE grp = g.id ORDER BY day DESC LIMIT 1) AS last FROM groups g "
        "WHERE g.environment != 'test' AND (:moves IS NULL OR g.move IN (SELECT value FROM json_each(:moves))) "
        "AND g.move GLOB :glob) WHERE last IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
        {name: selection.values[name] for name in ("moves", "glob")},
    ):
        seen = versions.get(service, [])
        if first >= start:
            at = [version for started, version in seen if started <= first]
            new.append(Change(move, service, at[-1] if len(at) > 1 else "", _day(int(first // DAY))))
        elif start - days * DAY <= last < start:
            after = [version for started, version in seen if started > last]
            gone.append(Change(move, service, after[0] if after else "", _day(int(last // DAY))))
    return new, gone


def new_callers(connection: sqlite3.Connection, selection: Selection, days: int = 7) -> list[tuple[str, str, int]]:
    """Return ``(move, caller, uses)`` of callers whose first use of a move, outside of tests, lies in the last ``days`` days."""
    return connection.execute(
        "SELECT g.move, g.caller, sum(d.count) FROM groups g JOIN daily d ON d.grp = g.id WHERE g.environment != 'test' "
        "AND g.move GLOB :glob GROUP BY 1, 2 HAVING min(d.day) > :today - :days ORDER BY 3 DESC, 1, 2",
        {"glob": selection.glob, "today": selection.today, "days": days},
    ).fetchall()


def shares(connection: sqlite3.Connection, selection: Selection, by: str = "service") -> dict[str, tuple[int, int]]:
    """Return by service how many of its processes of the period used anything legacy, and how many were observed.

    ``by`` may be ``environment`` or ``version`` (of a service) too; tests are left out of all but environments.
    """
    key = {"service": "service", "environment": "environment", "version": "rtrim(service || ' ' || version)"}[by]
    return {
        name: (used, seen)
        for name, used, seen in connection.execute(
            f"SELECT {key}, count(DISTINCT CASE WHEN uses != 0 THEN p END), count(DISTINCT p) "
            "FROM (SELECT *, substr(id, 1, instr(id || '|', '|') - 1) AS p FROM processes "
            "WHERE coalesce(ended, started) >= :start AND (environment != 'test' OR :tests)) GROUP BY 1",
            {"start": selection.first * DAY, "tests": by == "environment"},
        )
    }


def share(found: Mapping[str, tuple[int, int]]) -> str:
    """In how many of the observed processes something legacy was used, in a sentence; empty where none were observed."""
    used, seen = (sum(each[at] for each in found.values()) for at in (0, 1))
    if not seen:
        return ""
    return f"{used:,} of {seen:,} process{'' if seen == 1 else 'es'} ({used / seen:.0%}) used something legacy."
