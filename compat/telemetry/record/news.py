"""Tells whoever asked of each call site that is new in this process: in a thread of its own, never in the way of legacy code."""

from __future__ import annotations

import _thread
from time import sleep

from compat._forking import at_fork, gate

from .sites import Site

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PATIENCE = 2.0
"""Seconds for which the end of a process waits for callbacks that are under way."""

listeners: list[Callable[[Site], object]] = []
_waiting: list[tuple[Callable[[Site], object], Site]] = []
_busy = _thread.allocate_lock()
_awaited: list[bool] = []


def listen(callback: Callable[[Site], object], known: Iterable[Site]) -> Callable[[], None]:
    """Have ``callback`` called for each of the ``known`` sites, and for each that is told of; returns what ends it."""
    with gate:
        # Here and not at the first use: nothing is imported in the middle of anything.
        import atexit
        import logging  # noqa: F401

    if not _awaited:
        _awaited.append(True)
        atexit.register(_wait)
    listeners.append(callback)
    _waiting.extend((callback, site) for site in known)
    _begin()

    def end() -> None:
        if callback in listeners:
            listeners.remove(callback)

    return end


def tell(site: Site) -> None:
    """Have the listeners told of ``site``; returns at once, takes no lock, and is safe in a finalizer or a signal handler."""
    _waiting.extend((listener, site) for listener in list(listeners))
    _begin()


def _begin() -> None:
    # Not by threading: its locks may be held by this very thread where a finalizer uses something legacy.
    if _waiting and _busy.acquire(False):
        try:
            _thread.start_new_thread(_deliver, ())
        except RuntimeError:  # none can be started, as when the interpreter goes down
            _deliver()


def _deliver() -> None:
    mine = _busy
    while True:
        while _waiting:
            try:
                listener, site = _waiting.pop(0)
            except IndexError:
                break
            try:
                listener(site)
            except BaseException as error:
                _log(error)
        mine.release()
        # One that came after the last look found this thread busy.
        if not _waiting or not mine.acquire(False):
            return


def _log(error: BaseException) -> None:
    try:
        import logging

        logging.getLogger("compat").warning("a callback of compat.on_new_site failed", exc_info=error)
    except BaseException:
        pass


def _wait() -> None:
    if _busy.acquire(timeout=PATIENCE):
        _busy.release()


def _before_fork() -> None:
    # A child has no such thread, and Python warns of forks that leave threads behind.
    if _busy.acquire(False):
        _busy.release()
    else:
        _wait()
        sleep(0.002)  # until the thread is gone as well


def _is_child() -> None:
    global _busy
    _busy = _thread.allocate_lock()
    _waiting.clear()


at_fork(_before_fork, after_in_child=_is_child)
