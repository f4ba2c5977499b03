"""At the removal version, what asks whether something is there gets the answer that it gets after the removal."""

from __future__ import annotations

import sys
import traceback

import pytest

import compat
from compat import Argument, Deprecated, LegacyExpiredError, Method, Module, Name, Removed

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
        for used in ("from oldroot import sub", "from oldns import gone", "from oldns.gone import make"):
            assert (world.use(used, filters="ignore").error is None) is is_there, used
        found = world.ok(code.format(("oldroot", "oldns.gone", "oldns")), filters="ignore").namespace["found"]
        assert found == [is_there, is_there, True]

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


IN_PLACE = """
def make(): return 1
def both(): return make()
LIMIT = 2
class Thing:
    def go(self): return 3
    @property
    def size(self): return 4
    @classmethod
    def of(cls): return cls()
    @staticmethod
    def at(): return 5
    def __len__(self): return 6
class Base: pass
"""
PLACES = ("make", "LIMIT", "Thing")
MEMBERS_IN_PLACE = ("go", "size", "of", "at")


@pytest.mark.parametrize("version, is_there", [("1.0", True), ("2.0", False)])
class TestWhatIsDeprecatedInPlace:
    """It is still written in its module, and found there until the removal version; the module's own code still has it."""

    def test_names(self, world, installed, version, is_there):
        world.write("live/place.py", IN_PLACE)
        installed(*(Deprecated(f"live.place:{name}", **V) for name in PLACES), version=version)
        found = world.ok(
            """\
            import live.place as place
            guarded = []
            for name in ("make", "LIMIT", "Thing"):
                try:
                    exec(f"from live.place import {name}")
                    guarded.append(True)
                except ImportError:
                    guarded.append(False)
            from live.place import *
            star = ["make" in dir(), "LIMIT" in dir(), "Thing" in dir()]
            found = [hasattr(place, name) for name in ("make", "LIMIT", "Thing")]
            listed = [name in dir(place) for name in ("make", "LIMIT", "Thing")]
            assert Base is place.Base
            """,
            filters="ignore",
            elsewhere=True,
        ).namespace
        assert found["guarded"] == found["star"] == found["found"] == found["listed"] == [is_there] * 3

    def test_star_imports_by_its_own_list(self, world, installed, version, is_there):
        world.write("live/place.py", IN_PLACE + "__all__ = ['make', 'Base']\n")
        installation = installed(Deprecated("live.place:make", **V), version=version)
        found = world.ok(
            "from live.place import *\nfrom live import place\nstar, every = 'make' in dir(), place.__all__\n", filters="ignore"
        )
        assert found.namespace["star"] is is_there and found.namespace["every"] == (["make"] if is_there else []) + ["Base"]
        installation.remove()
        assert sys.modules["live.place"].__all__ == ["make", "Base"]

    def test_members(self, world, installed, version, is_there):
        world.write("live/place.py", IN_PLACE)
        members = (*MEMBERS_IN_PLACE, "__len__")
        installed(*(Deprecated(f"live.place:Thing.{name}", **V) for name in members), version=version)
        code = "from live.place import Thing\nfound = [hasattr(Thing(), name) for name in {0}], [hasattr(Thing, name) for name in {0}]\n"
        found = world.ok(code.format(MEMBERS_IN_PLACE), filters="ignore").namespace["found"]
        assert found == ([is_there] * 4, [is_there] * 4)
        asked = world.use("from live.place import Thing\nsize = len(Thing())\n", filters="ignore")
        assert asked.namespace.get("size") == (6 if is_there else None) and isinstance(asked.error, TypeError) is not is_there

    def test_one_way_to_use_a_class(self, world, installed, version, is_there):
        world.write("live/place.py", IN_PLACE)
        installed(Deprecated("live.place:Base", on="subclass", **V), version=version)
        seen = world.ok(
            """\
            from live.place import Base
            made = Base()
            try:
                class Mine(Base): pass
                derived = True
            except TypeError:
                derived = False
            """,
            filters="ignore",
        )
        assert seen.namespace["derived"] is is_there


