"""The schema of the usage history.

Versions (``PRAGMA user_version``):
    1   the first; without environments.
    2   sites, groups and processes have an environment.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from typing import Any

from compat.errors import CompatError

from ..record.service import untold_environment

VERSION = 2

_SCHEMA = """
CREATE TABLE sites (          -- one row per place in the code, as one version of one service has it in one environment
    id INTEGER PRIMARY KEY,
    move TEXT NOT NULL, kind TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL,
    function TEXT NOT NULL, module TEXT NOT NULL, service TEXT NOT NULL, version TEXT NOT NULL,
    environment TEXT NOT NULL,
    UNIQUE (move, kind, file, line, function, module, service, version, environment)
);
CREATE TABLE uses (           -- day: days since 1970-01-01 UTC; first, last: seconds since then
    site INTEGER NOT NULL REFERENCES sites, day INTEGER NOT NULL,
    count INTEGER NOT NULL, first REAL NOT NULL, last REAL NOT NULL,
    PRIMARY KEY (site, day)
) WITHOUT ROWID;
CREATE TABLE groups (         -- the rollup of sites: caller is the top-level module; forgotten: uses that were vacuumed
    id INTEGER PRIMARY KEY,
    move TEXT NOT NULL, kind TEXT NOT NULL, caller TEXT NOT NULL, service TEXT NOT NULL,
    forgotten INTEGER NOT NULL DEFAULT 0, environment TEXT NOT NULL,
    UNIQUE (move, kind, caller, service, environment)
);
CREATE TABLE daily (          -- the rollup of uses
    grp INTEGER NOT NULL REFERENCES groups, day INTEGER NOT NULL,
    count INTEGER NOT NULL, first REAL NOT NULL, last REAL NOT NULL,
    PRIMARY KEY (grp, day)
) WITHOUT ROWID;
CREATE TABLE processes (      -- processes in which the drop-in was active; uses = 0 is evidence, -1 unknown
    id TEXT PRIMARY KEY,
    service TEXT NOT NULL, version TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL,
    started REAL NOT NULL, ended REAL, python TEXT NOT NULL, uses INTEGER NOT NULL,
    environment TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE folded (         -- the segments that are in here: what makes folding and merging happen once
    id TEXT PRIMARY KEY, at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE partial (        -- segments of living processes: how much of each slot is in here, as u64 little-endian
    id TEXT PRIMARY KEY, at REAL NOT NULL, counts BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE identity (       -- the same in every copy of this history
    id TEXT PRIMARY KEY
) WITHOUT ROWID;
"""


class HistoryError(CompatError):
    """A usage history cannot be opened; the message names the file and what is wrong with it."""


def check_schema(connection: sqlite3.Connection, path: str, *, create: bool) -> bool:
    """Make sure that ``connection`` is a usage history; with ``create``, make it one of this version.

    Return whether it is one of an earlier version. Raises HistoryError, sqlite3.Error.
    """
    version = first_row(connection, "PRAGMA user_version")[0]
    if version > VERSION:
        raise HistoryError(
            f"the usage history {path!r} has schema version {version}; this version of compat reads up to {VERSION}"
        )
    if version and version < VERSION and create:
        _upgrade(connection)
    elif version:
        first_row(connection, "SELECT count(*) FROM folded WHERE id = ''")
    elif create:
        first_row(connection, "PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        # Two may get here at once: the second finds the tables that the first one made.
        if first_row(connection, "PRAGMA user_version")[0] == 0:
            if first_row(connection, "SELECT count(*) FROM sqlite_master")[0]:
                raise HistoryError(f"{path!r} is an SQLite file, but no usage history")
            for statement in _SCHEMA.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute("INSERT INTO identity VALUES (?)", (os.urandom(16).hex(),))
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    else:
        raise HistoryError(f"{path!r} is an SQLite file, but no usage history")
    if create:
        # A segment is removed once its counts are committed: the commit must be on the disk by then.
        connection.execute("PRAGMA synchronous = FULL")
    return 0 < version < VERSION and not create


def upgraded_copy(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Return a copy of a history of an earlier version, as this version has it, for who may only read; close the original."""
    copy = sqlite3.connect("", isolation_level=None)
    connection.backup(copy)
    connection.close()
    _upgrade(copy)
    return copy


def _upgrade(connection: sqlite3.Connection) -> None:
    """Bring a history of version 1 up to this version, in one step; its counts are not touched."""
    connection.create_function("untold_environment", 1, untold_environment, deterministic=True)
    connection.execute("BEGIN IMMEDIATE")
    # Two may get here at once: the second finds what the first one made.
    if first_row(connection, "PRAGMA user_version")[0] < VERSION:
        tables = {statement.split()[2]: statement for statement in _SCHEMA.strip().split(";\n")}
        for table in ("sites", "groups", "processes"):
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})").fetchall()]
            columns = ", ".join(names)
            connection.execute(tables[table].replace(f"CREATE TABLE {table} ", f"CREATE TABLE new_{table} ", 1))
            connection.execute(
                f"INSERT INTO new_{table} ({columns}, environment) SELECT {columns}, untold_environment(service) FROM {table}"
            )
            connection.execute(f"DROP TABLE {table}")
            connection.execute(f"ALTER TABLE new_{table} RENAME TO {table}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def first_row(connection: sqlite3.Connection, query: str, parameters: Sequence[object] = ()) -> Any:
    """Return the first row of the answer, ``None`` if there is none.

    All of it is fetched: where nothing counts references (PyPy), a statement left half-way would hold up the commit.
    """
    rows = connection.execute(query, parameters).fetchall()
    return rows[0] if rows else None
