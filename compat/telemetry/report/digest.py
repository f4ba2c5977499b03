"""What is to be told to people: a week in Markdown, and one text per owner that can be filed as an issue."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import IO, NamedTuple

from ..history.queries import Place, Usage
from .outlook import Change, changes, forecasts, new_callers, shares
from .owners import NOBODY
from .usage_report import Report, evidence, iso_day, told

SHOWN = 20
"""Rows of a list in a digest; the rest is counted."""


class JudgedUser(NamedTuple):
    """The verdict on one user of a move: its last use ever (seconds), the day it was last observed on, what would settle it."""

    service: str
    environment: str
    verdict: str
    last: float
    version: str
    observed: str
    settle: str


class Judged(NamedTuple):
    """The verdict on a move, as a digest and the page tell it; ``doubts`` hold for every move."""

    move: str
    verdict: str
    why: str
    is_overdue: bool
    users: Sequence[JudgedUser] = ()
    doubts: Sequence[str] = ()


def write_digest(
    report: Report, connection: sqlite3.Connection, stream: IO[str], judged: Sequence[Judged], owners: Callable[[str], str] | None
) -> None:
    """Write what happened in the last seven days of ``report``: who is new, who is gone, what may go, and whose it is."""
    first, today = iso_day(report.selection.today - 6), iso_day(report.selection.today)
    week = report.selection._replace(first=report.selection.today - 6)
    before = week._replace(first=week.first - 7, today=week.first - 1)
    usage = Usage(connection)
    now, earlier = usage.total(week), usage.total(week._replace(first=before.first)) - usage.total(week)
    write = stream.write
    write(f"# Legacy use from {first} to {today}\n\n")
    write(f"{evidence(now, report.observed)}; {earlier:,} in the week before.\n")
    callers = new_callers(connection, week)
    _list(stream, "New callers", [f"`{caller or '?'}` uses `{move}` ({_uses(uses)})" for move, caller, uses in callers])
    new, gone = changes(connection, week)
    _list(stream, "New in a service", [f"`{each.service}` uses `{each.move}`, {_since('new', each)}" for each in new])
    _list(stream, "Gone", [f"`{each.service}` uses `{each.move}` no more, {_since('gone', each)}" for each in gone])
    _list(stream, "May go", [f"`{each.move}`: {each.why}" for each in judged if each.verdict == "may go"])
    _list(stream, "Overdue", [f"`{each.move}` is {each.verdict}: {each.why}" for each in judged if each.is_overdue])
    falling = []
    for move, ahead in sorted(forecasts(connection, week).items(), key=lambda pair: pair[1].likely):
        until = f"to {ahead.latest}" if ahead.latest else "or later"
        falling.append(f"`{move}`: none from {ahead.likely} on ({ahead.earliest} {until}), if its uses go on falling")
    _list(stream, "Expected to end", falling)
    write("\n## By service\n\n| service | processes that used something legacy |\n| --- | ---: |\n")
    for service, (used, seen) in sorted(shares(connection, week).items()):
        write(f"| {service} | {used:,} of {seen:,} ({used / seen:.0%}) |\n")
    write("\n## By owner\n\n")
    if owners is None:
        write("No owners are known: write a CODEOWNERS file, or [tool.compat] owners.\n")
    else:
        write("| owner | uses | moves | places |\n| --- | ---: | ---: | ---: |\n")
        for owner, places in _by_owner(usage.all_places(week), owners).items():
            moves = len({place.move for place in places})
            write(f"| {owner} | {sum(place.total for place in places):,} | {moves:,} | {len(places):,} |\n")
    if report.problems:
        write("\n")
    for problem in report.problems:
        write(f"{told(problem)}\n")


def write_issues(
    report: Report,
    connection: sqlite3.Connection,
    stream: IO[str],
    owners: Callable[[str], str],
    blamed: Callable[[Place], str] = lambda place: "",
) -> None:
    """Write one text per owner, parted by lines of ``---``: a title, and what to write instead at each place."""
    by_owner = _by_owner(Usage(connection).all_places(report.selection), owners)
    for number, (owner, places) in enumerate(by_owner.items()):
        moves: dict[str, list[Place]] = {}
        for place in places:
            moves.setdefault(place.move, []).append(place)
        many = f"{len(places):,} place{'' if len(places) == 1 else 's'}"
        stream.write("\n---\n\n" * (number > 0))
        stream.write(f"# Leave {len(moves):,} legacy name{'' if len(moves) == 1 else 's'} in {many}\n\n")
        stream.write(f"For {owner}. Used from {iso_day(report.selection.first)} to {iso_day(report.selection.today)} (UTC).\n")
        for move in sorted(moves, key=lambda move: (_removal(report, move), move)):
            facts = report.facts_of(move)
            stream.write(f"\n## `{move}`\n\n")
            if facts is not None:
                stream.write(f"{facts.instead} It is {facts.stage}, and goes in {facts.removal}.\n\n")
            for place in moves[move]:
                where = f"`{place.file}:{place.line}`" if place.file else "a place that was not told apart"
                seen = f"{_uses(place.total)} in {', '.join(place.services)}"
                last = "" if place.last is None else f", last on {iso_day(int(place.last // 86400))}"
                stream.write(f"- [ ] {where} in `{place.function}`: {seen}{last}{blamed(place)}\n")
    if not by_owner:
        stream.write("No legacy use in this period: there is nothing to file.\n")


def _by_owner(places: Sequence[Place], owners: Callable[[str], str]) -> Mapping[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for place in places:
        found.setdefault(owners(place.file) or NOBODY, []).append(place)
    return dict(sorted(found.items(), key=lambda pair: (pair[0] == NOBODY, -sum(place.total for place in pair[1]), pair[0])))


def _removal(report: Report, move: str) -> tuple[int, ...]:
    facts = report.facts_of(move)
    parts = facts.removal.split(".") if facts is not None else []
    return tuple(int(part) if part.isdigit() else 0 for part in parts) or (1 << 30,)


def _since(what: str, change: Change) -> str:
    if change.since:
        return f"{what} since {change.since}"
    return f"first on {change.day}" if what == "new" else f"last on {change.day}"


def _uses(uses: int) -> str:
    return f"{uses:,} use{'' if uses == 1 else 's'}"


def _list(stream: IO[str], head: str, rows: Sequence[str]) -> None:
    stream.write(f"\n## {head}\n\n")
    stream.writelines(f"- {row}\n" for row in rows[:SHOWN])
    if len(rows) > SHOWN:
        stream.write(f"- and {len(rows) - SHOWN:,} more\n")
    if not rows:
        stream.write("None.\n")
