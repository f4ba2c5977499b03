"""Uses are kept, folded and reported where there is no ``fcntl``, no ``fork``, and where no open file can be renamed or removed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files are told by /proc")
SWITCHES = str(Path(__file__).parents[1] / "without")
USER = """
import os, sys, threading, warnings
warnings.simplefilter("ignore")
import compat
from compat import Ledger, Name
rows = [Name("old_os:getcwd", "os:getcwd", since="1.0", removal="2.0", instead=None)]
compat.install(Ledger("kit", version="1.5") + rows)
assert ("fcntl" in sys.modules and sys.modules["fcntl"] is None) == ("fcntl" in os.environ["COMPAT_TESTS_WITHOUT"])
assert hasattr(os, "fork") != ("fork" in os.environ["COMPAT_TESTS_WITHOUT"])
import old_os
def use():
    for _ in range(50): old_os.getcwd
threads = [threading.Thread(target=use) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("used", flush=True)
if sys.argv[1:] == ["stay"]: sys.stdin.readline()
if sys.argv[1:] == ["kill"]: os.kill(os.getpid(), 9)
"""
FOLD = """
import json, os
from compat.telemetry.history.database import open_history
from compat.telemetry.history.fold import fold
directory = os.environ["COMPAT_DIR"]
done = fold(directory)
with open_history(directory) as history:
    counted = history.connection.execute("SELECT sum(count) FROM uses").fetchone()[0]
print(json.dumps([done.living, list(done.problems), counted]))
"""


@pytest.fixture(params=["fcntl", "fcntl,fork,rename"])
def lacking(request, state):
    """Run processes that lack something into one state directory."""
    environ = state.environ

    def lacking(**more):
        found = environ(**more)
        return {**found, "PYTHONPATH": os.pathsep.join([SWITCHES, found["PYTHONPATH"]]), "COMPAT_TESTS_WITHOUT": request.param}

    state.environ = lacking
    return state


def test_what_was_counted_is_there_once_however_a_process_ends(lacking):
    alive = lacking.start(USER, "stay")
    assert alive.stdout.readline() == b"used\n"
    lacking.run(USER)
    with lacking.start(USER, "kill") as killed:
        assert killed.communicate(timeout=60)[0] == b"used\n" and killed.returncode == -9
    # What lives is folded as far as it has come, and its segment stays where it is.
    for _ in range(2):
        assert json.loads(lacking.run(FOLD)) == [1, [], 600]
        assert len(lacking.segments()) == 1 and lacking.total() == 200
    alive.communicate(b"\n", 60)
    assert json.loads(lacking.run(FOLD)) == [0, [], 600]
    assert not lacking.segments()


def test_a_report_is_written_over_another_and_all_is_forgotten(lacking, tmp_path):
    pytest.importorskip("click", reason="the command line comes with the tools extra")
    lacking.run(USER)
    command = "import sys; from compat.__main__ import main; sys.argv[1:] = {!r}; raise SystemExit(main())"
    for _ in range(2):
        lacking.run(command.format(["report", "--format", "json", "-o", str(tmp_path / "report.json")]))
    assert json.loads((tmp_path / "report.json").read_text())["rows"]
    lacking.run(command.format(["forget", str(lacking.directory)]))
    assert not [path for path in lacking.directory.rglob("*") if path.is_file()]
