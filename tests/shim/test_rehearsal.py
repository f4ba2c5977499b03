"""At the removal version, what asks whether something is there gets the answer that it gets after the removal."""

from __future__ import annotations

import sys

import pytest

from compat import Deprecated, LegacyExpiredError, Method, Module, Name, Removed

V = {"since": "1.0", "removal": "2.0", "instead": None}
ROWS = [
    Module("oldroot", "canon", **V),
    Name("oldns.mod:make", "canon.core:make", **V),
    Name("oldns.mod:Widget", "canon.core:Widget", since="1.0", removal="3.0", instead=None),
    Name("oldns.gone:make", "canon.core:make", **V),
    Name("live.mod:Point", "canon.core:Point", **V),
    Method("canon.things:Thing.old", "canon.things:Thing.new", **V),
    Method("canon.things:Thing.old_class", "canon.things:Thing.new_class", **V),
    Method("canon.things:Thing.old_static", "canon.things:Thing.new_static", **V),
    Method("canon.things:Thing.OLD", "canon.things:Thing.NEW", **V),
    Method("canon.things:Thing.old_property", "canon.things:Thing.new_property", **V),
    Removed("oldns.mod:dropped", since="1.0", removal="2.0", instead=None),
]
THINGS = """
class Thing:
    NEW = 1
    def new(self): return 1
    @classmethod
    def new_class(cls): return 2
    @staticmethod
    def new_static(): return 3
    @property
    def new_property(self): return 4
class Sub(Thing): pass
"""
MEMBERS = ("old", "old_class", "old_static", "OLD", "old_property")


@pytest.fixture
def world(world):
    world.write("canon/things.py", THINGS)
    return world


@pytest.mark.parametrize("version, is_there", [("1.5", True), ("2.0", False)])
class TestWhatAsks:
    def test_find_spec(self, world, installed, version, is_there):
        installed(*ROWS, version=version)
        code = "from importlib.util import find_spec\nfound = [find_spec(name) is not None for name in {!r}]\n"
        seen = world.ok(code.format(("oldroot", "oldns.gone")), filters="ignore")
        assert seen.namespace["found"] == [is_there, is_there]
        assert world.ok(code.format(("oldns.mod", "oldns")), filters="ignore").namespace["found"] == [True, True]

    def test_find_spec_below(self, world, installed, version, is_there):
        installed(*ROWS, version=version)
        code = "from importlib.util import find_spec\ntry:\n    found = find_spec('oldroot.core') is not None\nexcept ModuleNotFoundError:\n    found = False\n"
        assert world.ok(code, filters="ignore").namespace["found"] is is_there

    @pytest.mark.parametrize("owner", ["Thing", "Thing()", "Sub", "Sub()"])
    @pytest.mark.parametrize("name", MEMBERS)
    def test_hasattr_of_members(self, world, installed, owner, name, version, is_there):
        installed(*ROWS, version=version)
        code = f"from canon.things import Thing, Sub\nfound = hasattr({owner}, {name!r}), getattr({owner}, {name!r}, None) is not None\n"
        assert world.ok(code, filters="ignore").namespace["found"] == (is_there, is_there)

    @pytest.mark.parametrize("module, name", [("oldns.mod", "make"), ("live.mod", "Point")])
    def test_hasattr_and_dir_of_modules(self, world, installed, module, name, version, is_there):
        installed(*ROWS, version=version)
        code = f"import {module} as m\nfound = hasattr(m, {name!r}), {name!r} in dir(m)\n"
        assert world.ok(code, filters="ignore").namespace["found"] == (is_there, is_there)


@pytest.mark.parametrize("use", ["Thing.old", "Thing().old()", "Sub().old_class()", "Thing.old_static()", "Thing().old_property"])
def test_a_use_of_an_expired_member_says_what_to_write_and_is_counted(world, installed, use):
    installed(*ROWS, version="2.0")
    seen = world.use(f"from canon.things import Thing, Sub\n{use}\n")
    assert isinstance(seen.error, LegacyExpiredError) and isinstance(seen.error, AttributeError)
    assert "has expired: it was deprecated in kit 1.0 and removed in 2.0. Use Thing.new" in str(seen.error)
    assert [(kind, line, count) for (_, kind, line), count in seen.counted().items()] == [("attribute", 2, 1)]


def test_what_is_deprecated_in_place_is_still_there(world, installed):
    installed(Deprecated("canon.core:make", **V), version="2.0")
    assert world.ok("import canon.core\nfound = hasattr(canon.core, 'make')\n", filters="ignore").namespace["found"] is True


@pytest.mark.parametrize("statement", ["import oldns.gone", "import oldns.gone as m", "import oldns.gone.below"])
def test_a_bare_import_of_a_module_whose_names_have_all_expired_fails_as_after_the_removal(world, installed, statement):
    rows = [*ROWS, Name("oldns.gone.below:make", "canon.core:make", **V), Name("oldns.gone.below:sub", "canon.sub:make", **V)]
    installed(*rows, version="2.0")
    seen = world.use(statement)
    assert isinstance(seen.error, ModuleNotFoundError) and isinstance(seen.error, LegacyExpiredError)
    name = statement.split()[1]
    assert str(seen.error).startswith(f"Importing {name!r} has expired: it was deprecated in kit 1.0 and removed in 2.0. ")
    assert "canon.core" in str(seen.error) and seen.error.name == name
    assert not world.ok("try:\n    import oldns.gone\nexcept ImportError:\n    pass\nimport oldns.mod").error


LOADERS = {
    "a from-import": "from oldns.gone import make",
    "a from-import of the package": "from oldns import gone",
    "a child": "import oldns.gone.below",
    "import_module": "import importlib\n    importlib.import_module('oldns.gone')",
}


@pytest.mark.parametrize("loader", LOADERS.values(), ids=LOADERS)
@pytest.mark.parametrize("statement", ["import oldns.gone", "import oldns.gone as m"])
def test_it_fails_whatever_has_loaded_the_module_before(world, installed, loader, statement):
    installed(*ROWS, Name("oldns.gone.below:make", "canon.core:make", **V), version="2.0")
    world.ok(f"try:\n    {loader}\nexcept ImportError:\n    pass\n", filters="ignore")
    assert "oldns.gone" in sys.modules
    for _ in range(2):
        seen = world.use(f"x = 1\n{statement}")
        assert isinstance(seen.error, ModuleNotFoundError) and isinstance(seen.error, LegacyExpiredError)
        assert str(seen.error).startswith("Importing 'oldns.gone' has expired") and seen.error.name == "oldns.gone"
    assert world.ok("import oldns.mod, oldns").error is None


def test_a_from_import_of_such_a_module_names_the_row(world, installed):
    installed(*ROWS, version="2.0")
    seen = world.use("from oldns.gone import make")
    assert "Importing make from 'oldns.gone' has expired" in str(seen.error) and len(seen.counted()) == 1


def test_before_the_removal_a_bare_import_is_served(world, installed):
    installed(*ROWS, version="1.5")
    assert world.ok("import oldns.gone").error is None
