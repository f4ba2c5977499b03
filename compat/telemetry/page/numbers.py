"""The numbers of the page, from one pass over the daily rollup and one over the call sites: they add up under any filter."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import add
from typing import NamedTuple

from ..history.queries import CALLER, CHOSEN, Selection
from ..record.service import PRODUCTION, TEST
from ..report.render import UNTOLD

CELLS = 12_000
"""Numbers per move, user and who at most; those of who uses least add up to one."""
REST = "(all others)"


class Cell(NamedTuple):
    """Uses of one move by one user (its index) in the code of one who: in 7 days, the 7 before, the period; last day ever."""

    user: int
    who: int
    week: int
    before: int
    total: int
    last: int


class Caller(NamedTuple):
    """One caller of a move: its uses in the period, and the day of its last one."""

    name: str
    total: int
    last: int


class Spot(NamedTuple):
    """One call site of a move with a use in the period; ``ids`` are its rows in the history."""

    caller: str
    kind: str
    file: str
    function: str
    line: int
    version: str
    last: float
    services: Sequence[str]
    ids: Sequence[int]


class Numbers(NamedTuple):
    """What the page shows, by the id of the row that speaks for what was counted.

    ``users`` are services, with their environment where it is not production; ``tests`` says which of them are tests, whose
    uses count only where they are asked for. ``whos`` are owners, or, where none are known, callers. ``bars`` are the uses by
    user, who and stretch of ``width`` days, the last of which ends today; ``trends`` those by move, outside of tests.
    """

    users: Sequence[str]
    tests: Sequence[int]
    whos: Sequence[str]
    width: int
    bars: Mapping[tuple[int, int], Sequence[int]]
    cells: Mapping[str, Sequence[Cell]]
    callers: Mapping[str, Sequence[Caller]]
    spots: Mapping[str, Sequence[Spot]]
    trends: Mapping[str, Sequence[int]]

    def of_all(self, name: str) -> Iterator[Cell]:
        """The cells of one move outside of tests."""
        return (cell for cell in self.cells.get(name, ()) if cell.user not in self.tests)


class _Counted(NamedTuple):
    """Uses of one move by one service in one environment: ``day,count,day,count`` of the period, and the last use ever."""

    move: str
    caller: str
    service: str
    environment: str
    counted: str
    last: float | None
    who: str


def read_numbers(
    connection: sqlite3.Connection,
    selection: Selection,
    width: int,
    row: Callable[[str], str],
    owners: Callable[[str], str] | None,
) -> Numbers:
    """Read the numbers of a period; ``row`` gives the id of the row for a counted one, ``owners`` whose a file is."""
    count = -(-(selection.today - selection.first + 1) // width)
    sites = list(_sites(connection, selection))
    bars: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * count)
    cells: dict[str, dict[tuple[str, str], list[int]]] = {}
    callers: dict[str, dict[str, list[int]]] = {}
    trends: dict[str, list[int]] = defaultdict(lambda: [0] * count)
    tests: set[str] = set()
    this_week, week_before = selection.today - 6, selection.today - 13
    # A day after today is of a clock that is ahead, and counts as today.
    slots = {day: count - 1 - (selection.today - day) // width for day in range(selection.first, selection.today + 1)}
    for each in _counted(connection, selection, sites, owners):
        if each.last is None:
            continue
        user = each.service if each.environment == PRODUCTION else f"{each.service} ({each.environment})"
        move, who = row(each.move), each.who or UNTOLD
        is_test = each.environment == TEST
        bar, trend = bars[user, who], [0] * count if is_test else trends[move]
        week = before = total = 0
        counted = json.loads(f"[{each.counted}]")
        for day, uses in zip(counted[::2], counted[1::2]):
            slot = slots.get(day, -1)
            bar[slot] += uses
            trend[slot] += uses
            total += uses
            if day >= this_week:
                week += uses
            elif day >= week_before:
                before += uses
        last = min(selection.today, int(each.last // 86400))
        found = cells.setdefault(move, {}).setdefault((user, who), [0, 0, 0, 0])
        found[:] = found[0] + week, found[1] + before, found[2] + total, max(found[3], last)
        if is_test:
            tests.add(user)
        elif total:
            of_caller = callers.setdefault(move, {}).setdefault(each.caller or UNTOLD, [0, 0])
            of_caller[:] = of_caller[0] + total, max(of_caller[1], last)
    return _indexed(bars, cells, callers, tests, width, _spots(sites, selection, row), trends)


def _added(sums: Sequence[int] | None, more: Sequence[int]) -> list[int]:
    return list(more) if sums is None else list(map(add, sums, more))


def count_spots(connection: sqlite3.Connection, selection: Selection, spots: Iterable[Spot]) -> dict[int, int]:
    """Return the uses in the period by id, of the places that are shown."""
    ids = [id for spot in spots for id in spot.ids]
    return dict(
        connection.execute(
            "SELECT site, sum(count) FROM uses WHERE site IN (SELECT value FROM json_each(?)) AND day >= ? GROUP BY site",
            (json.dumps(ids), selection.first),
        )
    )


class _Site(NamedTuple):
    id: int
    move: str
    caller: str
    kind: str
    file: str
    line: int
    function: str
    version: str
    service: str
    environment: str
    last: float | None


def _sites(connection: sqlite3.Connection, selection: Selection) -> Iterator[_Site]:
    # The last use is found by the index: the days of ten million uses are not read for it.
    rows = connection.execute(
        f"SELECT g.id, g.move, {CALLER}, g.kind, g.file, g.line, g.function, g.version, g.service, g.environment, "
        f"(SELECT last FROM uses WHERE site = g.id ORDER BY day DESC LIMIT 1) FROM sites g WHERE {CHOSEN}",
        selection.values,
    )
    return map(_Site._make, rows)


def _counted(
    connection: sqlite3.Connection, selection: Selection, sites: Sequence[_Site], owners: Callable[[str], str] | None
) -> Iterator[_Counted]:
    """What was counted, by caller; or by owner, for which the sites are asked where a caller has several."""
    owned: dict[tuple[str, str, str, str], dict[str, list[_Site]]] = {}
    if owners is not None:
        for site in sites:
            whose = owned.setdefault((site.move, site.caller, site.service, site.environment), {})
            whose.setdefault(owners(site.file), []).append(site)
    parted = [(owner, site) for whose in owned.values() if len(whose) > 1 for owner, mine in whose.items() for site in mine]
    of_sites: dict[int, str] = {}
    if parted:
        of_sites = dict(
            connection.execute(
                "SELECT site, group_concat(day || ',' || count) FROM uses "
                "WHERE site IN (SELECT value FROM json_each(?)) AND day >= ? GROUP BY site",
                (json.dumps([site.id for _, site in parted]), selection.first),
            )
        )
    for move, caller, service, environment, counted, last in connection.execute(
        "SELECT g.move, g.caller, g.service, g.environment, "
        "(SELECT group_concat(day || ',' || count) FROM daily WHERE grp = g.id AND day >= :first), "
        f"(SELECT last FROM daily WHERE grp = g.id ORDER BY day DESC LIMIT 1) FROM groups g WHERE {CHOSEN}",
        selection.values,
    ):
        whose = owned.get((move, caller, service, environment), {})
        if len(whose) < 2:
            who = caller if owners is None else next(iter(whose), "")
            yield _Counted(move, caller, service, environment, counted or "", last, who)
    for owner, each in parted:
        yield _Counted(each.move, each.caller, each.service, each.environment, of_sites.get(each.id, ""), each.last, owner)


def _indexed(
    bars: Mapping[tuple[str, str], Sequence[int]],
    cells: Mapping[str, Mapping[tuple[str, str], Sequence[int]]],
    callers: Mapping[str, Mapping[str, Sequence[int]]],
    tests: set[str],
    width: int,
    spots: Mapping[str, Sequence[Spot]],
    trends: Mapping[str, Sequence[int]],
) -> Numbers:
    users = _ranked((user, series) for (user, _), series in bars.items())
    whos = _ranked((who, series if user not in tests else ()) for (user, who), series in bars.items())
    many: dict[str, int] = {}
    for of_move in cells.values():
        for _, who in of_move:
            many[who] = many.get(who, 0) + 1
    left, named = CELLS, 0
    while named < len(whos) and (left := left - many.get(whos[named], 0)) >= 0:
        named += 1
    if named < len(whos):
        whos[named:] = [REST]
    at = {user: number for number, user in enumerate(users)}
    of = {who: number for number, who in enumerate(whos)}
    summed: dict[tuple[int, int], list[int]] = {}
    for (user, who), series in bars.items():
        key = at[user], of.get(who, named)
        summed[key] = _added(summed.get(key), series)
    made = {}
    for move, of_move in cells.items():
        found: dict[tuple[int, int], Cell] = {}
        for (user, who), (week, before, total, last) in of_move.items():
            key = at[user], of.get(who, named)
            old = found.get(key, Cell(*key, 0, 0, 0, 0))
            found[key] = Cell(*key, old.week + week, old.before + before, old.total + total, max(old.last, last))
        made[move] = sorted(found.values(), key=lambda cell: (-cell.total, -cell.last, cell.who))
    ordered = {
        move: sorted((Caller(name, *counts) for name, counts in of_move.items()), key=lambda caller: (-caller.total, caller.name))
        for move, of_move in callers.items()
    }
    return Numbers(users, sorted(at[user] for user in tests), whos, width, summed, made, ordered, spots, trends)


def _ranked(pairs: Iterable[tuple[str, Sequence[int]]]) -> list[str]:
    totals: dict[str, int] = {}
    for name, series in pairs:
        totals[name] = totals.get(name, 0) + sum(series)
    return sorted(totals, key=lambda name: (-totals[name], name))


def _spots(sites: Iterable[_Site], selection: Selection, row: Callable[[str], str]) -> dict[str, list[Spot]]:
    """The places of each move with a use in the period outside of tests: the latest of each caller first, then its next."""
    found: dict[tuple[str, ...], list[_Site]] = {}
    start = selection.first * 86400.0
    for site in sites:
        if site.last is not None and site.last >= start and site.environment != TEST:
            key = row(site.move), site.caller, site.kind, site.file, site.function
            found.setdefault(key, []).append(site)
    by_move: dict[str, list[tuple[Spot, int]]] = {}
    ranks: dict[tuple[str, str], int] = {}
    for (move, caller, kind, file, function), each in sorted(
        found.items(), key=lambda pair: (-max(site.last or 0 for site in pair[1]), pair[0])
    ):
        latest = max(each, key=lambda site: (site.last or 0, site.line))
        services = sorted({site.service for site in each})
        ids = [site.id for site in each]
        spot = Spot(caller or UNTOLD, kind, file, function, latest.line, latest.version, latest.last or 0, services, ids)
        rank = ranks[move, caller] = ranks.get((move, caller), 0) + 1
        by_move.setdefault(move, []).append((spot, rank))
    return {move: [spot for spot, _ in sorted(spots, key=lambda pair: pair[1])] for move, spots in by_move.items()}
