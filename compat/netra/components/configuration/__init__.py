"""The configuration of one process, read from variables, in one place.

app_config            the values            base         the manager and its functions
environment_detector  which environment     secrets      secrets by name
validation            checks                database     the database's part
scopes                values of one user    loader, demo

"""

from __future__ import annotations

from .app_config import AppConfig
from .base import (
    ConfigurationManager,
    UnifiedConfigManager,
    UnifiedConfigurationManager,
    config_manager,
    get_config,
    get_unified_config,
    reload_unified_config,
    validate_unified_config,
)
from .base import config_manager as unified_config_manager
from .loader import reload_configuration

__all__ = [
    "AppConfig",
    "ConfigurationManager",
    "UnifiedConfigManager",
    "UnifiedConfigurationManager",
    "config_manager",
    "get_config",
    "get_configuration",
    "get_unified_config",
    "reload_configuration",
    "reload_unified_config",
    "unified_config_manager",
    "validate_unified_config",
]


def get_configuration() -> AppConfig:
    """The process's configuration, from the manager that stands here."""
    config: AppConfig = unified_config_manager.get_config()
    return config
