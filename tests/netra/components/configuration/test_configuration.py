"""The configuration is read from the variables once, and what an environment requires is named when it is missing."""

from __future__ import annotations

from typing import Any

import pytest

from compat.netra.components import configuration
from compat.netra.components.configuration import (
    base,
    config_validation,
    database,
    demo,
    loader,
    scopes,
    secrets,
)
from compat.netra.components.configuration.app_config import AppConfig
from compat.netra.components.configuration.environment_detector import (
    Environment,
    EnvironmentConfig,
    EnvironmentDetector,
    name_environment,
)
from compat.netra.testing.environment_fixtures import temporary_env_vars

LONG = "x" * 40
STAGING = {
    "ENVIRONMENT": "staging",
    "DATABASE_URL": "postgresql://u:p@db.internal/netra",
    "REDIS_URL": "redis://redis.internal/0",
    "JWT_SECRET_KEY": LONG,
    "SERVICE_SECRET": LONG,
    "FRONTEND_URL": "https://app.internal",
    "AUTH_SERVICE_URL": "https://auth.internal",
    "GEMINI_API_KEY": "key",
}


@pytest.fixture
def manager() -> base.UnifiedConfigManager:
    return base.UnifiedConfigManager()


@pytest.fixture
def staging():
    with temporary_env_vars({**STAGING, "TESTING": ""}) as env:
        env.enable_test_defaults_bypass()
        base.config_manager.reload_config(force=True)
        yield env
        env.disable_test_defaults_bypass()


def test_values_have_the_types_of_their_defaults() -> None:
    told = {"DEBUG": "yes", "REDIS_PORT": "7000", "JWT_SECRET": "s", "POSTGRES_HOST": "db", "POSTGRES_PASSWORD": "p@/"}
    config = AppConfig.from_variables(told, "testing")
    assert (config.debug, config.redis_port, config.jwt_secret_key, config.is_testing) == (True, 7000, "s", True)
    assert config.database_url == "postgresql+asyncpg://postgres:p%40%2F@db:5432/netra"
    assert config.model_dump()["environment"] == "testing" and config.get("missing", 1) == 1
    assert repr(config) == "NetraTestingConfig(environment='testing', ...)"
    with pytest.raises(ValueError, match=r"^REDIS_PORT must be a whole number, not 'many'$"):
        AppConfig.from_variables({"REDIS_PORT": "many"}, "testing")


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"ENVIRONMENT": "Prod"}, "production"),
        ({"ENVIRONMENT": "test"}, "testing"),
        ({"TESTING": "1"}, "testing"),
        ({"K_SERVICE": "backend-staging"}, "staging"),
        ({"K_SERVICE": "backend"}, "staging"),
        ({"K_SERVICE": "backend-prod"}, "production"),
        ({"K_SERVICE": "backend", "PR_NUMBER": "17"}, "staging"),
        ({"GAE_APPLICATION": "app"}, "production"),
        ({"AWS_EXECUTION_ENV": "AWS_ECS_FARGATE"}, "production"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "production"),
        ({"PYTEST_CURRENT_TEST": "test (call)"}, "testing"),
        ({"TESTING": "please"}, "testing"),
        ({"PYTEST_CURRENT_TEST": "test (call)", "K_SERVICE": "prod"}, "testing"),
        ({"PYTEST_VERSION": "9", "K_SERVICE": "prod"}, "production"),
        ({"PYTEST_VERSION": "9"}, "testing"),
        ({"TESTING": "false"}, "development"),
        ({"ENVIRONMENT": " Production "}, "production"),
        ({"ENVIRONMENT": "qa"}, "development"),
        ({"ENVIRONMENT": "nonsense"}, "development"),
        ({}, "development"),
    ],
)
def test_the_name_of_the_environment(variables: dict[str, str], name: str) -> None:
    assert name_environment(variables) == name


