"""The checks that other packages for moved names in live modules were put through, row by row."""

from __future__ import annotations

import pickle
import sys

import pytest

from compat.ledger import names

DATES = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.fixture(params=["live", "old.names"], ids=["live module", "module that is gone"])
def home(request, world, installed):
    installed(*names(request.param, "canon.core", "CONST Cls=Widget Err=Failure make describe", **DATES))
    return request.param


@pytest.fixture
def imported(world, home):
    """The moved class as legacy code gets it, and the canonical module."""
    import canon.core

    return world.ok(f"from {home} import Cls, Err, describe").namespace, canon.core


def test_from_old_import_cls(world, home):
    world.ok(f"\nfrom {home} import Cls").once((f"{home}:Cls", "import", 2))


def test_old_const(world, home):
    assert world.ok(f"import {home} as old\n\nx = old.CONST").once((f"{home}:CONST", "attribute", 3))["x"] == 42


def test_2nd_user_file(world, home):
    for _ in range(2):
        world.ok(f"\nfrom {home} import Cls").once((f"{home}:Cls", "import", 2))


def test_call_at_2_sites(world, home):
    seen = world.ok(f"import {home} as old\nold.make()\nold.make()", filters="default")
    seen.once((f"{home}:make", "attribute", 2), (f"{home}:make", "attribute", 3))


def test_identity(imported):
    old, new = imported
    assert old["Cls"] is new.Widget


def test_isinstance_new_old(imported):
    old, new = imported
    assert isinstance(new.Widget(), old["Cls"])


def test_issubclass_both_ways(imported):
    old, new = imported
    assert issubclass(new.Widget, old["Cls"]) and issubclass(old["Cls"], new.Widget)


def test_except_old_err_catches_new(imported):
    old, new = imported
    with pytest.raises(old["Err"]):
        raise new.Failure


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the match statement came with 3.10")
def test_match_case_old(world, home):
    source = f"import canon.core as c\nfrom {home} import Cls\nmatch c.Widget():\n    case Cls():\n        found = True"
    assert world.ok(source).namespace["found"]


def test_singledispatch_register_old(imported):
    old, new = imported
    old["describe"].register(old["Cls"], lambda value: "widget")
    assert new.describe(new.Widget()) == "widget"


def test_subclass_old(world, home):
    seen = world.ok(f"import {home} as old\nclass Mine(old.Cls):\n    pass\nx = Mine(3).x")
    assert seen.once((f"{home}:Cls", "attribute", 2))["x"] == 3


def test_type_of_old_is_new(imported):
    old, new = imported
    assert type(old["Cls"]()) is new.Widget


def test_old_pickle_loads(world, home):
    import canon.core

    old = b"\x80\x04\x8c" + bytes([len(home)]) + home.encode() + b"\x8c\x03Cls\x93)\x81}\x8c\x01xK\x05sb."
    assert world.ok(f"import pickle\nw = pickle.loads({old!r})").namespace["w"] == canon.core.Widget(5)


def test_pickle_class_ref(imported):
    old, new = imported
    data = pickle.dumps(old["Cls"])
    assert pickle.loads(data) is new.Widget and b"canon.core" in data


def test_mock_patch_old_f_hits_canonical(world, home):
    names = world.ok(
        f"from unittest import mock\nimport canon.core as c\nwith mock.patch('{home}.make', lambda x=1: 'patched'):\n"
        "    inside = c.use_make()\nafter = c.use_make()"
    ).namespace
    assert (names["inside"], names["after"]) == ("patched", 2)


def test_json_and_index_use_of_const(world, home):
    seen = world.ok(f"import {home} as old, json\na = json.dumps([old.CONST])\nb = list(range(100))[old.CONST]")
    found = seen.once((f"{home}:CONST", "attribute", 2), (f"{home}:CONST", "attribute", 3))
    assert (found["a"], found["b"]) == ("[42]", 42)


def test_dir(world, home):
    assert {"Cls", "CONST", "make"} <= set(world.ok(f"import {home} as old\nnames = dir(old)").once()["names"])


def test_star_import(world, home):
    seen = world.ok(f"\nfrom {home} import *")
    moves = ("CONST", "Cls", "Err", "make", "describe")
    assert set(moves) <= set(seen.once(*((f"{home}:{name}", "import", 2) for name in moves)))


def test_live_names_quiet(world, home):
    world.ok(
        f"import live\nfrom live import stay\nlive.stay()\nstay()\nimport {home} as old\nold.__name__\nhasattr(old, 'nope')"
    ).once()
