"""Opens the usage history that a command reads: the state directory, or a mix of directories, databases and servers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, TypeVar

import click

from .progress import bar
from .suggest import did_you_mean

if TYPE_CHECKING:
    from compat.telemetry.history.database import History

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
    """Open all sources as one history; without any, this machine's state directory.

    What takes long shows a bar or a line on stderr, unless ``watched`` is false: a server reads for an
    answer, and not to end soon after.
    """
    from compat.analysis.reading import gc_pause
    from compat.telemetry import collect
    from compat.telemetry.record.directory import state_directory

    for place in sources:
        if not is_server(place) and not os.path.exists(place):
            raise click.UsageError(f"there is no directory or file {place!r} to read usage from")
    own = state_directory()
    if not sources and os.path.lexists(own) and not os.path.isdir(own):
        raise click.UsageError(f"the state directory {own!r} is no directory; set COMPAT_DIR to one, or name a directory to read")
    # No process has counted here yet: that is no fault.
    places = list(sources) or [own] * os.path.isdir(own)
    # A search for cycles among a hundred thousand rows finds none, and takes a third of the time.
    with gc_pause.paused() if watched else nullcontext():
        with bar("Reading segments", watched=watched, waits=True) as progress:
            history = collect(places, progress=progress)
        with history:
            yield Opened(history, ", ".join(map(_shown, sources)) or own)


def check_match(match: str, glob: str, known: Iterable[str]) -> None:
    """Refuse a pattern that matches none of the ``known`` ids: nothing found in nothing would look like success."""
    from fnmatch import fnmatchcase

    ids = set(known)
    if match and ids and not any(fnmatchcase(id, glob) for id in ids):
        raise click.BadParameter(
            f"no move matches {match!r}, neither in the ledger nor among those that were used.{did_you_mean(match, ids)}",
            param_hint="'--match'",
        )


def is_server(source: str) -> bool:
    """Whether a source is a Prometheus server."""
    return source.startswith("prometheus:")


def _shown(source: str) -> str:
    # A password in an address is not for a page.
    return re.sub(r"//[^/@]*@", "//", source) if is_server(source) else source
