"""Loads the configuration; one loader per process."""

from __future__ import annotations

import logging
from typing import Any

from .app_config import AppConfig
from .base import config_manager

logger = logging.getLogger(__name__)


class ConfigurationLoader:
    """Loads the configuration through the one manager."""

    def load(self) -> AppConfig:
        """The configuration."""
        config: AppConfig = config_manager.get_config()
        return config

    load_configuration = get_configuration = get_config = load

    def reload(self, force: bool = False) -> AppConfig:
        """The configuration, read again."""
        return config_manager.reload_config(force)

    def get_service_config(self, service: str) -> dict[str, Any]:
        """The part of ``database``, ``redis`` or ``auth``. ValueError for another."""
        parts = {
            "database": config_manager.get_database_config,
            "redis": config_manager.get_redis_config,
            "auth": config_manager.get_auth_config,
        }
        if service not in parts:
            raise ValueError(f"Unknown service {service!r}. There are: {', '.join(parts)}")
        return parts[service]()

    def validate(self) -> bool:
        """Whether the configuration is whole."""
        return config_manager.validate_config_integrity()

    def get_environment(self) -> str:
        """development, testing, staging or production."""
        return config_manager.get_environment_name()

    def is_production(self) -> bool:
        """Whether this is production."""
        return config_manager.is_production()


_configuration_loader = ConfigurationLoader()


def get_configuration() -> AppConfig:
    """The process's configuration."""
    return _configuration_loader.load()


def reload_configuration(force: bool = False) -> AppConfig:
    """The process's configuration, read again."""
    return _configuration_loader.reload(force)
