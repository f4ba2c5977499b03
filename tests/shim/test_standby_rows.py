"""Rows that stand by for more than functions, methods and classes with a constructor: each first use as where all was installed."""

from __future__ import annotations

import os
import sys

import pytest

from . import standing_by

CORE = """
import contextlib, functools

async def later(size=1):
    return size

def each(size=1):
    for n in range(size):
        yield n

async def stream(size=1):
    for n in range(size):
        yield n

async def fading(a=1):
    return a

def drip(a=1):
    while True:
        a += yield a

async def flow(a=1):
    yield a

class Thing:
    async def load(self, amount=1):
        return amount

    @classmethod
    async def made(cls, size=1):
        return cls, size

    @staticmethod
    def parts(size=1):
        yield size

    async def fade(self):
        return "faded"
"""
LEDGER = """
from compat import Argument, Deprecated, Ledger, Method, Module, Name, Removed
V = dict(since="1.0", removal="9.0", instead=None)
LEDGER = Ledger("kit", version="2.0", rows=[
    Argument("kit.core:later", "length", became="size", **V),
    Argument("kit.core:each", "length", became="size", **V),
    Argument("kit.core:stream", "length", became="size", **V),
    Argument("kit.core:Thing.load", "qty", became="amount", **V),
    Argument("kit.core:Thing.made", "length", became="size", **V),
    Argument("kit.core:Thing.parts", "length", became="size", **V),
    Deprecated("kit.core:fading", **V),
    Deprecated("kit.core:drip", **V),
    Deprecated("kit.core:flow", **V),
    Deprecated("kit.core:Thing.fade", **V),
])
"""
HEAD = """
import asyncio, inspect
import kit, kit.core as core
from kit.core import later, each, stream, fading, drip, flow, Thing
def all_of(made):
    async def read():
        return [one async for one in made]
    return asyncio.run(read())
"""
PROGRAMS = {
    "present calls": """
print(asyncio.run(later(2)), list(each(2)), all_of(stream(2)), asyncio.run(Thing().load(3)), asyncio.run(Thing.made(1)), list(Thing.parts(3)))
""",
    "a coroutine's old argument": "print(asyncio.run(later(length=3)), later is core.later, later is kit.mine.later)",
    "a generator's": "print(list(each(length=3)), each is core.each, each is kit.mine.each)",
    "an asynchronous generator's": "print(all_of(stream(length=3)))\nprint(all_of(kit.mine.stream(length=2)))",
    "those of methods": """
async def main():
    print(await Thing().load(qty=3), await Thing.made(length=2), list(Thing.parts(length=1)), await Thing.load(Thing(), qty=5))
asyncio.run(main())
for f in (Thing.load, Thing().load, Thing.made, Thing.parts): print(inspect.iscoroutinefunction(f), inspect.isgeneratorfunction(f))
""",
    "calls of coroutines": "async def main():\n    print(await fading(3))\n    print(await asyncio.gather(fading(4), Thing().fade()))\nasyncio.run(main())",
    "calls of generators": "g = drip(1)\nprint(next(g), g.send(4))\nprint(all_of(flow(5)), fading is kit.mine.fading)",
    "made before the first use, and run after it": """
waiting, begun, coming = later(2), each(3), stream(2)
print(next(begun))
each(length=1)
print(asyncio.run(waiting), list(begun), all_of(coming))
""",
    "what they are": """
for f in (later, each, stream, fading, drip, flow, Thing.load, Thing.fade, Thing.parts):
    print(inspect.iscoroutinefunction(f), inspect.isgeneratorfunction(f), inspect.isasyncgenfunction(f), inspect.isfunction(f), type(f).__name__)
    print(inspect.signature(f), f.__name__, f.__qualname__, f.__module__, f.__doc__, f.__code__.co_name, callable(f), repr(f)[:12])
""",
    "what they are after the first use": """
fading(1).close()
for f in (later, each, stream, fading, drip, flow, Thing.load, Thing.fade):
    print(inspect.iscoroutinefunction(f), inspect.isgeneratorfunction(f), inspect.isasyncgenfunction(f), inspect.signature(f), type(f).__name__)
""",
    "pickled and copied": """
import copy, pickle
for f in (later, drip): print(pickle.loads(pickle.dumps(f)) is f, copy.copy(f) is f, copy.deepcopy(f) is f)
later(length=1).close()
for f in (later, drip): print(pickle.loads(pickle.dumps(f)) is f)
""",
    "coroutines overridden": """
class Sub(Thing):
    async def load(self, qty=1):
        return "mine", qty
    async def fade(self):
        return "mine", await super().fade()
async def main(): print(await Sub().load(amount=3), await Sub().fade())
asyncio.run(main())
""",
    "wrapped by somebody": """
import functools
real = later
@functools.wraps(real)
async def wrapper(*args, **kwargs): return "wrapped", await real(*args, **kwargs)
core.later = wrapper
print(asyncio.run(core.later(2)))
print(asyncio.run(core.later(length=2)))
print(asyncio.run(core.fading()))
""",
    "patched for a while": """
import unittest.mock
with unittest.mock.patch("kit.core.fading") as put: print(type(put).__name__); each(length=1)
print(asyncio.run(core.fading(2)), core.fading is fading)
""",
    "handed to a thread": """
import threading
for target in (lambda: list(each(length=1)), drip): t = threading.Thread(target=target); t.start(); t.join()
""",
    "wrongly": "fading(1, 2)",
    "as errors": "import warnings\nwarnings.simplefilter('error')\nlater(length=3)",
    "by threads at once": """
import threading, warnings
warnings.simplefilter("ignore")
barrier = threading.Barrier(6)
def use():
    barrier.wait()
    for _ in range(20): list(each(length=1)), next(drip()), later(length=1).close(), Thing().load(qty=1).close()
threads = [threading.Thread(target=use) for _ in range(6)]
for one in threads: one.start()
for one in threads: one.join()""",
    "forked before": """
import os
read, write = os.pipe()
if not os.fork():
    os.write(write, str(list(each(length=2))).encode())
    os._exit(0)
os.wait()
print(os.read(read, 99), list(each(length=3)), len(__import__("compat").usage()))
""",
}


def site(root):
    mine = "from .core import later, each, stream, fading\n"
    return standing_by.site(root, LEDGER, core=CORE, mine=mine, __init__="from . import mine\n")


pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="each program runs in a process of its own"),
]
#: PyPy takes a second for each process: one in three will do there.
TRIED = [*PROGRAMS][::3] if sys.implementation.name == "pypy" else [*PROGRAMS]


@pytest.mark.slow
def test_a_first_use_is_the_same_whether_its_row_stood_by_or_was_installed(tmp_path):
    told = standing_by.assert_same(site(tmp_path), HEAD, {name: PROGRAMS[name] for name in TRIED})
    assert told["present calls"][1:] == [[], [], [True, False]]
