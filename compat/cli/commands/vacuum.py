"""``compat vacuum``: drop old days from the usage history."""

from __future__ import annotations

import re

import click


def _days(ctx: click.Context, parameter: click.Parameter, value: str) -> int:
    found = re.fullmatch(r"([0-9]+)d?", value)
    if found is None or not int(found.group(1)):
        raise click.BadParameter(f"{value!r} is no number of days; write 400d")
    return int(found.group(1))


@click.command()
@click.option("--older-than", required=True, callback=_days, metavar="DAYS", help="Such as 400d.")
@click.argument("directory", required=False, type=click.Path())
def command(older_than: int, directory: str | None) -> None:
    """Drop days older than DAYS from the usage history of DIRECTORY (this machine's, if none is given)."""
    import os

    from compat.telemetry import open_history
    from compat.telemetry.history.fold import fold
    from compat.telemetry.record.directory import history_in, state_directory

    place = directory or state_directory()
    if os.path.isdir(place):
        for problem in fold(place).problems:
            click.echo(f"Not read: {problem}", err=True)
    path = history_in(place) if os.path.isdir(place) else place
    if not os.path.exists(path):
        click.echo(f"There is no usage history in {place}: nothing to drop.")
        return
    with open_history(path, readonly=False) as history:
        gone = history.vacuum(older_than)
    click.echo(f"{gone:,} row{'' if gone == 1 else 's'} older than {older_than} days dropped from {path}.")
