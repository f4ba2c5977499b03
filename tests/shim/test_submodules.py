"""A legacy submodule is an attribute of its parent, whoever has imported it."""

from __future__ import annotations

import pytest

import compat
from compat import Module, Name, Removed

V = {"since": "1.0", "removal": "2.0", "instead": None}
ROWS = (
    Module("{home}.core", "canon.core", **V),
    Name("{home}.deep.names:Widget", "canon.core:Widget", **V),
    Removed("{home}.gone", since="1.0", instead="nothing"),
)


@pytest.fixture(params=["live", "half", "old"])
def home(request, world, installed):
    """A package that stays, one that has a ``__getattr__`` of its own, and one that is gone."""
    world.write("half/__init__.py", "def __getattr__(name):\n    if name == 'own': return 1\n    raise AttributeError(name)\n")
    installed(*(row.replace(legacy=row.legacy.format(home=request.param), id=row.id.format(home=request.param)) for row in ROWS))
    return request.param


def test_a_submodule_is_found_through_its_parent(world, home):
    seen = world.ok(f"import {home}\nresult = {home}.core.make(2)\nagain = {home}.core.CONST\n")
    assert (seen.namespace["result"], seen.namespace["again"]) == (3, 42)
    assert seen.counted() == {
        (f"{home}.core", "import", 2): 1,
        (f"{home}.core", "attribute", 2): 1,
        (f"{home}.core", "attribute", 3): 1,
    }


def test_names_of_a_submodule_below_another_are_found(world, home):
    seen = world.ok(f"import {home}\nresult = {home}.deep.names.Widget\n")
    import canon.core

    assert seen.namespace["result"] is canon.core.Widget
    assert seen.counted() == {(f"{home}.deep.names:Widget", "attribute", 2): 1}


def test_what_is_not_there_is_not_found(world, home):
    seen = world.ok(f"import {home} as m\nresult = hasattr(m, 'gone'), hasattr(m, 'nothing'), getattr(m, 'own', 0)\n")
    assert seen.namespace["result"] == (False, False, int(home == "half"))
    seen = world.use(f"import {home} as m\nm.nothing")
    assert str(seen.error) in (f"module {home!r} has no attribute 'nothing'", "nothing")


def test_looking_at_a_package_imports_nothing(world, home):
    seen = world.ok(f"import inspect, pydoc, {home} as m\ninspect.getmembers(m)\ninspect.unwrap(m)\n")
    assert seen.counted() == {}


def test_a_package_that_stays_is_given_back(world, ledger_of):
    import live

    with compat.install(ledger_of(Module("live.core", "canon.core", **V))):
        assert world.ok("import live\nresult = live.core.CONST\n").namespace["result"] == 42
    assert not hasattr(live, "core") and "__getattr__" not in vars(live)


@pytest.mark.parametrize("first", ["", "old.sub", "getattr(old, 'sub')", "mock.patch('old.sub.more').__enter__().mock_calls"])
def test_a_submodule_of_a_moved_package_has_the_names_of_its_own_rows(world, installed, first):
    world.write("canon/pkg/__init__.py", "from . import plain, sub\n")
    world.write("canon/pkg/sub.py", "HERE = 1\n")
    world.write("canon/pkg/other.py", "make = 'other'\n")
    world.write("canon/pkg/plain.py", "HERE = 2\n")
    more = Name("old.sub:more", "canon.pkg.other:make", **V)
    installed(Module("old", "canon.pkg", **V), Module("old.sub", "canon.pkg.sub", **V), more)
    seen = world.ok(
        f"import old, sys\nfrom unittest import mock\n{first}\nmock.patch.stopall()\n"
        "sub = old.sub\nresult = sub.HERE, sub is sys.modules['old.sub'], sub is old.sub, hasattr(sub, 'more')\n"
        "plain = old.plain is sys.modules['canon.pkg.plain']\n"
    )
    assert seen.namespace["result"] == (1, True, True, True) and seen.namespace["plain"]


def test_a_submodule_that_the_import_system_binds_under_a_moved_name_reaches_nothing_canonical(world, installed):
    installed(Name("live:mod", "canon.core:make", since="1.0", removal="2.0", instead=None))
    seen = world.ok(
        "import live.mod\nimport canon.core, sys\nr = canon.core.make(1), live.mod(2), sys.modules['live.mod'].stay\n"
    )
    assert seen.namespace["r"] == (2, 3, 1)
