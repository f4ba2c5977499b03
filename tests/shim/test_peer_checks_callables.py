"""The checks that decorators for deprecated functions and classes were put through, row by row."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import inspect
import pickle
import sys

import pytest

from compat import Class, Method, Name

DATES = {"since": "1.0", "removal": "2.0", "instead": None}
MODULE = """
    import functools

    class C:
        KIND = "plain"
        def __init__(self, x=1):
            self.x = x
        def new(self, x=1):
            return x
        async def anew(self, x=1):
            return x
        def gen(self):
            yield 1
        async def agen(self):
            yield 1
        @classmethod
        def cnew(cls):
            return cls
        @property
        def pnew(self):
            return self.x
"""


@pytest.fixture
def legacy(world, installed):
    """Legacy methods on a class that stays, a class that factories build now, and moved names."""
    world.write("canon/real.py", MODULE)
    world.write("shimmed.py", "from compat import Adapter\nclass Built(Adapter, of='canon.real:C'):\n    pass\n")
    methods = {"old": "new", "aold": "anew", "genold": "gen", "agenold": "agen", "cold": "cnew", "pold": "pnew"}
    moved = ("Widget", "Failure", "Point", "Color", "Box", "Closable", "Pair", "make")
    installed(
        *(Method(f"canon.real:C.{old}", f"canon.real:C.{new}", **DATES) for old, new in methods.items()),
        *(Name(f"live:{name}", f"canon.core:{name}", **DATES) for name in moved),
        Class("live:Built", "canon.real:C", adapter="shimmed:Built", **DATES),
    )
    yield world
    sys.modules.pop("shimmed", None)


HEAD = "from canon.real import C\nimport live\nc = C()\n"


def used(world, source, *lines, kind="call", **options):
    """Run code from line 4 on; each of ``lines`` is warned and counted once."""
    seen = world.ok(HEAD + source, **options)
    assert seen.lines == list(lines)
    assert sorted(use.line for use in seen.uses if use.kind == kind for _ in range(use.count)) == sorted(lines)
    return seen.namespace


def quiet(world, source):
    return used(world, source)


@pytest.fixture
def kind(legacy):
    """The canonical class with its legacy methods."""
    import canon.real

    return canon.real.C


@pytest.fixture
def core(legacy):
    import canon.core

    return canon.core


def live(world, name):
    """A moved class or function as legacy code gets it."""
    return world.ok(f"from live import {name}").namespace[name]


def test_call_attribution(legacy):
    used(legacy, "\nc.old()", 5)


def test_thread_target_old(legacy):
    used(legacy, "import threading\nt = threading.Thread(target=c.old)\nt.start()\nt.join()", 5)


def test_map_old(legacy):
    assert used(legacy, "r = list(map(c.old, [1, 2]))", 4, 4)["r"] == [1, 2]


def test_method(legacy):
    assert used(legacy, "r = c.old(3)", 4)["r"] == 3


def test_above_classmethod(legacy):
    names = used(legacy, "r = C.cold()\ns = c.cold()", 4, 5)
    assert names["r"] is names["C"] is names["s"]


def test_above_property(legacy):
    assert used(legacy, "r = c.pold", 4, kind="attribute")["r"] == 1


def test_iscoroutinefunction_inspect_and_asyncio(kind):
    assert inspect.iscoroutinefunction(kind.aold)
    if sys.version_info < (3, 14):
        assert asyncio.iscoroutinefunction(kind.aold)


def test_await_old(legacy):
    used(legacy, "import asyncio\nasync def f():\n    await c.aold()\nasyncio.run(f())", 6)


def test_create_task_old(legacy):
    used(legacy, "import asyncio\nasync def f():\n    await asyncio.create_task(c.aold())\nasyncio.run(f())", 6)


def test_isgeneratorfunction(kind):
    assert inspect.isgeneratorfunction(kind.genold)


def test_isasyncgenfunction(kind):
    assert inspect.isasyncgenfunction(kind.agenold)


def test_pickle_fn(legacy, core):
    make = live(legacy, "make")
    assert pickle.loads(pickle.dumps(make)) is make is core.make


def test_pickle_bound_method(kind):
    # New pickles name what is canonical.
    bound = pickle.loads(pickle.dumps(kind(3).old))
    assert bound.__func__ is kind.new and bound.__self__.x == 3 and bound() == 1


def test_deepcopy_fn(kind):
    assert copy.deepcopy(kind.old) is kind.old and copy.copy(kind.aold) is kind.aold


def test_5x_loop_default_filter(legacy):
    seen = legacy.ok(HEAD + "for _ in range(5):\n    c.old()", filters="default")
    assert seen.lines == [5] and seen.counted() == {("canon.real:C.old", "call", 5): 5}


def test_2_sites_default_filter(legacy):
    used(legacy, "c.old()\nc.old()", 4, 5, filters="default")


def test_pytest_warns_2nd_time(kind):
    for _ in range(3):
        with pytest.warns(DeprecationWarning):
            kind().old()


def test_w_error_twice(legacy):
    source = "raised = 0\nfor _ in range(2):\n    try:\n        c.old()\n    except DeprecationWarning:\n        raised += 1"
    seen = legacy.ok(HEAD + source, filters="error")
    assert seen.namespace["raised"] == 2 and seen.counted() == {("canon.real:C.old", "call", 7): 2}


CLASSES = pytest.mark.parametrize(("name", "kind"), [("Widget", "attribute"), ("Built", "construct")])


@CLASSES
def test_class_inst(legacy, name, kind):
    head = f"from live import {name}\n" if kind == "construct" else ""
    source = f"r = {name}(3)" if head else f"r = live.{name}(3)"
    seen = legacy.ok(f"{head}import live\n{source}")
    line = 3 if head else 2
    assert seen.counted(kind) == {(f"live:{name}", kind, line): 1} and line in seen.lines
    assert seen.namespace["r"].x == 3


@CLASSES
def test_isclass(legacy, name, kind):
    assert inspect.isclass(live(legacy, name)) and isinstance(live(legacy, name), type)


@CLASSES
def test_isinstance_c_c(legacy, name, kind):
    assert legacy.ok(f"from live import {name} as old\nr = isinstance(old(), old)").namespace["r"]


@CLASSES
def test_c_classmethod(legacy, name, kind):
    assert live(legacy, name).KIND == "plain"
    quiet(legacy, "r = C.cnew()")


def test_subclass_definition(legacy):
    names = legacy.ok("from live import Built, Widget\n\nclass D(Built): pass\nclass E(Widget): pass")
    assert names.counted("subclass") == {("live:Built", "subclass", 3): 1}
    used(legacy, "class D(live.Widget): pass", 4, kind="attribute")


def test_subclass_instantiation(legacy):
    seen = legacy.ok("from live import Built\nclass D(Built): pass\nd = D(5)\nx = d.x")
    assert seen.counted("construct") == {("live:Built", "construct", 3): 1} and seen.namespace["x"] == 5


def test_pickle_instance(legacy, core):
    made = live(legacy, "Widget")(4)
    assert pickle.loads(pickle.dumps(made)) == core.Widget(4)
    with pytest.warns(DeprecationWarning):
        built = live(legacy, "Built")(4)
    assert pickle.loads(pickle.dumps(built)).x == 4


def test_signature_c(legacy, kind, core):
    assert inspect.signature(live(legacy, "Widget")) == inspect.signature(core.Widget)
    assert inspect.signature(live(legacy, "Built")) == inspect.signature(kind)
    assert inspect.signature(kind.old) == inspect.signature(kind.new)


def test_exception_class(legacy, core):
    with pytest.raises(live(legacy, "Failure")):
        raise core.Failure


def test_dataclass_is_eq_replace(legacy, core):
    point = live(legacy, "Point")
    assert dataclasses.is_dataclass(point) and point(1) == core.Point(1)
    assert dataclasses.replace(point(1), x=4).x == 4


def test_enum_class(legacy, core):
    color = live(legacy, "Color")
    assert color(1) is core.Color.RED and isinstance(color.RED, color) and len(list(color)) == 1


def test_generic(legacy, core):
    assert live(legacy, "Box")[int] == core.Box[int]


def test_runtime_protocol_isinstance(legacy, core):
    assert isinstance(type("Door", (), {"close": lambda self: None})(), live(legacy, "Closable"))


def test_named_tuple(legacy, core):
    pair = live(legacy, "Pair")
    assert pair(1, 2)._fields == ("a", "b") and pair(1, 2) == core.Pair(1, 2)


def test_deprecated_attribute_is_left_to_the_stubs(legacy, core):
    # PEP 702's __deprecated__ would mark the canonical object itself, which is not deprecated: the stubs carry it.
    assert not hasattr(live(legacy, "make"), "__deprecated__") and not hasattr(core.make, "__deprecated__")
