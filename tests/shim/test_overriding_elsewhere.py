"""Old names that users define where no class statement of theirs derives from the class: mixins, abstract classes, remade classes."""

from __future__ import annotations

import importlib
import sys

import pytest

import compat
from compat import Method

V = {"since": "1.0", "removal": "2.0", "instead": None}
ZOO = """
import abc
import asyncio


class Base:
    __slots__ = ()

    def new(self):
        return "base"

    def run(self):
        return self.new()

    @property
    def now(self):
        return "base"

    def look(self):
        return self.now

    @classmethod
    def make(cls):
        return "base"

    async def wait(self):
        return "base"

    def rest(self):
        return asyncio.run(self.wait())


class Abstract(abc.ABC):
    @abc.abstractmethod
    def new(self): ...

    def run(self):
        return self.new()
"""
NAMES = {"Base.old": "new", "Base.then": "now", "Base.build": "make", "Base.sleep": "wait", "Abstract.old": "new"}
ROWS = [Method(f"zoo:{old}", f"zoo:{old.partition('.')[0]}.{new}", **V) for old, new in NAMES.items()]
SLOTS = "(slots=True)" if sys.version_info >= (3, 10) else ""
# Of each: the classes, what they are asked, and the line on which the definition is counted if it was there before the row.
CASES = {
    "a mixin": ("class M:\n    def old(self): return 'own'\nclass S(M, zoo.Base): pass", "S().run()", 3),
    "its property": ("class M:\n    @property\n    def then(self): return 'own'\nclass S(M, zoo.Base): pass", "S().look()", 3),
    "its class method": (
        "class M:\n    @classmethod\n    def build(cls): return 'own'\nclass S(M, zoo.Base): pass",
        "S.make()",
        3,
    ),
    "its coroutine": ("class M:\n    async def sleep(self): return 'own'\nclass S(M, zoo.Base): pass", "S().rest()", 3),
    "of an abstract class": ("class S(zoo.Abstract):\n    def old(self): return 'own'", "S().run()", 3),
    "a mixin of one": ("class M:\n    def old(self): return 'own'\nclass S(M, zoo.Abstract): pass", "S().run()", 3),
    "a class that is made twice": (
        f"import dataclasses\n@dataclasses.dataclass{SLOTS}\nclass S(zoo.Base):\n    x: int = 1\n    def old(self): return 'own'",
        "S().run()",
        6,
    ),
    "a partial method": (
        "import functools\nclass S(zoo.Base):\n    def own(self, word): return word\n    old = functools.partialmethod(own, 'own')",
        "S().run()",
        4,
    ),
    "a cached property": (
        "import functools\nclass S(zoo.Base):\n    @functools.cached_property\n    def then(self): return 'own'",
        "S().look()",
        4,
    ),
}


@pytest.fixture
def zoo(world):
    world.write("zoo.py", ZOO)
    yield world
    for name in ("zoo", "early"):
        sys.modules.pop(name, None)


def overriding():
    return [use.count for use in compat.usage() if use.kind == "override" and use.file.endswith(("early.py", "late.py"))]


@pytest.mark.parametrize("classes, asked, line", CASES.values(), ids=CASES)
def test_canonical_callers_reach_it_and_it_is_counted_once(zoo, installed, classes, asked, line):
    before = len(overriding())
    installed(*ROWS)
    seen = zoo.ok(f"import zoo\n{classes}\nr = {asked}\n", name="late", elsewhere=True)
    assert seen.namespace["r"] == "own" and overriding()[before:] == [1]


@pytest.mark.parametrize("classes, asked, line", CASES.values(), ids=CASES)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_so_do_classes_that_were_there_before(zoo, installed, classes, asked, line):
    zoo.write("early.py", f"import zoo\n{classes}\ndef asked(): return {asked}\n")
    early = importlib.import_module("early")
    installation = installed(*ROWS)
    assert early.asked() == "own"
    counted = {(use.line, use.count) for use in compat.usage() if use.kind == "override" and use.file == early.__file__}
    assert len(counted) == 1 and counted <= {(line, 1), (line - 1, 1)}  # Python 3.9 begins a function at its decorator
    installation.remove()
    if "Abstract" in classes:
        with pytest.raises(TypeError, match="abstract"):
            early.asked()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_two_definitions_that_were_there_before_are_two_places(zoo, installed):
    zoo.write("early.py", "import zoo\nclass S(zoo.Base):\n    def old(self): ...\nclass T(zoo.Base):\n    def old(self): ...\n")
    early = importlib.import_module("early")
    installed(*ROWS)
    assert {(use.line, use.count) for use in compat.usage() if use.file == early.__file__} == {(3, 1), (5, 1)}


def test_a_mixin_that_comes_after_the_class_overrides_nothing(zoo, installed):
    installed(*ROWS)
    seen = zoo.ok("import zoo\nclass M:\n    def old(self): return 'own'\nclass S(zoo.Base, M): pass\nr = S().run()\n")
    assert seen.namespace["r"] == "base" and not seen.counted()
