"""What type checkers say by the stubs of a module that stays, of adapters, and of a package that moved whole.

Each line of the program says in a comment what must be reported there: ``deprecated``, ``wrong`` (any error), or nothing;
``perhaps`` deprecated where checkers differ.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from compat.analysis.documents import stubs
from compat.ledger import Argument, Class, Ledger, Method, Module, Name, Removed

pytestmark = pytest.mark.slow
TOLD = {"since": "1.0", "removal": "3.0", "instead": None}

TILL = """
from __future__ import annotations
import dataclasses


@dataclasses.dataclass
class Coin:
    value: int


class Drawer:
    def __init__(self, coins: list[Coin] | None = None, *, limit: int = 10) -> None:
        self.coins = coins or []

    def put(self, coin: Coin, times: int = 1) -> int:
        return times

    @classmethod
    def of(cls, *values: int) -> Drawer:
        return cls([Coin(value) for value in values])

    @property
    def total(self) -> int:
        return sum(coin.value for coin in self.coins)

    async def count(self) -> int:
        return len(self.coins)


def opened(name: str, *, wait: float = 0.0, size: tuple[int, int] = (1, 1)) -> Drawer:
    return Drawer()


def change(paid: int, price: int, *, exact: bool = False) -> list[Coin]:
    return []


def kept(count: int) -> str:
    return "x" * count
"""
ADAPTERS = """
from compat.shim import Adapter, converted, legacy_method, legacy_property, renamed


class OldDrawer(Adapter, of="till:Drawer", built_by="till:opened"):
    add = renamed("put")
    amount = converted("total")

    @legacy_method(instead="len(Drawer.coins)")
    def size(self, at_least: int = 0) -> int:
        return len(self.canonical.coins)

    @legacy_property(instead="Drawer.total")
    def sum(self) -> int:
        return self.canonical.total

    @staticmethod
    def empty(count: int) -> bool:
        return count == 0
"""
ROWS = [
    Name("till:open_till", "till:opened", **TOLD),
    Name("till:Penny", "till:Coin", **TOLD),
    Removed("till:bell", since="1.0", instead="nothing"),
    Method("till:Drawer.addCoin", "till:Drawer.put", **TOLD),
    Method("till:Drawer.make", "till:Drawer.of", **TOLD),
    Method("till:Drawer.sum", "till:Drawer.total", **TOLD),
    Method("till:Drawer.howMany", "till:Drawer.count", **TOLD),
    Removed("till:Drawer.ring", since="1.0", instead="nothing"),
    Argument("till:Drawer", "maximum", became="limit", **TOLD),
    Argument("till:opened", "timeout", became="wait", convert="builtins:float", **TOLD),
    Argument("till:opened", "loud", became=None, **TOLD),
    Argument("till:opened", several="width height", became="size", convert="builtins:tuple", **TOLD),
    Argument("till:change", keyword_only="exact", **TOLD),
    Class("till_old:OldDrawer", "till:Drawer", adapter="till_adapters:OldDrawer", **TOLD),
    Module("coffer_old", "coffer", **TOLD),
]
PROGRAM = """
import till
from till import Coin, Drawer, change, kept, opened

drawer = Drawer(limit=3)
a: str = kept(1)
kept("1")  # wrong
till.misspelt  # wrong
till.open_till("x")  # deprecated
drawer.put(Coin(1), 2)
drawer.addCoin(Coin(1), 2)  # deprecated
drawer.addCoin("x")  # wrong
b: str = Drawer.make(1, 2)  # wrong
c: int = drawer.total
d: str = drawer.sum  # wrong
Drawer([], maximum=3)  # deprecated
Drawer([], maxi=3)  # wrong
opened("x", wait=1.5)
opened("x", timeout="1.5")  # deprecated
opened("x", loud=True)  # deprecated
opened("x", loud=True, timeout=1)  # deprecated
opened("x", width=1, height=2)  # deprecated
opened(1)  # wrong
change(1, 2, exact=True)
change(1, 2, True)  # deprecated
change(1, 2, 3, 4)  # wrong


async def f() -> None:
    e: str = await drawer.howMany()  # wrong


