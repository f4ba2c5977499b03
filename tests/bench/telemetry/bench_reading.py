"""Reading ten million site-days: the first row of a report, the verdicts, the page. ``python tests/bench/telemetry/bench_reading.py``.

An argument of another number of site-days makes a smaller history; the bars are those of ten million.
"""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MOVES, CALLERS, SERVICES, PERIOD = 1300, 200, 12, 365
TODAY = int(time.time() // 86400)
FIRST_ROW, READY, READY_MEMORY, PAGE = 1.0, 3.0, 200.0, 2.0
MISSED = 3
REPORT = """
import sys, time
start = time.process_time()
from compat.telemetry.history.database import open_history
from compat.telemetry.report.usage_report import build_report
from compat.telemetry.report.render import write_table
class First:
    def write(self, text):
        print(time.process_time() - start, flush=True)
        raise SystemExit
    def isatty(self): return False
    def flush(self): pass
with open_history(sys.argv[1]) as history:
    write_table(build_report(history.connection), First(), top=100)
"""
VERDICTS = """
import resource, sys, time
start = time.process_time()
from datetime import datetime, timezone
from compat.readiness import Policy, judge
from compat.telemetry.history.database import open_history
from compat.telemetry.history.evidence import read_evidence
from compat.telemetry.history.queries import Selection
from compat.telemetry.report.usage_report import MoveFacts
facts = {f"old.pkg{n % 40}:Name{n}": MoveFacts("", "new", "1.0", "3.0", "", "expired", "name") for n in range(int(sys.argv[2]))}
today = int(time.time() // 86400)
with open_history(sys.argv[1]) as history:
    known = read_evidence(history.connection, Selection(today - 29, today))
    answers = judge(facts, known, {}, datetime.now(timezone.utc), Policy())
users = sum(len(answer.users) for answer in answers)
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, users)
"""
PAGES = """
import io, sys, time
start = time.process_time()
from compat.telemetry.history.database import open_history
from compat.telemetry.page.html import write_page
from compat.telemetry.report.usage_report import build_report
page = io.StringIO()
with open_history(sys.argv[1]) as history:
    write_page(build_report(history.connection, since="90d", lines=False), history.connection, page)
print(time.process_time() - start, len(page.getvalue().encode()) / 1e6)
"""


def make_history(path: str, site_days: int) -> None:
    """Write a history of so many site-days: each site is used on every day of its span."""
    from compat.telemetry.history.database import open_history

    with open_history(path, readonly=False) as history:
        run = history.connection
        run.execute("PRAGMA synchronous = OFF")
        sites = max(1, site_days // PERIOD)
        history.begin()
        run.executemany(
            "INSERT INTO sites (id, move, kind, file, line, function, module, service, version, environment) "
            "VALUES (?, ?, 'call', ?, ?, 'run', ?, ?, '1.0', 'production')",
            (
                (n, f"old.pkg{n % MOVES % 40}:Name{n % MOVES}", f"app{n % CALLERS}/part{n % 997}.py", n % 4000, f"app{n % CALLERS}.x",
                 f"service{n % SERVICES}")
                for n in range(1, sites + 1)
            ),
        )  # fmt: skip
        run.execute(
            "INSERT INTO groups (move, kind, caller, service, environment) SELECT DISTINCT move, kind, "
            "substr(module, 1, instr(module, '.') - 1), service, environment FROM sites"
        )
        days = "WITH RECURSIVE days(day) AS (SELECT ? UNION ALL SELECT day + 1 FROM days WHERE day < ?) "
        span = (TODAY - PERIOD + 1, TODAY)
        run.execute(
            f"INSERT INTO uses {days} SELECT id, day, 1 + id % 5, day * 86400.0 + 60, day * 86400.0 + 3600 "
            "FROM sites CROSS JOIN days ORDER BY 1, 2",
            span,
        )
        run.execute(
            f"INSERT INTO daily {days} SELECT id, day, 3, day * 86400.0 + 60, day * 86400.0 + 3600 "
            "FROM groups CROSS JOIN days ORDER BY 1, 2",
            span,
        )
        run.executemany(
            "INSERT INTO processes (id, service, version, host, pid, started, ended, python, uses, environment) "
            "VALUES (?, ?, '1.0', 'h', 1, ?, ?, '3', 1, 'production')",
            (
                (f"{service}-{ago}", f"service{service}", (TODAY - ago) * 86400.0, (TODAY - ago + 1) * 86400.0 - 1)
                for service in range(SERVICES)
                for ago in range(PERIOD)
            ),
        )
        history.commit()


def ask(code: str, *arguments: str) -> list[float]:
    """Run ``code`` in a fresh interpreter, twice, and return the numbers of the quickest run."""
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    runs = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code, *arguments], env=environ, capture_output=True, text=True, check=True)
        runs.append([float(word) for word in done.stdout.split()])
    return min(runs)


def main() -> int:
    site_days = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "usage.db")
        make_history(path, site_days)
        with sqlite3.connect(path) as connection:
            uses, daily = (connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("uses", "daily"))
        connection.close()
        print(f"{uses:,} site-days, {daily:,} group-days, {os.path.getsize(path) / 1e6:,.0f} MB, Python {sys.version.split()[0]}")
        (first,) = ask(REPORT, path)
        seconds, memory, users = ask(VERDICTS, path, str(MOVES))
        page, size = ask(PAGES, path)
    rows = (
        (f"report: first row of {MOVES:,} moves", first, FIRST_ROW, "s"),
        (f"ready: {users:,.0f} verdicts per service", seconds, READY, "s"),
        ("ready: memory", memory, READY_MEMORY, "MB"),
        (f"page of {MOVES:,} moves ({size:.1f} MB)", page, PAGE, "s"),
    )
    for name, value, bar, unit in rows:
        print(f"  {name:44s}{value:10.2f} {unit:3s} (bar: {bar:g} {unit}): {'holds' if value <= bar else 'MISSED'}")
    return 0 if all(value <= bar for _, value, bar, _ in rows) else MISSED


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
