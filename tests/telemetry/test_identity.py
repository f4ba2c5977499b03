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


def run(*arguments: str, cwd: Path | None = None, **more: str) -> str:
    environ = {**os.environ, "PYTHONPATH": str(Path(compat.__file__).parents[1]), **more}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environ, cwd=cwd, capture_output=True, text=True, check=True).stdout.strip()


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
    assert run(str(package), PYTHONPATH=path) == "shop"
    assert run("-c", NAME) == f"{Path.cwd().name}:python"
    assert run("-c", NAME, COMPAT_SERVICE="api") == "api"


@pytest.mark.parametrize("launcher", ["gunicorn", "celery", "uvicorn", "pytest"])
def test_the_name_of_a_launcher_never_stands_alone(tmp_path, launcher):
    (shop := tmp_path / "shop").mkdir()
    (tmp_path / launcher).write_text(NAME)
    (tmp_path / "lib" / launcher).mkdir(parents=True)
    (tmp_path / "lib" / launcher / "__init__.py").touch()
    (tmp_path / "lib" / launcher / "__main__.py").write_text(NAME)
    path = os.pathsep.join([str(tmp_path / "lib"), str(Path(compat.__file__).parents[1])])
    assert run(str(tmp_path / launcher), cwd=shop) == f"shop:{launcher}"
    assert run("-m", launcher, cwd=shop, PYTHONPATH=path) == f"shop:{launcher}"


@pytest.mark.parametrize("name", ["manage", "main", "app", "wsgi"])
def test_a_script_named_as_anybodys_is_named_with_its_directory(tmp_path, name):
    (shop := tmp_path / "shop").mkdir()
    (shop / f"{name}.py").write_text(NAME)
    assert run(str(shop / f"{name}.py"), cwd=tmp_path) == f"shop:{name}"
    assert run(f"{name}.py", cwd=shop) == f"shop:{name}"


@pytest.mark.parametrize(
    ("environ", "name", "version"),
    [
        ({"OTEL_SERVICE_NAME": "orders", "OTEL_RESOURCE_ATTRIBUTES": "service.name=no,service.version=2.1"}, "orders", "2.1"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "a=b, service.name=orders", "DD_VERSION": "7", "DD_SERVICE": "no"}, "orders", "7"),
        ({"DD_SERVICE": "orders"}, "orders", ""),
        ({"DD_SERVICE": "no", "COMPAT_SERVICE": "orders", "COMPAT_SERVICE_VERSION": "3", "DD_VERSION": "7"}, "orders", "3"),
    ],
)
def test_a_service_is_named_as_other_tools_know_it(environ, name, version):
    ask = "from compat.telemetry.record.service import *; print(service_name(), service_version(), sep='|')"
    assert run("-c", ask, **environ) == f"{name}|{version}"


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
