"""What the audit takes for the public surface, and where it compares what moved: each kind by the breaks that it gives, and no other."""

from __future__ import annotations

import itertools
from textwrap import dedent

import pytest

pytest.importorskip("griffe")

from compat.analysis.audit import breaks, drafting, surface

KINDS = {
    "a re-export of a module that is gone": (
        {
            "__init__.py": "from .old import *\nfrom .old import Two\n",
            "old.py": "__all__ = ['One']\nclass One: pass\nclass Two: pass\n",
        },
        {"__init__.py": ""},
        {"shop.old is gone", "shop:One is gone", "shop:Two is gone"},
    ),
    "what a package imports from elsewhere is none of its names": (
        {"__init__.py": "", "a.py": "def f(): pass\n", "b/__init__.py": "from ..a import f\nfrom os import path\n"},
        {"__init__.py": "", "a.py": "def f(): pass\n", "b/__init__.py": ""},
        set(),
    ),
    "an import under its own name is public": (
        {"__init__.py": "", "a.py": "def f(): pass\n", "b.py": "from .a import f as f\n"},
        {"__init__.py": "", "a.py": "def f(): pass\n", "b.py": ""},
        {"shop.b:f is gone"},
    ),
    "a list of exports that grows": (
        {
            "__init__.py": "from .a import *\n",
            "a.py": "__all__ = []\n__all__.extend(['f'])\n__all__.append('g')\ndef f(): pass\ndef g(): pass\n",
        },
        {"__init__.py": "from .a import *\n", "a.py": "__all__ = ['g']\ndef g(): pass\n"},
        {"shop:f is gone", "shop.a:f is gone"},
    ),
    "a class that moved into a module of its own": (
        {"__init__.py": "", "a.py": "class C:\n    def m(self, x): pass\n    def n(self): pass\ndef f(x): pass\n"},
        {
            "__init__.py": "",
            "a/__init__.py": "from .c import C\nfrom .c import f\n",
            "a/c.py": "class C:\n    def m(self): pass\ndef f(): pass\n",
        },
        {"shop.a:C.m has lost its parameter x", "shop.a:C.n is gone", "shop.a:f has lost its parameter x"},
    ),
    "a member that is inherited from the standard library now": (
        {
            "__init__.py": "class Stream:\n    def read(self, n=-1): pass\n    def other(self): pass\n    def __eq__(self, o): pass\n"
        },
        {"__init__.py": "import io\nclass Raw(io.RawIOBase): pass\nclass Stream(Raw): pass\n"},
        {"shop:Stream.other is gone"},
    ),
    "a member lost with the base that has it still": (
        {"__init__.py": "class A:\n    def m(self): pass\nclass B: pass\nclass C(A): pass\n"},
        {"__init__.py": "class A:\n    def m(self): pass\nclass B: pass\nclass C(B): pass\n"},
        {"shop:C.m is gone"},
    ),
    "a member that is inherited now, with other parameters": (
        {"__init__.py": "class A:\n    def m(self, x): pass\nclass C(A):\n    def m(self, y): pass\n"},
        {"__init__.py": "class A:\n    def m(self, x): pass\nclass C(A): pass\n"},
        {"shop:C.m has lost its parameter y", "shop:C.m has a new parameter x, which is required"},
    ),
    "helpers for tests of users": (
        {"__init__.py": "", "test/__init__.py": "", "test/client.py": "def get(): pass\n"},
        {"__init__.py": "", "test/__init__.py": "", "test/client.py": ""},
        {"shop.test.client:get is gone"},
    ),
    "tests that are shipped": (
        {
            "__init__.py": "",
            "test/__init__.py": "",
            "test/test_it.py": "def get(): pass\n",
            "conftest.py": "def fixture(): pass\n",
        },
        {"__init__.py": "", "test/__init__.py": "", "test/test_it.py": "", "conftest.py": ""},
        set(),
    ),
}


@pytest.fixture
def versions(tmp_path):
    def made(*trees):
        for number, files in enumerate(trees):
            for name, text in files.items():
                place = tmp_path / str(number) / "shop" / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(dedent(text))
        return [surface.load("shop", str(tmp_path / str(number)), "") for number in range(len(trees))]

    return made


@pytest.mark.parametrize("old, new, expected", KINDS.values(), ids=KINDS)
def test_each_kind_gives_these_breaks_and_no_other(versions, old, new, expected):
    assert {item.message for item in breaks.find(*versions(old, new))} == expected


BODY = "    share = sum(prices) / parts\n    return [share for _ in range(parts)] + [prices[0] - share]\n"
PAIRS = {
    "not into tests": ("def join(a): return 1\n", {"tests/test_a.py": "def join(a): return 1\n"}, "Removed"),
    "not to what stubs alone have": ("K = int\n", {"b.py": "", "b.pyi": "K = int\n"}, "Removed"),
    "not to another function of that name": ("def url(regex): return 1\n", {"b.py": "def url(parser): return 1\n"}, "Removed"),
    "not to another class of that name": (
        "class F:\n    def to(self): pass\n",
        {"b.py": "class F:\n    def of(self): pass\n"},
        "Removed",
    ),
    "not to another value of that name": ("LIMIT = 1\n", {"b.py": "LIMIT = 2\n"}, "Removed"),
    "the nearest": ("def join(a): return 1\n", {"b.py": "def join(a): pass\n", "a/c.py": "def join(a): pass\n"}, "shop.a.c:join"),
    "one that takes more": ("def join(a): return 1\n", {"b.py": "def join(a, b=1): pass\n"}, "shop.b:join"),
    "a name that something outside of the package has": (
        "def join(a): return 1\n",
        {"b.py": "from os.path import join\n__all__ = ['join']\n"},
        "shop.b:join",
    ),
}


@pytest.mark.parametrize("gone, files, expected", PAIRS.values(), ids=PAIRS)
def test_a_draft_sends_users_to_what_is_the_same_thing(versions, gone, files, expected):
    folders = {f"{name.rpartition('/')[0]}/__init__.py": "" for name in files if "/" in name}
    old, new = versions(
        {"__init__.py": "", "a.py": gone},
        {"__init__.py": "", **({} if "a/__init__.py" in folders else {"a.py": ""}), **folders, **files},
    )
    (row,) = drafting.Drafter(old, new, "2.0", "3.0").rows(breaks.find(old, new))
    assert expected in row


@pytest.mark.parametrize("lost, added", list(itertools.product(("a", "a, b", "a, b, c"), repeat=2)))
def test_a_draft_renames_no_two_parameters_to_one(versions, lost, added):
    added = added.upper()
    old, new = versions({"__init__.py": f"def f(z, {lost}): pass\n"}, {"__init__.py": f"def f(z, {added}): pass\n"})
    rows = drafting.Drafter(old, new, "2.0", "3.0").rows(breaks.find(old, new))
    became = [row.partition("became=")[2].partition(",")[0] for row in rows if "became='" in row]
    assert len(became) == len(set(became))
    assert len(became) == (len(lost) + 2) // 3 or len(lost) != len(added)


def test_a_module_of_imports_alone_is_no_module_that_moved(versions):
    old, new = versions(
        {"__init__.py": "", "testing/__init__.py": "from .run import go\n", "testing/run.py": "def go(): pass\n"},
        {"__init__.py": "", "run.py": ""},
    )
    rows = drafting.Drafter(old, new, "2.0", "3.0").rows(breaks.find(old, new))
    assert rows == ["Removed('shop.testing', since='2.0', instead='(say what to write instead)'),"]
