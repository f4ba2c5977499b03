"""Whose uses are kept on disk: those of others' ledgers, and the records of processes that used nothing, for who asked."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

THIRD = """
import compat
from compat import Ledger, Name
rows = [Name("old_json:dumps", "json:dumps", since="1", removal="3", instead=None)]
compat.install(Ledger("third", version="2", rows=rows))
from old_json import dumps
import time; time.sleep(0.3)
print(sum(use.count for use in compat.usage()))
"""
SHIPPED = "import compat\nfrom shared.types.core_types import UserID\nprint(sum(use.count for use in compat.usage()))\n"
FORKED = THIRD + (
    "import os\nif not os.fork():\n    from old_json import dumps\n    print(sum(u.count for u in compat.usage()), flush=True)\n"
    "    os._exit(0)\nos.wait()\n"
)
ASKED = {
    "COMPAT_TELEMETRY": {"COMPAT_TELEMETRY": "on"},
    "COMPAT_DIR": {"COMPAT_DIR": "state"},
    "COMPAT_SERVICE": {"COMPAT_SERVICE": "shop"},
}


@pytest.fixture
def run(tmp_path):
    """Run code in a fresh home; return its output and the files that it left."""

    def run(code, project="", **variables):
        home, work = tmp_path / "home", tmp_path / "work" / "below"
        for folder in (home, work):
            folder.mkdir(parents=True, exist_ok=True)
        if project:
            (work.parent / "pyproject.toml").write_text(project)
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("COMPAT", "XDG_STATE"))}
        environment = {**clean, "HOME": str(home), "LOCALAPPDATA": str(home), **variables}
        command = [sys.executable, "-W", "ignore", "-c", code]
        done = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, timeout=120)
        assert done.stderr == ""
        return done.stdout.split(), sorted(path.name for path in tmp_path.rglob("*") if path.suffix in (".seg", ".log", ".db"))

    return run


def test_the_uses_of_others_ledgers_are_counted_and_not_kept(run):
    assert run(THIRD) == (["1"], [])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_counts_for_itself(run):
    assert run(FORKED)[0] == ["1", "1"]
    assert run(FORKED)[1] == []


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_they_are_kept_where_the_environment_asks(run, asked):
    output, files = run(THIRD, **asked)
    assert output == ["1"] and any(name.endswith(".seg") for name in files)


@pytest.mark.parametrize("said, kept", [("telemetry = true", True), ("telemetry = false", False), ("exclude = []", False)])
def test_they_are_kept_where_the_project_asks(run, said, kept):
    output, files = run(THIRD, project=f"[tool.compat]\n{said}\n")
    assert output == ["1"] and any(name.endswith(".seg") for name in files) is kept


@pytest.mark.parametrize("project", ["[tool.compat]\ntelemetry = 'yes'\n", "[tool.compat]\ntelemetry = \n", "[tool.compat"])
def test_a_project_that_cannot_be_read_asks_for_nothing(run, project):
    assert run(THIRD, project=project) == (["1"], [])


@pytest.mark.parametrize("said, kept", [("telemetry = true", True), ("telemetry = false", False), ("exclude = []", False)])
def test_a_process_that_used_nothing_is_recorded_where_the_project_asks(run, tmp_path, said, kept):
    (tmp_path / "work" / "below").mkdir(parents=True)
    (tmp_path / "work" / "below" / "pyproject.toml").write_text(f"[tool.compat]\n{said}\n")
    files = run("import time; time.sleep(0.3)")[1]
    assert [name.endswith(".log") for name in files] == [True] * kept


def test_the_uses_of_the_shipped_ledger_are_kept_unasked(run):
    output, files = run(SHIPPED)
    assert output == ["1"] and any(name.endswith(".seg") for name in files)


def test_telemetry_that_is_off_counts_nothing_and_in_memory_keeps_nothing(run):
    assert run(THIRD, COMPAT_TELEMETRY="off") == (["0"], [])
    assert run(THIRD, COMPAT_TELEMETRY="memory", COMPAT_SERVICE="shop") == (["1"], [])
