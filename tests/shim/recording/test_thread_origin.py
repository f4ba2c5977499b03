"""A bare legacy callable that the standard library calls is blamed on the user's line, and counted exactly."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading

import pytest

import compat
import compat.shim.installation
from compat import Argument, Class, Method, Name

DATES = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.fixture
def legacy(world, installed):
    world.write(
        "canon/real.py",
        """
        class C:
            def new(self, *args):
                return args[0] if args else 1
            async def anew(self, *args):
                return 1
        def area(width=1):
            return width
        """,
    )
    world.write("shimmed.py", "from compat import Adapter\nclass Old(Adapter, of='canon.real:C'):\n    pass\n")
    installed(
        Method("canon.real:C.old", "canon.real:C.new", **DATES),
        Method("canon.real:C.aold", "canon.real:C.anew", **DATES),
        Argument("canon.real:area", "w", became="width", **DATES),
        Class("live:Old", "canon.real:C", adapter="shimmed:Old", **DATES),
        Name("live:make", "canon.core:make", **DATES),
    )
    yield world
    sys.modules.pop("shimmed", None)


HEAD = "import canon.real as real, live, threading, asyncio\nc = real.C()\n"
# Each stands from line 3 on; ">" marks the line that is blamed.
WAYS = {
    "Thread": ">t = threading.Thread(target=c.old)\nt.start()\nt.join()",
    "Thread with keywords": ">t = threading.Thread(target=real.area, kwargs={'w': 2})\nt.start()\nt.join()",
    "Thread of a partial": "import functools\n>t = threading.Thread(target=functools.partial(c.old, 1))\nt.start()\nt.join()",
    "subclass of Thread": (
        "class T(threading.Thread):\n    def __init__(self):\n>        super().__init__(target=c.old)\nt = T()\nt.start()\nt.join()"
    ),
    "own run": "class T(threading.Thread):\n    def run(self):\n>        c.old()\nt = T()\nt.start()\nt.join()",
    "Timer": ">t = threading.Timer(0, c.old)\nt.start()\nt.join()",
    "executor.submit": (
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(1) as pool:\n    pool.submit(int).result()\n"
        ">    assert pool.submit(c.old, 5).result() == 5"
    ),
    "executor.map": (
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(1) as pool:\n>    assert list(pool.map(c.old, [5])) == [5]"
    ),
    "run_in_executor": (
        "async def f():\n    loop = asyncio.get_running_loop()\n>    return await loop.run_in_executor(None, c.old)\nasyncio.run(f())"
    ),
    "to_thread": "async def f():\n>    return await asyncio.to_thread(c.old, 1)\nasyncio.run(f())",
    "call_soon": (
        "async def f():\n    asyncio.get_running_loop().call_soon(c.old)\n    await asyncio.sleep(0)\n>asyncio.run(f())"
    ),
    "create_task": "async def f():\n>    return await asyncio.create_task(c.aold())\nasyncio.run(f())",
    "functools.partial": "import functools\np = functools.partial(c.old, 1)\n\n>p()",
    "functools.reduce": "import functools\n>functools.reduce(c.old, [1, 2])",
    "map": ">list(map(c.old, [1]))",
    "sorted": ">sorted([1], key=c.old)",
    "heapq": "import heapq\n>heapq.nlargest(1, [1], key=c.old)",
    "json": "import json\n>json.loads('{}', object_hook=c.old)",
    "contextlib": "import contextlib\nstack = contextlib.ExitStack()\nstack.callback(c.old)\n>stack.close()",
    "sched": "import sched\ns = sched.scheduler()\ns.enter(0, 1, c.old)\n>s.run()",
    "timeit": "import timeit\n>timeit.timeit(c.old, number=1)",
    "weakref.finalize": "import weakref\nclass X: pass\nx = X()\nweakref.finalize(x, c.old)\n>del x\nimport gc\n>>gc.collect()",
    "a class": ">t = threading.Thread(target=Old)\nt.start()\nt.join()",
}


@pytest.mark.parametrize("source", WAYS.values(), ids=WAYS)
def test_the_users_line_is_named_whoever_calls(legacy, source):
    head = HEAD + ("from live import Old\n" if "Old" in source else "")
    lines = (head + source).splitlines()
    if sys.implementation.name == "pypy":
        lines = [line[1:] if line.startswith(">>") else line.lstrip(">") if "del x" in line else line for line in lines]
    blamed = next(number for number, line in enumerate(lines, 1) if line.startswith(">") and not line.startswith(">>"))
    seen = legacy.ok("\n".join(line.lstrip(">") for line in lines))
    uses = [use for use in seen.uses if not use.move.startswith("live:Old") or use.kind == "construct"]
    assert [(use.line, use.count) for use in uses] == [(blamed, 1)]
    assert [line for line in seen.lines if line > len(head.splitlines())] == [blamed]


def test_a_moved_function_is_named_where_it_was_read(legacy):
    seen = legacy.ok("import live, threading\nt = threading.Thread(target=live.make)\nt.start()\nt.join()")
    assert seen.counted() == {("live:make", "attribute", 2): 1}


def test_every_thread_of_a_loop_counts_at_its_line(legacy):
    source = HEAD + (
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(4) as pool:\n    for _ in range(500):\n"
        "        pool.submit(c.old)\nfor _ in range(20):\n    t = threading.Thread(target=c.old)\n    t.start()\n    t.join()\n"
    )
    seen = legacy.ok(source, filters="default")
    assert seen.counted() == {("canon.real:C.old", "call", 6): 500, ("canon.real:C.old", "call", 8): 20}
    assert sorted(seen.lines) == [6, 8]


def test_an_error_filter_raises_in_the_thread_and_counts(legacy):
    source = HEAD + (
        "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(1) as pool:\n    f = pool.submit(c.old)\nerror = f.exception()\n"
    )
    seen = legacy.use(source, filters="error")
    assert type(seen.namespace["error"]).__name__ == "LegacyUseWarning"
    assert seen.counted() == {("canon.real:C.old", "call", 5): 1}


def test_a_thread_is_made_whatever_its_arguments_are(legacy):
    """Also of a class that answers no question about itself."""

    class Silent(type):
        def __getattr__(cls, name):
            raise RuntimeError(name)

    class Odd(metaclass=Silent):
        pass

    seen = []
    thread = threading.Thread(target=seen.append, args=(1,), name="t", kwargs=None, daemon=Odd())
    thread.start()
    thread.join()
    assert seen == [1]


def test_threads_get_their_constructors_back(world, ledger_of):
    for one in compat.shim.installation.installed():  # what other tests of this process have had served
        one.remove()
    before = threading.Thread.__init__, threading.Timer.__init__
    with compat.install(ledger_of(Name("live:make", "canon.core:make", **DATES))):
        assert threading.Thread.__init__ is not before[0]
    assert (threading.Thread.__init__, threading.Timer.__init__) == before


def test_a_timer_class_of_another_library_is_left_alone(legacy, ledger_of, monkeypatch):
    class Timer(threading.Thread):
        """What gevent puts there: no constructor of its own."""

    for one in compat.shim.installation.installed():
        one.remove()
    monkeypatch.setattr(threading, "Timer", Timer)
    with compat.install(ledger_of(Name("live:make", "canon.core:make", **DATES))):
        assert legacy.ok("from live import make").lines == [1]
    assert "__init__" not in vars(Timer)


SCRIPT = """
import sys, warnings
sys.path.insert(0, {root!r})
import compat
from compat import *
K = dict(since="1", removal="2", instead=None)
compat.install(Ledger("kit", version="1.5") + [
    Method("canon.real:C.old", "canon.real:C.new", **K), Module("old.mod", "canon.core", **K)])
