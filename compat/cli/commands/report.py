"""``compat report``: who still uses what, how much, since when, and whether use falls."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compat.telemetry.history.queries import KEYS
from compat.telemetry.report.render import FORMATS

from ..common import move_facts
from ..history_source import check_match, opened_usage, source_options
from ..options import chosen_ledger, ledger_option, opened_output, output_option

if TYPE_CHECKING:
    from compat.telemetry.history.database import History
    from compat.telemetry.report.digest import Judged
    from compat.telemetry.report.usage_report import Report


@click.command()
@source_options
@click.option("--by", type=click.Choice(KEYS), default="move", show_default=True, help="What a row is.")
@click.option("--since", metavar="PERIOD", help="30d, 12w, all, or a first day. [default: 30d; 90d for html]")
@click.option("--match", default="", metavar="PATTERN", help="Only moves whose id matches: a glob, or text anywhere in it.")
@click.option("--format", "form", type=click.Choice([*FORMATS, "html", "digest", "issues"]), default="table", show_default=True)
@click.option("--top", type=click.IntRange(min=0), default=100, show_default=True, help="Rows of a table; 0 for all.")
@click.option("--blame", is_flag=True, help="With issues: add who wrote each place last, from git.")
@output_option
@ledger_option
def command(
    sources: tuple[str, ...],
    origins: tuple[str, ...],
    by: str,
    since: str | None,
    match: str,
    form: str,
    top: int,
    blame: bool,
    output: Path | None,
    ledgers: tuple[str, ...],
) -> int:
    """Show who still uses what.

    Reads this machine's state directory, or any mix of directories and usage.db files: what they have in common is
    counted once. Exit code 2 if nothing could be read, or no move matches.

    Owners are those that [tool.compat] owners names, else those of the CODEOWNERS file. A digest tells of the last seven
    days; issues are one text per owner, parted by ---.

    \b
    Examples:
      compat report
      compat report --by caller --since 12w --match old_shop
      compat report --by owner
      compat report --format digest --output week.md
      compat report --format issues --blame
      compat report --format html --output usage.html
      compat report host1/state host2/state old/usage.db --format json
      compat report --from prometheus:http://localhost:9090
    """
    from compat.telemetry.history.queries import Usage
    from compat.telemetry.report.digest import write_digest, write_issues
    from compat.telemetry.report.usage_report import build_report, told

    from ..repository import Repository

    page, told_to_people = form == "html", form in ("digest", "issues")
    if page and by != "move":
        raise click.UsageError(f"the page goes by move and leads from there to callers and files; leave --by {by} out")
    if told_to_people and by != "move":
        raise click.UsageError(f"--format {form} has parts of its own; leave --by {by} out")
    if blame and form != "issues":
        raise click.UsageError("--blame adds who wrote a place to the texts of --format issues")
    repository = Repository() if page or told_to_people or by == "owner" else None
    owners = repository.owners if repository else None
    if owners is None and (by == "owner" or form == "issues"):
        raise click.UsageError("no owners are known: write a CODEOWNERS file, or [tool.compat] owners in pyproject.toml")
    with opened_usage((*sources, *origins)) as (history, where):
        try:
            report = build_report(
                history.connection,
                by=by,
                since=since or ("90d" if page else "30d"),
                match=match,
                facts=move_facts(chosen_ledger(ledgers)),
                narrowed=bool(ledgers),
                problems=history.problems,
                owners=owners or _nobodys,
                lines=not page,
            )
        except ValueError as wrong:
            raise click.BadParameter(str(wrong), param_hint="'--since'") from None
        check_match(match, report.selection.glob, {*report.facts, *Usage(history.connection).moves()})
        with opened_output(output) as stream:
            if page:
                from compat.telemetry.page.html import write_page

                write_page(report, history.connection, stream, where, judged=_judged(report, history), owners=owners)
            elif form == "digest":
                write_digest(report, history.connection, stream, _judged(report, history), owners)
            elif repository is not None and owners is not None and form == "issues":
                more: dict[str, Any] = {"blamed": repository.blame} if blame else {}
                write_issues(report, history.connection, stream, owners, **more)
            else:
                more = {"top": top} if form == "table" else {}
                FORMATS[form](report, stream, where, **more)
    if report.is_empty and history.unread:
        for problem in report.problems:
            click.echo(told(problem), err=True)
        return 2
    return 0


def _judged(report: Report, history: History) -> list[Judged]:
    from ..verdicts import answers_on, judged

    return judged(answers_on(history, report.facts, report.generated, report.selection.match))


def _nobodys(file: str) -> str:
    return ""
