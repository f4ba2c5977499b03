"""Tells whether the process that writes a segment, or left a record, still runs."""

from __future__ import annotations

import os
import sys
from typing import Any

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

from .identity import boot_id, pid_namespace, start_tick
from .layout import Header


def take_lock(file: int) -> bool:
    """Take the lock of the open segment ``file`` if nobody has it; it is held until ``file`` is closed."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: the pid must tell
    return True


def is_here(process: Header) -> bool:
    """Tell whether the pid of ``process`` can be asked for: this boot of this machine, this container."""
    return process.boot == boot_id() and process.namespace == pid_namespace()


def is_running(process: Header) -> bool:
    """Tell whether ``process`` runs on this machine, where its pid means the same; elsewhere it is not known to run.

    A pid that was given to another process meanwhile started at another tick, or under another boot.
    """
    if not is_here(process):
        return False
    return _is_there(process.pid) and (not process.tick or start_tick(process.pid) == process.tick)


def _is_there(pid: int) -> bool:
    if sys.platform == "win32":
        return _is_there_on_windows(pid)  # where os.kill() with 0 is Ctrl+C
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # somebody else's, but there
    return True


def _is_there_on_windows(pid: int) -> bool:
    import ctypes

    kernel: Any = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    synchronize, denied, runs = 0x00100000, 5, 0x102
    handle = kernel.OpenProcess(synchronize, False, pid)
    if not handle:
        return bool(ctypes.get_last_error() == denied)  # type: ignore[attr-defined,unused-ignore]
    try:
        # A process that has ended is there as long as anybody has it open.
        return bool(kernel.WaitForSingleObject(handle, 0) == runs)
    finally:
        kernel.CloseHandle(handle)


def still_maps(process: Header, path: str) -> bool:
    """Tell whether ``process``, whose segment ``path`` is not locked, has it mapped all the same.

    A daemon closes every descriptor, and the lock with it, but goes on counting; a process that called exec() keeps
    its pid and its start, and counts no more.
    """
    if not is_running(process):
        return False
    name = os.path.basename(path).encode()
    try:
        with open(f"/proc/{process.pid}/maps", "rb") as stream:
            return name in stream.read()
    except OSError:
        return True  # not ours to look into: as long as the pid lives, the segment stays