def rings() -> None:
    drawer.ring()  # deprecated


def bells() -> None:
    till.bell()  # deprecated


from till_old import OldDrawer  # deprecated

old = OldDrawer()  # perhaps
old.add(Coin(1), times=2)  # deprecated
old.add("x")  # wrong
g: str = old.size()  # wrong
old.size(at_least="x")  # wrong
h: str = old.sum  # wrong
i = old.amount + 1  # deprecated
OldDrawer.empty("x")  # wrong
from coffer_old.inner.deep import lock  # deprecated

j: str = lock(1)  # wrong
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A program, the library that it uses, and its stubs in ``typings``."""
    folder = tmp_path_factory.mktemp("living")
    home = folder / "library"
    (home / "coffer" / "inner").mkdir(parents=True)
    (home / "till.py").write_text(TILL)
    (home / "till_adapters.py").write_text(ADAPTERS)
    (home / "coffer" / "__init__.py").write_text("")
    (home / "coffer" / "inner" / "__init__.py").write_text("")
    (home / "coffer" / "inner" / "deep.py").write_text("def lock(times: int) -> int:\n    return times\n")
    (home / "coffer" / "py.typed").write_text("")
    ledger = Ledger("till", version="1.5", docs="", rows=ROWS)
    sys.path.insert(0, str(home))
    try:
        stubs.write(stubs.generate(ledger), str(folder / "typings"))
    finally:
        sys.path.remove(str(home))
    (folder / "use.py").write_text(PROGRAM)
    return folder


def expected(word: str) -> set[int]:
    return {number for number, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith(f"# {word}")}


def same(deprecated: set[int], wrong: set[int]) -> None:
    """A wrong use of a deprecated name may be reported as both."""
    lines, loose = PROGRAM.splitlines(), expected("wrong") | expected("perhaps")
    assert sorted((number, lines[number - 1]) for number in wrong ^ expected("wrong")) == []
    assert sorted((number, lines[number - 1]) for number in expected("deprecated") - deprecated) == []
    assert sorted((number, lines[number - 1]) for number in deprecated - expected("deprecated") - loose) == []


def test_mypy(project):
    pytest.importorskip("mypy")
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--enable-error-code",
        "deprecated",
        "--cache-dir",
        str(project / ".cache"),
        "use.py",
    ]
    environ = {**os.environ, "MYPYPATH": os.pathsep.join(["typings", "library"])}
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300, env=environ)
    found = [(int(line), code) for line, code in re.findall(r"^use\.py:(\d+): error: .*\[([\w-]+)\]$", done.stdout, flags=re.M)]
    same({line for line, code in found if code == "deprecated"}, {line for line, code in found if code != "deprecated"})


def test_pyright(project):
    pytest.importorskip("pyright")
    (project / "pyrightconfig.json").write_text(
        json.dumps(
            {"include": ["use.py"], "extraPaths": ["library"], "reportDeprecated": "warning", "reportMissingModuleSource": "none"}
        )
    )
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson"], cwd=project, capture_output=True, text=True, timeout=300
    )
    if not done.stdout.startswith("{"):
        pytest.skip(f"pyright does not run here: {done.stderr.strip()[-200:]}")
    told = json.loads(done.stdout)["generalDiagnostics"]
    found = [(item["range"]["start"]["line"] + 1, item["severity"]) for item in told if item["rule"] != "reportUnusedExpression"]
    same({line for line, how in found if how == "warning"}, {line for line, how in found if how == "error"})


def test_ty(project):
    pytest.importorskip("ty")
    command = [sys.executable, "-m", "ty", "check", "--output-format", "concise", "--extra-search-path", "typings"]
    command += ["--extra-search-path", "library", "--python", sys.prefix, "use.py"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300)
    found = re.findall(r"^use\.py:(\d+):\d+: (\w+)\[([\w-]+)\]", done.stdout, flags=re.M)
    assert found, done.stdout + done.stderr
    same(
        {int(line) for line, _how, code in found if code == "deprecated"},
        {int(line) for line, how, code in found if how == "error"},
    )
