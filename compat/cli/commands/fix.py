"""``compat fix``: rewrite legacy uses to their canonical form; a diff by default, files with --write.

Exit codes: 0 nothing is left to do, 1 something would change, was skipped (with the reason) beyond what the baseline accepts,
or failed, 2 usage, 3 a defect.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..common import required_ledger
from ..options import ledger_option, opened_output, output_option
from ..progress import bar


@click.command(help=__doc__)
@click.argument("paths", nargs=-1, type=click.Path(path_type=str))
@ledger_option
@output_option
@click.option("--write", is_flag=True, help="Change the files, each whole or not at all.")
@click.option("--verify", is_flag=True, help="Compile each result and check that nothing is left to fix in it.")
@click.option(
    "--baseline",
    metavar="FILE",
    help="Accepted debt: skipped uses that it knows do not fail. Default: that of [tool.compat].",
)
@click.option("--quiet", "-q", is_flag=True, help="No diff and no reasons, only the count.")
@click.option("--no-gitignore", is_flag=True, help="Also what .gitignore leaves out.")
def command(
    paths: tuple[str, ...],
    ledgers: tuple[str, ...],
    output: Path | None,
    write: bool,
    verify: bool,
    baseline: str | None,
    quiet: bool,
    no_gitignore: bool,
) -> int:
    """Plan, show or write, and report what was skipped."""
    from compat.analysis import config, fixer
    from compat.analysis.debt.baseline import Baseline
    from compat.analysis.rewriting import rewriter

    settings = config.load(paths[0] if paths else ".")
    if baseline is None and settings.baseline:
        # One that is not written yet accepts nothing.
        named = os.path.join(settings.root, settings.baseline)
        baseline = named if os.path.exists(named) else None
    debt = Baseline.load(baseline) if baseline else None
    ledger = required_ledger(ledgers)
    with bar("Fixing") as progress:
        result = fixer.fix(
            paths or (".",),
            ledger,
            write=write,
            verify=verify,
            settings=settings,
            gitignore=not no_gitignore,
            progress=progress,
        )
    fixed = [outcome for outcome in result.outcomes if outcome.status == rewriter.FIXED]
    if not quiet and not write:
        with opened_output(output) as stream:
            for outcome in fixed:
                stream.write(outcome.diff())
    if not quiet:
        for outcome in result.outcomes:
            for skip in outcome.skips:
                click.echo(f"{skip.path}:{skip.line}:{skip.column}: skipped: {skip.symbol}: {skip.reason}", err=True)
            if outcome.status == rewriter.FAILED:
                click.echo(f"{outcome.path}: failed: {outcome.reason}", err=True)
    for problem in result.problems:
        click.echo(problem, err=True)
    done = len(result.written) if write else len(fixed)
    skipped = f"{len(result.skips)} use{'s' if len(result.skips) != 1 else ''} skipped"
    accepted = debt.known((skip.path, skip.symbol) for skip in result.skips) if debt is not None else 0
    if accepted:
        skipped += f" ({accepted} known in the baseline)"
    verb = "rewritten" if write else "to be rewritten (--write does it)"
    click.echo(f"{done} of {result.files} files {verb}; {skipped}, {len(result.failed)} files failed.", err=True)
    pending = bool(fixed) and not write
    is_new = len(result.skips) > accepted
    return 1 if pending or is_new or result.failed or result.problems else 0
