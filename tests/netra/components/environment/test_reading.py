"""Reading variables: the order of answers, the values of tests, the name of the environment, the module's functions."""

from __future__ import annotations

import os
from unittest import mock

import pytest

from compat.canonical.errors import SettingsError
from compat.netra.components import environment
from compat.netra.components.environment import EnvironmentValidator, IsolatedEnvironment, SecretLoader, get_env, reading
from compat.netra.components.environment.defaults import test_defaults as values_of_tests

NAME = "COMPAT_TEST_VARIABLE"
FIXED = """\
ENVIRONMENT test
TESTING 1
TEST_MODE true
TEST_ENV test
LOG_LEVEL DEBUG
GOOGLE_OAUTH_CLIENT_ID_TEST test-oauth-client-id-for-automated-testing
GOOGLE_OAUTH_CLIENT_SECRET_TEST test-oauth-client-secret-for-automated-testing
E2E_OAUTH_SIMULATION_KEY test-e2e-oauth-bypass-key-for-testing-only-unified-2025
JWT_SECRET_KEY test-jwt-secret-key-32-characters-long-for-testing-only
SERVICE_SECRET test-service-secret-32-characters-long-for-cross-service-auth
FERNET_KEY test-fernet-key-for-encryption-32-characters-long-base64-encoded=
SECRET_KEY test-secret-key-for-test-environment-only-32-chars-min
ANTHROPIC_API_KEY test-anthropic-api-key-placeholder-for-unit-tests
OPENAI_API_KEY test-openai-api-key-placeholder-for-unit-tests
GEMINI_API_KEY test-gemini-api-key-placeholder-for-unit-tests
POSTGRES_HOST localhost
POSTGRES_PORT 5434
POSTGRES_USER netra_test
POSTGRES_PASSWORD netra_test_password
POSTGRES_DB netra_test
DATABASE_URL postgresql://netra_test:netra_test_password@localhost:5434/netra_test
REDIS_HOST localhost
REDIS_PORT 6381
REDIS_URL redis://localhost:6381/0
SERVER_PORT 8000
AUTH_PORT 8081
FRONTEND_PORT 3000
AUTH_SERVICE_URL http://localhost:8081
GOOGLE_OAUTH_CLIENT_ID_STAGING test_oauth_client_id_staging.apps.googleusercontent.com
GOOGLE_OAUTH_CLIENT_ID_PRODUCTION test_oauth_client_id_production.apps.googleusercontent.com"""
RANDOM = {
    "JWT_SECRET_STAGING": "test_jwt_secret_staging_",
    "JWT_SECRET_PRODUCTION": "test_jwt_secret_production_",
    "REDIS_PASSWORD": "test_redis_password_",
    "GOOGLE_OAUTH_CLIENT_SECRET_STAGING": "test_oauth_client_secret_staging_",
    "GOOGLE_OAUTH_CLIENT_SECRET_PRODUCTION": "test_oauth_client_secret_production_",
}


