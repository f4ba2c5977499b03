"""Processes mark that they live, so that those that are killed are evidence up to their last mark; and other systems."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from compat.telemetry import collect
from compat.telemetry.history.database import open_history
from compat.telemetry.history.fold import fold

from .conftest import ROOT

MARKING = """
import gc, sys, time
from compat.telemetry import observed, open_cell
from compat.telemetry.record import life
from compat.telemetry.record.sites import Site
use = open_cell(Site("old.a", "call", "app.py", 3, "run", "app"))
{how}
sys.stdin.readline()
life._marked[0] -= life.EVERY  # an hour goes by
print(time.time(), flush=True)
junk = [[] for _ in range(100_000)]
gc.collect()
print("marked", flush=True)
sys.stdin.readline()
"""
BOOTED = """
import gc, sys, time
from compat.boot import start
assert "compat.telemetry" not in sys.modules
sys.stdin.readline()
start.boot("by hand")
start.finder.started -= start.AWHILE
print(time.time(), flush=True)
gc.collect()
print("marked", flush=True)
sys.stdin.readline()
"""
ELSEWHERE = """
import os, sys
sys.modules["fcntl"] = None
for missing in ("fork", "register_at_fork", "posix_fallocate", "readv", "uname"):
    if hasattr(os, missing):
        delattr(os, missing)
import compat.telemetry.record.identity as identity
from compat.telemetry.record import liveness
identity.start_tick = liveness.start_tick = lambda pid: 0
identity.boot_id = liveness.boot_id = lambda: "host"
opened = open
def refuse(path, *more, **options):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(path)
    return opened(path, *more, **options)
liveness.open = identity.open = refuse
def rename(*names):
    raise PermissionError(13, "the file is open", names[0])
os.rename = os.replace = rename
"""
COUNTING = """
from compat.telemetry import open_cell
from compat.telemetry.record.sites import Site
for line in range(1, 401):  # more than one block: the file grows
    open_cell(Site("old.a", "call", "app.py", line, "run", "app"))()
print("counted", flush=True)
sys.stdin.readline()
"""
FOLDING = "from compat.telemetry.history.fold import fold; print(*fold(sys.argv[1])[:3])"


def killed_after_a_mark(process: subprocess.Popen[bytes]) -> float:
    """Let the process go on, wait until it has marked, kill it, and return when it was about to mark."""
    process.stdin.write(b"\n")
    process.stdin.flush()
    moment = float(process.stdout.readline())
    assert process.stdout.readline() == b"marked\n"
    process.kill()
    process.communicate()
    return moment


def observed_until(directory) -> tuple[float, int]:
    """Return the last sign of life of the only process in ``directory``, and its uses."""
    assert fold(str(directory)).problems == ()
    with open_history(str(directory)) as history:
        ((ended, uses),) = history.connection.execute("SELECT ended, uses FROM processes").fetchall()
    return ended, uses


@pytest.mark.parametrize(
    ("how", "uses"),
    [("observed()", 0), ("observed(start=True)", 0), ("use()", 1)],
    ids=["watched", "recorded at its start", "counting"],
)
def test_a_killed_process_was_observed_until_its_last_mark(state, how, uses):
    process = state.start(MARKING.format(how=how), COMPAT_SERVICE="api")
    moment = killed_after_a_mark(process)
    ended, counted = observed_until(state.directory)
    assert (ended >= moment - 1e-5, counted) == (True, uses)


def test_a_mark_renews_the_record_of_the_day_and_adds_none(state):
    process = state.start(MARKING.format(how="observed(start=True)"), COMPAT_SERVICE="api")
    killed_after_a_mark(process)
    (log,) = (state.directory / "observed").iterdir()
    lines = log.read_text().splitlines()
    # More than one only where midnight came between.
    assert len({line.split("\t")[1] for line in lines}) == 1
    assert len(lines) == 1


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="the collector has no callbacks")
def test_the_drop_in_records_a_process_that_uses_nothing_while_it_runs(state):
    command = [sys.executable, "-S", "-c", BOOTED]
    environ = {**os.environ, "PYTHONPATH": ROOT, "COMPAT_DIR": str(state.directory), "COMPAT_SERVICE": "api"}
    environ.pop("COMPAT_TELEMETRY", None)
    process = subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    moment = killed_after_a_mark(process)
    ended, uses = observed_until(state.directory)
    assert (ended >= moment - 1e-5, uses) == (True, 0)


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="the collector has no callbacks")
def test_the_drop_in_marks_nothing_for_who_did_not_ask(state):
    environ = {**os.environ, "PYTHONPATH": ROOT}
    for name in ("COMPAT_DIR", "COMPAT_SERVICE", "COMPAT_TELEMETRY"):
        environ.pop(name, None)
    code = "import gc; from compat.boot import start; start.boot('x'); print(start.beat in gc.callbacks)"
    done = subprocess.run([sys.executable, "-S", "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_without_fcntl_and_fork_and_renames_every_count_is_folded(state):
    process = state.start(ELSEWHERE + COUNTING)
    assert process.stdout.readline() == b"counted\n"
    assert state.run(ELSEWHERE + FOLDING, str(state.directory)) == "0 400 1\n", "while it lives"
    process.kill()
    process.communicate()
    assert state.run(ELSEWHERE + FOLDING, str(state.directory)) == "1 0 0\n", "when it is gone"
    assert state.segments() == []


def test_a_pid_alone_is_no_sign_of_life(state):
    """A process of another boot of nobody knows what has the pid: nothing tells, so its last mark is what counts."""
    from compat.telemetry.record.identity import describe_process
    from compat.telemetry.record.observed import append_record

    before = time.time() - 40 * 86400
    append_record(str(state.directory), describe_process()._replace(tick=0, started=before, ended=before + 60))
    assert observed_until(state.directory)[0] == pytest.approx(before + 60)


def test_a_segment_that_has_only_just_been_created_is_left_alone(state):
    folder = state.directory / "segments"
    folder.mkdir(parents=True)
    fresh, old = folder / "fresh.seg", folder / "old.seg"
    for path in (fresh, old):
        path.write_bytes(bytes(16384))
    os.utime(old, (1, 1))
    (problem,) = fold(str(state.directory)).problems
    assert problem.startswith(f"{old}: it does not begin like a segment; set aside in ")
    assert fresh.exists()


@pytest.mark.parametrize(("work", "recorded"), [("pass", 1), ("from compat.__main__ import main; main(['report'])", 0)])
def test_a_command_that_reads_counts_is_not_observed_as_a_service(tmp_path, work, recorded):
    code = f"import time; import compat.auto; time.sleep(0.3); {work}"
    environment = {**os.environ, "COMPAT_DIR": str(tmp_path), "COMPAT_TELEMETRY": "on", "COMPAT": "on"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60, stdout=subprocess.DEVNULL)
    with collect([str(tmp_path)]) as history:
        assert history.connection.execute("SELECT count(*) FROM processes").fetchone() == (recorded,)