from canon.real import C
c = C()
import atexit
def tell(): print(sorted((u.file.rpartition("/")[2], u.line, u.count) for u in compat.usage()))
atexit.register(tell)
"""


def run(world, source):
    file = world.write("script.py", SCRIPT.format(root=str(world.root)).lstrip() + textwrap.dedent(source))
    done = subprocess.run([sys.executable, "-W", "ignore", str(file)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_what_no_python_code_calls_is_counted_without_a_line(legacy):
    assert run(legacy, "atexit.register(c.old)\n")[-1] == "[('sys', 1, 1)]"
    read = "import functools\natexit.register(functools.partial(getattr, old.mod, 'CONST'))\n"
    where = "('sys', 1, 1)" if sys.implementation.name == "cpython" else "('functools.py', 302, 1)"  # of PyPy in Python
    assert where in run(legacy, "import old.mod\n" + read)[-1]


@pytest.mark.skipif(not hasattr(__import__("signal"), "raise_signal"), reason="no signals here")
def test_a_signal_handler_is_named_at_the_line_that_it_interrupts(legacy):
    out = run(legacy, "import signal\nsignal.signal(signal.SIGUSR1, c.old)\nsignal.raise_signal(signal.SIGUSR1)\nx = 1\n")
    assert out[-1] in ("[('script.py', 15, 1)]", "[('script.py', 16, 1)]"), out


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_threads_of_a_forked_child_are_named_too(legacy):
    out = run(
        legacy,
        "import os, threading\nif os.fork() == 0:\n    t = threading.Thread(target=c.old)\n    t.start(); t.join(); tell()\n"
        "    sys.stdout.flush(); os._exit(0)\nos.wait()\n",
    )
    assert "[('script.py', 15, 1)]" in out