LOOK_UPS = {
    "Color['OLD']": (KeyError, "Use Color.RED instead."),
    "Color.__members__['OLD']": (KeyError, "Use Color.RED instead."),
    "Color['AWAY']": (KeyError, "Use Other.X of canonical path 'from live.shade import Other'"),
    "Color['BLUE']": (KeyError, "has expired"),
    "Color['GONE']": (KeyError, "Use paint instead."),
}
MEMBER_ASKED = "Color.__members__.get({0!r}), {0!r} in Color.__members__"


@pytest.mark.parametrize("version", ["1.5", "2.0"])
def test_old_names_of_members_of_an_enumeration_are_looked_up_until_they_expire(world, installed, version):
    world.write(
        "live/shade.py",
        "import enum\nclass Color(enum.Enum):\n    RED = 1\n    BLUE = 2\nclass Other(enum.Enum):\n    X = 1\n",
    )
    installation = installed(
        Method("live.shade:Color.OLD", "live.shade:Color.RED", **V),
        Name("live.shade:Color.AWAY", "live.shade:Other.X", **V),
        Removed("live.shade:Color.GONE", since="1.0", instead="paint"),
        Deprecated("live.shade:Color.BLUE", **V),
        version=version,
    )
    for code, (kind, said) in LOOK_UPS.items():
        seen = world.use(f"from live.shade import Color\nfound = {code}\n", filters="ignore")
        assert sum(seen.counted().values()) == 1, code
        if version == "2.0" or "GONE" in code:
            assert isinstance(seen.error, kind) and said in str(seen.error), code
        else:
            assert seen.namespace["found"].name in ("RED", "X", "BLUE"), code
    for name in ("OLD", "AWAY", "BLUE", "GONE", "RED", "NEVER"):
        seen = world.ok(f"from live.shade import Color\nfound = {MEMBER_ASKED.format(name)}\n", filters="ignore")
        is_there = name == "RED" or (version == "1.5" and name not in ("GONE", "NEVER"))
        assert seen.namespace["found"][1] is is_there and (seen.namespace["found"][0] is not None) is is_there, name
        assert sum(seen.counted().values()) == (is_there and name != "RED"), name
    installation.remove()
    assert type(sys.modules["live.shade"].Color._member_map_) is dict


def test_an_expired_member_of_an_enumeration_says_what_to_write(world, installed):
    world.write("live/mode.py", "import enum\nclass Mode(enum.Enum):\n    NEW = 1\n")
    installation = installed(Method("live.mode:Mode.OLD", "live.mode:Mode.NEW", **V), version="2.0")
    seen = world.use("from live.mode import Mode\nfound = hasattr(Mode, 'OLD'), 'OLD' in Mode.__members__\nMode.OLD\n")
    assert isinstance(seen.error, AttributeError) and "Use Mode.NEW instead." in str(seen.error)
    assert seen.namespace["found"] == (False, False)
    assert isinstance(world.use("from live.mode import Mode\nMode['OLD']\n").error, KeyError)
    assert sum(seen.counted().values()) == 2
    installation.remove()
    assert type(sys.modules["live.mode"].Mode._member_map_) is dict


def test_a_default_that_has_changed_is_silent_at_the_removal(world, installed, caplog):
    world.write("live/changed.py", "def f(x, copy=False): return copy\n")
    installed(Argument("live.changed:f", "copy", was=True, **V), version="2.0")
    assert world.ok("from live.changed import f\nfound = f(1), f(1, True)\n").namespace["found"] == (False, True)
    assert not caplog.records


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
    assert "oldns.gone" not in sys.modules
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


