"""The frame: what runs without extras, how a missing one is named, exit codes."""

from __future__ import annotations

import io
import os
import pathlib
import subprocess
import sys

import pytest

from compat import __file__ as face
from compat.cli.main import FOUND, OK, USAGE, main, missing_extra
from compat.cli.table import COMMANDS
from compat.telemetry.history.database import open_history

ROOT = pathlib.Path(face).parents[1]


def test_help_lists_every_command_of_the_table(run):
    shown = run("--help")
    assert shown.returncode == 0
    lines = shown.stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines[: lines.index("")] if not line.startswith("   ")] == list(COMMANDS)


def test_no_arguments_show_the_help(run):
    assert run().stdout == run("--help").stdout


def test_help_imports_no_subcommand_of_the_package():
    code = (
        "import sys; from compat.cli import main; main(['--help']);"
        "print(sorted(m for m in sys.modules if m.startswith('compat.cli')))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    loaded = "['compat.cli', 'compat.cli.group', 'compat.cli.main', 'compat.cli.suggest', 'compat.cli.table']"
    assert shown.stdout.splitlines()[-1] == loaded


def test_an_unknown_command_is_a_usage_error(run):
    shown = run("nope")
    assert shown.returncode == 2
    assert "No such command 'nope'" in shown.stderr


def test_without_click_the_list_says_which_extra_each_command_needs(run):
    shown = run(without=("click",))
    assert shown.returncode == 0
    assert "  doctor      Say what is wrong in the set-up, and the remedy.\n" in shown.stdout
    assert "(needs netra-compat[server,tools])" in shown.stdout
    plugged = shown.stdout.partition("\nCommands of netra-compat ")[2]
    assert "  demo        Run a service written for legacy paths and show what was seen.\n" in plugged
    assert "  serve-ws    (needs netra-compat[server,tools])\n" in plugged


def test_without_click_an_unknown_command_is_named(run):
    shown = run("nope", without=("click",))
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.startswith("compat: no such command 'nope'.\n")


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if command.extra])
def test_without_click_each_command_names_its_extra(run, name):
    shown = run(name, without=("click",))
    assert shown.returncode == 2
    assert shown.stderr == f"{missing_extra(COMMANDS[name], 'click')}\n"
    assert f"'netra-compat[{COMMANDS[name].extra}]'" in shown.stderr


def test_a_defect_is_reported_as_one(monkeypatch, capsys):
    def broken(arguments):
        raise ZeroDivisionError("by design")

    monkeypatch.setattr(type(COMMANDS["doctor"]), "load", lambda self: broken)
    assert main(["doctor"]) == 3
    assert "ZeroDivisionError: by design" in (shown := capsys.readouterr().err)
    assert "compat doctor: this is a defect of netra-compat" in shown


def test_an_error_of_the_file_system_is_one_line(monkeypatch, capsys):
    def unreadable(arguments):
        raise FileNotFoundError(2, "No such file or directory", "usage.db")

    monkeypatch.setattr(type(COMMANDS["doctor"]), "load", lambda self: unreadable)
    assert main(["doctor"]) == 2
    assert capsys.readouterr().err == "compat: usage.db: No such file or directory\n"


@pytest.mark.parametrize("command", ["doctor", "--help"])
def test_a_closed_stdout_is_no_error(command):
    done = subprocess.run(
        ["sh", "-c", '"$0" -m compat "$1" >&-', sys.executable, command], stderr=subprocess.PIPE, text=True, timeout=60, cwd=ROOT
    )
    assert (done.returncode in (0, 1), done.stderr) == (True, "")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
@pytest.mark.parametrize(
    "arguments", ["forget", "doctor", "scan .", "scan . --format json --output found.json", "report --by file"]
)
def test_names_that_a_terminal_in_ascii_cannot_show_are_no_defect(tmp_path, monkeypatch, arguments):
    """Of the state directory, of a source file whose name is Latin-1, and of a row."""
    ledger = "LEDGER = Ledger('l', version='2.0', docs='')\nLEDGER += [Name('old:Größe', 'ascii_ledger:x', {})]\n".format(
        "since='1.0', removal='3.0', instead=None"
    )
    (tmp_path / "ascii_ledger.py").write_text(f"from compat import Ledger, Name\nx = 1\n{ledger}", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.compat]\nledgers = ['ascii_ledger:LEDGER']\n")
    (tmp_path / os.fsdecode(b"a\xe9.py")).write_text("from old import Größe\n", encoding="utf-8")
    state = tmp_path / os.fsdecode(b"\xc3\xa9\xe9")
    state.mkdir()
    open_history(str(state / "usage.db"), readonly=False).close()
    monkeypatch.setenv("COMPAT_DIR", str(state))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), "ascii"))
    assert main(arguments.split()) in (OK, FOUND)


@pytest.mark.parametrize("value", ["soon", "shop=", "shop=3.0,other"])
def test_a_rehearsal_that_is_not_understood_is_refused(monkeypatch, capsys, tmp_path, value):
    monkeypatch.setenv("COMPAT_AS_OF", value)
    for command in ("scan", "fix", "check"):
        assert main([command, str(tmp_path)]) == USAGE
        assert capsys.readouterr().err.startswith(f"compat: COMPAT_AS_OF={value!r} is not understood at ")
    assert main(["--help"]) == OK


def test_interruption_has_its_own_exit_code(monkeypatch):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(COMMANDS["doctor"]), "load", lambda self: interrupted)
    assert main(["doctor"]) == 130


def test_a_base_command_gets_its_arguments_as_they_are(monkeypatch):
    seen = []
    monkeypatch.setattr(type(COMMANDS["doctor"]), "load", lambda self: lambda arguments: seen.append(arguments) or 0)
    assert main(["doctor", "--source", "x"]) == 0
    assert seen == [["--source", "x"]]
