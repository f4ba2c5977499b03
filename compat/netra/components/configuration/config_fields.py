"""The fields of a configuration with their defaults, and the variables that they are read from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

#: A key for development and tests, which everybody knows.
PUBLIC_FERNET_KEY = "iZAG-Kz661gRuJXEGzxgghUFnFRamgDrjDXZE6HdJkw="


class ConfigGroup:
    """Values that belong together, as attributes."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def model_dump(self) -> dict[str, Any]:
        """Every value."""
        return dict(self.__dict__)

    def __eq__(self, other: object) -> bool:
        return self.__dict__ == other.__dict__ if isinstance(other, ConfigGroup) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"ConfigGroup({', '.join(self.__dict__)})"  # Passwords stay out of logs.


def _from(*variables: str, default: Any = None) -> Any:
    """A field that is the first of the variables that is set; its default tells its type."""
    return field(default=default, metadata={"variables": variables})


def _clickhouse(port: int) -> ConfigGroup:
    return ConfigGroup(host="", port=port, user="default", password="", database="default")


@dataclass
class ConfigFields:
    """What the application is told; a field is named as its variable, in lower case, where not said otherwise."""

    environment: str = "development"
    app_name: str = _from("APP_NAME", default="netra")
    debug: bool = _from("DEBUG", default=False)
    log_level: str = "DEBUG"
    secret_key: Optional[str] = _from("SECRET_KEY")
    jwt_secret_key: Optional[str] = _from("JWT_SECRET_KEY", "JWT_SECRET")
    jwt_algorithm: str = _from("JWT_ALGORITHM", default="HS256")
    algorithm: str = _from("JWT_ALGORITHM", default="HS256")
    access_token_expire_minutes: int = _from("ACCESS_TOKEN_EXPIRE_MINUTES", default=30)
    fernet_key: Optional[str] = _from("FERNET_KEY")
    service_id: str = _from("SERVICE_ID", default="netra-backend")
    service_secret: Optional[str] = _from("SERVICE_SECRET")
    dev_user_email: str = _from("DEV_USER_EMAIL", default="dev@example.com")
    # Databases.
    database_url: Optional[str] = _from("DATABASE_URL")
    database_pool_size: int = _from("DATABASE_POOL_SIZE", default=5)
    db_pool_size: int = _from("DB_POOL_SIZE", default=20)
    db_max_overflow: int = _from("DB_MAX_OVERFLOW", default=30)
    db_pool_timeout: int = _from("DB_POOL_TIMEOUT", default=30)
    db_pool_recycle: int = _from("DB_POOL_RECYCLE", default=1800)
    db_pool_pre_ping: bool = _from("DB_POOL_PRE_PING", default=True)
    db_echo: bool = _from("DB_ECHO", default=False)
    db_max_connections: int = _from("DB_MAX_CONNECTIONS", default=100)
    db_connection_timeout: int = _from("DB_CONNECTION_TIMEOUT", default=10)
    db_statement_timeout: int = _from("DB_STATEMENT_TIMEOUT", default=30000)
    redis_url: Optional[str] = _from("REDIS_URL")
    redis_host: str = _from("REDIS_HOST", default="localhost")
    redis_port: int = _from("REDIS_PORT", default=6379)
    redis_password: Optional[str] = _from("REDIS_PASSWORD")
    redis_db: int = _from("REDIS_DB", default=0)
    redis_mode: str = _from("REDIS_MODE", default="shared")
    clickhouse_url: Optional[str] = _from("CLICKHOUSE_URL")
    clickhouse_host: Optional[str] = _from("CLICKHOUSE_HOST")
    clickhouse_port: int = _from("CLICKHOUSE_PORT", default=8123)
    clickhouse_password: Optional[str] = _from("CLICKHOUSE_PASSWORD")
    clickhouse_mode: str = _from("CLICKHOUSE_MODE", default="shared")
    # Other services.
    auth_service_url: str = _from("AUTH_SERVICE_URL", default="http://localhost:8081")
    auth_service_enabled: str = _from("AUTH_SERVICE_ENABLED", default="true")
    auth_fast_test_mode: str = _from("AUTH_FAST_TEST_MODE", default="false")
    auth_cache_ttl_seconds: str = _from("AUTH_CACHE_TTL_SECONDS", default="300")
    frontend_url: str = _from("FRONTEND_URL", default="http://localhost:3010")
    api_base_url: str = _from("API_BASE_URL", "BACKEND_URL", default="http://localhost:8000")
    cors_origins: Optional[str] = _from("CORS_ORIGINS")
    google_client_id: Optional[str] = _from("GOOGLE_CLIENT_ID", "OAUTH_GOOGLE_CLIENT_ID_ENV")
    google_client_secret: Optional[str] = _from("GOOGLE_CLIENT_SECRET")
    gemini_api_key: Optional[str] = _from("GEMINI_API_KEY")
    llm_mode: str = _from("LLM_MODE", default="shared")
    dev_mode_redis_enabled: bool = _from("DEV_MODE_REDIS_ENABLED", default=True)
    dev_mode_clickhouse_enabled: bool = _from("DEV_MODE_CLICKHOUSE_ENABLED", default=True)
    dev_mode_llm_enabled: bool = _from("DEV_MODE_LLM_ENABLED", default=True)
    # Where it runs.
    k_service: Optional[str] = _from("K_SERVICE")
    k_revision: Optional[str] = _from("K_REVISION")
    pr_number: Optional[str] = _from("PR_NUMBER")
    gae_application: Optional[str] = _from("GAE_APPLICATION")
    disable_https_only: bool = _from("DISABLE_HTTPS_ONLY", default=False)
    fast_startup_mode: str = _from("FAST_STARTUP_MODE", default="false")
    startup_max_retries: int = _from("STARTUP_MAX_RETRIES", default=3)
    # Caches and agents.
    cache_enabled: bool = _from("CACHE_ENABLED", default=True)
    cache_default_ttl: int = _from("CACHE_DEFAULT_TTL", default=300)
    cache_max_size: int = _from("CACHE_MAX_SIZE", default=1000)
    cache_strategy: str = _from("CACHE_STRATEGY", default="adaptive")
    agent_cache_ttl: int = _from("AGENT_CACHE_TTL", default=300)
    agent_default_timeout: float = _from("AGENT_DEFAULT_TIMEOUT", default=30.0)
    agent_thinking_timeout: float = _from("AGENT_THINKING_TIMEOUT", default=25.0)
    agent_tool_timeout: float = _from("AGENT_TOOL_TIMEOUT", default=20.0)
    agent_completion_timeout: float = _from("AGENT_COMPLETION_TIMEOUT", default=15.0)
    agent_max_retries: int = _from("AGENT_MAX_RETRIES", default=3)
    agent_max_concurrent: int = _from("AGENT_MAX_CONCURRENT", default=10)
    agent_failure_threshold: int = _from("AGENT_FAILURE_THRESHOLD", default=3)
    agent_reset_timeout: float = _from("AGENT_RESET_TIMEOUT", default=30.0)
    # Groups.
    google_cloud: Any = field(default_factory=lambda: ConfigGroup(project_id=""))
    oauth_config: Any = field(default_factory=lambda: ConfigGroup(client_id="", client_secret=""))
    clickhouse_native: Any = field(default_factory=lambda: _clickhouse(9440))
    clickhouse_http: Any = field(default_factory=lambda: _clickhouse(8123))
    clickhouse_https: Any = field(default_factory=lambda: _clickhouse(8443))
    clickhouse_logging: Any = field(default_factory=lambda: ConfigGroup(enabled=True, default_table="logs"))
    langfuse: Any = field(default_factory=lambda: ConfigGroup(secret_key="", public_key="", host="https://cloud.langfuse.com/"))
    ws_config: Any = field(default_factory=lambda: ConfigGroup(ws_url="ws://localhost:8000/ws"))
    redis: Any = field(default_factory=lambda: ConfigGroup(host="localhost", port=6379, username="", password=""))
    llm_configs: dict[str, Any] = field(default_factory=dict)
