"""The table and what it names."""

from __future__ import annotations

import pytest

from compat.cli.table import COMMANDS, find, plugged

from .conftest import ROOT

click = pytest.importorskip("click", reason="needs the extra: tools")

from compat.cli.group import compat, run  # noqa: E402 - after the skip


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_of_the_table_is_there_and_says_what_it_does(name):
    command = COMMANDS[name]
    loaded = command.load()
    assert isinstance(loaded, click.Command) if command.extra else callable(loaded)
    assert command.help.endswith(".") and len(command.help) < 72


@pytest.mark.parametrize("name", [name for name, command in {**COMMANDS, **plugged()}.items() if command.extra])
def test_every_command_has_help_with_its_options_explained(name, capsys):
    assert run([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: compat {name}")
    command = compat.get_command(click.Context(compat), name)
    unexplained = [option.name for option in command.params if isinstance(option, click.Option) and not option.help]
    assert [name for name in unexplained if name != "form"] == []


def test_serve_ws_hands_its_options_to_the_canonical_server(monkeypatch):
    serve = pytest.importorskip("compat.canonical.server.serve", reason="needs the extra: server")
    seen = []
    monkeypatch.setattr(serve, "main", lambda arguments, make_app: seen.append(arguments) or 2)
    assert run(["serve-ws", "--port", "0", "--host", "::1", "--log-level", "debug"]) == 2
    assert run(["serve-ws"]) == 2
    assert seen == [["--log-level", "debug", "--host", "::1", "--port", "0"], ["--log-level", "info"]]


def test_a_base_command_is_listed_for_completion_and_passes_its_arguments_on(monkeypatch):
    seen = []
    monkeypatch.setattr(type(COMMANDS["doctor"]), "load", lambda self: lambda arguments: seen.append(arguments) or 4)
    assert run(["doctor", "--source", "-x", "y"]) == 4
    assert seen == [["--source", "-x", "y"]]


def test_the_version_is_that_of_the_distribution(capsys):
    from importlib.metadata import version

    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"compat {version('netra-compat')}\n"


def test_a_command_that_is_no_click_command_is_a_defect(monkeypatch):
    monkeypatch.setattr(type(COMMANDS["report"]), "load", lambda self: print)
    with pytest.raises(TypeError, match=r"compat\.cli\.commands\.report:command is .*print.*; a command with an extra must be"):
        run(["report"])


@pytest.fixture
def audit(tmp_path, monkeypatch):
    """A distribution that plugs in commands: one that runs without click, one of click's, one that is broken, one of a taken name."""
    (tmp_path / "shop_audit.py").write_text(
        'import click\n\n\ndef run(arguments):\n    """Count the shops.\n\n    More.\n    """\n    print(arguments)\n    return 4\n\n\n'
        "@click.command(help='List the shops.')\n@click.option('--long', is_flag=True, help='More of them.')\n"
        "def listing(long):\n    print('long' if long else 'short')\n    return 1\n"
    )
    info = tmp_path / "shop_kit-2.1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(
        "[compat.commands]\ncount = shop_audit:run\nlist = shop_audit:listing [tools]\nbroken = no_such_shop:run [more]\nscan = shop_audit:run\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


def test_commands_that_distributions_plug_in_are_listed_below_their_distribution(audit, capsys):
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    section = shown.partition("Commands of shop-kit 2.1:\n")[2].partition("\n\n")[0]
    assert [line.split(maxsplit=1) for line in section.splitlines()] == [
        ["count", "Count the shops."],
        ["list", "List the shops."],
        ["broken", "(needs shop-kit[more])"],
    ]
    assert find("scan") is COMMANDS["scan"]


def test_commands_that_distributions_plug_in_run(audit, capsys):
    from compat.cli.main import main

    assert main(["count", "-x", "--help"]) == 4
    assert main(["list", "--long"]) == 1
    assert main(["broken"]) == 2
    done = capsys.readouterr()
    assert done.out == "['-x', '--help']\nlong\n"
    assert "compat broken: the package 'no_such_shop' is not installed. " in done.err and "'shop-kit[more]'" in done.err


def test_the_shipped_case_plugs_in_its_commands(capsys):
    assert {name: (command.distribution, command.extra) for name, command in plugged().items()} == {
        "demo": ("netra-compat", ""),
        "serve-ws": ("netra-compat", "server,tools"),
    }
    assert run(["--help"]) == 0
    section = capsys.readouterr().out.partition("Commands of netra-compat ")[2]
    assert "  demo      Run a service written for legacy paths and show what was seen.\n" in section
    assert "  serve-ws  Serve WebSockets on the canonical core.\n" in section


@pytest.mark.parametrize(("form", "file"), [("alerts", "alerts.yml"), ("grafana", "dashboard.json")])
def test_export_writes_what_prometheus_and_grafana_read(run, tmp_path, form, file):
    shown = run("export", form, "--output", str(tmp_path / file))
    assert (shown.returncode, shown.stderr) == (0, "")
    shipped = ROOT / "compat" / "telemetry" / "data" / file
    assert (tmp_path / file).read_text(encoding="utf-8") == shipped.read_text(encoding="utf-8")
    assert run("export", form).stdout == shipped.read_text(encoding="utf-8")
