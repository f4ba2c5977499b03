"""One run of the pytest plugin, alone and with workers; all else about it is in tests/pytest_plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

MOVES = """
from compat import Deprecated, Ledger, Name

LEDGER = Ledger("lib", version="1.5") + [
    Deprecated("lib:old", since="1.0", removal="2.0", instead="lib.new()"),
    Name("lib_old:new", "lib:new", since="1.0", removal="2.0", instead=None),
]
"""
TESTS = """\
import lib, pytest
from lib_old import new

@pytest.mark.parametrize("number", range(1, 9))
def test_many(number, legacy_uses):
    for _ in range(number):
        lib.old()
    assert legacy_uses.count == number

@pytest.mark.legacy("lib:old")
def test_marked():
    lib.old()
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_it_counts_every_use_and_rehearses(tmp_path, workers):
    files = {
        "lib.py": "def new():\n    return 1\n\ndef old():\n    return 1\n",
        "moves.py": MOVES,
        "test_lib.py": TESTS,
        "pyproject.toml": '[tool.compat]\nledgers = ["moves:LEDGER"]\n[tool.pytest.ini_options]\npythonpath = ["."]\n',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    def run(*options: str) -> tuple[int, list]:
        quiet = [f"-pno:{name}" for name in ("hypothesispytest", "anyio", "timeout", "cacheprovider")]
        command = [sys.executable, "-m", "pytest", "-q", *quiet, *workers, "--compat-report=report.json", *options]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("COMPAT_", "PYTEST_"))}
        environment["COMPAT_TELEMETRY"] = "memory"
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
        uses = json.loads((tmp_path / "report.json").read_text())["uses"]
        return done.returncode, [(use["move"], use["line"], use["count"], use["expected"]) for use in uses]

    counted = [("lib:old", 7, 36, 0), ("lib:old", 12, 0, 1), ("lib_old:new", 2, 1, 0)]
    assert run("--compat-record") == (0, counted)
    assert run("-W", "error::UserWarning") == (0, counted)
    assert run("--compat-max=self=36")[0] == 1
    code, uses = run("--compat-as-of=next")
    assert code == 1 and [use[:2] for use in uses] == [("lib_old:new", 2)]
