"""A project with legacy names of its own, a library that has some, and a dependency that uses these."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

FILES = {
    "pyproject.toml": """
[project]
name = "shop"
version = "2.3"

[tool.compat]
ledgers = ["shop_moves:LEDGER"]

[tool.pytest.ini_options]
pythonpath = ["."]
""",
    "shop_moves.py": """
from compat import Deprecated, Ledger, Name

LEDGER = Ledger("shop", version="2.3") + [
    Name("shop_util:Money", "shop.money:Amount", since="2.0", removal="3.0", instead=None),
    Deprecated("shop.money:total", since="2.1", removal="4.0", instead="sum()"),
]
""",
    "shop/__init__.py": "",
    "shop/money.py": "class Amount:\n    pass\n\ndef total(*numbers):\n    return sum(numbers)\n",
    "shop/cart.py": "from shop import money\n\ndef add():\n    return money.total(1, 2)\n",
    "site-packages/lib/__init__.py": "def new():\n    return 1\n\ndef old():\n    return 1\n",
    "site-packages/lib_moves.py": """
from compat import Deprecated, Ledger

LEDGER = Ledger("lib") + [Deprecated("lib:old", since="1.0", removal="2.0", instead="lib.new()")]
""",
    "site-packages/lib-1.5.dist-info/METADATA": "Metadata-Version: 2.1\nName: lib\nVersion: 1.5\n",
    "site-packages/lib-1.5.dist-info/entry_points.txt": "[compat.ledgers]\nlib = lib_moves:LEDGER\n",
    "site-packages/dep.py": "import lib\n\ndef work():\n    return lib.old() + lib.old()\n",
    "tests/test_shop.py": """\
import dep
import lib
import shop.cart
from shop_util import Money

def test_direct():
    for _ in range(3):
        lib.old()

def test_indirect():
    dep.work()

def test_self():
    shop.cart.add()

def test_nothing():
    assert Money
""",
}

#: What a run of the tests counts: category, move, kind, file, line, uses.
COUNTED = [
    ("self", "shop.money:total", "call", "shop/cart.py", 4, 1),
    ("self", "shop_util:Money", "import", "tests/test_shop.py", 4, 1),
    ("direct", "lib:old", "call", "tests/test_shop.py", 8, 3),
    ("indirect", "lib:old", "call", "dep.py", 4, 2),
]
LAST = "7 uses at 4 places: 2 self, 3 direct, 2 indirect"


class Project:
    """A directory in which pytest is run as its users run it."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self._pytester, self._monkeypatch = pytester, monkeypatch
        self.path = pytester.path
        for name, text in FILES.items():
            self.write(name, text)
        monkeypatch.setenv("PYTHONPATH", str(self.path / "site-packages"))
        # Plugins of the environment that the tests come from take seconds to import.
        others = " ".join(f"-p no:{name}" for name in ("hypothesispytest", "anyio", "timeout", "cacheprovider"))
        monkeypatch.setenv("PYTEST_ADDOPTS", others)
        for name in ("GITHUB_ACTIONS", "CI", "PYTEST_VERSION", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
            monkeypatch.delenv(name, raising=False)

    def setenv(self, name: str, value: str) -> None:
        self._monkeypatch.setenv(name, value)

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        self.write(name, self.read(name) + text)

    def read(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    def configure(self, text: str, table: str = "tool.pytest.ini_options") -> None:
        """Add lines to a table of pyproject.toml."""
        self.write("pyproject.toml", self.read("pyproject.toml").replace(f"[{table}]\n", f"[{table}]\n{text}\n"))

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in a process of its own."""
        return self._pytester.runpytest_subprocess(*arguments, timeout=240)

    def counted(self, *arguments: str) -> list[tuple]:
        """What a run reports: see :data:`COUNTED`."""
        self.run("-q", "--compat-report=report.json", *arguments)
        return [tuple(use[key] for key in ("category", "move", "kind", "file", "line", "count")) for use in self.report()["uses"]]

    def report(self) -> dict:
        return json.loads(self.read("report.json"))

    def python(self, code: str) -> str:
        done = subprocess.run([sys.executable, "-c", code], cwd=self.path, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(pytester, monkeypatch)


def lines_of(result: pytest.RunResult, start: str = "compat: ") -> list[str]:
    """The lines of what a run prints that begin with a word."""
    return [line for line in result.outlines if line.startswith(start)]


def here(path: str) -> pathlib.Path:
    return pathlib.Path(path)
