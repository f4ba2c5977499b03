"""Lazy imports (3.15): each statement that is ever read is warned and counted once, at the reading line."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

import compat
from compat import LegacyExpiredError, Module, Name

pytestmark = pytest.mark.skipif(sys.version_info < (3, 15), reason="lazy imports came with 3.15")
DATES = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.fixture
def moved(world, installed):
    world.write("half/__init__.py", "")
    installed(
        Module("old.mod", "canon.core", **DATES),
        Module("old.sub", "canon.sub", **DATES),
        Module("half.gone", "canon.core", **DATES),
        Name("live:Widget", "canon.core:Widget", **DATES),
        Name("oldns.names:Widget", "canon.core:Widget", **DATES),
    )
    return world


# (statement, the name that it binds, the move)
FORMS = [
    ("import old.mod as m", "m", "old.mod"),
    ("import old.mod", "old", "old.mod"),
    ("import old.sub.deep as m", "m", "old.sub"),
    ("import old.sub.deep", "old", "old.sub"),
    ("import half.gone as m", "m", "half.gone"),
    ("from old.mod import CONST", "CONST", "old.mod"),
    ("from old.mod import CONST as c", "c", "old.mod"),
    ("from old import mod", "mod", "old.mod"),
    ("from old import mod as m", "m", "old.mod"),
    ("from old import sub", "sub", "old.sub"),
    ("from old.sub import deep", "deep", "old.sub"),
    ("from half import gone", "gone", "half.gone"),
    ("from live import Widget", "Widget", "live:Widget"),
    ("from oldns.names import Widget", "Widget", "oldns.names:Widget"),
]
# How line 3 reads the name of a lazy import that stands on line 1.
READS = {
    "in the module": "{name}",
    "twice": "{name}; {name}",
    "in a function": "(lambda: {name})()",
    "in a class body": "class Body: kept = {name}",
    "in a comprehension": "[{name} for _ in range(2)]",
    "in an argument": "print({name}, file=__import__('io').StringIO())",
    "in an f-string": "f'{{{name}}}'",
    "in eval": "eval('{name}')",
    "by an attribute of the module": "here.{name}",
    "by getattr": "getattr(here, '{name}')",
    "by a from-import": "from here import {name} as taken",
    "by the object's own resolve": "globals()['{name}'].resolve()",
}


def counts():
    return {(use.move, use.kind, use.file, use.line): use.count for use in compat.usage()}


def module_of(statement):
    """The dotted legacy module that a statement of :data:`FORMS` ends in."""
    words = statement.split()
    return words[1] if words[0] == "import" or words[3][0].isupper() else f"{words[1]}.{words[3]}"


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@pytest.mark.parametrize(("statement", "name", "move"), FORMS, ids=[form[0] for form in FORMS])
def test_each_statement_counts_once_where_it_is_read_loaded_or_not(moved, statement, name, move, read):
    for before in ("", f"import {module_of(statement)}", f"lazy {statement}\n{name}"):
        moved.ok(before)
        sys.modules["here"] = here = types.ModuleType("here")
        known = counts()
        try:
            seen = moved.ok(f"lazy {statement}\nimport here\n{read.format(name=name)}", name="here", module=here, elsewhere=True)
        finally:
            del sys.modules["here"]
        where = ("<string>", 1) if read.startswith("eval") else (here.__file__, 3)
        assert [(w.filename, w.lineno) for w in seen.recorded] == [where], before
        new = {site: count - known.get(site, 0) for site, count in counts().items()}
        assert {site: count for site, count in new.items() if count} == {(move, "import", *where): 1}, before


def test_a_module_named_in_lazy_modules_counts_where_it_is_read(moved):
    for _ in range(3):
        seen = moved.ok("__lazy_modules__ = ['old.mod', 'old']\nimport old.mod as m; from old import mod\nm\nmod")
        assert seen.counted() == {("old.mod", "import", 3): 1, ("old.mod", "import", 4): 1}


def test_a_relative_lazy_import_counts_where_it_is_read(moved):
    moved.write("half/user.py", "lazy from . import gone\nlazy from .gone import CONST\ndef f():\n    gone\n    CONST\n")
    for _ in range(3):
        seen = moved.ok("import sys, half.user as u\nu.f()\nfile = u.__file__\ndel sys.modules['half.user']", elsewhere=True)
        assert [(w.filename, w.lineno) for w in seen.recorded] == [(seen.namespace["file"], line) for line in (4, 5)]
    found = {line: count for (_, _, file, line), count in counts().items() if file == seen.namespace["file"]}
    assert found == {4: 3, 5: 3}


def test_one_that_is_never_read_is_no_use(moved):
    seen = moved.ok("lazy import old.mod as m\nlazy from live import Widget\nlazy from old import mod")
    assert not seen.recorded and not seen.uses


def test_a_read_through_another_modules_attribute_counts_once(moved):
    carrier = types.ModuleType("carrier")
    exec(compile("lazy import old.mod as q\nlazy from old.mod import CONST", "carrier.py", "exec"), vars(carrier))
    sys.modules["carrier"] = carrier
    try:
        seen = moved.ok("import carrier\ncarrier.q\ncarrier.CONST\ncarrier.q")
    finally:
        del sys.modules["carrier"]
    assert seen.counted() == {("old.mod", "import", 2): 1, ("old.mod", "import", 3): 1}


@pytest.mark.parametrize("read", ["{name}", "here.{name}", "getattr(here, '{name}')"])
@pytest.mark.parametrize(("statement", "name", "move"), FORMS, ids=[form[0] for form in FORMS])
def test_two_threads_that_read_one_lazy_name_count_once(moved, statement, name, move, read):
    source = f"""
        lazy {statement}
        import here, threading
        b = threading.Barrier(2)
        def f():
            b.wait()
            {read.format(name=name)}
        ts = [threading.Thread(target=f) for _ in range(2)]
        for t in ts: t.start()
        for t in ts: t.join()
    """
    sys.modules["here"] = here = types.ModuleType("here")
    try:
        seen = moved.ok(source, name="here", module=here)
    finally:
        del sys.modules["here"]
    assert seen.lines == [7] and seen.counted() == {(move, "import", 7): 1}


def test_filters_hold_as_always(moved):
    seen = moved.ok("lazy import old.mod as m\n\nm.CONST", filters="ignore")
    assert not seen.recorded and seen.counted("import") == {("old.mod", "import", 3): 1}
    seen = moved.use("lazy import old.mod as m\n\nm", filters="error")
    assert type(seen.error).__name__ == "LegacyUseWarning" and seen.counted() == {("old.mod", "import", 3): 1}


def test_an_expired_move_raises_where_it_is_read(world, installed):
    installed(Module("old.mod", "canon.core", **DATES), Name("live:Widget", "canon.core:Widget", **DATES), version="2.0")
    for source in (
        "lazy import old.mod as m\nx = 1\nm",
        "lazy from live import Widget\nx = 1\nWidget",
        "lazy from live import Widget\nx = 1\nglobals()['Widget'].resolve()",
    ):
        seen = world.use(source)
        assert isinstance(seen.error, LegacyExpiredError) and seen.namespace["x"] == 1
        assert {line for _, _, line in seen.counted()} == {3}


def test_a_users_own_filter_for_lazy_imports_stays_in_force(moved):
    before = sys.get_lazy_imports_filter()
    asked = []

    def refuse(importer, name, fromlist):
        asked.append(name)
        return False

    sys.set_lazy_imports_filter(refuse)
    try:
        seen = moved.ok("lazy import old.mod as m\nx = 1")
    finally:
        sys.set_lazy_imports_filter(before)
    assert "old.mod" in asked and seen.counted() == {("old.mod", "import", 1): 1}


@pytest.mark.parametrize("read", ["{name}", "here.{name}", "getattr(here, '{name}')", "from here import {name} as taken"])
@pytest.mark.parametrize(("statement", "name", "move"), FORMS, ids=[form[0] for form in FORMS])
def test_a_filter_that_lets_legacy_names_alone_be_lazy_costs_no_count(moved, statement, name, move, read):
    before = sys.get_lazy_imports_filter()
    sys.modules["here"] = here = types.ModuleType("here")
    sys.set_lazy_imports_filter(lambda importer, asked, names: asked.startswith(("old", "half", "live")))
    try:
        seen = moved.ok(f"lazy {statement}\nimport here\n{read.format(name=name)}", name="here", module=here)
    finally:
        sys.set_lazy_imports_filter(before)
        del sys.modules["here"]
    assert seen.lines == [3] and seen.counted() == {(move, "import", 3): 1}


def test_everything_lazy_by_option(moved):
    code = f"""
