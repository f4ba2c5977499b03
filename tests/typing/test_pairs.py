"""What type checkers must say of typed code: each ``<name>.py`` has a ``<name>.out`` with the lines expected of mypy."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
PAIRS = sorted(HERE.glob("case_*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("case", PAIRS, ids=lambda path: path.stem)
def test_mypy_says_what_it_must(case, gold, tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--no-error-summary",
            "--hide-error-context",
            f"--cache-dir={tmp_path}",
            case.name,
        ],
        capture_output=True,
        text=True,
        cwd=HERE,
        timeout=300,
    )
    said = re.sub(r"\bbuiltins\.", "", done.stdout)
    golden = case.with_suffix(".out")
    gold(golden, golden.read_text(encoding="utf-8"), said)


@pytest.mark.slow
@pytest.mark.parametrize("case", PAIRS, ids=lambda path: path.stem)
def test_pyright_reports_the_same_wrong_calls(case):
    pytest.importorskip("pyright")
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, case.name],
        capture_output=True,
        text=True,
        cwd=HERE,
        timeout=300,
    )
    if not done.stdout.startswith("{"):
        pytest.skip(f"pyright does not run here: {done.stderr.strip()[-200:]}")
    told = json.loads(done.stdout)["generalDiagnostics"]
    found = {item["range"]["start"]["line"] + 1 for item in told if item["severity"] == "error"}
    wrong_call = re.compile(rf"{re.escape(case.name)}:(\d+): error: .*\[(?:arg-type|call-arg)\]")
    assert found == {int(line) for line in wrong_call.findall(case.with_suffix(".out").read_text(encoding="utf-8"))}
