"""pytest fixtures and context managers that give a test an environment of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping
from types import TracebackType
from typing import Any, Optional

from ..components.environment import IsolatedEnvironment, get_env
from ._pytest import fixture

#: The variables of a test run.
STANDARD_TEST_CONFIG = {
    "TESTING": "1",
    "NETRA_ENV": "testing",
    "ENVIRONMENT": "testing",
    "LOG_LEVEL": "ERROR",
    "USE_MEMORY_DB": "true",
    "DATABASE_URL": "sqlite+aiosqlite:///:memory:",
    "REDIS_URL": "redis://localhost:6379/1",
    "DEV_MODE_DISABLE_CLICKHOUSE": "true",
    "CLICKHOUSE_ENABLED": "false",
    "JWT_SECRET_KEY": "test-jwt-secret-key-for-testing-only-32-chars",
    "SERVICE_SECRET": "test-service-secret-for-testing-only-32-chars",
    "FERNET_KEY": "iZAG-Kz661gRuJXEGzxgghUFnFRamgDrjDXZE6HdJkw=",
    "GOOGLE_CLIENT_ID": "test-google-client-id",
    "GOOGLE_CLIENT_SECRET": "test-google-client-secret",
    "GEMINI_API_KEY": "test-gemini-api-key",
}
_STAGING = {
    "ENVIRONMENT": "staging",
    "NETRA_ENV": "staging",
    "LOG_LEVEL": "INFO",
    "FRONTEND_URL": "https://staging.example.com",
    "API_URL": "https://api.staging.example.com",
}
_PRODUCTION = {
    "ENVIRONMENT": "production",
    "NETRA_ENV": "production",
    "LOG_LEVEL": "WARNING",
    "FRONTEND_URL": "https://example.com",
    "API_URL": "https://api.example.com",
}


@contextlib.contextmanager
def isolated(
    variables: Mapping[str, str], source: str, clear: bool = False, fresh: bool = False
) -> Generator[IsolatedEnvironment, None, None]:
    """Isolate the environment, set variables, and give back what was there before.

    Isolated already, what was set before is kept unless ``fresh``.
    """
    env: IsolatedEnvironment = get_env()
    before = env.snapshot()
    env.enable_isolation(refresh_vars=fresh)
    for key in env.get_all() if clear else ():
        env.delete(key, source)
    for key, value in variables.items():
        env.set(key, value, source, force=True)
    try:
        yield env
    finally:
        env.restore(before)


@fixture
def isolated_env() -> Generator[IsolatedEnvironment, None, None]:
    """The environment, isolated for one test."""
    with isolated({}, "isolated_env_fixture", fresh=True) as env:
        yield env


@fixture
def test_env() -> Generator[IsolatedEnvironment, None, None]:
    """The environment, isolated, with the variables of a test run."""
    with isolated(STANDARD_TEST_CONFIG, "test_env_fixture", fresh=True) as env:
        yield env


@fixture
def staging_env() -> Generator[IsolatedEnvironment, None, None]:
    """The environment, isolated, with the variables of staging."""
    with isolated(_STAGING, "staging_env_fixture", fresh=True) as env:
        yield env


@fixture
def production_env() -> Generator[IsolatedEnvironment, None, None]:
    """The environment, isolated, with the variables of production."""
    with isolated(_PRODUCTION, "production_env_fixture", fresh=True) as env:
        yield env


@contextlib.contextmanager
def temporary_env_vars(env_vars: Mapping[str, str], source: str = "temp_context") -> Generator[IsolatedEnvironment, None, None]:
    """Set variables, isolated, for the body of the with statement."""
    with isolated(env_vars, source) as env:
        yield env


@contextlib.contextmanager
def clean_env_context(clear_all: bool = False) -> Generator[IsolatedEnvironment, None, None]:
    """Isolate the environment for the body of the with statement, emptied where asked."""
    with isolated({}, "clean_env_context", clear=clear_all) as env:
        yield env


class EnvironmentPatcher:
    """``patch.dict(os.environ, ...)`` for the isolated environment: a context manager that can also be started."""

    def __init__(self, env_vars: Mapping[str, str], clear: bool = False, source: str = "env_patcher") -> None:
        self.env_vars = dict(env_vars)
        self.clear = clear
        self.source = source
        self.env = get_env()
        self.original_values: dict[str, Optional[str]] = {}
        self.was_isolated = False
        self._context: Optional[contextlib.AbstractContextManager[IsolatedEnvironment]] = None

    def __enter__(self) -> IsolatedEnvironment:
        self.was_isolated = self.env.is_isolated()
        self.original_values = {key: self.env.get(key) for key in self.env_vars}
        self._context = isolated(self.env_vars, self.source, self.clear)
        return self._context.__enter__()

    def __exit__(
        self,
        kind: Optional[type[BaseException]] = None,
        value: Optional[BaseException] = None,
        traceback: Optional[TracebackType] = None,
    ) -> None:
        if self._context is not None:
            self._context.__exit__(kind, value, traceback)
            self._context = None

    def start(self) -> IsolatedEnvironment:
        """Enter without a with statement."""
        return self.__enter__()

    def stop(self) -> None:
        """Leave what :meth:`start` entered."""
        self.__exit__()


def patch_env(env_vars: Mapping[str, str], clear: bool = False, source: str = "patch_env") -> EnvironmentPatcher:
    """A context manager that sets variables of the isolated environment."""
    return EnvironmentPatcher(env_vars, clear, source)


def pytest_configure(config: Any) -> None:
    """Register the markers of environment tests."""
    config.addinivalue_line("markers", "isolated_env: the test runs with an isolated environment")


def pytest_runtest_setup(item: Any) -> None:
    """Isolate the environment of a test that is marked ``isolated_env``."""
    if item.get_closest_marker("isolated_env"):
        item._compat_isolated = isolated({}, "isolated_env_marker", fresh=True)
        item._compat_isolated.__enter__()


def pytest_runtest_teardown(item: Any, nextitem: Any) -> None:
    """Give back the environment that a marked test has had."""
    context = item.__dict__.pop("_compat_isolated", None)
    if context is not None:
        context.__exit__(None, None, None)
