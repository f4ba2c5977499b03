"""Merges any mix of state directories and histories into one history; each segment counts once."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from time import time

from ..history.database import (
    ADD_DAILY,
    ADD_PROCESS,
    ADD_USE,
    GROUP,
    SITE,
    History,
    HistoryError,
    Segment,
    memory_history,
    open_history,
)
from ..history.fold import Progress, fold, list_files, list_segments
from ..history.records import Records, are_beyond, read_records, take_records
from ..history.schema import first_row
from ..history.segment_reader import Reader, is_beginning, last_sign
from ..history.unread import Note, damaged_files
from ..record.directory import history_in, observed_in
from ..record.layout import SegmentError
from ..record.liveness import is_running

PREFIX = "prometheus:"
"""What a source begins with that is the address of a Prometheus server."""


def collect(sources: Iterable[str | os.PathLike[str]], *, progress: Progress = None) -> History:
    """Return one history of all ``sources``: state directories, usage.db files, and ``prometheus:URL``.

    The segments of living processes are in it. What several sources have in common (a directory given twice, its copy,
    its history beside it) is counted once: a segment by its id, a history by its identity. Bad files are named in
    ``problems`` and passed over. A single directory is folded, if it can be written, and its history opened as it is;
    of several sources nothing is changed.
    """
    names = [os.fspath(source) for source in sources]
    servers = [name for name in names if name.startswith(PREFIX)]
    paths = list(dict.fromkeys(os.path.realpath(name) for name in names if not name.startswith(PREFIX)))
    problems = [f"{path}: there is no such file or directory" for path in paths if not os.path.exists(path)]
    directories = [path for path in paths if os.path.isdir(path)]
    problems += [problem for path in directories for problem in damaged_files(path)]
    if len(paths) == 1 and not servers and directories and os.access(paths[0], os.W_OK):
        problems += fold(paths[0], progress=progress).problems
    databases = [history_in(path) if path in directories else path for path in paths]
    # First the segments, then the histories: what is folded meanwhile is met twice, and known by its id, never missed.
    segments, records = _read_directories(directories, problems, progress)
    opened = _open_all(dict.fromkeys(path for path in databases if os.path.exists(path)), problems)
    stores = [first_row(history.connection, "SELECT id FROM identity")[0] for history in opened]
    for server in servers:
        from .fleet import read_prometheus  # urllib and what it brings are for those who read a fleet

        try:
            opened.append(read_prometheus(server, without=stores))
        except HistoryError as error:
            problems.append(str(error))
    if len(opened) == 1 and not _beyond(opened[0], segments, records):
        opened[0].problems = list(dict.fromkeys(problems))
        return opened[0]
    merged = memory_history()
    merged.problems = list(dict.fromkeys(problems))
    merged.begin()
    for history in opened:
        _copy(history, merged)
        history.close()
    merged.take(segments)
    take_records(merged, records)
    merged.commit()
    return merged


def _read_directories(directories: list[str], problems: list[str], progress: Progress) -> tuple[list[Segment], Records]:
    paths = [path for directory in directories for path in list_segments(directory)]
    reader = Reader()
    found: dict[str, Segment] = {}
    for number, path in enumerate(paths, 1):
        try:
            with open(path, "rb", buffering=0) as stream:
                if is_beginning(stream.fileno()):
                    continue
                process, blocks = reader.read(stream.fileno(), os.fstat(stream.fileno()).st_size)
        except FileNotFoundError:
            continue  # folded meanwhile: the history has it
        except (OSError, SegmentError) as error:
            problems.append(f"{path}: {error}")
            continue
        ended = time() if is_running(process) and process.tick else last_sign(process, blocks)
        segment = Segment(process._replace(ended=ended), blocks, finished=False)
        known = found.get(process.id)
        # A copy of a directory has the same segment at another moment: it only ever grows.
        if known is None or known.uses <= segment.uses:
            found[process.id] = segment
        if progress is not None and not number % 100:
            progress(number, len(paths))
    records: Records = []
    for directory in directories:
        for path in list_files(observed_in(directory), ".log"):
            records += read_records(directory, path, problems) or []
    return list(found.values()), records


def _beyond(history: History, segments: list[Segment], records: Records) -> bool:
    """Tell whether there is anything in ``segments`` or ``records`` that ``history`` does not have."""
    known = history.known(segment.process.id for segment in segments)
    if any(history.beyond(segment) for segment in segments if segment.process.id not in known):
        return True
    return are_beyond(history, records)


def _open_all(paths: Iterable[str], problems: list[str]) -> list[History]:
    """Open the histories at ``paths``; of copies of one history, the one with the most segments in it."""
    best: dict[str, tuple[int, History]] = {}
    for path in paths:
        try:
            history = open_history(path)
            # One snapshot per history, from here to the end.
            history.connection.execute("BEGIN")
            name = first_row(history.connection, "SELECT id FROM identity")[0]
            size = first_row(history.connection, "SELECT (SELECT count(*) FROM folded) + (SELECT count(*) FROM processes)")[0]
        except (HistoryError, sqlite3.Error) as error:
            problems.append(str(error))
            continue
        if name in best:
            _, other = best[name]
            smaller, larger = (history, other) if size <= best[name][0] else (other, history)
            problems.append(Note(f"{smaller.path} is a copy of the history {larger.path}, which has more: it is passed over"))
            smaller.close()
            if smaller is history:
                continue
        best[name] = size, history
    return [history for _, history in best.values()]


def _copy(history: History, merged: History) -> None:
    """Add everything in ``history`` to ``merged``."""
    read, write = history.connection, merged.connection
    folded = [name for (name,) in read.execute("SELECT id FROM folded UNION SELECT id FROM partial")]
    twice = merged.known(folded)
    if twice:
        said = f"{history.path} has {len(twice)} segments that another history has, too: their uses are counted twice"
        merged.problems.append(Note(said))
    for table, columns, counts, add in (("sites", SITE, "uses", ADD_USE), ("groups", GROUP, "daily", ADD_DAILY)):
        marks = ",".join("?" * len(columns.split(", ")))
        owners = read.execute(f"SELECT id, {columns} FROM {table}").fetchall()
        write.executemany(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})", (row[1:] for row in owners))
        where = " AND ".join(f"{column} = ?" for column in columns.split(", "))
        new = {row[0]: first_row(write, f"SELECT id FROM {table} WHERE {where}", row[1:])[0] for row in owners}
        rows = read.execute(f"SELECT * FROM {counts}")
        write.executemany(add, ((new[row[0]], *row[1:]) for row in rows))
    write.executemany(ADD_PROCESS, read.execute("SELECT * FROM processes"))
    write.executemany("INSERT OR IGNORE INTO folded VALUES (?, ?)", read.execute("SELECT * FROM folded"))
    write.executemany("INSERT OR IGNORE INTO partial VALUES (?, ?, ?)", read.execute("SELECT * FROM partial"))
