"""A usage report as plain data, independent of any format."""

from __future__ import annotations

import fnmatch
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any, NamedTuple

from ..history.queries import KEYS, TREND_DAYS, Line, Observed, Selection, Usage
from ..history.unread import Note
from .outlook import Outlook, outlooks, shares

FORMAT = "compat-usage-report"
FORMAT_VERSION = 2
"""1: the first one; 2: a row says since when it is new or gone, when it ends, and in how many processes it was used
(``data/report.schema.json``)."""

SHARED = ("service", "environment", "version")
"""The keys of which processes are told apart."""
_EPOCH = date(1970, 1, 1)


class MoveFacts(NamedTuple):
    """What the ledger says of a move, as text; ``instead`` is the one-line fix, ``stage`` that of the version in force."""

    legacy: str
    canonical: str
    since: str
    removal: str
    instead: str
    stage: str
    kind: str


class Report(NamedTuple):
    """Uses by one key over a period, what the ledger says of the moves, and the evidence behind the zeros.

    ``others`` are the uses in the period of what a report narrowed to one ledger leaves out; ``is_counted`` tells whether
    anything was ever used, where the lines are left out. ``outlooks`` are by key, ``shares`` (processes that used something,
    processes observed) by service, or by key where the report goes by environment or version.
    """

    by: str
    selection: Selection
    generated: datetime
    lines: Sequence[Line]
    facts: Mapping[str, MoveFacts]
    unused: Sequence[str]
    observed: Observed
    problems: Sequence[str]
    others: int = 0
    is_counted: bool = False
    outlooks: Mapping[str, Outlook] = {}
    shares: Mapping[str, tuple[int, int]] = {}

    @property
    def used(self) -> list[Line]:
        """The lines with a use in the period; the others were used before it."""
        return [line for line in self.lines if line.total]

    def facts_of(self, id: str) -> MoveFacts | None:
        """What the ledger says of a move, or of the class or module that it belongs to."""
        row = row_of(self.facts, id)
        return None if row is None else self.facts[row]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever recorded, not even a process that was observed."""
        return not self.lines and not self.is_counted and not self.others and not self.observed.processes


def row_of(facts: Mapping[str, MoveFacts], id: str) -> str | None:
    """The id of the row that speaks for a counted id: its own, else that of its class, its module, a parent package.

    Methods of an adapter are counted one by one, as ``old.mod:Class.method``; the ledger has one row for the class.
    """
    while id not in facts:
        head, colon, attribute = id.partition(":")
        parent = f"{head}:{attribute.rpartition('.')[0]}" if "." in attribute else head if colon else head.rpartition(".")[0]
        if not parent:
            return None
        id = parent
    return id


def day_of(moment: datetime) -> int:
    """The day of a moment, counted from 1970-01-01 in UTC."""
    return (moment.astimezone(timezone.utc).date() - _EPOCH).days


def iso_day(day: int) -> str:
    """``2026-11-21`` for a day counted from 1970-01-01."""
    return (_EPOCH + timedelta(days=day)).isoformat()


def iso_time(seconds: float | None) -> str | None:
    """``2026-11-21T08:00:00Z`` for seconds since 1970 in UTC."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_since(text: str, today: int) -> int:
    """The first day of a period: ``30d``, ``12w``, ``2026-11-01`` or ``all``.

    Raises ``ValueError`` with the forms that are understood.
    """
    span = re.fullmatch(r"(\d+)([dw])", text)
    if span and int(span.group(1)):
        return max(0, today - int(span.group(1)) * (7 if span.group(2) == "w" else 1) + 1)
    if text == "all":
        return 0
    try:
        return max(0, (date.fromisoformat(text) - _EPOCH).days)
    except ValueError:
        raise ValueError(f"{text!r} is no period; write 30d, 12w, all, or a first day such as 2026-11-01") from None


def build_report(
    connection: sqlite3.Connection,
    *,
    by: str = "move",
    since: str = f"{TREND_DAYS}d",
    match: str = "",
    facts: Mapping[str, MoveFacts] | None = None,
    narrowed: bool = False,
    problems: Sequence[str] = (),
    now: datetime | None = None,
    owners: Callable[[str], str] = lambda file: "",
    lines: bool = True,
) -> Report:
    """Ask a history for one report.

    ``by`` is one of :data:`~compat.telemetry.history.queries.KEYS`; ``owners`` says whose a file is; ``since`` as in
    :func:`parse_since`; ``match`` selects moves by id (a glob, or text anywhere in it); ``facts`` are the ledger's rows by
    id; ``narrowed`` leaves out what lies below none of their top-level packages (what lies below one stays, of a row that
    is gone as well); ``problems`` name what could not be read; ``now`` decides which day is today; ``lines`` are left out
    for the page, which reads its own numbers.
    """
    if by not in KEYS:
        raise ValueError(f"a report goes by {', '.join(KEYS)}; not by {by!r}")
    now = now or datetime.now(timezone.utc)
    today = day_of(now)
    selection = Selection(parse_since(since, today), today, match)
    facts = facts or {}
    usage = Usage(connection, owners)
    others = 0
    if narrowed:
        totals = usage.totals(selection)
        roots = {_root(id) for id in facts}
        selection = selection._replace(moves=frozenset(id for id in usage.moves() if _root(id) in roots))
        others = sum(uses for id, uses in totals.items() if _root(id) not in roots)
    read = usage.lines(by, selection) if lines else []
    used = {row_of(facts, id) for id in usage.used(selection)} if facts else set()
    unused = sorted(id for id in facts if id not in used and fnmatch.fnmatchcase(id, selection.glob))
    ahead_of = outlooks(connection, read, selection) if by != "day" else {}
    shared = shares(connection, selection, by if by in ("environment", "version") else "service")
    ahead = usage.ahead(selection)
    if ahead is not None:
        said = f"uses are dated after today, until {iso_time(ahead)}: a clock is ahead; they count as of today"
        problems = [*problems, Note(said)]
    return Report(
        by,
        selection,
        now,
        read,
        facts,
        unused,
        usage.observed(selection),
        tuple(problems),
        others,
        bool(usage.moves()),
        ahead_of,
        shared,
    )


