"""Members of classes that are gone, that moved elsewhere, or that became something else."""

from __future__ import annotations

import inspect

import pytest

import compat
from compat import Method, Name, Removed

V = {"since": "1.0", "removal": "2.0", "instead": None}
GONE = {"since": "1.0", "instead": "K.new"}

ZOO = """
LIMIT = 9


def describe(thing, loud=False):
    return (type(thing).__name__, loud)


class Other:
    ANSWER = 42


class K:
    def __init__(self):
        self.width = 3

    @property
    def ready(self):
        return True

    def size(self):
        return 5


class Sub(K):
    gone = "its own"
"""

REMOVED = Removed("zoo:K.gone", **GONE)
MOVED = Name("zoo:K.LIMIT", "zoo:LIMIT", **V)
ELSEWHERE = Name("zoo:K.ANSWER", "zoo:Other.ANSWER", **V)
FUNCTION = Method("zoo:K.describe", "zoo:describe", **V)
READ_FUNCTION = Method("zoo:K.shown", "zoo:describe", was="property", **V)
CALLED = Method("zoo:K.is_ready", "zoo:K.ready", was="method", **V)
SAME_NAME = Method("zoo:K.ready", "zoo:K.ready", was="method", **V)
READ = Method("zoo:K.length", "zoo:K.size", was="property", **V)
OF_INSTANCES = Method("zoo:K.w", "zoo:K.width", **V)
ROWS = [REMOVED, MOVED, ELSEWHERE, FUNCTION, READ_FUNCTION, CALLED, SAME_NAME, READ, OF_INSTANCES]


@pytest.fixture
def zoo(world):
    world.write("zoo.py", ZOO)
    return world


def test_check_takes_them_before_and_after_installing(zoo, installed, ledger_of):
    assert compat.check(ledger_of(*ROWS)) is None
    installed(*ROWS)
    assert compat.check(ledger_of(*ROWS)) is None


@pytest.mark.parametrize("use, kind", [("K().gone", "attribute"), ("K.gone", "attribute"), ("K().gone()", "call")])
def test_a_removed_member_says_what_to_write_and_is_counted(zoo, installed, use, kind):
    installed(*ROWS)
    for _ in range(2):
        seen = zoo.use(f"from zoo import K\n{use}")
        assert isinstance(seen.error, AttributeError) and isinstance(seen.error, compat.errors.RemovedAttribute)
        said = "Calling K.gone() of 'zoo'" if kind == "call" else "Using K.gone from 'zoo'"
        assert str(seen.error) == (f"{said} is impossible: it was removed in kit 1.0. Use K.new instead. See MIGRATION.md.")
        assert seen.counted() == {("zoo:K.gone", kind, 2): 1}


def test_what_a_subclass_or_an_instance_has_under_a_removed_name_answers(zoo, installed):
    installed(*ROWS)
    seen = zoo.ok(
        """
        import inspect
        from zoo import K, Sub
        one = K()
        one.gone = 1
        got = Sub.gone, Sub().gone, one.gone, getattr(K(), "LIMIT")
        listed = dict(inspect.getmembers(K()))
        """
    )
    assert seen.namespace["got"] == ("its own", "its own", 1, 9)
    assert seen.counted() == {("zoo:K.LIMIT", "attribute", 6): 1}
    assert "gone" not in seen.namespace["listed"]
    assert zoo.ok("from zoo import K\nhad = hasattr(K, 'gone')").namespace["had"] is False


def test_an_attribute_of_a_class_that_moved_is_what_stands_there(zoo, installed):
    installed(*ROWS)
    seen = zoo.ok("from zoo import K, Sub\ngot = [K.LIMIT,\n K().ANSWER,\n Sub.ANSWER]\n")
    assert seen.namespace["got"] == [9, 42, 42]
    assert seen.counted() == {
        ("zoo:K.LIMIT", "attribute", 2): 1,
        ("zoo:K.ANSWER", "attribute", 3): 1,
        ("zoo:K.ANSWER", "attribute", 4): 1,
    }
    assert "Use canonical path 'from zoo import LIMIT' instead." in seen.warned[0][1]


def test_a_method_that_became_a_function_is_called_with_the_object(zoo, installed):
    installed(*ROWS)
    seen = zoo.ok("from zoo import K, Sub\ngot = [K().describe(),\n Sub().describe(loud=True),\n K().shown]\n")
    assert seen.namespace["got"] == [("K", False), ("Sub", True), ("K", False)]
    assert seen.counted() == {
        ("zoo:K.describe", "call", 2): 1,
        ("zoo:K.describe", "call", 3): 1,
        ("zoo:K.shown", "attribute", 4): 1,
    }
    assert "Call zoo.describe() with it instead." in seen.warned[0][1]
    assert str(inspect.signature(seen.namespace["K"]().describe)) == "(loud=False)"


def test_what_was_called_and_is_read_now_and_the_other_way_round(zoo, installed):
    installed(*ROWS)
    seen = zoo.ok(
        """
        from zoo import K
        got = [
            K().is_ready(),
            K().ready(),
            K().length,
            K().ready,
            K().size(),
        ]
        """
    )
    assert seen.namespace["got"] == [True, True, 5, True, 5]
    assert seen.counted() == {
        ("zoo:K.is_ready", "call", 4): 1,
        ("zoo:K.ready", "call", 5): 1,
        ("zoo:K.length", "attribute", 6): 1,
    }
    assert [text.partition("2.0. ")[2].partition(". See")[0] for _line, text in seen.warned] == [
        "Read K.ready instead",
        "Read K.ready instead",
        "Call K.size() instead",
    ]


def test_an_attribute_of_instances_goes_by_its_old_name(zoo, installed):
    installed(*ROWS)
    seen = zoo.ok("from zoo import K\none = K()\none.w += 1\ngot = one.width, one.w\n")
    assert seen.namespace["got"] == (4, 4)
    assert seen.counted() == {
        ("zoo:K.w", "attribute", 3): 1,
        ("zoo:K.w", "set", 3): 1,
        ("zoo:K.w", "attribute", 4): 1,
    }


def test_all_of_it_is_taken_off_again(zoo, installed):
    import zoo as module

    before = dict(vars(module.K))
    installed(*ROWS).remove()
    assert dict(vars(module.K)) == before


def test_a_member_of_a_c_type_that_can_be_set_is_served(zoo, installed):
    pytest.importorskip("_json", reason="the C type whose members can be set is one of CPython's")
    installed(Method("_json:make_scanner.is_strict", "_json:make_scanner.strict", **V))
    seen = zoo.ok("import json, json.scanner\ngot = json.scanner.c_make_scanner(json.JSONDecoder()).is_strict")
    assert seen.once(("_json:make_scanner.is_strict", "attribute", 2))["got"] is True
