"""The one configuration manager and its functions.

PYTEST_DONT_REWRITE: what an assertion here says is part of its behaviour.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any, Optional

from ..environment import IsolatedEnvironment, get_env
from ..environment import get_env as _get_env
from ..environment.reading import Answers
from . import environment_constants
from .app_config import REQUIRED, AppConfig
from .environment_detector import name_environment

__all__ = [
    "AppConfig",
    "ConfigurationManager",
    "IsolatedEnvironment",
    "UnifiedConfigManager",
    "UnifiedConfigurationManager",
    "config_manager",
    "get",
    "get_auth_config",
    "get_config",
    "get_config_value",
    "get_database_config",
    "get_env",
    "get_environment",
    "get_redis_config",
    "get_unified_config",
    "is_development",
    "is_production",
    "is_testing",
    "reload_unified_config",
    "set_config_value",
    "validate_config_integrity",
    "validate_config_value",
    "validate_unified_config",
]

logger = logging.getLogger(__name__)

_ABSENT = object()

_CACHE_TTL_SECONDS = 3600


class ConfigPart(dict[str, Any]):
    """A part of the configuration, whose secrets stay out of logs."""

    def __repr__(self) -> str:
        return f"ConfigPart({', '.join(self)})"


class UnifiedConfigManager:
    """Reads the configuration once and keeps it; in a test run it is read anew each time. Thread-safe.

    Values set here (:meth:`set_config_value`) win over the variables, until they are set to None.
    """

    def __init__(self) -> None:
        self._config_cache: Optional[AppConfig] = None
        self._environment: Optional[str] = None
        self._overrides: dict[str, Any] = {}
        self._lock = threading.RLock()

    def get_config(self, key: Optional[str] = None, default: Any = None) -> Any:
        """The whole :class:`AppConfig`, or one value of it."""
        if key is not None:
            return self.get_config_value(key, default)
        with self._lock:
            # What stands here in a test run was put here by the test.
            if self._config_cache is not None:
                return self._config_cache
            environment = self.get_environment_name()
            config = AppConfig.from_variables(_variables(), environment)
            for name, value in self._overrides.items():
                _assign(config, name, value)
            if environment != "testing":
                self._config_cache = config
            return config

    def reload_config(self, force: bool = False) -> AppConfig:
        """Read the configuration again; ``force`` forgets the values set here and the environment, too."""
        with self._lock:
            self._config_cache = None
            if force:
                self._overrides.clear()
                self._environment = None
            config: AppConfig = self.get_config()
            return config

    def validate_config_integrity(self) -> bool:
        """Whether everything that the environment requires is set; what is missing is logged."""
        config = self.get_config()
        missing = [name for name in REQUIRED.get(config.environment, ()) if not getattr(config, name)]
        if missing:
            logger.error(f"Configuration of {config.environment} misses: {', '.join(missing)}")
        return not missing

    def get_environment_name(self) -> str:
        """development, testing, staging or production; found once, until :meth:`reload_config` with ``force``."""
        with self._lock:
            if self._environment is None:
                self._environment = _environment_name()
            return self._environment

    def get_environment(self) -> str:
        """development, testing, staging or production."""
        return self.get_environment_name()

    def is_production(self) -> bool:
        """Whether this is production."""
        return self.get_environment_name() == "production"

    def is_development(self) -> bool:
        """Whether this is a developer's machine."""
        return self.get_environment_name() == "development"

    def is_testing(self) -> bool:
        """Whether this is a test run."""
        return self.get_environment_name() == "testing"

    def get_config_value(self, key: str, default: Any = None) -> Any:
        """One value: set here, a field (``a.b`` goes inward), or the variable of that name; else the default."""
        if not isinstance(key, str):
            logger.error(f"Configuration keys are texts, got {type(key).__name__}: {key}")
            return default
        if key in self._overrides:
            return self._overrides[key]
        found: Any = self.get_config()
        for part in key.split("."):
            found = found.get(part, _ABSENT) if isinstance(found, dict) else getattr(found, part, _ABSENT)
            if found is _ABSENT:
                return _environment().get(key.upper().replace(".", "_"), default)
        return default if found is None else found

    def set_config_value(self, key: str, value: Any) -> None:
        """Set one value for this process; None takes it back."""
        with self._lock:
            if value is None:
                self._overrides.pop(key, None)
                self._config_cache = None
                return
            self._overrides[key] = value
            _assign(self.get_config(), key, value)

    def validate_config_value(self, key: Optional[str] = None) -> bool:
        """Whether a value is there, or without a key whether the configuration is whole."""
        return self.validate_config_integrity() if key is None else self.get_config_value(key) is not None

    def get(self, key: str, default: Any = None) -> Any:
        """As :meth:`get_config_value`."""
        return self.get_config_value(key, default)

    def set(self, key: str, value: Any) -> None:
        """As :meth:`set_config_value`."""
        self.set_config_value(key, value)

    def get_database_config(self) -> dict[str, Any]:
        """Where the databases are."""
        config = self.get_config()
        return ConfigPart(
            database_url=config.database_url,
            postgres_url=config.database_url,
            clickhouse_url=config.clickhouse_url,
            redis_url=config.redis_url,
        )

    def get_auth_config(self) -> dict[str, Any]:
        """Auth service and secrets; the secret that signs tokens is the service's where there is one."""
        config = self.get_config()
        return ConfigPart(
            jwt_secret_key=config.service_secret or config.jwt_secret_key,
            auth_service_url=config.auth_service_url,
            service_secret=config.service_secret,
        )

    def get_redis_config(self) -> dict[str, Any]:
        """Where Redis is, and how many seconds values are kept there."""
        config = self.get_config()
        secret = f":{config.redis_password}@" if config.redis_password else ""
        url = config.redis_url or f"redis://{secret}{config.redis_host}:{config.redis_port}/{config.redis_db}"
        return ConfigPart(redis_url=url, cache_ttl=_CACHE_TTL_SECONDS)


