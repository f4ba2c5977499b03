"""Which environment the configuration is for, and what that environment asks for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Optional

from compat.canonical.deployment import cloud_environment
from compat.netra.components.process_wide import only

from ..environment import get_env
from ..environment.reading import Answers
from .app_config import is_true

logger = logging.getLogger(__name__)

_SAME = {"dev": "development", "local": "development", "test": "testing", "stage": "staging", "prod": "production"}
_APPLICATION_HOSTS = ("GAE_APPLICATION", "AWS_EXECUTION_ENV", "KUBERNETES_SERVICE_HOST")
_NO = ("0", "false", "no", "off")
_NAMES = ("development", "testing", "staging", "production")


def name_environment(variables: Mapping[str, str]) -> str:
    """development, testing, staging or production: what ENVIRONMENT says, else a test run, the cloud, or development.

    A cloud service that does not say more is staging, the stricter of what it may be; an application host is production.
    """
    named = stated_name(variables) or ("testing" if runs_tests(variables) else None)
    return named or detect_cloud(variables) or name_without_cloud(variables)


def stated_name(variables: Mapping[str, str]) -> Optional[str]:
    """The environment that ENVIRONMENT names; None for no word or an unknown one."""
    said = (variables.get("ENVIRONMENT") or "").strip().lower()
    said = _SAME.get(said, said)
    return said if said in _NAMES else None


def runs_tests(variables: Mapping[str, str]) -> bool:
    """Whether TESTING or the name of the present test is set."""
    return (variables.get("TESTING") or "no").lower() not in _NO or bool(variables.get("PYTEST_CURRENT_TEST"))


def name_without_cloud(variables: Mapping[str, str]) -> str:
    """Development, and testing while pytest runs."""
    # Between tests pytest has only its version to show, and tests that play a cloud remove the name of the test alone.
    return "testing" if variables.get("PYTEST_VERSION") else "development"


def detect_cloud(variables: Mapping[str, str]) -> Optional[str]:
    """The environment of the cloud in which the variables say that this runs; None outside of clouds."""
    if variables.get("K_SERVICE") and variables.get("PR_NUMBER"):
        return "staging"
    found = cloud_environment(variables) or ("staging" if variables.get("K_SERVICE") else None)
    return found or ("production" if any(variables.get(name) for name in _APPLICATION_HOSTS) else None)


class Environment(Enum):
    """The environments."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"
    TESTING = "testing"

    @classmethod
    def values(cls) -> list[str]:
        """Their names."""
        return [one.value for one in cls]

    @classmethod
    def is_valid(cls, env: object) -> bool:
        """Whether there is one of that name."""
        return isinstance(env, str) and env.lower() in cls.values()


ConfigEnvironment = Environment


@dataclass
class EnvironmentConfig:
    """What an environment asks for; times in seconds."""

    environment: Environment
    debug_mode: bool
    log_level: str
    health_check_timeout: float
    circuit_breaker_aggressive: bool
    external_service_timeout: float
    database_pool_size: int
    redis_enabled: bool
    clickhouse_required: bool
    ssl_required: bool

    @classmethod
    def create_for_environment(cls, env: Environment) -> EnvironmentConfig:
        """The settings of an environment."""
        table: dict[Environment, tuple[Any, ...]] = {
            Environment.DEVELOPMENT: (True, "DEBUG", 10.0, False, 30.0, 5, True, False, False),
            Environment.TESTING: (True, "DEBUG", 5.0, False, 10.0, 2, False, False, False),
            Environment.STAGING: (False, "INFO", 5.0, True, 15.0, 10, True, False, True),
            Environment.PRODUCTION: (False, "WARNING", 3.0, True, 10.0, 20, True, True, True),
        }
        return cls(env, *table[env])


class EnvironmentDetector:
    """Detects the environment and says what it asks for."""

    def __init__(self) -> None:
        self._environment: Optional[Environment] = None

    def detect_environment(self) -> Environment:
        """The environment; what was found first is kept."""
        if self._environment is None:
            self._environment = Environment(current_environment_name())
        return self._environment

    def get_environment_config(self) -> EnvironmentConfig:
        """What the environment asks for."""
        return EnvironmentConfig.create_for_environment(self.detect_environment())

    def validate_environment_consistency(self) -> tuple[bool, list[str]]:
        """Whether the variables fit the environment, and which do not."""
        env, problems = get_env(), []
        environment = self.detect_environment()
        if environment in (Environment.STAGING, Environment.PRODUCTION):
            for name in ("DATABASE_URL", "REDIS_URL", "FRONTEND_URL", "AUTH_SERVICE_URL"):
                value = env.get(name) or ""
                if "localhost" in value or "127.0.0.1" in value:
                    problems.append(f"{name} points to this machine in {environment.value}")
            if is_true(env.get("TESTING")):
                problems.append(f"TESTING is set in {environment.value}")
        if environment is Environment.PRODUCTION and is_true(env.get("DEBUG")):
            problems.append("DEBUG is set in production")
        return not problems, problems

    def get_environment_summary(self) -> dict[str, Any]:
        """Environment, settings and faults, as plain data."""
        consistent, problems = self.validate_environment_consistency()
        settings = {**vars(self.get_environment_config())}
        settings["environment"] = self.detect_environment().value
        return {
            "environment": self.detect_environment().value,
            "config": settings,
            "is_consistent": consistent,
            "issues": problems,
        }

    def should_require_service(self, service_name: str) -> bool:
        """Whether the application must not start without a service."""
        config = self.get_environment_config()
        wanted = {
            "postgres": True,
            "database": True,
            "redis": config.redis_enabled and config.environment is Environment.PRODUCTION,
            "clickhouse": config.clickhouse_required,
        }
        return wanted.get(service_name.lower(), config.environment is Environment.PRODUCTION)

    def get_health_check_timeout(self) -> float:
        """Seconds that a health check may take."""
        return self.get_environment_config().health_check_timeout


_environment_detector: Optional[EnvironmentDetector] = None


def get_environment_detector() -> EnvironmentDetector:
    """The process's detector, made at first use."""
    return only(globals(), "_environment_detector", EnvironmentDetector)


def get_current_environment() -> Environment:
    """The process's environment."""
    return get_environment_detector().detect_environment()


def get_environment_config() -> EnvironmentConfig:
    """What the process's environment asks for."""
    return get_environment_detector().get_environment_config()


def validate_environment() -> tuple[bool, list[str]]:
    """Whether the variables fit the process's environment, and which do not."""
    return get_environment_detector().validate_environment_consistency()


def current_environment_name() -> str:
    """The name of the environment that the variables speak of now."""
    return name_environment(Answers(get_env()))
