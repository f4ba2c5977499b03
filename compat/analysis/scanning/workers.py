"""Examine files in this process or in worker processes, which are forked where that is safe."""

from __future__ import annotations

import os
import sys
import warnings
from itertools import chain
from typing import TYPE_CHECKING, Callable, Optional

from . import forking
from .examine import Examined, Selection
from .file_scanner import Scanner

if TYPE_CHECKING:
    from compat.ledger import Ledger

    from ..config import Settings
    from ..reading.files import Found
    from .caching import Cache

_CHUNK, _FORKED_CHUNK = 100, 40
#: With fewer files, starting processes takes longer than they save.
_WORTH, _FORKED_WORTH = 1500, 300
_STEP = 50
_worker: Optional[Scanner] = None


def examine_all(
    scanner: Scanner,
    found: list[Found],
    ledger: Ledger,
    settings: Settings,
    *,
    jobs: Optional[int] = 1,
    store: Optional[Cache] = None,
    progress: Optional[Callable[[int, int], None]] = None,
) -> dict[str, Examined]:
    """Examine files; the result holds those in which there is something, in order of ``found``."""
    results: dict[str, Examined] = {}
    pending = found
    if store is not None:
        pending = []
        for item in found:
            known, value = store.get(item.path)
            if not known:
                pending.append(item)
            elif value is not None:
                results[item.path] = value
    # The process pool of PyPy 3.9 cannot start a worker: there, one process does it all.
    may_share = jobs != 1 and len(pending) > _CHUNK and sys.implementation.name != "pypy"
    forks = may_share and forking.is_safe()
    if jobs is None:
        jobs = _cores() if len(pending) >= (_FORKED_WORTH if forks else _WORTH) else 1
    if jobs > 1 and forks:
        fresh = _in_forks(scanner, pending, jobs, progress)
    elif jobs > 1 and may_share:
        fresh = _in_processes(scanner, pending, ledger, settings, jobs, progress)
    else:
        fresh = {}
        for count, (item, examined) in enumerate(scanner.files(pending), 1):
            fresh[item.path] = examined
            if progress is not None and count % _STEP == 0:
                progress(count, len(pending))
    if store is not None:
        for path, value in fresh.items():
            store.put(path, value)
    if not fresh:
        return results
    results.update((path, value) for path, value in fresh.items() if value is not None)
    return {item.path: results[item.path] for item in found if item.path in results}


def _cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _in_forks(
    scanner: Scanner, found: list[Found], jobs: int, progress: Optional[Callable[[int, int], None]]
) -> dict[str, Optional[Examined]]:
    size = max(_FORKED_CHUNK, len(found) // 1000 + 1)
    chunks = [found[at : at + size] for at in range(0, len(found), size)]
    scanner.prepare()

    def told(done: int) -> None:
        if progress is not None:
            progress(min(done * size, len(found)), len(found))

    def work(chunk: list[Found]) -> list[tuple[str, Optional[Examined]]]:
        return [(item.path, examined) for item, examined in scanner.files(chunk)]

    return dict(chain.from_iterable(forking.share(work, chunks, jobs, told)))


def _in_processes(
    scanner: Scanner,
    found: list[Found],
    ledger: Ledger,
    settings: Settings,
    jobs: int,
    progress: Optional[Callable[[int, int], None]],
) -> dict[str, Optional[Examined]]:
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    roots = sorted({item.root for item in found})
    chunks = [found[at : at + _CHUNK] for at in range(0, len(found), _CHUNK)]
    results: dict[str, Optional[Examined]] = {}
    done = 0
    # A forked child would inherit the caller's threads' locks in whatever state they are.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _start, (ledger, settings, scanner.scope, roots)) as pool:
        for future in as_completed([pool.submit(_chunk, chunk) for chunk in chunks]):
            results.update(future.result())
            done += _CHUNK
            if progress is not None:
                progress(min(done, len(found)), len(found))
    return results


def _start(ledger: Ledger, settings: Settings, scope: Selection, roots: list[str]) -> None:
    global _worker
    warnings.simplefilter("ignore")
    _worker = Scanner(ledger, settings, scope, roots)


def _chunk(found: list[Found]) -> dict[str, Optional[Examined]]:
    assert _worker is not None
    return {item.path: examined for item, examined in _worker.files(found)}
