"""``compat fix``: rewrite legacy uses to their canonical form; a diff by default, files with --write.

An edit is certain, likely or shown only: certain ones are made, likely ones with --unsafe, and of every use that is left the
degree and the reason are listed. PATH - reads one file from stdin and writes the result to stdout.

Exit codes: 0 nothing is left to do, 1 something would change, was left (with the reason) beyond what the baseline accepts,
or failed, 2 usage, 3 a defect.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..common import required_ledger, tell_where_nothing_is_read, words_of
from ..options import ledger_option, opened_output, output_option
from ..progress import bar

if TYPE_CHECKING:
    from compat.analysis import Fix, Outcome, Settings, Skip
    from compat.analysis.debt.baseline import Baseline
    from compat.analysis.hints import Ran
    from compat.analysis.scanning.scanner import Scan
    from compat.ledger import Ledger

_SELECTOR = "Rules, ids of rows or legacy paths (with *), separated by commas; repeatable."


@click.command(help=__doc__)
@click.argument("paths", nargs=-1, type=click.Path(path_type=str, allow_dash=True))
@ledger_option
@output_option
@click.option(
    "--format",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    help="json and sarif: each finding with its degree and the edit that removes it alone.",
)
@click.option("--write", is_flag=True, help="Change the files, each whole or not at all.")
@click.option("--unsafe", is_flag=True, help="Also make the likely edits.")
@click.option("--select", multiple=True, metavar="ID", help=f"Rewrite these only. {_SELECTOR}")
@click.option("--ignore", multiple=True, metavar="ID", help=f"Leave these alone. {_SELECTOR}")
@click.option("--types", is_flag=True, help="Ask mypy for the classes of objects that the source does not tell.")
@click.option("--evidence", is_flag=True, help="Uses that were counted when programs ran make likely edits.")
@click.option("--from", "sources", multiple=True, metavar="SOURCE", help="Where --evidence reads; repeatable. Default: here.")
@click.option("--verify", is_flag=True, help="Compile each result and check that nothing is left to fix in it.")
@click.option(
    "--baseline",
    metavar="FILE",
    help="Accepted debt: skipped uses that it knows do not fail. Default: that of [tool.compat].",
)
@click.option("--stdin-filename", metavar="FILE", help="Where the text that - reads from stdin belongs.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even where something is to be rewritten or is left.")
@click.option("--quiet", "-q", is_flag=True, help="No diff and no reasons, only the count.")
@click.option("--no-gitignore", is_flag=True, help="Also what .gitignore leaves out.")
def command(
    paths: tuple[str, ...],
    ledgers: tuple[str, ...],
    output: Path | None,
    baseline: str | None,
    stdin_filename: str | None,
    exit_zero: bool,
    **given: Any,
) -> int:
    """Plan, show or write, and report what was left."""
    from compat.analysis import config

    if "-" in paths and len(paths) > 1:
        raise click.UsageError("- reads the only file of a run")
    is_stdin = paths == ("-",)
    if given["format"] != "text" and given["write"]:
        raise click.UsageError("--format json and sarif show the edits of files; write them without it")
    if is_stdin and given["write"]:
        raise click.UsageError("- is written to stdout; leave out --write")
    if is_stdin and given["evidence"] and not stdin_filename:
        raise click.UsageError("--evidence goes by file and line: --stdin-filename says where the text of - belongs")
    if given["sources"] and not given["evidence"]:
        raise click.UsageError("--from says where --evidence reads")
    settings = config.load((stdin_filename or ".") if is_stdin else (paths or (".",))[0])
    debt = _debt(baseline, settings)
    ledger = required_ledger(ledgers)
    if settings.per_file_ignores and not ledgers:
        from compat.analysis.choice import Choice

        Choice(ledger, settings).check_settings()
    if is_stdin:
        code = _fix_stdin(stdin_filename or "<stdin>", ledger, settings, debt, output, given)
    else:
        code = _fix_trees(paths or (".",), ledger, settings, debt, output, given)
    return 0 if exit_zero else code


def _debt(named: str | None, settings: Settings) -> Baseline | None:
    from compat.analysis.debt.baseline import Baseline

    if named is None and settings.baseline:
        # One that is not written yet accepts nothing.
        place = os.path.join(settings.root, settings.baseline)
        named = place if os.path.exists(place) else None
    return Baseline.load(named) if named else None


def _chosen(given: dict[str, Any]) -> dict[str, Any]:
    """What decides about edits, as :func:`compat.analysis.fix` takes it."""
    return {"unsafe": given["unsafe"], "select": words_of(given["select"]), "ignore": words_of(given["ignore"])}


def _counted(given: dict[str, Any]) -> list[Ran]:
    if not given["evidence"]:
        return []
    from ..evidence import counted

    return counted(given["sources"])


def _fix_trees(
    paths: tuple[str, ...],
    ledger: Ledger,
    settings: Settings,
    debt: Baseline | None,
    output: Path | None,
    given: dict[str, Any],
) -> int:
    from compat.analysis import fixer, scan
    from compat.analysis.rewriting import rewriter

    write, quiet = given["write"], given["quiet"]
    ran = _counted(given)
    with bar("Fixing") as progress:
        result = fixer.fix(
            paths,
            ledger,
            write=write,
            verify=given["verify"],
            settings=settings,
            gitignore=not given["no_gitignore"],
            progress=progress,
            evidence=ran,
            types=given["types"],
            **_chosen(given),
        )
    tell_where_nothing_is_read(result.files, paths)
    fixed = [outcome for outcome in result.outcomes if outcome.status == rewriter.FIXED]
    if given["format"] != "text":
        with bar("Scanning") as progress:
            scanned = scan(
                paths,
                ledger,
                settings=settings,
                gitignore=not given["no_gitignore"],
                progress=progress,
                leave_out=[debt.path] if debt is not None else [],
                evidence=ran,
                types=given["types"],
            )
        _write_edits(scanned, result, debt, output, given["format"])
    elif not quiet and not write:
        with opened_output(output) as stream:
            for outcome in fixed:
                stream.write(outcome.diff())
    if not quiet and given["format"] == "text":
        for outcome in result.outcomes:
            _tell(outcome)
    for problem in result.problems:
        click.echo(problem, err=True)
    left = [skip for skip in result.skips if not skip.is_detail]
    accepted = _accepted(left, debt)
    _tell_counts(result, fixed, left, accepted, write=write)
    pending = bool(fixed) and not write
    is_new = len(left) > accepted
    return 1 if pending or is_new or result.failed or result.problems else 0


def _write_edits(scanned: Scan, result: Fix, debt: Baseline | None, output: Path | None, form: str) -> None:
    """Report findings, each with its edit: all that `compat scan` finds of what was selected."""
    from compat import __version__
    from compat.analysis import output as formats

    meant = result.meant(scanned.findings)
    report = formats.Report(meant, files=scanned.files, seconds=scanned.seconds, version=__version__)
    if debt is not None:
        comparison = debt.compare(meant, scanned.paths)
        report.findings, report.known = comparison.new, comparison.known
    report.suggestions = result.suggestions(meant)
    report.failed = [(outcome.path, outcome.reason) for outcome in result.failed]
    with opened_output(output) as stream:
        formats.write(form, report, stream)


def _fix_stdin(
    name: str, ledger: Ledger, settings: Settings, debt: Baseline | None, output: Path | None, given: dict[str, Any]
) -> int:
    from compat.analysis import fixer
    from compat.analysis.rewriting import rewriter
    from compat.analysis.scanning.scanner import scan_one

    raw, about = sys.stdin.buffer.read(), {"settings": settings, "evidence": _counted(given), "types": given["types"]}
    result = fixer.fix_given(name, raw, ledger, **about, **_chosen(given))
    outcome = result.outcomes[0]
    made = outcome.after if outcome.status == rewriter.FIXED else raw
    is_text = given["format"] == "text"
    if not is_text:
        _write_edits(scan_one(name, raw, ledger, **about), result, debt, output, given["format"])
    elif output is None:
        sys.stdout.buffer.write(made)
        sys.stdout.buffer.flush()
    else:
        output.write_bytes(made)
    if is_text and not given["quiet"]:
        _tell(outcome)
    pending = outcome.status == rewriter.FIXED and not is_text
    left = [skip for skip in outcome.skips if not skip.is_detail]
    return 1 if pending or outcome.status == rewriter.FAILED or len(left) > _accepted(left, debt) else 0


def _tell(outcome: Outcome) -> None:
    """Say what was left in a file, by how sure an edit would be, and what was uncertain about those that were made."""
    from compat.analysis.rewriting import rewriter
    from compat.analysis.rewriting.options import LIKELY

    for skip in outcome.taken:
        click.echo(f"{_place(skip)}: likely: {skip.symbol}: rewritten, though {skip.reason}", err=True)
    for skip in outcome.skips:
        if skip.degree == LIKELY:
            click.echo(f"{_place(skip)}: likely: {skip.symbol}: {skip.reason} (--unsafe rewrites it)", err=True)
        else:
            click.echo(f"{_place(skip)}: skipped: {skip.symbol}: {skip.reason}", err=True)
    if outcome.status == rewriter.FAILED:
        click.echo(f"{outcome.path}: failed: {outcome.reason}", err=True)


def _place(skip: Skip) -> str:
    return f"{skip.path}:{skip.line}:{skip.column}"


def _accepted(skips: list[Skip], debt: Baseline | None) -> int:
    return debt.known((skip.path, skip.symbol) for skip in skips) if debt is not None else 0


def _tell_counts(result: Fix, fixed: list[Outcome], left: list[Skip], accepted: int, *, write: bool) -> None:
    from compat.analysis.rewriting.options import LIKELY

    done = len(result.written) if write else len(fixed)
    skipped = f"{len(left)} use{'s' if len(left) != 1 else ''} skipped"
    likely = sum(skip.degree == LIKELY for skip in left)
    more = [f"{accepted} known in the baseline"] if accepted else []
    more += [f"{likely} likely: --unsafe rewrites {'it' if likely == 1 else 'them'}"] if likely else []
    skipped += f" ({', '.join(more)})" if more else ""
    verb = "rewritten" if write else "to be rewritten (--write does it)"
    click.echo(f"{done} of {result.files} files {verb}; {skipped}, {len(result.failed)} files failed.", err=True)
