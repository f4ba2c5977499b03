"""Signs of life: a process marks once an hour that it still runs, so that one ended by SIGKILL is evidence up to its last mark.

No thread does it: Python warns of threads where a program forks. The marks ride on the garbage collector instead, which runs
in every process that does something, at the price of a look at the clock per collection. An hour in which nothing was
collected has no mark: what is not marked was not observed.
"""

from __future__ import annotations

import gc
from time import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

EVERY = 3600.0
"""Seconds between two marks."""

_marking: list[Callable[[float], object]] = []
_marked = [0.0]


def begin(mark: Callable[[float], object]) -> None:
    """Have ``mark(now)`` called once an hour from now on, until :func:`end`; only the first ``mark`` is."""
    _marked[0] = time()
    if _marking:
        return
    _marking.append(mark)
    callbacks = getattr(gc, "callbacks", None)
    if callbacks is not None:
        callbacks.append(_beat)
    elif getattr(getattr(gc, "hooks", None), "on_gc_minor", _marking) is None:  # PyPy; it has room for one
        gc.hooks.on_gc_minor = _beat  # type: ignore[attr-defined]


def end() -> None:
    """Call no more: the interpreter goes down, and takes apart what a mark needs."""
    del _marking[:]
    callbacks = getattr(gc, "callbacks", None)
    if callbacks is not None and _beat in callbacks:
        callbacks.remove(_beat)
    elif getattr(getattr(gc, "hooks", None), "on_gc_minor", None) is _beat:
        gc.hooks.on_gc_minor = None  # type: ignore[attr-defined]


def _beat(*_: object) -> None:
    now = time()
    # A clock that was set back marks anew.
    if not 0.0 <= now - _marked[0] < EVERY:
        _marked[0] = now
        try:
            for mark in _marking:
                mark(now)
        except Exception:
            pass  # the collector would print it, and the program can do nothing about it
