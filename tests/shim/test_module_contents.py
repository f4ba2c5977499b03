"""``vars()``, ``__dict__`` and ``dir()`` of a legacy module are what they were when it was there."""

from __future__ import annotations

import sys

import pytest

from compat import Module, Name, Removed

V = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.fixture
def home(world, installed):
    world.write("canon/loose.py", "One = 1\n")
    installed(
        Module("old.mod", "canon.core", **V),
        Name("old.mod:Former", "canon.loose:One", **V),
        Removed("old.mod:Lost", **V),
        Name("oldns.names:Widget", "canon.core:Widget", **V),
        Name("oldns.names:one", "canon.loose:One", **V),
        Name("oldns.names:lacking", "canon.loose:Nothing", **V),
        Module("old.sub", "canon.sub", **V),
    )
    return world


READS = {"vars()": "vars(m)", "__dict__": "m.__dict__", "getattr": "getattr(m, '__dict__')"}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_the_contents_of_a_moved_module_are_one_use_of_it(home, read):
    seen = home.ok(f"import old.mod as m\nfound = {read}\nkinds = [n for n, v in found.items() if isinstance(v, type)]")
    import canon.core
    import canon.loose

    found, core = seen.namespace["found"], vars(canon.core)
    assert {name: found[name] for name in core if name[:2] != "__"} == {name: core[name] for name in core if name[:2] != "__"}
    assert found["Former"] == canon.loose.One and "Lost" not in found and "Widget" in seen.namespace["kinds"]
    assert found["__name__"] == "old.mod" and not [name for name in found if "compat" in name or "canonical" in name]
    assert seen.counted() == {("old.mod", "import", 1): 1, ("old.mod", "attribute", 2): 1} and seen.lines == [1, 2]
    assert [name for name in dir(seen.namespace["m"]) if "compat" in name or "canonical" in name] == []


def test_the_contents_of_a_module_of_single_names_are_a_use_of_each(home):
    seen = home.ok("import oldns.names as m\nfound = vars(m)")
    assert seen.namespace["found"]["Widget"] is sys.modules["canon.core"].Widget
    assert {"one", "Widget"} < set(seen.namespace["found"]) and "lacking" not in seen.namespace["found"]
    assert seen.counted() == {(f"oldns.names:{name}", "attribute", 2): 1 for name in ("Widget", "one")}


def test_a_package_contains_its_submodules(home):
    seen = home.ok("import old.sub.deep, old.sub as m\nfound = m.__dict__['deep'].VALUE")
    assert seen.namespace["found"] == "deep"


def test_what_is_set_or_deleted_there_reaches_the_canonical_module(home):
    seen = home.ok(
        """
        import old.mod as m, canon.core as core
        vars(m)["CONST"] = 43
        found = [core.CONST, m.CONST]
        vars(m).update(CONST=42, fresh=1)
        found += [core.CONST, core.fresh]
        del vars(m)["fresh"]
        found.append(hasattr(core, "fresh"))
        """
    )
    assert seen.namespace["found"] == [43, 43, 42, 1, False]


@pytest.mark.parametrize("looker", ["inspect.getmembers(m)", "pydoc.render_doc(m)", "doctest.DocTestFinder().find(m)"])
def test_code_that_looks_at_everything_is_no_use(home, looker):
    seen = home.ok(f"import inspect, pydoc, doctest\nimport old.mod as m\n{looker}")
    assert seen.counted() == {("old.mod", "import", 2): 1}


def test_expired_names_are_not_among_the_contents(world, installed):
    later = {**V, "removal": "3.0"}
    installed(
        Name("oldns.names:Widget", "canon.core:Widget", **V), Name("oldns.names:make", "canon.core:make", **later), version="2.0"
    )
    seen = world.ok("import oldns.names as m\nfound = vars(m)\nlisted = dir(m)")
    assert (
        "Widget" not in seen.namespace["found"] and "Widget" not in seen.namespace["listed"] and "make" in seen.namespace["found"]
    )


def test_mock_puts_back_what_it_has_replaced(home):
    seen = home.ok("from unittest import mock\nimport old.mod as m\nwith mock.patch('old.mod.CONST', 1):\n    m.CONST\nm.CONST")
    assert sys.modules["canon.core"].CONST == 42 and seen.counted("attribute")[("old.mod", "attribute", 5)] == 1
