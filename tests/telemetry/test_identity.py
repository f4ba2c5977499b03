from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import compat
from compat.telemetry.record.directory import state_directory
from compat.telemetry.record.identity import describe_process, this_process

NAME = "from compat.telemetry.record.service import service_name; print(service_name())"


def run(*arguments: str, **more: str) -> str:
    environ = {**os.environ, "PYTHONPATH": str(Path(compat.__file__).parents[1]), **more}
    return subprocess.run([sys.executable, *arguments], env=environ, capture_output=True, text=True, check=True).stdout.strip()


def test_a_service_is_named_by_the_environment_else_by_what_was_started(tmp_path):
    (tmp_path / "worker.py").write_text(NAME)
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__main__.py").write_text(NAME)
    (package / "mail.py").write_text(NAME)
    assert run(str(tmp_path / "worker.py")) == "worker"
    path = os.pathsep.join([str(tmp_path), str(Path(compat.__file__).parents[1])])
    assert run("-m", "shop", PYTHONPATH=path) == "shop"
    assert run("-m", "shop.mail", PYTHONPATH=path) == "shop.mail"
    assert run("-c", NAME) == "python -c"
    assert run("-c", NAME, COMPAT_SERVICE="api") == "api"


def test_a_process_has_one_id_and_no_other_has_it():
    assert this_process() is this_process()
    assert describe_process().id != describe_process().id
    mine = this_process()
    assert mine.pid == os.getpid()
    assert time.time() - 3600 < mine.started <= time.time() + 1


def test_the_state_directory_is_that_of_the_platform(monkeypatch, tmp_path):
    platformdirs = pytest.importorskip("platformdirs", reason="needs the extra: tools")
    monkeypatch.delenv("COMPAT_DIR", raising=False)
    for value in (None, str(tmp_path / "state")):
        if value is None:
            monkeypatch.delenv("XDG_STATE_HOME", raising=False)
        else:
            monkeypatch.setenv("XDG_STATE_HOME", value)
        assert state_directory() == platformdirs.user_state_dir("netra-compat")
    monkeypatch.setenv("COMPAT_DIR", str(tmp_path / "mine"))
    assert state_directory() == str(tmp_path / "mine")


ENVIRONMENT = "from compat.telemetry.record.service import environment_name; print(environment_name())"
QUIET = dict.fromkeys(("PYTEST_VERSION", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER", "CI", "GITHUB_ACTIONS"), "")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "production"),
        ({"CI": "true"}, "ci"),
        ({"CI": "false"}, "production"),
        ({"GITHUB_ACTIONS": "true"}, "ci"),
        ({"CI": "true", "PYTEST_VERSION": "8.4"}, "test"),
        ({"PYTEST_CURRENT_TEST": "test_a.py::test_b (call)"}, "test"),
        ({"PYTEST_VERSION": "8.4", "COMPAT_ENVIRONMENT": "staging"}, "staging"),
        ({"COMPAT_ENVIRONMENT": " Prod "}, "production"),
        ({"CI": "1", "COMPAT_ENVIRONMENT": "canary"}, "canary"),
    ],
)
def test_an_environment_is_told_by_its_variable_else_by_what_the_process_shows(environ, expected):
    assert run("-c", ENVIRONMENT, **{**QUIET, **environ}) == expected


def test_test_runners_are_known_without_a_variable(tmp_path):
    root = str(Path(compat.__file__).parents[1])
    (tmp_path / "test_it.py").write_text(f"import unittest\n{ENVIRONMENT}\nclass T(unittest.TestCase):\n    pass\n")
    (tmp_path / "manage.py").write_text(ENVIRONMENT)
    path = os.pathsep.join([str(tmp_path), root])
    ended = subprocess.run(
        [sys.executable, "-m", "unittest", "test_it"],
        env={**os.environ, **QUIET, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert ended.stdout.strip() == "test"
    assert run(str(tmp_path / "manage.py"), "test", **QUIET) == "test"
    assert run(str(tmp_path / "manage.py"), "runserver", **QUIET) == "production"
