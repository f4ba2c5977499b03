"""A progress bar on stderr; nothing is shown where stderr is no terminal, or the work is done soon."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable, Optional

PATIENCE = 0.5
"""Seconds before a bar is shown: most work needs none."""


@contextmanager
def bar(label: str, *, watched: bool = True) -> Iterator[Optional[Callable[[int, int], None]]]:
    """Yield what to call with the number of things done and of all; ``None`` where nobody watches, or rich is not installed."""
    if not watched or not sys.stderr.isatty():
        yield None
        return
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        yield None
        return
    from time import monotonic

    columns = TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    shown = Progress(*columns, console=Console(stderr=True), transient=True)
    task = shown.add_task(label, total=None)
    started = monotonic()

    def moved(done: int, total: int) -> None:
        shown.update(task, completed=done, total=total)
        if monotonic() - started >= PATIENCE:
            shown.start()

    try:
        yield moved
    finally:
        shown.stop()
