"""``compat check`` says what is wrong with the project's ledgers, replacements included."""

from __future__ import annotations

import json
import sys
from textwrap import dedent

import pytest

from compat.cli.main import main

HEAD = """
from compat import Deprecated, Ledger, Name, Removed
TOLD = {"since": "1.0", "removal": "3.0", "instead": None}
LEDGER = Ledger("chk", version="1.5", docs="")
"""


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """Run the command in a project whose ledger has some rows; return its code, what it printed, and what it noted."""
    (tmp_path / "chk.py").write_text("def old(a): return new(a)\ndef new(a, b=1): return a\n")
    (tmp_path / "chk_needy.py").write_text("import nobody_has_it\n")
    (tmp_path / "pyproject.toml").write_text('[tool.compat]\nledgers = ["chk_moves:LEDGER"]\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))

    def run(rows: str, *arguments: str):
        (tmp_path / "chk_moves.py").write_text(f"{HEAD}LEDGER += [\n{dedent(rows)}\n]\n")
        code = main(["check", *arguments])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    yield run
    for name in ("chk", "chk_moves"):
        sys.modules.pop(name, None)


SOUND = """
Deprecated("chk:old", replacement="new({a}, b=2)", imports="from chk import new", **TOLD),
Name("chk_old:new", "chk:new", **TOLD),
"""


def test_a_sound_ledger_is_counted(check):
    assert check(SOUND) == (0, "", "chk: 2 rows, 1 with a replacement as code; nothing is wrong.\n")


FAULTS = {
    "a replacement that cannot be inlined": (
        'Deprecated("chk:old", replacement="new({a}", **TOLD),',
        "Deprecated('chk:old'): replacement 'new({a}' cannot be inlined: it is no expression",
    ),
    "a replacement that needs what is not there": (
        'Deprecated("chk:old", replacement="newer({a})", imports="from chk import newer", **TOLD),',
        "Deprecated('chk:old'): replacement 'newer({a})' cannot be inlined: chk.newer is missing",
    ),
    "a target that is not there": (
        'Name("chk_old:new", "chk:newer", **TOLD),',
        "Name('chk_old:new'): canonical target 'chk:newer' is missing",
    ),
    "a target whose module needs what is not here": (
        'Name("chk_old:new", "chk_needy:new", **TOLD),',
        "Name('chk_old:new'): canonical target 'chk_needy:new' cannot be imported (ModuleNotFoundError: No module named "
        "'nobody_has_it'). install what has 'nobody_has_it'",
    ),
    "a module that stays and needs what is not here": (
        'Removed("chk_needy:gone", since="1.0", instead="chk.new"),',
        "Removed('chk_needy:gone'): 'chk_needy' cannot be imported (ModuleNotFoundError: No module named "
        "'nobody_has_it'). install what has 'nobody_has_it'",
    ),
    "a target in a module that is not there": (
        'Name("chk_old:new", "chk.deep:new", **TOLD),',
        "Name('chk_old:new'): canonical target 'chk.deep:new' cannot be imported (ModuleNotFoundError: No module named "
        "'chk.deep'; 'chk' is not a package). correct the path, or ship the target",
    ),
    "a row that installing refuses": (
        'Name("chk:new", "chk:old", **TOLD),',
        "Name('chk:new'): ",
    ),
}


@pytest.mark.parametrize("rows, said", FAULTS.values(), ids=FAULTS)
def test_each_fault_is_a_line(check, rows, said):
    code, out, noted = check(rows)
    assert code == 1
    assert out.startswith(said) and out.count("\n") == 1
    assert noted.endswith("; 1 fault.\n")


def test_json_has_rows_reasons_and_remedies(check):
    code, out, _noted = check(f'{SOUND}Name("chk_old:gone", "chk:gone", **TOLD),', "--format", "json")
    told = json.loads(out)
    assert (code, told["format_version"], told["rows"]) == (1, 1, 3)
    ((row, reason, remedy),) = [tuple(fault.values()) for fault in told["faults"]]
    assert row == "Name('chk_old:gone')" and "is missing" in reason and remedy == "correct the path, or ship the target"


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--ledger", "nowhere"], "no ledger is called 'nowhere'"),
        (["--ledger", "chk_moves:NONE"], "chk_moves:NONE"),
        (["--formal"], "unrecognized arguments: --formal"),
        (["--format", "xml"], "invalid choice: 'xml'"),
    ],
)
def test_input_that_cannot_be_used_is_a_sentence(check, arguments, said):
    code, out, noted = check(SOUND, *arguments)
    assert (code, out) == (2, "")
    assert said in noted and "Traceback" not in noted


def test_a_ledger_without_rows_is_no_success(check):
    assert check("")[0] == 2
