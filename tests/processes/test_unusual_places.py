"""Ledgers by entry point are found wherever Python finds modules: in zip files, in folders that no .pth speaks for, and after an
installation into a running process."""

from __future__ import annotations

import ast
import os
import pathlib
import shutil
import subprocess
import sys
import zipapp
import zipfile

import pytest

import compat

PACKAGE = pathlib.Path(compat.__file__).parent
LEDGER = """
from compat import Ledger, Name
V = {"since": "2.0", "removal": "3.0", "instead": None}
LEDGER = Ledger("shop", version="2.3", rows=[
    Name("old_shop:Money", "shop.money:Money", **V), Name("shop.live:Money", "shop.money:Money", **V)
])
"""
POINTS = "[compat.ledgers]\nshop = moves_of_shop:LEDGER\n"
ROOTS = "\n[compat.roots]\nold_shop = moves_of_shop:LEDGER\nshop = moves_of_shop:LEDGER\n"
USE = "from old_shop import Money as one\nfrom shop.live import Money as other\nprint(one is other, one.__module__)\n"


def install(folder, points=POINTS + ROOTS):
    """What an installer leaves of the library and its ledger."""
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "__init__.py").write_text("")
    (folder / "shop" / "live.py").write_text("")
    (folder / "shop" / "money.py").write_text("class Money: pass\n")
    (folder / "moves_of_shop.py").write_text(LEDGER)
    (folder / "shop-2.3.dist-info").mkdir()
    (folder / "shop-2.3.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 2.3\n")
    (folder / "shop-2.3.dist-info" / "entry_points.txt").write_text(points)


def bring(folder):
    """The package itself, where site-packages is not to be read."""
    shutil.copytree(PACKAGE, folder / "compat", ignore=shutil.ignore_patterns("__pycache__", "netra", "canonical"))


