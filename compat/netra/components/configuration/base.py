"""The one configuration manager and its functions.

PYTEST_DONT_REWRITE: what an assertion here says is part of its behaviour.
"""

from __future__ import annotations

import logging
import threading
from typing import Any, Optional

from ..environment import IsolatedEnvironment, get_env
from .app_config import AppConfig
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

#: What must be set, by environment, before the configuration counts as whole.
REQUIRED = {
    "production": ("jwt_secret_key", "service_secret", "database_url"),
    "staging": ("jwt_secret_key", "service_secret", "database_url"),
}


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
            variables = IsolatedEnvironment().get_all()
            environment = name_environment(variables)
            stale = self._config_cache is None or environment in ("testing", "test") or environment != self._environment
            if stale:
                self._config_cache = AppConfig.from_variables(variables, environment)
                self._environment = environment
                for name, value in self._overrides.items():
                    _assign(self._config_cache, name, value)
            assert self._config_cache is not None
            return self._config_cache

    def reload_config(self, force: bool = False) -> AppConfig:
        """Read the configuration again; ``force`` forgets the values set here, too."""
        with self._lock:
            self._config_cache = None
            if force:
                self._overrides.clear()
            config: AppConfig = self.get_config()
            return config

    def validate_config_integrity(self) -> bool:
        """Whether everything that the environment requires is set; what is missing is logged."""
        return not self.missing_values()

    def missing_values(self) -> list[str]:
        """What the environment requires and is not set."""
        config = self.get_config()
        missing = [name for name in REQUIRED.get(config.environment, ()) if not getattr(config, name)]
        if missing:
            logger.error(f"Configuration of {config.environment} misses: {', '.join(missing)}")
        return missing

    def get_environment_name(self) -> str:
        """development, testing, staging or production."""
        return str(self.get_config().environment)

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
        if key in self._overrides:
            return self._overrides[key]
        found: Any = self.get_config()
        for part in key.split("."):
            found = found.get(part, _ABSENT) if isinstance(found, dict) else getattr(found, part, _ABSENT)
            if found is _ABSENT:
                return IsolatedEnvironment().get(key.upper().replace(".", "_"), default)
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
        """URL and pool of the database."""
        config = self.get_config()
        return {
            "url": config.database_url,
            "database_url": config.database_url,
            "pool_size": config.database_pool_size,
            "environment": config.environment,
        }

    def get_auth_config(self) -> dict[str, Any]:
        """Auth service, algorithm and lifetime of tokens; whether, not what, the secrets are."""
        config = self.get_config()
        return {
            "auth_service_url": config.auth_service_url,
            "jwt_algorithm": config.jwt_algorithm,
            "access_token_expire_minutes": config.access_token_expire_minutes,
            "jwt_secret_configured": bool(config.jwt_secret_key),
            "service_secret_configured": bool(config.service_secret),
        }

    def get_redis_config(self) -> dict[str, Any]:
        """Where Redis is."""
        config = self.get_config()
        secret = f":{config.redis_password}@" if config.redis_password else ""
        return {
            "url": config.redis_url or f"redis://{secret}{config.redis_host}:{config.redis_port}/{config.redis_db}",
            "host": config.redis_host,
            "port": config.redis_port,
            "db": config.redis_db,
            "password": config.redis_password,
        }


def _assign(config: AppConfig, key: str, value: Any) -> None:
    if hasattr(config, key) and "." not in key:
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
    """Whether the process's configuration is whole, and what it misses."""
    missing = config_manager.missing_values()
    return not missing, [f"{name} is not set" for name in missing]


def validate_unified_config() -> bool:
    """Whether the process's configuration is whole."""
    return config_manager.validate_config_integrity()


get_config = get_unified_config
get_environment = config_manager.get_environment
is_production = config_manager.is_production
is_development = config_manager.is_development
is_testing = config_manager.is_testing
get_config_value = config_manager.get_config_value
set_config_value = config_manager.set_config_value
validate_config_value = config_manager.validate_config_value
get = config_manager.get
get_database_config = config_manager.get_database_config
get_auth_config = config_manager.get_auth_config
get_redis_config = config_manager.get_redis_config
