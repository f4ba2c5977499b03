"""Folding: counts go from the segments into the history, exactly once.

A segment is removed only after the transaction that holds its counts and its id has been committed. Whoever is killed
in between leaves a segment whose id is in the history: the next one sees that, and only removes the file. Two that
fold at once may read the same segment, but the history lets one writer in at a time, and the second sees the id.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from time import gmtime, strftime, time
from typing import NamedTuple, Optional

from ..record.directory import SEGMENT, UNFINISHED, observed_in, segments_in
from ..record.layout import NewerSegment, SegmentError
from ..record.liveness import is_here, is_running, still_maps, take_lock
from ..record.segments import FLAGS
from .database import PATIENCE, History, HistoryError, Segment, open_history
from .records import read_records, take_records
from .segment_reader import Reader, is_beginning, last_sign
from .unread import set_aside

BATCH = 500
"""Segments in one transaction, and in memory at one time."""
STALE = 3600.0
"""Seconds after which a segment that was never finished is litter."""

Progress = Optional[Callable[[int, int], object]]


class Folded(NamedTuple):
    """What a fold did: segments of dead processes taken in, uses added, living processes, and problems by name."""

    segments: int
    uses: int
    living: int
    problems: tuple[str, ...]


def fold(directory: str, *, patience: float = PATIENCE, progress: Progress = None) -> Folded:
    """Fold every segment and every record of ``directory`` into its history.

    Of living processes, what they counted since the last time is folded, and their segments stay.

    Never raises for a bad segment: it is moved to ``damaged`` and named; one of a later version stays, and is named. Where
    the history cannot be written (full disk, locked, read-only), that is named, too, and every segment stays.
    """
    problems: list[str] = []
    paths = list_segments(directory)
    logs = list_files(observed_in(directory), ".log")
    _remove_litter(directory)
    done = Folded(0, 0, 0, ())
    if not paths and not logs:
        return done
    try:
        with open_history(directory, readonly=False, patience=patience) as history:
            reader = Reader()
            for start in range(0, len(paths), BATCH):
                read = {path: _read(directory, path, reader, problems) for path in paths[start : start + BATCH]}
                done = _commit(history, {path: segment for path, segment in read.items() if segment}, done)
                if progress is not None:
                    progress(min(start + BATCH, len(paths)), len(paths))
            _fold_records(history, directory, logs, problems)
    except (sqlite3.Error, HistoryError, OSError) as error:
        problems.append(f"the history in {directory!r} was not written, its segments stay: {error}")
    return done._replace(problems=tuple(problems))


def _commit(history: History, part: dict[str, Segment], done: Folded) -> Folded:
    """Commit the counts of ``part`` (path -> segment), then remove the files of dead processes."""
    if not part:
        return done
    history.begin()
    try:
        uses = history.take(list(part.values()))
        history.commit()
    finally:
        history.roll_back()
    dead = [path for path, segment in part.items() if segment.finished]
    for path in dead:
        try:
            os.unlink(path)
        except OSError:
            pass  # another fold was quicker, or has it open, on Windows: its counts are in the history once, and it goes later
    return Folded(done.segments + len(dead), done.uses + uses, done.living + len(part) - len(dead), ())


def _read(directory: str, path: str, reader: Reader, problems: list[str]) -> Segment | None:
    """Read the segment ``path``; set it aside if it is damaged. Return ``None`` if there is nothing to fold."""
    try:
        file = os.open(path, os.O_RDONLY | FLAGS)
    except FileNotFoundError:
        return None  # another fold was quicker
    except OSError as error:
        problems.append(f"{path}: {error}")
        return None
    damage, free = None, False
    try:
        if is_beginning(file):
            return None  # not to be locked either: its process is about to
        free = take_lock(file)
        stat = os.fstat(file)
        if not stat.st_nlink:
            return None
        process, blocks = reader.read(file, stat.st_size)
    except NewerSegment as error:
        problems.append(f"{path}: {error}")
        return None
    except SegmentError as error:
        damage = error
    except OSError as error:
        problems.append(f"{path}: {error}")
        return None
    finally:
        os.close(file)
    if damage is not None:
        # Only now: Windows moves no open file.
        where = f"set aside in {set_aside(directory, path)}" if free else "it is in use and stays"
        problems.append(f"{path}: {damage}; {where}")
        return None
    if free and not still_maps(process, path):
        return Segment(process._replace(ended=last_sign(process, blocks)), blocks, finished=True)
    if not free and is_here(process) and not is_running(process):
        return None  # it is another fold that has the lock
    # A pid alone, where nothing tells that it was not given to another process, is no sign of life.
    ended = time() if not free or process.tick else last_sign(process, blocks)
    return Segment(process._replace(ended=ended), blocks, finished=False)


def _fold_records(history: History, directory: str, logs: list[str], problems: list[str]) -> None:
    """Take in the records of processes that were observed."""
    for path in logs:
        before = len(problems)
        records = read_records(directory, path, problems)
        if records is None:
            continue
        history.begin()
        try:
            take_records(history, records)
            history.commit()
        finally:
            history.roll_back()
        # Who writes opens the log of his day anew: after two more days nobody holds it. What was not read stays.
        is_old = os.path.basename(path)[:-4] < strftime("%Y-%m-%d", gmtime(time() - 2 * 86400))
        if is_old and len(problems) == before and not any(is_running(process) for process, _ in records):
            with suppress(OSError):  # open in another process, on Windows: it goes later
                os.unlink(path)


def list_segments(directory: str) -> list[str]:
    """Return the paths of the segments of ``directory``, sorted."""
    return list_files(segments_in(directory), SEGMENT)


def list_files(folder: str, suffix: str) -> list[str]:
    """Return the paths of the files in ``folder`` whose names end in ``suffix``, sorted; none if it is not there."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.path for entry in entries if entry.name.endswith(suffix))
    except FileNotFoundError:
        return []


def _remove_litter(directory: str) -> None:
    for folder in (directory, segments_in(directory)):
        for path in list_files(folder, UNFINISHED):
            try:
                found = os.stat(path)
                # With a second name it is what that name stands for, whose time is never old while it is written.
                if found.st_nlink > 1 or time() - found.st_mtime > STALE:
                    os.unlink(path)
            except OSError:
                pass
