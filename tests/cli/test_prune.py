"""``compat prune`` on the command line: a diff first, then the files, and what is left with the place."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("click")
pytest.importorskip("pathspec")

from compat.cli.main import main

MOVES = """\
from compat import Deprecated, Ledger

LEDGER = Ledger("prn", version="1.5")
LEDGER += [
    Deprecated("prn:old", since="1.0", removal="2.0", instead=None),
]
"""
SOURCE = "def new():\n    return 1\n\n\ndef old():\n    return new()\n"


@pytest.fixture
def prune(tmp_path, monkeypatch, capsys):
    """Run the command in a project; return its code, what it printed, and what it noted."""
    (tmp_path / "prn.py").write_text(SOURCE)
    (tmp_path / "prn_moves.py").write_text(MOVES)
    (tmp_path / "pyproject.toml").write_text('[tool.compat]\nledgers = ["prn_moves:LEDGER"]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(*arguments: str):
        code = main(["prune", *arguments])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    yield run
    for name in ("prn", "prn_moves"):
        sys.modules.pop(name, None)


def test_the_diff_comes_first_and_write_does_it(prune, tmp_path):
    code, out, said = prune("--as-of", "2.0")
    assert code == 1
    assert "-def old():\n-    return new()\n" in out and '-    Deprecated("prn:old"' in out
    assert said == "1 row due as of 2.0; 2 files to be changed (--write does it), 0 left.\n"
    assert (tmp_path / "prn.py").read_text() == SOURCE
    assert prune("--as-of", "2.0", "--write") == (0, "", "1 row due as of 2.0; 2 files changed, 0 left.\n")
    assert (tmp_path / "prn.py").read_text() == "def new():\n    return 1\n"
    assert "Deprecated" not in (tmp_path / "prn_moves.py").read_text()


def test_the_diff_goes_to_a_file_before_anything_is_written(prune, tmp_path):
    code, _out, said = prune("--as-of", "2.0", "--write", "--output", str(tmp_path / "nowhere" / "a.diff"))
    assert code == 2 and "a.diff" in said
    assert (tmp_path / "prn.py").read_text() == SOURCE
    assert prune("--as-of", "2.0", "--write", "--output", str(tmp_path / "a.diff"))[:2] == (0, "")
    assert "-def old():\n" in (tmp_path / "a.diff").read_text()
    assert (tmp_path / "prn.py").read_text() == "def new():\n    return 1\n"


def test_nothing_due_is_clean(prune):
    assert prune("--as-of", "1.9") == (0, "", "0 rows due as of 1.9; 0 files to be changed (--write does it), 0 left.\n")


def test_what_is_used_is_left(prune, tmp_path):
    (tmp_path / "app.py").write_text("from prn import old\n\nprint(old())\n")
    code, _out, said = prune("--as-of", "2.0", "--write")
    assert code == 1
    assert said == ("left: prn:old: it is used at app.py:3\n1 row due as of 2.0; 1 file changed, 1 left.\n")
    assert (tmp_path / "prn.py").read_text() == SOURCE


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--as-of", "soon"], "compat: 'soon' is no version; write one such as --as-of 3.0\n"),
        ([], "Missing option '--as-of'"),
        (["--as-of", "2.0", "nowhere"], "compat: no such file or directory: 'nowhere'\n"),
    ],
)
def test_input_that_cannot_be_used_is_a_sentence(prune, arguments, said):
    code, out, noted = prune(*arguments)
    assert (code, out) == (2, "")
    assert said in noted


def test_a_file_that_does_not_parse_changes_nothing(prune, tmp_path):
    (tmp_path / "broken.py").write_text("def f(:\n")
    code, _out, said = prune("--as-of", "2.0", "--write")
    assert code == 2
    assert "broken.py cannot be read as Python" in said and said.count("\n") == 1
    assert (tmp_path / "prn.py").read_text() == SOURCE
