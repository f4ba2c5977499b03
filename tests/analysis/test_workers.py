"""Files are examined in as many processes as are asked for, and what they find is the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from compat.analysis.scanning import forking

USE = "from netra_backend.app.websocket_core.manager import WebSocketManager\n\nmanager = WebSocketManager()\n"
SHARED = """
import os, signal, sys
from compat.analysis.scanning import forking

assert forking.is_safe()
done = []
assert sorted(forking.share(str, range(9), 3, done.append)) == [str(number) for number in range(9)] and done[-1] == 9
assert len(set(forking.share(lambda number: os.getpid(), range(2), 1))) == 1
assert forking.share(str, [], 2) == []
try:
    forking.share(lambda number: 1 // number, [1, 0, 2], 2)
except ZeroDivisionError:
    print("raised")
try:
    forking.share(lambda number: os.kill(os.getpid(), signal.SIGKILL), [1], 2)
except Exception as error:
    print(type(error).__name__, error)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
assert sorted(forking.share(str, [1, 2], 2)) == ["1", "2"]
try:
    os.wait()
except ChildProcessError:
    print("nobody is left")
"""

needs_forks = pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="where threads are not listed, nothing is forked")


def _run(*arguments, cwd=None):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=cwd)


@needs_forks
def test_work_is_shared_and_what_goes_wrong_in_a_process_is_raised():
    told = _run("-c", SHARED)
    lines = [
        "raised",
        "CompatError a worker process was killed; run again, with --jobs 1 where memory is short",
        "nobody is left",
    ]
    assert (told.stdout.splitlines(), told.stderr) == (lines, "")


@needs_forks
def test_a_process_with_several_threads_is_not_forked():
    script = f"""
import threading
from {forking.__name__} import is_safe
print(is_safe())
threading.Thread(target=threading.Event().wait, daemon=True).start()
print(is_safe())
"""
    assert _run("-c", script).stdout.split() == ["True", "False"]


def test_two_processes_find_what_one_finds(tmp_path):
    for number in range(129):
        (tmp_path / f"module{number}.py").write_text(USE if number % 3 else f"from module{number + 1} import WebSocketManager\n")
    found = []
    for jobs in ("1", "2"):
        told = _run(
            "-m", "compat", "scan", "--ledger", "netra", "--no-cache", "--format", "json", "--jobs", jobs, ".", cwd=tmp_path
        )
        found.append(json.loads(told.stdout)["findings"])
    assert len(found[0]) == 129 and found[0] == found[1]
