"""``compat export``: what other tools read: the ledger as a table, and what Prometheus and Grafana need.

ruff: banned names, for ruff.toml. roots: the entry points that name a ledger's roots, for pyproject.toml. schema: the JSON Schema
of [tool.compat], as SchemaStore holds it; with --pyproject, of a whole pyproject.toml, for an editor. alerts: recording
and alert rules for Prometheus. grafana: a dashboard, which needs these rules.

Exit codes: 0 written, 2 usage, 3 a defect.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compat import configuration

from ..common import required_ledger
from ..options import ledger_option, opened_output, output_option

if TYPE_CHECKING:
    from compat.ledger import Ledger

_SHIPPED = {"alerts": "alerts.yml", "grafana": "dashboard.json"}
_FORMS = ("ruff", "roots", "schema", *_SHIPPED)


@click.command(help=__doc__)
@click.argument("form", metavar="|".join(_FORMS), type=click.Choice(_FORMS))
@click.option("--pyproject", is_flag=True, help="The schema of a whole pyproject.toml.")
@ledger_option
@output_option
def command(form: str, pyproject: bool, ledgers: tuple[str, ...], output: Path | None) -> int:
    """Write the table."""
    if pyproject and form != "schema":
        raise click.UsageError("--pyproject belongs to the schema: write compat export schema --pyproject")
    if form == "schema":
        text = configuration.schema_text(whole=pyproject)
    elif form in _SHIPPED:
        text = (files("compat.telemetry") / "data" / _SHIPPED[form]).read_text(encoding="utf-8")
    elif form == "roots":
        if len(ledgers) != 1 or ":" not in ledgers[0]:
            raise click.UsageError("roots are those of one ledger: write --ledger package.module:LEDGER")
        text = _roots(required_ledger(ledgers), ledgers[0])
    else:
        from compat.analysis.documents import linter_export

        text = linter_export.ruff(required_ledger(ledgers))
    with opened_output(output) as stream:
        stream.write(text)
    return 0


def _roots(ledger: Ledger, reference: str) -> str:
    from compat.boot import entry_points

    lines = [f'[project.entry-points."{entry_points.ROOTS}"]']
    for name in entry_points.root_names(ledger):
        lines.append(f"{json.dumps(name) if '.' in name else name} = {json.dumps(reference)}")
    return "\n".join(lines) + "\n"
