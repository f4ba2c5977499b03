"""Import statements: which one is executing, and whether it is a use of the module it meets."""

from __future__ import annotations

import _imp
import gc
import importlib
import sys
import threading

from ..recording import bytecode, callsite, lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping
    from types import FrameType
    from typing import Any

    from compat.ledger import Move

    from ..recording.funnel import UseRecorder

_bootstrap: Any = importlib._bootstrap  # type: ignore[attr-defined]


def seen(name: str, recorder: UseRecorder, rows: Mapping[str, Move], frame: FrameType) -> bool:
    """The interpreter met the loaded legacy module ``name``: count the statement if it is the one that names it.

    Returns what ``_initializing`` must answer. The interpreter drops an exception raised here; to let an ``error`` filter
    raise at the user's line, the answer is "yes" and the wait that follows raises.
    """
    try:
        _count(name, recorder, rows, frame)
    except Exception as error:
        _raise_in_wait(name, error)
        return True
    return False


def _count(name: str, recorder: UseRecorder, rows: Mapping[str, Move], frame: FrameType) -> None:
    if callsite.is_importlib(frame):
        # importlib.import_module() of a loaded module; deeper frames belong to statements counted elsewhere.
        if frame.f_code.co_name == "_find_and_load" and frame.f_locals.get("name") == name:
            above = frame.f_back
            if above is not None and not callsite.is_importlib(above):
                first(name, recorder, rows, frame)  # loaded by another thread after this one had looked for it
            elif above is not None and above.f_code.co_name == "_gcd_import":
                user = callsite.user_frame(above)
                is_looking = callsite.is_looking(user) or callsite.is_looked_for(above)
                if not (is_looking or is_in_fromlist(above) or _is_top(above) or _is_resolving(above.f_back)):
                    recorder.use("import", user)
        return
    if callsite.is_looking(frame):
        return
    statement = bytecode.import_statement(frame) if bytecode.is_importing(frame) else None
    if statement is None:
        if lazy.LAZY is not None and lazy.lazy_object(frame, name) is not None:
            lazy.reified(name, recorder, rows, frame)
        elif _calls_import(frame) and not _is_top_of_last(name, frame):
            recorder.use("import", frame, is_site=False)
        return
    if statement.name == name and not _named_by_rows(statement, rows):
        recorder.use("import", frame)
    else:
        recorder.skip(frame)


def _calls_import(frame: FrameType) -> bool:
    # __import__("old.mod") called as a function: a call, no import opcode.
    return "__import__" in frame.f_code.co_names and bytecode.is_call(frame)


# By thread, where __import__() was called last for a module below a package, and for which. Called without names it gives the
# top-level package, which is asked after the module.
_called: dict[int, tuple[int, int, str]] = {}
_MOST = 4096


def _is_top_of_last(name: str, frame: FrameType, thread: int = 0) -> bool:
    thread = thread or threading.get_ident()
    if "." in name:
        if len(_called) > _MOST:
            _called.clear()  # of threads that have ended
        _called[thread] = (id(frame), frame.f_lasti, name)
        return False
    code, at, child = _called.pop(thread, (0, 0, ""))
    return (code, at) == (id(frame), frame.f_lasti) and child.startswith(f"{name}.")


def is_in_fromlist(frame: FrameType | None) -> bool:
    """Whether the import system imports a module that a from-import may mean."""
    while frame is not None and callsite.is_importlib(frame):
        if frame.f_code.co_name == "_handle_fromlist":
            return True
        frame = frame.f_back
    return False


def _is_top(frame: FrameType) -> bool:
    """Whether ``__import__`` in Python asks once more, for what it returns: the module that was named is loaded by then."""
    above = frame.f_back
    return above is not None and above.f_code.co_name == "__import__" and "module" in above.f_locals


