"""Moved names, in a module that still exists and in one that does not: the canonical object itself, counted when read."""

from __future__ import annotations

import copy
import pickle
import sys
import types

import pytest

import compat
from compat import Name, Removed
from compat.ledger import names

DATES = {"since": "1.0", "removal": "2.0", "instead": None}
WORDS = "CONST Widget Box Failure Color Point Pair Closable make fetch count_up describe Gadget=Widget"


@pytest.fixture(params=["live", "old.names"])
def home(request, world, installed):
    """The legacy module: one that stays, one that is gone."""
    installed(*names(request.param, "canon.core", WORDS, **DATES))
    return request.param


def said(home, name, verb="Importing"):
    new = {"Gadget": "Widget"}.get(name, name)
    return (
        f"{verb} {name} from '{home}' is deprecated since kit 1.0 and will be removed in 2.0."
        f" Use canonical path 'from canon.core import {new}' instead. See MIGRATION.md."
    )


def test_each_importer_is_seen_and_gets_the_canonical_object(world, home):
    import canon.core

    for _ in range(3):
        seen = world.ok(f"\nfrom {home} import Widget")
        assert seen.namespace["Widget"] is canon.core.Widget
        assert seen.warned == [(2, said(home, "Widget"))]
        assert seen.counted() == {(f"{home}:Widget", "import", 2): 1}


def test_reading_through_the_module_counts_where_it_is_read(world, home):
    seen = world.ok(f"import {home} as m\nfor _ in range(4):\n    m.CONST\nm.Gadget")
    assert seen.counted() == {(f"{home}:CONST", "attribute", 3): 4, (f"{home}:Gadget", "attribute", 4): 1}
    assert seen.warned[-1] == (4, said(home, "Gadget", "Using"))


def test_getattr_counts_and_hasattr_counts(world, home):
    seen = world.ok(f"import {home} as m\ngetattr(m, 'CONST')\nhasattr(m, 'CONST')")
    assert seen.counted() == {(f"{home}:CONST", "attribute", 2): 1, (f"{home}:CONST", "attribute", 3): 1}


def test_classes_hold_in_every_check(world, home):
    world.ok(
        f"""
        import canon.core as c
        from {home} import Widget, Failure, Color, Point, Pair, Closable, Box
        assert isinstance(c.Widget(), Widget) and issubclass(Widget, c.Widget) and type(Widget()) is c.Widget
        try:
            raise c.Failure("x")
        except Failure as error:
            assert type(error) is c.Failure
        assert Color.RED is c.Color.RED and Color(1) is Color.RED and list(Color) == [Color.RED]
        import dataclasses
        assert dataclasses.replace(Point(1), x=4) == c.Point(4) and dataclasses.fields(Point)[0].name == "x"
        assert Pair(1, 2)._fields == ("a", "b")
        class Door:
            def close(self): pass
        assert isinstance(Door(), Closable)
        assert Box[int] == c.Box[int]
        """
    )


def test_subclassing_works_with_super_and_class_attributes(world, home):
    names = world.ok(
        f"""
        from {home} import Widget
        made = []
        class Mine(Widget):
            def __init_subclass__(cls, **kwargs):
                super().__init_subclass__(**kwargs)
                made.append(cls.__name__)
            def __init__(self):
                super().__init__(9)
        class Child(Mine):
            pass
        child = Child()
        """
    ).namespace
    assert names["child"].x == 9 and names["made"] == ["Child"] and names["Child"].KIND == "plain"


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the match statement came with 3.10")
def test_match_statements_see_the_class(world, home):
    assert world.ok(f"from {home} import Point\nmatch Point(3):\n    case Point(x=value): pass").namespace["value"] == 3


def test_singledispatch_registers_and_dispatches_on_the_canonical_class(world, home):
    seen = world.ok(
        f"""
        import canon.core as c
        from {home} import Widget, describe
        @describe.register(Widget)
        def _(value):
            return "widget"
        said = c.describe(c.Widget())
        """
    )
    assert seen.namespace["said"] == "widget"


def test_annotations_resolve(world, home):
    seen = world.ok(
        f"from {home} import Widget\ndef f(w: 'Widget') -> Widget: ...\nimport typing\nhints = typing.get_type_hints(f)"
    )
    import canon.core

    assert seen.namespace["hints"] == {"w": canon.core.Widget, "return": canon.core.Widget}


def test_pickles_written_under_the_old_name_load_and_new_ones_name_the_canonical_one(world, home):
    import canon.core

    old = b"\x80\x04\x8c" + bytes([len(home)]) + home.encode() + b"\x8c\x06Gadget\x93)\x81}\x8c\x01xK\x05sb."
    seen = world.ok(f"import pickle\nw = pickle.loads({old!r})")
    assert seen.namespace["w"] == canon.core.Widget(5)
    data = world.ok(f"from {home} import Gadget\nimport pickle\ndata = pickle.dumps([Gadget(1), Gadget])").namespace["data"]
    assert b"canon.core" in data and home.encode() not in data and b"Gadget" not in data
    assert pickle.loads(data)[1] is canon.core.Widget


def test_an_object_without_a_module_is_not_pickled_under_the_legacy_name(world, home):
    world.write("canon/bare.py", "class Bare:\n    def __reduce__(self): return 'bare'\nbare = Bare()\n")
    world.ok(f"import {home}")
    seen = world.ok("import canon.bare, pickle\ndata = pickle.dumps(canon.bare.bare)")
    assert b"canon.bare" in seen.namespace["data"] and not seen.recorded


def test_copies_are_canonical(world, home):
    import canon.core

    point = world.ok(f"from {home} import Point\np = Point(2)").namespace["p"]
    assert copy.deepcopy(point) == canon.core.Point(2) and type(copy.copy(point)) is canon.core.Point


