"""The assertions of a test case: unittest's own, and those about variables, metrics, time and what was logged.

PYTEST_DONT_REWRITE: what an assertion here says is part of its behaviour.
"""

from __future__ import annotations

import logging
import unittest
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional

from ..components.environment import IsolatedEnvironment, get_env
from ._pytest import HAS_PYTEST
from .counters import Counters

if HAS_PYTEST:
    import pytest

_ASSERT = unittest.TestCase()


class _ErrorRecords(logging.Handler):
    """Keeps the records of level ERROR and above that a test logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class Assertions(Counters):
    """unittest's assertions, as methods of a class that is none of its test cases, and more."""

    @cached_property
    def _env(self) -> IsolatedEnvironment:
        env: IsolatedEnvironment = get_env()
        return env

    @cached_property
    def _error_records(self) -> _ErrorRecords:
        return _ErrorRecords()

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

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Any further assertion of unittest, ``subTest`` and ``skipTest``, for a class that is none of its test cases."""
            if name.startswith("assert") or name in ("subTest", "skipTest"):
                return getattr(_ASSERT, name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def assertAlmostEqual(self, first: Any, second: Any, places: int = 7, msg: Any = None, delta: Optional[float] = None) -> None:
        """Fail unless the two differ by at most ``delta``, else by at most ten to the power of minus ``places``."""
        limit = 10**-places if delta is None else delta
        if not abs(first - second) <= limit:
            raise AssertionError(msg or f"{first!r} != {second!r} within {limit!r} ({abs(first - second)!r} difference)")

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
        """Fail unless each is among the metrics of the test's own."""
        missing = [name for name in metric_names if name not in self._metrics.custom_metrics]
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
        if HAS_PYTEST:
            return pytest.raises(exception_class, match=message_pattern)
        if message_pattern is None:
            return _ASSERT.assertRaises(exception_class)
        return _ASSERT.assertRaisesRegex(exception_class, message_pattern)

    def assert_no_exceptions_logged(self, logger_name: Optional[str] = None) -> None:
        """Fail if an error has been logged during this test, by that logger or its children, or by any."""
        found = [
            record
            for record in self._error_records.records
            if logger_name is None or (record.name + ".").startswith(logger_name + ".")
        ]
        assert not found, "Errors were logged: " + "; ".join(f"{r.name}: {r.getMessage()}" for r in found)