def _is_resolving(frame: FrameType | None) -> bool:
    """Whether ``mock.patch("old.mod.X")`` finds its way to the attribute, whose read is what counts."""
    while frame is not None and (
        callsite.is_importlib(frame) or callsite.module_name(frame).startswith(("importlib", "pkgutil", "compat.shim"))
    ):
        frame = frame.f_back
    return frame is not None and callsite.module_name(frame) == "unittest.mock"


def _named_by_rows(statement: bytecode.Statement, rows: Mapping[str, Move]) -> bool:
    """Whether a from-import takes only names that have rows of their own: those count by themselves."""
    return bool(statement.fromlist) and all(item in rows for item in statement.fromlist or ())


def first(name: str, recorder: UseRecorder, rows: Mapping[str, Move], frame: FrameType, thread: int = 0) -> None:
    """The module is being loaded: count the statement that asked for it, if it names this module and not a child of it.

    ``thread`` is the one that executes the statement, the running one by default.
    """
    user = callsite.user_frame(frame)
    if callsite.is_looking(user) or callsite.is_looked_for(frame) or _is_resolving(frame):
        return
    if lazy.LAZY is not None and lazy.lazy_object(user, name) is not None:
        lazy.reified(name, recorder, rows, user)
        return
    statement = bytecode.import_statement(user) if bytecode.is_importing(user) else None
    if statement is None:
        asked = outermost_request(frame)
        if not asked or asked == name:
            if _calls_import(user):
                _is_top_of_last(name, user, thread)  # remembers what was asked for
            recorder.use("import", user, is_site=False)
        return
    if statement.name == name and not _named_by_rows(statement, rows):
        recorder.use("import", user)


def count_waiting(
    name: str, recorder: UseRecorder, rows: Mapping[str, Move], spec: Any, waits: Container[str] = ("_find_and_load",)
) -> None:
    """Count the threads that wait for a module that has been loaded: the import system asks nobody when they go on.

    Called while the lock is held for which they wait. What they would be warned of is warned here, and raises nowhere.
    """
    here = sys._getframe()
    for thread, top in [*sys._current_frames().items(), *_waiting_greenlets(name)]:
        if top is here:
            continue  # this thread; told by its frame, for where greenlets pass for threads its number is another
        at: FrameType | None = top
        if _HAS_GATES and at is not None and at.f_code.co_name == "_get_module_lock":
            continue  # it is about to come to the gate that stands for the lock by now
        while thread not in spec.waiting and at is not None and _is_machinery(at):
            if at.f_code.co_name in waits and at.f_locals.get("name") == name:
                try:
                    first(name, recorder, rows, at, thread)
                except Exception:
                    pass
                break
            at = at.f_back


def _waiting_greenlets(name: str) -> Iterator[tuple[int, FrameType]]:
    """The ids of the greenlets that wait for a module, and their frames: gevent has them pass for threads by these."""
    if "greenlet" not in sys.modules:
        return
    threads = sys._current_frames()
    blocked = _bootstrap._blocking_on  # thread -> the lock that it waits for; since 3.12 a list of locks, held weakly
    waiting = []
    for number in list(getattr(blocked, "data", blocked)):
        found = blocked.get(number)
        locks = found if isinstance(found, list) else [found]
        if number not in threads and any(getattr(one, "name", "") == name for one in locks):
            waiting.append(number)
    for one in gc.get_objects() if waiting else ():
        if id(one) in waiting:
            at = getattr(one, "gr_frame", None)
            while at is not None and not _is_machinery(at):
                at = at.f_back
            if at is not None:
                yield id(one), at


def is_ours(frame: FrameType | None) -> bool:
    """Whether this package has asked for the module that is loading: for the target of a row."""
    while frame is not None and callsite.is_machinery(frame):
        frame = frame.f_back
    while frame is not None and callsite.module_name(frame).startswith(("importlib", "_frozen_importlib")):
        frame = frame.f_back
    return frame is not None and callsite.is_machinery(frame)


def _is_machinery(frame: FrameType) -> bool:
    return callsite.is_importlib(frame) or callsite.is_machinery(frame)


