"""The example project rehearsed by nox on the oldest and the newest Python, and by tox."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from compat import nox

pytestmark = pytest.mark.slow
EXAMPLE = Path(__file__).parent / "example"
OLDEST, NEWEST = "3.9", "3.15"


@pytest.fixture
def example(project):
    shutil.copytree(EXAMPLE, project, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return project


@pytest.fixture
def run(example, wheel, tmp_path):
    """Run a tool in the example as its developers do."""

    def run(*command, **environment):
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("COMPAT", "PYTEST_", "PYTHON", "NOX", "TOX"))
        }
        made = {"NETRA_COMPAT": str(wheel), "NO_COLOR": "1", "COMPAT_DIR": str(tmp_path / "state"), **environment}
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-m", *command],
            cwd=example,
            env={**kept, **made},
            capture_output=True,
            text=True,
            timeout=400,
        )

    return run


def test_nox_rehearses_each_version_on_each_python_and_ends_with_a_table(run, needed):
    needed("nox", importlib.util.find_spec("nox") is not None)
    pythons = nox.present([OLDEST, NEWEST])
    needed(f"Python {OLDEST} and {NEWEST}", pythons == [OLDEST, NEWEST])
    done = run("nox", "-s", "rehearse")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.partition("Legacy uses by test, version and Python:\n\n")[2] == (
        "test                           uses             today  shop=3.0   shop=4.0\n"
        "-----------------------------  ---------------  -----  ---------  ---------\n"
        "tests/test_old.py::test_money  shop.util:Money  all    all        all\n"
        "tests/test_old.py::test_rate   shop.money:rate  all    all        all\n"
        "                               failed on        none   3.9, 3.15  3.9, 3.15\n"
    )
    for python in pythons:
        assert f"Session rehearse-{python} failed" in done.stderr or f"rehearse-{python}: failed" in done.stderr
    assert "the tests fail: shop=3.0, shop=4.0" in done.stderr
    # The tests that use nothing old pass as of every version; the environments are there already.
    done = run("nox", "-r", "-s", f"rehearse-{NEWEST}", "--", "tests/test_new.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no test uses anything legacy" in done.stdout


def test_a_ledger_that_does_not_import_and_an_unknown_version_fail_with_a_sentence(run, example, needed):
    needed("nox", importlib.util.find_spec("nox") is not None)
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    needed(f"Python {here} by its name", nox.present([here]) == [here])
    (example / "shop" / "moves.py").write_text("import gone\n")
    done = run("nox", "-s", "rehearse", PYTHONS=here)
    assert done.returncode == 1
    assert "compat: ledger 'shop.moves:LEDGER' cannot be imported: No module named 'gone'\n" in done.stdout + done.stderr
    (example / "noxfile.py").write_text("import compat.nox\ncompat.nox.rehearsals(versions=['shop=soon'])\n")
    done = run("nox", "-l")
    assert done.returncode == 2
    assert done.stderr.endswith(
        "compat.nox: 'shop=soon' is no version to rehearse: "
        "'soon' is no version; write one such as '1.4' or '2.0rc1', or 'shop=3.0'\n"
    )


def test_tox_rehearses_the_next_removal(run, needed):
    needed("tox", importlib.util.find_spec("tox") is not None)
    done = run("tox", "-e", "rehearse")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "tests/test_old.py::test_money" in done.stdout and "LegacyExpired" in done.stdout
    assert "1 failed, 2 passed" in done.stdout
    done = run("tox", "-e", "rehearse", "--", "tests/test_new.py")
    assert done.returncode == 0, done.stdout + done.stderr
