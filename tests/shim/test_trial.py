"""What cannot be served: ``check`` says so before and after installing, one line is logged, and nothing is raised."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

import compat
from compat import Argument, LedgerError, Method, Module, Name, Removed

V = {"since": "1.0", "removal": "2.0", "instead": None}
GONE = {"since": "1.0", "instead": "nothing"}

ZOO = """
import array

class K:
    KEPT = 1

    def __init__(self, new=1):
        self.new = new

    def m(self, quantity=1):
        return quantity

    def kept(self):
        return "kept"


class Sub(K):
    pass


class Immutable(int):
    __slots__ = ()


def f(c=1):
    return c


LIMIT = 1
"""

REFUSED = {
    "a method that leads back to itself": (Method("zoo:K.m", "zoo:K.m", **V), "the move leads back to itself"),
    "a method of C code": (
        Method("array:array.old", "array:array.append", **V),
        "'array:array' is a type written in C, whose members cannot be set",
    ),
    "a name of a C type": (
        Name("array:array.OLD", "zoo:f", **V),
        "'array:array' is a type written in C, whose members cannot be set",
    ),
    "a removed member of a C type": (
        Removed("array:array.gone", **GONE),
        "'array:array' is a type written in C, whose members cannot be set",
    ),
    "a constant as the new method": (Method("zoo:K.old", "zoo:LIMIT", **V), "'zoo:LIMIT' is not callable"),
    "a member of no class": (Method("zoo:f.old", "zoo:f", **V), "'zoo:f' is no class"),
    "a property that is called": (Method("zoo:K.old", "zoo:K.m", was="method", **V), "'zoo:K.m' is called, too"),
    "a method that is read": (Method("zoo:K.old", "zoo:K.KEPT", was="property", **V), "'zoo:K.KEPT' is not called"),
    "a method in place of a property of its name": (
        Method("zoo:K.m", "zoo:K.m", was="property", **V),
        "reading it cannot be told from taking the method",
    ),
    "a method that is still there": (Method("zoo:K.kept", "zoo:K.m", **V), "class 'K' still has a 'kept' of its own"),
    "a method that a base has": (Method("zoo:Sub.kept", "zoo:Sub.m", **V), "class 'Sub' still has a 'kept' of its own"),
    "an argument of no callable": (Argument("zoo:K.KEPT", "old", became="new", **V), "'zoo:K.KEPT' is not callable"),
    "an argument of a class in C": (
        Argument("array:array", "old", became="new", **V),
        "'array:array' is a class without a constructor in Python",
    ),
    "an argument that became none": (Argument("zoo:f", "old", became="nwe", **V), "'zoo:f' takes no argument 'nwe'"),
    "a dropped argument that is taken": (Argument("zoo:f", "c", became=None, **V), "'zoo:f' still takes 'c'"),
    "a name of a class that still has it": (Name("zoo:K.kept", "zoo:f", **V), "class 'K' still has a 'kept' of its own"),
    "a removed member that is still there": (Removed("zoo:K.kept", **GONE), "class 'K' still has a 'kept' of its own"),
    "a name that leads back to itself": (Name("zoo:g", "zoo:g", **V), "the move leads back to itself"),
    "a name that is still there": (Name("zoo:f", "zoo:K", **V), "the module still defines the name"),
    "a removed name that is still there": (Removed("zoo:f", **GONE), "the module still defines the name"),
    "a module that is still there": (Module("zoo", "array", **V), "module 'zoo' still exists"),
    "a removed module that is still there": (Removed("zoo", **GONE), "module 'zoo' still exists"),
}
SERVED = Name("zoo:Old", "zoo:K", **V)


@pytest.fixture
def zoo(world):
    world.write("zoo.py", ZOO)


@pytest.mark.parametrize("row, reason", REFUSED.values(), ids=REFUSED)
def test_check_says_what_cannot_be_served_before_and_after_installing(world, ledger_of, zoo, caplog, row, reason):
    ledger = ledger_of(row, SERVED)
    for _ in range(2):
        with pytest.raises(LedgerError) as caught:
            compat.check(ledger)
        assert {name for name, *_ in caught.value.faults} == {f"{type(row).__name__}({row.legacy!r})"}
        assert any(reason in said for _name, said, _remedy in caught.value.faults)
    with caplog.at_level(logging.INFO, "compat"), compat.install(ledger):
        seen = world.ok(
            "import zoo, array\nresult = zoo.Old(new=2).new, zoo.K().m(3), zoo.f(4), zoo.K().kept(), zoo.Sub().kept()\n"
        )
        assert seen.namespace["result"] == (2, 3, 4, "kept", "kept")
        assert seen.counted() == {("zoo:Old", "attribute", 2): 1}
        logged = [record.getMessage() for record in caplog.records if row.legacy in record.getMessage()]
        assert len(logged) == (not reason.startswith("module "))
        for _ in range(2):
            with pytest.raises(LedgerError) as caught:
                compat.check(ledger)
            assert reason in str(caught.value)
    assert "Old" not in vars(__import__("zoo"))


def test_a_check_leaves_the_code_as_it_was(world, ledger_of, zoo):
    import zoo as module

    before = dict(vars(module)), dict(vars(module.K))
    rows = [Method("zoo:K.old", "zoo:K.m", **V), Argument("zoo:K", "old", became="new", **V), SERVED]
    assert compat.check(ledger_of(*rows)) is None
    assert (dict(vars(module)), dict(vars(module.K))) == before
    with compat.install(ledger_of(*rows)):
        put = dict(vars(module.K))
        assert compat.check(ledger_of(*rows)) is None
        assert dict(vars(module.K)) == put


@pytest.mark.parametrize(
    "kind",
    [
        "class K:\n    def __init__(self, new=1):\n        self.new = new",
        "class K:\n    def __new__(cls, new=1):\n        self = object.__new__(cls)\n        self.new = new\n        return self",
        "class K:\n    def __new__(cls, new=1):\n        return object.__new__(cls)\n\n    def __init__(self, new=1):\n        self.new = new",
        "class M(type): pass\nclass K(metaclass=M):\n    __slots__ = ('new',)\n\n    def __init__(self, new=1):\n        self.new = new",
        "import dataclasses\n@dataclasses.dataclass\nclass K:\n    new: int = 1",
        "from typing import NamedTuple\nclass K(NamedTuple):\n    new: int = 1",
    ],
    ids=["init", "new", "both", "metaclass and slots", "dataclass", "named tuple"],
)
def test_a_class_takes_the_old_argument_and_stays_the_class(world, installed, kind):
    world.write("zoo.py", kind + "\n\nclass Sub(K):\n    pass\n")
    installed(Argument("zoo:K", "old", became="new", **V))
    seen = world.ok(
        "from zoo import K, Sub\n"
        "result = K(old=3).new, Sub(old=4).new, K(new=5).new\n"
        "same = isinstance(K, type) and isinstance(Sub(), K) and issubclass(Sub, K)\n"
    )
    assert seen.namespace["result"] == (3, 4, 5) and seen.namespace["same"]
    assert seen.counted() == {("zoo:K(old)", "argument", 2): 2}
    assert seen.lines == [2, 2]


@pytest.mark.parametrize("turned", [False, True])
def test_an_argument_that_was_renamed_twice_arrives_under_its_last_name(world, installed, zoo, turned):
    rows = [Argument("zoo:f", "a", became="b", **V), Argument("zoo:f", "b", became="c", **V)]
    installed(*(reversed(rows) if turned else rows))
    seen = world.ok("import zoo\nresult = [zoo.f(a=2),\n zoo.f(b=3),\n zoo.f(c=4)]\n")
    assert seen.namespace["result"] == [2, 3, 4]
    assert seen.counted() == {("zoo:f(a)", "argument", 2): 1, ("zoo:f(b)", "argument", 3): 1}
    seen = world.use("import zoo\nzoo.f(a=1, c=2)")
    assert str(seen.error) == "f() got multiple values for argument 'c'"


def test_a_row_leaves_a_runtime_protocol_what_it_asks_of_instances(world, ledger_of, installed):
    world.write(
        "zoo.py",
        "from typing import Protocol, runtime_checkable\n@runtime_checkable\nclass P(Protocol):\n    def new(self): ...\n",
    )
    row = Method("zoo:P.old", "zoo:P.new", **V)
    if sys.version_info < (3, 12):  # from then on a protocol knows its members from its class statement
        with pytest.raises(compat.LedgerError, match="'P' is a runtime protocol"):
            compat.check(ledger_of(row))
    else:
        assert compat.check(ledger_of(row)) is None
    installed(row)
    seen = world.ok("import zoo\nclass Y:\n    def new(self): ...\nresult = isinstance(Y(), zoo.P)\n")
    assert seen.namespace["result"] is True


def test_a_ledger_that_stands_by_is_checked_as_one_that_nobody_serves(world):
    world.write(
        "moves.py",
        """
        from compat import Ledger, Module
        V = {"since": "1.0", "removal": "2.0", "instead": None}
        paths = ("live.gone", "live.mod.gone", "oldroot", "live.mod")
        LEDGER = Ledger("kit", version="1.5") + [Module(path, "canon.core", **V) for path in paths]
    """,
    )
    world.write("kit-1.dist-info/entry_points.txt", "[compat.ledgers]\nlive = moves:LEDGER\n")
    code = "import compat.auto, compat, live, moves; compat.check(moves.LEDGER)"
    done = subprocess.run([sys.executable, "-c", code], cwd=world.root, capture_output=True, text=True, check=False)
    assert done.stderr.partition("LedgerError: ")[2] == (
        "ledger 'kit' has 1 fault:\n  Module('live.mod'): module 'live.mod' still exists. delete the module, or the row\n"
    ), done.stderr
