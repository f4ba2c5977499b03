"""Options and habits that several subcommands share.

A subcommand is a file of its own: ``command = click.command()(...)`` with the room that does the work imported inside
the function, and a line in the table of :mod:`compat.cli.commands`. It returns its exit code (``None`` means 0), writes
its result to stdout or ``--output``, and everything else (progress, notes) to stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Callable, TypeVar

import click

from compat.errors import CompatError

if TYPE_CHECKING:
    from compat.ledger import Ledger

Function = TypeVar("Function", bound=Callable[..., Any])


def ledger_option(function: Function) -> Function:
    """Add ``--ledger NAME|package.module:LEDGER`` (repeatable), to be given to :func:`chosen_ledger`."""
    return click.option(
        "--ledger",
        "ledgers",
        multiple=True,
        metavar="NAME",
        help="A ledger by its name, or as package.module:LEDGER; repeatable. Default: every ledger that is found.",
    )(function)


def output_option(function: Function) -> Function:
    """Add ``--output FILE``, to be given to :func:`opened_output`."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write to this file, whole or not at all, instead of stdout.",
    )(function)


def chosen_ledger(names: tuple[str, ...]) -> Ledger:
    """Return the ledgers named on the command line, or all that are found, as one."""
    from compat.ledger import Ledger, discover, load

    # One that is given by its place must not fail for another that cannot be loaded.
    found = [] if names and all(":" in name for name in names) else discover()
    by_name = {ledger.name: ledger for ledger in found}
    ledgers = []
    for name in names:
        if ":" not in name and name not in by_name:
            known = ", ".join(by_name) or "none is found"
            raise CompatError(f"no ledger is called {name!r} (found: {known}); write its place as 'package.module:LEDGER'")
        ledgers.append(by_name.get(name) or load(name))
    whole: Ledger | None = None
    for each in ledgers or found:
        whole = each if whole is None else whole + each
    return whole if whole is not None else Ledger("none", version="0")


@contextmanager
def opened_output(path: Path | None) -> Iterator[IO[str]]:
    """Yield a text stream in UTF-8: stdout, or a file that appears under its name only when all of it is written."""
    if path is None or str(path) == "-":
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure is not None:
            # A page or a spark line holds characters that an ASCII or Latin-1 locale cannot write.
            reconfigure(errors="replace")
        yield sys.stdout
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        stream = open(part, "w", encoding="utf-8", newline="\n")  # noqa: SIM115 - its own error, and closed below
    except OSError as error:
        raise CompatError(f"{str(path)!r} cannot be written: {error.strerror}; name a file in a directory that can be") from None
    try:
        with stream:
            yield stream
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def is_terminal(stream: IO[str]) -> bool:
    """Whether a person watches this stream."""
    return stream.isatty()
