"""The doctor: what is wrong with the drop-in, with a variable or with a ledger is said, and is an exit code."""

from __future__ import annotations

import pytest


@pytest.fixture
def healed(run, tmp_path):
    """Run the doctor where the drop-in is started by hand, so that only what a test breaks is wrong."""

    def healed(directory=tmp_path, **environment):
        code = "import os, compat.auto; from compat.__main__ import main; os.chdir({!r}); raise SystemExit(main(['doctor']))"
        return run(code=code.format(str(directory)), **{"COMPAT_TELEMETRY": "on", **environment})

    return healed


def test_nothing_wrong_is_exit_code_0(healed):
    done = healed()
    assert (done.returncode, done.stderr) == (0, "")
    assert "WARN" not in done.stdout
    assert "ok    the drop-in is active, started by " in done.stdout
    assert "ok    netra_backend: compat serves it (nothing real answers)\n" in done.stdout


def test_a_package_that_an_editable_install_serves_is_real(run):
    code = """
import sys, types
from importlib.machinery import ModuleSpec
import compat.auto
from compat.__main__ import main

class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return ModuleSpec(name, None, origin="/src/here.py") if name == "netra_backend" else None

Finder.__module__ = "__editable___case_finder"
sys.meta_path.append(Finder)
main(["doctor"])
"""
    done = run(code=code)
    assert "netra_backend: a real package answers (/src/here.py); compat serves declared modules" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("COMPAT_AS_OF", "soon", "COMPAT_AS_OF='soon' is not understood at 'soon': write 3.0, or shop=3.0,other=2.1"),
        (
            "COMPAT_AS_OF",
            "netra=3.0,x=?",
            "COMPAT_AS_OF='netra=3.0,x=?' is not understood at 'x=?': write 3.0, or shop=3.0,other=2.1",
        ),
        ("COMPAT_TELEMETRY", "disk", "telemetry: COMPAT_TELEMETRY='disk' is none of off, memory, on: it is taken for on"),
        (
            "COMPAT_ROOTS",
            "shared,netra",
            "COMPAT_ROOTS names netra, which no declared ledger has; they have analytics_service, ",
        ),
    ],
)
def test_a_variable_that_is_not_understood_is_named(healed, variable, value, said):
    done = healed(**{"COMPAT_TELEMETRY": "on", variable: value})
    assert done.returncode == 1
    assert f"WARN  {said}" in done.stdout


def test_a_directory_that_cannot_be_written_is_named(healed, tmp_path):
    (tmp_path / "file").write_text("")
    done = healed(COMPAT_DIR=str(tmp_path / "file" / "below"), COMPAT_TELEMETRY="on")
    assert done.returncode == 1
    assert f"WARN  telemetry: {tmp_path / 'file' / 'below'} cannot be written (" in done.stdout
    assert "set COMPAT_DIR to a writable directory\n" in done.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.compat]\nledgers = 3\n", "[tool.compat] ledgers must be a list of 'package.module:LEDGER', not 3"),
        (
            "[tool.compat]\nledgers = ['nix:L']\n",
            "ledger nix:L of [tool.compat]: ledger 'nix:L' cannot be imported: No module named 'nix'",
        ),
        ("tool = 3 # compat\n", "[tool.compat] must be a table; tool is 3"),
    ],
)
def test_a_ledger_of_the_project_that_cannot_be_loaded_is_named(healed, tmp_path, text, said):
    (tmp_path / "pyproject.toml").write_text(text)
    done = healed()
    assert done.returncode == 1
    assert any(line.startswith("WARN") and said in line for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            {"COMPAT_TELEMETRY": "off"},
            "telemetry goes nowhere: COMPAT_TELEMETRY=off, no use is counted; unset it, or say memory for exporters alone",
        ),
        (
            {"COMPAT_TELEMETRY": "memory", "COMPAT_DIR": "state"},
            "telemetry goes nowhere: COMPAT_DIR is set and COMPAT_TELEMETRY=memory keeps nothing; unset one of them",
        ),
        (
            {"COMPAT_TELEMETRY": "memory", "COMPAT_DIR": "", "COMPAT_SERVICE": "shop"},
            "telemetry goes nowhere: COMPAT_SERVICE is set and COMPAT_TELEMETRY=memory keeps nothing; unset one of them",
        ),
    ],
)
def test_telemetry_that_goes_nowhere_is_named(healed, environment, said):
    done = healed(**environment)
    assert (done.returncode, f"WARN  {said}\n" in done.stdout) == (1, True)