def test_patching_and_setting_reach_the_canonical_module(world, home):
    seen = world.ok(
        f"""
        from unittest import mock
        import canon.core as c
        import {home} as m
        with mock.patch("{home}.make", lambda x=1: "patched"):
            assert c.use_make() == "patched"
        assert c.use_make() == 2
        m.CONST = 5
        assert c.CONST == 5
        with mock.patch.object(m, "CONST", 7):
            assert c.CONST == 7
        assert c.CONST == 5
        """
    )
    assert seen.counted()[(f"{home}:make", "attribute", 5)] == 1


def test_star_import_brings_the_moved_names(world, home):
    seen = world.ok(f"from {home} import *")
    import canon.core

    assert seen.namespace["Widget"] is canon.core.Widget
    assert (f"{home}:Widget", "import", 1) in seen.counted()


def test_kinds_of_functions_are_kept(world, home):
    import inspect

    names = world.ok(f"from {home} import fetch, count_up, make").namespace
    assert inspect.iscoroutinefunction(names["fetch"]) and inspect.isgeneratorfunction(names["count_up"])
    assert str(inspect.signature(names["make"])) == "(x=1)" and "Make one more" in inspect.getdoc(names["make"])


def test_names_that_stay_in_a_live_module_are_quiet(world, installed):
    installed(Name("live:Widget", "canon.core:Widget", **DATES))
    seen = world.ok(
        "import live\nfrom live import stay\nassert live.stay() == stay() == 'stays'\nlive.__doc__\ntry:\n    live.nope\nexcept AttributeError as e:\n    said = str(e)"
    )
    assert not seen.recorded and seen.namespace["said"] == "module 'live' has no attribute 'nope'"


def test_a_name_that_a_live_module_still_defines_is_left_alone(world, installed):
    installed(Name("live:stay", "canon.core:make", **DATES))
    seen = world.ok("from live import stay")
    assert seen.namespace["stay"]() == "stays" and not seen.recorded


def test_a_live_module_loaded_before_is_covered_and_restored(world, ledger_of):
    import live

    kind = type(live)
    with compat.install(ledger_of(Name("live:Widget", "canon.core:Widget", **DATES))):
        assert world.ok("from live import Widget").lines == [1]
        assert type(live) is not kind and isinstance(live, types.ModuleType)
    assert not hasattr(live, "Widget") and "__getattr__" not in vars(live)


def test_a_live_module_keeps_its_own_dunder_getattr(world, installed):
    world.write(
        "half/__init__.py", "def __getattr__(name):\n    if name == 'lazy': return 'own'\n    raise AttributeError(name)\n"
    )
    installed(Name("half:Widget", "canon.core:Widget", **DATES), Removed("half:gone", since="1.0", instead="canon.core.make"))
    seen = world.use("import half\nassert half.lazy == 'own'\nhalf.Widget\nhalf.gone")
    assert seen.counted() == {("half:Widget", "attribute", 3): 1, ("half:gone", "attribute", 4): 1}
    assert "was removed in kit 1.0. Use canon.core.make instead." in str(seen.error)


def test_stages_follow_the_version_in_force(world, ledger_of):
    for version, category, text in (
        ("0.9", "LegacyAnnouncedWarning", "will be deprecated in kit 1.0 and removed in 2.0"),
        ("1.0", "LegacyUseWarning", "is deprecated since kit 1.0 and will be removed in 2.0"),
    ):
        with compat.install(ledger_of(Name("live:Widget", "canon.core:Widget", **DATES), version=version)):
            (warning,) = world.ok("from live import Widget").recorded
            assert warning.category.__name__ == category and text in str(warning.message)
            assert issubclass(warning.category, PendingDeprecationWarning) is (version == "0.9")
    with compat.install(ledger_of(Name("live:Widget", "canon.core:Widget", **DATES), version="2.0")):
        seen = world.use("from live import Widget")
        assert isinstance(seen.error, compat.LegacyExpiredError) and isinstance(seen.error, ImportError)
        assert "Use canonical path 'from canon.core import Widget' instead." in str(seen.error)
        assert seen.counted() == {("live:Widget", "import", 1): 1}
        seen = world.use("import live\nlive.Widget")
        assert isinstance(seen.error, compat.LegacyExpiredError) and isinstance(seen.error, AttributeError)


def test_compat_as_of_rehearses_a_removal(world, ledger_of, monkeypatch):
    monkeypatch.setenv("COMPAT_AS_OF", "kit=2.0,other=9")
    with compat.install(ledger_of(Name("live:Widget", "canon.core:Widget", **DATES))):
        assert isinstance(world.use("from live import Widget").error, compat.LegacyExpiredError)
    monkeypatch.setenv("COMPAT_AS_OF", "other=9")
    with compat.install(ledger_of(Name("live:Widget", "canon.core:Widget", **DATES))):
        assert world.ok("from live import Widget").lines == [1]


def test_a_thread_waits_for_a_canonical_module_that_another_thread_is_importing(world, installed):
    world.write(
        "canon/slow.py", "import sys, time\nsys.slow_started.set()\ntime.sleep(0.2)\nclass Widget: pass\ndel sys.slow_started\n"
    )
    installed(Name("live:Slow", "canon.slow:Widget", **DATES))
    seen = world.ok(
        """
        import live, sys, threading
        sys.slow_started = started = threading.Event()
        got = []
        first = threading.Thread(target=lambda: got.append(live.Slow))
        first.start()
        started.wait()
        got.append(live.Slow)
        first.join()
        """
    )
    assert [one.__name__ for one in seen.namespace["got"]] == ["Widget", "Widget"]
    assert seen.counted("attribute") == {("live:Slow", "attribute", 5): 1, ("live:Slow", "attribute", 8): 1}
