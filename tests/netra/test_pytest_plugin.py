"""Under pytest legacy code runs as in any other process, unless the project or the environment asks for testing mode."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

USE = """\
from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager
UnifiedWebSocketManager()
"""
HEADER = "compat: testing mode, legacy managers need no user\n"


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {key: value for key, value in os.environ.items() if key not in ("COMPAT_TESTING", "ENVIRONMENT")}
    variables.update(environment, COMPAT_TELEMETRY="memory")
    command = [sys.executable, "-W", "ignore", *arguments]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=400)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "test_x.py").write_text("def test_x():\n" + "".join(f"    {line}\n" for line in USE.splitlines()))
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    return tmp_path


def pytest_in(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run(project, "-m", "pytest", "-p", "no:cacheprovider", *arguments, **environment)


@pytest.mark.slow
def test_the_same_lines_do_the_same_under_pytest_and_in_a_plain_process(project: Path) -> None:
    plain, tested = run(project, "-c", USE), pytest_in(project)
    assert plain.returncode == tested.returncode == 1
    assert "FactoryBypassDetected" in plain.stderr.splitlines()[-1]
    assert "FactoryBypassDetected" in tested.stdout and HEADER not in tested.stdout


@pytest.mark.parametrize(
    ("asking", "environment"),
    [
        ("[tool.compat]\ntesting = true\n", {}),
        ("", {"COMPAT_TESTING": "1"}),
        ("", {"ENVIRONMENT": "test"}),
        ("", {"ENVIRONMENT": "Testing"}),
    ],
)
def test_testing_mode_is_on_where_it_is_asked_for_and_the_header_says_so_once(
    project: Path, asking: str, environment: dict[str, str]
) -> None:
    with open(project / "pyproject.toml", "a") as file:
        file.write(asking)
    done = pytest_in(project, **environment)
    assert (done.returncode, done.stdout.count(HEADER)) == (0, 1), done.stdout


@pytest.mark.parametrize("environment", [{"COMPAT_TESTING": "0"}, {"ENVIRONMENT": "production"}, {"ENVIRONMENT": "prod"}])
def test_the_environment_and_production_have_the_last_word(project: Path, environment: dict[str, str]) -> None:
    (project / "pyproject.toml").write_text("[tool.compat]\ntesting = true\n")
    done = pytest_in(project, **environment)
    assert done.returncode == 1 and "FactoryBypassDetected" in done.stdout and HEADER not in done.stdout


def test_a_setting_of_another_type_is_a_usage_error(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.compat]\ntesting = 'yes'\n")
    done = pytest_in(project)
    assert done.returncode == 4
    assert "pyproject.toml: [tool.compat] testing must be true or false, not 'yes'" in done.stderr


@pytest.mark.slow
def test_workers_of_xdist_are_asked_too(project: Path) -> None:
    pytest.importorskip("xdist")
    (project / "pyproject.toml").write_text("[tool.compat]\ntesting = true\n")
    assert pytest_in(project, "-n", "1").returncode == 0


def test_what_it_set_is_taken_back(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.compat]\ntesting = true\n")
    code = "import os, pytest; code = pytest.main(['-p', 'no:cacheprovider']); print('then', code == 0, 'COMPAT_TESTING' in os.environ)"
    assert run(project, "-c", code).stdout.endswith("then True False\n")


def test_it_loads_nothing_that_serves_legacy_names(project: Path) -> None:
    code = (
        "import sys, pytest; pytest.main(['--collect-only', '-p', 'no:cacheprovider'])\n"
        "print(sorted(name for name in sys.modules if name.startswith('compat')))"
    )
    done = run(project, "-c", code)
    assert (
        done.stdout.splitlines()[-1]
        == "['compat', 'compat._forking', 'compat.netra', 'compat.netra.pytest_plugin', 'compat.netra.testing_mode',"
        " 'compat.pytest_plugin']"
    )