def test_the_manager_reads_once_outside_of_tests(manager: base.UnifiedConfigManager, staging: Any) -> None:
    config = manager.get_config()
    assert manager.get_config() is config and config.environment == "staging"
    staging.update({"APP_NAME": "mine", "LOG_LEVEL": "ERROR"})
    assert manager.get_config().app_name == "netra"
    assert (manager.reload_config().app_name, manager.get_config().log_level) == ("mine", "DEBUG")
    assert (manager.is_production(), manager.is_development(), manager.is_testing()) == (False, False, False)
    assert manager.validate_config_integrity() and manager.validate_config_value("database_url")
    assert manager.get_redis_config() == {"redis_url": "redis://redis.internal/0", "cache_ttl": 3600}
    assert manager.get_database_config() == {
        "database_url": STAGING["DATABASE_URL"],
        "postgres_url": STAGING["DATABASE_URL"],
        "clickhouse_url": None,
        "redis_url": "redis://redis.internal/0",
    }
    assert manager.get_auth_config() == {
        "jwt_secret_key": LONG,
        "auth_service_url": "https://auth.internal",
        "service_secret": LONG,
    }
    assert repr(manager.get_auth_config()) == "ConfigPart(jwt_secret_key, auth_service_url, service_secret)"


def test_values_set_here_win(manager: base.UnifiedConfigManager) -> None:
    manager.set_config_value("log_level", "ERROR")
    manager.set_config_value("own", 1)
    assert (manager.get("log_level"), manager.get_config().log_level, manager.get_config("own")) == ("ERROR", "ERROR", 1)
    manager.set_config_value("own", None)
    assert manager.get("own", "default") == "default"
    with temporary_env_vars({"SOME_FEATURE": "on"}):
        assert manager.get("some.feature") == "on"
    manager.reload_config(force=True)
    assert manager.get("log_level") == manager.get_config().log_level == "DEBUG"


def test_what_is_missing_is_named(staging: Any, caplog) -> None:
    staging.delete("SERVICE_SECRET")
    base.config_manager.reload_config()
    assert base.validate_config_integrity() == (False, [])
    assert not base.validate_unified_config()
    assert "Configuration of staging misses: service_secret" in caplog.messages
    assert configuration.get_unified_config() is loader.get_configuration()
    assert loader.ConfigurationLoader().get_service_config("auth")["jwt_secret_key"] == LONG
    with pytest.raises(ValueError, match=r"^Unknown service 'mail'. There are: database, redis, auth$"):
        loader.ConfigurationLoader().get_service_config("mail")


@pytest.fixture(autouse=True)
def forget():
    yield
    base.config_manager.reload_config(force=True)
    scopes.ConfigurationManagerFactory.clear_all_caches()
    secrets.get_secrets_manager().clear_cache()


def test_secrets(staging: Any) -> None:
    assert secrets.get_jwt_secret() == LONG
    staging.set("JWT_SECRET_STAGING", "y" * 40)
    assert secrets.get_secrets_manager().get_jwt_secret() == "y" * 40
    staging.set("JWT_SECRET_STAGING", "short")
    with pytest.raises(ValueError, match=r"^JWT secret for staging must have at least 32 characters, not 5$"):
        secrets.get_jwt_secret()
    with pytest.raises(ValueError, match=r"set JWT_SECRET_PRODUCTION or JWT_SECRET_KEY or JWT_SECRET$"):
        secrets.get_jwt_secret({"ENVIRONMENT": "production"})
    secrets.set_secret("OWN", "value")
    assert secrets.get_secret("OWN") == "value" and secrets.get_secret("NONE", "d") == "d"
    assert repr(secrets.get_secrets_manager()) == "UnifiedSecretsManager(1 set)"
    assert secrets.get_secrets_manager().validate_required_secrets() == (True, [])


@pytest.mark.parametrize(
    ("url", "problems"),
    [
        ("postgresql://u:p@db/netra", []),
        ("sqlite:///:memory:", []),
        ("postgresql:///netra?host=/cloudsql/x", []),
        ("postgresql://u:p@/netra", ["database URL has no host"]),
        ("postgresql://u:p@db", ["database URL names no database"]),
    ],
)
def test_database_urls(url: str, problems: list[str]) -> None:
    assert database.check_database_url(url) == problems


