"""The usage that a command reads: this machine's state directory, or any mix of directories, databases and servers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, TypeVar

import click

if TYPE_CHECKING:
    from compat.telemetry.history import History

Function = TypeVar("Function", bound=Callable[..., Any])


class Opened(NamedTuple):
    """An open history, and where it comes from, in words."""

    history: History
    where: str


def source_options(function: Function) -> Function:
    """Add ``SOURCES...`` and ``--from SOURCE``, to be given together to :func:`opened_usage`."""
    function = click.option(
        "--from",
        "origins",
        multiple=True,
        metavar="SOURCE",
        help="One more source: a state directory, a usage.db, or prometheus:URL of a server that scrapes the fleet.",
    )(function)
    return click.argument("sources", nargs=-1, metavar="[DIR|FILE]...", type=click.Path())(function)


@contextmanager
def opened_usage(sources: Sequence[str], *, watched: bool = True) -> Iterator[Opened]:
    """Open all sources as one history; without any, this machine's state directory, folded first.

    Long merges show a progress bar on stderr where a person watches it, unless ``watched`` is false.
    """
    from compat.telemetry.directory import state_directory
    from compat.telemetry.fold import fold
    from compat.telemetry.merge import collect

    places = list(sources)
    noted: list[str] = []
    with _progress(watched) as progress:
        if not places:
            own = state_directory()
            where = own
            if os.path.isdir(own):
                noted += fold(own, progress=progress).problems
                places = [own]
        else:
            where = ", ".join(places)
            for place in places:
                if not os.path.exists(place):
                    raise click.UsageError(f"there is no directory or file {place!r} to read usage from")
        history = collect(places, progress=progress)
    try:
        history.problems[:0] = [problem for problem in noted if problem not in history.problems]
        yield Opened(history, where)
    finally:
        history.close()


@contextmanager
def _progress(watched: bool) -> Iterator[Callable[[int, int], None] | None]:
    if not watched or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("Reading segments"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("read", total=None)

        def moved(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield moved
