"""The usage page: one HTML file that says how far a migration is, what may go, and who is left."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import files
from typing import IO, Any, NamedTuple

from markupsafe import Markup

from ..history.queries import Selection, Usage
from ..report.digest import Judged
from ..report.outlook import LEAST, WEEKS, Forecast, forecast
from ..report.render import UNTOLD
from ..report.usage_report import MoveFacts, Report, beside, evidence, iso_day, iso_time, next_step, row_of, told
from .chart import Chart, bucket_days, burn_down, sparkle, unit_of
from .numbers import REST, Caller, Cell, Numbers, Spot, count_spots, read_numbers

ROWS = 200  # moves of the table that are there at first; the rest is kept as text until it is asked for
CALLERS, PLACES = 6000, 2500  # callers and call sites named on one page, shared out among its moves
PLACES_OF_ONE = 200  # call sites shown of one move at most
TREND_DAYS = 14  # that a chart shows at least, if the period has as many
LISTED = 4  # entries of a list on the first screen
LEFT = 200  # entries of the list of who is left
_RANK = {"may go": 1, "in use": 2, "in source": 3, "unproven": 4, "later": 5}


class View(NamedTuple):
    """One move as the page shows it; the numbers leave tests out."""

    anchor: str
    name: str
    facts: MoveFacts | None
    judged: Judged | None
    week: int
    before: int
    total: int
    last: str
    who: str
    change: str
    tested: int
    callers: Sequence[Caller]
    others: Caller | None
    spots: Sequence[Spot]
    hidden: int
    trend: Sequence[int]

    @property
    def verdict(self) -> str:
        """The verdict; the stage, where nobody gave one."""
        return self.judged.verdict if self.judged else self.facts.stage if self.facts else "no row"

    @property
    def is_overdue(self) -> bool:
        """Whether it should be gone and may not go."""
        return bool(self.judged and self.judged.is_overdue)


class Left(NamedTuple):
    """One who still uses something: uses in 7 days and in the period, how many moves, and which of them most."""

    name: str
    week: int
    total: int
    moves: int
    most: View


def write_page(
    report: Report,
    connection: sqlite3.Connection,
    stream: IO[str],
    where: str = "",
    *,
    live: int = 0,
    judged: Sequence[Judged] = (),
    owners: Callable[[str], str] | None = None,
) -> None:
    """Write the page of a report by move.

    ``judged`` are the verdicts, ``owners`` says whose a file is; ``live`` seconds between refreshes where a server stands
    behind it.
    """
    values = page_values(report, connection, where, judged, owners)
    for part in _template().generate(**values, live=live):
        stream.write(part)


def policy() -> str:
    """The Content-Security-Policy under which the page works: its own script and style by hash, and nothing else."""
    return (
        f"default-src 'none'; script-src {_hash('script.js')}; style-src {_hash('style.css')}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def page_values(
    report: Report,
    connection: sqlite3.Connection,
    where: str = "",
    judged: Sequence[Judged] = (),
    owners: Callable[[str], str] | None = None,
) -> dict[str, Any]:
    """What the template shows; the report must go by move."""
    if report.by != "move":
        raise ValueError(f"the page goes by move and leads from there to callers and files; not by {report.by!r}")
    selection = report.selection
    oldest = Usage(connection).first_day()
    if oldest is not None and oldest > selection.first:
        # A history that has just begun is drawn in a window in which a fall can be seen.
        selection = selection._replace(first=max(selection.first, min(oldest, selection.today - TREND_DAYS + 1)))
    width = bucket_days(selection)
    rows: dict[str, str] = {}

    def row(id: str) -> str:
        found = rows.get(id)
        if found is None:
            found = rows[id] = row_of(report.facts, id) or id
        return found

    numbers = read_numbers(connection, selection, width, row, owners)
    views = _views(report, numbers, {each.move: each for each in judged}, selection)
    counts = count_spots(connection, selection, (spot for view in views for spot in view.spots))
    totals = {name: sum(getattr(view, name) for view in views) for name in ("week", "before", "total")}
    used = sum(1 for view in views if view.total)
    by_user = len(numbers.users) - len(numbers.tests) > 1 or len(numbers.whos) < 2
    stacks: dict[str, list[int]] = {}
    for (user, who), bars in numbers.bars.items():
        if user not in numbers.tests and any(bars):
            name = numbers.users[user] if by_user else numbers.whos[who]
            stacks[name] = [a + b for a, b in zip(stacks[name], bars)] if name in stacks else list(bars)
    counted: dict[str, int] = {}
    for view in views:
        counted[view.verdict] = counted.get(view.verdict, 0) + 1
    whose = "owner" if owners is not None else "caller"
    return {
        "report": report,
        "moves": views,
        "shown": views[:ROWS],
        "rest": views[ROWS:],
        "chart": _chart(stacks, selection, width) if stacks else None,
        "by": "service" if by_user else whose,
        "whose": whose,
        "users": [(number, user) for number, user in enumerate(numbers.users)],
        "whos": list(enumerate(numbers.whos)),
        "verdicts": sorted(counted.items(), key=lambda pair: (_RANK.get(pair[0], 6), pair[0])),
        "overdue": [view for view in views if view.is_overdue],
        "going": [view for view in views if view.verdict == "may go"],
        "doubts": next((each.doubts for each in judged if each.verdict == "unproven" and each.doubts), ()),
        "judged": bool(judged),
        "left": _left(views, numbers)[:LEFT],
        "totals": totals,
        "change": change_of(totals["week"], totals["before"], totals["total"], bool(totals["total"])),
        "quiet": len(views) - used,
        "outlook": outlook([sum(bars) for bars in zip(*stacks.values())], width, selection.today),
        "counts_of": lambda spot: sum(counts.get(id, 0) for id in spot.ids),
        "ending": _ending(views, width, selection.today)[:3],
        # A page of many moves says less of each.
        "full": len(views) <= ROWS,
        "cut": any(view.hidden or view.others for view in views),
        "iso": iso_day(selection.today),
        "listed": LISTED,
        "unit": unit_of(width),
        "data": _data(numbers, views, selection),
        "evidence": ", ".join(filter(None, (evidence(_all(numbers), report.observed), beside(report)))),
        "first": iso_day(selection.first),
        "last": iso_day(selection.today),
        "empty": next_step(report, where) if report.is_empty else "",
        "policy": policy(),
    }


def _all(numbers: Numbers) -> int:
    return sum(cell.total for cells in numbers.cells.values() for cell in cells)


def _views(report: Report, numbers: Numbers, judged: Mapping[str, Judged], selection: Selection) -> list[View]:
    names = {*numbers.cells, *(id for id in report.facts if selection.includes(id))}
    many = len(numbers.callers) or 1
    callers, places = max(5, CALLERS // many), min(PLACES_OF_ONE, max(1, PLACES // many))
    views = []
    for name in names:
        cells = list(numbers.of_all(name))
        week, before, total = (sum(getattr(cell, field) for cell in cells) for field in ("week", "before", "total"))
        last = max((cell.last for cell in cells), default=0)
        all_callers, spots = numbers.callers.get(name, ()), numbers.spots.get(name, ())
        rest = all_callers[callers:]
        others = Caller(f"{len(rest):,} others", sum(each.total for each in rest), 0) if rest else None
        views.append(
            View(
                "",
                name,
                report.facts.get(name),
                judged.get(name),
                week,
                before,
                total,
                iso_day(last) if last else "",
                who_of(cells, numbers.whos),
                change_of(week, before, total, bool(last)),
                sum(cell.total for cell in numbers.cells.get(name, ()) if cell.user in numbers.tests),
                all_callers[:callers],
                others,
                spots[:places],
                max(0, len(spots) - places),
                numbers.trends.get(name, ()),
            )
        )
    views.sort(key=lambda view: (not view.is_overdue, _RANK.get(view.verdict, 6), -view.week, -view.total, view.name))
    return [view._replace(anchor=f"m{number}") for number, view in enumerate(views, 1)]


def who_of(cells: Iterable[Cell], whos: Sequence[str]) -> str:
    """Whose uses those of a move are, the busiest first: ``chat, jobs +3``."""
    totals: dict[int, int] = {}
    for cell in cells:
        if cell.total:
            totals[cell.who] = totals.get(cell.who, 0) + cell.total
    ranked = sorted(totals, key=lambda who: (whos[who] == REST, -totals[who], who))
    more = f" +{len(ranked) - 2}" if len(ranked) > 2 else ""
    return ", ".join(whos[who] for who in ranked[:2]) + more


def change_of(week: int, before: int, total: int, ever: bool) -> str:
    """The last 7 days against the 7 before, as short as a table takes: ``-40%``, ``new``, ``back``, ``ended``."""
    if not week:
        return "ended" if ever else ""
    if not before:
        return "new" if week == total else "back"
    return f"{week / before - 1:+.0%}"


def outlook(bars: Sequence[int], width: int, today: int) -> str:
    """When the uses end, if they go on falling as they do, in a sentence; empty for none at all."""
    if not any(bars):
        return ""
    ahead = _ahead(bars, width, today)
    weeks = _weeks(bars, width)
    if ahead is not None:
        until = f"and {ahead.latest}" if ahead.latest else "and much later"
        return f"None expected from {ahead.likely} on (between {ahead.earliest} {until})."
    if not any(weeks[-1:]):
        return "No use in the last 7 days."
    while weeks and not weeks[0]:
        del weeks[0]
    if width > 7:
        return ""
    return "No end in sight: uses do not fall." if len(weeks) >= LEAST else f"A forecast needs {LEAST} weeks of uses."


def _weeks(bars: Sequence[int], width: int) -> list[int]:
    if width == 1:
        bars = [sum(bars[at : at + 7]) for at in range(len(bars) % 7, len(bars), 7)]
    return list(bars[-WEEKS:])


def _ahead(bars: Sequence[int], width: int, today: int) -> Forecast | None:
    return forecast(_weeks(bars, width), today) if width <= 7 else None


def _ending(views: Iterable[View], width: int, today: int) -> list[tuple[View, Forecast]]:
    """The moves whose uses fall to zero, the first first."""
    pairs = ((view, _ahead(view.trend, width, today)) for view in views if view.week)
    return sorted(((view, ahead) for view, ahead in pairs if ahead), key=lambda pair: (pair[1].likely, pair[0].name))


def _chart(stacks: Mapping[str, Sequence[int]], selection: Selection, width: int) -> Chart:
    return burn_down("all-chart", "Uses of all moves", stacks, selection.today, width)


def _left(views: Sequence[View], numbers: Numbers) -> list[Left]:
    found: dict[int, list[tuple[int, int, View]]] = {}
    for view in views:
        mine: dict[int, list[int]] = {}
        for cell in numbers.of_all(view.name):
            if cell.total:
                sums = mine.setdefault(cell.who, [0, 0])
                sums[:] = sums[0] + cell.week, sums[1] + cell.total
        for who, (week, total) in mine.items():
            found.setdefault(who, []).append((week, total, view))
    left = []
    for who, uses in found.items():
        most = max(uses, key=lambda each: each[:2])[2]
        left.append(Left(numbers.whos[who], sum(each[0] for each in uses), sum(each[1] for each in uses), len(uses), most))
    return sorted(left, key=lambda each: (each.name == REST, -each.week, -each.total, each.name))


def _data(numbers: Numbers, views: Sequence[View], selection: Selection) -> Markup:
    """What the script computes with: per move the cells, flat; a day is told by how long ago it is."""
    flat = [
        [
            number
            for cell in numbers.cells.get(view.name, ())
            for number in (cell.user, cell.who, cell.week, cell.before, cell.total, selection.today - cell.last)
        ]
        for view in views
    ]
    whole = {
        "users": numbers.users,
        "tests": numbers.tests,
        "whos": numbers.whos,
        "today": selection.today,
        "width": numbers.width,
        "bars": [[user, who, *bars] for (user, who), bars in numbers.bars.items()],
        "moves": flat,
    }
    # No name can end the element that it stands in.
    return Markup(json.dumps(whole, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c"))


def _promise(facts: MoveFacts) -> str:
    if facts.stage == "announced":
        return f"to be deprecated in {facts.since}, to go in {facts.removal}"
    if facts.stage == "expired":
        return f"deprecated in {facts.since}, expired in {facts.removal}"
    return f"deprecated since {facts.since}, goes in {facts.removal}"


def _asset(name: str) -> str:
    return (files("compat.telemetry") / "data" / "page" / name).read_text(encoding="utf-8")


def _hash(name: str) -> str:
    digest = hashlib.sha256(_asset(name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        promise=_promise,
        place=lambda spot: f"{spot.file}:{spot.line}" if spot.file else UNTOLD,
        number=lambda value: f"{value:,}",
        day=lambda seconds: "" if seconds is None else iso_day(int(seconds // 86400)),
        time=lambda seconds: (iso_time(seconds) or "").replace("T", " ").replace("Z", " UTC"),
        told=told,
        word=lambda text: text.replace(" ", "-"),
        sparkle=sparkle,
    )
    environment.globals.update(style=Markup(_asset("style.css")), script=Markup(_asset("script.js")))
    return environment.from_string(_asset("page.html.j2"))
