"""A module that carries rows is pickled by reference, as a plain one is by those that pickle modules."""

from __future__ import annotations

import copy
import pickle
import sys

import pytest

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
