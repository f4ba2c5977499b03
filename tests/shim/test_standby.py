"""Ledgers that stand by: a first use after which nothing differs from a ledger that was installed from the start."""

from __future__ import annotations

import os
import sys

import pytest

from . import standing_by
from .standing_by import run

CANON = """
import abc, warnings
LIMIT = 3
_own = LIMIT

def make(size=1, *, unit="m"):
    return size, unit

def plain(a, b=2):
    return a, b

def going(a=1):
    "What goes."
    return a

def noisy(size=1):
    warnings.warn("of the library itself", UserWarning, stacklevel=2)
    return size

async def later(size=1):
    return size

def each(size=1):
    yield size

class Thing:
    CLASS_LIMIT = 4

    def __init__(self, size=1):
        self.size = size

    def work(self, amount=1):
        return self.size, amount

    def rest(self):
        return "rest"

    @classmethod
    def made(cls, size=1):
        return cls(size)

    @staticmethod
    def help(size=1):
        return size

    @property
    def area(self):
        return self.size * self.size

class Old:
    def __init__(self, size=1):
        self.size = size

class Bare:
    pass

class Base(abc.ABC):
    def __init_subclass__(cls, word="", **kwargs):
        super().__init_subclass__(**kwargs)
        cls.word = word

    def fetch(self):
        return "fetched"
"""
LEDGER = """
from compat import Argument, Deprecated, Ledger, Method, Module, Name, Removed
V = dict(since="1.0", removal="9.0", instead=None)
LEDGER = Ledger("kit", version="2.0", rows=[
    Module("kit.old", "kit.core", **V),
    Module("kit.past.deep", "kit.core", **V),
    Name("kit.names:MakeIt", "kit.core:make", **V),
    Name("kit.names:Thing", "kit.core:Thing", **V),
    Name("kit.gone:plain", "kit.core:plain", **V),
    Removed("kit.names:dropped", since="1.0", instead="make()"),
    Removed("kit.relics", since="1.0", instead="nothing"),
    Removed("kit.core:Thing.lost", since="1.0", instead="rest()"),
    Name("kit.core:Thing.LIMIT", "kit.core:LIMIT", **V),
    Argument("kit.core:make", "length", became="size", **V),
    Argument("kit.core:make", "depth", position=1, **V),
    Argument("kit.core:plain", "b", values={1: 2}, **V),
    Argument("kit.core:noisy", "length", became="size", **V),
    Argument("kit.core:Thing.work", "qty", became="amount", **V),
    Argument("kit.core:Thing.made", "length", became="size", **V),
    Argument("kit.core:Thing.help", "length", became="size", **V),
    Argument("kit.core:Thing", "length", became="size", **V),
    Method("kit.core:Thing.run", "kit.core:Thing.work", **V),
    Method("kit.core:Thing.sleep", "kit.core:Thing.rest", **V),
    Method("kit.core:Thing.make", "kit.core:Thing.made", **V),
    Method("kit.core:Thing.wrap", "kit.core:plain", **V),
    Method("kit.core:Base.get", "kit.core:Base.fetch", **V),
    Deprecated("kit.core:going", **V),
    Deprecated("kit.core:Old", **V),
    Deprecated("kit.core:LIMIT", **V),
    EXTRA
])
"""
#: A row that needs more.
VALUES = 'Argument("kit.core:plain", "b", values={1: 2}, **V),'
#: Rows that cannot stand by: their library has all of its ledger installed as it is loaded.
NOT_STANDING = """
    Deprecated("kit.core:noisy", **V),
"""