def _root(id: str) -> str:
    return id.partition(":")[0].partition(".")[0]


def evidence(uses: int, observed: Observed) -> str:
    """What a count rests on: ``0 uses in 41 processes over 912 hours since 3 November 2026``."""
    counted = f"{uses:,} use{'' if uses == 1 else 's'}"
    if not observed.processes or observed.since is None:
        return counted if uses else f"{counted}, but no process was observed: this zero proves nothing"
    since = datetime.fromtimestamp(observed.since, timezone.utc)
    processes = f"{observed.processes:,} process{'' if observed.processes == 1 else 'es'}"
    hours = "less than an hour"
    if observed.hours >= 0.5:
        hours = f"{observed.hours:,.0f} hour{'' if round(observed.hours) == 1 else 's'}"
    return f"{counted} in {processes} over {hours} since {since.day} {since:%B %Y}"


def beside(report: Report) -> str:
    """What a report narrowed to one ledger leaves out: ``and 12 uses of other ledgers``; empty for nothing."""
    return f"and {report.others:,} use{'' if report.others == 1 else 's'} of other ledgers" if report.others else ""


def told(problem: str) -> str:
    """A problem in a sentence: ``Not read: ...``, or ``Note: ...`` where nothing was left unread."""
    return f"{'Note' if isinstance(problem, Note) else 'Not read'}: {problem}"


def change(line: Line) -> float | None:
    """The last 7 days against the 7 before: ``-0.4`` is 40 % fewer; ``None`` where there was nothing before."""
    return None if not line.week_before else line.week / line.week_before - 1


def next_step(report: Report, where: str = "") -> str:
    """What to do when there is nothing to show; empty when there is."""
    if report.is_empty:
        place = f" in {where}" if where else ""
        if any(not isinstance(problem, Note) for problem in report.problems):
            return f"No usage could be read{place}: nothing is known of any use."
        return (
            f"Nothing has been recorded{place} yet.\n"
            "  See one at once:            python -m compat demo\n"
            "  Check the drop-in:          python -m compat doctor\n"
            "  Report another directory:   compat report DIR"
        )
    if not report.used:
        return f"No legacy use in this period: {evidence(0, report.observed)}.\nSee what may go: compat ready"
    return ""


def as_dict(report: Report) -> dict[str, Any]:
    """The report as JSON holds it; ``data/report.schema.json`` is its schema."""
    selection, observed = report.selection, report.observed
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "generated": iso_time(report.generated.timestamp()),
        "by": report.by,
        "match": selection.match,
        "period": {"first_day": iso_day(selection.first), "last_day": iso_day(selection.today)},
        "observed": {
            "processes": observed.processes,
            "hours": round(observed.hours, 3),
            "since": iso_time(observed.since),
            "services": list(observed.services),
        },
        "rows": [_row(line, report) for line in report.lines],
        "unused": list(report.unused),
        "problems": list(report.problems),
    }


def _row(line: Line, report: Report) -> dict[str, Any]:
    facts = report.facts_of(line.key) if report.by == "move" else None
    outlook = report.outlooks.get(line.key, Outlook())
    share = report.shares.get(line.key) if report.by in SHARED else None
    return {
        "key": line.key,
        "today": line.today,
        "last_7_days": line.week,
        "previous_7_days": line.week_before,
        "last_30_days": line.month,
        "total": line.total,
        "trend": list(line.trend),
        "first_seen": iso_time(line.first),
        "last_seen": iso_time(line.last),
        "moves": line.moves,
        "callers": line.callers,
        "services": list(line.services),
        "new_since": outlook.new_since or None,
        "gone_since": outlook.gone_since or None,
        "expected_end": None if outlook.ahead is None else outlook.ahead._asdict(),
        "processes": None if share is None else {"used": share[0], "observed": share[1]},
        "move": None if facts is None else facts._asdict(),
    }
