"""Counts are exact per move, kind, file and line; from threads, in forks, in other interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import warnings

import pytest

import compat
from compat import Method, Module, Name

DATES = {"since": "1.0", "removal": "2.0", "instead": None}
THREADS, USES = 8, 100_000


def test_eight_threads_of_one_hundred_thousand_uses_are_counted_exactly(world, installed):
    world.write("canon/real.py", "class C:\n    def new(self):\n        return 1\n")
    installed(Method("canon.real:C.old", "canon.real:C.new", **DATES))
    source = f"""
    import sys, threading
    from canon.real import C
    def work():
        c = C()
        for _ in range({USES}):
            c.old()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range({THREADS})]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    """
    seen = world.ok(source, filters="ignore")
    assert seen.counted() == {("canon.real:C.old", "call", 7): THREADS * USES}


def test_threads_that_read_names_and_modules_are_counted_exactly(world, installed):
    installed(Name("live:CONST", "canon.core:CONST", **DATES), Module("old.mod", "canon.core", **DATES))
    source = """
    import threading, live, old.mod
    def work():
        for _ in range(2000):
            live.CONST
            old.mod.CONST
            import old.mod as again
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    """
    seen = world.ok(source, filters="ignore")
    assert seen.counted() == {
        ("old.mod", "import", 2): 1,
        ("live:CONST", "attribute", 5): 16_000,
        ("old.mod", "attribute", 6): 16_000,
        ("old.mod", "import", 7): 16_000,
    }


def test_filters_that_change_meanwhile_lose_no_count(world, installed):
    installed(Name("live:CONST", "canon.core:CONST", **DATES))
    stop = threading.Event()

    def disturb():
        while not stop.is_set():
            warnings.simplefilter("ignore")
            warnings.simplefilter("default")

    disturber = threading.Thread(target=disturb)
    with warnings.catch_warnings(record=True):
        disturber.start()
        try:
            seen = world.ok("import live\nfor _ in range(20000):\n    live.CONST", filters="ignore")
        finally:
            stop.set()
            disturber.join()
    assert seen.counted() == {("live:CONST", "attribute", 3): 20_000}


def run(world, code, *options, **environment):
    """Run code in a process of its own with the world on its path."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *options, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(world.root), "COMPAT_TELEMETRY": "memory", **environment},
    )
    assert done.returncode == 0, done.stderr
    return done


INSTALL = """
import compat, sys
from compat import *
K = dict(since="1.0", removal="2.0", instead=None)
compat.install(Ledger("kit", version="1.5") + [Module("old.mod", "canon.core", **K), Name("live:CONST", "canon.core:CONST", **K)])
def total(): return sum(use.count for use in compat.usage())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_counts_for_itself(world):
    code = INSTALL + (
        "import os, live\nfor _ in range(5): live.CONST\nr, w = os.pipe()\n"
        "if os.fork() == 0:\n    for _ in range(7): live.CONST\n    os.write(w, str(total()).encode()); os._exit(0)\n"
        "os.wait(); print(total(), os.read(r, 10).decode())\n"
    )
    assert run(world, code).stdout == "5 7\n"


MAKE = {
    "concurrent.interpreters": "from concurrent import interpreters\nmade = [interpreters.create() for _ in range(4)]\nrun_in = lambda i, s: i.exec(s)\nend = lambda i: i.close()",
    "_interpreters": "import _interpreters as I\nmade = [I.create('legacy') for _ in range(4)]\nrun_in = lambda i, s: I.run_string(i, s)\nend = I.destroy",
    "_xxsubinterpreters": "import _xxsubinterpreters as I\nmade = [I.create(isolated=False) for _ in range(4)]\nrun_in = lambda i, s: I.run_string(i, s)\nend = I.destroy",
}


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="subinterpreters are CPython's")
def test_many_interpreters_at_once_count_each_for_itself_exactly(world):
    name = (
        "concurrent.interpreters"
        if sys.version_info >= (3, 14)
        else "_interpreters"
        if sys.version_info >= (3, 13)
        else "_xxsubinterpreters"
    )
    inside = INSTALL + "import live\nfor _ in range(1000): live.CONST\nimport old.mod\nassert total() == 1001, total()\n"
    # Before 3.14 the interpreter itself hangs or crashes when several run in threads, when isolated ones import datetime, or
    # when the process ends: there they share a GIL, live at the same time and run in turn, and the process just leaves.
    parallel = (
        "threads = [threading.Thread(target=work, args=(i,)) for i in made]\n"
        "for t in threads: t.start()\nfor t in threads: t.join()\n"
    )
    in_turn = "for i in made: work(i)\n"
    newer = sys.version_info >= (3, 14)
    code = (
        f"import os, threading\n{MAKE[name]}\ninside = {inside!r}\n"
        "import warnings; warnings.simplefilter('ignore')\n"
        "failed = []\n"
        "def work(i):\n    try:\n        run_in(i, inside)\n    except BaseException as error:\n        failed.append(repr(error))\n"
        + (parallel if newer else in_turn)
        + "for i in made: end(i)\nprint(failed, flush=True)\n"
        + ("" if newer else "os._exit(0)\n")
    )
    assert run(world, code).stdout == "[]\n"


def test_the_summary_at_exit_lists_every_place(world):
    done = run(world, INSTALL + "import live\nfor _ in range(3): live.CONST\nimport old.mod\n", COMPAT_SUMMARY="1")
    assert done.stderr.splitlines()[0] == "compat: 4 legacy uses at 2 places"
    assert run(world, INSTALL + "import old.mod\n", COMPAT_SUMMARY="1").stderr.startswith("compat: 1 legacy use at 1 place\n")
    assert done.stderr.splitlines()[1].split() == ["3", "attribute", "live:CONST", "<string>:8"]


def test_usage_is_plain_data_most_used_first(world, installed):
    installed(Name("live:CONST", "canon.core:CONST", **DATES))
    seen = world.ok("import live\nlive.CONST\nfor _ in range(3):\n    live.CONST")
    (most, least) = seen.uses
    assert (most.move, most.kind, most.line, most.function, most.count) == ("live:CONST", "attribute", 4, "<module>", 3)
    assert (least.line, least.count) == (2, 1) and most.file.endswith(f"{most.module}.py") and "count=3" in repr(most)
    assert most == compat.usage()[[use.file for use in compat.usage()].index(most.file)]
