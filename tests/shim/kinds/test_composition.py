"""Rows that meet on one target: each order of them gives the same, and each use its own count."""

from __future__ import annotations

import collections
import itertools

import pytest

import compat
from compat import Argument, Method

V = {"since": "1.0", "removal": "2.0", "instead": None}

ZOO = """
class C:
    def new(self, quantity=1):
        return ("new", quantity)

    @classmethod
    def make(cls, count=1):
        return ("make", count)


    async def sleep(self, delay=1):
        return ("sleep", delay)

    def all(self, *args, **kwargs):
        return (*args, *kwargs.values())


class Plain(C):
    pass


def feed(animal, food=1):
    return "fed", food


def run(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
"""

BELOW = """
from zoo import C


class Sub(C):
    def old(self, quantity=1):
        return super().old(quantity)

    def upper(self, quantity):
        return super().old(quantity)

    def upper_amount(self, quantity):
        return super().old(amount=quantity)
"""

METHOD = Method("zoo:C.old", "zoo:C.new", **V)
ON_NEW = Argument("zoo:C.new", "qty", became="quantity", **V)
ON_OLD = Argument("zoo:C.old", "amount", became="quantity", **V)
MAKE = Method("zoo:C.build", "zoo:C.make", **V)
ON_BUILD = Argument("zoo:C.build", "number", became="count", **V)
WAIT = Method("zoo:C.wait", "zoo:C.sleep", **V)
ON_WAIT = Argument("zoo:C.wait", "seconds", became="delay", **V)
ANY = Method("zoo:C.anything", "zoo:C.all", **V)
ON_ANY = Argument("zoo:C.anything", "thing", became="it", **V)
FREE = Method("zoo:C.feed", "zoo:feed", **V)
ON_FREE = Argument("zoo:C.feed", "meal", became="food", **V)
ON_MAKE = Argument("zoo:C.make", "number", became="count", **V)
AGAIN = Method("zoo:C.oldest", "zoo:C.old", **V)


def orders(rows):
    return list(itertools.permutations(rows))


@pytest.fixture
def zoo(world):
    world.write("zoo.py", ZOO)
    world.write("below.py", BELOW)


@pytest.mark.parametrize("rows", orders([METHOD, ON_NEW]))
def test_an_old_method_takes_the_old_arguments_of_the_new_one(world, installed, zoo, rows):
    installed(*rows)
    seen = world.ok("import zoo\nresult = zoo.C().old(qty=3)\n")
    assert seen.namespace["result"] == ("new", 3)
    assert seen.once(("zoo:C.old", "call", 2), ("zoo:C.new(qty)", "argument", 2))
    seen = world.ok("import zoo\nresult = zoo.C().new(qty=3)\n")
    assert seen.once(("zoo:C.new(qty)", "argument", 2))["result"] == ("new", 3)


# The rows, a call that uses the old name alone, and one that uses its old argument too.
ON_OLD_NAMES = {
    "a method": (METHOD, ON_OLD, "zoo.C().old(3)", "zoo.C().old(amount=3)"),
    "a method of a subclass": (METHOD, ON_OLD, "zoo.Plain().old(3)", "zoo.Plain().old(amount=3)"),
    "a method that a subclass overrides": (
        METHOD,
        ON_OLD,
        "__import__('below').Sub().upper(3)",
        "__import__('below').Sub().upper_amount(3)",
    ),
    "a class method": (MAKE, ON_BUILD, "zoo.C.build(3)", "zoo.C.build(number=3)"),
    "a coroutine function": (WAIT, ON_WAIT, "zoo.run(zoo.C().wait(3))", "zoo.run(zoo.C().wait(seconds=3))"),
    "a method of any arguments": (ANY, ON_ANY, "zoo.C().anything(3)", "zoo.C().anything(thing=3)"),
    "a method that became a function": (FREE, ON_FREE, "zoo.C().feed(3)", "zoo.C().feed(meal=3)"),
}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("filters", ["always", "ignore"])
@pytest.mark.parametrize("method, argument, plain, old", ON_OLD_NAMES.values(), ids=ON_OLD_NAMES)
def test_an_old_method_with_an_old_argument_counts_each_for_itself(
    world, installed, zoo, method, argument, plain, old, turned, filters
):
    installed(*([argument, method] if turned else [method, argument]))
    seen = world.ok(f"import zoo\nfor _ in range(3):\n    first = {plain}\n    second = {old}\n", filters=filters, elsewhere=True)
    assert seen.namespace["first"] == seen.namespace["second"] and seen.namespace["first"][-1] == 3
    where = [use for use in compat.usage() if use.kind != "override" and use.file.startswith(str(world.root))]
    counts = collections.Counter()
    for use in where:
        counts[use.move, use.kind] += use.count
    assert counts == {(method.id, "call"): 6, (argument.id, "argument"): 3}


@pytest.mark.parametrize("rows", orders([MAKE, ON_MAKE]))
def test_an_old_class_method_takes_the_old_arguments_of_the_new_one(world, installed, zoo, rows):
    installed(*rows)
    seen = world.ok("import zoo\nresult = zoo.C.build(number=3)\n")
    assert seen.namespace["result"] == ("make", 3)
    assert seen.once(("zoo:C.build", "call", 2), ("zoo:C.make(number)", "argument", 2))


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
    assert sorted(name for name in vars(namespace["C"]) if not name.startswith("__")) == ["all", "make", "new", "sleep"]
    assert before is not vars(namespace["C"])["new"] and namespace["C"]().new(4) == ("new", 4)