@pytest.mark.parametrize("line", FIXED.split("\n"))
def test_a_test_is_answered_for_what_is_not_set(
    isolated: IsolatedEnvironment, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    key, _, value = line.partition(" ")
    monkeypatch.delenv(key, raising=False)
    assert isolated.get(key) == isolated.get(key, "mine") == value


@pytest.mark.parametrize(("key", "head"), RANDOM.items())
def test_random_secrets_are_the_same_in_one_process(
    isolated: IsolatedEnvironment, monkeypatch: pytest.MonkeyPatch, key: str, head: str
) -> None:
    monkeypatch.delenv(key, raising=False)
    value = isolated.get(key) or ""
    assert value.startswith(head) and len(value) > len(head) + 8
    assert isolated.get(key) == value


def test_there_are_thirty_five_of_them(isolated: IsolatedEnvironment) -> None:
    assert len(values_of_tests()) == 35 == len(isolated._get_test_environment_defaults())


@pytest.fixture
def redis(isolated: IsolatedEnvironment, monkeypatch: pytest.MonkeyPatch) -> IsolatedEnvironment:
    monkeypatch.delenv("REDIS_URL", raising=False)
    return isolated


def test_values_of_tests_are_answers_of_get_alone(redis: IsolatedEnvironment) -> None:
    assert redis.get("REDIS_URL") == "redis://localhost:6381/0"
    assert not redis.exists("REDIS_URL")
    assert "REDIS_URL" not in redis.get_all() and "REDIS_URL" not in redis.get_subprocess_env()
    assert not redis.delete("REDIS_URL")


def test_values_of_tests_are_switched_off_and_on(redis: IsolatedEnvironment) -> None:
    redis.enable_test_defaults_bypass()
    assert redis._bypass_test_defaults is True
    assert redis.get("REDIS_URL", "mine") == "mine"
    redis.disable_test_defaults_bypass()
    assert redis.get("REDIS_URL") is not None
    redis.clear()
    assert "REDIS_URL" in redis._explicitly_cleared_keys
    assert redis.get("REDIS_URL", "mine") == "mine"
    redis.reset_to_original()
    assert redis.get("REDIS_URL") is not None
    redis.enable_test_defaults_bypass()
    redis.reset()
    redis.enable_isolation()
    assert redis.get("REDIS_URL") is not None
    redis.disable_isolation()
    assert redis.get("REDIS_URL", "mine") == "mine"


def test_values_of_tests_are_no_answer_outside_of_tests(redis: IsolatedEnvironment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    redis.enable_isolation()
    assert redis.get("REDIS_URL", "mine") == "mine"


def test_a_removed_variable_has_the_callers_default(isolated: IsolatedEnvironment) -> None:
    isolated.set("REDIS_URL", "set")
    isolated.delete("REDIS_URL")
    assert isolated.get("REDIS_URL", "mine") == "mine"
    assert isolated.get("REDIS_URL") is None


def test_an_empty_value_counts_as_not_set_in_isolation_alone(env: IsolatedEnvironment) -> None:
    env.set(NAME, "")
    assert env.get(NAME, "default") == ""
    env.enable_isolation()
    env.set(NAME, "")
    assert env.get(NAME, "default") == "default" and env.exists(NAME)
    os.environ[NAME] = "process"
    assert env.get(NAME, "default") == "process"
    env.set("REDIS_URL", "")
    with mock.patch.dict(os.environ):
        os.environ.pop("REDIS_URL", None)
        assert env.get("REDIS_URL", "mine") == "redis://localhost:6381/0"


def test_answers_outside_of_isolation_are_shown_and_never_stale(env: IsolatedEnvironment) -> None:
    env.set(NAME, "1")
    assert NAME not in env._env_cache
    assert env.get(NAME) == env._env_cache[NAME] == "1"
    os.environ[NAME] = "2"
    assert env.get(NAME) == "2"
    env.delete(NAME)
    assert NAME not in env._env_cache
    env.get("PATH")
    env.clear_cache()
    assert env._env_cache == {}


@pytest.mark.parametrize("value", ["$(echo no)", "`echo no`", "${HOME}"])
def test_no_shell_is_asked_for_a_value(isolated: IsolatedEnvironment, value: str) -> None:
    isolated.set(NAME, value)
    assert isolated.get(NAME) == isolated._expand_shell_commands(value) == value


def test_a_deployment_never_verifies_tokens_with_the_key_of_tests(redis: IsolatedEnvironment) -> None:
    with mock.patch.dict(os.environ):
        os.environ.pop("JWT_SECRET_KEY", None)
        redis.set("ENVIRONMENT", "production")
        assert redis.get("JWT_SECRET_KEY")
        assert reading.read_variable("JWT_SECRET_KEY", "none") == "none"
        assert "JWT_SECRET_KEY" not in reading.Variables()
        assert reading.read_variable("SERVER_PORT") == "8000"
        redis.set("ENVIRONMENT", "test")
        assert reading.Variables()["JWT_SECRET_KEY"] == redis.get("JWT_SECRET_KEY")


def test_sources_prefixes_and_copies(isolated: IsolatedEnvironment) -> None:
    isolated.update({NAME: "1", NAME + "_B": "2"}, source="here")
    assert sorted(isolated.get_sources()["here"]) == [NAME, NAME + "_B"]
    assert isolated.get_all_with_prefix(NAME) == {NAME: "1", NAME + "_B": "2"}
    assert isolated.get_changes_since_init()[NAME] == (None, "1")
    isolated.get_all()[NAME] = "changed"
    assert isolated.as_dict()[NAME] == isolated.get_all_variables()[NAME] == "1"
    child = isolated.get_subprocess_env({"MORE": "x"})
    assert (child[NAME], child["MORE"], child["PATH"]) == ("1", "x", os.environ["PATH"])


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"ENVIRONMENT": "dev"}, "development"),
        ({"ENVIRONMENT": "LOCAL"}, "development"),
        ({"ENVIRONMENT": "testing"}, "test"),
        ({"ENVIRONMENT": "staging"}, "staging"),
        ({"ENVIRONMENT": "prod"}, "production"),
        ({"ENVIRONMENT": "test", "GCP_PROJECT_ID": "netra-production"}, "production"),
        ({"GCP_PROJECT_ID": "netra-staging", "K_SERVICE": "backend-prod"}, "staging"),
        ({"K_SERVICE": "backend-staging"}, "staging"),
        ({"ENVIRONMENT": "moon"}, "test"),
        ({}, "test"),
    ],
)
def test_the_name_of_the_environment(isolated: IsolatedEnvironment, variables: dict[str, str], name: str) -> None:
    isolated.update(variables)
    assert isolated.get_environment_name() == name
    answers = [isolated.is_development(), isolated.is_test(), isolated.is_staging(), isolated.is_production()]
    assert answers == [name == one for one in ("development", "test", "staging", "production")]


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
        assert environment.getenv(NAME) == reading.read_variable("JWT_SECRET_KEY") == "from the mock"
        assert SecretLoader().get_secret(NAME) == "from the mock"
        assert EnvironmentValidator().env is door.return_value