def test_the_database_of_staging_is_elsewhere(staging: Any) -> None:
    assert database.validate_database_connection()
    staging.set("DATABASE_URL", "postgresql://u:secret@localhost/netra")
    base.config_manager.reload_config()
    valid, problems = database.get_database_config_manager().validate_database_config()
    assert (valid, problems) == (False, ["database is on this machine in staging"])
    assert database.populate_database_config(AppConfig()).database_url == database.get_database_url()
    assert "mysql" in database.check_database_url("mysql://secret@db/x")[0]
    assert "secret" not in database.check_database_url("mysql://secret@db/x")[0]


def test_a_configuration_is_judged_by_its_environment() -> None:
    weak = AppConfig(environment="production", jwt_secret_key="changeme", database_url=None, debug=True)
    result = config_validation.ConfigurationValidator(config_validation.ValidationMode.ENFORCE_CRITICAL).validate(weak)
    assert not result.is_valid
    assert "jwt_secret_key is weak: use at least 32 random characters" in result.errors
    assert "service_secret is not set" in result.errors and "debug is on in production" in result.warnings
    assert 0 <= result.score < 100
    assert config_validation.ConfigurationValidator(config_validation.ValidationMode.WARN).validate(weak).is_valid
    assert config_validation.AuthValidator().is_valid(AppConfig(environment="testing"))


def test_staging_before_it_is_deployed(staging: Any) -> None:
    validator = config_validation.StagingConfigurationValidator
    whole = dict.fromkeys((*validator.CRITICAL_VARIABLES, *validator.IMPORTANT_VARIABLES, "POSTGRES_DB"), LONG)
    staging.update(whole)
    valid, result = config_validation.validate_staging_config()
    assert valid and (result.errors, result.warnings, result.missing_critical, result.placeholders_found) == ([], [], [], {})
    staging.set("REDIS_URL", "redis://localhost/0")
    staging.set("SERVICE_SECRET", "short")
    for name in ("GCP_PROJECT_ID", "CLICKHOUSE_URL", "FRONTEND_URL", "POSTGRES_DB"):
        staging.delete(name)
    result = validator().validate()
    assert not result.is_valid
    assert result.errors == [
        "Critical variable GCP_PROJECT_ID is missing",
        "Critical variable CLICKHOUSE_URL is missing",
        "REDIS_URL contains placeholder value: localhost",
        "GCP_PROJECT_ID is required for staging deployment",
        "SERVICE_SECRET has fewer than 32 characters",
    ]
    assert result.warnings == [
        "Important variable FRONTEND_URL is missing",
        "POSTGRES_DB not specified, will use default database name",
    ]
    assert result.missing_critical == ["GCP_PROJECT_ID", "CLICKHOUSE_URL"]
    assert result.placeholders_found == {"REDIS_URL": "localhost"}
    wanted = {"POSTGRES_HOST", "POSTGRES_USER", "POSTGRES_PASSWORD", "FERNET_KEY", "GCP_PROJECT_ID", "CLICKHOUSE_URL"}
    assert wanted < set(validator.CRITICAL_VARIABLES)


def test_the_application_does_not_start_with_faults(staging: Any) -> None:
    config_validation.ConfigurationStartupValidator().require_valid()
    assert config_validation.get_critical_config_status()["all_critical_set"]
    staging.set("JWT_SECRET_KEY", "changeme")
    base.config_manager.reload_config()
    with pytest.raises(RuntimeError, match=r"^The application cannot start: jwt_secret_key is weak"):
        config_validation.ConfigurationStartupValidator().require_valid()
    assert config_validation.ConfigurationStartupValidator(
        config_validation.StartupValidationMode.PERMISSIVE
    ).validate_startup_configuration()[0]


def test_rules() -> None:
    rules = [
        config_validation.ValidationRule("port", config_validation.ConfigType.INTEGER, True, check=lambda port: port > 0),
        config_validation.ValidationRule("name", severity=config_validation.ValidationSeverity.WARNING, required=True),
    ]
    validator = config_validation.RuleValidator(rules)
    assert validator.validate({"port": 1, "name": "n"}).is_valid
    result = validator.validate({"port": True})
    assert (result.errors, result.warnings) == (["port must be of type integer, not bool"], ["name is missing"])
    assert validator.validate({"port": -1, "name": "n"}).errors == ["port is not valid"]


