"""A legacy module whose parent is a plain module by now: it is imported as before, and the parent stays what it is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from compat import Module, Name, Removed

V = {"since": "1.0", "removal": "2.0", "instead": None}
LISTED = (
    "import pkgutil, inspect, live.mod as m\n"
    "result = hasattr(m, '__path__'), '__path__' in dir(m), getattr(m, '__path__', 0), m.__spec__.submodule_search_locations\n"
    "list(pkgutil.walk_packages(__import__('live').__path__, 'live.'))\n"
)


@pytest.fixture(params=["alone", "loaded", "own names", "own getattr"])
def below(request, world, installed):
    """``live.mod.old`` below a module alone, loaded before, with a row for a name of its own, and with a ``__getattr__``."""
    rows = [Module("live.mod.old", "canon.core", **V)]
    if request.param == "own names":
        rows += [Name("live.mod:Thing", "canon.core:Widget", **V), Name("live.mod:stay", "canon.core:make", **V)]
    if request.param == "own getattr":
        world.write("live/mod.py", "def __getattr__(name):\n    if name == 'own': return 1\n    raise AttributeError(name)\n")
    if request.param == "loaded":
        import live.mod  # noqa: F401
    installed(*rows)


SPELLINGS = [
    ("import live.mod.old as r", "import"),
    ("import live.mod.old; r = live.mod.old", "import"),
    ("from live.mod import old as r", "import"),
    ("from live.mod.old import Widget as r", "import"),
    ("import importlib; r = importlib.import_module('live.mod.old')", "import"),
    ("r = __import__('live.mod.old', fromlist=['x'])", "import"),
]


@pytest.mark.parametrize(("spelling", "kind"), SPELLINGS)
def test_each_spelling_is_served_and_counted_once(world, below, spelling, kind):
    for _again in range(3):
        names = world.ok(spelling).once(("live.mod.old", kind, 1))
        assert names["r"] in (sys.modules["live.mod.old"], sys.modules["canon.core"].Widget)


def test_it_is_an_attribute_of_its_parent(world, below):
    seen = world.ok("import live.mod\nr = live.mod.old.Widget\ns = live.mod.old.Widget\n")
    assert seen.namespace["r"] is seen.namespace["s"] is sys.modules["canon.core"].Widget
    attributes = {("live.mod.old", "attribute", 2): 1, ("live.mod.old", "attribute", 3): 1}
    assert seen.counted("attribute") == attributes
    assert world.ok("import live.mod\nlive.mod.old.Widget\nlive.mod.old.Widget\n").counted() == attributes


def test_patches_and_pickles_find_it(world, below):
    seen = world.ok(
        "from unittest import mock\nwith mock.patch('live.mod.old.CONST', 7):\n    import canon.core\n    r = canon.core.CONST\n"
    )
    assert seen.namespace["r"] == 7 and seen.counted() == {("live.mod.old", "attribute", 2): 1}
    seen = world.ok("import pickle\nr = pickle.loads(b'clive.mod.old\\nWidget\\n.')")
    assert seen.namespace["r"] is sys.modules["canon.core"].Widget


def test_the_parent_is_a_plain_module_to_everybody_else(world, below):
    for _again in range(2):
        seen = world.ok(LISTED)
        assert seen.namespace["result"] == (False, False, 0, None) and not seen.counted()
        world.ok("import live.mod.old")
    assert "__path__" not in vars(sys.modules["live.mod"])


def test_what_no_row_declares_is_told_as_python_tells_it(world, below):
    error = world.use("import live.mod.nothing").error
    assert type(error) is ModuleNotFoundError and "'live.mod' is not a package" in str(error)


def test_it_is_found_without_being_imported(world, below):
    seen = world.ok("from importlib.util import find_spec\nr = find_spec('live.mod.old')")
    assert seen.namespace["r"].name == "live.mod.old" and not seen.counted() and "live.mod.old" not in sys.modules


@pytest.mark.parametrize("row", [Module("live.mod.old", "canon.core", **V), Removed("live.mod.old", since="1.0", instead=None)])
def test_it_is_gone_as_any_module(world, installed, row):
    installed(row, version="2.0")
    for _again in range(2):
        assert isinstance(world.use("import live.mod.old").error, ModuleNotFoundError)
        assert isinstance(world.use("from live.mod import old").error, ImportError)
        assert isinstance(world.use("import live.mod; live.mod.old").error, AttributeError)


def test_names_below_and_deeper_modules_are_served(world, installed):
    installed(Name("live.mod.a.b:Widget", "canon.core:Widget", **V), Module("live.mod.sub", "canon.sub", **V))
    world.ok("from live.mod.a.b import Widget").once(("live.mod.a.b:Widget", "import", 1))
    world.ok("from live.mod.sub.deep import VALUE").once(("live.mod.sub", "import", 1))


def test_a_ledger_that_stands_by_serves_it(world):
    world.write(
        "moves.py",
        """
        from compat import Ledger, Module
        LEDGER = Ledger("kit", version="1.5") + [Module("live.mod.old", "canon.core", since="1.0", removal="2.0", instead=None)]
    """,
    )
    world.write("kit-1.dist-info/entry_points.txt", "[compat.ledgers]\nlive = moves:LEDGER\n")
    code = (
        "import compat.auto, sys, live.mod as m; a = hasattr(m, '__path__'); s = 'compat.shim.installation' in sys.modules\n"
        "from live.mod.old import Widget; print(a, s, Widget)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=world.root, capture_output=True, text=True, check=False
    )
    assert done.stdout == "False False <class 'canon.core.Widget'>\n", done.stderr
