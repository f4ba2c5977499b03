"""Rows that meet on one target: each order of them gives the same, and each use its own count."""

from __future__ import annotations

import itertools

import pytest

from compat import Argument, Method

V = {"since": "1.0", "removal": "2.0", "instead": None}

ZOO = """
class C:
    def new(self, quantity=1):
        return ("new", quantity)

    @classmethod
    def make(cls, count=1):
        return ("make", count)


def feed(quantity=1, food="hay"):
    return quantity, food
"""

METHOD = Method("zoo:C.old", "zoo:C.new", **V)
ON_NEW = Argument("zoo:C.new", "qty", became="quantity", **V)
ON_OLD = Argument("zoo:C.old", "amount", became="quantity", **V)
MAKE = Method("zoo:C.build", "zoo:C.make", **V)
ON_MAKE = Argument("zoo:C.make", "number", became="count", **V)
AGAIN = Method("zoo:C.oldest", "zoo:C.old", **V)


def orders(rows):
    return list(itertools.permutations(rows))


@pytest.fixture
def zoo(world):
    world.write("zoo.py", ZOO)


@pytest.mark.parametrize("rows", orders([METHOD, ON_NEW]))
def test_an_old_method_takes_the_old_arguments_of_the_new_one(world, installed, zoo, rows):
    installed(*rows)
    seen = world.ok("import zoo\nresult = zoo.C().old(qty=3)\n")
    assert seen.namespace["result"] == ("new", 3)
    assert set(seen.counted()) == {("zoo:C.old", "call", 2)}
    seen = world.ok("import zoo\nresult = zoo.C().new(qty=3)\n")
    assert seen.once(("zoo:C.new(qty)", "argument", 2))["result"] == ("new", 3)


@pytest.mark.parametrize("rows", orders([METHOD, ON_OLD]))
def test_an_old_method_has_old_arguments_of_its_own(world, installed, zoo, rows):
    installed(*rows)
    seen = world.ok("import zoo\nresult = zoo.C().old(amount=3)\n")
    assert seen.namespace["result"] == ("new", 3)
    assert seen.counted()[("zoo:C.old(amount)", "argument", 2)] == 1


@pytest.mark.parametrize("rows", orders([MAKE, ON_MAKE]))
def test_an_old_class_method_takes_the_old_arguments_of_the_new_one(world, installed, zoo, rows):
    installed(*rows)
    seen = world.ok("import zoo\nresult = zoo.C.build(number=3)\n")
    assert seen.namespace["result"] == ("make", 3)
    assert seen.counted()[("zoo:C.build", "call", 2)] == 1


@pytest.mark.parametrize("rows", orders([METHOD, AGAIN, ON_NEW]))
def test_a_method_that_was_renamed_twice_is_served_by_both_names(world, installed, zoo, rows):
    installed(*rows)
    seen = world.ok("import zoo\nresult = zoo.C().oldest(2)\n")
    assert seen.namespace["result"] == ("new", 2)
    assert seen.counted()[("zoo:C.oldest", "call", 2)] == 1


def test_what_was_composed_is_taken_out_again(world, installed, zoo):
    installation = installed(METHOD, ON_NEW, MAKE, ON_MAKE, AGAIN)
    namespace = world.ok("import zoo\nC = zoo.C\n").namespace
    before = vars(namespace["C"])["new"]
    installation.remove()
    assert sorted(name for name in vars(namespace["C"]) if not name.startswith("__")) == ["make", "new"]
    assert before is not vars(namespace["C"])["new"] and namespace["C"]().new(4) == ("new", 4)
