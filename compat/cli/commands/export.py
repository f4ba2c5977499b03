"""``compat export``: the ledger as a table for other tools.

Exit codes: 0 written, 2 usage, 3 a defect.
"""

from __future__ import annotations

from pathlib import Path

import click

from ..common import required_ledger
from ..options import ledger_option, opened_output, output_option


@click.command(help=__doc__)
@click.argument("tool", type=click.Choice(("ruff",)))
@ledger_option
@output_option
def command(tool: str, ledgers: tuple[str, ...], output: Path | None) -> int:
    """Write the table."""
    from compat.analysis.documents import linter_export

    with opened_output(output) as stream:
        stream.write(getattr(linter_export, tool)(required_ledger(ledgers)))
    return 0
