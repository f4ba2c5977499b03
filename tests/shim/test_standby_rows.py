"""Rows that stand by for more than functions, methods and classes with a constructor: each first use as where all was installed."""

from __future__ import annotations

import os
import sys

import pytest

from . import standing_by

CORE = """
import contextlib, enum, functools, typing

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

def sorted_by(rows, key="name", order="up"):
    return rows, key, order

def opened(path, mode, encoding=None, errors=None):
    return path, mode, encoding, errors

def placed(x, y, z=0):
    return x, y, z

def scaled(value, unit="m"):
    return value, unit

def to_unit(unit):
    return unit.lower()

def fill():
    return "filled"

def decorated(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper

@decorated
def dressed(size=1, unit="m"):
    return size, unit

class Bare:
    "Bare."

class Shop:
    __slots__ = ("_size", "slot", "__dict__")
    COLOUR = "red"

    def __init__(self, size=2):
        self._size = size
        self.slot = size + 1

    @property
    def area(self):
        "The area."
        return self._size * self._size

    @property
    def width(self):
        return self._size

    @width.setter
    def width(self, value):
        self._size = value

    @functools.cached_property
    def cached(self):
        return [self._size]

    def total(self):
        return self._size + 1

    def grown(self, by=1):
        return by

    @staticmethod
    def grow(by, way="west"):
        return by, way

    @property
    def height(self):
        return self._size + 10

class Wide(Shop):
    def grown(self, by=1, *, way="east"):
        return "wide", super().grown(by), way

class Free(Wide):
    def grown(self, by=1, **more):
        return "free", by, more

class Failed(Exception):
    pass

class Both(Failed, KeyError):
    pass

class Based(Shop):
    pass

class Mixin:
    def __init__(self, one, two=2):
        self.one = one

class Mixed(Mixin, Bare, Shop):
    pass

class Made:
    def __new__(cls, size=1):
        self = super().__new__(cls)
        self.size = size
        return self

class Pair(typing.NamedTuple):
    one: int
    two: int = 2

class Colour(enum.Enum):
    RED = 1
    GREEN = 2
    BLUE = 3

    @classmethod
    def _missing_(cls, value):
        print("asked", value)
        return cls.BLUE if value == "blue" else None

class Perm(enum.IntFlag):
    R = 4
    W = 2
    X = 1
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
    Argument("kit.core:sorted_by", "order", values={"ascending": "up", 1: "up"}, **V),
    Argument("kit.core:sorted_by", "key", values=("id",), **V),
    Argument("kit.core:opened", "mode", default="kit.core:fill", **V),
    Argument("kit.core:opened", "errors", was="strict", **V),
    Argument("kit.core:opened", together=("encoding", "errors"), **V),
    Argument("kit.core:placed", order="x z y", **V),
    Argument("kit.core:scaled", "unit", became="unit", convert="kit.core:to_unit", **V),
    Argument("kit.core:dressed", "length", became="size", **V),
    Argument("kit.core:Shop.grown", "qty", became="by", **V),
    Argument("kit.core:Shop.grow", "way", values={"left": "west"}, **V),
    Deprecated("kit.listed:old", **V),
    Deprecated("kit.core:Bare", **V),
    Deprecated("kit.core:Failed", **V),
    Deprecated("kit.core:Both", **V),
    Deprecated("kit.core:Mixed", **V),
    Deprecated("kit.core:Based", on="construct", **V),
    Deprecated("kit.core:Made", **V),
    Deprecated("kit.core:Pair", **V),
    Deprecated("kit.core:Shop.area", **V),
    Deprecated("kit.core:Shop.width", **V),
    Deprecated("kit.core:Shop.cached", **V),
    Deprecated("kit.core:Shop.slot", **V),
    Deprecated("kit.core:Shop.COLOUR", **V),
    Method("kit.core:Shop.surface", "kit.core:Shop._size", **V),
    Method("kit.core:Shop.breadth", "kit.core:Shop.width", **V),
    Method("kit.core:Shop.get_height", "kit.core:Shop.height", was="method", **V),
    Method("kit.core:Shop.height", "kit.core:Shop.height", was="method", **V),
    Method("kit.core:Shop.sum", "kit.core:Shop.total", was="property", **V),
    Deprecated("kit.core:Colour.RED", **V),
    Deprecated("kit.core:Colour.BLUE", **V),
    Deprecated("kit.core:Perm.X", **V),
    Method("kit.core:Colour.CRIMSON", "kit.core:Colour.GREEN", **V),
])
"""
HEAD = """
import asyncio, inspect
import kit, kit.core as core
from kit.core import later, each, stream, fading, drip, flow, Thing, Shop, Bare, Failed, Based, Made, Pair, Colour, Perm
def all_of(made):
    async def read():
        return [one async for one in made]
    return asyncio.run(read())
"""
PROGRAMS = {
    "present calls": """
print(asyncio.run(later(2)), list(each(2)), all_of(stream(2)), asyncio.run(Thing().load(3)), asyncio.run(Thing.made(1)), list(Thing.parts(3)))
""",
    "present forms of arguments": """
print(core.sorted_by([1]), core.sorted_by([1], "name", "down"), core.sorted_by([2], order="up"), core.sorted_by([1], order=True))
print(core.opened("a", "r", errors="x"), core.placed(1, y=2, z=3), core.scaled(3), core.dressed(3), core.dressed(size=4, unit="k"))
print(Shop.grow(1), Shop.grow(1, "east"), Shop().grow(2, way="south"))
""",
    "a value by name": "print(core.sorted_by([1], order='ascending'))\ncore.sorted_by([1], order=1)",
    "a value by position": "print(core.sorted_by([1], 'id', 'ascending'))",
    "a value of a static method": "print(Shop.grow(1, 'left'))\nShop().grow(1, way='left')",
    "an argument that is missing": "print(core.opened('a', errors='x'))",
    "a default that changed": "print(core.opened('a', 'r'))",
    "arguments together": "print(core.opened('a', 'r', 'utf-8', 'x'))",
    "arguments in their old order": "print(core.placed(1, 2, 3))\nprint(core.placed(1, 2))",
    "a value converted in its place": "print(core.scaled(3, 'KM'))\nprint(core.scaled(3, unit='KM'), core.scaled(1, 'km'))",
    "an argument of a decorated function": "print(core.dressed(length=3))\ncore.dressed(1, 2, 3)",
    "an argument of an overriding method": """
print(core.Wide().grown(qty=3), core.Free().grown(qty=4), core.Wide().grown(2))
class Sub(core.Wide):
    def grown(self, qty=1): return "old", qty
print(Sub().grown(by=5))
""",
    "an overriding method in the present form": """
class Sub(core.Wide):
    def grown(self, by=1): return "sub", super().grown(by)
print(Sub().grown(2), Sub().grown(by=3))
print(Sub().grown(qty=4))
""",
    "an overriding method in the old form": "class Sub(Shop):\n    def grown(self, qty=1): return 'old', qty\nprint(Sub().grown(by=5), Sub().grown(qty=5))",
    "present uses of classes": """
t = Shop(3)
class Grown(Shop):
    def grown(self, by=1): return -by
print(core.Wide().grown(2), core.Free().grown(3), Grown().grown(4))
print(t.total(), [one.name for one in Colour], Colour.GREEN, Colour(2), Colour["GREEN"], Colour.GREEN.value, 2 in [c.value for c in Colour])
print(Shop.__name__, issubclass(Based, Shop), isinstance(t, Bare), Perm.R | Perm.W, Perm(6), len(Colour))
class Sub(Based): pass
print(Sub(4).total(), isinstance(Colour.GREEN, Colour), list(Colour.__members__))
""",
    "a class without a constructor": "b = Bare()\nprint(type(b) is Bare, isinstance(b, Bare))\nfor _ in range(3): Bare()",
    "one wrongly made": "try: Bare(1)\nexcept TypeError as error: print(error)\nBare(size=1)",
    "an exception": """
try: raise Failed("so", 2)
except Failed as error: print(error.args, repr(error))
import pickle
print(pickle.loads(pickle.dumps(Failed(3))).args)
""",
    "one of several bases": """
try: raise core.Both("so")
except KeyError as error: print(error.args, isinstance(error, Failed), core.Mixed(1).one)
""",
    "one with a base's constructor": "print(Based(4).total(), Based(size=5).total())",
    "one that makes itself": "print(Made(4).size)\nMade(1, 2)",
    "a named tuple": "p = Pair(1)\nprint(p, p._replace(one=3), Pair(*p) == p, Pair._make((1, 2)))",
    "classes derived": """
class Sub(Bare): pass
class Deep(Sub):
    def __init__(self, n): super().__init__(); self.n = n
print(Sub(), Deep(3).n) if 0 else print(type(Sub()).__name__, Deep(3).n)
class Error(Failed):
    def __init__(self, n): super().__init__(n, n)
print(Error(3).args)
""",
    "derived after the first use": "Bare()\nclass Sub(Bare): pass\nclass Other(Made): pass\nprint(type(Sub()).__name__, Other(2).size)",
    "copied and pickled instances": """
import copy, pickle
b = Bare(); b.n = 3
print(copy.copy(b).n, pickle.loads(pickle.dumps(b)).n, pickle.loads(pickle.dumps(Made(3))).size)
""",
    "what classes show": """
for kind in (Bare, Failed, Based, Made, Pair, core.Both, core.Mixed):
    try: print(kind.__name__, inspect.signature(kind))
    except ValueError as error: print(error)
    print(kind.__init__.__name__, kind.__init__.__qualname__, kind.__init__.__doc__ == object.__init__.__doc__, inspect.isfunction(kind.__init__))
    print(hasattr(kind, "__signature__"), "__init__" in vars(kind))
Bare()
print(inspect.signature(Bare), inspect.signature(Based), inspect.signature(core.Mixed), inspect.signature(Pair))
""",
    "a property": "t = Shop()\nprint(t.area, [t.area for _ in range(3)])\nprint(type(Shop.area).__mro__[-2].__name__, Shop.area.__doc__, Shop.area.fget.__name__)",
    "a property set": "t = Shop()\nt.width = 5\nprint(t.width, t.total())",
    "a property without a setter": "t = Shop()\nt.area = 5",
    "a property by super()": """
class Sub(Shop):
    @property
    def area(self): return -super().area
print(Sub(3).area, Sub(2).width)
""",
    "a cached property": "t = Shop()\nprint(t.cached is t.cached, t.__dict__)\nt.cached = 3\nprint(t.cached)\ndel t.cached\nprint(t.cached)",
    "a slot": "t = Shop()\nprint(t.slot)\nt.slot = 8\nprint(t.slot, type(vars(Shop)['slot']).__name__ != 'str')\ndel t.slot\nprint(hasattr(t, 'slot'))",
    "a constant of a class": "print(Shop.COLOUR, Shop().COLOUR)\nt = Shop()\nt.COLOUR = 'mine'\nprint(t.COLOUR, Shop.COLOUR)",
    "an attribute that instances have": "t = Shop()\nt.COLOUR = 'mine'\ndel t.COLOUR\ntry: del t.COLOUR\nexcept AttributeError as error: print(error)\nprint(t.COLOUR)",
    "attributes set on a class": "Shop.COLOUR = 4\nShop.area = property(lambda self: 7)\nprint(Shop.COLOUR, Shop().area)\nBare()\nprint(Shop.COLOUR, Shop().area)",
    "attributes patched": """
import unittest.mock
with unittest.mock.patch.object(Shop, "COLOUR", 5): print(Shop.COLOUR); Bare(); print(Shop.COLOUR)
print(Shop.COLOUR)
with unittest.mock.patch.object(Shop, "area", 5): print(Shop().area)
print(Shop().area)
""",
    "a renamed attribute": "t = Shop(4)\nprint(t.surface)\nt.surface = 6\nprint(t._size, vars(t))\ndel t.surface\nprint(hasattr(t, '_size'))",
    "a renamed attribute set": "t = Shop(4)\nt.surface = 6\nprint(t._size, vars(t))",
    "a renamed property": "t = Shop(4)\nt.breadth = 6\nprint(t.breadth, t._size, isinstance(Shop.breadth, property))",
    "a renamed property overridden": """
class Sub(Shop):
    @property
    def breadth(self): return 99
print(Sub().width, Sub().breadth)
""",
    "a renamed property overridden below a silent class": """
class Middle(Shop):
    def __init_subclass__(cls): pass
class Sub(Middle):
    @property
    def breadth(self): return 99
print(Sub().width, Sub().breadth)
""",
    "a method that is read now": "t = Shop(4)\nprint(t.get_height())\nprint(t.height(), t.height)",
    "a method of its own name": "t = Shop(4)\nprint(t.height)\nprint(t.height())\nt.get_height()",
    "a property that is called now": "t = Shop(4)\nprint(t.sum, t.total())\nt.sum = 3",
    "members of classes listed": """
print([n for n, _ in inspect.getmembers(Shop) if n[:1] != '_'], [n for n, _ in inspect.getmembers(Colour) if n[:1] != '_'])
print([n for n in dir(Shop) if n[:1] != '_'], [n for n in dir(Colour) if n[:1] != '_'])
""",
    "a member by attribute": "print(Colour.RED, Colour.RED is Colour.RED, Colour.RED.name, Colour.BLUE.value)",
    "a member by name": "print(Colour['RED'], Colour.__members__['BLUE'])\nfor name in Colour.__members__: Colour[name]",
    "a member by value": "print(Colour(1), Colour(3), Colour(2))\nfor value in (1, 2, 3): Colour(value)",
    "a member by a value of its own": "print(Colour('blue'))\nprint(Colour('blue'))\nColour('none')",
    "a member of a flag": "print(Perm.X, Perm(1), Perm(7) == 7, Perm(5), Perm.R | 1, Perm['X'], Perm(5) & Perm.X)",
    "members held before": "held = Colour.__members__\nBare()\nprint(held['RED'], Colour['RED'], Colour(1))",
    "members copied and pickled": "import copy, pickle\nfor c in Colour: print(pickle.loads(pickle.dumps(c)) is c, copy.copy(c) is c, copy.deepcopy(c) is c)",
    "a member looked up in vain": "print(hasattr(Colour, 'PINK'))\ntry: Colour['PINK']\nexcept KeyError as error: print(error)\nColour(9)",
    "a member renamed": "print(Colour.CRIMSON, Colour.CRIMSON is Colour.GREEN)\nprint(Colour['CRIMSON'])",
    "a member renamed by name": "print('CRIMSON' in Colour.__members__, Colour['CRIMSON'])",
    "a member asked for": "print(Colour.__members__.get('CRIMSON'), Colour.__members__.get('RED'), Colour.__members__.get('GREEN'))",
    "a member set": "try: Colour.RED = 3\nexcept AttributeError as error: print(error)\nprint(Colour.RED)",
    "classes by threads at once": """
import threading, warnings
warnings.simplefilter("ignore")
barrier = threading.Barrier(6)
def use():
    barrier.wait()
    for _ in range(20): Bare(), Failed(), Shop().area, Shop().slot, Colour.RED, Colour(1), Colour["BLUE"], Shop().surface, Perm.X
threads = [threading.Thread(target=use) for _ in range(6)]
for one in threads: one.start()
for one in threads: one.join()""",
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
os.close(write)
os.wait()
print(os.read(read, 99), list(each(length=3)), len(__import__("compat").usage()))
""",
}


HEAD_EXPIRED = "import asyncio, inspect\nimport kit, kit.core as core\nfrom kit.core import Thing, Shop, Colour\n"
EXPIRED = {
    "present uses": "t = Shop(3)\nprint(t.total(), Colour.GREEN, Colour(2), isinstance(t, Shop), [c.name for c in Colour])",
    "a function": "print(hasattr(core, 'fading'), getattr(core, 'drip', 7), 'flow' in dir(core))\nfrom kit.core import fading",
    "a function held before": "print(asyncio.run(kit.mine.fading(3)))",
    "a class": "print(hasattr(core, 'Bare'))\ncore.Bare()",
    "names": "from kit.core import *\nprint(*sorted(n for n in dir() if n in ('Bare', 'fading', 'later', 'Failed', 'Shop')))",
    "names listed": "print([n for n in dir(core) if n[:1] != '_'], 'Bare' in vars(core), hasattr(core, '__all__'))",
    "a name listed by the module": "from kit.listed import *\nprint('old' in dir(), 'new' in dir(), kit.listed.__all__)",
    "a member": "print(hasattr(Shop, 'area'), hasattr(Shop(), 'COLOUR'), getattr(Shop(), 'cached', 7))\nShop().area",
    "a member that an instance has": "t = Shop()\nt.COLOUR = 4\nprint(t.COLOUR, vars(t))\ndel t.COLOUR\nt.COLOUR",
    "a method": "Thing().fade()",
    "a property set": "t = Shop()\nt.width = 3\nprint(t._size, vars(t))",
    "a member by super()": "class Sub(Shop):\n    @property\n    def area(self): return super().area\nSub().area",
    "a member of an enumeration": "print(hasattr(Colour, 'RED'))\ntry: Colour(1)\nexcept ValueError as error: print(error)\nColour['RED']",
    "a renamed attribute": "print(hasattr(Shop(), 'surface'))\nt = Shop()\nt.surface = 4\nprint(vars(t), t.surface)\nt.breadth",
    "an argument": "list(core.each(length=3))",
    "patched": "import unittest.mock\nwith unittest.mock.patch.object(Shop, 'area', 5): print(Shop().area)\nprint(hasattr(Shop(), 'area'))",
}


def site(root):
    mine = "from .core import later, each, stream, fading\n"
    listed = "__all__ = ['old', 'new']\nold, new = 1, 2\n"
    return standing_by.site(root, LEDGER, core=CORE, mine=mine, listed=listed, __init__="from . import mine, listed\n")


pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="each program runs in a process of its own"),
]
#: PyPy takes a second for each process: one in three will do there.
TRIED = [*PROGRAMS][::3] if sys.implementation.name == "pypy" else [*PROGRAMS]


@pytest.mark.slow
def test_a_first_use_is_the_same_whether_its_row_stood_by_or_was_installed(tmp_path):
    told = standing_by.assert_same(site(tmp_path), HEAD, {name: PROGRAMS[name] for name in TRIED})
    assert all(found[1:] == [[], [], [True, False]] for name, found in told.items() if name.startswith("present"))


def test_what_has_expired_is_missing_whether_its_row_stood_by_or_was_installed(tmp_path):
    expired = EXPIRED if sys.implementation.name != "pypy" else {name: EXPIRED[name] for name in [*EXPIRED][::3]}
    told = standing_by.assert_same(site(tmp_path), HEAD_EXPIRED, expired, COMPAT_AS_OF="9.0")
    assert told["present uses"][1:] == [[], [], [True, False]]
