"""Legacy names among tracers, mocks, resources, interpreter options and other processes: nothing breaks, counts stay exact."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback

import pytest

from compat import Method, Module, Name

DATES = {"since": "1.0", "removal": "2.0", "instead": None}


@pytest.fixture
def moved(world, installed):
    world.write("canon/sub/data.txt", "hello")
    world.write("canon/boom.py", "raise RuntimeError('boom')\n")
    world.write("canon/kinds.py", "import enum\nclass Color(enum.Enum):\n    RED = 1\nclass C:\n    LIMIT = 3\n")
    installed(
        Module("old.mod", "canon.core", **DATES),
        Module("old.sub", "canon.sub", **DATES),
        Module("old.boom", "canon.boom", **DATES),
        Name("live:make", "canon.core:make", **DATES),
        Name("live:Widget", "canon.core:Widget", **DATES),
        Method("canon.kinds:Color.CRIMSON", "canon.kinds:Color.RED", **DATES),
        Method("canon.kinds:C.MAXIMUM", "canon.kinds:C.LIMIT", **DATES),
    )
    return world


USES = """
import live, old.mod
def f():
    for _ in range(3):
        live.make
        import old.mod
    from old.mod import CONST
    from live import Widget
"""
COUNTS = {
    ("old.mod", "import", 2): 1,
    ("live:make", "attribute", 5): 3,
    ("old.mod", "import", 6): 3,
    ("old.mod", "import", 7): 1,
    ("live:Widget", "import", 8): 1,
}
WATCHED = {
    "settrace": "import sys\nsys.settrace(lambda *a: None)\ntry: f()\nfinally: sys.settrace(None)",
    "settrace by opcode": (
        "import sys\ndef t(frame, event, arg):\n    frame.f_trace_opcodes = True\n    return t\n"
        "sys.settrace(t)\ntry: f()\nfinally: sys.settrace(None)"
    ),
    "setprofile": "import sys\nsys.setprofile(lambda *a: None)\ntry: f()\nfinally: sys.setprofile(None)",
    "monitoring": (
        "import sys\nm = sys.monitoring\nm.use_tool_id(3, 'x')\nevents = m.events.LINE | m.events.INSTRUCTION | m.events.CALL\n"
        "for e in (m.events.LINE, m.events.INSTRUCTION, m.events.CALL): m.register_callback(3, e, lambda *a: None)\n"
        "m.set_events(3, events)\ntry: f()\nfinally:\n    m.set_events(3, 0)\n    m.free_tool_id(3)"
    ),
}


@pytest.mark.parametrize("watcher", WATCHED)
def test_tracers_and_profilers_change_no_count(moved, watcher):
    if watcher == "monitoring" and not hasattr(sys, "monitoring"):
        pytest.skip("sys.monitoring came with CPython 3.12")
    before = sys.gettrace(), sys.getprofile()
    try:
        seen = moved.ok(USES + WATCHED[watcher], filters="ignore")
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
    assert seen.counted() == COUNTS


def test_resources_of_a_moved_package_are_found(moved):
    seen = moved.ok(
        """
        import importlib.resources as r, pkgutil, old.sub
        got = [pkgutil.get_data("old.sub", "data.txt")]
        got += [r.files(p).joinpath("data.txt").read_bytes() for p in ("old.sub", old.sub)]
        """
    )
    assert seen.namespace["got"] == [b"hello"] * 3


BY_LEGACY_PATH = {
    "a factory of logging's dictConfig": (
        "import logging.config\n"
        "logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False, 'filters': {'f': {'()': '%s.make', 'x': 2}}})\n"
        "got = None\n"
    ),
    "a resolver of logging": "import logging.config\ngot = logging.config.BaseConfigurator({}).resolve('%s.make')(2)\n",
    "an entry point": "from importlib.metadata import EntryPoint\ngot = EntryPoint('name', '%s:make', 'group').load()(2)\n",
}


@pytest.mark.parametrize("path", ["old.mod", "oldns.mod"])
@pytest.mark.parametrize("code", BY_LEGACY_PATH.values(), ids=BY_LEGACY_PATH)
def test_a_legacy_path_in_configuration_is_resolved_and_counted(world, installed, code, path):
    installed(Module("old.mod", "canon.core", **DATES), Name("oldns.mod:make", "canon.core:make", **DATES))
    seen = world.ok(code % path)
    assert seen.namespace["got"] in (None, 3)
    assert {line for *_, line in seen.counted()} == {2}
    assert {move.partition(":")[0] for move, *_ in seen.counted()} == {path}


def test_an_error_of_canonical_code_has_the_frames_of_user_and_canonical_code_alone(world, installed):
    world.write("canon/fails.py", "def fail(): raise KeyError(1)\nclass Thing:\n    def fail(self): raise KeyError(2)\n")
    installed(Module("old.mod", "canon.fails", **DATES), Name("oldns.mod:Thing", "canon.fails:Thing", **DATES))
    uses = ("import old.mod\nold.mod.fail()", "from old.mod import fail\nfail()", "from oldns.mod import Thing\nThing().fail()")
    for code in uses:
        error = world.use(code).error
        files = [os.path.basename(frame.f_code.co_filename) for frame, _ in traceback.walk_tb(error.__traceback__)]
        assert files[1:] == [f"user{world.users}.py", "fails.py"]


def test_names_resolve_by_pkgutil(moved):
    names = moved.ok(
        "import pkgutil, canon.core as c\nsame = [pkgutil.resolve_name(n) is c.make for n in ('old.mod:make', 'old.mod.make', 'live:make')]"
    )
    assert names.namespace["same"] == [True] * 3


def test_a_renamed_enum_member_and_class_constant_are_read_on_the_class(moved):
    seen = moved.ok("from canon.kinds import C, Color\na = Color.CRIMSON\nb = C.MAXIMUM, C().MAXIMUM\nc = list(Color)")
    red = seen.namespace["Color"].RED
    assert (seen.namespace["a"], seen.namespace["b"], seen.namespace["c"]) == (red, (3, 3), [red])
    assert seen.counted() == {("canon.kinds:Color.CRIMSON", "attribute", 2): 1, ("canon.kinds:C.MAXIMUM", "attribute", 3): 2}


def test_a_failing_canonical_module_leaves_nothing_behind(moved):
    for _ in range(2):
        assert type(moved.use("import old.boom", filters="ignore").error) is RuntimeError
        assert "old.boom" not in sys.modules and "canon.boom" not in sys.modules


def test_an_import_that_an_error_filter_refuses_can_be_made_again(moved):
    assert type(moved.use("import old.mod", filters="error").error).__name__ == "LegacyUseWarning"
    assert "old.mod" not in sys.modules
    assert moved.ok("import old.mod\nx = old.mod.CONST").namespace["x"] == 42


def test_a_module_popped_from_sys_modules_is_made_anew(moved):
    moved.ok(
        """
        import sys
        import old.mod as a
        del sys.modules["old.mod"]
        import old.mod as b, old
        assert a is not b and old.mod is b and a.make is b.make
        """
    )


def test_a_module_replaced_in_sys_modules_is_the_one_that_is_imported(moved):
    moved.ok(
        """
        import sys, types
        from unittest import mock
        fake = types.ModuleType("old.mod")
        fake.CONST = "fake"
        import old.mod
        with mock.patch.dict(sys.modules, {"old.mod": fake}):
            from old.mod import CONST
            assert CONST == "fake"
        with mock.patch.dict(sys.modules, {"old.mod": None}):
            try:
                import old.mod
            except ImportError:
                refused = True
        from old.mod import CONST
        assert refused and CONST == 42
        """
    )


def test_mocks_with_specs_and_of_several_names_reach_the_canonical_module(moved):
    moved.ok(
        """
        from unittest import mock
        import canon.core as c, live, old.mod
        mock.create_autospec(old.mod), mock.create_autospec(live)
        with mock.patch.multiple("old.mod", make=mock.DEFAULT, CONST=3):
            assert c.CONST == 3 and isinstance(c.make, mock.Mock)
        with mock.patch("live.make", autospec=True), mock.patch.object(live, "Widget"):
            assert isinstance(c.Widget, mock.Mock)
        assert c.CONST == 42 and not isinstance(c.make, mock.Mock) and not isinstance(c.Widget, mock.Mock)
        """
    )


SHIPPED = "import compat\nfrom shared.types.core_types import UserID\nprint(UserID('u'), [(use.line, use.count) for use in compat.usage()])\n"


def run(file, *options):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *options, str(file)], capture_output=True, text=True, timeout=120, cwd=file.parent
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "options", [(), ("-O",), ("-OO",), ("-I",), ("-B",), ("-b",), ("-X", "dev"), ("-X", "tracemalloc")], ids=" ".join
)
def test_the_interpreters_options_change_nothing(tmp_path, options):
    file = tmp_path / "script.py"
    file.write_text(SHIPPED)
    assert run(file, *options) == "u [(2, 1)]\n"


WORKERS = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
import shared.types.core_types as home; from shared.types.core_types import UserID
def work(x):
    import compat
    from shared.types.core_types import UserID
    return UserID(x), sum(use.count for use in compat.usage() if use.line == 7)
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(1) as pool:
        assert pool.apply(getattr, (home, "__name__")) == home.__name__
        print(pool.apply(UserID, "a"), [pool.apply(work, "b") for _ in range(2)])
    if sys.implementation.name == "cpython":  # PyPy's own executor knows fork alone
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            assert pool.submit(UserID, "a").result() == "a"
            assert [pool.submit(work, "b").result() for _ in range(2)] == [("b", 1), ("b", 2)]
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_worker_processes_take_legacy_functions_and_count_for_themselves(tmp_path, method):
    file = tmp_path / "workers.py"
    file.write_text(WORKERS.replace("sys.argv[1]", repr(method)))
    assert run(file) == "a [('b', 1), ('b', 2)]\n"


def test_interactive_input_is_one_site(tmp_path):
    file = tmp_path / "shell.py"
    file.write_text(
        "import code, compat\nshell = code.InteractiveInterpreter()\n"
        "for _ in range(3): shell.runsource('from shared.types.core_types import UserID')\n"
        "print([(use.file, use.line, use.count) for use in compat.usage()])\n"
    )
    assert run(file).startswith("[('<")
    assert run(file).endswith(", 1, 3)]\n")
