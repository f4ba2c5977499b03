"""Integration tests have a logger, an isolated environment, users, and say when value is missing."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from unittest.mock import AsyncMock

import pytest

from compat.netra.components.environment import get_env
from compat.netra.testing.base import AsyncTestCase, BaseTestCase, MockBase, TestFixtures, create_async_mock, create_mock
from compat.netra.testing.integration import (
    BaseIntegrationTest,
    CacheIntegrationTest,
    ServiceOrchestrationIntegrationTest,
    WebSocketIntegrationTest,
)


@pytest.fixture
def case():
    case = BaseIntegrationTest()
    case.setup_method()
    yield case
    case.teardown_method()


def test_the_environment_is_isolated_for_the_test() -> None:
    case, before = BaseIntegrationTest(), get_env().snapshot()
    case.setup_method()
    assert case.env is get_env() and case.env.is_isolated() and case.logger.name == "BaseIntegrationTest"
    case.teardown_method()
    assert get_env().snapshot() == before


def test_users_organisations_and_sessions(case: BaseIntegrationTest) -> None:
    async def scenario() -> None:
        await case.async_setup()
        user = await case.create_test_user_context(None, {"email": "a@example.com", "role": "admin"})
        assert (user.email, user["role"], user.get("none"), user["id"]) == ("a@example.com", "admin", None, user.user_id)
        with pytest.raises(KeyError):
            user["none"]
        organization = await case.create_test_organization(None, user.user_id, {"name": "Own"})
        assert (organization["name"], organization["owner_id"]) == ("Own", user.user_id)
        services = SimpleNamespace(redis=SimpleNamespace(set_json=AsyncMock()))
        session = await case.create_test_session(services, user.user_id)
        services.redis.set_json.assert_awaited_once_with(session["session_key"], session, ex=3600)
        await case.async_teardown()

    asyncio.run(scenario())


def test_value_is_found_at_any_depth(case: BaseIntegrationTest) -> None:
    case.assert_business_value_delivered({"result": [{"recommendations": ["use less"]}]}, "insights")
    case.assert_business_value_delivered({"own": 1}, "own")
    with pytest.raises(AssertionError, match=r"^No automation delivered: none of automated_tasks, "):
        case.assert_business_value_delivered({"recommendations": []}, "automation")


def test_services_are_verified() -> None:
    async def scenario() -> None:
        data: dict[str, str] = {}

        async def put(key: str, value: str) -> None:
            data[key] = value

        async def read(key: str) -> str:
            return data[key]

        redis = SimpleNamespace(set=put, get=read, ping=AsyncMock(return_value=True))
        rates = await CacheIntegrationTest().verify_cache_performance(SimpleNamespace(redis=redis), 3)
        assert len(data) == 3 and min(rates.values()) > 0
        orchestration = ServiceOrchestrationIntegrationTest()
        assert await orchestration.verify_service_health_cascade(SimpleNamespace(redis=redis)) == {"redis": True}
        redis.ping.return_value = False
        with pytest.raises(AssertionError, match=r"^services do not answer: redis"):
            await orchestration.verify_service_health_cascade(SimpleNamespace(redis=redis))
        client = SimpleNamespace(receive_json=AsyncMock(side_effect=[{"type": "a"}, {"event_type": "b"}]))
        assert len(await WebSocketIntegrationTest().verify_websocket_event_delivery(client, ["b"])) == 2

    asyncio.run(scenario())


def test_small_bases_record_metrics() -> None:
    case = AsyncTestCase()
    case.setup_method()
    case.record_metric("n", 1)
    assert (case.get_metric("n"), case.get_metric("none"), case.get_all_metrics()) == (1, None, {"n": 1})
    case.teardown_method()
    assert case.get_metric("test_duration") >= 0 and isinstance(case, BaseTestCase)
    assert MockBase(a=1).a == 1 and create_mock(a=2).a == 2
    assert asyncio.run(create_async_mock(return_value=3)()) == 3
    assert TestFixtures.create_mock_user("user_1")["email"] == "user_1@example.com"
    assert TestFixtures.create_mock_session("s1")["active"] is True