PROGRAMS = {
    "a renamed argument": "print(core.make(length=3), make(length=4))",
    "a dropped argument by position": "print(make(1, 2)); print(make(1, 2, unit='cm'))",
    "an argument twice": "make(1, length=3)",
    "too many arguments": "make(1, 2, 3)",
    "an unknown argument": "make(colour=3)",
    "a value": "print(core.plain(1, b=1)); print(core.plain(1, 2))",
    "a bound method's argument": "t = core.Thing(); f = t.work; print(t.work(qty=2), f(qty=3), core.Thing.work(t, qty=4))",
    "a class method's argument": "print(core.Thing.made(length=3).size, core.Thing().made(length=4).size)",
    "a static method's argument": "print(core.Thing.help(length=3))",
    "a constructor's argument": "print(core.Thing(length=3).size, core.Thing(3).size)",
    "a constructor's argument of a subclass": "class S(core.Thing): pass\nprint(S(length=3).size)",
    "what the package itself has imported": "print(kit.mine.making(length=3), kit.mine.going(4), kit.mine.making is make)",
    "in a loop": "for n in range(50): make(length=n)\nfor n in range(50): core.going(n)\nfor n in range(50): core.LIMIT",
    "canonical calls, then a legacy one": "for n in range(5): make(n), core.plain(n, 2)\nprint(make(length=1))",
    "a name imported": "from kit.names import MakeIt\nprint(MakeIt is core.make, MakeIt is make)",
    "a name read": "print(names.MakeIt is core.make)\nfor n in range(9): names.Thing",
    "a name that is not there": "names.nothing",
    "a name set": "names.MakeIt = 3\nprint(core.make, names.MakeIt)",
    "a name deleted": "del names.MakeIt\nprint(hasattr(core, 'make'))",
    "a name patched": "import unittest.mock\nwith unittest.mock.patch('kit.names.MakeIt', 5): print(core.make)\nprint(core.make is make)",
    "names taken all": "from kit.names import *\nprint(sorted(n for n in dir() if n in ('MakeIt', 'Thing', 'dropped', 'also')))",
    "names listed": "print([n for n in dir(names) if n[:2] != '__'], hasattr(names, '__all__'))",
    "a module imported": "import kit.old\nprint(kit.old.make is core.make)",
    "a module below another": "from kit.past.deep import make as m\nprint(m is core.make)",
    "a module as an attribute": "print(kit.past.deep.make is make)",
    "a module that is not there": "import kit.nothing",
    "a module by a function": "import importlib\nprint(importlib.import_module('kit.gone').plain is core.plain)",
    "a module asked for": "import importlib.util\nprint(importlib.util.find_spec('kit.old') is not None, importlib.util.find_spec('kit.relics'))",
    "a removed name": "print(hasattr(names, 'dropped'), getattr(names, 'dropped', 7))\nnames.dropped",
    "a removed name imported": "from kit.names import dropped",
    "a removed module": "import kit.relics",
    "a removed member": "print(hasattr(core.Thing, 'lost'))\ncore.Thing().lost()",
    "a moved member": "print(core.Thing.LIMIT, core.Thing().LIMIT)",
    "a renamed method": "t = core.Thing()\nprint(t.run(2), core.Thing.run(t, 3), t.run(qty=4))",
    "a renamed method without arguments": "print(core.Thing().sleep())\nclass S(core.Thing): pass\nprint(S().sleep())",
    "a renamed class method": "print(core.Thing.make(3).size, core.Thing().make(length=4).size)",
    "a method that became a function": "print(core.Thing().wrap(3)[1])",
    "a method overridden": "class S(core.Thing):\n    def sleep(self): return 'mine'\nprint(S().rest(), S().sleep())",
    "a method overridden that calls its parent's": "class S(core.Base):\n    def get(self): return 'mine ' + super().get()\nprint(S().fetch())",
    "a base's own hook": "class S(core.Base, word='x'): pass\nprint(S.word)\nclass T(S, word='y'):\n    def get(self): return 1\nprint(T.word, T().fetch())",
    "an overriding method in the old form": "class S(core.Thing):\n    def work(self, qty=1): return qty\nprint(S().work(amount=3))",
    "an overriding method in the new form": "class S(core.Thing):\n    def work(self, amount=1): return amount\nprint(S().work(qty=3))",
    "a deprecated function": "print(core.going(3), going(a=4))\ngoing(5)",
    "a deprecated function wrongly": "going(1, 2)",
    "a deprecated class": "print(core.Old(3).size, isinstance(core.Old(), core.Old))",
    "a deprecated class derived from": "class S(core.Old): pass\nprint(S(4).size)",
    "a deprecated class derived from once more": "class S(core.Old): pass\nclass T(S): pass\nprint(T(4).size)",
    "a class made by its metaclass": "class M(type):\n    def __call__(cls, *a): return super().__call__(*a)\nclass S(core.Old, metaclass=M): pass\nprint(S(4).size, core.Old(5).size)",
    "a deprecated constant": "print(core.LIMIT)\nfrom kit.core import LIMIT",
    "a deprecated constant set": "core.LIMIT = 5\nprint(core.LIMIT)",
    "a thread": "import threading\nt = threading.Thread(target=going); t.start(); t.join()",
    "a pool": "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(1) as p: print(p.submit(going, 3).result(), p.submit(make, length=3).result())",
    "a loop's thread": "import asyncio\nprint(asyncio.run(asyncio.to_thread(going, 3)))",
    "a partial": "import functools\nprint(functools.partial(make, length=3)())",
    "a call by C code": "print(list(map(going, [1, 2])))",
    "a warning of the library": "print(core.noisy(3)); print(core.noisy(length=3))",
    "pickles": "import pickle\nprint(pickle.loads(pickle.dumps((make, going, core.Thing)))[0] is make, type(pickle.loads(pickle.dumps(core.Old(3)))).__name__)",
    "signatures": "import inspect\nprint(*map(inspect.signature, (make, going, core.Thing, core.Old, core.Thing.work, core.Thing.made)))",
    "texts": "print(make.__name__, make.__module__, going.__doc__, core.Thing.__init__.__qualname__)",
    "copies": "import copy\nprint(copy.copy(make) is make, copy.deepcopy(core.Old(3)).size)",
    "members": "import inspect\nprint(len([n for n, _ in inspect.getmembers(core) if n[:1] != '_']))",
    "a function wrapped by somebody": "import functools\ncore.make = functools.wraps(make)(lambda *a, **k: make(*a, **k))\nprint(core.make(length=3))",
    "no use": "print(make(1), core.Thing(2).work(3), names.also, core.Thing().rest())",
    "warnings as errors": "import warnings\nwarnings.simplefilter('error')\nmake(length=3)",
    "a class statement as an error": "import warnings\nwarnings.simplefilter('error')\nclass S(core.Thing):\n    def sleep(self): return 1",
    "threads at once": """
import threading, warnings
warnings.simplefilter("ignore")
barrier = threading.Barrier(6)
def use():
    barrier.wait()
    for _ in range(20): make(length=1), going(), names.MakeIt, core.Thing().run(), core.Thing().work(qty=1), core.Old(), core.LIMIT
threads = [threading.Thread(target=use) for _ in range(6)]
for one in threads: one.start()
for one in threads: one.join()""",
    "a lock of the user's": "import threading\nlock = threading.Lock()\nwith lock: going()",
    "a coroutine": "import asyncio\nprint(asyncio.run(core.later(2)), list(core.each(2)))",
}

