"""``compat guide``: print, write or check the migration guide of a ledger.

Exit codes: 0 printed, written or fresh, 1 --check found it stale, 2 usage, 3 a defect.
"""

from __future__ import annotations

from pathlib import Path

import click

from ..common import required_ledger
from ..options import ledger_option, opened_output


@click.command(help=__doc__)
@ledger_option
@click.option("--write", is_flag=True, help="Write the file.")
@click.option("--check", is_flag=True, help="Fail when the file is not what would be written.")
@click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Default: the ledger's docs, or MIGRATION.md.",
)
@click.option(
    "--intro",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory of introductions, families and uses. Default: the ledger's.",
)
def command(ledgers: tuple[str, ...], write: bool, check: bool, path: Path | None, intro: Path | None) -> int:
    """Generate, then print, write or compare."""
    from compat.analysis.documents import guide, guide_data

    ledger = required_ledger(ledgers)
    text = guide.generate(ledger, guide_data.read(str(intro or ledger.intro)))
    place = path or Path("MIGRATION.md" if "://" in ledger.docs else ledger.docs or "MIGRATION.md")
    if check:
        if not place.is_file() or place.read_text(encoding="utf-8") != text:
            click.echo(f"{place} is stale; write it with: python -m compat guide --ledger {ledger.name} --write", err=True)
            return 1
        return 0
    with opened_output(place if write else path) as stream:
        stream.write(text)
    return 0
