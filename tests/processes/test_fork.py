"""Forked, spawned, replaced and daemonized processes each count for themselves, exactly."""

from __future__ import annotations

import multiprocessing
import os
import sys

import pytest

from compat.telemetry.history.database import open_history
from compat.telemetry.history.fold import fold
from compat.telemetry.record.cells import calls_are_atomic

HEAD = """
import os, sys, threading, time
from compat.telemetry.record.counters import open_cell, usage
from compat.telemetry.record.sites import Site

def site(line=1):
    return Site(f"old.name{line}", "call", "app.py", line, "run", "app")

def use(times, line=1):
    cell = open_cell(site(line))
    for _ in range(times):
        cell()
"""

RUN = "import os, sys; os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
"""Runs the script that the arguments name: spawned children need a main module that lies in a file."""


def test_a_forked_child_counts_for_itself(state):
    printed = state.run(
        HEAD
        + """
use(5); use(2, line=2)
cell = open_cell(site())
child = os.fork()
if child == 0:
    cell(); cell(); use(1, line=3)
    print(usage(), flush=True)
    os._exit(0)
os.waitpid(child, 0)
cell()
print(usage(), child)
"""
    )
    child, parent = printed.splitlines()
    mine = "Site(move='old.name{0}', kind='call', file='app.py', line={0}, function='run', module='app'), {1})"
    assert child == f"[({mine.format(1, 2)}, ({mine.format(3, 1)}]"
    assert parent.startswith(f"[({mine.format(1, 6)}, ({mine.format(2, 2)}] ")
    pid = int(parent.split()[-1])
    held = state.found()
    assert held.pop(pid) == {"old.name1": 2, "old.name3": 1}
    assert list(held.values()) == [{"old.name1": 6, "old.name2": 2}]


def test_a_child_of_which_the_interpreter_is_not_told_counts_for_itself(state):
    """As uWSGI forks its workers."""
    printed = state.run(
        "import sys; sys.modules['uwsgi'] = sys"
        + HEAD
        + """
import ctypes
from compat.telemetry.record import counters
use(5); use(2, line=2)
counters.open_cell(site())()
pids = []
for number in range(3):
    pid = getattr(ctypes, "PyDLL", ctypes.CDLL)(None).fork()
    if pid == 0:
        if number:  # the first uses nothing
            use(number, line=1); use(number, line=3)
            counters.on_new_site(lambda site: None)
        counters._finish()
        os._exit(0)
    os.waitpid(pid, 0)
    pids.append(pid)
use(1)
print(usage()[0][1], *pids)
"""
    )
    total, *pids = map(int, printed.split())
    held = state.found()
    assert total == 7
    assert [held.pop(pid, {}) for pid in pids] == [{}, {"old.name1": 1, "old.name3": 1}, {"old.name1": 2, "old.name3": 2}]
    assert list(held.values()) == [{"old.name1": 7, "old.name2": 2}]


@pytest.mark.skipif(
    sys.implementation.name != "cpython" or sys.version_info >= (3, 13),
    reason="CPython allows it up to 3.12",
)
def test_a_child_of_which_the_interpreter_is_told_afterwards_only_counts_for_itself(state):
    """As ``uwsgi --py-call-osafterfork`` does."""
    printed = state.run(
        HEAD
        + """
import ctypes
use(5)
pid = ctypes.PyDLL(None).fork()
if pid == 0:
    sys.unraisablehook = lambda error: print(error.exc_value, flush=True)
    ctypes.pythonapi.PyOS_AfterFork_Child()
    use(3)
    os._exit(0)
os.waitpid(pid, 0)
print(pid)
"""
    )
    held = state.found()
    assert held.pop(int(printed)) == {"old.name1": 3}
    assert list(held.values()) == [{"old.name1": 5}]


@pytest.mark.parametrize("exact", [pytest.param("True", id="GIL"), pytest.param("False", id="lock")])
def test_forks_while_other_threads_count_neither_deadlock_nor_lose(state, exact):
    if exact == "True" and not calls_are_atomic():
        pytest.skip("this interpreter has no GIL to lean on")
    printed = state.run(
        HEAD
        + f"import compat.telemetry.record.cells as cells; cells.calls_are_atomic = lambda: {exact}"
        + """
import warnings; warnings.simplefilter("ignore")
stop = False
tally = [0] * 4
def count(thread):
    while not stop:
        use(1, line=1000 * thread + tally[thread] // 10 % 1000)  # new sites all the time: the lock is in use
        tally[thread] += 1
threads = [threading.Thread(target=count, args=(n,)) for n in range(4)]
for thread in threads: thread.start()
children = []
for _ in range(40):
    time.sleep(0.002)
    child = os.fork()
    if child == 0:
        for line in range(30): use(3, line)
        os._exit(0)
    children.append(child)
for child in children:
    deadline = time.monotonic() + 20
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        if time.monotonic() > deadline:
            print("deadlock", child); os.kill(child, 9); break
        time.sleep(0.001)
stop = True
for thread in threads: thread.join()
print(sum(tally), len(children))
"""
    )
    assert "deadlock" not in printed
    counted, children = map(int, printed.split())
    assert (children, state.total()) == (40, counted + 40 * 90)