HEAD = "import kit, kit.core as core, kit.names as names\nfrom kit.core import make\nfrom kit.mine import going\n"
PACKAGE = {"__init__": "from . import mine\n", "mine": "from .core import make as making, going\n", "names": "also = 1\n"}


def site(root, extra=""):
    """The library, its ledger and the metadata that declares it."""
    return standing_by.site(root, LEDGER.replace("EXTRA", extra), core=CANON, **PACKAGE)


pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each program runs in a process of its own")


#: PyPy takes a second for each process: one in four will do there.
DEPRECATED = [*PROGRAMS][::4] + ["no use"] if sys.implementation.name == "pypy" else [*PROGRAMS]
#: Where a row that has expired does something of its own.
EXPIRED = (
    "a renamed argument",
    "a name read",
    "names listed",
    "a module asked for",
    "a removed member",
    "a renamed method",
    "a method overridden",
    "a function wrapped by somebody",
    "a deprecated function",
    "a deprecated class",
    "a deprecated constant",
    "names taken all",
    "members",
    "no use",
)


@pytest.mark.parametrize(
    "version, programs",
    [pytest.param("", DEPRECATED, marks=pytest.mark.slow, id="deprecated"), pytest.param("9.0", EXPIRED, id="expired")],
)
def test_a_first_use_is_the_same_whether_its_ledger_stood_by_or_was_installed(tmp_path, version, programs):
    root = site(tmp_path)
    standing = standing_by.assert_same(root, HEAD, {name: PROGRAMS[name] for name in programs}, COMPAT_AS_OF=version)
    assert standing["no use"][2:] == [[], [True, False]]


def test_a_ledger_with_a_row_that_cannot_stand_by_is_installed_with_its_library(tmp_path):
    programs = {"a coroutine": PROGRAMS["a coroutine"]}
    found = standing_by.told(site(tmp_path, NOT_STANDING), HEAD, programs, eager=False)["a coroutine"]
    assert found == ["2 [2]\n", [], [], [False, True]]


