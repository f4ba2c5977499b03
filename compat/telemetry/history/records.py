"""Records of observed processes, on their way into the history: who used nothing, and who counted what has gone."""

from __future__ import annotations

import os
from time import time

from ..record.directory import SEGMENT, segments_in
from ..record.layout import Header
from ..record.life import EVERY
from ..record.liveness import is_running
from ..record.observed import read_log
from .database import LOST, History
from .schema import first_row
from .tally import Tally

Records = list[tuple[Header, bool]]
"""Processes with the latest sign of life, and whether they counted uses in a segment."""


def read_records(directory: str, path: str, problems: list[str]) -> Records | None:
    """Return the records in the log ``path`` of ``directory``, ``None`` where it has gone. Raises OSError.

    Those of processes whose segment is there are left out: it tells more.
    """
    read = read_log(path, problems)
    if read is None:
        return None
    folder, now = segments_in(directory), time()
    return [
        (seen(process, now), counted)
        for process, counted in read
        if not counted or not os.path.exists(os.path.join(folder, process.id + SEGMENT))
    ]


def take_records(history: History, records: Records) -> None:
    """Add ``records`` to ``history``, within the transaction of the caller: one in it twice is there once, by its id.

    Of a process that counted and whose segment was never taken, the uses are unknown.
    """
    found = history.taken(process.id for process, counted in records if counted)
    kept = ((process, LOST if counted else 0) for process, counted in records if not counted or process.id not in found)
    history.add(Tally(), kept)


def are_beyond(history: History, records: Records) -> bool:
    """Tell whether ``records`` have anything to say that ``history`` does not know."""
    found = history.taken(process.id for process, counted in records if counted)
    for process, counted in records:
        known = first_row(history.connection, "SELECT uses, coalesce(ended, started) FROM processes WHERE id = ?", (process.id,))
        if known is None or (counted and known[0] == 0 and process.id not in found) or process.ended > known[1] + EVERY:
            return True
    return False


def seen(record: Header, now: float) -> Header:
    """Return ``record`` with the latest sign of life: now, if it surely runs; else its end or last mark; else its start."""
    if record.tick and is_running(record):
        return record._replace(ended=now)
    return record if record.ended else record._replace(ended=record.started)
