"""Pause the garbage collector while files are analysed; collect between files, when their trees are free."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What ties trees into cycles is untied after each file; this many may be left where that could not be done.
_FILES = 16
_parsed = count(1)
_paused = 0


@contextmanager
def paused() -> Iterator[None]:
    """No search for cycles but by :func:`between_files`; as it was before when done."""
    global _paused
    # The collector of PyPy does more than look for cycles.
    was_enabled = sys.implementation.name == "cpython" and gc.isenabled()
    if not was_enabled:
        yield
        return
    gc.disable()
    _paused += 1
    try:
        yield
    finally:
        _paused -= 1
        gc.enable()


def between_files() -> None:
    """Free what recent files have left in cycles; to be called before a file is parsed."""
    if _paused and next(_parsed) % _FILES == 0:
        gc.collect(0)
