"""Share work among forked processes, which have all that this one has made, and start in milliseconds."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, Callable, NoReturn, Optional, TypeVar

from compat.errors import CompatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    Item = TypeVar("Item")
    Result = TypeVar("Result")

_WIDTH = 4


def is_safe() -> bool:
    """Whether the calling thread is the only one: a fork copies the locks that others hold, and not who would release them."""
    try:
        return len(os.listdir("/proc/self/task")) == 1
    except OSError:
        return False


def share(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int, progress: Optional[Callable[[int], None]] = None
) -> list[Result]:
    """What ``work`` makes of each item, in no order; whoever is free takes the next. At most 1,000 items.

    ``progress`` is called with the number of items that are done. Raises what ``work`` raises first in one of the processes,
    and :class:`compat.errors.CompatError` where one is killed.
    """
    queue, ready = os.pipe(), os.pipe()
    # So little fits into any pipe before somebody reads.
    os.write(queue[1], b"".join(number.to_bytes(_WIDTH, "big") for number in range(len(items))))
    os.close(queue[1])
    children: list[tuple[int, int]] = []
    for _job in range(min(jobs, len(items))):
        given, taken = os.pipe()
        pid = os.fork()
        if not pid:
            _serve(work, items, queue[0], ready[1], taken)
        os.close(taken)
        children.append((pid, given))
    os.close(queue[0])
    os.close(ready[1])
    done = 0
    while told := os.read(ready[0], 1024):
        done += len(told)
        if progress is not None:
            progress(done)
    os.close(ready[0])
    given_over: list[bytes] = []
    for pid, given in children:
        with open(given, "rb") as stream:
            data = stream.read()
        given_over.append(b"" if _is_killed(pid) else data)
    if not all(given_over):
        raise CompatError("a worker process was killed; run again, with --jobs 1 where memory is short")
    made: list[tuple[list[Result], Optional[BaseException]]] = [pickle.loads(data) for data in given_over]
    for _results, error in made:
        if error is not None:
            raise error
    return [result for results, _error in made for result in results]


def _is_killed(pid: int) -> bool:
    try:
        return os.waitpid(pid, 0)[1] != 0
    except ChildProcessError:
        # Where SIGCHLD is ignored, nobody is told how a child ended.
        return False


def _serve(work: Callable[[Item], Result], items: Sequence[Item], queue: int, ready: int, taken: int) -> NoReturn:
    """Work off items, hand over the results, and end this process without what ends its parent."""
    status = 1
    try:
        results: list[Result] = []
        error: Optional[BaseException] = None
        # Reads of single numbers are not divided among processes.
        while error is None and (number := os.read(queue, _WIDTH)):
            try:
                results.append(work(items[int.from_bytes(number, "big")]))
            except Exception as raised:
                error = raised
            os.write(ready, b".")
        data = pickle.dumps((results, error), pickle.HIGHEST_PROTOCOL)
        os.close(ready)
        with open(taken, "wb") as stream:
            stream.write(data)
        status = 0
    finally:
        os._exit(status)
