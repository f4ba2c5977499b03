"""What the terminal shows: the uses by category and move, short or with ``-v`` in full, and what fails the run."""

from __future__ import annotations

from .output import commands
from .owners import CATEGORIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .state import State
    from .tally import Row

#: Moves that are shown of each category, and faults of the run, unless -v asks for all.
SHORT, FAULTS = 5, 20


def show(run: State, terminal: Any) -> None:
    """Write the section of the summary."""
    verdict = run.verdict
    for command in commands(run):
        terminal.write_line(command)
    uses = sum(verdict.totals.values())
    expected = sum(row.expected for row in verdict.rows)
    if terminal.verbosity < -1 and not verdict.faults:
        return
    as_of = f" as of {run.version}" if run.version else ""
    terminal.write_sep("=", f"legacy uses{as_of}", red=bool(verdict.faults), yellow=bool(uses) and not verdict.faults)
    is_full = terminal.verbosity > 0
    if terminal.verbosity >= 0:
        for category in CATEGORIES:
            rows = [row for row in verdict.rows if row.category == category and (row.count or is_full)]
            if rows:
                count = verdict.totals[category]
                terminal.write_line(f"{category}: {_times(count)} of {_number(len({row.move for row in rows}), 'move')}")
                for line in _in_full(rows) if is_full else _in_short(rows):
                    terminal.write_line(line)
    faults = verdict.faults if is_full else verdict.faults[:FAULTS]
    for fault in faults:
        terminal.write_line(f"compat: {fault.text}", red=True)
    if len(faults) < len(verdict.faults):
        terminal.write_line(f"compat: ... and {len(verdict.faults) - len(faults)} more; -v shows all", red=True)
    for note in verdict.notes:
        terminal.write_line(f"compat: {note}")
    parts = [f"{verdict.totals[category]} {category}" for category in CATEGORIES] if verdict.totals else []
    allowed = f", {expected} expected by marks" if expected else ""
    places = len({(row.file, row.line) for row in verdict.rows if row.count})
    terminal.write_line(f"{_times(uses)} at {_number(places, 'place')}: {', '.join(parts)}{allowed}")


def _in_short(rows: list[Row]) -> list[str]:
    moves: dict[str, list[Row]] = {}
    for row in rows:
        moves.setdefault(row.move, []).append(row)
    ordered = sorted(moves.items(), key=lambda pair: (-sum(row.count for row in pair[1]), pair[0]))
    lines = []
    for move, places in ordered[:SHORT]:
        count = sum(row.count for row in places)
        first = max(places, key=lambda row: row.count)
        more = len({(row.file, row.line) for row in places}) - 1
        others = f" and {_number(more, 'more place')}" if more else ""
        lines.append(f"  {count:>6}  {move}  {first.file}:{first.line}{others}")
        if first.advice:
            lines.append(f"          {first.advice}")
    if len(ordered) > SHORT:
        lines.append(f"  ... and {_number(len(ordered) - SHORT, 'more move')}; -v shows all")
    return lines


def _in_full(rows: list[Row]) -> list[str]:
    lines, last = [], ""
    for row in rows:
        if row.move != last:
            last = row.move
            lines.append(f"  {row.move}{': ' if row.advice else ''}{row.advice}")
        marked = f" (+{row.expected} expected)" if row.expected else ""
        by = f"{next(iter(row.by))}{f' and {len(row.by) - 1} more' if len(row.by) > 1 else ''}"
        lines.append(f"  {row.count:>6}{marked}  {row.kind:<9}  {row.file}:{row.line}  {by}")
    return lines


def _times(count: int) -> str:
    return _number(count, "use")


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"
