"""Records of processes in which the drop-in was active, so that a report can say who used nothing, and whose counts went.

One line per record in ``observed/<day>.log``, appended with a single write: id, pid, tick, boot, namespace, started,
ended (its end or last sign of life, always as wide, which is renewed in place; 0: its start was all), host, service,
version, Python, environment, counted (1: in a segment, or in vain; else 0), separated by tabs, the version of the format
first.
Versions of the format: 1, the first, without the last two; 2, with them.
"""

from __future__ import annotations

import os
from time import gmtime, strftime, time

from .directory import observed_in
from .layout import Header
from .service import untold_environment

VERSION = "2"
LIMIT = 4 << 20
"""Bytes of one day's log at most, some 20,000 records; beyond it a zero is only a lower bound of evidence."""
# The log's name can be guessed: a link that somebody has put there must not lead the records into another file.
_FLAGS = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


class Place:
    """Where a record lies: its log, its offset in it, and its bytes up to the end that is renewed."""

    __slots__ = ("at", "head", "path")

    def __init__(self, path: str, at: int, head: bytes) -> None:
        self.path, self.at, self.head = path, at, head


def append_record(directory: str, process: Header, counted: bool = False) -> Place | None:
    """Append the record of ``process`` to today's log in ``directory``, and return its place. Raises OSError.

    One that has ``counted`` is no evidence of zero: its segment tells its uses, and where that has gone, nobody can.
    """
    folder = observed_in(directory)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    head, tail = _line(process, counted)
    path = _today(directory)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _FLAGS, 0o600)
    try:
        if os.fstat(file).st_size >= LIMIT:
            return None
        os.write(file, head + _ended(process) + tail)
        return Place(path, os.lseek(file, 0, os.SEEK_CUR) - len(head) - len(_ended(process)) - len(tail), head)
    finally:
        os.close(file)


def renew_record(directory: str, place: Place | None, process: Header, counted: bool = False) -> Place | None:
    """Put the last sign of life of ``process`` in its record at ``place``, if that is of today; else append it.

    Raises OSError.
    """
    if place is None or place.path != _today(directory):
        return append_record(directory, process, counted)
    try:
        file = os.open(place.path, os.O_RDWR | _FLAGS)
    except FileNotFoundError:
        return append_record(directory, process, counted)
    try:
        os.lseek(file, place.at, os.SEEK_SET)
        if os.read(file, len(place.head)) == place.head:
            os.write(file, _ended(process))
            return place
    finally:
        os.close(file)
    return append_record(directory, process, counted)


def _today(directory: str) -> str:
    return os.path.join(observed_in(directory), strftime("%Y-%m-%d", gmtime(time())) + ".log")


def _ended(process: Header) -> bytes:
    return b"%017.6f" % process.ended


def _line(process: Header, counted: bool) -> tuple[bytes, bytes]:
    """Return what comes before the end of ``process`` in its record, and what follows."""
    before = VERSION, process.id, process.pid, process.tick, process.boot, process.namespace, process.started, ""
    after = "", process.host, process.service, process.version, process.python, process.environment, int(counted)
    head, tail = (
        "\t".join(" ".join(str(fact).split())[:200] for fact in facts).encode("utf-8", "replace") for facts in (before, after)
    )
    return head, tail + b"\n"


def read_log(path: str, problems: list[str]) -> list[tuple[Header, bool]] | None:
    """Return the records in a log, and whether each has counted; ``None`` where the log has gone.

    Damaged lines are told in ``problems``. Raises OSError.
    """
    try:
        with open(path, "rb") as stream:
            records, damaged = _records(stream.read())
    except FileNotFoundError:
        return None
    if damaged:
        why = "are damaged or of a later version, and are passed over; remove the file when that is settled"
        problems.append(f"{path}: {damaged} lines {why}")
    return records


def _records(raw: bytes) -> tuple[list[tuple[Header, bool]], int]:
    """Return the records in a log, and how many of its lines are damaged or of another version."""
    records: list[tuple[Header, bool]] = []
    damaged = 0
    for line in raw.decode("utf-8", "replace").splitlines():
        parts = line.split("\t")
        try:
            if parts[0] == "1":
                parts += [untold_environment(parts[9]), "0"]
            elif parts[0] != VERSION:
                raise ValueError(parts[0])
            _, name, pid, tick, boot, namespace, started, ended, host, service, release, python, environment, counted = parts
            numbers = int(pid), int(tick), int(namespace), float(started), float(ended)
            records.append((Header(name, boot, host, service, release, python, environment, *numbers), counted == "1"))
        except (ValueError, IndexError):
            damaged += 1
    return records, damaged
