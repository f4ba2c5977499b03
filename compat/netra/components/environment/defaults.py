"""Values that the environment answers with where nothing is set: in tests, and for optimized persistence."""

from __future__ import annotations

import functools
import os

#: Set in ``os.environ`` when the environment is made, where they are absent.
PERSISTENCE_DEFAULTS = {
    "ENABLE_OPTIMIZED_PERSISTENCE": "false",
    "OPTIMIZED_PERSISTENCE_CACHE_SIZE": "1000",
    "OPTIMIZED_PERSISTENCE_DEDUPLICATION": "true",
    "OPTIMIZED_PERSISTENCE_COMPRESSION": "true",
}
PERSISTENCE_SOURCE = "optimized_persistence_defaults"


def _random(head: str) -> str:
    return f"{head}_{os.urandom(24).hex()}"


@functools.cache
def test_defaults() -> dict[str, str]:
    """Return the values that tests are answered with for variables that are not set. One mapping for all: copy it."""
    # The random ones are made once, so that a variable has one value in the whole process.
    return {
        "ENVIRONMENT": "test",
        "TESTING": "1",
        "TEST_MODE": "true",
        "TEST_ENV": "test",
        "LOG_LEVEL": "DEBUG",
        "GOOGLE_OAUTH_CLIENT_ID_TEST": "test-oauth-client-id-for-automated-testing",
        "GOOGLE_OAUTH_CLIENT_SECRET_TEST": "test-oauth-client-secret-for-automated-testing",
        "E2E_OAUTH_SIMULATION_KEY": "test-e2e-oauth-bypass-key-for-testing-only-unified-2025",
        "JWT_SECRET_KEY": "test-jwt-secret-key-32-characters-long-for-testing-only",
        "SERVICE_SECRET": "test-service-secret-32-characters-long-for-cross-service-auth",
        "FERNET_KEY": "test-fernet-key-for-encryption-32-characters-long-base64-encoded=",
        "SECRET_KEY": "test-secret-key-for-test-environment-only-32-chars-min",
        "ANTHROPIC_API_KEY": "test-anthropic-api-key-placeholder-for-unit-tests",
        "OPENAI_API_KEY": "test-openai-api-key-placeholder-for-unit-tests",
        "GEMINI_API_KEY": "test-gemini-api-key-placeholder-for-unit-tests",
        "POSTGRES_HOST": "localhost",
        "POSTGRES_PORT": "5434",
        "POSTGRES_USER": "netra_test",
        "POSTGRES_PASSWORD": "netra_test_password",
        "POSTGRES_DB": "netra_test",
        "DATABASE_URL": "postgresql://netra_test:netra_test_password@localhost:5434/netra_test",
        "REDIS_HOST": "localhost",
        "REDIS_PORT": "6381",
        "REDIS_URL": "redis://localhost:6381/0",
        "SERVER_PORT": "8000",
        "AUTH_PORT": "8081",
        "FRONTEND_PORT": "3000",
        "AUTH_SERVICE_URL": "http://localhost:8081",
        "GOOGLE_OAUTH_CLIENT_ID_STAGING": "test_oauth_client_id_staging.apps.googleusercontent.com",
        "GOOGLE_OAUTH_CLIENT_ID_PRODUCTION": "test_oauth_client_id_production.apps.googleusercontent.com",
        "JWT_SECRET_STAGING": _random("test_jwt_secret_staging"),
        "JWT_SECRET_PRODUCTION": _random("test_jwt_secret_production"),
        "REDIS_PASSWORD": _random("test_redis_password"),
        "GOOGLE_OAUTH_CLIENT_SECRET_STAGING": _random("test_oauth_client_secret_staging"),
        "GOOGLE_OAUTH_CLIENT_SECRET_PRODUCTION": _random("test_oauth_client_secret_production"),
    }


test_defaults.__test__ = False  # type: ignore[attr-defined]
