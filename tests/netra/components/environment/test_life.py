"""The one environment from import on: isolated where tests run, the same for everybody, with its defaults and file."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from compat.netra.components import environment
from compat.netra.components.environment import IsolatedEnvironment, get_env

IMPORT = "import os\nfrom shared.isolated_environment import IsolatedEnvironment, get_env\nenv = get_env()\n"


def run(code: str, cwd: Path, *, command: Any = None, **variables: str) -> str:
    """What a fresh process, in no test unless the variables say so, prints."""
    clean = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path), "COMPAT_TELEMETRY": "memory"}
    script = cwd / "script.py"
    script.write_text("import compat, warnings\nwarnings.simplefilter('ignore')\n" + IMPORT + textwrap.dedent(code))
    done = subprocess.run(
        command or [sys.executable, str(script)], env={**clean, **variables}, cwd=cwd, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("variables", "is_isolated"),
    [
        ({"TESTING": "1"}, "True"),
        ({"TESTING": "Yes"}, "True"),
        ({"TEST_MODE": "on"}, "True"),
        ({"ENVIRONMENT": "Testing"}, "True"),
        ({"ENVIRONMENT": "test"}, "True"),
        ({"PYTEST_CURRENT_TEST": "test_x.py::test (call)"}, "True"),
        ({"TESTING": "0"}, "False"),
        ({"ENVIRONMENT": "development"}, "False"),
        ({}, "False"),
    ],
)
def test_a_test_context_is_isolated_from_import_on(tmp_path: Path, variables: dict[str, str], is_isolated: str) -> None:
    assert run("print(env.is_isolated())", tmp_path, **variables) == is_isolated


def test_what_is_set_in_a_test_context_stays_out_of_the_process(tmp_path: Path) -> None:
    code = """
    print(env._isolated_vars, env.get_debug_info()["original_backup_count"])
    env.set("A", "1")
    print(env.get("A"), "A" in os.environ, env.exists("PATH"), env.get_all()["PATH"] == env.get("PATH") == os.environ["PATH"])
    """
    assert run(code, tmp_path, TESTING="1") == "{} 0\n1 False True True"


def test_outside_of_tests_what_is_set_is_the_processes(tmp_path: Path) -> None:
    code = """
    env.set("A", "1")
    print(os.environ["A"], env.get("REDIS_URL", "mine"), env.get("LOG_LEVEL"))
    """
    assert run(code, tmp_path) == "1 mine None"


def test_a_suite_under_pytest_leaks_nothing_from_test_to_test(tmp_path: Path) -> None:
    (tmp_path / "test_leak.py").write_text(
        textwrap.dedent(
            """
            import os
            from shared.isolated_environment import get_env

            env = get_env()

            def setup_function():
                env.enable_isolation()

            def test_first():
                assert env.is_isolated() and env.get("LEAK") is None
                env.set("LEAK", "1")
                env.delete("PATH")
                assert env.get("LEAK") == "1" and "LEAK" not in os.environ and not env.exists("PATH")

            def test_second():
                assert env.get("LEAK") is None and env.exists("PATH") and "LEAK" not in os.environ
            """
        )
    )
    (tmp_path / "test_plain.py").write_text(
        "import os\nfrom shared.isolated_environment import get_env\n"
        "def test_without_a_word():\n    get_env().set('PLAIN', '1')\n    assert 'PLAIN' not in os.environ and get_env().is_isolated()\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", str(tmp_path)]
    assert "3 passed" in run("", tmp_path, command=command)


def test_a_unittest_run_is_isolated_where_it_says_that_it_tests(tmp_path: Path) -> None:
    (tmp_path / "test_unit.py").write_text(
        textwrap.dedent(
            """
            import os, unittest
            from shared.isolated_environment import get_env

            class Case(unittest.TestCase):
                def setUp(self):
                    get_env().enable_isolation()

                def test_a(self):
                    self.assertIsNone(get_env().get("LEAK"))
                    get_env().set("LEAK", "1")
                    self.assertNotIn("LEAK", os.environ)

                test_b = test_a
            """
        )
    )
    run("", tmp_path, command=[sys.executable, "-m", "unittest", "test_unit"], TESTING="true")


def test_there_is_one_wherever_it_is_asked_for() -> None:
    assert get_env() is IsolatedEnvironment() is IsolatedEnvironment.get_instance() is environment._env_instance


def test_a_new_one_takes_every_place_at_once(caplog: pytest.LogCaptureFixture) -> None:
    first = get_env()
    try:
        IsolatedEnvironment._instance = None
        second = IsolatedEnvironment()
        assert second is not first
        assert get_env() is environment._env_instance is second
        assert "a new environment takes the place of the one before" in caplog.text
    finally:
        IsolatedEnvironment._instance = first
    assert get_env() is environment._env_instance is first
    assert "_env_instance was not the one environment; it is now" in caplog.text


def test_copies_and_pickles_are_the_one_environment() -> None:
    assert copy.copy(get_env()) is copy.deepcopy({"env": [get_env()]})["env"][0] is get_env()
    assert pickle.loads(pickle.dumps(get_env())) is get_env()


def test_four_defaults_of_persistence_are_set_where_they_are_absent(tmp_path: Path) -> None:
    code = """
    for name in ("", "_CACHE_SIZE", "_DEDUPLICATION", "_COMPRESSION"):
        key = ("OPTIMIZED_PERSISTENCE" if name else "ENABLE_OPTIMIZED_PERSISTENCE") + name
        print(key, os.environ[key], env.get_variable_source(key))
    """
    assert run(code, tmp_path, OPTIMIZED_PERSISTENCE_CACHE_SIZE="7").split("\n") == [
        "ENABLE_OPTIMIZED_PERSISTENCE false optimized_persistence_defaults",
        "OPTIMIZED_PERSISTENCE_CACHE_SIZE 7 None",
        "OPTIMIZED_PERSISTENCE_DEDUPLICATION true optimized_persistence_defaults",
        "OPTIMIZED_PERSISTENCE_COMPRESSION true optimized_persistence_defaults",
    ]


READ = "print(env.get('A'), env.get('B'), env.get_variable_source('A'))"


def test_the_file_of_the_working_directory_is_loaded_without_overriding(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB='file'\n")
    (tmp_path / ".secrets").write_text("C=1\n")
    assert run(READ, tmp_path, B="process") == "file process file:.env"
    assert run("print(env.get('C'))", tmp_path) == "None"
    (tmp_path / ".env").unlink()
    assert run("print(env.get('C'), env.get_variable_source('C'))", tmp_path) == "1 file:.secrets"


@pytest.mark.parametrize(
    "variables",
    [
        {"DISABLE_SECRETS_LOADING": "true"},
        {"ENVIRONMENT": "staging"},
        {"ENVIRONMENT": "production"},
        {"PYTEST_CURRENT_TEST": "test_x.py::test (call)"},
    ],
)
def test_deployments_and_tests_load_no_file(tmp_path: Path, variables: dict[str, str]) -> None:
    (tmp_path / ".env").write_text("A=file\n")
    assert run(READ, tmp_path, **variables) == "None None None"


def test_a_deployment_loads_its_own_file_where_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "staging.env").write_text("A=staging\n")
    (tmp_path / ".env").write_text("A=file\n")
    assert run(READ, tmp_path, ENVIRONMENT="staging", ENABLE_LOCAL_CONFIG_FILES="true") == "staging None file:staging.env"


def test_a_file_that_cannot_be_read_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    assert run(READ, tmp_path) == "None None None"


def test_pytest_loads_no_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\n")
    code = "import sys\nsys.modules['pytest'] = sys\nIsolatedEnvironment._instance = None\nos.environ.pop('A')\n"
    assert run(code + "print(get_env().get('A'))", tmp_path) == "None"


def test_where_a_test_runs_is_asked_at_every_call(env: IsolatedEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    assert env._is_test_context()
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    assert not env._is_test_context()
    monkeypatch.setenv("TEST_MODE", "ON")
    assert env._is_test_context()
    env.enable_isolation()
    env.delete("TEST_MODE")
    assert not env._is_test_context()
    env.set("ENVIRONMENT", "Testing")
    assert env._is_test_context()


def test_outside_of_tests_the_name_is_staging_unless_something_says_so(tmp_path: Path) -> None:
    assert run("print(env.get_environment_name())", tmp_path) == "staging"