def outermost_request(frame: FrameType | None) -> str:
    """The full module name that the import in progress was asked for; ``""`` where it cannot be seen."""
    asked = ""
    while frame is not None and _is_machinery(frame):
        if frame.f_code.co_name in ("_find_and_load", "_gcd_import"):
            asked = str(frame.f_locals.get("name", asked))
        frame = frame.f_back
    return asked


def is_loading(frame: FrameType | None) -> bool:
    """Whether the question comes from an import, and not from ``importlib.util.find_spec``."""
    while frame is not None:
        if callsite.is_importlib(frame):
            if frame.f_code.co_name == "_find_and_load_unlocked":
                return True
        elif not callsite.is_machinery(frame):
            return False
        frame = frame.f_back
    return False


class _Lock:
    """Stands for a module's lock in the import system's table from the first error on, and raises where a thread is to wait.

    One for all threads: while it stands, none of them makes another lock in its place. What must raise does so in ``acquire``,
    which is called outside of the global import lock.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = _bootstrap._ModuleLock(name)
        #: What the next wait of a thread raises.
        self.errors: dict[int, Exception] = {}

    def __call__(self) -> Any:
        return self if threading.get_ident() in self.errors else self.lock

    def acquire(self) -> Any:
        error = self.errors.pop(threading.get_ident(), None)
        if error is not None:
            raise error
        return self.lock.acquire()

    def release(self) -> None:
        self.lock.release()


def _raise_in_wait(name: str, error: Exception) -> None:
    _imp.acquire_lock()  # as the import system does when it looks into the table
    try:
        held = _bootstrap._module_locks.get(name)
        lock = held if isinstance(held, _Lock) else _put(_Lock(name))
        lock.errors[threading.get_ident()] = error
    finally:
        _imp.release_lock()


def _put(lock: _Lock) -> _Lock:
    """Put a lock into the table, for the one of which the import system knows at this moment."""
    _imp.acquire_lock()
    try:
        held = _bootstrap._module_locks.get(lock.name)
        if isinstance(held, _Lock):
            lock.lock, lock.errors = held.lock, held.errors
        elif held is not None:
            lock.lock = held() or lock.lock
        _bootstrap._module_locks[lock.name] = lock
    finally:
        _imp.release_lock()
    return lock


class _Gate(_Lock):
    """Sees who waits, too: up to 3.10 a module's lock is all that ``importlib.import_module`` asks of a loaded module."""

    def __init__(self, name: str, recorder: UseRecorder) -> None:
        super().__init__(name)
        self.recorder = recorder

    def __call__(self) -> _Gate:
        return self

    def acquire(self) -> Any:
        frame = sys._getframe(1)  # _ModuleLockManager.__enter__ <- _find_and_load <- _gcd_import <- the caller
        find = frame.f_back
        if (
            threading.get_ident() not in self.errors
            and frame.f_code.co_name == "__enter__"
            and find is not None
            and find.f_code.co_name == "_find_and_load"
            and sys.modules.get(self.name) is not None  # None stands for a module whose import is to fail
        ):
            spec: Any = getattr(sys.modules[self.name], "__spec__", None)
            if getattr(spec, "_loading", 0):
                spec.waiting.add(threading.get_ident())
            _count(self.name, self.recorder, {}, find)
        return super().acquire()


# Versions that do not read ``_initializing`` for importlib.import_module() of a loaded module.
_HAS_GATES = sys.version_info < (3, 11) and hasattr(_bootstrap, "_module_locks")


def watch_cached(name: str, recorder: UseRecorder) -> None:
    """See ``importlib.import_module`` of a module that is loaded, on versions that do not read ``_initializing`` for it."""
    if _HAS_GATES:
        _put(_Gate(name, recorder))


def unwatch(name: str) -> None:
    """Undo :func:`watch_cached`."""
    if isinstance(_bootstrap._module_locks.get(name), _Lock):
        del _bootstrap._module_locks[name]
