"""A scan that parses only the files whose imports do not tell what they use finds what one that parses all finds."""

from __future__ import annotations

import random
import sys
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compat.analysis import fixer, scan
from compat.ledger import Argument, Behaviour, Class, Deprecated, Ledger, Method, Module, Name, Removed, names

pytestmark = pytest.mark.once

TOLD = {"since": "1.0", "removal": "3.0", "instead": None}

FILES = {
    "sc_new/__init__.py": "",
    "sc_new/core.py": """
class Widget:
    def spin(self): return 1
class Engine:
    def start(self): return 1
def get_engine(user=None): return Engine()
def make(value, new=None): return value
def plain(): return 1
def stays(): return 1
LIMIT = 1
""",
    "sc_stop.py": """
def aid(): return 1
class Help:
    def hold(self): return 1
""",
    "sc_adapters.py": """
from compat.shim import Adapter, legacy_method, renamed
class Engine(Adapter, of="sc_new.core:Engine", built_by="sc_new.core:get_engine"):
    begin = renamed("start")
    @legacy_method(instead="start")
    def warm_up(self): return self.canonical.start()
""",
}

HEADS = [
    "from sc_old.things import plain",
    "from sc_old.things import plain, LIMIT as TOP  # both",
    "from sc_old.things import Widget",
    "from sc_old.things import make",
    "from sc_old.engines import Engine",
    "from sc_old.things import *",
    "from sc_old import things",
    "import sc_old.things",
    "import sc_old.things as t, os",
    "from sc_old.whole import anything",
    "from sc_old.things import gone",
    "from sc_new.core import make, Widget",
    "from sc_new.core import stays",
    "import os, sys",
    "if True:\n    from sc_old.things import plain",
    "def loads():\n    from sc_old.things import plain, LIMIT\n    return plain",
    "from sc_old.things import (\n    plain,\n    LIMIT,\n)",
    "from .sibling import plain",
    "from sc_old.things import plain; from os import path as plain",
    "from sc_old.things import plain, LIMIT as plain; plain()",
    "from sc_old.things import plain  # compat: allow[name]",
    "from sc_old.things import aid",
    "from sc_old.things import Help, gone as lost",
    "try:\n    from sc_old.things import aid\nexcept ImportError:\n    aid = None",
    "from .one import give",
    "from .two import give as given, Mine",
]
BODIES = [
    "plain()\n",
    "__all__ = ['plain', 'other']\n",
    "w = Widget()\nw.rotate()\n",
    "Widget().rotate\n",
    "class Mine(Widget):\n    def rotate(self): pass\n",
    "make(1, old=2)\n",
    "e = Engine(1)\ne.begin()\ne.warm_up()\n",
    "from unittest import mock\nmock.patch('sc_old.things.plain')\n",
    "from unittest import mock\nmock.patch('sc_new.core.Widget.rotate')\nmock.patch.object(Widget, 'rotate')\n",
    "import importlib\nimportlib.import_module('sc_old.things')\n",
    "sys.modules['sc_old.things']\n",
    "things.plain(things.LIMIT)\nt.make(old=1)\nsc_old.things.Widget().rotate()\n",
    "def f(a: 'things.Widget', b: 'Widget'):\n    a.rotate()\n    b.rotate()\n",
    "def d():\n    '''\n    >>> from sc_old.things import plain\n    >>> plain()\n    '''\n",
    "stays()\n",
    "os.environ.get('SC_OLD_SETTING')\n",
    "x = 'sc_old.things.plain'\ny = f'{x} sc_old.things'\nz = 'sc_old.' 'things'\n",
    "getattr(things, 'plain')\n",
    "for _ in range(2):\n    print(TOP, plain)\n",
    "# sc_old.things is old\n",
    "loads()\n",
    "aid()\nHelp().hold()\nlost.cause\n",
    "__all__ = ['aid', 'Help']\n",
    "def give(help: Help):\n    help.seize()\n    return Help()\n",
    "def give():\n    return Widget()\n",
    "def give():\n    return given()\n",
    "class Mine(Widget): pass\n",
    "give().rotate()\n",
    "given().rotate()\nMine().rotate()\n",
    "old = 1\nmake(1)\nmake(1, new=old)\n",
    "make(\n    1,\n    old  # the value\n    =2,\n)\n",
    "def use(user):\n    # as it was\n    return Engine(user)\n",
    "class Job:\n    def run(self):\n        self.engine = Engine()\n\n    async def aid(self):\n        return plain\n",
    "def other(a, b=(1, 2)):\n    '''\nEngine\n    '''\n    return [\n        a]\n\n\ndef one(): return Engine\n",
    "def names():\n    return vars(), plain\n",
    "def takes(engine: 'Engine' = None):\n    engine = isinstance(engine, Engine)\n    def inner():\n        return Engine()\n",
    "def taken():\n    global Engine\n    get_engine = Engine = 1\n",
    "def get_engine(): return 1\n",
    "for engine in ():\n    def late():\n        return len\n\n    Engine()\n",
    "make(1, \uff4fld=2)\nw = Widget()\nw.\uff52otate()\n",
]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    home = tmp_path_factory.mktemp("shortcut")
    for name, text in FILES.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text)
    sys.path.insert(0, str(home))
    made = Ledger("sc", version="1.5", docs="", stopgaps=("sc_stop",))
    made += [
        *names("sc_old.things", "sc_stop", "aid Help", **TOLD),
        Method("sc_stop:Help.seize", "sc_stop:Help.hold", **TOLD),
        *names("sc_old.things", "sc_new.core", "plain Widget make LIMIT", **TOLD),
        Class("sc_old.engines:Engine", "sc_new.core:Engine", adapter="sc_adapters:Engine", **TOLD),
        Module("sc_old.whole", "sc_new.whole", **TOLD),
        Removed("sc_old.things:gone", since="1.0", instead="nothing"),
        Method("sc_new.core:Widget.rotate", "sc_new.core:Widget.spin", **TOLD),
        Argument("sc_new.core:make", "old", became="new", **TOLD),
        Deprecated("sc_new.core:stays", **TOLD),
        Name("sc_old.more:plain", "sc_new.core:plain", **TOLD),
        Behaviour("sc.SETTING", "Setting SC_OLD_SETTING", old="SC_OLD_SETTING", new="SC_SETTING", **TOLD),
    ]
    yield made
    sys.path.remove(str(home))


