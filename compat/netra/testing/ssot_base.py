"""The older bases of unittest: an environment of the test's own, what it opens, patches and measures.

PYTEST_DONT_REWRITE: what an assertion here says is part of its behaviour.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import time
import unittest
import uuid
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, Optional
from unittest.mock import patch

from ..components.environment import IsolatedEnvironment, get_env
from .environment_fixtures import isolated

logger = logging.getLogger(__name__)

_SOURCE = "base_test_case"
_SERVICES = {"database": "DATABASE_URL", "redis": "REDIS_URL", "websocket": "WEBSOCKET_URL"}


def _memory_mb() -> Optional[float]:
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class ExecutionMetrics:
    """How long a test and its preparation took, what memory it needed at most, and what it complained of."""

    def __init__(self) -> None:
        self.start_time: Optional[float] = None
        self.end_time: Optional[float] = None
        self.test_duration: Optional[float] = None
        self.setup_duration: Optional[float] = None
        self.teardown_duration: Optional[float] = None
        self.memory_start: Optional[float] = None
        self.memory_end: Optional[float] = None
        self.errors: list[str] = []
        self.warnings: list[str] = []

    def start_execution(self) -> None:
        """Begin the time that counts."""
        self.start_time = time.time()
        self.memory_start = _memory_mb()

    def end_execution(self) -> None:
        """End it; without a beginning there is nothing to measure."""
        self.end_time = time.time()
        self.memory_end = _memory_mb()
        if self.start_time is not None:
            self.test_duration = self.end_time - self.start_time

    def to_dict(self) -> dict[str, Any]:
        """Durations in seconds, memory in MB, errors and warnings."""
        delta = None
        if self.memory_start is not None and self.memory_end is not None:
            delta = self.memory_end - self.memory_start
        return {
            "test_duration": self.test_duration,
            "setup_duration": self.setup_duration,
            "teardown_duration": self.teardown_duration,
            "memory_start_mb": self.memory_start,
            "memory_end_mb": self.memory_end,
            "memory_delta_mb": delta,
            "errors": self.errors,
            "warnings": self.warnings,
        }


class BaseTestCase(unittest.TestCase):
    """Base of unittest classes: isolated variables, and clean-up of what the test has opened."""

    REQUIRES_DATABASE = False
    REQUIRES_REDIS = False
    REQUIRES_WEBSOCKET = False
    REQUIRES_REAL_SERVICES = False
    ISOLATION_ENABLED = True
    AUTO_CLEANUP = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.env: IsolatedEnvironment = get_env()
        self.metrics = ExecutionMetrics()
        self.test_name = self._testMethodName
        self.test_class = type(self).__name__
        self._test_id = f"test_{uuid.uuid4().hex[:8]}"
        self._resources_to_cleanup: list[Any] = []
        self._temp_files: list[str] = []
        self._active_patches: list[Any] = []
        self._environment_before: Optional[tuple[Any, ...]] = None

    def setUp(self) -> None:
        """Isolate the environment and say in it which test runs."""
        super().setUp()
        began = time.time()
        self.metrics.start_execution()
        if self.ISOLATION_ENABLED:
            self._environment_before = self.env.snapshot()
            self.env.enable_isolation()
            for key, value in self._variables().items():
                self.env.set(key, value, source=_SOURCE)
        self.metrics.setup_duration = time.time() - began

    def tearDown(self) -> None:
        """Close what was opened, last in, first out; stop the patches; give the environment back. Problems are logged."""
        began = time.time()
        self.metrics.end_execution()
        if self.AUTO_CLEANUP:
            for resource in reversed(self._resources_to_cleanup):
                self._attempt(f"clean up {resource!r}", partial(_close, resource))
            for file in self._temp_files:
                if os.path.exists(file):
                    self._attempt(f"remove {file}", partial(os.unlink, file))
            for active in reversed(self._active_patches):
                self._attempt("stop a patch", active.stop)
            for kept in (self._resources_to_cleanup, self._temp_files, self._active_patches):
                kept.clear()
        if self._environment_before is not None:
            self.env.restore(self._environment_before)
            self._environment_before = None
        self.metrics.teardown_duration = time.time() - began
        super().tearDown()

    def _variables(self) -> dict[str, str]:
        return {
            "TESTING": "true",
            "ENVIRONMENT": "test",
            "TEST_ID": self._test_id,
            "TEST_NAME": self.test_name,
            "TEST_CLASS": self.test_class,
            "LOG_LEVEL": self.env.get("LOG_LEVEL") or "INFO",
        }

    def _attempt(self, what: str, act: Callable[[], Any]) -> None:
        try:
            act()
        except Exception as error:
            self.metrics.warnings.append(f"could not {what}: {error}")
            logger.warning("%s could not %s: %s", self._test_id, what, error)

    # What a test uses.

    @contextmanager
    def isolated_environment(self, **env: str) -> Generator[IsolatedEnvironment, None, None]:
        """Set variables for the body of the with statement."""
        with isolated(env, _SOURCE) as environment:
            yield environment

    def track_resource(self, resource: Any) -> Any:
        """Have something closed, or cleaned up, at the end of the test, and return it."""
        self._resources_to_cleanup.append(resource)
        return resource

    def track_temp_file(self, path: Any) -> Any:
        """Have a file removed at the end of the test, and return its path."""
        self._temp_files.append(path)
        return path

    def apply_patch(self, *args: Any, **kwargs: Any) -> Any:
        """Patch as ``unittest.mock.patch`` does until the end of the test, and return the mock."""
        patcher = patch(*args, **kwargs)
        made = patcher.start()
        self._active_patches.append(patcher)
        return made

    @asynccontextmanager
    async def async_test_context(self) -> AsyncGenerator[BaseTestCase, None]:
        """The body of the async with statement runs between ``async_setup`` and ``async_teardown``."""
        await self.async_setup()
        try:
            yield self
        finally:
            await self.async_teardown()

    async def async_setup(self) -> None:
        """Preparation that must be awaited: none here, subclasses add theirs."""

    async def async_teardown(self) -> None:
        """Clean-up that must be awaited: none here, subclasses add theirs."""

    def get_test_database_url(self) -> str:
        """``TEST_DATABASE_URL``, else ``DATABASE_URL``, else a database in memory."""
        return self.env.get("TEST_DATABASE_URL") or self.env.get("DATABASE_URL") or "sqlite+aiosqlite:///:memory:"

    def get_test_redis_url(self) -> str:
        """``TEST_REDIS_URL``, else ``REDIS_URL``, else the local one."""
        return self.env.get("TEST_REDIS_URL") or self.env.get("REDIS_URL") or "redis://localhost:6379/0"

    def get_service_status(self) -> dict[str, bool]:
        """For each service whether its address is set."""
        return {name: bool(self.env.get(variable)) for name, variable in _SERVICES.items()}

    def skip_if_missing_service(self, service_name: str) -> None:
        """Skip the test unless the service's address is set."""
        if not self.get_service_status().get(service_name, False):
            self.skipTest(f"Service '{service_name}' is not available")

    def assert_no_errors(self) -> None:
        """Fail if the test has recorded an error."""
        assert not self.metrics.errors, f"Test recorded errors: {self.metrics.errors}"

    def assert_performance_threshold(self, max_duration: float) -> None:
        """Fail if the test has run longer than that, up to its end or to now."""
        spent = self.metrics.test_duration
        if spent is None:
            spent = time.time() - (self.metrics.start_time or time.time())
        assert spent <= max_duration, f"Test took {spent:.3f} s, more than {max_duration} s"


