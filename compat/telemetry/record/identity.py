"""Which process this is: facts that hold when pids are reused, clocks are set, and containers share a directory."""

from __future__ import annotations

import os
import sys
from time import time

from .layout import Header
from .service import environment_name, service_name, service_version

PYTHON = f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}"


_mine: list[Header] = []
_boot: list[str] = []


def this_process() -> Header:
    """Return the facts of this very process, the same as long as it lives; a forked child gets its own."""
    if not _mine or _mine[-1].pid != os.getpid():
        _mine[:] = [describe_process()]
    return _mine[-1]


def describe_process() -> Header:
    """Return the facts of this very process; its id is unique also among reused pids and restarted machines.

    ``started`` is the start of the process where the system tells it, else now.
    """
    pid, now, boot = os.getpid(), time(), boot_id()
    tick = start_tick(pid)
    started = now
    if tick:
        try:
            with open("/proc/uptime", "rb") as stream:
                started = now - max(0.0, float(stream.read().split()[0]) - tick / os.sysconf("SC_CLK_TCK"))
        except (OSError, ValueError):
            pass
    name = f"{boot[:8]}-{pid}-{tick or int(now * 1000):x}-{os.urandom(6).hex()}"
    service, version = service_name(), service_version()
    names = name, boot, host_name(), service, version, PYTHON, environment_name()
    return Header(*names, pid, tick, pid_namespace(), started, 0.0)


def host_name() -> str:
    """Return the name of this machine or container."""
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")


def boot_id() -> str:
    """Return what names this boot of this machine; the host's name where the kernel has no such id."""
    if _boot:
        return _boot[0]
    _boot.append(_read_boot_id())
    return _boot[0]


def _read_boot_id() -> str:
    try:
        # As bytes: the first text of an encoding imports it, and a child forked meanwhile would wait for ever.
        with open("/proc/sys/kernel/random/boot_id", "rb") as stream:
            return stream.read().strip().decode()
    except OSError:
        return host_name() or "unknown"


def pid_namespace() -> int:
    """Return the number of the namespace in which this process's pid means something, 0 if the system has none."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return 0


def start_tick(pid: int) -> int:
    """Return the clock tick at which ``pid`` started, 0 if there is no such process or no way to know."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            return int(stream.read().rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0
