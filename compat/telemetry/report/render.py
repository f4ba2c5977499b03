"""The formats of a report: each a function that writes one report to a text stream."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any, Callable

from ..history.queries import Line
from .outlook import share
from .usage_report import SHARED, Report, as_dict, beside, change, evidence, iso_day, next_step, told

if TYPE_CHECKING:
    from rich.console import Console

UNTOLD = "(not told apart)"  # beyond the bound of sites per process, or from a source that has no files
_NUMBERS = ("today", "7 days", "30 days", "change", "moves", "callers")
PIPE = 10_000  # columns: no line of a table is folded for who greps it
_BARS = "▁▂▃▄▅▆▇█"
_BARS_OF_ASCII = ".:-=+*%#"


def spark(counts: tuple[int, ...], width: int = 10, bars: str = _BARS) -> str:
    """A trend in ``width`` characters, each the sum of its share of the days; a space where there was nothing."""
    step = max(1, len(counts) // width)
    sums = [sum(counts[at : at + step]) for at in range(0, len(counts), step)]
    top = max(sums, default=0)
    return "".join(bars[(len(bars) - 1) * each // top] if each else " " for each in sums)


def _bars(stream: IO[str]) -> str:
    """The characters of a trend, the lowest first, that ``stream`` can write."""
    try:
        _BARS.encode(getattr(stream, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return _BARS_OF_ASCII
    return _BARS


def direction(line: Line) -> str:
    """The last 7 days against the 7 before, in words as short as a table takes: ``-40%``, ``new``, ``ended``."""
    if not line.week:
        return "ended" if line.last is not None else ""
    against = change(line)
    if against is None:
        return "new" if line.month == line.week else "back"
    return f"{against:+.0%}"


def last_seen(line: Line) -> str:
    """The day of the last use."""
    return "" if line.last is None else iso_day(int(line.last // 86400))


def write_json(report: Report, stream: IO[str], where: str = "") -> None:
    """JSON by the published schema."""
    json.dump(as_dict(report), stream, indent=2, ensure_ascii=False)
    stream.write("\n")


_COLUMNS = (
    "today", "last_7_days", "previous_7_days", "last_30_days", "total", "first_seen", "last_seen", "moves", "callers",
    "services", "new_since", "gone_since",
)  # fmt: skip
_FACTS = ("stage", "since", "removal", "instead")


def write_csv(report: Report, stream: IO[str], where: str = "") -> None:
    """CSV with a header; the columns of a move's facts follow where the report goes by move."""
    whole = as_dict(report)
    facts = _FACTS if report.by == "move" else ()
    writer = csv.writer(stream, lineterminator="\n")
    names = ("key", *_COLUMNS, "expected_end", "processes_used", "processes_observed", *facts)
    writer.writerow([report.by, *names[1:]])
    for row in whole["rows"]:
        cells = {**dict.fromkeys(facts, ""), **row, **(row["move"] or {}), "services": " ".join(row["services"])}
        end = row["expected_end"] or {}
        cells["expected_end"] = end.get("likely", "")
        cells["processes_used"], cells["processes_observed"] = (row["processes"] or {"used": "", "observed": ""}).values()
        texts = ("key", "services", "new_since", "gone_since")
        writer.writerow([_harmless(cells[name] or "") if name in texts else cells[name] for name in names])


