"""What a live module's own code reads under a legacy name: names that moved, submodules that are deprecated."""

from __future__ import annotations

import pytest

import compat
from compat import Deprecated, Name

DATES = {"since": "1.0", "removal": "2.0", "instead": None}
MODULE = """
from canon.core import CONST, Failure, make


def made():
    return make(2)


def doubled(x=CONST):
    return x + CONST


class Maker:
    def run(self):
        try:
            raise Failure
        except Failure:
            return [make(1) for _ in range(2)]
"""
ROWS = [Name(f"half.tools:{name}", f"canon.core:{name}", **DATES) for name in ("CONST", "Failure", "make")]


@pytest.fixture
def tools(world):
    """A module whose code reads what it imports from the new place."""
    world.write("half/__init__.py", "")
    world.write("half/tools.py", MODULE)


def test_the_module_goes_on_reading_them(world, tools, installed):
    installed(*ROWS)
    seen = world.ok(
        """
        from half import tools
        assert tools.made() == 3 and tools.doubled() == 84 and tools.Maker().run() == [2, 2]
        for _ in range(50):
            tools.make, tools.CONST
        from half.tools import Failure
        assert tools.made() == 3
        """
    )
    assert seen.counted() == {
        ("half.tools:make", "attribute", 5): 50,
        ("half.tools:CONST", "attribute", 5): 50,
        ("half.tools:Failure", "import", 6): 1,
    }


def test_a_patch_of_the_old_name_reaches_the_module_and_the_new_place(world, tools, installed):
    installed(*ROWS)
    world.ok(
        """
        from unittest import mock
        import canon.core, half.tools
        with mock.patch("half.tools.make", lambda x: "patched"):
            assert half.tools.made() == half.tools.make(1) == canon.core.make(1) == "patched"
        assert half.tools.made() == half.tools.make(2) == canon.core.make(2) == 3
        """
    )


def test_star_imports_and_listings_have_them_until_they_expire(world, tools, ledger_of):
    with compat.install(ledger_of(*ROWS, version="1.5")):
        seen = world.ok("from half.tools import *\nimport half.tools\nassert make(3) == 4 and 'make' in dir(half.tools)")
        assert ("half.tools:make", "import", 1) in seen.counted()
    with compat.install(ledger_of(*ROWS, version="2.0")):
        world.ok(
            """
            from half.tools import *
            import half.tools
            assert "make" not in globals() and "Maker" in globals() and "make" not in dir(half.tools)
            assert not hasattr(half.tools, "CONST")
            assert half.tools.made() == 3 and half.tools.Maker().run() == [2, 2]
            """
        )
        assert isinstance(world.use("from half.tools import make").error, compat.LegacyExpiredError)


def test_nothing_is_left_of_it_afterwards(world, tools, ledger_of):
    with compat.install(ledger_of(*ROWS)):
        world.ok("import half.tools\nhalf.tools.made()")
    assert not world.ok("from half.tools import make, CONST\nimport half.tools\nassert half.tools.made() == 3").recorded


@pytest.mark.parametrize("is_loaded", [False, True])
def test_a_package_goes_on_reading_its_deprecated_submodules(world, installed, is_loaded):
    world.write("half/__init__.py", "from . import one\nfrom .two import twice\nimport half.three as t\n")
    for name in ("one", "two", "three"):
        world.write(f"half/{name}.py", "def twice(x): return 2 * x\n")
    with open(world.root / "half" / "__init__.py", "a") as file:
        file.write("def all_of_it():\n    return [one.twice(1), two.twice(2), three.twice(3), t.twice(4)]\n")
    if is_loaded:
        world.ok("import half")
    rows = (Deprecated(f"half.{name}", since="1.0", removal="2.0", instead="half") for name in ("one", "two", "three"))
    installed(*rows)
    seen = world.ok(
        """
        import half
        assert half.all_of_it() == [2, 4, 6, 8]
        from half import one, two, three
        import half.two
        assert half.all_of_it() == [2, 4, 6, 8] and half.two is two
        """,
        elsewhere=True,
    )
    mine = {use: count for use, count in seen.counted().items() if use[2] > 3}
    assert mine == {
        ("half.one", "import", 4): 1,
        ("half.two", "import", 4): 1,
        ("half.three", "import", 4): 1,
        ("half.two", "import", 5): 1,
    }
