"""A small usage history with known numbers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from itertools import count
from pathlib import Path

import pytest

from compat.telemetry.history.database import open_history
from compat.telemetry.report.usage_report import MoveFacts

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
TODAY = 20778
MANAGER, AUTH, GONE = "old.core:Manager", "old.auth:AuthHandler", "old.gone"

# move, kind, file, line, function, module, service, {days ago: count}
SITES = (
    (MANAGER, "import", "chat/app.py", 3, "<module>", "chat.app", "api", {0: 2, 1: 3, 8: 10}),
    (MANAGER, "call", "chat/app.py", 20, "connect", "chat.app", "worker", {0: 1, 40: 7}),
    (MANAGER, "import", "jobs/run.py", 1, "<module>", "jobs.run", "worker", {20: 5}),
    (AUTH, "import", "chat/login.py", 9, "<module>", "chat.login", "api", {2: 4}),
    (GONE, "import", "chat/<b>&\"'.py", 1, "<module>", "chat.old", "api", {60: 6}),
)


def write_history(path: Path, sites: object = SITES, processes: int = 2, today: int = TODAY) -> None:
    """Write a history of ``(move, kind, file, line, function, module, service, {days ago: count}, environment)``.

    The environment may be left out: it is production.
    """
    with open_history(path, readonly=False) as opened:
        put = opened.connection.execute
        put("BEGIN")
        for id, (move, kind, file, line, function, module, service, days, *rest) in enumerate(sites, 1):  # type: ignore[arg-type]
            environment = rest[0] if rest else "production"
            caller = module.partition(".")[0]
            facts = (id, move, kind, file, line, function, module, service, environment)
            put(
                "INSERT INTO sites (id, move, kind, file, line, function, module, service, version, environment) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, '1.0', ?)",
                facts,
            )
            names = (move, kind, caller, service, environment)
            put("INSERT OR IGNORE INTO groups (move, kind, caller, service, environment) VALUES (?, ?, ?, ?, ?)", names)
            found = put("SELECT id FROM groups WHERE (move, kind, caller, service, environment) = (?, ?, ?, ?, ?)", names)
            group = found.fetchone()[0]
            for ago, uses in days.items():
                start = (today - ago) * 86400.0
                for table, owner in (("uses", id), ("daily", group)):
                    put(
                        f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
                        (owner, today - ago, uses, start + 60, start + 3600),
                    )
        started = (today - 10) * 86400.0
        for id in range(processes):
            put(
                "INSERT INTO processes (id, service, version, host, pid, started, ended, python, uses, environment) "
                "VALUES (?, 'api', '1.0', 'host', ?, ?, ?, '3.11', 0, 'production')",
                (f"p{id}", id, started, started + 36000),
            )
        put("COMMIT")


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Callable[..., sqlite3.Connection]]:
    """Make a history and open it for reading; without arguments the one of ``SITES``."""
    with ExitStack() as opened:
        numbers = count()

        def make(sites: object = SITES, processes: int = 2) -> sqlite3.Connection:
            path = tmp_path / f"usage{next(numbers)}.db"
            write_history(path, sites, processes)
            return opened.enter_context(open_history(path)).connection

        yield make


@pytest.fixture
def facts() -> dict[str, MoveFacts]:
    """What a ledger says of these moves and of one that nobody uses."""
    return {
        MANAGER: MoveFacts(MANAGER, "new.core:Manager", "1.0", "3.0", "Use new.core.Manager instead.", "deprecated", "name"),
        AUTH: MoveFacts(AUTH, "new.auth:Auth", "1.0", "2.0", "Use new.auth.Auth instead.", "expired", "class"),
        "old.never:X": MoveFacts("old.never:X", "new:X", "1.0", "3.0", "Use new.X instead.", "deprecated", "name"),
    }
