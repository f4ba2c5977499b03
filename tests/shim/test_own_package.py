"""A ledger that lies in the package it speaks of comes after that package has run: nothing of what ran before is lost."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import textwrap

import pytest

import compat
from compat import Argument, Deprecated, LedgerError

V = {"since": "1.0", "removal": "2.0", "instead": None}

CORE = """
import functools

LIMIT = 10**6
TABLE = functools.partial(int, base=2)

def total(values, tax=0): return sum(values) + tax
def ship(quantity=1): return quantity
def both(quantity=1): return quantity
def other(): return 1
twin = ship
"""
FACE = """
from . import core
from .core import LIMIT, both, other, ship as send, total
from .parts.deep import send as again
FUNCTIONS = {"total": total}
"""


@pytest.fixture
def depot(world):
    world.write("live/depot/core.py", CORE)
    world.write("live/depot/parts/__init__.py", "")
    world.write("live/depot/parts/deep.py", "from ..core import ship as send\n")
    world.write("live/depot/__init__.py", FACE)
    world.ok("import live.depot\n")
    yield world
    for name in [name for name in sys.modules if name.startswith("live.depot")]:
        del sys.modules[name]


ROWS = (
    Deprecated("live.depot.core:total", **V),
    Argument("live.depot.core:ship", "qty", became="quantity", **V),
    Argument("live.depot.core:both", "qty", became="quantity", **V),
    Deprecated("live.depot.core:both", **V),
)


def test_a_function_that_its_package_has_imported_before_is_changed_there_too(depot, installed):
    before = {name: getattr(sys.modules["live.depot"], name) for name in ("total", "send", "again", "both", "other")}
    installation = installed(*ROWS)
    seen = depot.ok(
        """\
        from live import depot
        depot.total([1])
        depot.send(qty=2), depot.again(qty=2), depot.core.twin(qty=2)
        depot.both(qty=3)
        depot.core.total([1])
        depot.other()
        assert depot.total is depot.core.total and depot.send is depot.again is depot.core.ship
        """
    )
    assert seen.counted() == {
        ("live.depot.core:total", "call", 2): 1,
        ("live.depot.core:ship(qty)", "argument", 3): 3,
        ("live.depot.core:both(qty)", "argument", 4): 1,
        ("live.depot.core:both", "call", 4): 1,
        ("live.depot.core:total", "call", 5): 1,
    }
    installation.remove()
    assert {name: getattr(sys.modules["live.depot"], name) for name in before} == before


def test_what_has_a_row_of_its_own_under_its_other_path_counts_for_that(depot, installed):
    installed(*ROWS[:1], Deprecated("live.depot:total", **V))
    seen = depot.ok("from live import depot\ndepot.total([1])\ndepot.core.total([1])\n")
    assert seen.counted() == {("live.depot:total", "call", 2): 1, ("live.depot.core:total", "call", 3): 1}


def test_what_somebody_has_put_there_since_stays_as_the_ledger_goes(depot, installed):
    installation = installed(*ROWS)
    sys.modules["live.depot"].total = mine = object()
    installation.remove()
    assert sys.modules["live.depot"].total is mine


def test_a_module_that_waits_to_be_loaded_is_not_loaded_for_it(depot, installed):
    depot.write("live/depot/late.py", "from .core import total\n")
    spec = importlib.util.find_spec("live.depot.late")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    sys.modules["live.depot.late"] = late = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(late)
    installed(*ROWS)
    assert type(late).__name__ == "_LazyModule"
    assert depot.ok("from live.depot import core\nimport live.depot.late as late\nlate.total([1])\n").counted("call") == {
        ("live.depot.core:total", "call", 3): 1
    }


def test_a_module_that_imports_back_from_one_that_is_still_running_has_the_changed_function(world, installed):
    world.write("live/ring/__init__.py", "")
    world.write("live/ring/first.py", "def ship(quantity=1): return quantity\nfrom . import second\n")
    world.write("live/ring/second.py", "from .first import ship as send\n")
    installed(Argument("live.ring.first:ship", "qty", became="quantity", **V))
    seen = world.ok("from live.ring import first\nassert first.second.send(qty=2) == first.ship(qty=2) == 2\n")
    assert seen.counted() == {("live.ring.first:ship(qty)", "argument", 2): 2}


@pytest.mark.parametrize("name", ["LIMIT", "TABLE"])
def test_check_names_where_a_constant_was_imported_to_unless_that_has_a_row(depot, name):
    depot.write("live/depot/shelf.py", f"from live.depot.core import {name} as MOST\n")
    depot.write("live/depot/alike.py", f"import live.depot.core\nMINE = live.depot.core.{name}\n")
    depot.ok("import live.depot.shelf, live.depot.alike\n")
    row = Deprecated(f"live.depot.core:{name}", **V)
    others = [Deprecated(f"live.depot:{name}", **V)] if name == "LIMIT" else []
    with pytest.raises(LedgerError) as caught:
        compat.check(compat.Ledger("kit", version="1.0", rows=[row, *others]))
    ((_row, reason, remedy),) = caught.value.faults
    assert reason == "'live.depot.shelf:MOST' is imported from it, and reads of that are not seen"
    assert remedy == "give 'live.depot.shelf:MOST' a row of its own, too"
    compat.check(compat.Ledger("kit", version="1.0", rows=[row, *others, Deprecated("live.depot.shelf:MOST", **V)]))


STORE = """
import os
import compat
from .moves import MODE, MARKED
compat.use("store.python")
mode = compat.getenv(MODE, "none")
@compat.deprecated(MARKED)
def marked(): return 1
marked()
"""
MOVES = """
from compat import Behaviour, Deprecated, Ledger
V = dict(since="1.0", removal="2.0", instead="nothing")
MODE = Behaviour("store.mode", "Variable STORE_MODE", old="STORE_MODE", new="STORE_FORM", **V)
MARKED = Deprecated("store:marked", **V)
LEDGER = Ledger("store", version="1.5", docs="https://store.example") + [
    MODE, MARKED, Behaviour("store.python", "Running store on Python 3", **V)]
