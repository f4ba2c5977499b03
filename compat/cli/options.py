"""Click options that several subcommands share.

A subcommand is a file of its own: ``command = click.command()(...)`` with the room that does the work imported inside
the function, and a line in the table of :mod:`compat.cli.table`. It returns its exit code (``None`` means 0), writes
its result to stdout or ``--output``, and everything else (progress, notes) to stderr.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any, Callable, TypeVar

import click

from .common import chosen_ledger, opened_output
from .parser import LEDGER_HELP

__all__ = ["chosen_ledger", "is_terminal", "ledger_option", "opened_output", "output_option"]

Function = TypeVar("Function", bound=Callable[..., Any])


def ledger_option(function: Function) -> Function:
    """Add ``--ledger NAME|package.module:LEDGER`` (repeatable), to be given to :func:`chosen_ledger`."""
    return click.option(
        "--ledger",
        "ledgers",
        multiple=True,
        metavar="NAME",
        help=LEDGER_HELP,
    )(function)


def output_option(function: Function) -> Function:
    """Add ``--output FILE``, to be given to :func:`opened_output`."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write to this file, whole or not at all, instead of stdout.",
    )(function)


def is_terminal(stream: IO[str]) -> bool:
    """Whether a person watches this stream."""
    return stream.isatty()
