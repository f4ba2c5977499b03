"""The usage page: one HTML file with everything in it, from move to caller to file and line."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import IO, Any, NamedTuple

from ..history.queries import Line, Place, Selection, Usage
from ..report.render import UNTOLD, direction, last_seen
from ..report.usage_report import MoveFacts, Report, beside, evidence, iso_day, iso_time, next_step, told
from .chart import Chart, burn_down

PLACES = 200  # call sites shown of one move; the rest is counted
LINES = 5  # lines shown of one of them
WINDOW = 14  # days that a chart shows at least, if the period has as many


class CallerView(NamedTuple):
    """One caller of a move, with all its uses, how many call sites it has, and those of them that are shown."""

    name: str
    total: int
    sites: int
    places: Sequence[Place]
    services: str


class MoveView(NamedTuple):
    """One move as the page shows it."""

    anchor: str
    line: Line
    facts: MoveFacts | None
    chart: Chart | None
    callers: Sequence[CallerView]
    hidden: bool
    services: str


def write_page(report: Report, connection: sqlite3.Connection, stream: IO[str], where: str = "", *, live: int = 0) -> None:
    """Write the page of a report by move; ``live`` seconds between refreshes where a server stands behind it."""
    for part in _template().generate(**page_values(report, connection, where), live=live):
        stream.write(part)


def policy() -> str:
    """The Content-Security-Policy under which the page works: its own script and style by hash, and nothing else."""
    return (
        f"default-src 'none'; script-src {_hash('script.js')}; style-src {_hash('style.css')}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def page_values(report: Report, connection: sqlite3.Connection, where: str = "") -> dict[str, Any]:
    """What the template shows; the report must go by move."""
    if report.by != "move":
        raise ValueError(f"the page goes by move and leads from there to callers and files; not by {report.by!r}")
    usage = Usage(connection)
    oldest = usage.first_day()
    selection = report.selection
    if oldest is not None and oldest > selection.first:
        # A history that has just begun is drawn in a window in which a fall can be seen.
        selection = selection._replace(first=max(selection.first, min(oldest, selection.today - WINDOW + 1)))
    per_move: dict[str, dict[str, dict[int, int]]] = {}
    whole: dict[str, dict[int, int]] = {}
    for move, caller, day, count in usage.series(selection):
        per_move.setdefault(move, {}).setdefault(caller, {})[day] = count
        days = whole.setdefault(caller, {})
        days[day] = days.get(day, 0) + count
    of_services: dict[str, dict[str, dict[str, Any]]] = {}
    for each in usage.lines("move of service", selection):
        move, _, service = each.key.partition("\n")
        of_services.setdefault(move, {})[service] = _numbers(each)
    of_callers: dict[tuple[str, str], dict[str, int]] = {}
    for move, caller, service, count in usage.callers_of_services(selection):
        of_callers.setdefault((move, caller), {})[service] = count
    views = []
    for number, line in enumerate(report.lines, 1):
        anchor = f"m{number}"
        callers = _callers(line.key, usage, selection, of_callers)
        hidden = any(caller.sites > len(caller.places) for caller in callers)
        chart = burn_down(f"{anchor}-chart", f"Uses of {line.key}", per_move[line.key], selection) if line.total else None
        views.append(
            MoveView(anchor, line, report.facts_of(line.key), chart, callers, hidden, _json(of_services.get(line.key, {})))
        )
    return {
        "report": report,
        "moves": views,
        "chart": burn_down("all-chart", "Uses of all moves", whole, selection) if whole else None,
        "services": sorted({service for line in report.lines for service in line.services}),
        "stages": sorted({view.facts.stage for view in views if view.facts}),
        "totals": {name: sum(getattr(line, name) for line in report.lines) for name in ("today", "week", "month", "total")},
        "evidence": ", ".join(
            filter(None, (evidence(sum(line.total for line in report.lines), report.observed), beside(report)))
        ),
        "zero": evidence(0, report.observed),
        "first": iso_day(selection.first),
        "last": iso_day(selection.today),
        "empty": next_step(report, where),
        "policy": policy(),
    }


def _promise(facts: MoveFacts) -> str:
    if facts.stage == "announced":
        return f"to be deprecated in {facts.since}, to go in {facts.removal}"
    if facts.stage == "expired":
        return f"deprecated in {facts.since}, expired in {facts.removal}"
    return f"deprecated since {facts.since}, goes in {facts.removal}"


def _numbers(line: Line) -> dict[str, Any]:
    """What the page shows of a move when it shows one service, as its script reads it."""
    numbers = (line.today, line.week, line.month, line.week - line.week_before, line.callers)
    return {"n": numbers, "change": direction(line), "last": last_seen(line), "total": line.total}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _callers(
    move: str, usage: Usage, selection: Selection, services: Mapping[tuple[str, str], Mapping[str, int]]
) -> list[CallerView]:
    callers, places = usage.callers(move, selection), usage.places(move, selection, PLACES)
    by_name: dict[str, list[Place]] = {}
    for place in places:
        by_name.setdefault(place.caller, []).append(place)
    return [
        CallerView(
            each.name or UNTOLD, each.total, each.places, by_name.get(each.name, []), _json(services.get((move, each.name), {}))
        )
        for each in callers
    ]


def _place(place: Place) -> str:
    """``chat/app.py:3``, with the other lines of the same version after it."""
    if not place.file:
        return UNTOLD
    lines = [place.line, *(line for line in place.lines if line != place.line)]
    more = ", ..." if len(lines) > LINES else ""
    return f"{place.file}:{', '.join(map(str, lines[:LINES]))}{more}"


def _asset(name: str) -> str:
    return (files("compat.telemetry") / "data" / "page" / name).read_text(encoding="utf-8")


def _hash(name: str) -> str:
    digest = hashlib.sha256(_asset(name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _template() -> Any:
    import jinja2
    from markupsafe import Markup, escape

    def breakable(path: str) -> Markup:
        # Long dotted names wrap between their parts, and are copied without a seam.
        return Markup(re.sub(r"([./:_])", r"\1<wbr>", str(escape(path))))

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        breakable=breakable,
        promise=_promise,
        place=_place,
        number=lambda value: f"{value:,}",
        day=lambda seconds: "" if seconds is None else iso_day(int(seconds // 86400)),
        time=lambda seconds: (iso_time(seconds) or "").replace("T", " ").replace("Z", " UTC"),
        direction=direction,
        last_seen=last_seen,
        told=told,
    )
    environment.globals.update(style=Markup(_asset("style.css")), script=Markup(_asset("script.js")))
    return environment.from_string(_asset("page.html.j2"))
