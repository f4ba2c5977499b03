"""Small bases, mocks and fixtures for plain unit tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from typing import Any
from unittest.mock import AsyncMock, Mock

from ._pytest import fixture
from .base_test_case import SSotBaseTestCase


class BaseTestCase:
    """Base of test classes that record metrics."""

    _recorded: dict[str, Any]
    start_time: float

    def setup_method(self, method: Any = None) -> None:
        """Prepare one test."""
        self._recorded = {}
        self.start_time = time.time()

    def teardown_method(self, method: Any = None) -> None:
        """End one test."""
        self._metrics.setdefault("test_duration", time.time() - self.__dict__.get("start_time", time.time()))

    @property
    def _metrics(self) -> dict[str, Any]:
        # A subclass may forget super().setup_method().
        return self.__dict__.setdefault("_recorded", {})  # type: ignore[no-any-return]

    def record_metric(self, name: str, value: Any) -> None:
        """Record a metric."""
        self._metrics[name] = value

    def get_metric(self, name: str) -> Any:
        """A recorded metric, or None."""
        return self._metrics.get(name)

    def get_all_metrics(self) -> dict[str, Any]:
        """Every recorded metric, in a dictionary of the caller's own."""
        return dict(self._metrics)


class AsyncTestCase(BaseTestCase):
    """Base of test classes whose tests are coroutines."""

    @fixture
    def event_loop(self) -> Generator[asyncio.AbstractEventLoop, None, None]:
        """A loop of the test's own, closed after it."""
        loop = asyncio.new_event_loop()
        yield loop
        loop.close()


class MockBase:
    """An object whose attributes are its arguments."""

    def __init__(self, **kwargs: Any) -> None:
        self.__dict__.update(kwargs)


class TestFixtures:
    """Plain dictionaries for tests."""

    __test__ = False

    @staticmethod
    def create_mock_user(user_id: str = "test-user") -> dict[str, Any]:
        """A user."""
        return {"id": user_id, "user_id": user_id, "email": f"{user_id}@example.com", "name": f"Test User {user_id}"}

    @staticmethod
    def create_mock_session(session_id: str = "test-session") -> dict[str, Any]:
        """A session."""
        return {"id": session_id, "session_id": session_id, "created_at": time.time(), "active": True}


def create_async_mock(**kwargs: Any) -> AsyncMock:
    """An AsyncMock with those attributes."""
    return AsyncMock(**kwargs)


def create_mock(**kwargs: Any) -> Mock:
    """A Mock with those attributes."""
    return Mock(**kwargs)


BaseUnitTest = SSotBaseTestCase
