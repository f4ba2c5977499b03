"""The command line says what was probably meant, and shows an example in every help."""

from __future__ import annotations

import shlex

import pytest

from compat.cli import main
from compat.cli.suggest import EXAMPLES, did_you_mean
from compat.cli.table import COMMANDS

pytest.importorskip("click", reason="needs the extra: tools")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example_whose_options_it_knows(name, capsys):
    pytest.importorskip("griffe") if name == "audit" else None
    pytest.importorskip("uvicorn") if name == "serve" else None
    try:
        code = main([name, "--help"])
    except SystemExit as end:
        code = end.code
    shown = capsys.readouterr().out
    assert code in (0, None)
    assert "Examples:" in shown
    lines = [line.strip() for line in shown[shown.index("Examples:") :].splitlines()[1:]]
    examples = [line for line in lines if f"compat {name}" in line]
    assert examples
    for option in (word for line in examples for word in shlex.split(line) if word.startswith("--")):
        assert option in shown.partition("Examples:")[0] or option in shown.partition("Options:")[2], option


def test_examples_are_those_of_commands():
    assert set(EXAMPLES) <= set(COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["raport"], "No such command 'raport'. Did you mean 'report'"),
        (["report", "--by", "servce"], "Did you mean 'service'?"),
        (["ready", "--only", "may g"], "Did you mean 'may go'?"),
        (["scan", "--format", "sariff"], "sarif"),
        (["scan", "--ledger", "netrra", "."], "Did you mean 'netra'?"),
        (["report", "--ledger", "netra", "--match", "netra_backend.app.websocket_core:CRITICAL_EVENT_"], "CRITICAL_EVENTS'"),
    ],
)
def test_what_was_probably_meant_is_named(arguments, said, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("COMPAT_DIR", str(tmp_path))
    try:
        code = main(arguments)
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_what_is_far_from_everything_is_not_guessed():
    assert did_you_mean("xyzzy", COMMANDS) == ""
