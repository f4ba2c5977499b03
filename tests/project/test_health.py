"""``compat doctor`` in a project: settings, ledgers, baseline and plugin, each with the remedy and an exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

import compat

ROWS = """\
from compat import Ledger, Name
LEDGER = Ledger("kit", version="2.0") + [Name("old_kit:Money", "decimal:Decimal", since="1", removal="3", instead=None)]
"""
TABLE = '[tool.compat]\nledgers = ["rows:LEDGER"]\nbaseline = "debt.json"\n'


@pytest.fixture
def debtor(compat_in, files):
    files({"pyproject.toml": TABLE, "rows.py": ROWS, "app.py": "from old_kit import Money\n", "more.py": "import old_kit\n"})
    assert compat_in("scan", "--update-baseline", "--accept-new").returncode == 0


def warnings_of(done):
    return [line[6:] for line in done.stdout.splitlines() if line.startswith("WARN")]


def test_a_project_in_which_all_is_well(compat_in, debtor, project):
    done = compat_in("doctor")
    assert (done.returncode, warnings_of(done)) == (0, [])
    for line in (
        f"settings: [tool.compat] of {project / 'pyproject.toml'}",
        "ledger rows:LEDGER of [tool.compat]: 1 rows",
        "baseline debt.json: 2 uses, all of them still there",
    ):
        assert f"ok    {line}\n" in done.stdout


def test_no_settings_are_no_fault(compat_in, project):
    done = compat_in("doctor")
    assert (
        done.returncode == 0
        and "ok    no [tool.compat] here: commands read the ledgers of what this project depends on; " in done.stdout
    )


@pytest.mark.parametrize("change", [lambda app: app.unlink(), lambda app: app.write_text("")], ids=["file gone", "use gone"])
def test_an_old_baseline_is_named_and_the_remedy_mends_it(compat_in, debtor, project, change):
    change(project / "app.py")
    done = compat_in("doctor")
    assert done.returncode == 1
    (said,) = warnings_of(done)
    assert said.startswith("baseline debt.json is old: 1 of its 2 uses are gone; strike it: compat scan ")
    assert compat_in(*said.partition("compat ")[2].split()).returncode == 0
    assert compat_in("doctor").returncode == 0


def test_a_baseline_that_is_missing_or_damaged_is_named(compat_in, debtor, project):
    (project / "debt.json").write_text("{")
    (said,) = warnings_of(compat_in("doctor"))
    assert "debt.json' cannot be read: " in said
    (project / "debt.json").write_text('{"format_version": 0}')
    (said,) = warnings_of(compat_in("doctor"))
    assert said.endswith("debt.json' is not of format 1; make it anew with --update-baseline --accept-new")
    (project / "debt.json").unlink()
    (said,) = warnings_of(compat_in("doctor"))
    assert said.startswith("baseline debt.json does not exist; make it: compat scan ")
    assert compat_in(*said.partition("compat ")[2].split()).returncode == 0
    assert compat_in("doctor").returncode == 0


def test_a_ledger_that_is_declared_and_not_installed_is_named(compat_in, files, install):
    declared = (
        '[project]\nname = "kit"\nversion = "2.0"\n[project.entry-points."compat.ledgers"]\nkit = "rows:LEDGER"\n[tool.compat]\n'
    )
    files({"pyproject.toml": declared, "rows.py": ROWS})
    (said,) = warnings_of(compat_in("doctor"))
    assert said == (
        "ledger rows:LEDGER is declared in pyproject.toml and found in no installed distribution; "
        "install the project again: python -m pip install -e ."
    )
    install("kit", "2.0", "[compat.ledgers]\nkit = rows:LEDGER\n", here=True)
    assert compat_in("doctor").returncode == 0


@pytest.mark.parametrize(
    ("table", "more", "said"),
    [
        ("", "", "the pytest plugin is off: no test run counts legacy uses; set pytest = true in [tool.compat]"),
        (
            "pytest = true\n",
            "[tool.pytest.ini_options]\naddopts = ['-p', 'no:compat']\n",
            "the pytest plugin is off: addopts has -p no:compat; take that out",
        ),
        ("pytest = false\n", "", ""),
        ("pytest = true\n", "", ""),
        ("", "[tool.pytest.ini_options]\naddopts = '--compat'\n", ""),
        ("", "[tool.pytest.ini_options]\ncompat_max = 'self=0'\n", ""),
    ],
)
def test_a_plugin_that_is_off_is_named(compat_in, files, table, more, said):
    files({"pyproject.toml": f"[tool.compat]\n{table}{more}", "tests/test_a.py": ""})
    done = compat_in("doctor")
    assert warnings_of(done) == ([said] if said else [])
    assert done.returncode == (1 if said else 0)


def test_a_ledger_of_the_project_is_found_without_being_installed_and_from_below(compat_in, files, project):
    files(
        {"pyproject.toml": '[tool.compat]\nledgers = ["kit.rows:LEDGER"]\n', "src/kit/__init__.py": "", "src/kit/rows.py": ROWS}
    )
    files({"src/use.py": "import old_kit.x\nfrom old_kit import Money\n"})
    done = compat_in("scan", "use.py", cwd=project / "src", PYTHONPATH=str(Path(compat.__file__).parents[1]))
    assert done.stdout.startswith("use.py:2:21: name: "), done.stdout + done.stderr
