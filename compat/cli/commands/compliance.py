"""``compat compliance``: score a tree by class of file.

A distribution adds a way to score by the entry-point group ``compat.compliance``: the name is that of the option, the target a
function that takes a directory and returns what has ``text()`` and ``as_dict()``.

Exit codes: 0 fully compliant (or scored by other definitions), 1 not, 2 usage, 3 a defect.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any, Callable, TypeVar

import click

from compat.boot import entry_points

from ..common import required_ledger
from ..options import ledger_option, opened_output, output_option

Function = TypeVar("Function", bound=Callable[..., Any])


def _measures(function: Function) -> Function:
    """Add an option for each way to score that distributions plug in."""
    for entry in entry_points.entry_points(sys.path, entry_points.COMPLIANCE):
        said = f"Score one directory by the definitions of {entry.distribution.rpartition('-')[0].replace('_', '-')}."
        function = click.option(f"--{entry.name}", "measure", flag_value=entry.value, default=None, help=said)(function)
    return function


@click.command(help=__doc__)
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=str))
@ledger_option
@output_option
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
@_measures
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=1, show_default=True, help="Processes.")
def command(
    paths: tuple[str, ...], ledgers: tuple[str, ...], output: Path | None, form: str, jobs: int, measure: str | None = None
) -> int:
    """Measure and report."""
    from compat.analysis import config
    from compat.analysis.debt import compliance

    if measure is not None:
        if len(paths) > 1:
            raise click.UsageError("an option that scores by other definitions takes one directory, the root of a checkout")
        module, _, attribute = measure.partition(":")
        counted = getattr(importlib.import_module(module), attribute)(paths[0] if paths else ".")
        _write(output, form, counted.as_dict(), counted.text())
        return 0
    settings = config.load(paths[0] if paths else ".")
    made = compliance.measure(paths or (".",), required_ledger(ledgers), settings=settings, jobs=jobs)
    _write(output, form, made.as_dict(), made.text())
    return 0 if made.whole.compliant == made.whole.files else 1


def _write(output: Path | None, form: str, data: dict[str, object], text: str) -> None:
    with opened_output(output) as stream:
        stream.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n" if form == "json" else text)
