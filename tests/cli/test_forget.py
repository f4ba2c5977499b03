"""``compat forget`` removes what the telemetry kept, where it is named, and nothing of anybody else's."""

from __future__ import annotations

import os

import pytest

from compat.cli.commands.forget import kept_in, run


@pytest.fixture
def state(tmp_path, monkeypatch):
    folder = tmp_path / "state"
    for name in (
        "segments/a.seg",
        "segments/b.new",
        "usage.db.0a.new",
        "observed/2026-01-01.log",
        "damaged/x.seg",
        "usage.db",
        "usage.db-wal",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"0" * 1024)
    monkeypatch.setenv("COMPAT_DIR", str(folder))
    return folder


def test_without_a_name_it_says_what_lies_where_and_removes_nothing(state, capsys):
    assert run([]) == 0
    assert capsys.readouterr().out == f"{state}: 7 files, 7 KiB\nTo remove them: compat forget {state}\n"
    assert len(list(kept_in(str(state)))) == 7


def test_a_dry_run_names_the_files(state, capsys):
    assert run(["--dry-run", str(state)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 8 and shown[-1] == "7 files, 7 KiB: nothing was removed."
    assert all(os.path.exists(line) for line in shown[:-1])


def test_a_named_directory_is_emptied_and_goes(state, capsys):
    assert run([str(state)]) == 0
    assert capsys.readouterr().out == f"{state}: 7 files, 7 KiB removed.\n"
    assert not state.exists()


@pytest.mark.parametrize("name", ["mine.txt", "segments/mine.txt", "usage.db.bak"])
def test_what_is_somebody_elses_stays(state, name, capsys):
    (state / name).write_text("mine")
    assert run([str(state)]) == 0
    assert [path.name for path in state.rglob("*") if path.is_file()] == [name.rpartition("/")[2]]


def test_links_lead_nowhere(state, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    (other / "c.seg").write_text("not ours")
    for path in (state / "segments").iterdir():
        path.unlink()
    (state / "segments").rmdir()
    (state / "segments").symlink_to(other)
    assert run([str(state)]) == 0
    assert (other / "c.seg").exists()


@pytest.mark.parametrize("arguments", [["--all"], ["a", "b"], ["nowhere/at/all"], ["--dry-run", "a", "b"]])
def test_what_is_not_understood_is_said(arguments, capsys):
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("compat forget: ")


def test_an_empty_machine_has_nothing_to_forget(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COMPAT_DIR", str(tmp_path / "none"))
    assert run([]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'none'}: nothing is kept\n"
