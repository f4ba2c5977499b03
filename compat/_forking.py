"""A gate at which a fork waits for the threads that may hold a lock which the child would inherit and nobody release.

Whatever imports something, or waits for a lock, on the way of a legacy use does so inside of ``with gate:``. Threads do not
keep each other out, so that code of a user's own may run inside; a thread that forks waits until no *other* thread is
inside. It does not wait for one that has been inside for ``LONGEST`` seconds: that one may be waiting for something that the
forking thread holds, or be running a whole program in an import.

A program in C that embeds Python may fork without telling the interpreter (uWSGI does): :func:`notice` does in the child what
should have been done.

An import holds the lock of its module from before it asks a finder until after it has called the loader. So a fork waits as
well for a thread that is between these steps, which its stack tells.
"""

import _imp
import os
import sys
from _thread import RLock, get_ident
from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LONGEST = 5.0
"""Seconds that a thread may be inside and still be waited for."""


#: What tells of a top-level name whether modules below it are imported by way of this package.
serving = []  # type: list[Callable[[str], bool]]


class _Gate:
    __slots__ = ("_inside", "_is_forking", "_lock")

    def __init__(self):  # type: () -> None
        self._lock: Any = RLock()  # held for a moment by those who come and go, and by a thread while it forks
        self._is_forking = False
        self._inside: dict[int, tuple[int, float]] = {}  # by thread: how often it has entered, and since when

    def __enter__(self):  # type: () -> None
        me = get_ident()
        with self._lock:
            entered, since = self._inside.get(me) or (0, monotonic())
            self._inside[me] = entered + 1, since

    def __exit__(self, *_):  # type: (*object) -> None
        me = get_ident()
        with self._lock:
            entered, since = self._inside.pop(me)
            if entered > 1:
                self._inside[me] = entered - 1, since

    def forking(self):  # type: () -> None
        me, until = get_ident(), monotonic() + LONGEST
        while True:
            # The import system's own lock first: a fork takes it after this, and a finder that comes to the gate holds it.
            _imp.acquire_lock()
            self._lock.acquire()
            now = monotonic()
            waited_for = any(thread != me and since > now - LONGEST for thread, (_, since) in self._inside.items())
            if not waited_for and (now > until or not _is_any_importing(me)):
                self._is_forking = True
                return
            self._lock.release()
            _imp.release_lock()
            sleep(0.001)

    def has_forked(self):  # type: () -> None
        self._is_forking = False
        self._lock.release()
        _imp.release_lock()

    def is_child(self):  # type: () -> None
        self.renew()
        if self._is_forking:  # uWSGI can be told to call these functions after a fork, and calls none before it
            self._is_forking = False
            _imp.release_lock()

    def renew(self):  # type: () -> None
        me = get_ident()
        self._inside = {me: self._inside[me]} if me in self._inside else {}
        self._lock = RLock()


gate = _Gate()


def _is_any_importing(me):  # type: (int) -> bool
    """Whether another thread is in the code of the import system itself, on behalf of a module that is served."""
    if not serving:
        return False
    for thread, frame in sys._current_frames().items():
        at: Any = frame if thread != me else None
        while at is not None and _is_machinery(at):
            if at.f_code.co_name == "_find_and_load":
                root = str(at.f_locals.get("name")).partition(".")[0]
                if any(serves(root) for serves in serving):
                    return True
            at = at.f_back
    return False


def _is_machinery(frame):  # type: (Any) -> bool
    name = frame.f_globals.get("__name__")
    return frame.f_code.co_filename.startswith("<frozen importlib") or str(name).startswith(("compat.", "netra_compat_start"))


class ImportLockReleased:
    """``with ImportLockReleased():`` gives up the import system's own lock, which finders are called with, for a while.

    Another thread may be executing a module that is imported inside, or hold what is waited for inside, and come to an import.
    """

    __slots__ = ("_held",)

    def __enter__(self):  # type: () -> None
        self._held = 0
        try:
            while _imp.lock_held():  # PyPy raises nothing in a forked child
                _imp.release_lock()
                self._held += 1
        except RuntimeError:
            pass  # this thread does not hold it any more

    def __exit__(self, *_):  # type: (*object) -> None
        for _once in range(self._held):
            _imp.acquire_lock()


class GatedLock:
    """A re-entrant lock inside of the gate, which does keep threads out; a forked child never finds it held by nobody.

    Whoever waits for it does not hold the import system's lock.
    """

    __slots__ = ("_lock",)

    def __init__(self):  # type: () -> None
        self._lock: Any = RLock()
        at_fork(after_in_child=self._is_child)

    def __enter__(self):  # type: () -> None
        gate.__enter__()
        if not self._lock.acquire(False):
            with ImportLockReleased():
                self._lock.acquire()

    def __exit__(self, *_):  # type: (*object) -> None
        self._lock.release()
        gate.__exit__()

    def is_held(self):  # type: () -> bool
        """Whether this thread has it."""
        return bool(self._lock._is_owned())

    def _is_child(self):  # type: () -> None
        if not self._lock._is_owned():
            self._lock = RLock()


_children = []  # type: list[Callable[[], object]]
_pid = os.getpid()


def at_fork(before=None, *, after_in_child):  # type: (Callable[[], object] | None, Callable[[], object]) -> None
    """Have functions called around a fork, the latter also by :func:`notice`."""
    _children.append(after_in_child)
    if hasattr(os, "register_at_fork"):
        hooks: dict[str, Any] = {"before": before} if before is not None else {}
        os.register_at_fork(after_in_child=after_in_child, **hooks)


def notice():  # type: () -> None
    """Do what is to be done in a forked child, where this is one and nobody has said so."""
    if os.getpid() != _pid:
        gate.renew()
        for callback in list(_children):
            callback()


def _is_child():  # type: () -> None
    global _pid
    _pid = os.getpid()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=gate.forking, after_in_parent=gate.has_forked, after_in_child=gate.is_child)
at_fork(after_in_child=_is_child)
