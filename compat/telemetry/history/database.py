"""The usage history: an SQLite file of counts per site and day, into which dead segments are folded."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from time import time
from types import TracebackType
from urllib.parse import quote

from ..record.directory import UNFINISHED, history_in
from ..record.layout import Header, Row, decode_key
from .schema import HistoryError, check_schema, first_row, upgraded_copy
from .segment_reader import Segment, pack_counts, unpack_counts
from .tally import Columns, Tally
from .unread import Note

__all__ = ["PATIENCE", "History", "HistoryError", "Segment", "memory_history", "open_history"]

PATIENCE = 30.0
"""Seconds to wait for another writer of the same history."""
DAY = 86400.0
MEMORY = ":memory:"
"""The path of a history that is no file."""
MAX_IDS = 20_000
"""Ids of sites and groups that are remembered from one batch to the next."""

SITE = "move, kind, file, line, function, module, service, version, environment"
GROUP = "move, kind, caller, service, environment"
ADD_USE = """
INSERT INTO uses VALUES (?, ?, ?, ?, ?) ON CONFLICT (site, day) DO UPDATE SET
    count = count + excluded.count, first = min(first, excluded.first), last = max(last, excluded.last)
"""
ADD_DAILY = ADD_USE.replace("uses", "daily").replace("(site, day)", "(grp, day)")
ADD_PROCESS = """
INSERT INTO processes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
    ended = nullif(max(coalesce(ended, 0.0), coalesce(excluded.ended, 0.0)), 0.0),
    uses = CASE WHEN max(uses, excluded.uses) > 0 THEN max(uses, excluded.uses) ELSE min(uses, excluded.uses) END
