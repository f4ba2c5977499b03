"""``compat ready``: a verdict for each move: may it go, and if not, why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from compat.readiness import Policy, Verdict, as_dict, judge, places_by_move

from ..common import move_facts
from ..history_source import check_match, opened_usage
from ..options import ledger_option, opened_output, output_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from compat.readiness import Answer
    from compat.telemetry.report.outlook import Forecast


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True))
@click.option("--from", "sources", multiple=True, metavar="SOURCE", help="Where usage is read from; repeatable. Default: here.")
@click.option("--days", type=click.IntRange(min=1), default=30, show_default=True, help="How long it must have been quiet.")
@click.option("--processes", type=click.IntRange(min=1), default=1, show_default=True, help="Observed at least.")
@click.option("--hours", type=click.FloatRange(min=0), default=24.0, show_default=True, help="Observed at least, in all.")
@click.option("--retired", multiple=True, metavar="SERVICE", help="Runs no more, need not be observed; repeatable.")
@click.option("--match", default="", metavar="PATTERN", help="Only moves whose id matches: a glob, or text anywhere in it.")
@click.option("--only", multiple=True, type=click.Choice([each.value for each in Verdict]), help="Only such; repeatable.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("--by", type=click.Choice(["service", "environment"]), help="With a table: a row for each, and what keeps it.")
@output_option
@ledger_option
def command(
    paths: tuple[str, ...],
    sources: tuple[str, ...],
    days: int,
    processes: int,
    hours: float,
    retired: tuple[str, ...],
    match: str,
    only: tuple[str, ...],
    form: str,
    by: str | None,
    output: Path | None,
    ledgers: tuple[str, ...],
) -> int:
    """Say for each move whether its legacy path may be deleted: not used, proven so, not written in PATHS, and due.

    Proven is what each service that ever used it was observed to do without, for long enough; uses in tests do not count.
    What could not be seen is named as a doubt, with what would settle it.

    Exit code 1 if a move that is due (its removal version is reached) may not go, 2 if no usage could be read or no move
    matches. To rehearse a release, put its
    version in force.

    \b
    Examples:
      compat ready src tests
      compat ready src --from host1/state --from host2/state --days 60
      compat ready src --retired old-worker
      compat ready src --by service
      COMPAT_AS_OF=3.0 compat ready src tests
    """
    import fnmatch
    from datetime import datetime, timezone

    from compat.telemetry.history.evidence import read_evidence
    from compat.telemetry.history.queries import Selection
    from compat.telemetry.record.asked import is_asked
    from compat.telemetry.report.outlook import forecasts, shares
    from compat.telemetry.report.usage_report import day_of, row_of, told

    from ..common import required_ledger
    from ..progress import bar

    now = datetime.now(timezone.utc)
    policy = Policy(days, processes, hours)
    ledger = required_ledger(ledgers)
    places = None
    if paths:
        from compat.analysis import scan

        with bar("Scanning") as progress:
            places = places_by_move(scan(paths, ledger, progress=progress).findings)
    with opened_usage(sources) as (history, _):
        selection = Selection(max(0, day_of(now) - days + 1), day_of(now), match)
        facts = {id: about for id, about in move_facts(ledger).items() if fnmatch.fnmatchcase(id, selection.glob)}
        known = read_evidence(history.connection, selection, history.unread)
        ahead = forecasts(history.connection, selection, lambda id: row_of(facts, id) or id)
        shared = shares(history.connection, selection, by) if by else {}
        for problem in history.problems:
            click.echo(told(problem), err=True)
    nothing_read = bool(history.unread) and not known.uses and not known.watched
    check_match(match, selection.glob, move_facts(ledger))
    answers = [_expected(answer, ahead.get(answer.move)) for answer in judge(facts, known, places, now, policy, retired)]
    shown_answers = [answer for answer in answers if not only or answer.verdict.value in only]
    with opened_output(output) as stream:
        if form == "json":
            json.dump(as_dict(shown_answers, policy), stream, indent=2, ensure_ascii=False)
            stream.write("\n")
        elif by:
            _write_users(shown_answers, stream, by, shared)
        else:
            _write_table(shown_answers, stream, only)
    if not sources and not known.uses and not known.watched and not is_asked():
        click.echo(
            "Nothing is kept here unasked: set COMPAT_TELEMETRY=on, COMPAT_DIR or COMPAT_SERVICE where the programs run, or write"
            " telemetry = true under [tool.compat] in their project.",
            err=True,
        )
    if nothing_read:
        click.echo("No usage could be read: these verdicts rest on none.", err=True)
        return 2
    return int(any(answer.is_overdue for answer in answers))


def _expected(answer: Answer, ahead: Forecast | None) -> Answer:
    if ahead is None or answer.verdict is not Verdict.USED:
        return answer
    return answer._replace(reasons=[*answer.reasons, f"none expected from {ahead}"], ahead=ahead)


def _write_users(answers: Sequence[Answer], stream: IO[str], by: str, shared: Mapping[str, tuple[int, int]]) -> None:
    """A row for each service or environment: how many moves it uses, holds back for want of proof, and is through with."""
    from rich import box
    from rich.table import Table

    from compat.telemetry.report.render import terminal
    from compat.telemetry.report.usage_report import iso_day

    counts: dict[str, dict[Verdict, int]] = {}
    lasts: dict[str, float] = {}
    for answer in answers:
        for user in answer.users:
            name = getattr(user.use.user, by)
            mine = counts.setdefault(name, {})
            mine[user.verdict] = mine.get(user.verdict, 0) + 1
            lasts[name] = max(lasts.get(name, 0.0), user.use.last)
    shown = (Verdict.USED, Verdict.UNPROVEN, Verdict.GO)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(by, overflow="fold")
    for verdict in shown:
        table.add_column(verdict.value, justify="right")
    table.add_column("last use", no_wrap=True)
    table.add_column("processes", no_wrap=True)
    for name in sorted({*counts, *shared}, key=lambda name: (-counts.get(name, {}).get(Verdict.USED, 0), name)):
        used, seen = shared.get(name, (0, 0))
        numbers = [str(counts.get(name, {}).get(verdict, 0)) for verdict in shown]
        last = iso_day(int(lasts[name] // 86400)) if name in lasts else "never"
        table.add_row(name, *numbers, last, f"{used:,} of {seen:,} used something" if seen else "none observed")
    terminal(stream).print(table)


def _own(answer: Answer) -> list[str]:
    return [str(doubt) for user in answer.users for doubt in user.doubts]


def _write_table(answers: Sequence[Answer], stream: IO[str], only: Sequence[str]) -> None:
    from collections import Counter

    from rich import box
    from rich.table import Table

    from compat.telemetry.report.render import terminal

    colours = {Verdict.GO: "green", Verdict.WAIT: "cyan", Verdict.UNPROVEN: "yellow"}
    console = terminal(stream)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("move", overflow="fold", ratio=3)
    table.add_column("why", overflow="fold", ratio=4)
    table.add_column("removal", no_wrap=True)
    for answer in answers:
        style = "bold red" if answer.is_overdue else colours.get(answer.verdict, "")
        # What leaves all of them unproven is the same for all of them, and is said once.
        reasons = answer.reasons if answer.verdict is not Verdict.UNPROVEN else _own(answer)
        why = "; ".join(reasons) or "no use seen"
        table.add_row(
            answer.verdict.value, answer.move, why, f"{answer.facts.removal}{' overdue' * answer.is_overdue}", style=style
        )
    console.print(table)
    for answer in answers:
        if answer.verdict is Verdict.UNPROVEN and answer.doubts:
            console.print(f"Unproven: {'; '.join(map(str, answer.doubts))}.")
            break
    counts = Counter(answer.verdict for answer in answers)
    console.print(
        ", ".join(f"{counts[verdict]:,} {verdict.value}" for verdict in Verdict if counts[verdict])
        or f"No move is {' or '.join(only)}."
    )
