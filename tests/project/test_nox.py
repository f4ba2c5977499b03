"""compat.nox without nox: it imports, finds versions, and draws the table."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from compat import nox

ROWS = """\
from compat import Ledger, Name, Removed
LEDGER = Ledger("kit", version="2.0") + [
    Name("old_kit:A", "decimal:Decimal", since="1", removal="10.0", instead=None),
    Name("old_kit:B", "decimal:Decimal", since="1", removal="3.0", instead=None),
    Name("old_kit:C", "decimal:Decimal", since="1", removal="3.0", instead=None),
    Name("old_kit:D", "decimal:Decimal", since="1", removal="2.0", instead=None),
    Removed("old_kit:E", since="1", removal="9.0", instead="nothing"),
]
"""


def test_it_imports_without_nox():
    code = "import sys; sys.modules['nox'] = None; import compat.nox; print(compat.nox.present([]) if 0 else 'imported')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("imported\n", "")


def test_each_later_removal_of_each_ledger_is_a_version_to_rehearse(files, compat_in, project, monkeypatch):
    files({"pyproject.toml": '[tool.compat]\nledgers = ["nox_rows:LEDGER"]\n', "nox_rows.py": ROWS})
    monkeypatch.chdir(project)
    assert nox.versions() == ["kit=3.0", "kit=10.0"]
    done = subprocess.run([sys.executable, "-m", "compat.nox"], cwd=project, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout) == ["kit=3.0", "kit=10.0"]


def test_a_python_that_is_not_there_or_does_not_start_is_not_present(tmp_path, monkeypatch):
    broken = tmp_path / "python3.99"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    real = tmp_path / "pypy-of-ours"
    real.symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert nox.present(["3.99", "3.98", "pypy-of-ours"]) == ["pypy-of-ours"]


def test_the_table_says_where_a_test_uses_what():
    use, other = ("tests/a.py::test_a", "kit:A"), ("tests/b.py::test_b", "kit:B")
    cells = [
        nox._Cell("3.9", "", True, frozenset({use, other})),
        nox._Cell("3.9", "kit=3.0", False, frozenset({use})),
        nox._Cell("3.15", "", True, frozenset({use})),
        nox._Cell("3.15", "kit=3.0", True, frozenset()),
    ]
    assert nox.table(cells) == (
        "test                uses       today  kit=3.0\n"
        "------------------  ---------  -----  -------\n"
        "tests/a.py::test_a  kit:A      all    3.9\n"
        "tests/b.py::test_b  kit:B      3.9    -\n"
        "                    failed on  none   3.9\n"
    )


@pytest.mark.parametrize("version", ["soon", "kit=", "kit=soon"])
def test_a_version_that_is_none_is_one_sentence(version, capsys):
    with pytest.raises(SystemExit) as caught:
        nox._check(version)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"compat.nox: {version!r} is no version to rehearse: ") and said.count("\n") == 1