"""


@pytest.fixture
def store(tmp_path):
    """A package whose ledger is declared by an entry point, and that reports uses while it is imported."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "__init__.py").write_text(STORE)
    (tmp_path / "store" / "moves.py").write_text(MOVES)
    info = tmp_path / "store-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[compat.ledgers]\nstore = store.moves:LEDGER\n")

    def run(source, **environment):
        (tmp_path / "app.py").write_text(textwrap.dedent(source))
        environment = {"COMPAT_TELEMETRY": "memory", "STORE_MODE": "old", **environment}
        command = [sys.executable, "-W", "always", "app.py"]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)

    return run


def test_what_a_package_reports_while_it_is_imported_is_counted_at_the_line_that_imports_it(store):
    done = store("import compat\n\nimport store\nstore.marked()\nprint([(u.move, u.line, u.count) for u in compat.usage()])\n")
    assert "('store.python', 3, 1)" in done.stdout and "('store.mode', 3, 1)" in done.stdout, done.stderr
    assert "('store:marked', 4, 1)" in done.stdout
    assert done.stderr.count("See https://store.example.") == 3 and "no installed ledger" not in done.stderr


@pytest.mark.parametrize("source", ["import store", "from store import moves"])
def test_what_has_expired_raises_out_of_that_import(store, source):
    done = store(
        f"try:\n    {source}\nexcept Exception as error:\n    print(type(error).__name__, error)\n", COMPAT_AS_OF="store=2.0"
    )
    assert "LegacyExpiredError Running store on Python 3 has expired" in done.stdout, done.stderr


def test_a_mark_that_was_used_before_its_ledger_came_obeys_that_from_then_on():
    row = Deprecated("marked:late", **V)

    @compat.deprecated(row)
    def late():
        return 1

    def use():
        return late()

    with pytest.warns(compat.LegacyUseWarning):
        use()
    expired = pytest.raises(compat.LegacyExpiredError, match=r"deprecated in kit 1.0 and removed in 2.0")
    with compat.install(compat.Ledger("kit", version="2.0", rows=[row])), expired:
        use()
