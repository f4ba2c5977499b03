"""What long work shows on stderr: a progress bar on a terminal, one line elsewhere; nothing where it is done soon."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, Optional

PATIENCE = 0.5
"""Seconds before a bar is shown: most work needs none."""
LATE = 1.0
"""Seconds before a line says what takes so long, where no bar does."""


@contextmanager
def bar(label: str, *, watched: bool = True, waits: bool = False) -> Iterator[Optional[Callable[[int, int], None]]]:
    """Yield what to call with the number of things done and of all; ``None`` unless ``watched``.

    ``waits``: the work may also stand still, so a thread looks at the clock; such work must not fork.
    """
    if not watched:
        yield None
        return
    from threading import Timer
    from time import monotonic

    shown = _bar(label)
    task = shown.add_task(label, total=None) if shown is not None else None
    started, is_told = monotonic(), False

    def tell() -> None:
        nonlocal is_told
        if not is_told:
            is_told = True
            sys.stderr.write(f"{label} ...\n")
            sys.stderr.flush()

    def moved(done: int, total: int) -> None:
        nonlocal is_told
        passed = monotonic() - started
        if shown is not None:
            shown.update(task, completed=done, total=total)
            if passed >= PATIENCE:
                is_told = True
                shown.start()
        elif passed >= LATE:
            tell()

    clock = Timer(LATE, tell)
    clock.daemon = True
    if waits:
        clock.start()
    try:
        yield moved
    finally:
        clock.cancel()
        if shown is not None:
            shown.stop()


def _bar(label: str) -> Any:
    """A bar of rich; ``None`` where nobody watches, or rich is not installed."""
    if not sys.stderr.isatty():
        return None
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    except ImportError:
        return None
    columns = TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True)
