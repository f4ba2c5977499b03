"""What a verdict rests on: for each user of a move (a service in an environment), its uses and the days it was observed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..record.service import CI, STAGING, TEST
from .database import DAY, LOST
from .queries import CALLER, CHOSEN, Observed, Selection, Usage

REHEARSALS = frozenset([TEST, CI, STAGING, "development", "dev", "local"])
"""Environments whose silence says nothing about production."""


class User(NamedTuple):
    """One service in one environment, by name."""

    service: str
    environment: str


class Use(NamedTuple):
    """All uses of one move by one user: the days (since 1970) with a use, how many in the period, the last one ever.

    Of a user with uses in the period, ``days`` is the last one alone.
    """

    user: User
    days: Sequence[int]
    uses: int
    last: float
    version: str


class Evidence(NamedTuple):
    """Uses by move id, the uses by tests in the period, the days on which each user was observed, and in sum.

    ``observed`` leaves the environments out whose silence proves nothing. ``lost`` are the processes of the period whose
    counts went before anybody read them; ``unread`` names what could not be read.
    """

    uses: Mapping[str, Sequence[Use]]
    tested: Mapping[str, int]
    watched: Mapping[User, Sequence[int]]
    observed: Observed
    selection: Selection
    lost: Mapping[User, int]
    unread: Sequence[str]

    @property
    def days(self) -> list[int]:
        """The days on which anybody was observed whose silence counts."""
        return sorted({day for user, days in self.watched.items() if user.environment not in REHEARSALS for day in days})


class Quiet(NamedTuple):
    """A silence: days of it that were observed, and days without any observation, beyond the pace of the observed."""

    days: int
    unseen: int


def read_evidence(connection: sqlite3.Connection, selection: Selection, unread: Sequence[str] = ()) -> Evidence:
    """Return the evidence on the moves of ``selection``; its period says which uses are of now."""
    values = selection.values
    found: dict[tuple[str, User], tuple[list[int], list[int], list[tuple[int, float]]]] = {}
    tested: dict[str, int] = {}
    # By the index, group by group: a history of years is not read for the uses of a month.
    for id, move, service, environment, recent, day, last in connection.execute(
        "SELECT g.id, g.move, g.service, g.environment, "
        "(SELECT total(count) FROM daily WHERE grp = g.id AND day >= :first), "
        "(SELECT max(day) FROM daily WHERE grp = g.id) AS day, "
        "(SELECT last FROM daily WHERE grp = g.id ORDER BY day DESC LIMIT 1) "
        f"FROM groups g WHERE {CHOSEN} AND day IS NOT NULL ORDER BY 2, 3, 4",
        values,
    ):
        if environment == TEST:
            tested[move] = tested.get(move, 0) + int(recent)
            continue
        groups, uses, lasts = found.setdefault((move, User(service, environment)), ([], [], []))
        groups.append(id)
        uses.append(int(recent))
        lasts.append((day, last))
    versions = _last_versions(connection, values)
    quiet = [id for groups, uses, _ in found.values() if not any(uses) for id in groups]
    days = _days(connection, quiet)
    by_move: dict[str, list[Use]] = {}
    for (move, user), (groups, uses, lasts) in found.items():
        day, last = max(lasts)
        # Whoever uses it now is asked for no pace.
        seen = [day] if any(uses) else sorted({each for id in groups for each in days[id]})
        by_move.setdefault(move, []).append(Use(user, seen, sum(uses), last, versions.get((move, *user), "")))
    observed = Usage(connection).observed(selection, without=REHEARSALS)
    watched, lost = _watched(connection, selection.today), _lost(connection, selection)
    return Evidence(by_move, tested, watched, observed, selection, lost, unread)


class Part(NamedTuple):
    """What one user of a move has of it: a file, its caller and a version; the last use there, in seconds since 1970."""

    move: str
    user: User
    caller: str
    file: str
    version: str
    last: float


def read_parts(connection: sqlite3.Connection, selection: Selection) -> Iterator[Part]:
    """Yield where each move of ``selection`` was ever used outside of tests."""
    for move, service, environment, caller, file, version, last in connection.execute(
        f"SELECT g.move, g.service, g.environment, {CALLER}, g.file, g.version, "
        "(SELECT last FROM uses WHERE site = g.id ORDER BY day DESC LIMIT 1) AS last "
        f"FROM sites g WHERE {CHOSEN} AND last IS NOT NULL AND g.environment != '{TEST}'",
        selection.values,
    ):
        yield Part(move, User(service, environment), caller, file, version, last)


def _days(connection: sqlite3.Connection, groups: Sequence[int]) -> dict[int, list[int]]:
    rows = connection.execute(
        "SELECT grp, json_group_array(day) FROM daily WHERE grp IN (SELECT value FROM json_each(?)) GROUP BY grp",
        (json.dumps(groups),),
    )
    return {group: json.loads(days) for group, days in rows}


def _last_versions(connection: sqlite3.Connection, values: Mapping[str, object]) -> dict[tuple[str, str, str], str]:
    # SQLite takes a bare column from the row of the max().
    rows = connection.execute(
        "SELECT move, service, environment, version, max(last) FROM (SELECT g.move, g.service, g.environment, g.version, "
        f"(SELECT last FROM uses WHERE site = g.id ORDER BY day DESC LIMIT 1) AS last FROM sites g WHERE {CHOSEN}) "
        "WHERE last IS NOT NULL GROUP BY 1, 2, 3",
        values,
    )
    return {(move, service, environment): version for move, service, environment, version, _ in rows}


def _watched(connection: sqlite3.Connection, today: int) -> dict[User, list[int]]:
    found: dict[User, set[int]] = {}
    for service, environment, first, last in connection.execute(
        "SELECT DISTINCT service, environment, CAST(started / 86400 AS INTEGER), "
        "CAST(max(coalesce(ended, started), started) / 86400 AS INTEGER) FROM processes"
    ):
        found.setdefault(User(service, environment), set()).update(range(first, min(last, today) + 1))
    return {user: sorted(days) for user, days in found.items()}


def _lost(connection: sqlite3.Connection, selection: Selection) -> dict[User, int]:
    rows = connection.execute(
        "SELECT service, environment, count(*) FROM processes WHERE uses = ? AND environment != ? "
        "AND coalesce(ended, started) >= ? GROUP BY 1, 2",
        (LOST, TEST, selection.first * DAY),
    )
    return {User(service, environment): count for service, environment, count in rows}


def pace(days: Sequence[int]) -> int:
    """Return after how many days one of ``days`` (sorted) is mostly followed by the next: 1 daily, 3 on weekdays, 31 monthly.

    Two of them say nothing yet: they are taken for days of something that is there every day.
    """
    gaps = sorted(after - before for before, after in zip(days, days[1:]))
    if len(gaps) < 2:
        return 1
    return gaps[(len(gaps) - 1) * 9 // 10 if len(gaps) >= 10 else (len(gaps) - 1) // 2]


def window_of(days: Sequence[int], watched: Sequence[int], least: int) -> tuple[int, str]:
    """Return how many days of silence prove something, at least ``least``, and the pace of the uses, in words.

    Half as much again as the longest time between two uses: what happens once a month does not happen every 30 days. A
    use on one day tells no pace: it takes twice as long, and three rounds of a job that runs now and then.
    """
    gap = max((after - before for before, after in zip(days, days[1:])), default=0)
    if gap:
        return max(least, gap * 3 // 2), f"{gap} days apart"
    return max(least * 2, pace(watched) * 3), "on one day only"


def quiet_since(day: int, watched: Sequence[int]) -> Quiet:
    """Return how much of the time after ``day`` was observed, given the days that were.

    What lies between two observed days counts as observed where that is the pace of the service: a monthly job is
    observed once a month.
    """
    usual, seen, unseen, before = pace(watched), 0, 0, day
    for after in watched:
        if after <= day:
            continue
        step = after - before
        if step > usual + 1:
            unseen += step - 1
            step = 1
        seen += step
        before = after
    return Quiet(seen, unseen)


def is_missing(today: int, watched: Sequence[int]) -> bool:
    """Tell whether who was observed on ``watched`` has been out of sight for longer than is usual."""
    return not watched or today - watched[-1] > 1 + pace(watched) * 3 // 2


def merged(uses: Iterable[Use]) -> list[Use]:
    """Return one for each user: the ids counted below one row are one move."""
    by_user: dict[User, Use] = {}
    for use in uses:
        known = by_user.get(use.user)
        if known is not None:
            latest = max(known, use, key=lambda each: each.last)
            days = sorted({*known.days, *use.days})
            use = latest._replace(days=days, uses=known.uses + use.uses)
        by_user[use.user] = use
    return sorted(by_user.values(), key=lambda use: use.user)