def _harmless(text: str) -> str:
    # A spreadsheet runs a cell that begins with one of these as a formula; file names are not ours.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def printable(text: str) -> str:
    """Text without the characters that would steer a terminal."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


def terminal(stream: IO[str], width: int | None = None) -> Console:
    """A rich console on a stream, as wide as it is; a pipe is as wide as its reader likes."""
    from rich.console import Console

    if width is None and not stream.isatty() and "COLUMNS" not in os.environ:
        width = PIPE
    return Console(file=stream, width=width, highlight=False, emoji=False, markup=False)


def cells(line: Line, report: Report, bars: str = _BARS) -> list[str]:
    """One row of the table and of Markdown, in the order of :func:`headers`; its trend is drawn in ``bars``."""
    counts = (f"{count:,}" for count in (line.today, line.week, line.month))
    shown = [printable(line.key) or UNTOLD, *counts, spark(line.trend, bars=bars), direction(line)]
    if report.by != "move":
        shown.append(f"{line.moves:,}")
    if report.by != "caller":
        shown.append(f"{line.callers:,}")
    if report.by != "service":
        shown.append(printable(", ".join(line.services)))
    if report.by in SHARED:
        used, seen = report.shares.get(line.key, (0, 0))
        shown.append(f"{used:,} of {seen:,}" if seen else "")
    shown.append(last_seen(line))
    if report.by != "day":
        shown.append(printable(str(report.outlooks.get(line.key, ""))))
    if report.by == "move":
        facts = report.facts_of(line.key)
        shown += [facts.stage, facts.removal] if facts else ["", ""]
    return shown


def headers(report: Report) -> list[str]:
    """The heads of :func:`cells`."""
    heads = [report.by, "today", "7 days", "30 days", "trend", "change"]
    heads += [head for head, by in (("moves", "move"), ("callers", "caller"), ("services", "service")) if report.by != by]
    if report.by in SHARED:
        heads.append("processes")
    heads.append("last seen")
    if report.by != "day":
        heads.append("outlook")
    return [*heads, "stage", "removal"] if report.by == "move" else heads


def footer(report: Report) -> list[str]:
    """What stands below a table: the evidence, what is not used, what could not be read."""
    total = sum(line.total for line in report.lines)
    period = f"{iso_day(report.selection.first)} to {iso_day(report.selection.today)}"
    notes = [f"{period} (UTC): {evidence(total, report.observed)}."]
    if share(report.shares):
        notes.append(share(report.shares))
    if report.others:
        notes.append(f"{beside(report)}.")
    if report.facts and not report.is_empty:
        notes.append(f"{len(report.unused):,} of {len(report.facts):,} moves of the ledger had no use in this period.")
    notes += map(told, report.problems)
    return notes


def write_markdown(report: Report, stream: IO[str], where: str = "") -> None:
    """A Markdown table for a pull request or an issue."""
    stream.write(f"## Legacy use by {report.by}\n\n")
    empty = next_step(report, where)
    if empty:
        stream.write(f"{empty}\n\n")
    if report.lines:
        rows = [cells(line, report, _bars(stream)) for line in report.lines]
        columns = _told(headers(report), rows)
        heads = [headers(report)[at] for at in columns]
        stream.write(f"| {' | '.join(heads)} |\n")
        stream.write(f"|{'|'.join(' ---: ' if head in _NUMBERS else ' --- ' for head in heads)}|\n")
        for row in rows:
            key, *rest = (_escaped(row[at]) for at in columns)
            stream.write(f"| `{key}` | {' | '.join(rest)} |\n")
        stream.write("\n")
    stream.writelines(f"{_escaped(note)}\n" for note in footer(report))


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|").replace("\n", " ").replace("`", "'")


def write_table(report: Report, stream: IO[str], where: str = "", *, top: int = 0, width: int | None = None) -> None:
    """A table for a person, by rich, of at most ``top`` rows (0: all); colours only on a terminal."""
    from rich import box
    from rich.table import Table

    console = terminal(stream, width)
    empty = next_step(report, where)
    if empty:
        console.print(empty)
    lines = report.lines[:top] if top else report.lines
    if lines:
        rows = [_marked(cells(line, report, _bars(stream)), report, line) for line in lines]
        heads = headers(report)
        shown = _fitting(heads, rows, console.width)
        if report.by == "move" and heads.index("stage") in shown:
            rows = [[*row[:-1], row[-1].partition(" ")[0]] for row in rows]
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
        for at in shown:
            table.add_column(heads[at], justify="right" if heads[at] in _NUMBERS else "left", overflow="fold", no_wrap=at > 0)
        for line, row in zip(lines, rows):
            facts = report.facts_of(line.key) if report.by == "move" else None
            expired = facts is not None and facts.stage == "expired" and line.total
            table.add_row(*(row[at] for at in shown), style="bold red" if expired else "" if line.total else "dim")
        console.print(table)
        if len(lines) < len(report.lines):
            console.print(f"... and {len(report.lines) - len(lines):,} more rows: --top 0 shows all", style="dim")
    for note in footer(report)[report.is_empty :]:
        console.print(note, style="dim")


def _marked(row: list[str], report: Report, line: Line) -> list[str]:
    """The row as a terminal shows it: a word and no colour alone says that a move has expired; services that fit."""
    facts = report.facts_of(line.key) if report.by == "move" else None
    if facts is not None and facts.stage == "expired":
        row[-1] = f"{row[-1]} expired"
    if report.by != "service":
        at = headers(report).index("services")
        row[at] = row[at] if len(line.services) < 3 else printable(f"{line.services[0]} +{len(line.services) - 1}")
    return row


def _fitting(heads: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The columns that leave the key room to be read; what says least of whether it may go goes first."""
    widths = [max(len(head), *(len(row[at]) for row in rows)) + 2 for at, head in enumerate(heads)]
    room = min(widths[0], 30)
    shown = _told(heads, rows)
    for head in ("trend", "today", "moves", "callers", "30 days", "change", "outlook", "processes", "stage", "7 days"):
        if room + sum(widths[at] for at in shown[1:]) <= width:
            break
        shown = [at for at in shown if heads[at] != head]
    return shown


def _told(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """The columns but for those of which no row says anything."""
    return [at for at, head in enumerate(heads) if head not in ("outlook", "processes") or any(row[at] for row in rows)]


Writer = Callable[..., Any]
FORMATS: dict[str, Writer] = {
    "table": write_table,
    "json": write_json,
    "csv": write_csv,
    "markdown": write_markdown,
}
