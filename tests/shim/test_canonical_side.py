"""What the canonical side does by itself reaches the user as if no legacy path stood between."""

from __future__ import annotations

import pytest

import compat
from compat import Argument, Class, Deprecated, Method, Module, Name

V = {"since": "1.0", "removal": "2.0", "instead": None}
READS = {
    "an attribute of a moved module": "import oldroot.lazy as m\nm.Late\n",
    "a name that is imported from it": "import oldroot.lazy\nfrom oldroot.lazy import Late\n",
    "a moved name": "import oldns.mod as m\nm.Late\n",
    "a moved name that is imported": "import oldns.mod\nfrom oldns.mod import Late\n",
    "a star import": "import oldns.mod\nfrom oldns.mod import *\n",
    "by getattr": "import oldns.mod\ngetattr(oldns.mod, 'Late')\n",
}


@pytest.fixture
def lazy(world, installed):
    world.write(
        "canon/lazy.py",
        "import warnings\nREAD = []\n"
        "def __getattr__(name):\n    if name != 'Late': raise AttributeError(name)\n    READ.append(name)\n"
        "    warnings.warn('the canonical says so', FutureWarning, stacklevel=2)\n    return 1\n",
    )
    installed(Module("oldroot", "canon", **V), Name("oldns.mod:Late", "canon.lazy:Late", **V))
    return world


@pytest.mark.parametrize("code", READS.values(), ids=READS)
@pytest.mark.parametrize("filters", ["always", "ignore"])
def test_its_own_warning_names_the_line_of_the_user_and_it_is_read_once(lazy, code, filters):
    for _ in range(3):
        seen = lazy.ok(
            "import canon.lazy\nfrom canon.lazy import READ\nREAD.clear()\n" + code + "times = len(READ)\n", filters=filters
        )
        assert seen.namespace["times"] == 1
        if filters == "always":
            assert [(w.lineno, str(w.message)) for w in seen.recorded if w.category is FutureWarning] == [
                (5, "the canonical says so")
            ]


def test_the_sentence_names_the_module_that_was_asked_for(world, installed):
    installed(Module("oldroot", "canon", **V))
    seen = world.ok("import oldroot\nimport oldroot.sub.deep\nfrom oldroot.core import Widget\n")
    assert [
        (line, text.partition(" is ")[0], text.partition("Use canonical path ")[2].partition(" instead")[0])
        for line, text in seen.warned
    ] == [
        (1, "Importing 'oldroot'", "'import canon'"),
        (2, "Importing 'oldroot.sub.deep'", "'import canon.sub.deep'"),
        (3, "Importing 'oldroot.core'", "'import canon.core'"),
    ]
    assert set(seen.counted()) == {("oldroot", "import", line) for line in (1, 2, 3)}


CALLED = """
import functools, warnings

def say():
    warnings.warn("the canonical says so", FutureWarning, stacklevel=3)

class Thing:
    def __init__(self): say()
    def new(self): say()
    @classmethod
    def made(cls): say()
    @property
    def size(self): say()

class Base:
    def __init_subclass__(cls): say()

class Quiet:
    def new(self): say()
    @property
    def size(self): say()

def get_quiet(): return Quiet()
def get_loud(): say()

def area(width=1): say()
def fading(): say()
"""
ADAPTERS = """
from compat import Adapter, converted, renamed
class Old(Adapter, of="canon.called:Quiet", built_by="canon.called:get_quiet"):
    old = renamed("new")
    was = renamed("size")
    half = converted("size", to_legacy=lambda value: value)
class Loud(Adapter, of="canon.called:Quiet", built_by="canon.called:get_loud"):
    old = renamed("new")
"""
CALLS = [
    "thing.old()",
    "thing.length",
    "thing.read()",
    "thing.call",
    "Thing.old_made()",
    "area(w=2)",
    "area(2)",
    "area(width=2)",
    "fading()",
    "Thing()",
    "class Sub(Base): pass",
    "front.old()",
    "front.was",
    "front.half",
    "front.new()",
    "front.size",
    "Loud()",
]