def test_the_environment_and_what_it_asks_for(staging: Any) -> None:
    detector = EnvironmentDetector()
    assert detector.detect_environment() is Environment.STAGING
    assert detector.get_environment_config() == EnvironmentConfig.create_for_environment(Environment.STAGING)
    assert detector.validate_environment_consistency() == (True, [])
    staging.set("REDIS_URL", "redis://127.0.0.1/0")
    summary = detector.get_environment_summary()
    assert (summary["is_consistent"], summary["issues"]) == (False, ["REDIS_URL points to this machine in staging"])
    assert detector.should_require_service("postgres") and not detector.should_require_service("clickhouse")


@pytest.mark.parametrize("mode", ["1", "true", "yes", "on"])
@pytest.mark.parametrize("environment", ["development", "testing", "staging"])
def test_demonstration_mode_opens_no_access_by_itself(mode: str, environment: str) -> None:
    closed = {"require_authentication": True, "allow_demo_users": False}
    with temporary_env_vars({"DEMO_MODE": mode, "ENVIRONMENT": environment}) as env:
        shown = demo.get_backend_demo_config()
        assert (shown["enabled"], shown["permissive_auth"], shown["auto_create_users"]) == (True, False, False)
        assert demo.get_demo_config()["permissive_auth"] is False and demo.get_auth_config() == closed
        env.set("DEMO_PERMISSIVE_AUTH", "0")
        env.set("DEMO_AUTO_CREATE_USERS", "1")
        shown = demo.get_backend_demo_config()
        assert (shown["permissive_auth"], shown["auto_create_users"]) == (False, True)
        env.set("DEMO_PERMISSIVE_AUTH", "true")
        assert demo.get_backend_demo_config()["permissive_auth"] is True
        assert demo.get_auth_config() == {"require_authentication": False, "allow_demo_users": True}
        env.set("ENVIRONMENT", "production")
        shown = demo.get_backend_demo_config()
        assert (shown["enabled"], shown["permissive_auth"], shown["auto_create_users"]) == (False, False, False)
        assert demo.get_auth_config() == closed
        env.set("ENVIRONMENT", environment)
        env.set("DEMO_MODE", "0")
        assert demo.get_backend_demo_config()["permissive_auth"] is False and demo.get_auth_config() == closed


def test_demonstrations_never_in_production() -> None:
    with temporary_env_vars({"DEMO_MODE": "true", "ENVIRONMENT": "staging"}) as env:
        assert demo.is_demo_mode()
        env.set("ENVIRONMENT", "production")
        assert not demo.is_demo_mode() and not any(demo.get_demo_feature_flags().values())
        assert demo.validate_demo_mode() == (False, ["DEMO_MODE is set in production, where it has no effect"])


def test_values_of_one_user_are_nobody_elses() -> None:
    first = scopes.get_configuration_manager(user_id="user_1")
    assert scopes.ConfigurationManagerFactory.get_user_manager("user_1") is first
    first.set("log_level", "DEBUG")
    assert first.get("log_level") == "DEBUG" and first.delete("log_level")
    first.set("theme", "dark")
    other = scopes.get_configuration_manager(user_id="user_2")
    assert (first.get("theme"), other.get("theme", "light"), first.keys()) == ("dark", "light", ["theme"])
    assert scopes.get_configuration_manager() is base.config_manager
    assert first.get_status()["scope"] == "user" and first.get_redis_config() == base.config_manager.get_redis_config()
    assert scopes.get_llm_config_manager().service_name == "llm"
    entry = scopes.ConfigurationEntry("key", "value", sensitive=True)
    assert entry.get_display_value() == "***" and entry.validate()
    assert scopes.PartValidator.validate_redis_config(scopes.EnvironmentConfigLoader().get_redis_config())
