"""``compat compliance``: score a tree by class of file; --as-reported counts by the definitions of earlier reports.

Exit codes: 0 fully compliant (or --as-reported), 1 not, 2 usage, 3 a defect.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..common import required_ledger
from ..options import ledger_option, opened_output, output_option


@click.command(help=__doc__)
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=str))
@ledger_option
@output_option
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.option("--as-reported", is_flag=True, help="Deprecated imports, import paths and non-factory patterns as once reported.")
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
def command(
    paths: tuple[str, ...], ledgers: tuple[str, ...], output: Path | None, form: str, as_reported: bool, jobs: int
) -> int:
    """Measure and report."""
    from compat.analysis import config
    from compat.analysis.debt import compliance
    from compat.netra import as_reported as reported

    if as_reported:
        if len(paths) > 1:
            raise click.UsageError("--as-reported takes one directory, the root of a checkout")
        counted = reported.measure(paths[0] if paths else ".")
        _write(output, form, counted.as_dict(), counted.text())
        return 0
    settings = config.load(paths[0] if paths else ".")
    made = compliance.measure(paths or (".",), required_ledger(ledgers), settings=settings, jobs=jobs)
    _write(output, form, made.as_dict(), made.text())
    return 0 if made.whole.compliant == made.whole.files else 1


def _write(output: Path | None, form: str, data: dict[str, object], text: str) -> None:
    with opened_output(output) as stream:
        stream.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n" if form == "json" else text)