"""
LOST = -1
"""The uses of a process that counted, and whose counts have gone before they were taken in."""


class History:
    """An open usage history.

    ``connection`` is for whoever asks the questions; ``problems`` names every file that could not be taken in.
    """

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        self.connection = connection
        self.path = path
        self._ids: dict[tuple[object, ...], int] = {}
        self.problems: list[str] = []

    def __enter__(self) -> History:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def unread(self) -> list[str]:
        """The problems that leave something unread, so that a zero proves nothing."""
        return [problem for problem in self.problems if not isinstance(problem, Note)]

    def close(self) -> None:
        """Close the file; what was not committed is not in it."""
        self.connection.close()

    def known(self, ids: Iterable[str]) -> set[str]:
        """Return those of ``ids`` whose segments are in here already."""
        wanted = list(ids)
        found: set[str] = set()
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            found.update(name for (name,) in self.connection.execute(f"SELECT id FROM folded WHERE id IN ({marks})", part))
        return found

    def taken(self, ids: Iterable[str]) -> set[str]:
        """Return those of ``ids`` of whose segments anything is in here."""
        wanted = set(ids)
        living = {name for (name,) in self.connection.execute("SELECT id FROM partial")} if wanted else set()
        return self.known(wanted) | (wanted & living)

    def begin(self) -> None:
        """Begin to write, and keep other writers out until ``commit`` or ``roll_back``."""
        self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make everything since ``begin`` last, in one step."""
        self.connection.execute("COMMIT")

    def roll_back(self) -> None:
        """Undo everything since ``begin``."""
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")
            self._ids.clear()

    def take(self, segments: Sequence[Segment]) -> int:
        """Add what ``segments`` hold and this history does not yet, within the transaction of the caller.

        A finished segment is taken once and for all; of a living one, what it counted since it was taken last.
        Returns how many uses were added.
        """
        known = self.known(segment.process.id for segment in segments)
        partial = {name for (name,) in self.connection.execute("SELECT id FROM partial")}
        tally, columns, processes, finished, added = Tally(), Columns(), {}, [], 0
        now = time()
        for segment in segments:
            name = segment.process.id
            owner = segment.process.service, segment.process.version, segment.process.environment
            if name in known or name in processes:
                continue
            if segment.finished:
                finished.append((name, now))
                if name not in partial:
                    uses = sum([columns.add(owner, block) for block in segment.blocks])
                    processes[name] = segment.process, uses
                    added += uses
                    continue
            processes[name] = segment.process, segment.uses
            fresh, before = self._since(name, segment.rows)
            added += tally.add(owner, fresh)
            if segment.finished:
                self.connection.execute("DELETE FROM partial WHERE id = ?", (name,))
            else:
                for row in fresh:
                    before[row.slot] = before.get(row.slot, 0) + row.uses
                self.connection.execute("REPLACE INTO partial VALUES (?, ?, ?)", (name, now, pack_counts(before)))
        columns.into(tally)
        self.connection.executemany("INSERT INTO folded VALUES (?, ?)", finished)
        self.add(tally, processes.values())
        return added

    def beyond(self, segment: Segment) -> bool:
        """Tell whether ``segment``, which is not folded, counts anything that is not in here."""
        return bool(self._since(segment.process.id, segment.rows)[0])

    def _since(self, name: str, rows: list[Row]) -> tuple[list[Row], dict[int, int]]:
        """Return what ``rows`` count beyond what is in here of the segment ``name``, and what that is."""
        found = first_row(self.connection, "SELECT counts FROM partial WHERE id = ?", (name,))
        if found is None:
            return rows, {}
        before = unpack_counts(found[0])
        # Fewer than before: the segment was read before someone else read it again and committed first.
        beyond = [row._replace(uses=row.uses - before.get(row.slot, 0)) for row in rows]
        return [row for row in beyond if row.uses > 0], before

    def add(self, tally: Tally, processes: Iterable[tuple[Header, int]]) -> None:
        """Add counts, and processes with their number of uses, within the transaction of the caller."""
        many = self.connection.executemany
        many(
            ADD_PROCESS,
            ((p.id, *p[3:5], p.host, p.pid, p.started, p.ended or None, p.python, uses, p.environment) for p, uses in processes),
        )
        days: dict[tuple[int, int], list[float]] = {}
        for (service, version, environment), counts in tally.items():
            sites: dict[bytes, tuple[int, int]] = {}
            rows = []
            for (key, day), (count, first, last) in counts.items():
                pair = sites.get(key)
                if pair is None:
                    facts = (*decode_key(key), service, version, environment)
                    site = self._id_of("sites", SITE, facts)
                    caller = facts[5].partition(".")[0]
                    group = self._id_of("groups", GROUP, (*facts[:2], caller, service, environment))
                    pair = sites[key] = site, group
                rows.append((pair[0], day, count, first, last))
                total = days.setdefault((pair[1], day), [0, first, last])
                total[0] += count
                total[1] = min(total[1], first)
                total[2] = max(total[2], last)
            many(ADD_USE, rows)
        many(ADD_DAILY, ((group, day, *total) for (group, day), total in days.items()))

    def _id_of(self, table: str, columns: str, facts: tuple[object, ...]) -> int:
        """Return the id of the row with these facts, which is made if it is not there."""
        key = (table, *facts)
        found = self._ids.get(key)
        if found is None:
            names = columns.split(", ")
            where = " AND ".join(f"{name} = ?" for name in names)
            row = first_row(self.connection, f"SELECT id FROM {table} WHERE {where}", facts)
            if row is None:
                marks = ",".join("?" * len(names))
                insert = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
                row = (self.connection.execute(insert, facts).lastrowid,)
            if len(self._ids) > MAX_IDS:
                self._ids.clear()
            found = self._ids[key] = int(row[0])
        return found

    def vacuum(self, days: int, now: float | None = None) -> int:
        """Forget uses and processes older than ``days`` days, give the space back, and return how many rows went.

        Ids of folded segments go with the same age: a copy of such an old segment would be counted again.
        """
        moment = time() if now is None else now
        oldest = int(moment // DAY) - days
        self.begin()
        self._ids.clear()
        try:
            # What is exported is a counter, which must not fall.
            self.connection.execute(
                "UPDATE groups SET forgotten = forgotten + (SELECT total(count) FROM daily WHERE grp = id AND day < ?)",
                (oldest,),
            )
            before = self.connection.total_changes
            for table in ("uses", "daily"):
                self.connection.execute(f"DELETE FROM {table} WHERE day < ?", (oldest,))
            self.connection.execute("DELETE FROM sites WHERE id NOT IN (SELECT site FROM uses)")
            self.connection.execute("DELETE FROM processes WHERE coalesce(ended, started) < ?", (oldest * DAY,))
            for table in ("folded", "partial"):
                self.connection.execute(f"DELETE FROM {table} WHERE at < ?", (oldest * DAY,))
            gone = self.connection.total_changes - before
            self.commit()
        finally:
            self.roll_back()
        if gone:
            self.connection.execute("VACUUM")
        return gone


def open_history(place: str | os.PathLike[str], readonly: bool = True, *, patience: float = PATIENCE) -> History:
    """Open the usage history ``place``: a file, or a state directory that holds one.

    A history to write is created where there is none; one to read must exist. Raises HistoryError if the file is no
    history, is damaged, or was made by a later version of compat.
    """
    path = os.fspath(place)
    if os.path.isdir(path):
        path = history_in(path)
    if readonly and not os.path.exists(path):
        raise HistoryError(f"there is no usage history {path!r}: run 'compat report' where the counting processes ran")
    if not readonly and not os.path.exists(path):
        _create(path)
    uri = f"file:{quote(os.fsencode(os.path.abspath(path)))}?mode={'ro' if readonly else 'rwc'}"
    if readonly and not os.access(os.path.dirname(os.path.abspath(path)), os.W_OK) and not os.path.exists(path + "-wal"):
        # WAL needs a file for its readers' marks, which cannot be made here; but nobody can write here either.
        uri += "&immutable=1"
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=patience, isolation_level=None)
    except sqlite3.Error as error:
        raise HistoryError(f"the usage history {path!r} cannot be opened: {error}") from error
    try:
        if check_schema(connection, path, create=not readonly):
            connection = upgraded_copy(connection)
    except sqlite3.Error as error:
        connection.close()
        raise HistoryError(f"the usage history {path!r} cannot be read: {error}") from error
    except HistoryError:
        connection.close()
        raise
    return History(connection, path)


