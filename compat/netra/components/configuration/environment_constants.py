"""The names of environments and of their variables, and what each environment is like by default."""

from __future__ import annotations

from typing import Any, Optional

from ..environment import get_env
from ..environment.reading import Answers
from .environment_detector import Environment, detect_cloud, name_without_cloud, runs_tests, stated_name

__all__ = [
    "Environment",
    "EnvironmentConfig",
    "EnvironmentDetector",
    "EnvironmentVariables",
    "get_clickhouse_password_var_name",
    "get_current_environment",
    "get_current_project_id",
    "get_environment_config",
    "is_development",
    "is_production",
    "is_staging",
    "is_testing",
]

UNIFIED_CONFIG_AVAILABLE = True


class EnvironmentVariables:
    """The names of variables; each is its own value."""

    ENVIRONMENT = "ENVIRONMENT"
    TESTING = "TESTING"
    PYTEST_CURRENT_TEST = "PYTEST_CURRENT_TEST"
    REDIS_MODE = "REDIS_MODE"
    CLICKHOUSE_MODE = "CLICKHOUSE_MODE"
    LLM_MODE = "LLM_MODE"
    AUTH_MODE = "AUTH_MODE"
    K_SERVICE = "K_SERVICE"
    K_REVISION = "K_REVISION"
    PR_NUMBER = "PR_NUMBER"
    GAE_ENV = "GAE_ENV"
    GAE_APPLICATION = "GAE_APPLICATION"
    GAE_VERSION = "GAE_VERSION"
    GOOGLE_CLOUD_PROJECT = "GOOGLE_CLOUD_PROJECT"
    GCP_PROJECT_ID = "GCP_PROJECT_ID"
    GCP_PROJECT_ID_NUMERICAL_STAGING = "GCP_PROJECT_ID_NUMERICAL_STAGING"
    SECRET_MANAGER_PROJECT_ID = "SECRET_MANAGER_PROJECT_ID"
    AWS_EXECUTION_ENV = "AWS_EXECUTION_ENV"
    AWS_LAMBDA_FUNCTION_NAME = "AWS_LAMBDA_FUNCTION_NAME"
    AWS_ENVIRONMENT = "AWS_ENVIRONMENT"
    KUBERNETES_SERVICE_HOST = "KUBERNETES_SERVICE_HOST"
    DATABASE_URL = "DATABASE_URL"
    REDIS_URL = "REDIS_URL"
    REDIS_HOST = "REDIS_HOST"
    REDIS_PORT = "REDIS_PORT"
    REDIS_PASSWORD = "REDIS_PASSWORD"
    CLICKHOUSE_URL = "CLICKHOUSE_URL"
    CLICKHOUSE_HOST = "CLICKHOUSE_HOST"
    CLICKHOUSE_PORT = "CLICKHOUSE_PORT"
    CLICKHOUSE_USER = "CLICKHOUSE_USER"
    CLICKHOUSE_PASSWORD = "CLICKHOUSE_PASSWORD"
    CLICKHOUSE_DB = "CLICKHOUSE_DB"
    CLICKHOUSE_HTTP_PORT = "CLICKHOUSE_HTTP_PORT"
    CLICKHOUSE_NATIVE_PORT = "CLICKHOUSE_NATIVE_PORT"
    SECRET_KEY = "SECRET_KEY"
    JWT_SECRET_KEY = "JWT_SECRET_KEY"
    FERNET_KEY = "FERNET_KEY"
    SERVICE_SECRET = "SERVICE_SECRET"
    SERVICE_ID = "SERVICE_ID"
    FRONTEND_URL = "FRONTEND_URL"
    API_BASE_URL = "API_BASE_URL"
    AUTH_SERVICE_URL = "AUTH_SERVICE_URL"
    LOG_LEVEL = "LOG_LEVEL"
    DEBUG = "DEBUG"


def _said(*names: str) -> bool:
    env = get_env()
    return any(env.get(name) for name in names)