@pytest.mark.parametrize("filters", ["always", "default"])
def test_what_it_says_of_a_call_names_the_line_of_the_user_too(world, installed, filters):
    world.write("canon/called.py", CALLED)
    world.write("old_adapters.py", ADAPTERS)
    installed(
        Method("canon.called:Thing.old", "canon.called:Thing.new", **V),
        Method("canon.called:Thing.length", "canon.called:Thing.size", **V),
        Method("canon.called:Thing.read", "canon.called:Thing.size", was="method", **V),
        Method("canon.called:Thing.call", "canon.called:Thing.new", was="property", **V),
        Method("canon.called:Thing.old_made", "canon.called:Thing.made", **V),
        Argument("canon.called:area", "w", became="width", **V),
        Deprecated("canon.called:fading", **V),
        Deprecated("canon.called:Thing", **V),
        Deprecated("canon.called:Base", on="subclass", **V),
        Class("oldns.fronts:Old", "canon.called:Quiet", adapter="old_adapters:Old", **V),
        Class("oldns.fronts:Loud", "canon.called:Quiet", adapter="old_adapters:Loud", **V),
    )
    head = "from canon.called import *\nfrom oldns.fronts import Loud, Old\nthing, front = Thing(), Old()\n"
    for code in CALLS:
        seen = world.ok(f"{head}for _ in range(2):\n    {code}\n", filters=filters)
        said = [(w.filename, w.lineno) for w in seen.recorded if w.category is FutureWarning and w.lineno != 3]
        assert said == [(seen.recorded[0].filename, 5)] * (2 if filters == "always" else 1), code


USERS = {
    "itself": "fading()",
    "by the standard library": "functools.partial(fading)(), [*map(area_of, [1])], contextlib.ExitStack().callback(fading) and 0",
    "in a context": "with contextlib.ExitStack() as stack: stack.callback(fading)",
    "in a thread": "t = threading.Thread(target=fading)\n        t.start()\n        t.join()",
    "in an executor": "with concurrent.futures.ThreadPoolExecutor(1) as pool: pool.submit(area, w=1).result()",
    "through an import": "importlib.import_module('oldroot.sub')\n        from oldroot.core import make",
}


@pytest.mark.parametrize("code", USERS.values(), ids=USERS)
@pytest.mark.parametrize("version", ["1.5", "2.0"])
def test_what_an_adapter_uses_is_nobodys_use(world, installed, code, version):
    world.write("canon/called.py", CALLED)
    world.write(
        "old_adapters.py",
        "import concurrent.futures, contextlib, functools, importlib, threading\nfrom canon.called import area, fading\n"
        "from compat import Adapter, legacy_method\ndef area_of(w): return area(w=w)\n"
        "class Old(Adapter, of='canon.called:Quiet', built_by='canon.called:get_quiet'):\n"
        f"    @legacy_method(instead='x')\n    def run(self):\n        {code}\n",
    )
    late = {**V, "removal": "9.0"}
    rows = V if "import" not in code else late
    installed(
        Argument("canon.called:area", "w", became="width", **rows),
        Deprecated("canon.called:fading", **late),
        Module("oldroot", "canon", **rows),
        Class("oldns.fronts:Old", "canon.called:Quiet", adapter="old_adapters:Old", **late),
        version=version,
    )
    before = compat.usage()
    world.ok("from oldns.fronts import Old\nOld().run()\n", filters="ignore")
    used = {use.move for use in compat.usage() if use not in before}
    assert used == {"oldns.fronts:Old", "oldns.fronts:Old.run"}


@pytest.mark.parametrize(
    "describe", ["traceback.format_exc()", "traceback.print_exc()", "traceback.TracebackException.from_exception(e)"]
)
def test_what_describes_an_error_imports_nothing_for_the_user(world, installed, describe):
    installed(Module("oldroot", "canon", **V))
    seen = world.ok(
        f"import traceback\ntry:\n    import oldroot.never\nexcept ImportError as e:\n    {describe}\n", filters="ignore"
    )
    assert {line for _move, _kind, line in seen.counted()} <= {3}
