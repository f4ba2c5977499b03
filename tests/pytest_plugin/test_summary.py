"""The summary at the end: every use of the session, sorted by whose it is, whatever the filters say."""

from __future__ import annotations

import pytest

from compat.telemetry.history.database import open_history

from .conftest import COUNTED, LAST

pytest_plugins = ["pytester"]

SHORT = """\
self: 2 uses of 2 moves
       1  shop.money:total  shop/cart.py:4
          Use sum() instead.
       1  shop_util:Money  tests/test_shop.py:4
          Use canonical path 'from shop.money import Amount' instead.
direct: 3 uses of 1 move
       3  lib:old  tests/test_shop.py:8
          Use lib.new() instead.
indirect: 2 uses of 1 move
       2  lib:old  dep.py:4
          Use lib.new() instead.
"""
FULL = """\
self: 2 uses of 2 moves
  shop.money:total: Use sum() instead.
       1  call       shop/cart.py:4  tests/test_shop.py::test_self
  shop_util:Money: Use canonical path 'from shop.money import Amount' instead.
       1  import     tests/test_shop.py:4  collection of tests/test_shop.py
direct: 3 uses of 1 move
  lib:old: Use lib.new() instead.
       3  call       tests/test_shop.py:8  tests/test_shop.py::test_direct
indirect: 2 uses of 1 move
  lib:old: Use lib.new() instead.
       2  call       dep.py:4  tests/test_shop.py::test_indirect
"""


@pytest.mark.parametrize(("option", "text"), [("--compat", SHORT), ("-v", FULL)])
def test_it_is_short_by_default_and_has_all_with_v(project, option, text):
    result = project.run("--compat", option)
    shown = result.stdout.str().partition("= legacy uses =")[2].splitlines()[1:]
    assert shown[: len(text.splitlines())] == text.splitlines()
    assert shown[len(text.splitlines())] == LAST


@pytest.mark.parametrize(
    "filters",
    [
        ["-p", "no:warnings"],
        ["-W", "ignore"],
        ["-W", "once"],
        ["-W", "always"],
        ["-W", "error::DeprecationWarning:shop.cart"],
        ["-o", "filterwarnings=ignore::compat.LegacyUseWarning"],
        ["--disable-warnings"],
    ],
    ids=" ".join,
)
def test_counts_do_not_ask_the_filters(project, filters):
    assert project.counted(*filters) == COUNTED


def test_counts_are_those_up_to_the_error_where_a_warning_is_one(project):
    project.write("tests/test_shop.py", project.read("tests/test_shop.py").replace("from shop_util import Money", "Money = 1"))
    left = [use for use in COUNTED if use[1] != "shop_util:Money"]
    raised = [(*use[:5], 1) for use in left]
    assert project.counted("-W", "error") == raised
    project.write(
        "tests/test_shop.py",
        project.read("tests/test_shop.py")
        .replace("def test", "@pytest.mark.filterwarnings('error')\ndef test")
        .replace("import dep\n", "import dep, pytest\n"),
    )
    moved = {("tests/test_shop.py", 8): 9}
    assert project.counted() == [(*use[:4], moved.get(use[3:5], use[4]), 1) for use in left]


def test_what_is_used_by_conftest_files_plugins_and_fixtures_is_in_it(project):
    project.write("conftest.py", "import lib\nlib.old()\n")
    project.write("tests/plug.py", "import lib\nlib.old()\n")
    project.configure('pythonpath = [".", "tests"]\naddopts = ["-p", "plug"]')
    project.write("pyproject.toml", project.read("pyproject.toml").replace('pythonpath = ["."]\n', ""))
    project.write(
        "tests/test_shop.py",
        "import pytest, lib\n\n@pytest.fixture(scope='session')\ndef both():\n    lib.old()\n    yield\n    lib.old()\n\n"
        "def test_one(both):\n    pass\n\ndef test_two(both):\n    pass\n",
    )
    assert project.counted() == [
        ("direct", "lib:old", "call", "conftest.py", 2, 1),
        ("direct", "lib:old", "call", "tests/plug.py", 2, 1),
        ("direct", "lib:old", "call", "tests/test_shop.py", 5, 1),
        ("direct", "lib:old", "call", "tests/test_shop.py", 7, 1),
    ]
    by = {(use["file"], use["line"]): list(use["by"]) for use in project.report()["uses"]}
    assert by["conftest.py", 2] == ["start of the session"]
    assert by["tests/test_shop.py", 5] == ["tests/test_shop.py::test_one"]
    assert by["tests/test_shop.py", 7] == ["tests/test_shop.py::test_two"]


def test_uses_of_threads_and_of_a_ledger_that_a_test_installs_are_in_it(project):
    project.write(
        "tests/test_shop.py",
        "import threading, compat, lib\n"
        "from compat import Ledger, Name\n\n"
        "def test_thread():\n"
        "    def work():\n        lib.old()\n"
        "    thread = threading.Thread(target=work)\n    thread.start()\n    thread.join()\n\n"
        "def test_installs():\n"
        "    with compat.install(Ledger('mine', version='1.0') + [Name('mine_old:X', 'lib:new', since='1', removal='2', instead='lib.new()')]):\n"
        "        from mine_old import X\n",
    )
    assert project.counted() == [
        ("direct", "lib:old", "call", "tests/test_shop.py", 6, 1),
        ("direct", "mine_old:X", "import", "tests/test_shop.py", 13, 1),
    ]
    assert [use["advice"] for use in project.report()["uses"]] == ["Use lib.new() instead.", "Use lib.new() instead."]


def test_many_moves_are_cut_short(project):
    names = [f"f{number}" for number in range(8)]
    project.write("site-packages/lib/__init__.py", "".join(f"def {name}():\n    pass\n" for name in names))
    rows = ", ".join(f"Deprecated('lib:{name}', since='1', removal='2', instead='')" for name in names)
    project.write("site-packages/lib_moves.py", f"from compat import Deprecated, Ledger\nLEDGER = Ledger('lib') + [{rows}]\n")
    project.write("tests/test_shop.py", "import lib\n\ndef test_all():\n" + "".join(f"    lib.{name}()\n" for name in names))
    shown = project.run("--compat").stdout.str()
    assert "       1  lib:f4  tests/test_shop.py:8\n  ... and 3 more moves; -v shows all\n" in shown
    assert "lib:f7" not in shown.partition("= legacy uses")[2]


def test_telemetry_is_counted_as_before_and_marked_as_a_test(project):
    project.setenv("COMPAT_TELEMETRY", "on")
    project.setenv("COMPAT_DIR", str(project.path / "state"))
    project.write(
        "tests/test_shop.py",
        "import subprocess, sys, lib\n\ndef test_child():\n    lib.old()\n"
        "    subprocess.run([sys.executable, 'job.py'], check=True)\n",
    )
    project.write("job.py", "import lib\nlib.old()\n")
    assert project.run("--compat", "-W", "ignore").ret == 0
    project.python("import compat.__main__; compat.__main__.main(['report', '--format', 'csv'])")
    with open_history(project.path / "state" / "usage.db", readonly=True) as history:
        assert {row[0] for row in history.connection.execute("SELECT environment FROM sites")} == {"test"}
        assert history.connection.execute("SELECT sum(count) FROM uses").fetchone() == (2,)
