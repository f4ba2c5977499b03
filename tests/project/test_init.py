"""``compat init``: a first ledger, or a consumer's configuration, as a diff; what stands in pyproject.toml stays."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

PYPROJECT = """\
[project] # ours
name = "shop"
version = "2.3"
dependencies = ["requests"]   # one

[tool.other]
wide   =   100 # odd spaces
"""
SHOP = '''\
import warnings


def total(items):
    """The sum."""
    warnings.warn("total() is deprecated since 2.1 and will be removed in 4.0; use sum() instead", DeprecationWarning, stacklevel=2)
    return sum(items)


def load(path=None):
    if path is not None:
        warnings.warn("path is deprecated", DeprecationWarning, stacklevel=2)


class Money:
    def __init__(self):
        warnings.warn(f"{self} is deprecated, use `Amount`.", category=DeprecationWarning)

    def cents(self):
        warnings.warn("A note to users.", UserWarning)

    def _private(self):
        warnings.warn("private", DeprecationWarning)
'''
OLD_KIT = """\
from compat import Ledger, Name
LEDGER = Ledger("kit", version="2.0") + [Name("old_kit:Money", "decimal:Decimal", since="1", removal="3", instead=None)]
"""


@pytest.fixture
def library(files):
    files({"pyproject.toml": PYPROJECT, "src/shop/__init__.py": SHOP, "tests/test_shop.py": "import shop\nshop.total([])\n"})


@pytest.fixture
def consumer(files, install):
    files(
        {
            "pyproject.toml": '[project]\nname = "app"\nversion = "1"\ndependencies = ["kit>=2"]\n',
            "app/__init__.py": "",
            "app/main.py": "from old_kit import Money\n",
        }
    )
    install("kit", "2.0", "[compat.ledgers]\nkit = kit_moves:LEDGER\n", module=("kit_moves.py", OLD_KIT))


def snapshot(project):
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in project.rglob("*") if path.is_file()}


def test_without_write_nothing_is_written_and_the_diff_applies(compat_in, library, project):
    before = snapshot(project)
    done = compat_in("init")
    assert (done.returncode, snapshot(project)) == (0, before)
    assert "nothing is written yet; write it with: compat init --write\n" in done.stderr
    if shutil.which("patch"):
        subprocess.run(["patch", "-p1", "-s"], input=done.stdout, text=True, cwd=project, check=True)
        shown = snapshot(project)
        for name in shown.keys() - before.keys():
            (project / name).unlink()
        (project / "pyproject.toml").write_bytes(before["pyproject.toml"])
        compat_in("init", "--write")
        assert snapshot(project) == shown


def test_a_first_ledger_is_drafted_from_what_the_source_warns_of(compat_in, library, project, install):
    done = compat_in("init", "--write")
    assert (done.returncode, done.stdout) == (0, "src/shop/moves.py\npyproject.toml\n")
    assert "deprecations in the source: 2 always, 1 under a condition\n" in done.stderr
    assert done.stderr.endswith(
        "next: read src/shop/moves.py\nthen: python -m pip install -e .\nthen: compat ci\nthen: compat doctor\n"
    )
    text = (project / "src/shop/moves.py").read_text()
    assert re.findall(r"^    Deprecated\(.*$", text, flags=re.M) == [
        '    Deprecated("shop:total", since="2.1", removal="4.0", instead="sum()"),  # src/shop/__init__.py:6',
        '    Deprecated("shop:Money", since="2.3", removal="3.0", instead="Amount"),  # src/shop/__init__.py:17',
    ]
    assert text.endswith("#   src/shop/__init__.py:12: shop:load: path is deprecated\n")
    # It is a ledger that can be served, and that a scan of the project reads.
    install("shop", "2.3", "[compat.ledgers]\nshop = shop.moves:LEDGER\n", here=True)
    code = "import compat, warnings; warnings.simplefilter('ignore'); from shop.moves import LEDGER; compat.check(LEDGER); print(len(LEDGER))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=project,
        env={**os.environ, "PYTHONPATH": f"{project}:{project / 'src'}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == ("2\n", 0), done.stderr
    scanned = compat_in("scan")
    assert scanned.returncode == 1
    assert scanned.stdout.startswith("tests/test_shop.py:2:1: deprecated: Using total from 'shop' is deprecated since shop 2.1 ")


def test_what_stood_in_pyproject_stands_there_still(compat_in, library, project):
    compat_in("init", "--write")
    text = (project / "pyproject.toml").read_text()
    added = '\n[project.entry-points."compat.ledgers"]\nshop = "shop.moves:LEDGER"\n\n[tool.compat]\nledgers = ["shop.moves:LEDGER"]\n'
    assert text.startswith(PYPROJECT) and text[len(PYPROJECT) :].startswith(added)


def test_a_second_time_there_is_nothing_to_do(compat_in, library, project):
    compat_in("init", "--write")
    before = snapshot(project)
    done = compat_in("init", "--write")
    assert (done.returncode, done.stdout, snapshot(project)) == (0, "", before)
    assert done.stderr == "[tool.compat] names its ledgers already: shop.moves:LEDGER\nnext: compat doctor\n"


@pytest.mark.parametrize(
    "text",
    [
        PYPROJECT.replace("\n", "\r\n"),
        PYPROJECT.rstrip(),
        PYPROJECT + '\n[project.entry-points."other.group"]\na = "b:c"\n',
        PYPROJECT + '\n[tool.compat] # begun\nexclude = ["vendor/"] # theirs\n\n[tool.last]\na = 1\n',
        'project = {name = "shop", version = "2.3", dynamic = ["entry-points"]}\n',
        "",
    ],
    ids=["crlf", "no newline at the end", "other entry points", "a table without ledgers", "inline", "empty"],
)
def test_every_form_of_pyproject_keeps_each_of_its_lines(compat_in, files, project, text):
    files({"src/shop/__init__.py": SHOP})
    (project / "pyproject.toml").write_bytes(text.encode())
    assert compat_in("init", "--write").returncode == 0
    new = (project / "pyproject.toml").read_bytes().decode()
    left = iter(new.split("\n"))
    assert all(any(line.rstrip("\r") == other.rstrip("\r") for other in left) for line in text.split("\n") if line.strip())
    assert ("\r\n" in new) == ("\r\n" in text) and new.count("\r\n") in (0, new.count("\n"))
    assert "shop.moves:LEDGER" in new.partition("[tool.compat]")[2]


@pytest.mark.parametrize(
    "text",
    [
        '[project]\nname = "shop"\nversion = "1"\nentry-points = {other = {a = "b:c"}}\n',
        '[project]\nname = "shop"\nversion = "1"\n[tool]\nother = 1\ncompat = {exclude = ["x/"]}\n',
        "tool = {other = {a = 1}}\n",
    ],
)
def test_where_no_table_can_be_added_the_lines_are_told_and_nothing_is_written(compat_in, files, project, text):
    files({"src/shop/__init__.py": SHOP, "pyproject.toml": text})
    before = snapshot(project)
    done = compat_in("init", "--write")
    assert (done.returncode, done.stdout, snapshot(project)) == (2, "", before)
    assert "; add by hand:\n" in done.stderr and "shop.moves:LEDGER" in done.stderr


def test_a_consumer_gets_the_ledgers_of_what_it_depends_on(compat_in, consumer, project):
    done = compat_in("init", "--write")
    assert (done.returncode, done.stdout) == (0, "pyproject.toml\n")
    table = (project / "pyproject.toml").read_text().partition("[tool.compat]\n")[2]
    assert table.startswith('ledgers = ["kit_moves:LEDGER"]\nbaseline = "compat-baseline.json"\n')
    assert "uses of kit's legacy names: 1 in 1 files\n" in done.stderr
    assert "next: compat fix app\nthen: compat scan app --update-baseline --accept-new\n" in done.stderr
    assert compat_in("scan", "app", "--update-baseline", "--accept-new").returncode == 0
    assert compat_in("scan", "app").returncode == 0


def test_a_ledger_that_a_dependency_declares_and_that_does_not_import_is_an_error(compat_in, consumer, project):
    (project.parent / "site" / "kit_moves.py").write_text("import gone\n")
    before = snapshot(project)
    done = compat_in("init", "--write")
    assert (done.returncode, done.stdout, snapshot(project)) == (2, "", before)
    assert done.stderr.endswith("compat: ledger 'kit_moves:LEDGER' cannot be imported: No module named 'gone'\n")
    (project / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1"\n')
    done = compat_in("init")
    assert done.returncode == 0 and "passed over: ledger 'kit_moves:LEDGER' cannot be imported: " in done.stderr


def test_ledgers_that_the_project_has_are_named(compat_in, files, project):
    files({"pyproject.toml": PYPROJECT, "shop/__init__.py": "", "shop/old/__init__.py": "", "shop/old/rows.py": OLD_KIT})
    assert compat_in("init", "--write").stdout == "pyproject.toml\n"
    assert '[tool.compat]\nledgers = ["shop.old.rows:LEDGER"]\n' in (project / "pyproject.toml").read_text()


def test_a_single_module_gets_its_ledger_beside_it(compat_in, files, project):
    files({"shop.py": SHOP, "pyproject.toml": PYPROJECT})
    assert compat_in("init", "--write").stdout == "shop_moves.py\npyproject.toml\n"
    assert compat_in("scan").returncode == 0


def test_a_package_that_warns_of_nothing_gets_a_ledger_with_an_example(compat_in, files, project):
    files({"pyproject.toml": PYPROJECT, "shop/__init__.py": ""})
    done = compat_in("init", "--write")
    assert "next: read shop/moves.py, and write its first row\n" in done.stderr
    text = (project / "shop/moves.py").read_text()
    assert '    # Name("shop.util:Old", "shop.core:New", since="2.3", removal="3.0", instead=None),\n' in text
    compile(text.replace("    # ", "    ").replace("import Ledger", "import Ledger, Name"), "moves.py", "exec")


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({}, " holds no project: no pyproject.toml, no package, no module; run compat init in the directory of the project\n"),
        ({"pyproject.toml": "[project\n"}, "pyproject.toml cannot be read: "),
        ({"pyproject.toml": "[tool.compat]\nledger = []\n"}, "[tool.compat] has no 'ledger'; write 'ledgers' (it takes "),
        (
            {"pyproject.toml": PYPROJECT, "shop/__init__.py": "", "shop/moves.py": "", "shop/legacy_moves.py": ""},
            "name a ledger in",
        ),
    ],
)
def test_what_cannot_be_understood_is_one_sentence_and_exit_code_2(compat_in, files, project, texts, said):
    files(texts)
    before = snapshot(project)
    done = compat_in("init", "--write")
    assert (done.returncode, done.stdout, snapshot(project)) == (2, "", before)
    assert said in done.stderr and done.stderr.count("\n") == 1


def test_it_finds_what_decorators_and_modules_say(compat_in, files, project):
    files(
        {
            "pyproject.toml": PYPROJECT,
            "shop/__init__.py": "",
            "shop/odd.py": "import warnings\nwarnings.warn('%s: use shop.even instead' % __name__, DeprecationWarning)\n",
            "shop/even.py": (
                "from typing_extensions import deprecated\n"
                "@deprecated('Use ' + 'half().')\ndef double(): ...\n"
                "@deprecated('for checkers', category=None)\ndef triple(): ...\n"
                "class Box:\n    @deprecated('Removed in version 3.1.')\n    def open(self): ...\n"
            ),
            "shop/broken.py": "def (\n",
            "shop/tests/test_a.py": "import warnings\nwarnings.warn('x', DeprecationWarning)\n",
        }
    )
    compat_in("init", "--write")
    text = (project / "shop/moves.py").read_text()
    assert re.findall(r"Deprecated\((.*)\), ", text) == [
        '"shop.even:double", since="2.3", removal="3.0", instead="half()"',
        '"shop.even:Box.open", since="2.3", removal="3.1", instead=None',
        '"shop.odd", since="2.3", removal="3.0", instead="shop.even"',
    ]
    assert json.dumps("shop.tests") not in text
