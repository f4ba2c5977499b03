"""The bases of test classes: an isolated environment, metrics, counters, clean-up and the unittest assertions.

PYTEST_DONT_REWRITE: what an assertion here says is part of its behaviour.
"""

from __future__ import annotations

import asyncio
import logging
import unittest
import uuid
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from functools import cached_property
from typing import Any, Optional

from ..components.environment import IsolatedEnvironment, get_env
from ._pytest import pytest
from .recorded_metrics import CategoryType, SsotTestContext, SsotTestMetrics

logger = logging.getLogger(__name__)

_SOURCE = "test_case"
_ASSERT = unittest.TestCase()


class _ErrorRecords(logging.Handler):
    """Keeps the records of level ERROR and above that a test logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class SSotBaseTestCase:
    """Base of test classes for pytest; ``setUp`` and ``tearDown`` serve those that are unittest classes too.

    Every test gets an isolated environment (``os.environ`` is not touched), metrics, and clean-up callbacks that run
    last in, first out, whatever the test has raised. A subclass that forgets ``super().setup_method()`` still gets
    its environment, metrics and context, at first use.
    """

    @cached_property
    def _env(self) -> IsolatedEnvironment:
        env: IsolatedEnvironment = get_env()
        return env

    @cached_property
    def _metrics(self) -> SsotTestMetrics:
        return SsotTestMetrics()

    @cached_property
    def _cleanup_callbacks(self) -> list[Callable[[], Any]]:
        return []

    @cached_property
    def _original_env_state(self) -> dict[str, Optional[str]]:
        return {}

    @cached_property
    def _error_records(self) -> _ErrorRecords:
        return _ErrorRecords()

    @cached_property
    def logger(self) -> logging.Logger:
        """The logger of the test class."""
        return logging.getLogger(type(self).__name__)

    _test_context: Optional[SsotTestContext] = None
    _test_started = False
    _test_completed = False
    _environment_before: Optional[tuple[Any, ...]] = None

    def setup_method(self, method: Optional[Callable[..., Any]] = None) -> None:
        """Prepare one test. A second call for the same test changes nothing."""
        if self._test_started and not self._test_completed:
            return
        name = getattr(method, "__name__", None) or getattr(self, "_testMethodName", None) or "unknown_test"
        self._test_started, self._test_completed = True, False
        self._environment_before = self._env.snapshot()
        if not self._env.is_isolated():
            self._env.enable_isolation()
        self._test_context = SsotTestContext(
            test_id=f"{type(self).__module__}.{type(self).__name__}.{name}",
            test_name=name,
            test_category=CategoryType.UNIT,
            environment="test",
            metadata={"test_class": type(self).__name__},
        )
        self._metrics = SsotTestMetrics()
        self._metrics.start_timing()
        logging.getLogger().addHandler(self._error_records)
        self.set_env_var("TESTING", "true")
        self.set_env_var("TEST_ID", self._test_context.test_id)
        self.set_env_var("TRACE_ID", self._test_context.trace_id or "")

    def teardown_method(self, method: Optional[Callable[..., Any]] = None) -> None:
        """End one test: stop its time, run the clean-up callbacks, give the environment back."""
        if self._test_completed:
            return
        self._metrics.end_timing()
        try:
            self._run_cleanup_callbacks()
        finally:
            logging.getLogger().removeHandler(self._error_records)
            self._restore_environment()
            self._test_completed = True

    def setUp(self) -> None:
        """As :meth:`setup_method`, for unittest."""
        self.setup_method()

    def tearDown(self) -> None:
        """As :meth:`teardown_method`, for unittest."""
        self.teardown_method()

    async def async_setup_method(self, method: Optional[Callable[..., Any]] = None) -> None:
        """As :meth:`setup_method`, for subclasses whose own preparation is async."""
        self.setup_method(method)

    async def async_teardown_method(self, method: Optional[Callable[..., Any]] = None) -> None:
        """As :meth:`teardown_method`, for subclasses whose own clean-up is async."""
        self.teardown_method(method)

    def _run_cleanup_callbacks(self) -> None:
        failures: list[Exception] = []
        while self._cleanup_callbacks:
            try:
                self._cleanup_callbacks.pop()()
            except Exception as error:
                logger.error(f"Cleanup callback failed: {error}")
                failures.append(error)

    def _restore_environment(self) -> None:
        self._original_env_state.clear()
        if self._environment_before is not None:
            self._env.restore(self._environment_before)
            self._environment_before = None

    # What a test asks for and records.

    def get_env(self) -> IsolatedEnvironment:
        """The isolated environment."""
        return self._env

    def get_metrics(self) -> SsotTestMetrics:
        """The metrics object of this test."""
        return self._metrics

    def get_test_context(self) -> Optional[SsotTestContext]:
        """Who this test is; None before :meth:`setup_method`."""
        return self._test_context

    def record_metric(self, name: str, value: Any) -> None:
        """Record a metric of the test's own."""
        self._metrics.record_custom(name, value)

    def get_metric(self, name: str, default: Any = None) -> Any:
        """A recorded metric, or the default."""
        return self._metrics.get_custom(name, default)

    def get_all_metrics(self) -> dict[str, Any]:
        """Counters, execution time and the test's own metrics, in one dictionary."""
        return {
            "execution_time": self._metrics.execution_time,
            "memory_usage": self._metrics.memory_usage,
            "database_queries": self._metrics.database_queries,
            "redis_operations": self._metrics.redis_operations,
            "websocket_events": self._metrics.websocket_events,
            "llm_requests": self._metrics.llm_requests,
            **self._metrics.custom_metrics,
        }

    def add_cleanup(self, callback: Callable[[], Any]) -> None:
        """Have a callback run at the end of the test, last in, first out."""
        self._cleanup_callbacks.append(callback)

    # The environment.

    def set_env_var(self, key: str, value: str) -> None:
        """Set a variable for this test only."""
        self._remember(key)
        self._env.set(key, value, source=_SOURCE)

    def get_env_var(self, key: str, default: Optional[str] = None) -> Optional[str]:
        """A variable, or the default."""
        return self._env.get(key, default)

    def delete_env_var(self, key: str) -> None:
        """Delete a variable for this test only."""
        self._remember(key)
        self._env.delete(key)

    def _remember(self, key: str) -> None:
        if key not in self._original_env_state:
            self._original_env_state[key] = self._env.get(key)

    @contextmanager
    def temp_env_vars(self, **kwargs: str) -> Generator[None, None, None]:
        """Set variables for the body of the with statement."""
        before = {key: self._env.get(key) for key in kwargs}
        for key, value in kwargs.items():
            self.set_env_var(key, value)
        try:
            yield
        finally:
            for key, old in before.items():
                if old is None:
                    self._env.delete(key)
                else:
                    self._env.set(key, old, source=_SOURCE)

    def mock_environment_variables(self, env_vars: Mapping[str, str]) -> AbstractContextManager[None]:
        """As :meth:`temp_env_vars`, from a mapping."""
        return self.temp_env_vars(**env_vars)

    @asynccontextmanager
    async def async_temp_env_vars(self, **kwargs: str) -> AsyncGenerator[None, None]:
        """As :meth:`temp_env_vars`, for ``async with``."""
        with self.temp_env_vars(**kwargs):
            yield

    # Counters.

    def increment_db_query_count(self, count: int = 1) -> None:
        """Count database queries."""
        self._metrics.database_queries += count

    def get_db_query_count(self) -> int:
        """Database queries counted."""
        return self._metrics.database_queries

    @contextmanager
    def track_db_queries(self) -> Generator[None, None, None]:
        """Record as ``db_queries_in_context`` how many queries the body counts."""
        before = self._metrics.database_queries
        try:
            yield
        finally:
            self.record_metric("db_queries_in_context", self._metrics.database_queries - before)

    def increment_redis_ops_count(self, count: int = 1) -> None:
        """Count Redis operations."""
        self._metrics.redis_operations += count

    def get_redis_ops_count(self) -> int:
        """Redis operations counted."""
        return self._metrics.redis_operations

    def increment_websocket_events(self, count: int = 1) -> None:
        """Count WebSocket events."""
        self._metrics.websocket_events += count

    def get_websocket_events_count(self) -> int:
        """WebSocket events counted."""
        return self._metrics.websocket_events

    @contextmanager
    def track_websocket_events(self) -> Generator[None, None, None]:
        """Record as ``websocket_events_in_context`` how many events the body counts."""
        before = self._metrics.websocket_events
        try:
            yield
        finally:
            self.record_metric("websocket_events_in_context", self._metrics.websocket_events - before)

    def increment_llm_requests(self, count: int = 1) -> None:
        """Count requests to language models."""
        self._metrics.llm_requests += count

    def get_llm_requests_count(self) -> int:
        """Requests to language models counted."""
        return self._metrics.llm_requests

    # Assertions: unittest's own, as methods of a class that is none of its test cases.

    assertIsNotNone = _ASSERT.assertIsNotNone
    assertIsNone = _ASSERT.assertIsNone
    assertEqual = _ASSERT.assertEqual
    assertNotEqual = _ASSERT.assertNotEqual
    assertTrue = _ASSERT.assertTrue
    assertFalse = _ASSERT.assertFalse
    assertIn = _ASSERT.assertIn
    assertNotIn = _ASSERT.assertNotIn
    assertGreater = _ASSERT.assertGreater
    assertGreaterEqual = _ASSERT.assertGreaterEqual
    assertLess = _ASSERT.assertLess
    assertLessEqual = _ASSERT.assertLessEqual
    assertAlmostEqual = _ASSERT.assertAlmostEqual
    assertIsInstance = _ASSERT.assertIsInstance
    assertNotIsInstance = _ASSERT.assertNotIsInstance
    assertIs = _ASSERT.assertIs
    assertIsNot = _ASSERT.assertIsNot
    assertRaises = _ASSERT.assertRaises
    assertRaisesRegex = _ASSERT.assertRaisesRegex
    assertLogs = _ASSERT.assertLogs
    assertRegex = _ASSERT.assertRegex
    assertCountEqual = _ASSERT.assertCountEqual
    fail = _ASSERT.fail

    def assert_env_var_set(self, key: str, expected_value: Optional[str] = None) -> None:
        """Fail unless the variable is set, to that value where one is given."""
        value = self._env.get(key)
        assert value is not None, f"Environment variable '{key}' is not set"
        if expected_value is not None:
            assert value == expected_value, f"Environment variable '{key}' is {value!r}, expected {expected_value!r}"

    def assert_env_var_not_set(self, key: str) -> None:
        """Fail if the variable is set."""
        value = self._env.get(key)
        assert value is None, f"Environment variable '{key}' is set to {value!r}"

    def assert_metrics_recorded(self, *metric_names: str) -> None:
        """Fail unless each metric has been recorded."""
        recorded = self.get_all_metrics()
        missing = [name for name in metric_names if name not in recorded]
        assert not missing, f"Metrics not recorded: {', '.join(missing)}"

    def assert_execution_time_under(self, max_seconds: float) -> None:
        """Fail if the test has run longer than that, up to its end or to now."""
        if self._metrics.end_time is None:
            self._metrics.end_timing()
            self._metrics.end_time = None
        spent = self._metrics.execution_time
        assert spent < max_seconds, f"Test took {spent:.3f} s, more than {max_seconds} s"

    def expect_exception(self, exception_class: type[BaseException], message_pattern: Optional[str] = None) -> Any:
        """Return a context manager that fails unless the body raises that, with a message the pattern is found in."""
        return pytest.raises(exception_class, match=message_pattern)

    def assert_no_exceptions_logged(self, logger_name: Optional[str] = None) -> None:
        """Fail if an error has been logged during this test, by that logger or its children, or by any."""
        found = [
            record
            for record in self._error_records.records
            if logger_name is None or (record.name + ".").startswith(logger_name + ".")
        ]
        assert not found, "Errors were logged: " + "; ".join(f"{r.name}: {r.getMessage()}" for r in found)

    async def create_authenticated_test_user(self, **kwargs: Any) -> Any:
        """Return a user with a signed token: see :func:`compat.netra.testing.users.create_test_user`."""
        from .users import create_test_user

        kwargs.setdefault("user_id", str(uuid.uuid4()))
        return create_test_user(**kwargs)


