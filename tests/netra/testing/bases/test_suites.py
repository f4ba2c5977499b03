"""Test classes written for the old framework run unchanged, in a pytest of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import compat

SUITE = """
import asyncio
import unittest
from unittest.mock import patch

import pytest

from shared.isolated_environment import get_env
from test_framework.base import AsyncTestCase, BaseTestCase, BaseUnitTest
from test_framework.base_integration_test import BaseIntegrationTest
from test_framework.isolated_environment_fixtures import isolated_env, test_env
from test_framework.ssot.base_test_case import CategoryType, SSotAsyncTestCase, SSotBaseTestCase
from test_framework.ssot.mock_factory import SSotMockFactory
from netra_backend.app.websocket_core.user_session_manager import UserSessionManager


class TestIntegration(BaseIntegrationTest):
    def setup_method(self):
        super().setup_method()
        self.sessions = UserSessionManager()

    def test_environment(self, isolated_env):
        isolated_env.set("LEGACY_SUITE", "1", source="test")
        assert get_env() is self.env is isolated_env

    def test_value(self):
        self.assert_business_value_delivered({"analysis": {"savings": 5}}, "cost_savings")

    def test_sessions(self):
        session = asyncio.run(self.sessions.create_session("user_1", {}))
        assert asyncio.run(self.sessions.is_session_active(session))


class TestSsot(SSotBaseTestCase):
    def setup_method(self, method=None):
        super().setup_method(method)
        self.mocks = SSotMockFactory.create_mock_suite(["agent", "websocket"])

    def test_recorded(self):
        self.record_metric("n", 1)
        self.assertEqual(self.get_metric("n"), 1)
        self.assertIn("agent", self.mocks)
        assert self.get_test_context().test_category is CategoryType.UNIT
        assert get_env().get("LEGACY_SUITE") is None

    def test_variables(self, test_env):
        with self.temp_env_vars(LEGACY_SUITE="2"):
            self.assert_env_var_set("LEGACY_SUITE", "2")


class TestAsync(SSotAsyncTestCase):
    def test_waiting(self):
        asyncio.run(self.wait_for_condition(lambda: True))


class TestUnittest(SSotAsyncTestCase, unittest.TestCase):
    def setUp(self):
        super().setUp()
        self.ready = True

    def test_it(self):
        self.assertTrue(self.ready)


class TestSmall(AsyncTestCase):
    def test_metrics(self):
        self.record_metric("n", 2)
        assert self.get_all_metrics() == {"n": 2} and isinstance(self, BaseTestCase)


class TestSmallUnittest(BaseTestCase, unittest.TestCase):
    def setup_method(self, method):
        super().setup_method(method)
        self.named = method.__name__

    def test_named(self):
        assert self.named == "test_named"


class TestIntegrationUnittest(BaseIntegrationTest, unittest.TestCase):
    def test_environment(self):
        self.assertTrue(self.env.is_isolated())


class TestUnit(BaseUnitTest):
    def test_fails_as_it_should(self):
        with self.expect_exception(AssertionError):
            self.assertIsNone(1)
"""
CONFTEST = "import compat\nfrom compat.netra.ledger import LEDGER\n\ncompat.install(LEDGER)\n"


def test_an_old_suite_passes(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_suite.py").write_text(SUITE, encoding="utf-8")
    root = str(Path(compat.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": root, "COMPAT_TELEMETRY": "off"}
    environment.pop("PYTEST_CURRENT_TEST", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "11 passed" in done.stdout


UNITTEST = """
import sys
import unittest

sys.modules["pytest"] = None

from test_framework.ssot.base import AsyncBaseTestCase, BaseTestCase
from test_framework.ssot.base_test_case import SSotAsyncTestCase, SSotBaseTestCase


class TestPlain(SSotBaseTestCase, unittest.TestCase):
    def setup_method(self, method):
        super().setup_method(method)
        self.named = method.__name__

    def test_named(self):
        self.assertEqual(self.named, "test_named")
        self.assertEqual(self.get_test_context().test_id, "TestPlain::test_named")

    def test_raises(self):
        with self.expect_exception(ValueError, "invalid literal"):
            int("x")


class TestLoop(SSotAsyncTestCase, unittest.IsolatedAsyncioTestCase):
    async def test_waits(self):
        await self.wait_for_condition(lambda: True)


class TestOlder(BaseTestCase):
    def test_environment(self):
        self.assertEqual(self.env.get("TEST_NAME"), "test_environment")


class TestOlderLoop(AsyncBaseTestCase):
    def test_runs(self):
        async def answer():
            return 42

        self.assertEqual(self.run_async_test(answer()), 42)
"""


def test_old_suites_run_with_unittest_alone(tmp_path: Path) -> None:
    (tmp_path / "test_old.py").write_text(
        "import compat\nfrom compat.netra.ledger import LEDGER\ncompat.install(LEDGER)\n" + UNITTEST
    )
    root = str(Path(compat.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": root, "COMPAT_TELEMETRY": "off"}
    environment.pop("PYTEST_CURRENT_TEST", None)
    command = [sys.executable, "-m", "unittest", "-v", "test_old"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Ran 5 tests" in done.stderr
