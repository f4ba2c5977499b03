"""Where the database is, and whether that can be right."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Optional
from urllib.parse import urlsplit

from .base import get_unified_config

logger = logging.getLogger(__name__)

SCHEMES = ("postgresql", "postgresql+asyncpg", "postgresql+psycopg", "postgres", "sqlite", "sqlite+aiosqlite")


@dataclass
class DatabaseConfig:
    """A database and its pool; the timeout in seconds."""

    url: Optional[str] = None
    pool_size: int = 5
    max_overflow: int = 10
    pool_timeout: int = 30
    echo: bool = False


class DatabaseConfigManager:
    """Reads the database's part of the configuration."""

    def get_database_url(self, database_type: str = "postgresql") -> Optional[str]:
        """The URL of the database, or of clickhouse; None where none is set."""
        config = get_unified_config()
        if database_type != "clickhouse":
            return config.database_url
        if config.clickhouse_url:
            return config.clickhouse_url
        host = config.clickhouse_host
        return f"clickhouse://{host}:{config.clickhouse_port}" if host else None

    def get_database_config(self) -> DatabaseConfig:
        """URL and pool."""
        config = get_unified_config()
        return DatabaseConfig(config.database_url, config.database_pool_size)

    def populate_database_config(self, config: Any) -> Any:
        """Set the database fields of a configuration object, and return it."""
        config.database_url = self.get_database_url()
        return config

    def validate_database_config(self) -> tuple[bool, list[str]]:
        """Whether the URL can be right, and what is wrong with it. Nothing is connected."""
        config = get_unified_config()
        problems = check_database_url(config.database_url)
        if config.database_url and config.environment in ("staging", "production"):
            host = urlsplit(config.database_url).hostname or ""
            if host in ("localhost", "127.0.0.1"):
                problems.append(f"database is on this machine in {config.environment}")
        return not problems, problems

    def validate_database_consistency(self) -> list[str]:
        """What is wrong with the URL."""
        return self.validate_database_config()[1]


def check_database_url(url: Optional[str]) -> list[str]:
    """What is wrong with a database URL; nothing of it is repeated, for it holds a password."""
    if not url:
        return ["database URL is not set: set DATABASE_URL, or POSTGRES_HOST and its companions"]
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        return [f"database URL has the scheme {parts.scheme!r}, not one of {', '.join(SCHEMES)}"]
    if parts.scheme.startswith("sqlite"):
        return []
    problems = []
    if not parts.hostname and "host=" not in parts.query:
        problems.append("database URL has no host")
    if len(parts.path) < 2:
        problems.append("database URL names no database")
    return problems


_database_config_manager = DatabaseConfigManager()


def get_database_config_manager() -> DatabaseConfigManager:
    """The process's manager."""
    return _database_config_manager


def get_database_url(database_type: str = "postgresql") -> Optional[str]:
    """The URL of the database; None where none is set."""
    return get_database_config_manager().get_database_url(database_type)


def validate_database_connection() -> bool:
    """Whether the URL can be right and is that of a server; a database in memory has none. Nothing is connected."""
    url = get_database_url() or ""
    return ":memory:" not in url and get_database_config_manager().validate_database_config()[0]


def populate_database_config(config: Any) -> Any:
    """Set the database fields of a configuration object, and return it."""
    return get_database_config_manager().populate_database_config(config)


def get_clickhouse_password() -> Optional[str]:
    """The password of clickhouse; None where none is set."""
    return get_unified_config().clickhouse_password