def _environment() -> Any:
    # Callers replace either name in this module.
    return IsolatedEnvironment() if get_env is _get_env else get_env()


def _environment_name() -> str:
    env = _environment()
    return environment_constants.get_current_environment() if env is _get_env() else name_environment(Answers(env))


def _variables() -> Mapping[str, str]:
    env = _environment()
    every = env.get_all()
    return every if isinstance(every, Mapping) else Answers(env)


def _assign(config: AppConfig, key: str, value: Any) -> None:
    if key in AppConfig.model_fields and isinstance(config, AppConfig):
        setattr(config, key, value)


UnifiedConfigurationManager = UnifiedConfigManager
ConfigurationManager = UnifiedConfigManager

config_manager = UnifiedConfigManager()


def get_unified_config() -> AppConfig:
    """The process's configuration."""
    config: AppConfig = config_manager.get_config()
    return config


def reload_unified_config(force: bool = False) -> AppConfig:
    """The process's configuration, read again."""
    return config_manager.reload_config(force)


def validate_config_integrity() -> tuple[bool, list[str]]:
    """Whether the process's configuration is whole; the list is empty: what is missing is logged."""
    return config_manager.validate_config_integrity(), []


def validate_unified_config() -> bool:
    """Whether the process's configuration is whole."""
    return config_manager.validate_config_integrity()


# Each asks the manager that stands in this module when it is called, so that what takes its place is asked.


def get_config() -> AppConfig:
    """:func:`get_unified_config`."""
    return get_unified_config()


def get_environment() -> str:
    """:meth:`UnifiedConfigManager.get_environment_name` of the process's manager."""
    return config_manager.get_environment_name()


def is_production() -> bool:
    """:meth:`UnifiedConfigManager.is_production` of the process's manager."""
    return config_manager.is_production()


def is_development() -> bool:
    """:meth:`UnifiedConfigManager.is_development` of the process's manager."""
    return config_manager.is_development()


def is_testing() -> bool:
    """:meth:`UnifiedConfigManager.is_testing` of the process's manager."""
    return config_manager.is_testing()


def get_config_value(key: str, default: Any = None) -> Any:
    """:meth:`UnifiedConfigManager.get_config_value` of the process's manager."""
    return config_manager.get_config_value(key, default)


def set_config_value(key: str, value: Any) -> None:
    """:meth:`UnifiedConfigManager.set_config_value` of the process's manager."""
    config_manager.set_config_value(key, value)


def validate_config_value(key: Optional[str] = None) -> bool:
    """:meth:`UnifiedConfigManager.validate_config_value` of the process's manager."""
    return config_manager.validate_config_value(key)


def get(key: str, default: Any = None) -> Any:
    """:meth:`UnifiedConfigManager.get` of the process's manager."""
    return config_manager.get(key, default)


def get_database_config() -> dict[str, Any]:
    """:meth:`UnifiedConfigManager.get_database_config` of the process's manager."""
    return config_manager.get_database_config()


def get_auth_config() -> dict[str, Any]:
    """:meth:`UnifiedConfigManager.get_auth_config` of the process's manager."""
    return config_manager.get_auth_config()


def get_redis_config() -> dict[str, Any]:
    """:meth:`UnifiedConfigManager.get_redis_config` of the process's manager."""
    return config_manager.get_redis_config()
