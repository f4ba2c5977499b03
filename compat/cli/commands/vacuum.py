"""``compat vacuum``: drop old days from the usage history."""

from __future__ import annotations

import re

import click


def _days(ctx: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]+)d?", value)
    if found is None or not int(found.group(1)):
        raise click.BadParameter(f"{value!r} is no number of days; write 400d")
    return int(found.group(1))


@click.command()
@click.option("--older-than", callback=_days, metavar="DAYS", help="Drop what is older, such as 400d.")
@click.option("--damaged", is_flag=True, help="Remove every file that was set aside: what they counted is settled.")
@click.argument("directory", required=False, type=click.Path())
def command(older_than: int | None, damaged: bool, directory: str | None) -> None:
    """Drop days older than DAYS from the usage history of DIRECTORY (this machine's, if none is given).

    Files that could not be read leave every verdict of "compat ready" unproven, until they are that old or --damaged
    removes them.

    \b
    Examples:
      compat vacuum --older-than 400d
      compat vacuum --damaged
    """
    import os

    from compat.telemetry import open_history
    from compat.telemetry.history.fold import fold
    from compat.telemetry.history.unread import clear
    from compat.telemetry.record.directory import history_in, state_directory

    if older_than is None and not damaged:
        raise click.UsageError("say what to drop: --older-than 400d, or --damaged for the files that were set aside")
    place = directory or state_directory()
    if os.path.isdir(place):
        for problem in fold(place).problems:
            click.echo(f"Not read: {problem}", err=True)
        for path in clear(place, None if damaged else older_than):
            click.echo(f"Removed {path}, which could not be read.")
    if older_than is None:
        return
    path = history_in(place) if os.path.isdir(place) else place
    if not os.path.exists(path):
        click.echo(f"There is no usage history in {place}: nothing to drop.")
        return
    with open_history(path, readonly=False) as history:
        gone = history.vacuum(older_than)
    click.echo(f"{gone:,} row{'' if gone == 1 else 's'} older than {older_than} days dropped from {path}.")