def program(chance: random.Random) -> str:
    heads = chance.sample(HEADS, chance.randint(1, 3))
    bodies = chance.sample(BODIES, chance.randint(0, 3))
    return "\n".join([*heads, *bodies])


def _tree(tmp_path_factory, seed):
    chance = random.Random(seed)
    tree = tmp_path_factory.mktemp("tree")
    (tree / "pkg").mkdir()
    for name in ("__init__", "sibling", "one", "two", "three"):
        (tree / "pkg" / f"{name}.py").write_text(program(chance))
    return tree


@settings(max_examples=60, deadline=None)
@example(seed=999_999_999)  # a module that imports a name again, from itself
@given(seed=st.integers(0, 2**32))
def test_both_find_the_same(ledger, tmp_path_factory, seed):
    tree = _tree(tmp_path_factory, seed)
    strict = scan([str(tree)], ledger, strict=True)
    assert scan([str(tree)], ledger).findings == strict.findings


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_is_left_without_parsing_is_left_for_the_same_reasons(ledger, tmp_path_factory, seed):
    tree = _tree(tmp_path_factory, seed)
    for options in ({}, {"unsafe": True}, {"select": ["name"]}):
        quick = fixer.fix([str(tree)], ledger, **options).outcomes
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fixer._Fixing, "_leave", lambda *_given: (None, True, ()))
            assert [_told(item) for item in quick] == [_told(item) for item in fixer.fix([str(tree)], ledger, **options).outcomes]


def _told(outcome):
    return replace(outcome, carried=(), held=frozenset())


def test_a_file_in_which_nothing_can_be_rewritten_is_not_parsed_by_fix(ledger, tmp_path):
    (tmp_path / "broken.py").write_text("from sc_old.things import aid, gone\n\nx = = 1\n")
    (tmp_path / "other.py").write_text("from sc_old.things import aid, plain\n\nx = = 1\n")
    outcomes = fixer.fix([str(tmp_path)], ledger).outcomes
    assert [(item.path[-9:], item.status, len(item.skips)) for item in outcomes] == [
        ("broken.py", "skipped", 2),
        ("/other.py", "failed", 0),
    ]


def test_a_syntax_error_away_from_any_use_is_told_only_when_strict(ledger, tmp_path):
    (tmp_path / "broken.py").write_text("from sc_old.things import plain\n\nx = = 1\n")
    assert [item.rule for item in scan([str(tmp_path)], ledger).findings] == ["name"]
    assert "unparsable" in [item.rule for item in scan([str(tmp_path)], ledger, strict=True).findings]


@pytest.mark.parametrize(
    ("text", "is_parsed"),
    [
        ("from sc_old.things import make\nassert make(1, new=2) == old == 1\n", False),
        ("from sc_old.things import make\nmake(1, old=2)\n", True),
        ("from sc_old.things import make\nmake(1, old\\\n  =2)\n", True),
        ("from sc_old.things import Widget\nrotate = Widget()\n", False),
        ("from sc_old.things import Widget\nWidget().rotate()\n", True),
        ("from sc_old.things import Widget\n(Widget().  # it turns\n  rotate())\n", True),
    ],
)
def test_only_a_member_that_is_spelt_takes_a_syntax_tree(ledger, tmp_path, text, is_parsed):
    """What does not parse shows whether it was parsed."""
    (tmp_path / "broken.py").write_text(f"{text}\nx = = 1\n")
    assert ("unparsable" in [item.rule for item in scan([str(tmp_path)], ledger).findings]) is is_parsed


def test_an_object_comes_from_a_file_that_names_none_of_its_methods(ledger, tmp_path):
    (tmp_path / "maker.py").write_text("from sc_old.things import Widget\n\ndef give():\n    return Widget()\n")
    (tmp_path / "user.py").write_text("from maker import give\n\ngive().rotate()\n")
    assert ("user.py", "method") in [(item.path[-7:], item.rule) for item in scan([str(tmp_path)], ledger).findings]