class AsyncBaseTestCase(BaseTestCase):
    """Base of tests that run coroutines."""

    async def asyncSetUp(self) -> None:
        """Preparation that must be awaited."""
        await self.async_setup()

    async def asyncTearDown(self) -> None:
        """Clean-up that must be awaited."""
        await self.async_teardown()

    def run_async_test(self, coro: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine between :meth:`asyncSetUp` and :meth:`asyncTearDown`, in a loop of its own."""

        async def run() -> Any:
            await self.asyncSetUp()
            try:
                return await coro
            finally:
                await self.asyncTearDown()

        return asyncio.run(run())


class DatabaseTestCase(AsyncBaseTestCase):
    """Base of tests of a database."""

    REQUIRES_DATABASE = True

    def get_database_session(self) -> Any:
        """A mocked session that finds nothing, closed at the end of the test; subclasses return a real one."""
        from .mock_factory import SSotMockFactory

        return self.track_resource(SSotMockFactory.create_database_session_mock())


class WebSocketTestCase(AsyncBaseTestCase):
    """Base of tests of sockets."""

    REQUIRES_WEBSOCKET = True

    def get_websocket_client(self) -> Any:
        """A mocked socket, closed at the end of the test; subclasses return a real one."""
        from .mock_factory import SSotMockFactory

        return self.track_resource(SSotMockFactory.create_websocket_mock(f"conn_{self._test_id}"))


class IntegrationTestCase(AsyncBaseTestCase):
    """Base of tests of services together."""

    REQUIRES_DATABASE = True
    REQUIRES_REDIS = True
    REQUIRES_REAL_SERVICES = True


def _close(resource: Any) -> None:
    end = getattr(resource, "close", None) or getattr(resource, "cleanup", None)
    result = end() if callable(end) else None
    if inspect.isawaitable(result):

        async def wait() -> None:
            await result

        asyncio.run(wait())


def validate_test_class(test_class: type) -> list[str]:
    """What is wrong with a test class, one sentence each."""
    problems = []
    if not issubclass(test_class, BaseTestCase):
        problems.append(f"{test_class.__name__} must inherit from BaseTestCase")
    if not test_class.__name__.endswith(("Test", "Tests", "TestCase")) and not test_class.__name__.startswith("Test"):
        problems.append(f"{test_class.__name__} is not named as a test class")
    for name in ("setUp", "tearDown"):
        if name in vars(test_class) and "super" not in vars(test_class)[name].__code__.co_names:
            problems.append(f"{test_class.__name__}.{name} does not call super().{name}()")
    return problems


_BASES: dict[str, type[BaseTestCase]] = {
    "unit": BaseTestCase,
    "async": AsyncBaseTestCase,
    "database": DatabaseTestCase,
    "websocket": WebSocketTestCase,
    "integration": IntegrationTestCase,
    "e2e": IntegrationTestCase,
}


def get_test_base_for_category(category: str) -> type[BaseTestCase]:
    """The base for a kind of test; :class:`BaseTestCase` for what is not known."""
    return _BASES.get(str(category).lower(), BaseTestCase)
