"""Which modules stay: rows, the scanned tree and the environment decide, never how many names moved."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from compat.analysis import fix, scan
from compat.analysis.targets.presence import Presence
from compat.ledger import Ledger, Module, names

TOLD = {"since": "1.0", "removal": "3.0", "instead": None}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with a package ``kept``, a namespace package ``spread``, and what a removed package leaves behind."""
    files = {
        "kept/__init__.py": "",
        "kept/inner/__init__.py": "",
        "kept/inner/leaf.py": "",
        "kept/one.py": "",
        "paths/__init__.py": "__path__.append('elsewhere')\n",
        "single.py": "",
        "spread/part.py": "",
        "removed/__pycache__/old.cpython-311.pyc": "",
        "around/tree/x.py": "",
        "around/sibling/notes.txt": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize("module", ["kept", "kept.one", "kept.inner", "kept.inner.leaf", "single", "spread", "spread.part"])
def test_a_module_that_the_tree_holds_stays(tree, module):
    assert Presence([], [str(tree)]).stays(module)


@pytest.mark.parametrize(
    "module", ["kept.gone", "kept.inner.gone", "kept.gone.deeper", "removed", "spread.gone", "nowhere.at.all"]
)
def test_a_module_that_its_package_does_not_hold_is_gone(tree, module):
    assert not Presence(["other"], [str(tree)]).stays(module)


@pytest.mark.parametrize("module", ["single.attribute", "paths.anything", "paths.any.thing"])
def test_what_may_be_there_without_a_file_stays(tree, module):
    """`os.path` and `six.moves` are no files of their parents."""
    assert Presence([], [str(tree)]).stays(module)


def test_of_a_package_that_is_not_installed_rows_tell_what_stays():
    presence = Presence(["lib.new.core"])
    assert [module for module in ("lib", "lib.new", "lib.new.core", "lib.old", "lib.old.x", "other") if presence.stays(module)] == [
        "lib", "lib.new", "lib.new.core", "lib.old", "lib.old.x",
    ]  # fmt: skip


def test_a_namespace_package_that_rows_lead_into_may_have_parts_elsewhere(tree):
    assert Presence(["spread.new"], [str(tree)]).stays("spread.gone")


@pytest.mark.parametrize("module", ["sys", "os", "os.path", "json.decoder", "email.mime.text", "_io", "pytest", "zipimport"])
def test_what_the_environment_has_stays(module):
    assert Presence([]).stays(module)


def test_what_a_package_of_the_environment_does_not_hold_is_gone_and_nothing_is_imported(tree, monkeypatch):
    (tree / "kept" / "__init__.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(str(tree))
    presence = Presence([])
    assert (presence.stays("kept.one"), presence.stays("kept.gone"), presence.stays("json.gone")) == (True, False, False)
    assert "kept" not in sys.modules


def test_a_folder_beside_the_tree_is_no_package_without_its_init(tree):
    """A checkout of another project beside this one says nothing about what is importable."""
    around = str(tree / "around")
    assert not Presence([], [f"{around}/tree"], [around]).stays("sibling")
    assert Presence([], [f"{around}/tree"], [str(tree)]).stays("kept.one")


# -- what that means for scan and fix

NAMES = [*names("lib", "lib", "old=new", **TOLD), *names("lib.manager", "lib.core", "Old=New", **TOLD)]
WAYS = (
    "import lib.manager as m\nm.keep\n",
    "import os, lib.manager\nprint(lib.manager)\n",
    "from lib import manager\nmanager.keep()\n",
    "import importlib\nimportlib.import_module('lib.manager')\n",
    "import sys\nsys.modules['lib.manager']\n",
    "from unittest import mock\nmock.patch('lib.manager')\n",
    "import lib as l\nl.keep()\n",
)


def both(root: Path, text: str, rows: list) -> tuple[list[str], list[str]]:
    """What scan reports and what fix leaves or rewrites in one text: symbols by line."""
    ledger = Ledger("lib", version="1.0", docs="")
    ledger += rows
    (root / "user.py").write_text(text)
    outcome = fix([str(root / "user.py")], ledger).outcomes
    left = [f"{skip.line}: {skip.symbol}" for one in outcome for skip in one.skips]
    assert [one.status for one in outcome] in ([], ["skipped"]), outcome
    return [f"{finding.line}: {finding.symbol}" for finding in scan([str(root / "user.py")], ledger).findings], left


@pytest.mark.parametrize("text", WAYS)
def test_a_ledger_of_names_says_nothing_of_a_module_that_stays(tmp_path, text):
    """Whether the package lies in the tree, or is not installed and rows lead into it."""
    assert both(tmp_path, text, NAMES) == ([], [])
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "__init__.py").write_text("")
    (tmp_path / "lib" / "manager.py").write_text("")
    assert both(tmp_path, text, NAMES) == ([], [])


@pytest.mark.parametrize("text, line", [*zip(WAYS, (1, 1, 1, 2, 2, 2))])
def test_a_module_that_its_package_lost_is_told_the_same_by_scan_and_fix(tmp_path, text, line):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "__init__.py").write_text("")
    assert both(tmp_path, text, NAMES) == ([f"{line}: lib.manager"], [f"{line}: lib.manager"])


def test_a_module_row_makes_an_import_a_finding_wherever_the_module_is(tmp_path):
    (tmp_path / "lib").mkdir()
    for name in ("__init__.py", "manager.py"):
        (tmp_path / "lib" / name).write_text("")
    ledger = Ledger("lib", version="1.0", docs="")
    ledger += [Module("lib.manager", "lib.core", **TOLD)]
    (tmp_path / "user.py").write_text("from lib import manager\n")
    assert [finding.symbol for finding in scan([str(tmp_path / "user.py")], ledger).findings] == ["lib.manager"]


def test_a_relative_import_of_a_module_that_stays_is_told_the_same(tmp_path):
    (tmp_path / "lib").mkdir()
    for name, text in {
        "__init__.py": "",
        "manager.py": "",
        "core.py": "",
        "user.py": "from . import manager\nmanager.Old, manager.keep\n",
    }.items():
        (tmp_path / "lib" / name).write_text(text)
    ledger = Ledger("lib", version="1.0", docs="")
    ledger += NAMES
    assert [(finding.line, finding.symbol) for finding in scan([str(tmp_path)], ledger).findings] == [(2, "lib.manager:Old")]
    result = fix([str(tmp_path)], ledger, write=True, verify=True)
    assert (result.problems, result.skips) == ([], [])
    assert (tmp_path / "lib" / "user.py").read_text() == "from lib import core\nfrom . import manager\ncore.New, manager.keep\n"
    assert scan([str(tmp_path)], ledger).findings == []


def test_the_cache_knows_when_a_module_went(tmp_path):
    tree = tmp_path / "tree"
    (tree / "lib").mkdir(parents=True)
    for name in ("__init__.py", "manager.py"):
        (tree / "lib" / name).write_text("")
    (tree / "user.py").write_text("import lib.manager\nlib.manager.keep\n")
    ledger = Ledger("lib", version="1.0", docs="")
    ledger += NAMES
    told = []
    for _run in range(2):
        told.append([finding.line for finding in scan([str(tree)], ledger, cache=str(tmp_path / "cache")).findings])
        (tree / "lib" / "manager.py").unlink(missing_ok=True)
    assert told == [[], [1]]