def test_telemetry_for_exporters_alone_is_no_fault(healed):
    assert healed(COMPAT_TELEMETRY="memory", COMPAT_DIR="", COMPAT_SERVICE="").returncode == 0


def test_a_process_that_the_drop_in_does_not_start_in_is_named(run, tmp_path):
    code = (
        "import os, sys; os.chdir({!r}); from compat import boot; boot.active.finder.started_by = ''\n"
        "from compat.__main__ import main; raise SystemExit(main(['doctor']))"
    )
    done = run(code=code.format(str(tmp_path)), COMPAT_TELEMETRY="on")
    assert done.returncode == 1
    assert "WARN  the drop-in was not started: no netra_compat.pth was read. Reinstall netra-compat" in done.stdout


def test_every_fault_of_the_settings_is_named(healed, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.compat]\nledger = []\nrules = 1\n")
    done = healed()
    assert done.returncode == 1
    assert [line.partition("pyproject.toml: ")[2][:58] for line in done.stdout.splitlines() if line.startswith("WARN")] == [
        "[tool.compat] has no 'ledger'; write 'ledgers' (it takes l",
        "[tool.compat] rules must be true or false, not 1",
    ]


def test_what_is_rehearsed_is_shown(healed):
    done = healed(COMPAT_AS_OF="netra=3.0")
    assert done.returncode == 0
    assert "ok    COMPAT_AS_OF rehearses 3.0 for netra\n" in done.stdout


def test_the_drop_in_that_is_turned_off_is_no_fault(healed):
    done = healed(COMPAT="off")
    assert (done.returncode, "ok    the drop-in is turned off: COMPAT=off\n" in done.stdout) == (0, True)


def test_an_unknown_argument_is_a_usage_error(run):
    done = run("doctor", "now")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("compat doctor: unknown argument 'now'\nusage: compat doctor\n")


def test_roots_that_a_distribution_lists_and_its_ledger_does_not_have_are_named(healed, tmp_path):
    (tmp_path / "kit_moves.py").write_text(
        "from compat import Ledger, Name\n"
        "LEDGER = Ledger('kit', version='2', generic=['common']) + [\n"
        "    Name(f'{module}:Money', 'decimal:Decimal', since='1', removal='3', instead=None) for module in ('old_kit', 'common.kit')]\n"
    )
    info = tmp_path / "kit-2.0.dist-info"
    info.mkdir()
    declared = (
        "[compat.ledgers]\nkit = kit_moves:LEDGER\nold_kit = kit_moves:LEDGER\n\n[compat.roots]\nold_kit = kit_moves:LEDGER\n"
    )
    (info / "entry_points.txt").write_text(declared + "kit_of_old = kit_moves:LEDGER\n")
    done = healed(PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("WARN")] == [
        "WARN  the roots that kit-2.0 lists for kit_moves:LEDGER are not current (common.kit, kit_of_old); "
        "`compat export roots --ledger kit_moves:LEDGER` prints them"
    ]
    assert "ok    common: compat serves it (declared descendants only: other projects use this name too)\n" in done.stdout
    assert done.stdout.count("ok    ledger kit_moves:LEDGER of kit-2.0: 2 rows\n") == 1  # though it has two names
    (info / "entry_points.txt").write_text(declared + "common.kit = kit_moves:LEDGER\n")
    assert healed(PYTHONPATH=str(tmp_path)).returncode == 0
