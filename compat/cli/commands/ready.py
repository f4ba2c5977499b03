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
    from collections.abc import Iterator, Mapping, Sequence

    from compat.readiness import Answer
    from compat.telemetry.history.evidence import Part, User
    from compat.telemetry.report.outlook import Forecast
    from compat.telemetry.report.owners import Owners

PARTS = ("version", "owner", "caller", "file")
BY = ("service", "environment", *PARTS, "day")


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
@click.option("--by", type=click.Choice(BY), help="With a table: a row for each, and what keeps it.")
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

    Only services are observed: where a version, owner, caller or file is quiet, the verdict is that of the service that
    ran it. A day is that of the last use of a move.

    Exit code 1 if a move that is due (its removal version is reached) may not go, 2 if no usage could be read or no move
    matches. To rehearse a release, put its version in force.

    \b
    Examples:
      compat ready src tests
      compat ready src --from host1/state --from host2/state --days 60
      compat ready src --retired old-worker
      compat ready src --by service
      compat ready src --by owner
      COMPAT_AS_OF=3.0 compat ready src tests
    """
    import fnmatch
    from datetime import datetime, timezone

    from compat.telemetry.history.evidence import read_evidence, read_parts
    from compat.telemetry.history.queries import Selection
    from compat.telemetry.record.asked import is_asked
    from compat.telemetry.report.outlook import forecasts, shares
    from compat.telemetry.report.usage_report import SHARED, day_of, row_of, told

    from ..common import required_ledger
    from ..progress import bar
    from ..repository import Repository

    owners = Repository().owners if by == "owner" else None
    if by == "owner" and owners is None:
        raise click.UsageError("no owners are known: write a CODEOWNERS file, or [tool.compat] owners in pyproject.toml")

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
        shared = shares(history.connection, selection, by) if by in SHARED else {}
        parts = [
            (row_of(facts, part.move) or part.move, part.user, _name(part, by or "", owners), part.last)
            for part in (read_parts(history.connection, selection) if by in PARTS else ())
        ]
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
            if by not in PARTS:
                parts = list(_parts_of_users(shown_answers, by, day_of(now)))
            _write_users(shown_answers, stream, by, parts, selection.first * 86400, shared)
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


def _name(part: Part, by: str, owners: Owners | None) -> str:
    """What a row of ``by`` is named that a part belongs to."""
    from compat.telemetry.report.render import UNTOLD

    if by == "owner" and owners is not None:
        return owners(part.file)
    if by == "version":
        return f"{part.user.service} {part.version}".rstrip()
    return (part.file if by == "file" else part.caller) or UNTOLD


def _parts_of_users(answers: Sequence[Answer], by: str, today: int) -> Iterator[tuple[str, User, str, float]]:
    """Each user of each move by its service or environment, or by the day of the last use of the move by anybody."""
    from compat.telemetry.report.usage_report import iso_day

    for answer in answers:
        latest = max((user.use.last for user in answer.users), default=0.0)
        for user in answer.users:
            name = iso_day(min(today, int(latest // 86400))) if by == "day" else getattr(user.use.user, by)
            yield answer.move, user.use.user, name, user.use.last


def _write_users(
    answers: Sequence[Answer],
    stream: IO[str],
    by: str,
    parts: Sequence[tuple[str, User, str, float]],
    start: float,
    shared: Mapping[str, tuple[int, int]],
) -> None:
    """A row for each name of ``parts``: how many moves it uses, holds back for want of proof, and is through with.

    Used is what was used there since ``start``; else the verdict on the service in its environment holds.
    """
    from rich import box
    from rich.table import Table

    from compat.telemetry.report.render import printable, terminal
    from compat.telemetry.report.usage_report import SHARED, iso_day

    verdicts = {(answer.move, user.use.user): user.verdict for answer in answers for user in answer.users}
    worst: dict[tuple[str, str], Verdict] = {}
    lasts: dict[str, float] = {}
    order = [Verdict.USED, Verdict.UNPROVEN, Verdict.GO]
    for move, user, name, last in parts:
        verdict = verdicts.get((move, user), Verdict.WAIT)
        if verdict not in order or (verdict is Verdict.USED and last < start):
            continue  # others use it in this service: it is theirs to end
        lasts[name] = max(lasts.get(name, 0.0), last)
        known = worst.get((name, move), verdict)
        worst[name, move] = min(known, verdict, key=order.index)
    counts: dict[str, dict[Verdict, int]] = {}
    for (name, _), verdict in worst.items():
        mine = counts.setdefault(name, {})
        mine[verdict] = mine.get(verdict, 0) + 1
    shown = (Verdict.USED, Verdict.UNPROVEN, Verdict.GO)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(by, overflow="fold")
    for verdict in shown:
        table.add_column(verdict.value, justify="right")
    table.add_column("last use", no_wrap=True)
    if by in SHARED:
        table.add_column("processes", no_wrap=True)
    for name in sorted({*counts, *shared}, key=lambda name: (-counts.get(name, {}).get(Verdict.USED, 0), name)):
        used, seen = shared.get(name, (0, 0))
        numbers = [str(counts.get(name, {}).get(verdict, 0)) for verdict in shown]
        day = iso_day(int(lasts[name] // 86400)) if name in lasts else "never"
        told = [f"{used:,} of {seen:,} used something" if seen else "none observed"] if by in SHARED else []
        table.add_row(printable(name), *numbers, day, *told)
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