import sys
sys.path.insert(0, sys.argv[1])
import compat
from compat import Module, Name
K = {DATES!r}
compat.install(compat.Ledger('k', version='1.5') + [
    Module('old.mod', 'canon.core', **K), Module('old.sub', 'canon.sub', **K), Module('half.gone', 'canon.core', **K),
    Name('live:Widget', 'canon.core:Widget', **K), Name('oldns.names:Widget', 'canon.core:Widget', **K)])
for statement, name, move in {FORMS!r}:
    for again in range(3):
        file = f"{{statement}} {{again}}"
        exec(compile(f"{{statement}}\\nassert not used()\\n{{name}}\\n{{name}}", file, "exec"), {{
            "used": lambda: [(u.move, u.kind, u.line, u.count) for u in compat.usage() if u.file == file], "__name__": file}})
        print(file, [(u.move, u.kind, u.line, u.count) for u in compat.usage() if u.file == file] == [(move, "import", 3, 1)])
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-X", "lazy_imports=all", "-c", code, str(moved.root)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == [f"{form[0]} {again} True" for form in FORMS for again in range(3)], done.stderr


def test_a_chain_of_relative_lazy_imports_counts_each_read_of_its_end_once(moved):
    moved.write("half/mid.py", "lazy from .gone import CONST\nlazy from . import gone\nlazy from .gone import make as g\n")
    moved.write(
        "half/top.py",
        "lazy from .mid import CONST\nlazy from . import mid\nlazy from .mid import g\ndef f():\n    CONST\n    mid.gone\n    g\n",
    )
    for _ in range(3):
        seen = moved.ok("import sys, half.top as t\nt.f()\nfile = t.__file__\ndel sys.modules['half.top']", elsewhere=True)
        assert [(w.filename, w.lineno) for w in seen.recorded] == [(seen.namespace["file"], line) for line in (5, 6, 7)]
        del sys.modules["half.mid"], sys.modules["half"].mid
    found = {line: count for (_, _, file, line), count in counts().items() if file == seen.namespace["file"]}
    assert found == {5: 3, 6: 3, 7: 3}
