"""The names of environments and of their variables, and what each environment is like by default."""

from __future__ import annotations

from typing import Any, Optional

from ..environment import get_env
from .environment_detector import Environment, current_environment_name, detect_cloud

__all__ = [
    "Environment",
    "EnvironmentConfig",
    "EnvironmentDetector",
    "EnvironmentVariables",
    "get_current_environment",
    "get_current_project_id",
    "get_environment_config",
    "is_development",
    "is_production",
    "is_staging",
    "is_testing",
]


class EnvironmentVariables:
    """The names of variables; each is its own value."""

    ENVIRONMENT = "ENVIRONMENT"
    TESTING = "TESTING"
    PYTEST_CURRENT_TEST = "PYTEST_CURRENT_TEST"
    K_SERVICE = "K_SERVICE"
    K_REVISION = "K_REVISION"
    PR_NUMBER = "PR_NUMBER"
    GAE_APPLICATION = "GAE_APPLICATION"
    GOOGLE_CLOUD_PROJECT = "GOOGLE_CLOUD_PROJECT"
    GCP_PROJECT_ID = "GCP_PROJECT_ID"
    AWS_EXECUTION_ENV = "AWS_EXECUTION_ENV"
    KUBERNETES_SERVICE_HOST = "KUBERNETES_SERVICE_HOST"
    DATABASE_URL = "DATABASE_URL"
    REDIS_URL = "REDIS_URL"
    CLICKHOUSE_URL = "CLICKHOUSE_URL"
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


class EnvironmentDetector:
    """Where this process runs, asked at each call."""

    @staticmethod
    def get_environment() -> str:
        """development, testing, staging or production."""
        return current_environment_name()

    @staticmethod
    def is_testing_context() -> bool:
        """Whether the variables say that tests run."""
        env = get_env()
        return bool(env.get("TESTING") or env.get("PYTEST_CURRENT_TEST"))

    @staticmethod
    def is_cloud_run() -> bool:
        """Whether this is a service on Cloud Run."""
        return bool(get_env().get("K_SERVICE"))

    @staticmethod
    def detect_cloud_environment() -> Optional[str]:
        """The environment of the cloud in which this runs; None outside of clouds."""
        return detect_cloud(get_env().get_all())


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
