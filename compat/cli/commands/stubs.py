"""``compat stubs``: write stubs that mark legacy names deprecated, or check that they are fresh.

mypy finds them by mypy_path (or MYPYPATH), pyright by stubPath.

Exit codes: 0 written or fresh, 1 --check found stale files, 2 usage, 3 a defect.
"""

from __future__ import annotations

import click

from ..common import required_ledger
from ..options import ledger_option


@click.command(help=__doc__)
@ledger_option
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=str), help="Directory for the stubs.")
@click.option("--check", is_flag=True, help="Write nothing; fail when what is there is not what would be written.")
def command(ledgers: tuple[str, ...], out: str, check: bool) -> int:
    """Generate, then write or compare."""
    from compat.analysis.documents import stubs

    files = stubs.generate(required_ledger(ledgers))
    if check:
        wrong = stubs.stale(files, out)
        for path in wrong:
            click.echo(f"stale: {path}", err=True)
        return 1 if wrong else 0
    written = stubs.write(files, out)
    click.echo(f"{len(written)} files written below {out}", err=True)
    return 0