KEPT = Name("oldns.mod:Widget", "canon.core:Widget", since="1.0", removal="3.0", instead=None)
EXPIRED = [
    KEPT,
    Module("oldroot", "canon", **V),
    Module("live.gone", "canon.core", **V),
    Name("oldns.gone:make", "canon.core:make", **V),
    Name("oldns.deep.gone:make", "canon.core:make", **V),
    Name("oldns.mod:make", "canon.core:make", **V),
    Name("live.names:make", "canon.core:make", **V),
    Name("live.mod:Point", "canon.core:Point", **V),
    Removed("oldns.mod:dropped", since="1.0", instead=None),
    Removed("oldns.dead", since="1.0", instead=None),
]
ASKED_OF_A_MODULE = (
    "import {0}",
    "import {0} as x",
    "from {0} import make",
    "from {0} import *",
    "import importlib\nimportlib.import_module({0!r})",
    "__import__({0!r})",
    "__import__({0!r}, fromlist=['make'])",
    "from importlib.util import find_spec\nr = find_spec({0!r}) is not None",
    "import pkgutil\npkgutil.resolve_name({0!r})",
    "import pkgutil\npkgutil.resolve_name('{0}:make')",
    "import pydoc\nr = pydoc.locate('{0}.make') is not None",
    "import runpy\nrunpy.run_module({0!r})",
    "import pickle\npickle.loads(b'c{0}\\nmake\\n.')",
    "import pytest\ntry:\n    pytest.importorskip({0!r}, exc_type=ImportError)\nexcept BaseException as e:\n    r = type(e).__name__",
    "from unittest import mock\nwith mock.patch('{0}.make'): pass",
)
ASKED_OF_ITS_PARENT = (
    "from {1} import {2}",
    "import {1}\nr = hasattr({1}, {2!r})",
    "import {1}\nr = getattr({1}, {2!r}, None) is not None",
    "import {1}\n{1}.{2}",
    "import {1}\nr = {2!r} in dir({1}), {2!r} in vars({1})",
    "from {1} import *\nr = {2!r} in globals()",
)
ASKED_OF_A_NAME = (
    *ASKED_OF_ITS_PARENT,
    "import {1}\n{1}.{2} = 5\nr = {1}.{2}\ndel {1}.{2}",
    "import {1}\ndel {1}.{2}",
    "from unittest import mock\nwith mock.patch('{1}.{2}'): pass",
    "from unittest import mock\nwith mock.patch('{1}.{2}', create=True): pass",
)
ASKED = [
    (path, code)
    for paths, codes in (
        (("oldroot", "oldns.deep"), ASKED_OF_A_MODULE),
        (("oldroot.core", "live.gone", "oldns.gone", "live.names", "oldns.dead"), ASKED_OF_A_MODULE + ASKED_OF_ITS_PARENT),
        (("oldns.mod.make", "live.mod.Point", "oldns.mod.dropped"), ASKED_OF_A_NAME),
    )
    for path in paths
    for code in codes
]


def outcome(world, ledger, code):
    with compat.install(ledger):
        seen = world.use(code, filters="ignore")
    python = (ModuleNotFoundError, ImportError, AttributeError, TypeError)
    return [kind.__name__ for kind in python if isinstance(seen.error, kind)], seen.namespace.get("r"), seen


@pytest.mark.parametrize("path", dict(ASKED))
@pytest.mark.parametrize("before", ["", "from {1} import {2}"])
def test_whoever_asks_gets_the_answer_that_there_is_after_the_removal(world, ledger_of, path, before):
    parent, _, last = path.rpartition(".")
    for at, asked in ASKED:
        if at == path:
            code = asked.format(path, parent, last)
            if before and parent:
                code = f"try:\n    {before.format(path, parent, last)}\nexcept Exception:\n    pass\n{code}"
            removed = outcome(world, ledger_of(KEPT, version="2.0"), code)
            expired = outcome(world, ledger_of(*EXPIRED, version="2.0"), code)
            assert expired[:2] == removed[:2], code


COUNTED = {
    "import oldns.gone": "oldns.gone:make",
    "import oldns.deep.gone as m": "oldns.deep.gone:make",
    "from oldns import gone": "oldns.gone:make",
    "from oldns.gone import make": "oldns.gone:make",
    "from oldns.gone import *": "oldns.gone:make",
    "import importlib; importlib.import_module('live.names')": "live.names:make",
    "from live import gone": "live.gone",
    "from oldroot.core import make": "oldroot",
    "from oldns import dead": "oldns.dead",
}