def _create(path: str) -> None:
    """Create an empty history at ``path``, whole or not at all: who opens it meanwhile must not meet half of one."""
    if os.path.islink(path):
        raise HistoryError(f"the usage history {path!r} is a link to a file that does not exist: remove it")
    unfinished = f"{path}.{os.urandom(6).hex()}{UNFINISHED}"
    try:
        # As private as the segments; SQLite gives its files beside it the same mode.
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        connection = sqlite3.connect(unfinished, isolation_level=None)
        try:
            check_schema(connection, unfinished, create=True)
        finally:
            connection.close()
        try:
            os.link(unfinished, path)
        except FileExistsError:
            pass  # somebody else's is as good
        except OSError:
            if not os.path.exists(path):  # a file system without links
                os.rename(unfinished, path)
    except (sqlite3.Error, OSError) as error:
        raise HistoryError(f"the usage history {path!r} cannot be created: {error}") from error
    finally:
        for leftover in (unfinished, unfinished + "-wal", unfinished + "-shm"):
            with suppress(OSError):  # gone, or on Windows open under its other name: it is cleared away as litter
                os.unlink(leftover)


def memory_history() -> History:
    """Return an empty history that lives in memory (spilling to a temporary file), to merge into."""
    connection = sqlite3.connect("", isolation_level=None)
    check_schema(connection, MEMORY, create=True)
    return History(connection, MEMORY)
