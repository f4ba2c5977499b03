"""``compat explain``: what one legacy name was, what to write instead, and where this tree still uses it.

Exit codes: 0 explained, 2 no such name or usage, 3 a defect.
"""

from __future__ import annotations

import click

from ..common import required_ledger
from ..options import ledger_option


@click.command(help=__doc__)
@click.argument("name")
@click.argument("paths", nargs=-1, type=click.Path(path_type=str))
@ledger_option
@click.option("--no-uses", is_flag=True, help="Do not look for uses in the tree.")
def command(name: str, paths: tuple[str, ...], ledgers: tuple[str, ...], no_uses: bool) -> int:
    """Explain one name."""
    from compat.analysis import config, scan
    from compat.analysis.documents.explain import explain, find_row

    ledger = required_ledger(ledgers)
    find_row(ledger, name)
    found = [] if no_uses else scan(paths or (".",), ledger, settings=config.load(".")).findings
    told = explain(ledger, name, found)
    row = told.row
    lines = [told.message, ""]
    target = "served by" if told.is_stopgap else "canonical"
    lines += [f"{'legacy':<10} {row.legacy}", f"{target:<10} {row.canonical or '(none)'}", f"{'kind':<10} {row.kind}"]
    lines += [f"{'since':<10} {row.since}", f"{'removal':<10} {row.removal}", f"{'stage':<10} {told.stage}"]
    if row.note:
        lines.append(f"{'why':<10} {row.note}")
    if told.before:
        lines += ["", "Before:", *(f"    {line}".rstrip() for line in told.before.splitlines())]
    if told.after:
        lines += ["", "After:", *(f"    {line}".rstrip() for line in told.after.splitlines())]
    if not no_uses:
        count = len(told.uses)
        lines += ["", f"{count or 'No'} use{'s' if count != 1 else ''} in this tree{':' if count else '.'}"]
        lines += [f"    {use.path}:{use.line}:{use.column}: {use.code}" for use in told.uses]
    click.echo("\n".join(lines))
    return 0
