"""What subcommands share: which ledgers are meant, and output that is whole or not there."""

from __future__ import annotations

import sys

import pytest

click = pytest.importorskip("click", reason="needs the extra: tools")

from compat.cli.common import move_facts  # noqa: E402 - after the skip
from compat.cli.options import chosen_ledger, opened_output  # noqa: E402 - after the skip
from compat.errors import CompatError  # noqa: E402 - after the skip

LEDGERS = """
from compat.ledger import Ledger, Name, Removed  # noqa: E402 - after the skip

ONE = Ledger("one", version="2.0", rows=[Name("old.a:A", "new.a:A", since="1.0", removal="3.0", instead=None)])
TWO = Ledger("two", version="9.0", rows=[Removed("old.b:B", since="8.0", instead="write C instead")])
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project that configures two ledgers, as the working directory."""
    (tmp_path / "cli_options_ledgers.py").write_text(LEDGERS, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.compat]\nledgers = ["cli_options_ledgers:ONE", "cli_options_ledgers:TWO"]\n', encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("cli_options_ledgers", None)


def test_without_a_name_all_that_are_found_are_meant(project):
    ids = {move.id for move in chosen_ledger(())}
    assert {"old.a:A", "old.b:B"} <= ids


def test_a_ledger_is_chosen_by_name_or_by_place(project):
    assert [move.id for move in chosen_ledger(("two",))] == ["old.b:B"]
    assert [move.id for move in chosen_ledger(("cli_options_ledgers:ONE",))] == ["old.a:A"]
    assert [move.id for move in chosen_ledger(("two", "cli_options_ledgers:ONE"))] == ["old.b:B", "old.a:A"]


def test_an_unknown_name_lists_the_known_ones(project):
    with pytest.raises(CompatError, match=r"no ledger is called 'three' \(found: .*one, two\)"):
        chosen_ledger(("three",))


def test_facts_keep_the_version_of_each_ledger(project):
    facts = move_facts(chosen_ledger(("one", "two")))
    assert facts["old.a:A"]._asdict() == {
        "legacy": "old.a:A",
        "canonical": "new.a:A",
        "since": "1.0",
        "removal": "3.0",
        "instead": "Use canonical path 'from new.a import A' instead.",
        "stage": "deprecated",
        "kind": "name",
    }
    assert (facts["old.b:B"].stage, facts["old.b:B"].instead, facts["old.b:B"].kind) == ("expired", "Write C instead.", "removed")


def test_output_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("before", encoding="utf-8")
    with pytest.raises(ZeroDivisionError), opened_output(path) as stream:
        stream.write("half")
        raise ZeroDivisionError
    assert path.read_text(encoding="utf-8") == "before"
    with opened_output(path) as stream:
        stream.write("▁█\n")
        assert path.read_text(encoding="utf-8") == "before"
    assert path.read_bytes() == "▁█\n".encode()
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize("path", [None, "-"])
def test_without_a_file_output_goes_to_stdout(path, capsys):
    from pathlib import Path

    with opened_output(None if path is None else Path(path)) as stream:
        stream.write("here")
    assert capsys.readouterr().out == "here"


def test_a_file_that_cannot_be_written_is_named_as_it_was_given(tmp_path):
    said = r"'.*/nowhere/page.html' cannot be written: No such file or directory; name a file in a directory that can be"
    with pytest.raises(CompatError, match=said), opened_output(tmp_path / "nowhere" / "page.html"):
        pass
