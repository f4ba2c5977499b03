"""Removed names and modules: every use raises what Python raises, says what to write instead, and is counted."""

from __future__ import annotations

import pytest

import compat
from compat import Module, Name, Removed


def test_a_removed_name_says_what_to_write_and_is_counted(world, installed):
    installed(
        Removed("old.names:gone", since="1.2", instead="canon.core.make"), Removed("old.dead", since="1.1", instead="canon.core")
    )
    seen = world.use("from old.names import gone")
    assert isinstance(seen.error, ImportError) and seen.counted() == {("old.names:gone", "import", 1): 1}
    assert str(seen.error) == (
        "Importing gone from 'old.names' is impossible: it was removed in kit 1.2. Use canon.core.make instead. See MIGRATION.md."
    )
    seen = world.use("import old.names\nold.names.gone")
    assert isinstance(seen.error, AttributeError) and seen.counted() == {("old.names:gone", "attribute", 2): 1}
    assert str(seen.error).startswith("Using gone from 'old.names' is impossible")
    seen = world.use("import old.dead")
    assert isinstance(seen.error, ModuleNotFoundError) and seen.counted() == {("old.dead", "import", 1): 1}
    assert world.ok("import importlib.util\nfound = importlib.util.find_spec('old.dead')").namespace["found"] is None
    seen = world.ok("import old.names\nhad = hasattr(old.names, 'gone')")
    assert seen.namespace["had"] is False


@pytest.mark.parametrize("statement", ["import old.names", "import old.names as m", "import old"])
def test_a_module_of_removed_names_alone_is_imported_so_that_each_says_what_to_write(world, installed, statement):
    installed(Removed("old.names:gone", since="1.2", instead="canon.core.make"))
    for _ in range(2):
        seen = world.ok(statement)
        assert not seen.counted()
    seen = world.use("import old.names\nold.names.gone")
    assert "Use canon.core.make instead" in str(seen.error) and seen.counted() == {("old.names:gone", "attribute", 2): 1}


def test_what_somebody_sets_under_a_removed_name_answers_from_then_on(world, installed):
    installed(Removed("live:gone", since="1.0", instead="canon.core.make"))
    seen = world.ok("import live\nlive.gone = 7\nfrom live import gone\nagain = live.gone")
    assert (seen.namespace["gone"], seen.namespace["again"]) == (7, 7) and seen.counted() == {}


def test_a_removed_name_is_in_no_star_import_and_no_listing(world, installed):
    installed(Removed("live:gone", since="1.0", instead="canon.core.make"))
    seen = world.ok("import live\nfrom live import *\nlisted = 'gone' in dir(live)")
    assert seen.namespace["listed"] is False and "gone" not in seen.namespace and seen.counted() == {}


def test_a_removed_name_of_a_moved_module_is_in_no_star_import(world, installed):
    installed(
        Removed("old.mod:gone", since="1.0", instead="canon.core.make"),
        Module("old.mod", "canon.core", since="1.0", removal="2.0", instead=None),
    )
    seen = world.ok("from old.mod import *")
    assert "make" in seen.namespace and "gone" not in seen.namespace


def test_a_submodule_of_a_removed_module_is_simply_missing(world, installed):
    installed(
        Removed("live.dead", since="1.1", instead="canon.core"), Module("old", "canon", since="1.0", removal="2.0", instead=None)
    )
    seen = world.use("import live.dead.inner")
    assert isinstance(seen.error, compat.errors.RemovedImport) and seen.counted() == {("live.dead", "import", 1): 1}


@pytest.mark.parametrize("names", [("Base", "Derived"), ("Derived", "Base")])
@pytest.mark.parametrize("row", [Removed, Name])
def test_a_member_of_a_class_and_of_the_one_below_it_each_have_a_row(world, ledger_of, names, row):
    world.write("tree.py", "class Base: pass\nclass Derived(Base): pass\nclass Other(Base):\n    gone = 1\n")
    moved = ("canon.core:make",) if row is Name else ()
    told = {"since": "1.0", "instead": "canon.core.make", **({"removal": "9.0"} if row is Name else {})}
    compat.check(ledger_of(*(row(f"tree:{name}.gone", *moved, **told) for name in names)))
    with pytest.raises(compat.LedgerError, match="still has a 'gone' of its own"):
        compat.check(ledger_of(*(row(f"tree:{name}.gone", *moved, **told) for name in ("Base", "Other"))))
