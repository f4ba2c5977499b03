"""The table and what it names."""

from __future__ import annotations

import pytest

from compat.cli.table import COMMANDS

click = pytest.importorskip("click", reason="needs the extra: tools")

from compat.cli.group import compat, run  # noqa: E402 - after the skip


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_of_the_table_is_there_and_says_what_it_does(name):
    command = COMMANDS[name]
    loaded = command.load()
    assert isinstance(loaded, click.Command) if command.extra else callable(loaded)
    assert command.help.endswith(".") and len(command.help) < 72


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if command.extra])
def test_every_command_has_help_with_its_options_explained(name, capsys):
    assert run([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: compat {name}")
    command = compat.get_command(click.Context(compat), name)
    unexplained = [option.name for option in command.params if isinstance(option, click.Option) and not option.help]
    assert [name for name in unexplained if name != "form"] == []


def test_serve_ws_hands_its_options_to_the_canonical_server(monkeypatch):
    serve = pytest.importorskip("compat.canonical.server.serve", reason="needs the extra: server")
    seen = []
    monkeypatch.setattr(serve, "main", lambda arguments: seen.append(arguments) or 2)
    assert run(["serve-ws", "--port", "0", "--host", "::1", "--log-level", "debug"]) == 2
    assert run(["serve-ws"]) == 2
    assert seen == [["--log-level", "debug", "--host", "::1", "--port", "0"], ["--log-level", "info"]]


def test_a_base_command_is_listed_for_completion_and_passes_its_arguments_on(monkeypatch):
    seen = []
    monkeypatch.setattr(type(COMMANDS["demo"]), "load", lambda self: lambda arguments: seen.append(arguments) or 4)
    assert run(["demo", "--source", "-x", "y"]) == 4
    assert seen == [["--source", "-x", "y"]]


def test_the_version_is_that_of_the_distribution(capsys):
    from importlib.metadata import version

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"compat {version('netra-compat')}\n"


def test_a_command_that_is_no_click_command_is_a_defect(monkeypatch):
    monkeypatch.setattr(type(COMMANDS["report"]), "load", lambda self: print)
    with pytest.raises(TypeError, match=r"compat\.cli\.commands\.report:command is .*print.*; a command with an extra must be"):
        run(["report"])
