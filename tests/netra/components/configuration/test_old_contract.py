"""The configuration as older code reads, patches and imports it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

import compat
from compat.errors import LegacyUseWarning
from compat.netra.components.configuration import base, database, environment_constants
from compat.netra.components.configuration.app_config import (
    AppConfig,
    DevelopmentConfig,
    NetraTestingConfig,
    ProductionConfig,
    StagingConfig,
)
from compat.netra.ledger import LEDGER
from compat.netra.testing.environment_fixtures import clean_env_context

SECRETS = {"JWT_SECRET_KEY": "j" * 40, "SERVICE_SECRET": "s" * 40, "DATABASE_URL": "postgresql://u:p@db/netra"}


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    base.config_manager.reload_config(force=True)
    yield
    base.config_manager.reload_config(force=True)


def test_every_environment_has_a_class_of_its_own() -> None:
    made = AppConfig.from_variables
    assert type(made({}, "testing")) is NetraTestingConfig
    assert type(made({}, "development")) is DevelopmentConfig
    assert type(made(SECRETS, "staging")) is StagingConfig
    assert type(made(SECRETS, "production")) is ProductionConfig
    assert all(issubclass(one, AppConfig) for one in (NetraTestingConfig, DevelopmentConfig, StagingConfig, ProductionConfig))
    assert (NetraTestingConfig().environment, DevelopmentConfig().environment) == ("testing", "development")


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_deployment_without_secrets_has_the_plain_class(environment: str) -> None:
    config = AppConfig.from_variables({}, environment)
    assert (type(config), config.environment, config.jwt_secret_key, config.fernet_key) == (AppConfig, environment, None, None)


@pytest.mark.parametrize(
    ("environment", "urls"),
    [
        ("testing", ("http://localhost:3010", "http://localhost:8000", "http://localhost:8081")),
        ("development", ("http://localhost:3010", "http://localhost:8000", "http://127.0.0.1:8081")),
        (
            "staging",
            (
                "https://app.staging.netrasystems.ai",
                "https://api.staging.netrasystems.ai",
                "https://auth.staging.netrasystems.ai",
            ),
        ),
        ("production", ("https://app.netrasystems.ai", "https://api.netrasystems.ai", "https://auth.netrasystems.ai")),
    ],
)
def test_urls_follow_the_environment_and_variables_win(environment: str, urls: tuple[str, ...]) -> None:
    config = AppConfig.from_variables({}, environment)
    assert (config.frontend_url, config.api_base_url, config.auth_service_url) == urls
    assert AppConfig.from_variables({"FRONTEND_URL": "https://own"}, environment).frontend_url == "https://own"


DEFAULTS = {
    "app_name": "netra",
    "log_level": "DEBUG",
    "access_token_expire_minutes": 30,
    "algorithm": "HS256",
    "service_id": "netra-backend",
    "clickhouse_url": None,
    "cors_origins": None,
    "auth_service_enabled": "true",
    "auth_fast_test_mode": "false",
    "auth_cache_ttl_seconds": "300",
    "redis_mode": "shared",
    "clickhouse_mode": "shared",
    "llm_mode": "shared",
    "dev_mode_redis_enabled": True,
    "dev_mode_clickhouse_enabled": True,
    "dev_mode_llm_enabled": True,
    "k_service": None,
    "k_revision": None,
    "pr_number": None,
    "gae_application": None,
    "db_pool_size": 20,
    "db_max_overflow": 30,
    "db_pool_timeout": 30,
    "db_pool_recycle": 1800,
    "db_pool_pre_ping": True,
    "db_echo": False,
    "db_max_connections": 100,
    "db_connection_timeout": 10,
    "db_statement_timeout": 30000,
    "cache_enabled": True,
    "cache_default_ttl": 300,
    "cache_max_size": 1000,
    "cache_strategy": "adaptive",
    "agent_cache_ttl": 300,
    "agent_default_timeout": 30.0,
    "agent_thinking_timeout": 25.0,
    "agent_tool_timeout": 20.0,
    "agent_completion_timeout": 15.0,
    "agent_max_retries": 3,
    "agent_max_concurrent": 10,
    "agent_failure_threshold": 3,
    "agent_reset_timeout": 30.0,
    "disable_https_only": False,
    "startup_max_retries": 3,
    "dev_user_email": "dev@example.com",
}


@pytest.mark.parametrize("kind", [AppConfig, NetraTestingConfig, DevelopmentConfig, StagingConfig, ProductionConfig])
def test_defaults(kind: type[AppConfig]) -> None:
    config = kind()
    assert {name: getattr(config, name) for name in DEFAULTS} == DEFAULTS
    assert config.fast_startup_mode == ("true" if kind is NetraTestingConfig else "false")
    groups = "google_cloud oauth_config clickhouse_native clickhouse_http clickhouse_https clickhouse_logging langfuse ws_config"
    assert all(hasattr(config, name) for name in (*groups.split(), "redis", "llm_configs"))
    assert config.redis.port == 6379 and config.llm_configs["default"].provider == "google"
    assert (config.fernet_key is None) == (kind in (StagingConfig, ProductionConfig))


def test_development_and_tests_work_without_a_variable() -> None:
    development = DevelopmentConfig()
    assert development.debug is True
    assert development.database_url == "postgresql+asyncpg://postgres:postgres@localhost:5432/netra_dev"
    assert development.jwt_secret_key == "development_secret_key_for_jwt_do_not_use_in_production"
    assert development.secret_key == "default_secret_key"
    assert AppConfig.from_variables(SECRETS, "development").database_url == SECRETS["DATABASE_URL"]
    assert NetraTestingConfig().database_url == "sqlite+aiosqlite:///:memory:"


def test_only_fields_can_be_set() -> None:
    config = NetraTestingConfig(colour="red")
    config.log_level = "ERROR"
    with pytest.raises(ValueError, match='^"NetraTestingConfig" object has no field "colour"$'):
        config.colour = "red"  # type: ignore[attr-defined]


def test_it_is_copied_and_dumped_like_a_model() -> None:
    config = AppConfig(environment="testing", redis_password="secret")
    copied = config.model_copy(update={"log_level": "ERROR"})
    assert (copied.log_level, config.log_level, type(copied)) == ("ERROR", "DEBUG", AppConfig)
    assert config.model_copy(deep=True) == config and config.model_copy(deep=True).redis is not config.redis
    assert set(config.model_dump()) == set(AppConfig.model_fields) >= set(DEFAULTS)
    assert config.model_dump(include={"redis", "log_level"}) == {
        "log_level": "DEBUG",
        "redis": {"host": "localhost", "port": 6379, "username": "", "password": ""},
    }
    assert "redis_password" not in config.model_dump(exclude={"redis_password"})
    assert "secret" not in repr(config) and repr(config.redis) == "ConfigGroup(host, port, username, password)"
    assert config.redis != 7 and config.redis == AppConfig().redis


def test_a_test_run_makes_a_new_one_at_every_call() -> None:
    assert base.get_unified_config() is not base.get_unified_config()
    assert base.get_environment() == "testing" and base.is_testing()


def test_the_environment_is_found_once_until_a_forced_reload() -> None:
    assert base.get_environment() == "testing"
    with clean_env_context() as env:
        env.set("ENVIRONMENT", "staging")
        assert base.get_environment() == "testing"
        base.config_manager.reload_config()
        assert base.get_environment() == "testing"
        base.config_manager.reload_config(force=True)
        assert base.get_environment() == "staging"
        assert base.get_unified_config() is base.get_unified_config()


def test_what_tests_put_into_the_manager_is_served() -> None:
    config = SimpleNamespace(environment="production", database_url="x")
    base.config_manager._environment = "production"
    base.config_manager._config_cache = config  # type: ignore[assignment]
    assert base.is_production() and not base.is_testing()
    assert base.get_unified_config() is base.get_config() is config


FOLLOWING = {
    "get_environment": "get_environment_name",
    **{name: name for name in ("is_production", "is_development", "is_testing", "get_database_config")},
    **{name: name for name in ("get_auth_config", "get_redis_config")},
}


@pytest.mark.parametrize(("function", "method"), FOLLOWING.items())
def test_functions_ask_the_manager_that_stands_in_the_module(function: str, method: str) -> None:
    with mock.patch.object(base, "config_manager") as manager:
        assert getattr(base, function)() is getattr(manager, method).return_value


def test_functions_with_arguments_hand_them_on() -> None:
    with mock.patch.object(base, "config_manager") as manager:
        assert base.get_config_value("a", 1) is manager.get_config_value.return_value
        base.set_config_value("a", 2)
        assert base.validate_config_value("a") is manager.validate_config_value.return_value
        assert base.get("b") is manager.get.return_value
    manager.get_config_value.assert_called_once_with("a", 1)
    manager.set_config_value.assert_called_once_with("a", 2)
    manager.get.assert_called_once_with("b", None)
    with mock.patch.object(base, "get_unified_config", return_value="patched"):
        assert base.get_config() == "patched"


def test_a_stand_in_of_the_environment_is_read() -> None:
    with mock.patch.object(base, "IsolatedEnvironment") as environment:
        values = {"ENVIRONMENT": "staging", "FRONTEND_URL": "https://own"}
        environment.return_value.get.side_effect = lambda key, default=None: values.get(key, default)
        config = base.config_manager.reload_config(force=True)
    assert (config.environment, config.frontend_url) == ("staging", "https://own")


@pytest.mark.parametrize("key", [None, 7])
def test_a_key_that_is_no_text_has_the_default(key: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert base.get_config_value(key, "default") == "default"
    assert caplog.messages == [f"Configuration keys are texts, got {type(key).__name__}: {key}"]


def test_a_database_in_memory_is_no_connection() -> None:
    assert database.get_database_url() == "sqlite+aiosqlite:///:memory:"
    assert database.validate_database_connection() is False
    assert base.validate_config_integrity() == (True, [])


def test_names_of_environments_and_variables() -> None:
    constants = environment_constants
    assert constants.Environment.values() == ["development", "staging", "production", "testing"]
    assert constants.Environment.is_valid("Staging") and not constants.Environment.is_valid("moon")
    assert not constants.Environment.is_valid(None)
    names = {name: value for name, value in vars(constants.EnvironmentVariables).items() if name.isupper()}
    assert names and all(name == value for name, value in names.items())


def test_where_this_runs() -> None:
    constants = environment_constants
    with clean_env_context(clear_all=True) as env:
        env.enable_test_defaults_bypass()
        try:
            env.set("PYTEST_CURRENT_TEST", "test (call)")
            assert constants.get_current_environment() == "testing" and constants.is_testing()
            assert constants.EnvironmentDetector.is_testing_context() and not constants.EnvironmentDetector.is_cloud_run()
            assert constants.EnvironmentDetector.detect_cloud_environment() is None
            env.update({"K_SERVICE": "backend-prod", "GOOGLE_CLOUD_PROJECT": "netra"})
            assert constants.EnvironmentDetector.is_cloud_run()
            assert constants.EnvironmentDetector.detect_cloud_environment() == "production"
            assert constants.get_current_project_id() == "netra"
            env.set("ENVIRONMENT", "production")
            answers = (constants.is_production(), constants.is_staging(), constants.is_development(), constants.is_testing())
            assert answers == (True, False, False, False)
            assert constants.get_environment_config() == constants.EnvironmentConfig.get_environment_defaults("production")
        finally:
            env.disable_test_defaults_bypass()


@pytest.mark.parametrize(
    ("variables", "question", "answer"),
    [
        ({"GAE_APPLICATION": "a"}, "is_app_engine", True),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f"}, "is_aws", True),
        ({"KUBERNETES_SERVICE_HOST": "h"}, "is_kubernetes", True),
        ({}, "is_kubernetes", False),
        ({"K_SERVICE": "backend"}, "get_cloud_run_environment", "staging"),
        ({}, "get_app_engine_environment", "production"),
        ({"AWS_ENVIRONMENT": "Staging"}, "get_aws_environment", "staging"),
        ({"AWS_ENVIRONMENT": "moon"}, "get_aws_environment", "production"),
        ({"ENVIRONMENT": "staging"}, "get_environment_unified", "staging"),
    ],
)
def test_what_the_detector_is_asked(variables: dict[str, str], question: str, answer: Any) -> None:
    with clean_env_context(clear_all=True) as env:
        env.update(variables)
        assert getattr(environment_constants.EnvironmentDetector, question)() == answer


def test_names_of_projects_and_passwords() -> None:
    config = environment_constants.EnvironmentConfig
    with clean_env_context(clear_all=True) as env:
        assert config.get_project_id_for_environment("staging") == ""
        env.update({"GCP_PROJECT_ID": "netra", "GCP_PROJECT_ID_NUMERICAL_STAGING": "17"})
        assert [config.get_project_id_for_environment(name) for name in ("staging", "production")] == ["17", "netra"]
    assert environment_constants.get_clickhouse_password_var_name() == "CLICKHOUSE_PASSWORD"


def test_a_configuration_is_read_as_a_model() -> None:
    config = NetraTestingConfig.model_validate({"app_name": "mine", "moon": 1})
    assert config.model_dump(include={"app_name", "clickhouse_url"}, exclude_none=True) == {"app_name": "mine"}
    assert json.loads(config.model_dump_json(include={"app_name"})) == config.dict(include={"app_name"}, mode="json")
    assert json.loads(config.model_dump_json())["langfuse"]["public_key"] == ""


def test_what_environments_are_like() -> None:
    defaults = environment_constants.EnvironmentConfig.get_environment_defaults
    assert sorted(defaults("staging")) == ["cache_enabled", "debug", "hot_reload", "log_level", "secure_cookies", "ssl_required"]
    assert (defaults("development")["debug"], defaults("production")["debug"]) == (True, False)
    assert defaults(environment_constants.Environment.PRODUCTION)["ssl_required"] is True


def test_older_paths_are_served() -> None:
    with compat.install(LEDGER), pytest.warns(LegacyUseWarning):
        from netra_backend.app.config import Config, get_config, settings, validate_configuration
        from netra_backend.app.core.environment_constants import Environment
        from netra_backend.app.schemas.config import NetraTestingConfig as Old
    assert Config is AppConfig and Old is NetraTestingConfig and isinstance(settings, AppConfig)
    assert isinstance(get_config(), NetraTestingConfig) and validate_configuration() == (True, [])
    assert Environment is environment_constants.Environment