def test_a_process_that_uses_nothing_legacy_loads_nothing_that_a_use_needs(tmp_path):
    code = "import kit.core, kit.names\nkit.core.Thing(1).work(2)\nprint(*(n for n in sys.modules if n.startswith('compat.')))"
    root = standing_by.site(tmp_path, LEDGER.replace(VALUES, "").replace("EXTRA", ""), core=CANON, **PACKAGE)
    loaded = {name.split(".")[1] for name in run(root, code).stdout.split()}
    assert loaded == {"_forking", "ledger", "shim"}
    shim = run(tmp_path, code.replace("'compat.'", "'compat.shim.'")).stdout.split()
    assert sorted(shim) == ["compat.shim.finders", "compat.shim.standby", "compat.shim.wires"]


def test_a_function_that_stood_by_has_the_code_of_what_takes_its_place(tmp_path):
    code = """
from kit import core
from kit.core import make, going
before = make.__code__, going.__code__
for _ in range(3): make(1)
make(length=1), going()
assert make is core.make and going is core.going
print(make.__code__ in before, going.__code__ in before, make.__code__.co_varnames[:1], going.__code__.co_varnames[:1])
"""
    assert run(site(tmp_path), code, "-W", "ignore").stdout == "False False ('size',) ('a',)\n"


def test_a_function_that_is_called_often_in_its_present_form_gets_the_quick_code_too(tmp_path):
    code = "from compat.shim import wires\nwires.MANY = 5\nfrom kit.core import make\nfor _ in range(7): make(2)\nprint(make.__code__.co_varnames[0])"
    assert run(site(tmp_path), code).stdout == "size\n"


LATE = """
import kit.core, kit.names
class Late:
    def __init__(self):
        self.itself = self  # found by the collector only, when all modules are gone
    def __del__(self, sys=sys, write=sys.stdout.write, core=kit.core, names=kit.names):
        thing = core.Thing(2)
        write(f"{sys.meta_path} {core.make(length=3)} {core.make(depth=1)} {names.MakeIt()} {thing.run(4)} {core.Thing.make(3).size}")
        write(f" {thing.wrap()[1]} {thing.LIMIT} {core.going(6)} {core.Old(7).size} {core.LIMIT}")
late = Late()
"""


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="no destructor runs as the process ends")
def test_a_first_use_while_the_interpreter_goes_down_works_and_is_counted_where_somebody_asks(tmp_path):
    expected = "None (3, 'm') (1, 'm') (1, 'm') (2, 4) 3 2 3 6 7 3"
    root = site(tmp_path / "site")
    done = run(root, LATE, COMPAT_TELEMETRY="", COMPAT_DIR="", COMPAT_SERVICE="", XDG_STATE_HOME=str(tmp_path / "home"))
    assert (done.stdout, done.stderr) == (expected, "") and not (tmp_path / "home").exists()
    done = run(root, LATE, "-W", "default")
    assert done.stdout == expected and "LegacyUseWarning: Passing 'length' to kit.core.make()" in done.stderr
    done = run(root, LATE, COMPAT_TELEMETRY="on", COMPAT_DIR=str(tmp_path / "state"))
    from compat.telemetry.record.layout import decode_key, read_segment

    rows = [row for path in (tmp_path / "state").rglob("*.seg*") for row in read_segment(path.read_bytes())[1]]
    assert done.stdout == expected and len({decode_key(row.key).move for row in rows if row.uses == 1}) == 10


RACED = """
import sys, threading, time
import kit.core

def use():
    print(kit.core.make(length=1))

class Slow:
    "Somebody else's finder in front: meanwhile another thread has the first use of something legacy."

    def find_spec(self, name, path=None, target=None):
        if name == "kit.old" and not used:
            used.append(threading.Thread(target=use))
            used[0].start()
            time.sleep(PAUSE)  # it cannot import anything yet, for this holds the import system's lock

used = []
sys.meta_path.insert(0, Slow())
import kit.old
used[0].join()
print(kit.old.plain(2))
"""


def test_an_import_and_a_use_that_are_both_the_first_do_not_wait_for_each_other(tmp_path):
    done = run(site(tmp_path), RACED.replace("PAUSE", "0.05"), "-W", "ignore")
    assert done.stdout == "(1, 'm')\n(2, 2)\n"


def test_an_import_that_began_before_the_first_use_of_another_thread_is_served(tmp_path):
    code = """
import sys
import kit.core

class Using:
    "A finder of somebody else in front, which uses something legacy."

    def find_spec(self, name, path=None, target=None):
        if name == ASKED:
            kit.core.make(length=1)

ASKED = "kit.old"
sys.meta_path.insert(0, Using())
import kit.old
print(kit.old.plain(2))
"""
    root = site(tmp_path)
    for module in ("kit.old", "kit.gone", "kit.past.deep"):
        assert run(root, code.replace("kit.old", module), "-W", "ignore").stdout == "(2, 2)\n", module