def test_counting_imports_nothing_outside_of_the_gate(state):
    # A thread that imports while another one forks leaves the child a module lock that nobody will release.
    printed = state.run(
        HEAD
        + """
imported = []
cell = open_cell(site())
sys.addaudithook(lambda event, about: imported.append(about[0]) if event == "import" else None)
cell()
for line in range(300): use(2, line)
child = os.fork()
if child == 0:
    use(3)
    print(imported, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(imported)
"""
    )
    assert set(printed.splitlines()) == {"[]"}


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_multiprocessing_children_are_counted(state, tmp_path, method):
    script = tmp_path / "workers.py"
    script.write_text(
        HEAD
        + """
import multiprocessing
def work(number):
    use(number)
    return number
if __name__ == "__main__":
    use(7)
    with multiprocessing.get_context(sys.argv[1]).Pool(3) as pool:
        print(sum(pool.map(work, range(1, 40), chunksize=1)))
"""
    )
    printed = state.run(RUN, str(script), method)
    assert int(printed) == 780
    assert state.total() == 787


def test_prefork_workers_killed_in_the_middle_lose_nothing(state):
    printed = state.run(
        HEAD
        + """
import signal
use(10)  # the master loads the application, and with it something legacy
workers = []
for _ in range(4):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        def serve():
            while True:
                use(1); os.write(writer, b".")
        for _ in range(2): threading.Thread(target=serve, daemon=True).start()
        while True: time.sleep(1)
    os.close(writer)
    workers.append((pid, reader))
told = 0
for pid, reader in workers:
    told += len(os.read(reader, 1 << 16))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    while True:
        data = os.read(reader, 1 << 16)
        if not data: break
        told += len(data)
use(1)
print(told)
"""
    )
    told = int(printed)
    assert 0 <= state.total() - told - 11 <= 8
    assert len(state.segments()) == 5


def test_exec_keeps_the_counts_of_the_program_before_and_after(state):
    second = HEAD + "use(4)\nprint(os.getpid())\nsys.stdin.read()"
    child = state.start(
        HEAD + f"use(3)\nprint(os.getpid(), flush=True)\nos.execv(sys.executable, [sys.executable, '-u', '-c', {second!r}])"
    )
    assert child.stdout.readline() == child.stdout.readline()
    assert state.found() == {child.pid: {"old.name1": 7}}
    # The pid lives and started when it did, but the first program is gone: its segment is dead, the second's is not.
    folded = fold(str(state.directory))
    assert (folded.segments, folded.uses, folded.living, folded.problems) == (1, 7, 1, ())
    child.communicate()
    assert fold(str(state.directory))[:3] == (1, 0, 0)


def test_a_relative_state_directory_stays_where_it_was(state, tmp_path):
    state.run(
        f"import os\nos.chdir({str(tmp_path)!r})\n" + HEAD + "use(1)\nos.chdir('/')\n"
        "if os.fork() == 0:\n    use(2)\n    os._exit(0)\nos.wait()",
        COMPAT_DIR="state",
    )
    assert state.total() == 3


def test_exit_without_cleanup_keeps_the_counts(state):
    state.run(HEAD + "use(9)\nos._exit(0)")
    assert state.total() == 9


def test_a_daemon_that_closes_every_descriptor_goes_on_counting(state):
    child = state.start(
        HEAD + "use(3)\nos.closerange(3, 256)\nprint('closed', flush=True)\nsys.stdin.readline()\nuse(4)\nuse(1, line=2)\n"
        "print('counted', flush=True)\nsys.stdin.read()"
    )
    assert child.stdout.readline() == b"closed\n"
    assert fold(str(state.directory)) == (0, 3, 1, ())
    child.stdin.write(b"\n")
    child.stdin.flush()
    assert child.stdout.readline() == b"counted\n"
    assert fold(str(state.directory)) == (0, 5, 1, ())
    child.communicate()
    assert fold(str(state.directory)) == (1, 0, 0, ())
    with open_history(state.directory) as history:
        assert history.connection.execute("SELECT sum(count) FROM uses").fetchone() == (8,)


def test_a_forked_child_that_outlives_its_parent_does_not_keep_its_segment(state):
    child = state.start(
        HEAD + "use(3)\nif os.fork() == 0:\n    print('child', flush=True); sys.stdin.read(); os._exit(0)\nos._exit(0)"
    )
    assert child.stdout.readline() == b"child\n"
    assert child.wait() == 0
    assert fold(str(state.directory)) == (1, 3, 0, ())
    child.stdin.close()
    child.stdout.close()


@pytest.mark.parametrize("end", ["", "os._exit(0)", "os.kill(os.getpid(), 9)"])
def test_a_process_that_used_nothing_is_recorded(state, end):
    child = state.start(
        f"import os\nfrom compat.telemetry.record.counters import observed\nobserved(start=True)\n{end}", COMPAT_SERVICE="api"
    )
    child.communicate()
    assert fold(str(state.directory)) == (0, 0, 0, ())
    with open_history(state.directory) as history:
        rows = history.connection.execute("SELECT service, pid, uses, ended >= started FROM processes").fetchall()
    assert rows == [("api", child.pid, 0, 1)]


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_observed_multiprocessing_children_are_recorded(state, tmp_path, method):
    script = tmp_path / "idle.py"
    script.write_text(
        "import multiprocessing, sys, time\nfrom compat.telemetry.record.counters import observed\nobserved()\n"
        "def idle():\n    time.sleep(0.3)\n"
        "if __name__ == '__main__':\n"
        "    children = [multiprocessing.get_context(sys.argv[1]).Process(target=idle) for _ in range(3)]\n"
        "    for child in children: child.start()\n    for child in children: child.join()\n"
    )
    state.run(RUN, str(script), method)
    fold(str(state.directory))
    with open_history(state.directory) as history:
        count = history.connection.execute("SELECT count(*) FROM processes WHERE uses = 0 AND ended > started").fetchone()[0]
    assert count >= 4
    assert os.listdir(state.directory / "observed")
