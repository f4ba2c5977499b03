"""A module that carries rows is a module to everybody: pickled by reference, reloaded, run, documented."""

from __future__ import annotations

import copy
import functools
import pickle
import sys
import typing

import pytest

import compat
from compat import Module, Name

cloudpickle = pytest.importorskip("cloudpickle", reason="cloudpickle is in the test group")

V = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.fixture
def home(world, installed):
    installed(
        Name("live:Widget", "canon.core:Widget", **V),
        Name("live.gone:Widget", "canon.core:Widget", **V),
        Module("old.mod", "canon.core", **V),
    )
    return world


CARRIERS = {
    "a live module": ("live", "live"),
    "a moved module": ("old.mod", "canon.core"),
    "a module that holds rows only": ("live.gone", "live.gone"),
}


@pytest.mark.parametrize("name, found", CARRIERS.values(), ids=CARRIERS)
def test_a_module_is_a_reference_to_those_that_pickle_and_copy(home, name, found):
    seen = home.ok(f"import {name} as m")
    module = seen.namespace["m"]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(module, protocol)) is sys.modules[found]
    assert copy.deepcopy([module]) == [sys.modules[found]] and copy.copy(module) is sys.modules[found]


@pytest.mark.parametrize("name, found", CARRIERS.values(), ids=CARRIERS)
def test_a_function_that_refers_to_a_module_is_pickled(home, name, found):
    seen = home.ok(f"import {name} as m\nget = lambda: m\nclass Holder:\n    held = m\n    def get(self): return m\n")
    for one in ("get", "Holder"):
        made = cloudpickle.loads(cloudpickle.dumps(seen.namespace[one]))
        assert (made if one == "get" else made().get)() is sys.modules[found]
    assert not [use for use in seen.uses if use.kind != "import"]


@pytest.mark.parametrize("name, found", CARRIERS.values(), ids=CARRIERS)
def test_dill_takes_a_module_for_a_reference(home, name, found):
    dill = pytest.importorskip("dill", reason="dill is in the test group")
    seen = home.ok(f"import {name} as m\n")
    module, before = seen.namespace["m"], compat.usage()
    for options in ({}, {"recurse": True}, {"byref": True}):
        held = functools.partial(getattr, module)
        assert dill.loads(dill.dumps([module, held], **options))[0] is sys.modules[found]
        assert dill.loads(dill.dumps(held, **options)).args == (sys.modules[found],)
    assert compat.usage() == before


PACKAGE = '''"""A package."""
import json
from . import child
SIZE: int = 1
def stay(x: "int" = 1) -> int:
    """
    >>> stay(2)
    2
    """
    return x
'''
HEAD = "import doctest, importlib, inspect, pydoc, runpy, types, typing, {0} as m\n"
LOOKS = [
    "repr(m), m.__annotations__, isinstance(m, types.ModuleType), inspect.ismodule(m), type(m).__name__, type(m).__module__",
    "[name for name, _ in inspect.getmembers(m, inspect.ismodule)]",
    "typing.get_type_hints(m), typing.get_type_hints(m.stay)",
    "inspect.getsource(m), inspect.getfile(m), inspect.getmodule(m.stay) is m, inspect.getattr_static(m, 'SIZE')",
    "pydoc.plain(pydoc.render_doc(m)), pydoc.HTMLDoc().docmodule(m)",
    "doctest.testmod(m).attempted",
    "importlib.reload(m) is m, importlib.reload(m.child) is m.child, m.__spec__.name, type(m.child).__name__",
    "sorted(runpy.run_module(m.__name__ + '.child')), runpy.run_module(m.__name__ + '.child', run_name='__main__')['NAME']",
]


@pytest.mark.parametrize("look", LOOKS)
def test_a_live_module_with_rows_looks_as_one_without(world, installed, monkeypatch, look):
    for package in ("rows", "none"):
        monkeypatch.delitem(sys.modules, package, raising=False)
        monkeypatch.delitem(sys.modules, f"{package}.child", raising=False)
        world.write(f"{package}/__init__.py", PACKAGE)
        world.write(f"{package}/child.py", "NAME = __name__\n")
    installed(Name("rows:Widget", "canon.core:Widget", **V), Name("rows.child:Widget", "canon.core:Widget", **V))
    bare, ours = (world.ok(f"{HEAD.format(name)}got = {look}\n", filters="ignore", elsewhere=True) for name in ("none", "rows"))
    assert str(ours.namespace["got"]) == str(bare.namespace["got"]).replace("none", "rows")
    assert not ours.uses
    module = ours.namespace["m"]
    with pytest.warns(DeprecationWarning):
        assert module.Widget is module.child.Widget is sys.modules["canon.core"].Widget


def test_a_moved_module_has_the_annotations_of_the_canonical_one(world, installed):
    world.write("canon/typed.py", "SIZE: int = 1\n")
    installed(Module("old.typed", "canon.typed", **V), Module("old.mod", "canon.core", **V))
    seen = world.ok(
        """
        import old.mod, old.typed as m
        got = m.__annotations__, old.mod.__annotations__
        """
    )
    assert seen.namespace["got"] == ({"SIZE": int}, {})
    assert not [use for use in seen.uses if use.kind != "import"]
    with pytest.warns(DeprecationWarning, match="Using module"):
        assert typing.get_type_hints(seen.namespace["m"]) == {"SIZE": int}