HELD = """
import sys, threading, time
import kit.core

def load():
    import kit.slow

loading = threading.Thread(target=load)
loading.start()
while "kit.slow" not in sys.modules:
    time.sleep(0.001)
print(kit.core.make(length=1))
loading.join()
print(kit.core.Thing(1).late(3), WRAPPED, kit.core.Thing(1).wrap(4)[1])
"""
SLOW = """
import time
import kit.core
time.sleep(0.05)  # another thread uses something legacy meanwhile
kit.core.make(length=2)
def late(thing, n):
    return "late", n
"""


def test_a_first_use_waits_for_no_module_that_another_thread_imports_which_waits_for_it(tmp_path):
    extra = 'Method("kit.core:Thing.late", "kit.slow:late", **V), Method("kit.core:Thing.other", "kit.unloaded:late", **V),'
    root = site(tmp_path, extra)
    (root / "kit" / "slow.py").write_text(SLOW)
    (root / "kit" / "unloaded.py").write_text(SLOW)
    code = HELD.replace("WRAPPED", "kit.core.Thing(1).other(5)")
    done = run(root, code + "import compat; print(sum(u.count for u in compat.usage()))", "-W", "ignore")
    assert done.stdout == "(1, 'm')\n('late', 3) ('late', 5) 4\n6\n"


def test_a_use_within_the_import_of_a_module_that_a_row_names_is_served_once_that_is_loaded(tmp_path):
    root = site(tmp_path, 'Method("kit.core:Thing.late", "kit.slow:late", **V),')
    (root / "kit" / "slow.py").write_text(SLOW)
    done = run(root, "import kit.slow\nprint(kit.core.Thing(1).late(3), hasattr(kit.core.Thing, 'late'))", "-W", "always")
    assert done.stdout == "('late', 3) True\n" and done.stderr.count("Calling Thing.late()") == 1


def test_installing_waits_for_no_module_that_another_thread_imports_which_installs_too(tmp_path):
    root = site(tmp_path)
    (root / "kit" / "more.py").write_text("""
from compat import Ledger, Method
V = dict(since="1.0", removal="9.0", instead=None)
ONE = Ledger("one", version="2.0", rows=[Method("kit.core:Thing.late", "kit.slow:late", **V)])
OTHER = Ledger("other", version="2.0", rows=[Method("kit.core:Thing.rested", "kit.core:Thing.rest", **V)])
""")
    (root / "kit" / "slow.py").write_text(SLOW.replace("kit.core.make(length=2)", "compat.install(kit.more.OTHER)"))
    code = HELD.replace("kit.core.make(length=1)", "len(compat.install(kit.more.ONE).ledger)")
    code = code.replace("WRAPPED, kit.core.Thing(1).wrap(4)[1]", "kit.core.Thing(1).rested()")
    done = run(root, "import compat, builtins, kit.more\nbuiltins.compat = compat" + code, "-W", "ignore")
    assert done.stdout == "1\n('late', 3) rest\n"


def test_a_program_goes_on_while_the_files_of_this_package_are_replaced_under_it(tmp_path):
    code = """
import sys
from kit import core, names
from compat.shim import wires
class Replaced:
    def find_spec(self, name, path=None, target=None):
        if name == "compat.shim.installation" and is_away:
            raise ModuleNotFoundError(f"No module named {name!r}")
is_away = True
sys.meta_path.insert(0, Replaced())
thing = core.Thing(2)
print(core.make(length=3), thing.run(4), names.MakeIt(5), core.LIMIT, core.going(6), core.Thing.LIMIT)
for _ in range(wires.MANY + 3): core.make(1)
try: import kit.old
except ModuleNotFoundError as error: print(error)
is_away = False
print(core.make(length=3), thing.run(4), names.MakeIt(5))
import kit.old
"""
    done = run(site(tmp_path), code, "-W", "ignore")
    lines = ["(3, 'm') (2, 4) (5, 'm') 3 6 3", "No module named 'kit.old'", "(3, 'm') (2, 4) (5, 'm')"]
    assert (
        done.stdout.splitlines() == lines
        and done.stderr.count("ledger kit.moves:LEDGER") == 1
        and "is not served: No module" in done.stderr
    )
