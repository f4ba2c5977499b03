"""A small usage history with known numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from compat.telemetry.report import MoveFacts

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
TODAY = 20778
MANAGER, AUTH, GONE = "old.core:Manager", "old.auth:AuthHandler", "old.gone"

SCHEMA = """
CREATE TABLE sites(id INTEGER PRIMARY KEY, move TEXT, kind TEXT, file TEXT, line INTEGER, function TEXT, module TEXT,
    service TEXT, version TEXT, host TEXT);
CREATE TABLE uses(site INTEGER, day INTEGER, count INTEGER, first REAL, last REAL, PRIMARY KEY(site, day)) WITHOUT ROWID;
CREATE TABLE processes(id TEXT PRIMARY KEY, service TEXT, version TEXT, host TEXT, pid INTEGER, started REAL, ended REAL,
    python TEXT, uses INTEGER);
"""

# move, kind, file, line, function, module, service, {days ago: count}
SITES = (
    (MANAGER, "import", "chat/app.py", 3, "<module>", "chat.app", "api", {0: 2, 1: 3, 8: 10}),
    (MANAGER, "call", "chat/app.py", 20, "connect", "chat.app", "worker", {0: 1, 40: 7}),
    (MANAGER, "import", "jobs/run.py", 1, "<module>", "jobs.run", "worker", {20: 5}),
    (AUTH, "import", "chat/login.py", 9, "<module>", "chat.login", "api", {2: 4}),
    (GONE, "import", "chat/<b>&\"'.py", 1, "<module>", "chat.old", "api", {60: 6}),
)


def write_history(path: Path, sites: object = SITES, processes: int = 2) -> None:
    """Write a history of ``(move, kind, file, line, function, module, service, {days ago: count})``."""
    connection = sqlite3.connect(str(path))
    connection.executescript(SCHEMA)
    for id, (*site, days) in enumerate(sites, 1):  # type: ignore[arg-type]
        connection.execute("INSERT INTO sites VALUES (?, ?, ?, ?, ?, ?, ?, ?, '1.0', 'host')", (id, *site))
        for ago, count in days.items():
            start = (TODAY - ago) * 86400.0
            connection.execute("INSERT INTO uses VALUES (?, ?, ?, ?, ?)", (id, TODAY - ago, count, start + 60, start + 3600))
    for id in range(processes):
        start = (TODAY - 10) * 86400.0
        row = (f"p{id}", "api", "1.0", "host", id, start, start + 36000, "3.11", 0)
        connection.execute("INSERT INTO processes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    connection.commit()
    connection.close()


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Callable[..., sqlite3.Connection]]:
    """Make a history and open it for reading; without arguments the one of ``SITES``."""
    opened = []

    def make(sites: object = SITES, processes: int = 2) -> sqlite3.Connection:
        path = tmp_path / f"usage{len(opened)}.db"
        write_history(path, sites, processes)
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        opened.append(connection)
        return connection

    yield make
    for connection in opened:
        connection.close()


@pytest.fixture
def facts() -> dict[str, MoveFacts]:
    """What a ledger says of these moves and of one that nobody uses."""
    return {
        MANAGER: MoveFacts(MANAGER, "new.core:Manager", "1.0", "3.0", "Use new.core.Manager instead.", "deprecated", "name"),
        AUTH: MoveFacts(AUTH, "new.auth:Auth", "1.0", "2.0", "Use new.auth.Auth instead.", "expired", "class"),
        "old.never:X": MoveFacts("old.never:X", "new:X", "1.0", "3.0", "Use new.X instead.", "deprecated", "name"),
    }