def run(*arguments, cwd, **environment):
    environment = {**os.environ, "COMPAT_TELEMETRY": "memory", **environment}
    done = subprocess.run(
        [sys.executable, "-W", "always", *map(str, arguments)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stderr.count("LegacyUseWarning: Importing Money from 'old_shop' is deprecated since shop 2.0") == 1, done.stderr
    assert done.stderr.count("LegacyUseWarning: Importing Money from 'shop.live' is deprecated since shop 2.0") == 1, done.stderr
    assert done.stdout.splitlines()[-1] == "True shop.money"
    return done


@pytest.mark.parametrize("points", [POINTS, POINTS + ROOTS], ids=["roots not listed", "roots listed"])
class TestWithoutAStartFile:
    """``-S``: no ``.pth`` is read, and nothing of this environment is on the path."""

    def test_a_folder_that_an_installer_was_told_to_fill(self, tmp_path, points):
        target = tmp_path / "target"
        install(target, points)
        bring(target)
        run("-S", "-c", "import compat.auto\n" + USE, cwd=tmp_path, PYTHONPATH=str(target))

    @pytest.mark.parametrize("compressed", [False, True], ids=["stored", "compressed"])
    def test_a_zipapp(self, tmp_path, points, compressed):
        install(tmp_path / "app", points)
        bring(tmp_path / "app")
        (tmp_path / "app" / "__main__.py").write_text("import compat.auto\n" + USE)
        zipapp.create_archive(tmp_path / "app", tmp_path / "app.pyz", compressed=compressed)
        run("-S", "app.pyz", cwd=tmp_path)

    def test_a_folder_within_a_zip_file(self, tmp_path, points):
        install(tmp_path / "app" / "lib" / "python", points)
        shutil.make_archive(str(tmp_path / "all"), "zip", tmp_path / "app")
        bring(tmp_path)
        path = os.pathsep.join((str(tmp_path / "all.zip" / "lib" / "python"), str(tmp_path)))
        run("-S", "-c", "import compat.auto\n" + USE, cwd=tmp_path, PYTHONPATH=path)


HEAD = "import sys, shutil, zipimport\nimport first\ntry:\n    import nothing_of_this_name\nexcept ImportError: pass\n"


@pytest.mark.parametrize("points", [POINTS, POINTS + ROOTS], ids=["roots not listed", "roots listed"])
class TestAfterTheFirstImport:
    """The drop-in has read the path already when the library comes."""

    @pytest.fixture(autouse=True)
    def started(self, tmp_path):
        (tmp_path / "here").mkdir()
        (tmp_path / "here" / "first.py").write_text("")

    def test_a_distribution_that_is_installed_into_a_folder_of_the_path(self, tmp_path, points):
        install(tmp_path / "new", points)
        # The metadata last, as installers do.
        code = HEAD + "import os\nfor name in sorted(os.listdir('new'), reverse=True): shutil.move('new/' + name, 'here')\n"
        code += "import importlib; importlib.invalidate_caches()\n" + USE
        run("-c", code, cwd=tmp_path, PYTHONPATH=str(tmp_path / "here"))

    def test_a_longer_path(self, tmp_path, points):
        install(tmp_path / "new", points)
        run("-c", HEAD + "sys.path.append('new')\n" + USE, cwd=tmp_path, PYTHONPATH=str(tmp_path / "here"))

    def test_a_path_that_is_longer_by_a_zip_file(self, tmp_path, points):
        install(tmp_path / "new", points)
        shutil.make_archive(str(tmp_path / "all"), "zip", tmp_path / "new")
        run("-c", HEAD + "sys.path.append('all.zip')\n" + USE, cwd=tmp_path, PYTHONPATH=str(tmp_path / "here"))

    def test_a_second_distribution_after_the_first(self, tmp_path, points):
        install(tmp_path / "here", points)
        other = (
            "from compat import Ledger, Name\nLEDGER = Ledger('more', version='1', rows=[Name('old_more:dumps', 'json:dumps', "
        )
        other += "since='1', removal='2', instead=None)])\n"
        code = (
            HEAD
            + USE
            + (
                "import os, importlib, pathlib\nos.mkdir('here/more-1.dist-info')\n"
                f"pathlib.Path('here/more_moves.py').write_text({other!r})\n"
                "pathlib.Path('here/more-1.dist-info/entry_points.txt').write_text('[compat.ledgers]\\nmore = more_moves:LEDGER\\n')\n"
                "importlib.invalidate_caches()\nfrom old_more import dumps\nprint(dumps([1]))\nprint(one is other, one.__module__)\n"
            )
        )
        done = run("-c", code, cwd=tmp_path, PYTHONPATH=str(tmp_path / "here"))
        assert done.stdout.splitlines()[1] == "[1]"


def test_what_is_no_zip_file_and_a_broken_one_cost_nothing(tmp_path):
    (tmp_path / "text.zip").write_text("no zip file")
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    (tmp_path / "pipe").mkdir()
    install(tmp_path / "target")
    bring(tmp_path / "target")
    path = os.pathsep.join(str(tmp_path / name) for name in ("text.zip", "empty.zip", "gone.zip", "pipe", "target"))
    run("-S", "-c", "import compat.auto\n" + USE, cwd=tmp_path, PYTHONPATH=path)


def test_a_program_that_lies_where_the_standard_library_would(tmp_path):
    """As Nuitka puts one together."""
    (tmp_path / "tools.py").write_text("def hook(found): return found\n")
    (tmp_path / "app.py").write_text(
        "import os\nos.__file__ = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'os.py')\n"
        "import json, tools, compat\nV = {'since': '1', 'removal': '3', 'instead': None}\n"
        "compat.install(compat.Ledger('tools', version='2', rows=["
        "compat.Module('old_tools', 'tools', **V), compat.Deprecated('tools:hook', **V)]))\n"
        "import old_tools\n"
        "json.loads('{}', object_hook=tools.hook)\n"
        "print([(use.move, os.path.basename(use.file), use.line) for use in compat.usage()])\n"
    )
    environment = {**os.environ, "COMPAT_TELEMETRY": "memory"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "app.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert not done.stderr
    one, other = ast.literal_eval(done.stdout)
    assert one == ("old_tools", "app.py", 6)
    # Which modules are the standard library's is known since 3.10.
    assert other == ("tools:hook", "app.py", 7) or sys.version_info < (3, 10)