class SSotAsyncTestCase(SSotBaseTestCase):
    """Base of test classes whose tests are coroutines."""

    @pytest.fixture
    def event_loop(self) -> Generator[asyncio.AbstractEventLoop, None, None]:
        """A loop of the test's own, closed after it."""
        loop = asyncio.new_event_loop()
        yield loop
        loop.close()

    async def wait_for_condition(
        self,
        condition: Callable[[], Any],
        timeout: float = 5.0,
        interval: float = 0.1,
        error_message: str = "Condition not met within timeout",
    ) -> None:
        """Wait until the condition, sync or async, holds. TimeoutError with the message after so many seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            holds = condition()
            if asyncio.iscoroutine(holds):
                holds = await holds
            if holds:
                return
            if loop.time() >= deadline:
                raise TimeoutError(f"{error_message} (timeout: {timeout}s)")
            await asyncio.sleep(min(interval, max(deadline - loop.time(), 0)))

    async def run_with_timeout(self, coro: Any, timeout: float = 5.0) -> Any:
        """Await something at most so many seconds. TimeoutError after that."""
        try:
            return await asyncio.wait_for(coro, timeout)
        except asyncio.TimeoutError:
            raise TimeoutError(f"Operation timed out after {timeout} seconds") from None


BaseTestCase = SSotBaseTestCase
AsyncTestCase = SSotAsyncTestCase
BaseIntegrationTest = SSotBaseTestCase
SSotAsyncBaseTestCase = SSotAsyncTestCase
TestMetrics = SsotTestMetrics
TestContext = SsotTestContext

__all__ = [
    "AsyncTestCase",
    "BaseIntegrationTest",
    "BaseTestCase",
    "CategoryType",
    "SSotAsyncBaseTestCase",
    "SSotAsyncTestCase",
    "SSotBaseTestCase",
    "SsotTestContext",
    "SsotTestMetrics",
    "TestContext",
    "TestMetrics",
]
