"""The configuration of one process as an object, read from variables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional
from urllib.parse import quote

_TRUE = frozenset({"1", "true", "yes", "on"})


def is_true(text: Optional[str]) -> bool:
    """Whether a variable says yes."""
    return (text or "").strip().lower() in _TRUE


def _from(*variables: str, default: Any = None) -> Any:
    """A field that is the first of the variables that is set; its default tells its type."""
    return dataclasses.field(default=default, metadata={"variables": variables})


@dataclass
class AppConfig:
    """What the application is told; a field is named as its variable, in lower case, where not said otherwise."""

    environment: str = "development"
    app_name: str = _from("APP_NAME", default="netra")
    debug: bool = _from("DEBUG", default=False)
    log_level: str = _from("LOG_LEVEL", default="INFO")
    secret_key: Optional[str] = _from("SECRET_KEY")
    jwt_secret_key: Optional[str] = _from("JWT_SECRET_KEY", "JWT_SECRET")
    jwt_algorithm: str = _from("JWT_ALGORITHM", default="HS256")
    access_token_expire_minutes: int = _from("ACCESS_TOKEN_EXPIRE_MINUTES", default=60)
    fernet_key: Optional[str] = _from("FERNET_KEY")
    service_id: str = _from("SERVICE_ID", default="netra-backend")
    service_secret: Optional[str] = _from("SERVICE_SECRET")
    database_url: Optional[str] = _from("DATABASE_URL")
    database_pool_size: int = _from("DATABASE_POOL_SIZE", default=5)
    redis_url: Optional[str] = _from("REDIS_URL")
    redis_host: str = _from("REDIS_HOST", default="localhost")
    redis_port: int = _from("REDIS_PORT", default=6379)
    redis_password: Optional[str] = _from("REDIS_PASSWORD")
    redis_db: int = _from("REDIS_DB", default=0)
    clickhouse_host: Optional[str] = _from("CLICKHOUSE_HOST")
    clickhouse_port: int = _from("CLICKHOUSE_PORT", default=8123)
    clickhouse_password: Optional[str] = _from("CLICKHOUSE_PASSWORD")
    auth_service_url: str = _from("AUTH_SERVICE_URL", default="http://localhost:8081")
    frontend_url: str = _from("FRONTEND_URL", default="http://localhost:3000")
    api_base_url: str = _from("API_BASE_URL", "BACKEND_URL", default="http://localhost:8000")
    cors_origins: str = _from("CORS_ORIGINS", default="")
    google_client_id: Optional[str] = _from("GOOGLE_CLIENT_ID", "OAUTH_GOOGLE_CLIENT_ID_ENV")
    google_client_secret: Optional[str] = _from("GOOGLE_CLIENT_SECRET")
    gemini_api_key: Optional[str] = _from("GEMINI_API_KEY")
    llm_mode: str = _from("LLM_MODE", default="shared")

    @classmethod
    def from_variables(cls, variables: Mapping[str, str], environment: str) -> AppConfig:
        """Read every field. ValueError, naming the variable, for a number that is none."""
        values: dict[str, Any] = {"environment": environment}
        for each in dataclasses.fields(cls):
            for name in each.metadata.get("variables", ()):
                text = variables.get(name)
                if text:
                    values[each.name] = _convert(name, text, each.default)
                    break
        config = cls(**values)
        config.database_url = config.database_url or _postgres_url(variables)
        return config

    @property
    def is_testing(self) -> bool:
        """Whether this is a test run."""
        return self.environment == "testing"

    @property
    def is_production(self) -> bool:
        """Whether this is production."""
        return self.environment == "production"

    def get(self, key: str, default: Any = None) -> Any:
        """A field, or the default."""
        return getattr(self, key, default)

    def model_dump(self) -> dict[str, Any]:
        """Every field."""
        return dataclasses.asdict(self)

    def __repr__(self) -> str:
        return f"AppConfig(environment={self.environment!r}, ...)"  # Secrets stay out of logs.


def _convert(name: str, text: str, default: Any) -> Any:
    if isinstance(default, bool):
        return is_true(text)
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            raise ValueError(f"{name} must be a whole number, not {text!r}") from None
    return text


def _postgres_url(variables: Mapping[str, str]) -> Optional[str]:
    host = variables.get("POSTGRES_HOST")
    if not host:
        return None
    user, password = variables.get("POSTGRES_USER", "postgres"), variables.get("POSTGRES_PASSWORD", "")
    port, name = variables.get("POSTGRES_PORT", "5432"), variables.get("POSTGRES_DB", "netra")
    return f"postgresql+asyncpg://{quote(user)}:{quote(password, safe='')}@{host}:{port}/{name}"
