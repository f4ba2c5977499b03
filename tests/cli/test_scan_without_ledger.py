"""A scan that searched for nothing of the project's says so: an empty result would look like success."""

from __future__ import annotations

import pytest

from compat.cli.main import main

SAID = "compat: no ledger of this project was searched: only 'netra' is found, and nothing here imports what it speaks of ("


@pytest.fixture
def scan(tmp_path, monkeypatch, capsys):
    """Scan a tree that holds one file; return the code and the errors."""
    monkeypatch.chdir(tmp_path)

    def run(text: str, *arguments: str):
        (tmp_path / "app.py").write_text(text)
        code = main(["scan", "--no-cache", *arguments])
        return code, capsys.readouterr().err

    return run


@pytest.mark.parametrize("text", ["", "import os\n", "x = 'compat'\n", "from .compat import x\n", "import compatible\n"])
def test_a_tree_that_uses_no_ledger_that_was_found_is_an_error(scan, text):
    code, said = scan(text)
    assert code == 2
    assert said.startswith(SAID)
    assert (
        said.endswith("; name one with --ledger package.module:LEDGER, or in [tool.compat] ledgers\n") and said.count("\n") == 1
    )


@pytest.mark.parametrize(
    "text", ["from compat.canonical import settings\n", "def f():\n    import netra_backend\n", "load('netra_backend.app')\n"]
)
def test_a_tree_that_imports_what_it_speaks_of_is_clean(scan, text):
    assert scan(text) == (0, "")


def test_findings_named_files_and_named_ledgers_are_as_before(scan, tmp_path):
    assert scan("import netra_backend.app.websocket_core.manager\n")[0] == 1
    assert scan("", "app.py")[0] == 0
    assert scan("", "--ledger", "netra")[0] == 0
    (tmp_path / "moves.py").write_text(
        "from compat.ledger import Ledger, Name\nLEDGER = Ledger('mine', version='1.0')\n"
        "LEDGER += [Name('old:x', 'os:path', since='1.0', removal='2.0', instead=None)]\n"
    )
    (tmp_path / "pyproject.toml").write_text('[tool.compat]\nledgers = ["moves:LEDGER"]\n')
    assert scan("")[0] == 0
