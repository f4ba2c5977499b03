"""The one environment of variables: isolation, protection, sources, callbacks, and where a process runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from compat.canonical.errors import SettingsError
from compat.netra.components import environment
from compat.netra.components.environment import (
    EnvironmentValidator,
    IsolatedEnvironment,
    SecretLoader,
    ValidationResult,
    get_env,
)

NAME = "COMPAT_TEST_VARIABLE"


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Iterator[IsolatedEnvironment]:
    for name in ("ENVIRONMENT", "GCP_PROJECT_ID", "GOOGLE_CLOUD_PROJECT", "K_SERVICE", NAME):
        monkeypatch.delenv(name, raising=False)
    one = get_env()
    one.complete_reset_for_testing()
    yield one
    one.complete_reset_for_testing()
    assert os.environ.get(NAME) in (None, "outside")


@pytest.fixture
def isolated(env: IsolatedEnvironment) -> IsolatedEnvironment:
    env.enable_isolation()
    return env


def test_there_is_one() -> None:
    assert get_env() is IsolatedEnvironment() is IsolatedEnvironment.get_instance()


def test_without_isolation_it_is_the_processes_environment(env: IsolatedEnvironment) -> None:
    assert env.set(NAME, "1", "test")
    assert os.environ[NAME] == env.get(NAME) == "1"
    assert env.get_variable_source(NAME) == "test"
    assert env.delete(NAME)
    assert NAME not in os.environ
    assert not env.delete(NAME)
    assert env.get(NAME, "default") == "default"


def test_with_isolation_nothing_leaks(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "1")
    assert isolated.is_isolated()
    assert isolated.get(NAME) == "1"
    assert NAME not in os.environ
    isolated.disable_isolation()
    assert isolated.get(NAME) is None
    assert isolated.get_variable_source(NAME) is None


def test_removing_in_isolation_keeps_the_processes_variable(env: IsolatedEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "outside")
    env.enable_isolation()
    env.unset(NAME)
    assert not env.exists(NAME)
    assert os.environ[NAME] == "outside"


def test_in_tests_the_latest_change_wins(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "set")
    with mock.patch.dict(os.environ, {NAME: "patched"}):
        assert isolated.get(NAME) == "patched"
    assert isolated.get(NAME) == "set"
    with mock.patch.dict(os.environ, {"COMPAT_TEST_OTHER": "x"}, clear=True):
        assert isolated.get("COMPAT_TEST_OTHER") == "x"
        assert isolated.get(NAME) == "set"
    assert isolated.get("COMPAT_TEST_OTHER") is None


def test_leaving_isolation_can_restore_the_processes_environment(env: IsolatedEnvironment) -> None:
    env.enable_isolation()
    os.environ[NAME] = "changed behind its back"
    env.disable_isolation(restore_original=True)
    assert NAME not in os.environ


def test_it_is_a_context_manager(env: IsolatedEnvironment) -> None:
    with env as inside:
        assert inside.is_isolation_enabled()
    assert not env.is_isolated()


def test_protected_variables_change_only_by_force(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "1")
    isolated.protect_variable(NAME)
    assert isolated.is_protected(NAME)
    assert not isolated.set(NAME, "2")
    assert not isolated.delete(NAME)
    assert isolated.update({NAME: "3", NAME + "_B": "4"}) == {NAME: False, NAME + "_B": True}
    assert isolated.set(NAME, "5", force=True)
    isolated.unprotect_variable(NAME)
    assert isolated.clear_env_var(NAME)


def test_callbacks_hear_of_changes_and_their_failures_do_no_harm(isolated: IsolatedEnvironment) -> None:
    heard: list[tuple[str, str | None, str]] = []

    def broken(key: str, old: str | None, new: str) -> None:
        raise RuntimeError

    def hear(key: str, old: str | None, new: str) -> None:
        heard.append((key, old, new))

    isolated.add_change_callback(broken)
    isolated.add_change_callback(hear)
    isolated.set(NAME, "1")
    isolated.set(NAME, "2")
    isolated.delete(NAME)
    isolated.remove_change_callback(hear)
    isolated.set(NAME, "3")
    assert heard == [(NAME, None, "1"), (NAME, "1", "2"), (NAME, "2", "")]
    assert [entry["new_value"] for entry in isolated.get_change_history(NAME)] == ["1", "2", None, "3"]


def test_sources_prefixes_and_copies(isolated: IsolatedEnvironment) -> None:
    isolated.update({NAME: "1", NAME + "_B": "2"}, source="here")
    assert sorted(isolated.get_sources()["here"]) == [NAME, NAME + "_B"]
    assert isolated.get_all_with_prefix(NAME) == {NAME: "1", NAME + "_B": "2"}
    assert isolated.get_changes_since_init()[NAME] == (None, "1")
    isolated.get_all()[NAME] = "changed"
    assert isolated.as_dict()[NAME] == "1"
    child = isolated.get_subprocess_env({"MORE": "x"})
    assert (child[NAME], child["MORE"], child["PATH"]) == ("1", "x", os.environ["PATH"])


def test_control_characters_are_removed(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "a\x00b\x01c\nd")
    assert isolated.get(NAME) == "abc\nd"
    isolated.set(NAME, 7)  # type: ignore[arg-type]
    assert isolated.get(NAME) == "7"


def test_files_are_loaded(isolated: IsolatedEnvironment, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        f"# comment\n\nexport {NAME}='quoted # value'\n{NAME}_B=plain # comment\nnot a line\n{NAME}_C=\"double\"\n{NAME}_D=\n"
    )
    count, faults = isolated.load_from_file(path)
    assert count == 4
    assert faults == ["Line 5: Invalid format, expected KEY=value, got: 'not a line'"]
    assert isolated.get(NAME) == "quoted # value"
    assert isolated.get(NAME + "_B") == "plain"
    assert isolated.get(NAME + "_D") == ""
    assert isolated.load_from_file(path, override_existing=False)[0] == 0
    assert isolated.load_from_file(tmp_path / "none") == (0, [f"File not found: {tmp_path / 'none'}"])


def test_resets_undo_what_was_changed_here_and_nothing_else(env: IsolatedEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPAT_TEST_OTHER", "kept")
    env.set(NAME, "1")
    env.set("COMPAT_TEST_OTHER", "changed")
    env.reset_to_original()
    assert NAME not in os.environ
    assert os.environ["COMPAT_TEST_OTHER"] == "kept"
    env.enable_isolation()
    env.set(NAME, "2")
    env.reset_to_original()
    assert env.get(NAME) is None
    assert env.is_isolated()
    env.reset()
    assert not env.is_isolated()


def test_clearing_empties_the_isolated_copy(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "1")
    isolated.clear()
    assert isolated.get_all() == {}
    assert "PATH" in os.environ
    isolated.clear(force_reset=True)
    assert not isolated.is_isolated()


def test_defaults_are_served_in_isolated_tests_only(isolated: IsolatedEnvironment) -> None:
    isolated.unset("SERVICE_SECRET")
    assert isolated.get("SERVICE_SECRET")
    assert isolated.get("SERVICE_SECRET", "mine") == "mine"
    isolated.enable_test_defaults_bypass()
    assert isolated.get("SERVICE_SECRET") is None
    isolated.disable_test_defaults_bypass()
    isolated.disable_isolation()
    assert isolated.get("SERVICE_SECRET") is None


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"ENVIRONMENT": "dev"}, "development"),
        ({"ENVIRONMENT": "LOCAL"}, "development"),
        ({"ENVIRONMENT": "testing"}, "test"),
        ({"ENVIRONMENT": "staging"}, "staging"),
        ({"ENVIRONMENT": "prod"}, "production"),
        ({"ENVIRONMENT": "test", "GCP_PROJECT_ID": "netra-production"}, "production"),
        ({"K_SERVICE": "backend-staging"}, "staging"),
        ({}, "test"),
    ],
)
def test_the_name_of_the_environment(isolated: IsolatedEnvironment, variables: dict[str, str], name: str) -> None:
    isolated.update(variables)
    assert isolated.get_environment_name() == name
    answers = [isolated.is_development(), isolated.is_test(), isolated.is_staging(), isolated.is_production()]
    assert answers == [name == one for one in ("development", "test", "staging", "production")]


def test_outside_of_tests_the_name_is_staging_unless_something_says_so() -> None:
    script = "from compat.netra.components.environment import get_env; print(get_env().get_environment_name())"
    clean = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    out = subprocess.run([sys.executable, "-c", script], env=clean, capture_output=True, text=True, check=True).stdout
    assert out == "staging\n"


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({}, "local"),
        ({"ENVIRONMENT": "development"}, "local"),
        ({"TESTING": "1"}, "test"),
        ({"ENVIRONMENT": "production", "K_SERVICE": "backend-prod"}, "production"),
    ],
)
def test_settings_environments(variables: dict[str, str], name: str) -> None:
    assert environment.detect_environment(variables) == name


def test_contradictions_and_unknown_words_are_errors() -> None:
    with pytest.raises(SettingsError) as caught:
        environment.detect_environment({"ENVIRONMENT": "staging", "GCP_PROJECT_ID": "netra-production"})
    assert caught.value.faults == (
        "ENVIRONMENT is 'staging', but GCP_PROJECT_ID is 'netra-production'; set both for one environment",
    )
    with pytest.raises(SettingsError, match="ENVIRONMENT is 'moon'; choose one of development, local, test, staging, production"):
        environment.detect_environment({"ENVIRONMENT": "moon"})


def test_module_functions(isolated: IsolatedEnvironment) -> None:
    assert environment.setenv(NAME, "1")
    assert environment.getenv(NAME) == environment.get_env_var(NAME) == get_env(NAME) == "1"
    assert environment.get_subprocess_env()[NAME] == "1"
    assert environment.delenv(NAME)
    assert environment.getenv(NAME, "default") == get_env(NAME, "default") == "default"
    assert environment.get_environment_manager() is isolated
    environment.get_environment_manager(isolation_mode=False)
    assert not isolated.is_isolated()
    environment.get_environment_manager(isolation_mode=True)
    assert isolated.is_isolated()


def test_what_replaces_the_door_is_asked(isolated: IsolatedEnvironment) -> None:
    with mock.patch.object(environment, "get_env") as door:
        door.return_value.get.return_value = "from the mock"
        assert environment.getenv(NAME) == "from the mock"
        assert SecretLoader().get_secret(NAME) == "from the mock"
        assert EnvironmentValidator().env is door.return_value


def test_secrets_are_protected_and_masked(isolated: IsolatedEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".secrets").write_text(f"{NAME}=from the file\n")
    secrets = SecretLoader(isolated)
    assert secrets.load_secrets()
    assert secrets.get_secret(NAME) == "from the file"
    assert secrets.set_secret(NAME, "abcdefgh")
    assert not secrets.set_secret(NAME, "other")
    assert secrets.get_masked_value(NAME) == "abc***"
    assert secrets.get_masked_value("COMPAT_TEST_NONE") == "<not set>"


def test_validation_says_what_is_missing(isolated: IsolatedEnvironment) -> None:
    isolated.enable_test_defaults_bypass()
    isolated.clear()
    isolated.set("ENVIRONMENT", "development")
    result = isolated.validate_all()
    assert not result.is_valid
    assert "Missing required variable: DATABASE_URL" in result.errors
    assert "Set DATABASE_URL in the environment or in the .env file" in result.suggestions
    assert result.missing_optional_by_category["cache"] == ["REDIS_URL"]
    fixed = EnvironmentValidator(isolated).validate_with_fallbacks()
    assert fixed.is_valid
    assert fixed.fallback_applied == ["DATABASE_URL", "JWT_SECRET_KEY", "SECRET_KEY"]
    assert ValidationResult(True, [], [], []).suggestions == []


def test_staging_databases_need_real_hosts_users_and_passwords(isolated: IsolatedEnvironment) -> None:
    isolated.update({"ENVIRONMENT": "staging", "POSTGRES_HOST": "localhost", "POSTGRES_USER": "user_pr-4"})
    isolated.update({"POSTGRES_PASSWORD": "postgres", "POSTGRES_DB": "db"})
    result = isolated.validate_staging_database_credentials()
    assert result["valid"] is False
    assert len(result["issues"]) == 3
    isolated.update({"POSTGRES_HOST": "10.1.2.3", "POSTGRES_USER": "netra", "POSTGRES_PASSWORD": "long-and-strange-4711"})
    assert isolated.validate_staging_database_credentials() == {"valid": True, "issues": [], "warnings": []}


def test_services_urls_and_ids_are_validated(isolated: IsolatedEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    check = EnvironmentValidator(isolated)
    isolated.update({"ENVIRONMENT": "staging", "SERVICE_ID": "backend-20250914", "NEXT_PUBLIC_API_URL": "http://localhost:8000"})
    assert not check.validate_service_id_stability().is_valid
    assert len(check.validate_staging_domain_configuration().errors) == 2
    assert not check.validate_discovery_endpoint_configuration({"ws": "ws://api.example.org"}).is_valid
    assert check.validate_environment_specific_behavior("staging").is_valid
    assert check.validate_environment_specific_behavior("production").errors == ["Environment is staging, expected production"]
    assert "Unknown service: moon" in check.validate_critical_service_variables("moon").errors[0]
    assert not check.validate_frontend_critical_variables().is_valid
    check.print_validation_summary(check.validate_service_id_stability())
    assert capsys.readouterr().out.startswith("Environment validation: failed\n  error: SERVICE_ID")


def test_debug_information_has_no_values(isolated: IsolatedEnvironment) -> None:
    isolated.set(NAME, "very secret", "here")
    info = isolated.get_debug_info()
    assert info["isolation_enabled"] is True
    assert info["variable_sources"][NAME] == "here"
    assert "very secret" not in repr(info)


def test_pytests_own_marks_are_kept_in_the_processes_environment(isolated: IsolatedEnvironment) -> None:
    before = os.environ.get("PYTEST_TIMEOUT")
    isolated.set("PYTEST_TIMEOUT", "7")
    assert os.environ["PYTEST_TIMEOUT"] == "7"
    isolated.delete("PYTEST_TIMEOUT")
    assert "PYTEST_TIMEOUT" not in os.environ
    if before is not None:
        os.environ["PYTEST_TIMEOUT"] = before


def test_former_names_do_the_same(env: IsolatedEnvironment) -> None:
    env.enable_isolation_mode()
    env.set(NAME, "1")
    env.protect(NAME)
    assert env.is_set(NAME)
    assert env.get_all_variables()[NAME] == "1"
    assert env.is_protected(NAME)
    env.clear_cache()
    assert env.get(NAME) == "1"


def test_faults_of_files_are_sentences(isolated: IsolatedEnvironment, tmp_path: Path) -> None:
    path = tmp_path / "latin1"
    path.write_bytes(b"A=\xff\n")
    count, faults = isolated.load_from_file(path)
    assert count == 0
    assert faults[0].startswith(f"Error reading file {path}: ")
    isolated.protect_variable(NAME)
    path.write_text(f"{NAME}=1\n")
    assert isolated.load_from_file(path) == (0, [f"{NAME} is protected and was not set"])


def test_secrets_are_loaded_from_the_working_directory(
    isolated: IsolatedEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert environment.load_secrets()
    (tmp_path / ".secrets").write_text("no assignment\n")
    assert not environment.load_secrets()


def test_nothing_is_filled_in_outside_of_development_and_tests(isolated: IsolatedEnvironment) -> None:
    isolated.enable_test_defaults_bypass()
    isolated.clear()
    isolated.update({"ENVIRONMENT": "production", "JWT_SECRET_KEY": "short", "DEBUG": "1"})
    result = EnvironmentValidator(isolated).validate_with_fallbacks()
    assert result.fallback_applied == []
    assert "JWT_SECRET_KEY is shorter than 32 characters" in result.warnings
    check = EnvironmentValidator(isolated)
    assert check.validate_environment_specific_behavior("production").errors == ["DEBUG must not be set in production"]
    assert check.validate_service_id_stability().errors == ["SERVICE_ID is not set"]
    assert check.validate_staging_domain_configuration().is_valid
    isolated.set("SERVICE_ID", "netra-backend")
    assert check.validate_service_id_stability().is_valid
    isolated.update({"ENVIRONMENT": "staging", "POSTGRES_HOST": "localhost"})
    assert any("POSTGRES_HOST is 'localhost'" in error for error in check.validate_all().errors)
    isolated.set("ENVIRONMENT", "development")
    assert check.validate_discovery_endpoint_configuration({"ws": "ws://localhost"}).is_valid
    assert isolated.validate_staging_database_credentials()["warnings"]
