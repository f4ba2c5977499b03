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


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The project, in one place for all tests: its environments are made once."""
    return shutil.copytree(
        EXAMPLE, tmp_path_factory.mktemp("rehearsals") / "example", ignore=shutil.ignore_patterns("__pycache__")
    )


@pytest.fixture
def run(example, wheel, tmp_path):
    """Run a tool in the example as its developers do."""

    def run(*command, **environment):
        ours = ("COMPAT", "PYTEST_", "PYTHON", "NOX", "TOX", "FORCE_COLOR")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
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


def test_nox_rehearses_each_version_on_each_python_and_ends_with_a_table(run, example, needed):
    needed("nox", importlib.util.find_spec("nox") is not None)
    needed(f"Python {OLDEST} and {NEWEST}", nox.present([OLDEST, NEWEST]) == [OLDEST, NEWEST])
    done = run("nox", "-s", "rehearse")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.partition("Legacy uses by test, version and Python:\n\n")[2] == (
        "test                           uses             today  shop=3.0   shop=4.0\n"
        "-----------------------------  ---------------  -----  ---------  ---------\n"
        "tests/test_old.py::test_money  shop.util:Money  all    all        all\n"
        "tests/test_old.py::test_rate   shop.money:rate  all    all        all\n"
        "                               failed on        none   3.9, 3.15  3.9, 3.15\n"
    )
    assert done.stderr.count("the tests fail: shop=3.0, shop=4.0") == 2

    # The tests that use nothing old pass as of every version; -R takes the environments as they are.
    done = run("nox", "-R", "-s", f"rehearse-{NEWEST}", "--", "tests/test_new.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no test uses anything legacy" in done.stdout

    moves = example / "shop" / "moves.py"
    moves.rename(example / "moves.py")
    moves.write_text("import gone\n")
    done = run("nox", "-R", "-s", f"rehearse-{NEWEST}")
    (example / "moves.py").replace(moves)
    assert done.returncode == 1
    said = "compat: ledger 'shop.moves:LEDGER' cannot be imported: No module named 'gone'\n"
    assert said in done.stdout + done.stderr and "Traceback" not in done.stdout + done.stderr


def test_an_unknown_version_is_one_sentence_before_anything_runs(run, example, needed):
    needed("nox", importlib.util.find_spec("nox") is not None)
    (example / "unknown.py").write_text("import compat.nox\ncompat.nox.rehearsals(versions=['shop=soon'])\n")
    done = run("nox", "-f", "unknown.py", "-s", "rehearse")
    assert done.returncode == 2
    assert done.stderr == (
        "compat.nox: 'shop=soon' is no version to rehearse: "
        "'soon' is no version; write one such as '1.4' or '2.0rc1', or 'shop=3.0'\n"
    )


def test_tox_rehearses_the_next_removal(run, needed):
    needed("tox", importlib.util.find_spec("tox") is not None)
    done = run("tox", "-e", "rehearse")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "tests/test_old.py::test_money" in done.stdout and "LegacyExpired" in done.stdout
    assert "1 failed, 2 passed" in done.stdout
    done = run("tox", "-e", "rehearse", "--skip-pkg-install", "--", "tests/test_new.py")
    assert done.returncode == 0, done.stdout + done.stderr