@pytest.mark.parametrize("statement", COUNTED)
def test_a_refused_import_is_counted_once_each_time(world, installed, statement):
    installed(*EXPIRED, version="2.0")
    for _ in range(2):
        seen = world.use(f"x = 1\n{statement}")
        assert seen.counted() == {(COUNTED[statement], "import", 2): 1}
        assert "has expired" in str(seen.error) or "is impossible" in str(seen.error)


def test_below_a_module_that_has_expired_another_row_may_still_be_served(world, installed):
    installed(*EXPIRED, Name("oldroot.late:Widget", "canon.core:Widget", since="1.0", removal="3.0", instead=None), version="2.0")
    assert not world.ok("from oldroot.late import Widget").error
    assert isinstance(world.use("import oldroot.core").error, ModuleNotFoundError)


def test_what_was_loaded_before_the_version_changed_is_asked_anew(world, installed, monkeypatch):
    from compat.shim.installation import judge_anew

    installed(*EXPIRED, version="1.5")
    world.ok("import oldroot.core, live.gone, oldns.gone, live.names, oldns.mod, live.mod", filters="ignore")
    monkeypatch.setenv("COMPAT_AS_OF", "2.0")
    judge_anew()
    for name in ("oldroot.core", "live.gone", "oldns.gone", "live.names"):
        assert isinstance(world.use(f"import {name}").error, LegacyExpiredError), name
    seen = world.ok(
        "import live, live.mod, oldns.mod\n"
        "had = hasattr(live, 'gone'), hasattr(live, 'names'), hasattr(live.mod, 'Point'), hasattr(oldns.mod, 'make')\n"
        "listed = 'Point' in dir(live.mod), 'make' in dir(oldns.mod)\nfrom oldns.mod import *\n",
        filters="ignore",
    )
    assert not any(seen.namespace["had"]) and not any(seen.namespace["listed"]) and "make" not in seen.namespace
    monkeypatch.delenv("COMPAT_AS_OF")
    judge_anew()
    assert not world.ok("import oldroot.core, oldns.gone\nfrom live.mod import Point\nimport oldns.mod\noldns.mod.make").error


FRAMES = {
    "import oldroot": 0,
    "import oldroot.core as m": 0,
    "from oldroot.core import make": 0,
    "__import__('oldroot')": 0,
    "from oldns.gone import make": 0,
    "from oldns.mod import make": 0,
    "from live.mod import Point": 0,
    "from oldns.mod import dropped": 0,
    "import oldns.dead": 0,
    "from live import gone": 1,
    "import live.mod\nlive.mod.Point": 1,
    "import canon.things\ncanon.things.Thing().old()": 1,
    "import canon.things\ncanon.things.Thing.OLD": 1,
    "import canon.core\ncanon.core.use_make(old=1)": 2,
}


@pytest.mark.parametrize("code", FRAMES)
def test_a_traceback_ends_at_the_line_of_the_use_or_shortly_below_it(world, installed, code):
    members = [row for row in ROWS if isinstance(row, Method)]
    installed(*EXPIRED, *members, Argument("canon.core:use_make", "old", became=None, **V), version="2.0")
    seen = world.use(code)
    files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(seen.error.__traceback__)]
    below = len(files) - files.index(str(world.root / "user1.py")) - 1
    # What PyPy has in place of C code has frames of its own.
    assert below == FRAMES[code] if sys.implementation.name == "cpython" else below < 8
    assert seen.error.__context__ is None or seen.error.__suppress_context__


@pytest.mark.parametrize("name", ["oldroot", "oldroot.sub", "oldns.gone"])
def test_no_thread_finds_an_empty_module_while_the_import_of_an_expired_one_fails(world, installed, name):
    installed(*ROWS, version="2.0")
    code = f"""
    import sys
    held = []
    sys.setprofile(lambda *_: held.append("{name}" in sys.modules))
    try:
        import {name}
    except ImportError:
        pass
    finally:
        sys.setprofile(None)
    """
    seen = world.ok(code)
    assert held_ever(seen) is False


def held_ever(seen):
    """Whether the module stood in ``sys.modules`` at any call of a function."""
    assert seen.namespace["held"]
    return any(seen.namespace["held"])