class EnvironmentDetector:
    """Where this process runs, asked at each call."""

    @staticmethod
    def get_environment() -> str:
        """development, testing, staging or production."""
        variables = Answers(get_env())
        # Through the class: callers replace its methods.
        named = stated_name(variables) or ("testing" if EnvironmentDetector.is_testing_context() else None)
        return named or EnvironmentDetector.detect_cloud_environment() or name_without_cloud(variables)

    @staticmethod
    def get_environment_unified() -> str:
        """:meth:`get_environment`."""
        return EnvironmentDetector.get_environment()

    @staticmethod
    def is_testing_context() -> bool:
        """Whether the variables say that tests run."""
        return runs_tests(Answers(get_env()))

    is_testing_context_unified = is_testing_context

    @staticmethod
    def is_cloud_run() -> bool:
        """Whether this is a service on Cloud Run."""
        return _said("K_SERVICE")

    is_cloud_run_unified = is_cloud_run

    @staticmethod
    def is_app_engine() -> bool:
        """Whether this runs on App Engine."""
        return _said("GAE_APPLICATION", "GAE_ENV")

    @staticmethod
    def is_aws() -> bool:
        """Whether this runs on AWS."""
        return _said("AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME")

    @staticmethod
    def is_kubernetes() -> bool:
        """Whether this runs in a Kubernetes cluster."""
        return _said("KUBERNETES_SERVICE_HOST")

    @staticmethod
    def detect_cloud_environment() -> Optional[str]:
        """The environment of the cloud in which this runs; None outside of clouds."""
        return detect_cloud(Answers(get_env()))

    @staticmethod
    def get_cloud_run_environment() -> str:
        """The environment of a service on Cloud Run; staging where its name does not say."""
        return detect_cloud(Answers(get_env())) or Environment.STAGING.value

    @staticmethod
    def get_app_engine_environment() -> str:
        """What runs on App Engine is production."""
        return Environment.PRODUCTION.value

    @staticmethod
    def get_aws_environment() -> str:
        """What ``AWS_ENVIRONMENT`` names, else production."""
        named = (get_env().get("AWS_ENVIRONMENT") or "").strip().lower()
        return named if Environment.is_valid(named) else Environment.PRODUCTION.value


_DEVELOPMENT = (True, "DEBUG", False, True, False, False)
_DEFAULTS: dict[str, tuple[Any, ...]] = {
    "development": _DEVELOPMENT,
    "testing": (True, "DEBUG", False, False, False, False),
    "staging": (False, "INFO", True, False, True, True),
    "production": (False, "WARNING", True, False, True, True),
}
_KEYS = ("debug", "log_level", "cache_enabled", "hot_reload", "ssl_required", "secure_cookies")


class EnvironmentConfig:
    """What each environment is like by default."""

    @staticmethod
    def get_environment_defaults(environment: str) -> dict[str, Any]:
        """What an environment is like by default; an unknown one is like development."""
        return dict(zip(_KEYS, _DEFAULTS.get(str(getattr(environment, "value", environment)).lower(), _DEVELOPMENT)))

    @staticmethod
    def get_project_id_for_environment(environment: str) -> str:
        """The project that ``GCP_PROJECT_ID_NUMERICAL_<environment>`` names, else the present one; ``""`` where none is."""
        return get_env().get(f"GCP_PROJECT_ID_NUMERICAL_{environment.upper()}") or get_current_project_id() or ""

    @staticmethod
    def get_clickhouse_password_var(environment: str) -> str:
        """The variable that holds the password of ClickHouse, one name in every environment."""
        return EnvironmentVariables.CLICKHOUSE_PASSWORD


def get_current_environment() -> str:
    """development, testing, staging or production."""
    return EnvironmentDetector.get_environment()


def is_production() -> bool:
    """Whether this is production."""
    return get_current_environment() == Environment.PRODUCTION.value


def is_staging() -> bool:
    """Whether this is staging."""
    return get_current_environment() == Environment.STAGING.value


def is_development() -> bool:
    """Whether this is a developer's machine."""
    return get_current_environment() == Environment.DEVELOPMENT.value


def is_testing() -> bool:
    """Whether this is a test run."""
    return get_current_environment() == Environment.TESTING.value


def get_environment_config() -> dict[str, Any]:
    """What the present environment is like by default."""
    return EnvironmentConfig.get_environment_defaults(get_current_environment())


def get_current_project_id() -> Optional[str]:
    """The id of the Google Cloud project; None where none is named."""
    env = get_env()
    found: Optional[str] = env.get("GCP_PROJECT_ID") or env.get("GOOGLE_CLOUD_PROJECT")
    return found


def get_clickhouse_password_var_name() -> str:
    """The variable that holds the password of ClickHouse."""
    return EnvironmentConfig.get_clickhouse_password_var(get_current_environment())
