"""What mypy must say of typed code: each ``<name>.py`` has a ``<name>.out`` with the lines expected of it."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
PAIRS = sorted(HERE.glob("case_*.py"))


@pytest.mark.parametrize("case", PAIRS, ids=lambda path: path.stem)
def test_mypy_says_what_it_must(case, tmp_path):
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
    expected = case.with_suffix(".out").read_text(encoding="utf-8")
    assert said == expected, f"accept with: cd tests/typing && mypy --strict --no-error-summary {case.name} > {case.stem}.out"
