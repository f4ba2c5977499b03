"""``compat prune``: delete what is due from the library's own source: rows, adapters, tombstones, deprecated definitions.

A diff by default, files with --write: all of them, or none. With a definition goes what only it used: imports, private
helpers, and what lies in the modules of ledgers and adapters. What is still used elsewhere is left, with the place.

A row is due at its removal version; a tombstone that names none, one major version after its own.

Exit codes: 0 nothing is due, or all that is due was written, 1 something is to be written or was left, 2 usage, or a file that
cannot be read or pruned, 3 a defect.
"""

from __future__ import annotations

from pathlib import Path

import click

from compat.cli.common import required_ledger
from compat.cli.options import ledger_option, opened_output, output_option


@click.command(help=__doc__)
@click.argument("paths", nargs=-1, type=click.Path(path_type=str))
@click.option("--as-of", "as_of", required=True, metavar="VERSION", help="The version that is about to be released.")
@ledger_option
@output_option
@click.option("--write", is_flag=True, help="Change the files, all of them or none.")
def command(paths: tuple[str, ...], as_of: str, ledgers: tuple[str, ...], output: Path | None, write: bool) -> int:
    """Plan, show or write, and say what was left."""
    from compat.analysis import config
    from compat.analysis.pruning import pruner

    ledger = required_ledger(ledgers)
    made = pruner.prune(paths or (".",), ledger, as_of, exclude=config.load(paths[0] if paths else ".").exclude)
    if not write or output is not None:
        with opened_output(output) as stream:
            stream.write(made.diff())
    if write:
        made.write()
    for reason in made.left:
        click.echo(f"left: {reason}", err=True)
    count = len(made.after)
    verb = "changed" if write else "to be changed (--write does it)"
    gone = f"{len(made.due)} row{'s' if len(made.due) != 1 else ''} due as of {as_of}"
    click.echo(f"{gone}; {count} file{'s' if count != 1 else ''} {verb}, {len(made.left)} left.", err=True)
    return 1 if made.left or (made.after and not write) else 0
