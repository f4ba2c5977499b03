"""Configuration of one user or one service: its own values over the process's."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional

from .base import UnifiedConfigManager, config_manager


class ConfigurationScope(Enum):
    """Whose a value is."""

    GLOBAL = "global"
    SERVICE = "service"
    USER = "user"
    AGENT = "agent"


class ConfigurationSource(Enum):
    """Where a value is from, the weakest first."""

    DEFAULT = "default"
    CONFIG_FILE = "config_file"
    DATABASE = "database"
    ENVIRONMENT = "environment"
    OVERRIDE = "override"


class ConfigurationStatus(Enum):
    """Whether a value holds."""

    VALID = "valid"
    INVALID = "invalid"
    MISSING = "missing"
    DEPRECATED = "deprecated"


class ConfigurationError(Exception):
    """A configuration that cannot be used."""


@dataclass
class ConfigurationEntry:
    """One value, with where it is from."""

    key: str
    value: Any
    source: ConfigurationSource = ConfigurationSource.OVERRIDE
    scope: ConfigurationScope = ConfigurationScope.GLOBAL
    data_type: type = str
    required: bool = False
    sensitive: bool = False
    last_updated: float = field(default_factory=time.time)

    def get_display_value(self) -> str:
        """The value as it may be shown."""
        return "***" if self.sensitive and self.value is not None else str(self.value)

    def validate(self) -> bool:
        """Whether it is there where it must be, and of its type."""
        if self.value is None:
            return not self.required
        return isinstance(self.value, self.data_type)


@dataclass
class ConfigurationValidationResult:
    """What was found."""

    is_valid: bool
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    critical_errors: list[str] = field(default_factory=list)
    missing_required: list[str] = field(default_factory=list)


class ScopedConfigManager(UnifiedConfigManager):
    """Values of one user or service over the process's configuration; setting one changes nobody else's."""

    def __init__(
        self,
        user_id: Optional[str] = None,
        environment: Optional[str] = None,
        service_name: Optional[str] = None,
        **values: Any,
    ) -> None:
        super().__init__()
        self.user_id = user_id
        self.service_name = service_name
        self._told_environment = environment
        self._entries = {key: ConfigurationEntry(key, value, scope=self.scope) for key, value in values.items()}

    @property
    def scope(self) -> ConfigurationScope:
        """Whose values these are."""
        if self.user_id is not None:
            return ConfigurationScope.USER
        return ConfigurationScope.SERVICE if self.service_name is not None else ConfigurationScope.GLOBAL

    @property
    def environment(self) -> str:
        """The environment told at construction, else the process's."""
        return self._told_environment or config_manager.get_environment_name()

    def get_config(self, key: Optional[str] = None, default: Any = None) -> Any:
        """The process's configuration, or one value of this scope."""
        return config_manager.get_config() if key is None else self.get_config_value(key, default)

    def get_config_value(self, key: str, default: Any = None) -> Any:
        """A value of this scope, else of the process, else the default."""
        entry = self._entries.get(key)
        return entry.value if entry is not None else config_manager.get_config_value(key, default)

    def reload_config(self, force: bool = False) -> Any:
        """Read the process's configuration again; this scope's values stay."""
        return config_manager.reload_config(force)

    def set_config_value(self, key: str, value: Any, source: ConfigurationSource = ConfigurationSource.OVERRIDE) -> None:
        """Set a value of this scope."""
        self._entries[key] = ConfigurationEntry(key, value, source, self.scope)

    set_config = set = set_config_value

    def delete(self, key: str) -> bool:
        """Remove a value of this scope. False if there is none."""
        return self._entries.pop(key, None) is not None

    def exists(self, key: str) -> bool:
        """Whether there is a value."""
        return self.get(key) is not None

    def keys(self) -> list[str]:
        """The keys of this scope's values."""
        return list(self._entries)

    def get_all(self, include_sensitive: bool = False) -> dict[str, Any]:
        """This scope's values; sensitive ones only where asked."""
        return {k: e.value if include_sensitive or not e.sensitive else "***" for k, e in self._entries.items()}

    def validate_config(self) -> bool:
        """Whether the process's configuration is whole."""
        return self.validate_config_integrity()

    def get_environment_name(self) -> str:
        """The environment's name."""
        return self.environment

    def get_unified_config(self) -> Any:
        """The process's configuration."""
        return config_manager.get_config()

    def get_security_config(self) -> dict[str, Any]:
        """As the process's auth configuration."""
        return config_manager.get_auth_config()

    def get_status(self) -> dict[str, Any]:
        """Scope, environment and number of values."""
        return {
            "status": "healthy" if self.validate_config() else "unhealthy",
            "user_id": self.user_id,
            "service_name": self.service_name,
            "environment": self.environment,
            "scope": self.scope.value,
            "total_configurations": len(self._entries),
        }

    get_health_status = get_status


class ConfigurationManagerFactory:
    """One manager per user, one per service, one for the process."""

    _managers: dict[tuple[Optional[str], Optional[str]], ScopedConfigManager] = {}
    _lock = threading.Lock()

    @classmethod
    def get_manager(cls, user_id: Optional[str] = None, service_name: Optional[str] = None) -> Any:
        """The manager of a user, of a service, or of both; the process's where neither is given."""
        if user_id is None and service_name is None:
            return config_manager
        with cls._lock:
            key = (user_id, service_name)
            if key not in cls._managers:
                cls._managers[key] = ScopedConfigManager(user_id=user_id, service_name=service_name)
            return cls._managers[key]

    @classmethod
    def get_global_manager(cls) -> UnifiedConfigManager:
        """The process's manager."""
        return config_manager

    @classmethod
    def get_user_manager(cls, user_id: str) -> Any:
        """The manager of a user."""
        return cls.get_manager(user_id=user_id)

    @classmethod
    def get_service_manager(cls, service_name: str) -> Any:
        """The manager of a service."""
        return cls.get_manager(service_name=service_name)

    @classmethod
    def clear_all_caches(cls) -> None:
        """Forget every user's and service's manager."""
        with cls._lock:
            cls._managers.clear()


def get_configuration_manager(user_id: Optional[str] = None, service_name: Optional[str] = None) -> Any:
    """The manager of a user, of a service, or of the process."""
    return ConfigurationManagerFactory.get_manager(user_id, service_name)


def get_dashboard_config_manager() -> Any:
    """The manager of the dashboard."""
    return get_configuration_manager(service_name="dashboard")


def get_data_agent_config_manager() -> Any:
    """The manager of the data agent."""
    return get_configuration_manager(service_name="data_agent")


def get_llm_config_manager() -> Any:
    """The manager of the language models."""
    return get_configuration_manager(service_name="llm")


class EnvironmentConfigLoader:
    """Loads the process's configuration."""

    def load_config(self) -> Any:
        """The configuration."""
        return config_manager.get_config()

    def get_database_config(self) -> dict[str, Any]:
        """The database's part."""
        return config_manager.get_database_config()

    def get_redis_config(self) -> dict[str, Any]:
        """Redis' part."""
        return config_manager.get_redis_config()


class PartValidator:
    """Checks the parts that configuration managers hand out."""

    @staticmethod
    def validate_database_config(config: Any) -> bool:
        """Whether a database's part has a URL."""
        return isinstance(config, dict) and bool(config.get("url") or config.get("database_url"))

    @staticmethod
    def validate_redis_config(config: Any) -> bool:
        """Whether Redis' part says where it is."""
        return isinstance(config, dict) and bool(
            config.get("redis_url") or config.get("url") or (config.get("host") and config.get("port"))
        )
