"""The configuration as the application's root handed it out."""

from __future__ import annotations

from typing import Any

from .app_config import AppConfig
from .base import config_manager, get_config
from .base import reload_unified_config as reload_config
from .base import validate_config_integrity as validate_configuration

__all__ = [
    "Config",
    "DatabaseConfig",
    "RedisConfig",
    "config_manager",
    "get_config",
    "reload_config",
    "settings",
    "validate_configuration",
]

Config = DatabaseConfig = RedisConfig = AppConfig
settings: AppConfig


def __getattr__(name: str) -> Any:
    if name != "settings":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Made at first use, not when this module is imported.
    made = globals()[name] = get_config()
    return made
