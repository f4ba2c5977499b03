"""``compat scan``: find every use of the ledger in source files.

Exit codes: 0 clean, 1 findings (new ones, or paid debt that still stands in the baseline), 2 usage, 3 a defect.
"""

from __future__ import annotations

import os
from pathlib import Path

import click

from .analysing import required_ledger, shown
from .options import ledger_option, opened_output, output_option

_FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit")
_SELECTABLE = ("imports", "strings", "attributes", "re-exports", "methods", "arguments", "policy", "config", "doctests")


@click.command(help=__doc__)
@click.argument("paths", nargs=-1, type=click.Path(path_type=str))
@ledger_option
@output_option
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True)
@click.option("--rules", is_flag=True, help="Also apply the policy rules: factory-bypass, singleton, fragmentation.")
@click.option(
    "--select", multiple=True, metavar="KIND", help=f"Only these constructs, separated by commas: {', '.join(_SELECTABLE)}."
)
@click.option("--statistics", is_flag=True, help="Counts per rule and per move instead of findings (text format).")
@click.option("--baseline", type=click.Path(path_type=str), help="Known debt: only what is new fails.")
@click.option("--update-baseline", is_flag=True, help="Strike paid debt from the baseline.")
@click.option("--accept-new", is_flag=True, help="With --update-baseline: take new debt into the baseline, too.")
@click.option("--no-config", is_flag=True, help="Python files only: no TOML, YAML, JSON, INI.")
@click.option("--no-gitignore", is_flag=True, help="Also what .gitignore leaves out.")
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
@click.option("--cache/--no-cache", default=False, help="Keep results in .compat-cache, by size and modification time.")
def command(
    paths: tuple[str, ...],
    ledgers: tuple[str, ...],
    output: Path | None,
    form: str,
    rules: bool,
    select: tuple[str, ...],
    statistics: bool,
    baseline: str | None,
    update_baseline: bool,
    accept_new: bool,
    no_config: bool,
    no_gitignore: bool,
    jobs: int,
    cache: bool,
) -> int:
    """Scan, compare with the baseline, report."""
    from compat.analysis import baseline as debts
    from compat.analysis import config, formats, scan

    wanted = [word.strip() for given in select for word in given.split(",") if word.strip()]
    unknown = [word for word in wanted if word not in _SELECTABLE]
    if unknown:
        raise click.BadParameter(f"{unknown[0]!r} is none of {', '.join(_SELECTABLE)}", param_hint="--select")
    settings = config.load(paths[0] if paths else ".")
    if not baseline and settings.baseline:
        baseline = os.path.relpath(os.path.join(settings.root, settings.baseline))
    if (update_baseline or accept_new) and not baseline:
        raise click.UsageError("--update-baseline and --accept-new need --baseline FILE")
    with shown("scanning") as progress:
        result = scan(
            paths or (".",),
            required_ledger(ledgers),
            policy=rules,
            select=wanted,
            settings=settings,
            gitignore=not no_gitignore,
            config=not no_config,
            jobs=jobs,
            cache=".compat-cache" if cache else None,
            progress=progress,
            leave_out=[baseline] if baseline else [],
        )
    report = formats.Report(
        result.findings, files=result.files, seconds=result.seconds, version=_version(), statistics=statistics
    )
    if baseline:
        known = debts.Baseline(baseline) if update_baseline and not Path(baseline).exists() else debts.Baseline.load(baseline)
        comparison = known.compare(result.findings, result.paths)
        if update_baseline:
            known.update(comparison, accept_new=accept_new)
            known.save()
            comparison = known.compare(result.findings, result.paths)
        report.findings, report.known = comparison.new, comparison.known
        report.paid = [key.label for key in sorted(comparison.paid)]
    with opened_output(output) as stream:
        formats.write(form, report, stream)
    return 1 if report.findings or report.paid else 0


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("netra-compat")
    except PackageNotFoundError:
        return ""
