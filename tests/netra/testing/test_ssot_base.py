"""The older unittest bases isolate variables, clean up what a test opens, and say which base serves which kind of test."""

from __future__ import annotations

import asyncio
import os
import unittest

import pytest

from compat.netra.components.environment import get_env
from compat.netra.testing import ssot_base
from compat.netra.testing.ssot_base import (
    AsyncBaseTestCase,
    BaseTestCase,
    DatabaseTestCase,
    ExecutionMetrics,
    IntegrationTestCase,
    WebSocketTestCase,
    get_test_base_for_category,
    validate_test_class,
)


def run(test) -> tuple:
    """Run a function as the only test of a class; return the case and its problems."""
    kind = type("TestMade", (BaseTestCase,), {"test_made": test})
    case, result = kind("test_made"), unittest.TestResult()
    case.run(result)
    return case, [text for _, text in result.errors + result.failures]


def test_the_variables_of_a_test_end_with_it() -> None:
    before, seen = get_env().get("TEST_NAME"), {}

    def test(self) -> None:
        names = ("TESTING", "ENVIRONMENT", "TEST_ID", "TEST_NAME", "TEST_CLASS")
        seen.update({name: self.env.get(name) for name in names})
        with self.isolated_environment(COMPAT_OLDER="inside"):
            seen["inside"] = self.env.get("COMPAT_OLDER")
        seen["after"] = self.env.get("COMPAT_OLDER")

    case, problems = run(test)
    assert problems == []
    assert seen == {
        "TESTING": "true", "ENVIRONMENT": "test", "TEST_ID": case._test_id, "TEST_NAME": "test_made", "TEST_CLASS": "TestMade",
        "inside": "inside", "after": None,
    }  # fmt: skip
    assert get_env().get("TEST_NAME") == before and "TEST_NAME" not in os.environ


def test_what_is_opened_is_closed_last_first_and_problems_are_told(tmp_path, caplog) -> None:
    order: list[str] = []
    file = tmp_path / "kept.txt"
    file.write_text("x")

    class Opened:
        def __init__(self, name: str) -> None:
            self.name = name

        def close(self) -> None:
            order.append(self.name)

    class OpenedAsync(Opened):
        async def close(self) -> None:
            order.append(self.name)

    class Broken:
        def cleanup(self) -> None:
            raise RuntimeError("broken")

        def __repr__(self) -> str:
            return "Broken"

    def test(self) -> None:
        for resource in (Opened("first"), Broken(), OpenedAsync("last")):
            self.track_resource(resource)
        self.track_temp_file(str(file))
        mock = self.apply_patch("compat.netra.testing.ssot_base.uuid")
        assert ssot_base.uuid is mock

    case, problems = run(test)
    assert problems == [] and order == ["last", "first"] and not file.exists()
    assert ssot_base.uuid.__name__ == "uuid"
    assert case.metrics.warnings == ["could not clean up Broken: broken"]
    assert f"{case._test_id} could not clean up Broken: broken" in caplog.messages


def test_metrics_of_a_test() -> None:
    case, _ = run(lambda self: self.assert_performance_threshold(60))
    assert list(case.metrics.to_dict()) == [
        "test_duration", "setup_duration", "teardown_duration", "memory_start_mb", "memory_end_mb", "memory_delta_mb",
        "errors", "warnings",
    ]  # fmt: skip
    with pytest.raises(AssertionError, match=r"more than -1 s$"):
        case.assert_performance_threshold(-1)
    case.metrics.errors.append("wrong")
    with pytest.raises(AssertionError, match=r"^Test recorded errors: \['wrong'\]"):
        case.assert_no_errors()
    assert ExecutionMetrics().to_dict()["test_duration"] is None


def test_a_missing_service_skips_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEBSOCKET_URL", raising=False)
    case = BaseTestCase("run")
    assert set(case.get_service_status()) == {"database", "redis", "websocket"}
    with pytest.raises(unittest.SkipTest, match=r"^Service 'websocket' is not available$"):
        case.skip_if_missing_service("websocket")


def test_coroutines_run_between_their_own_preparation_and_clean_up() -> None:
    order: list[str] = []

    class Case(AsyncBaseTestCase):
        async def async_setup(self) -> None:
            order.append("setup")

        async def async_teardown(self) -> None:
            order.append("teardown")

    async def answer() -> int:
        order.append("test")
        return 42

    case = Case("run")
    assert case.run_async_test(answer()) == 42

    async def scenario() -> None:
        async with case.async_test_context() as context:
            assert context is case

    asyncio.run(scenario())
    assert order == ["setup", "test", "teardown", "setup", "teardown"]


def test_the_base_for_a_kind_of_test() -> None:
    assert get_test_base_for_category("database") is DatabaseTestCase and DatabaseTestCase.REQUIRES_DATABASE
    assert get_test_base_for_category("websocket") is WebSocketTestCase and WebSocketTestCase.REQUIRES_WEBSOCKET
    assert get_test_base_for_category("integration") is IntegrationTestCase and IntegrationTestCase.REQUIRES_REAL_SERVICES
    assert get_test_base_for_category("anything") is BaseTestCase and not BaseTestCase.REQUIRES_REDIS
    session = DatabaseTestCase("run").get_database_session()
    assert asyncio.run(WebSocketTestCase("run").get_websocket_client().send_text("x")) is not None
    assert asyncio.run(session.execute("SELECT 1")).fetchall() == []


def test_what_is_wrong_with_a_test_class() -> None:
    class Wrong:
        pass

    class TestForgetful(BaseTestCase):
        def setUp(self) -> None:
            pass

    assert validate_test_class(Wrong) == ["Wrong must inherit from BaseTestCase", "Wrong is not named as a test class"]
    assert validate_test_class(TestForgetful) == ["TestForgetful.setUp does not call super().setUp()"]
    assert validate_test_class(BaseTestCase) == []
