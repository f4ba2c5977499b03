"""Moved modules: every importer is seen once, at its own line, and gets what the canonical module has."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pickle
import pkgutil
import pydoc
import runpy
import subprocess
import sys
import threading
import types
import zipfile

import pytest

from compat import Ledger, Module, Name

DATES = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.fixture
def moved(world, installed):
    installed(Module("old.mod", "canon.core", **DATES), Module("old.sub", "canon.sub", **DATES))
    return world


IMPORT = "Importing 'old.mod' is deprecated since kit 1.0 and will be removed in 2.0. Use canonical path 'import canon.core' instead. See MIGRATION.md."
READ = IMPORT.replace("Importing 'old.mod'", "Using module 'old.mod'")


@pytest.mark.parametrize(
    "source",
    [
        "import old.mod",
        "import old.mod as m",
        "from old.mod import make",
        "from old.mod import make, CONST as c",
        "from old.mod import (\n    make,\n)",
        "from old import mod",
        "from old.mod import *",
        "import importlib; importlib.import_module('old.mod')",
        "__import__('old.mod')",
        "def f(): import old.mod\nf()",
    ],
)
def test_each_form_of_import_is_seen_once_by_the_first_and_by_every_later_importer(moved, source):
    for _ in range(3):
        seen = moved.ok(source)
        assert [text for _, text in seen.warned] == [IMPORT]
        assert seen.counted() == {("old.mod", "import", seen.lines[0]): 1}


def test_the_hundredth_importer_is_seen(moved):
    for _ in range(99):
        moved.ok("import old.mod")
    seen = moved.ok("\nfrom old.mod import CONST")
    assert seen.counted() == {("old.mod", "import", 2): 1}


def test_an_import_statement_in_a_loop_counts_each_time_it_runs(moved):
    assert moved.ok("for _ in range(5):\n    import old.mod").counted() == {("old.mod", "import", 2): 5}


def test_a_submodule_follows_its_moved_package_without_a_second_copy(moved):
    seen = moved.ok(
        "import old.sub.deep as m\nimport canon.sub.deep as c\nassert m.VALUE is c.VALUE\nc.VALUE = 'set'\nassert m.VALUE == 'set'"
    )
    assert seen.counted("import") == {("old.sub", "import", 1): 1}
    assert seen.counted("attribute") == {("old.sub", "attribute", 3): 1, ("old.sub", "attribute", 5): 1}


def test_attributes_are_counted_where_they_are_read(moved):
    seen = moved.ok("import old.mod\n\nold.mod.CONST\nold.mod.make(1)\n")
    assert seen.warned == [(1, IMPORT), (3, READ), (4, READ)]


def test_objects_are_the_canonical_ones(moved):
    names = moved.ok(
        "import old.mod as m, canon.core as c\nsame = [getattr(m, n) is getattr(c, n) for n in ('Widget', 'make', 'Failure')]"
    ).namespace
    assert names["same"] == [True, True, True]


def test_setting_and_deleting_reach_the_canonical_module(moved):
    seen = moved.ok(
        "import old.mod as m, canon.core as c\nm.CONST = 8\nassert c.CONST == 8\nm.extra = 1\nassert c.extra == 1\ndel m.extra\nassert not hasattr(c, 'extra')"
    )
    assert seen.error is None


def test_mock_patch_reaches_the_canonical_module_counts_once_and_restores(moved):
    seen = moved.ok(
        """
        from unittest import mock
        import canon.core as c
        with mock.patch("old.mod.make", lambda x=1: "patched"):
            assert c.use_make() == "patched"
        assert c.use_make() == 2
        """
    )
    assert seen.counted() == {("old.mod", "attribute", 4): 1}


def test_monkeypatch_reaches_the_canonical_module_and_restores(moved, monkeypatch):
    import canon.core

    with monkeypatch.context() as patch:
        with pytest.warns(DeprecationWarning):
            patch.setattr("old.mod.make", lambda x=1: "patched")
        assert canon.core.use_make() == "patched"
    assert canon.core.use_make() == 2


def test_a_missing_name_fails_as_python_fails(moved):
    seen = moved.use("from old.mod import nope")
    assert type(seen.error) is ImportError and "cannot import name 'nope' from 'old.mod'" in str(seen.error)
    seen = moved.use("import old.mod\nold.mod.nope")
    assert type(seen.error) is AttributeError and str(seen.error) == "module 'old.mod' has no attribute 'nope'"


def test_an_undeclared_module_fails_as_python_fails(moved):
    seen = moved.use("import old.other")
    assert type(seen.error) is ModuleNotFoundError and str(seen.error) == "No module named 'old.other'"
    assert seen.error.name == "old.other"


def test_old_pickles_load_and_new_ones_carry_the_canonical_path(moved):
    import canon.core

    old = b"\x80\x04\x8c\x07old.mod\x8c\x06Widget\x93)\x81}\x8c\x01xK\x05sb."
    assert moved.ok(f"import pickle\nw = pickle.loads({old!r})").namespace["w"] == canon.core.Widget(5)
    data = moved.ok("import pickle, old.mod\ndata = pickle.dumps(old.mod.Widget(3))").namespace["data"]
    assert b"canon.core" in data and b"old.mod" not in data
    assert pickle.loads(data) == canon.core.Widget(3)


def test_introspection_neither_counts_nor_warns(moved):
    moved.ok("import old.mod")
    module = sys.modules["old.mod"]
    import compat

    before = compat.usage()
    assert "make" in dir(module)
    assert dict(inspect.getmembers(module))["CONST"] == 42
    assert "Make one more." in pydoc.render_doc(module)
    assert "class Widget" in inspect.getsource(module)
    assert inspect.getsourcefile(module).endswith("core.py")
    pickle.dumps(module.__doc__)
    assert compat.usage() == before


def test_a_moved_plugin_registers_with_its_hooks(world, installed):
    installed(Module("old.plugin", "canon.plugin", **DATES))
    world.write("canon/plugin.py", "def pytest_make_parametrize_id(val):\n    return f'of {val}'\n")
    world.ok("import old.plugin")
    manager = pytest.PytestPluginManager()
    manager.register(sys.modules["old.plugin"])
    assert manager.hook.pytest_make_parametrize_id(config=None, val=1, argname="n") == "of 1"


def test_find_spec_does_not_load_and_names_the_module(moved):
    spec = importlib.util.find_spec("old.mod")
    assert spec.name == "old.mod" and "old.mod" not in sys.modules and spec.origin.endswith("core.py")
    assert importlib.util.find_spec("old.nothing") is None


def test_python_m_runs_the_canonical_code(moved):
    moved.write("canon/sub/main.py", "RAN = __name__\n")
    with pytest.warns(DeprecationWarning, match="Importing 'old.sub'"):
        assert runpy.run_module("old.sub.main", run_name="__main__")["RAN"] == "__main__"


def test_walk_packages_finds_the_canonical_submodules(moved):
    moved.ok("import old.sub")
    found = [item.name for item in pkgutil.walk_packages(sys.modules["old.sub"].__path__, "old.sub.")]
    assert found == ["old.sub.deep"]


def test_relative_imports_inside_a_half_migrated_package_are_seen(world, installed):
    world.write("half/__init__.py", "")
    world.write("half/real.py", "def f():\n    from . import gone\n    return gone.CONST\n")
    installed(Module("half.gone", "canon.core", **DATES))
    import half.real

    with pytest.warns(DeprecationWarning) as caught:
        assert half.real.f() == 42
    assert {w.filename for w in caught} == {half.real.__file__}
    assert sorted({w.lineno for w in caught}) == [2, 3]
    with pytest.warns(DeprecationWarning) as again:
        assert half.real.f() == 42
    assert [w.lineno for w in again] == [2, 3]


def test_a_real_module_wins_over_its_row(world, installed):
    world.write("half/__init__.py", "")
    world.write("half/mod.py", "CONST = 'real'\n")
    installed(Module("half.mod", "canon.core", **DATES))
    seen = world.ok("from half.mod import CONST")
    assert seen.namespace["CONST"] == "real" and not seen.recorded


def test_a_namespace_package_keeps_its_real_parts(world, installed):
    world.write("oldns/present.py", "HERE = 1\n")
    installed(Module("oldns.absent", "canon.core", **DATES))
    seen = world.ok("import oldns.present\nfrom oldns.absent import CONST\nfrom oldns import absent")
    assert seen.namespace["CONST"] == 42
    assert seen.counted() == {("oldns.absent", "import", 2): 1, ("oldns.absent", "import", 3): 1}


def test_a_zipped_legacy_package_keeps_its_real_parts(world, installed, tmp_path, monkeypatch):
    archive = tmp_path / "lib.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("half/__init__.py", "")
        file.writestr("half/kept.py", "KEPT = 1\n")
    monkeypatch.syspath_prepend(str(archive))
    installed(Module("half.gone", "canon.core", **DATES), Name("half.kept:make", "canon.core:make", **DATES))
    seen = world.ok("from half.kept import KEPT, make\nfrom half.gone import CONST\nassert make(1) == 2")
    assert seen.counted() == {("half.kept:make", "import", 1): 1, ("half.gone", "import", 2): 1}


def test_legacy_and_canonical_modules_that_import_each_other_work(world, installed):
    world.write("canon/ring.py", "import old.ring\nVALUE = 1\n\ndef read():\n    return old.ring.VALUE\n")
    installed(Module("old.ring", "canon.ring", **DATES))
    seen = world.ok("import canon.ring\nvalue = canon.ring.read()", filters="ignore")
    assert seen.namespace["value"] == 1


def test_two_threads_that_import_the_same_legacy_module_both_get_it(moved):
    got, barrier = [], threading.Barrier(8)

    def work():
        barrier.wait()
        got.append(importlib.import_module("old.mod").CONST)

    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert got == [42] * 8


def test_an_error_filter_raises_at_each_importer_cached_or_not(moved):
    for source in ("import old.mod", "import old.mod", "from old.mod import CONST", "from old import mod"):
        seen = moved.use(source, filters="error")
        assert type(seen.error).__name__ == "LegacyUseWarning", source
        assert seen.counted() == {("old.mod", "import", 1): 1}
    assert moved.ok("import old.mod").lines == [1]


def test_taking_the_installation_out_leaves_nothing_behind(world, ledger_of):
    import compat

    before = list(sys.meta_path)
    with compat.install(ledger_of(Module("old.mod", "canon.core", **DATES))):
        world.ok("import old.mod")
        assert "old.mod" in sys.modules
    assert sys.meta_path == before and "old.mod" not in sys.modules and "old" not in sys.modules
    assert type(world.use("import old.mod").error) is ModuleNotFoundError


def test_a_missing_canonical_module_is_named_not_hidden(world, installed):
    installed(Module("old.mod", "canon.nowhere", **DATES))
    seen = world.use("import old.mod")
    assert type(seen.error).__name__ == "TargetImportError" and isinstance(seen.error, ModuleNotFoundError)
    assert "canonical target 'canon.nowhere' cannot be resolved" in str(seen.error)


@pytest.mark.parametrize("bare", [False, True])
def test_a_stand_in_for_the_canonical_module_needs_no_spec(world, installed, monkeypatch, bare):
    """Tests put such stand-ins into ``sys.modules``; ``importlib.util.find_spec`` raises ValueError for them."""
    installed(Module("old.mod", "canon.core", **DATES))
    stand_in = types.ModuleType("canon.core")
    stand_in.CONST = "stood in"
    if bare:
        del stand_in.__spec__
    monkeypatch.setitem(sys.modules, "canon.core", stand_in)
    seen = world.ok("from old.mod import CONST")
    assert seen.counted() == {("old.mod", "import", 1): 1}
    assert world.ok("import old.mod; found = old.mod.CONST").namespace["found"] == "stood in"
    assert sys.modules["old.mod"].__spec__.loader.get_source("old.mod") is None


def test_the_failure_of_an_optional_dependency_is_passed_on(world, installed):
    world.write("canon/extra.py", "import no_such_package_at_all\n")
    installed(Module("old.extra", "canon.extra", **DATES))
    seen = world.use("try:\n    import old.extra\nexcept ImportError as error:\n    name = error.name")
    assert seen.error is None and seen.namespace["name"] == "no_such_package_at_all"


def test_a_generic_root_is_served_for_declared_descendants_only(world):
    from compat.shim.installation import install

    ledger = Ledger("kit", version="1.5", generic=["old"]) + [Module("old.deep.mod", "canon.core", **DATES)]
    with install(ledger):
        assert type(world.use("import old").error) is ModuleNotFoundError
        assert world.ok("from old.deep import mod").counted() == {("old.deep.mod", "import", 1): 1}


def test_fork_keeps_the_shim_working(moved):
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[1]); import compat\n"
        "compat.install(compat.Ledger('f', version='1.5') + [compat.Module('old.mod', 'canon.core', since='1', removal='2', instead=None)])\n"
        "import old.mod\npid = os.fork()\nimport old.mod\nassert old.mod.CONST == 42\n"
        "if pid: assert os.waitpid(pid, 0)[1] == 0; print(sum(u.count for u in compat.usage()))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(moved.root)], capture_output=True, text=True, timeout=60
    )
    assert (done.stderr, done.stdout) == ("", "3\n")
