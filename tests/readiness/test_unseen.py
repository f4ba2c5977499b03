"""What could not be seen is a doubt, never a zero."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

import compat
from compat.telemetry import collect
from compat.telemetry.report.usage_report import build_report

from .conftest import NOW, TODAY

ROOT = str(Path(compat.__file__).parents[1])
GONE = "1 process of worker counted uses that were removed unread: wait until 30 days have passed, or say --retired worker"
SERVICE = """
import os, shutil, signal, sys, time
from compat.telemetry import Site, observed, open_cell
observed(start=True)
use = open_cell(Site("old:X", "call", "app/main.py", 7, "run", "app.main"))
for _ in range(5):
    use()
print("used", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def watched(fleet):
    """A fleet in which one service, which never used anything legacy, was watched without a break."""
    fleet.run("api", 90, 0)
    return fleet


@pytest.fixture
def worker(fleet):
    """A process that has used something legacy, and goes on when it is told."""
    environ = {**os.environ, "PYTHONPATH": ROOT, "COMPAT_DIR": fleet.directory, "COMPAT_SERVICE": "worker"}
    environ.update(COMPAT_TELEMETRY="on", COMPAT_ENVIRONMENT="production")
    command = [sys.executable, "-c", SERVICE]
    process = subprocess.Popen(
        command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "used\n"
    yield process
    process.kill()
    process.communicate()


def verdict_of_now(fleet, **asked):
    """The verdict of this moment, where real processes ran; a fleet that was watched up to now is told beforehand."""
    now = datetime.now(timezone.utc)
    (answer,) = fleet.judge(now=now, **asked)
    # That the worker is a service of today is a doubt of its own.
    return answer.verdict.value, [reason for reason in answer.reasons if not reason.startswith("worker: not observed before")]


@pytest.fixture
def watched_now(fleet):
    """The same as ``watched``, up to this very day."""
    ago = TODAY - int(datetime.now(timezone.utc).timestamp() // 86400)
    fleet.run("api", ago + 90, ago)
    return fleet


def segments(fleet):
    return sorted(Path(fleet.directory, "segments").glob("*.seg"))


def test_a_segment_that_cannot_be_read_is_a_doubt_for_everyone_until_it_is_cleared(watched):
    watched.run("worker", 3, 1, {2: 7})
    (path,) = segments(watched)
    path.write_bytes(path.read_bytes()[:5000])
    for _ in range(3):
        assert watched.verdict() == ("unproven", ["1 source could not be read: see why, and remove what is settled"])
    aside = Path(watched.directory, "damaged", path.name)
    with collect([watched.directory]) as history:
        assert history.unread == [
            f"{aside}: it could not be read, and what it counted is unknown; when that is settled: compat vacuum --damaged"
        ]
    aside.unlink()
    assert watched.verdict()[0] == "may go"


def test_a_segment_of_a_later_version_is_a_doubt(watched):
    watched.run("worker", 3, 1, {2: 7})
    (path,) = segments(watched)
    path.write_bytes(path.read_bytes()[:8] + b"\7\0" + path.read_bytes()[10:])
    assert watched.verdict() == ("unproven", ["1 source could not be read: see why, and remove what is settled"])
    assert path.exists()


def test_lines_of_a_later_version_among_the_records_are_a_doubt_and_stay(watched):
    log = next(Path(watched.directory, "observed").iterdir())
    log = log.rename(log.with_name("2026-10-01.log"))
    log.write_bytes(log.read_bytes() + b"9\tsomething new\n")
    for _ in range(2):
        assert watched.verdict() == ("unproven", ["1 source could not be read: see why, and remove what is settled"])


def test_a_history_that_cannot_be_read_is_a_doubt(watched):
    watched.verdict()
    Path(watched.directory, "usage.db").write_bytes(b"SQLite format 3\0" + bytes(5000))
    verdict, reasons = watched.verdict()
    assert verdict == "unproven"
    assert reasons[-1].endswith("could not be read: see why, and remove what is settled")


def test_a_copy_that_is_passed_over_is_no_doubt(watched, tmp_path):
    watched.verdict()
    shutil.copy(Path(watched.directory, "usage.db"), tmp_path / "copy.db")
    with collect([watched.directory, str(tmp_path / "copy.db")]) as history:
        assert len(history.problems) == 1
        assert history.unread == []


def test_a_living_process_whose_segment_was_removed_is_no_evidence_of_zero(watched_now, worker):
    (path,) = segments(watched_now)
    path.unlink()
    assert verdict_of_now(watched_now) == ("unproven", [GONE])
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert verdict_of_now(watched_now) == ("unproven", [GONE])
    assert verdict_of_now(watched_now, retired=["worker"])[0] == "may go"


def test_a_process_whose_directory_was_removed_says_so_at_its_end(watched_now, worker, tmp_path):
    kept = shutil.copytree(watched_now.directory, tmp_path / "kept", ignore=shutil.ignore_patterns("*.seg"))
    for log in (kept / "observed").iterdir():
        log.write_text("".join(line for line in log.read_text().splitlines(True) if "\tworker\t" not in line))
    shutil.rmtree(watched_now.directory)
    worker.communicate("\n")
    shutil.copytree(kept, watched_now.directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.log"))
    for log in (kept / "observed").iterdir():
        with open(Path(watched_now.directory, "observed", log.name), "a") as stream:
            stream.write(log.read_text())
    assert verdict_of_now(watched_now) == ("unproven", [GONE])


def test_a_process_that_had_nowhere_to_count_is_no_evidence_of_zero(watched_now):
    Path(watched_now.directory, "segments").write_text("no directory")
    environ = {**os.environ, "PYTHONPATH": ROOT, "COMPAT_DIR": watched_now.directory, "COMPAT_SERVICE": "worker"}
    environ.update(COMPAT_TELEMETRY="on", COMPAT_ENVIRONMENT="production")
    ended = subprocess.run([sys.executable, "-c", SERVICE], env=environ, input="\n", text=True, capture_output=True)
    assert ended.returncode == 0, ended.stderr
    Path(watched_now.directory, "segments").unlink()
    assert verdict_of_now(watched_now) == ("unproven", [GONE])


def test_a_process_that_counts_in_its_segment_is_no_doubt(watched_now, worker):
    assert verdict_of_now(watched_now)[1][0].startswith("5 uses in worker, last on ")
    worker.communicate("\n")
    for _ in range(2):
        with collect([watched_now.directory]) as history:
            found = history.connection.execute("SELECT uses FROM processes WHERE service = 'worker'").fetchall()
            assert (found, history.problems) == ([(5,)], [])


@pytest.mark.parametrize("ahead", [1, 400])
def test_uses_dated_in_the_future_are_uses(watched, ahead):
    watched.run("worker", 0, -ahead, {-ahead: 7})
    verdict, reasons = watched.verdict()
    assert verdict == "in use"
    assert reasons[0].startswith("7 uses in worker, last on 202")
    with collect([watched.directory]) as history:
        for by in ("move", "caller", "file", "service", "day"):
            report = build_report(history.connection, by=by, now=NOW)
            assert [(line.today, line.total) for line in report.lines] == [(7, 7)], by
        (note,) = report.problems
        assert note.startswith("uses are dated after today, until 202") and note.endswith("they count as of today")


def test_a_process_of_the_future_was_not_observed_in_it(fleet):
    fleet.run("api", 3, -400)
    assert fleet.verdict()[1] == ["observed for only 4 of 30 days: wait 26 more days, or say --days"]
