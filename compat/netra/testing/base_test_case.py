"""The bases of test classes: an isolated environment, metrics, counters, clean-up and the unittest assertions.

They serve pytest and unittest alike, and unittest without pytest.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
import uuid
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Optional

from ..components.environment import IsolatedEnvironment
from ._pytest import fixture
from .assertions import Assertions
from .recorded_metrics import CategoryType, SsotTestContext, SsotTestMetrics

logger = logging.getLogger(__name__)

_SOURCE = "ssot_base_test_case"
_VARIABLES = ("TESTING", "TEST_ID", "TRACE_ID")


class SSotBaseTestCase(Assertions):
    """Base of test classes for pytest; ``setUp`` and ``tearDown`` serve those that are unittest classes too.

    Every test gets an isolated environment (``os.environ`` is not touched), metrics, and clean-up callbacks that run
    last in, first out, whatever the test has raised. A subclass that forgets ``super().setup_method()`` still gets
    its environment, metrics and clean-up, at first use. Of a class that is a unittest class too, pytest calls
    ``setup_method`` and ``setUp``: both prepare the same test.
    """

    @cached_property
    def _cleanup_callbacks(self) -> list[Callable[[], Any]]:
        return []

    @cached_property
    def logger(self) -> logging.Logger:
        """The logger of the test class."""
        return logging.getLogger(type(self).__name__)

    _test_context: Optional[SsotTestContext] = None
    _test_started = False
    _test_completed = False
    _original_env_state: Optional[dict[str, str]] = None
    _environment_before: Optional[tuple[Any, ...]] = None

    def setup_method(self, method: Optional[Callable[..., Any]] = None) -> None:
        """Prepare one test: its time, context, isolated environment and variables."""
        self._metrics.start_timing()
        name = getattr(method, "__name__", None) or "unknown_test"
        if self._environment_before is None:
            self._environment_before = self._env.snapshot()
        if not self._env.is_isolated():
            self._env.enable_isolation(backup_original=True)
        self._original_env_state = dict(self._env.get_all())
        self._test_context = SsotTestContext(
            test_id=f"{type(self).__name__}::{name}",
            test_name=name,
            test_category=CategoryType.UNIT,
            environment=self._env.get_environment_name(),
            metadata={"test_class": type(self).__name__},
        )
        if self._error_records not in logging.getLogger().handlers:
            logging.getLogger().addHandler(self._error_records)
        for key, value in zip(_VARIABLES, ("true", self._test_context.test_id, self._test_context.trace_id or "")):
            self.set_env_var(key, value)
        self._test_started = True

    def teardown_method(self, method: Optional[Callable[..., Any]] = None) -> None:
        """End one test: stop its time, run the clean-up callbacks, give the environment back.

        A callback that fails is logged, and fails no test.
        """
        try:
            self._metrics.end_timing()
            for callback in reversed(self._cleanup_callbacks):
                try:
                    callback()
                except Exception as error:
                    logger.warning(f"Cleanup callback failed: {error}")
            self._restore_environment()
            self._test_completed = True
        finally:
            logging.getLogger().removeHandler(self._error_records)
            self._cleanup_callbacks.clear()
            self._test_context = None
            self._original_env_state = None

    def setUp(self) -> None:
        """As :meth:`setup_method`, for unittest."""
        _call(self.setup_method, self._test_method())

    def tearDown(self) -> None:
        """As :meth:`teardown_method`, for unittest."""
        _call(self.teardown_method, self._test_method())

    def _test_method(self) -> Optional[SimpleNamespace]:
        """What has the name of the test that asks, or that unittest runs; None where neither is known."""
        frame = sys._getframe(1)
        while frame.f_back is not None and not frame.f_code.co_name.startswith("test_"):
            frame = frame.f_back
        if frame.f_code.co_name.startswith("test_"):
            return SimpleNamespace(__name__=frame.f_code.co_name)
        name = getattr(self, "_testMethodName", None)
        return SimpleNamespace(__name__=name) if name else None

    async def async_setup_method(self, method: Optional[Callable[..., Any]] = None) -> None:
        """As :meth:`setup_method`, for subclasses whose own preparation is async."""
        self.setup_method(method)

    async def async_teardown_method(self, method: Optional[Callable[..., Any]] = None) -> None:
        """As :meth:`teardown_method`, for subclasses whose own clean-up is async."""
        self.teardown_method(method)

    def _restore_environment(self) -> None:
        if self._environment_before is not None:
            self._env.restore(self._environment_before)
            self._environment_before = None
        if self._env.is_isolated():
            # Not without isolation: the variables of that name are then the process's own.
            for key in _VARIABLES:
                self._env.delete(key)

    # What a test asks for.

    def get_env(self) -> IsolatedEnvironment:
        """The isolated environment."""
        return self._env

    def get_metrics(self) -> SsotTestMetrics:
        """The metrics object of this test."""
        return self._metrics

    def get_test_context(self) -> Optional[SsotTestContext]:
        """Who this test is; None before :meth:`setup_method`."""
        return self._test_context

    def add_cleanup(self, callback: Callable[[], Any]) -> None:
        """Have a callback run at the end of the test, last in, first out."""
        self._cleanup_callbacks.append(callback)

    # The environment.

    def set_env_var(self, key: str, value: str) -> None:
        """Set a variable for this test only."""
        self._env.set(key, value, source=_SOURCE)

    def get_env_var(self, key: str, default: Optional[str] = None) -> Optional[str]:
        """A variable, or the default."""
        return self._env.get(key, default)

    def delete_env_var(self, key: str) -> None:
        """Delete a variable for this test only."""
        self._env.delete(key)

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

    async def create_authenticated_test_user(self, **kwargs: Any) -> Any:
        """Return a user with a signed token: see :func:`compat.netra.testing.users.create_test_user`."""
        from .users import create_test_user

        kwargs.setdefault("user_id", str(uuid.uuid4()))
        return create_test_user(**kwargs)


class SSotAsyncTestCase(SSotBaseTestCase):
    """Base of test classes whose tests are coroutines."""

    @fixture
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
                raise TimeoutError(error_message)
            await asyncio.sleep(min(interval, max(deadline - loop.time(), 0)))

    async def run_with_timeout(self, coro: Any, timeout: float = 5.0) -> Any:
        """Await something at most so many seconds. TimeoutError after that."""
        try:
            return await asyncio.wait_for(coro, timeout)
        except asyncio.TimeoutError:
            raise TimeoutError(f"Coroutine timed out after {timeout} seconds") from None


def _call(method: Callable[..., Any], test: Optional[SimpleNamespace]) -> None:
    """Call an overridden set-up or clean-up; a coroutine of it is thrown away, as pytest does."""
    result = method(test)
    if inspect.iscoroutine(result):
        result.close()


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
