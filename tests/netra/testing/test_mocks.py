"""Mocks are shaped as the real things, are registered, and are forgotten together."""

from __future__ import annotations

import asyncio
from unittest.mock import AsyncMock, call

import pytest

from compat.netra.testing import mocks
from compat.netra.testing.mock_factory import SSotMockFactory
from compat.netra.testing.mocks import DatabaseMockFactory, MockContext, MockFactory, ServiceMockFactory


@pytest.fixture
def factory():
    factory = MockFactory()
    yield factory
    factory.cleanup()


def test_an_agent_returns_its_result() -> None:
    agent = SSotMockFactory.create_agent_mock("triage", {"status": "ok"}, 0.5)
    assert asyncio.run(agent.execute()) == {"status": "ok"}
    assert (agent.agent_type, agent.execution_time, agent.get_status()) == ("triage", 0.5, "ready")


def test_a_socket_is_awaited() -> None:
    socket = SSotMockFactory.create_websocket_mock("conn_1", "user_1")
    asyncio.run(socket.send_json({"type": "chat"}))
    socket.send_json.assert_awaited_once_with({"type": "chat"})
    assert (socket.connection_id, socket.user_id, socket.client_state) == ("conn_1", "user_1", "connected")


def test_contexts_bridges_and_managers() -> None:
    context = SSotMockFactory.create_isolated_execution_context("user_1", "thread_1", websocket_client_id="ws_1", role="admin")
    assert (context.user_id, context.thread_id, context.websocket_connection_id, context.role) == (
        "user_1", "thread_1", "ws_1", "admin",
    )  # fmt: skip
    assert context.to_dict()["run_id"] == context.run_id
    bridge = SSotMockFactory.create_mock_agent_websocket_bridge("user_1")
    assert asyncio.run(bridge.notify_agent_started("run_1")) is True
    manager = SSotMockFactory.create_websocket_manager_mock()
    assert manager.is_connection_active("user_1") and asyncio.run(manager.send_to_user("user_1", {}))
    config = SSotMockFactory.create_configuration_mock(additional_config={"own": 1})
    assert (config.environment, config.own, config.get("own"), config.get("none", 2)) == ("test", 1, 1, 2)


def test_mocks_by_name() -> None:
    suite = SSotMockFactory.create_mock_suite(["tool", "llm", "database", "llm_manager"])
    assert asyncio.run(suite["tool"].execute())["status"] == "success"
    assert asyncio.run(suite["llm"].ask_llm("?")) == "Mock LLM response"
    assert suite["llm_manager"].model == "gpt-4"
    assert SSotMockFactory.create_mock("execution_context", user_id="user_1").user_id == "user_1"
    with pytest.raises(ValueError, match=r"^Unknown mock type: car. Known types: agent, agent_websocket_bridge, "):
        SSotMockFactory.create_mock("car")


def test_a_redis_mock_remembers(factory: MockFactory) -> None:
    async def scenario() -> None:
        redis = factory.create_redis_client_mock()
        await redis.set("a", 1)
        await redis.setex("b", 10, 2)
        assert (await redis.get("a"), await redis.exists("a", "b", "c"), await redis.keys()) == (1, 2, ["a", "b"])
        assert (await redis.delete("a", "c"), await redis.get("a")) == (1, None)

    asyncio.run(scenario())


def test_rows_and_repositories(factory: MockFactory) -> None:
    result = factory.create_database_result_mock([{"id": 1}, {"id": 2}])
    assert (result.scalar(), result.first(), result.rowcount) == (1, {"id": 1}, 2)
    assert result.scalars().all() == [{"id": 1}, {"id": 2}]
    users = DatabaseMockFactory(factory).create_user_repository_mock()
    assert asyncio.run(users.get_by_email("x")) is None and asyncio.run(users.delete(1)) is True
    threads = ServiceMockFactory(factory).create_thread_service_mock()
    assert asyncio.run(threads.get_thread("x"))["status"] == "active"


def test_iteration_and_contexts(factory: MockFactory) -> None:
    async def scenario() -> None:
        assert [item async for item in factory.create_async_generator_mock([1, 2])] == [1, 2]
        async with factory.create_context_manager_mock("entered") as entered:
            assert entered == "entered"
        response = await factory.create_http_client_mock().get("https://example.com")
        assert (response.status_code, response.json()) == (200, {"status": "success"})

    asyncio.run(scenario())
    iterable = factory.create_generator_mock([1, 2])
    assert list(iterable) == list(iterable) == list(iterable()) == [1, 2]


def test_calls_are_verified_and_forgotten(factory: MockFactory) -> None:
    mock = factory.create_mock()
    mock(1)
    mock(2, a=3)
    assert factory.verify_mock_calls(mock, [call(1), call(2, a=3)]) and not factory.verify_mock_calls(mock, [call(1)])
    assert factory.get_mock_call_count(mock) == 2 and factory.get_mock_call_count(object()) == 0
    factory.reset_all_mocks()
    assert mock.call_count == 0


def test_the_registry_cleans_up() -> None:
    cleaned: list[str] = []
    with MockContext() as factory:
        mock_id = factory.registry.register_mock("own", mock := AsyncMock(), lambda: cleaned.append("own"))
        assert factory.registry.get_mock(mock_id) is factory.registry.get_mock("own") is mock
        factory.registry.record_call(mock_id, "run", (1,), {})
        assert [entry["method"] for entry in factory.registry.get_call_history(mock_id)] == ["run"]
    assert cleaned == ["own"] and factory.registry.active_mocks == {}


def test_the_factory_of_the_process() -> None:
    factory = mocks.get_mock_factory()
    assert mocks.get_mock_factory() is factory
    mocks.cleanup_global_mocks()
    assert mocks.get_mock_factory() is not factory


@pytest.mark.parametrize(
    "name",
    ["auth_service", "orchestrator", "tool_executor", "websocket_connection", "websocket_server", "service_manager"],
)
def test_services_answer(factory: MockFactory, name: str) -> None:
    mock = getattr(factory, f"create_{name}_mock")()
    assert isinstance(mock, AsyncMock) and factory.registry.get_mock(name) is mock


def test_environments_and_loaders(factory: MockFactory) -> None:
    env = factory.create_environment_mock()
    env.set("A", "1", source="test")
    assert (env.get("A"), env.is_test(), env.get_all()["ENVIRONMENT"]) == ("1", True, "test")
    assert factory.create_config_loader_mock().get("debug") is True
    assert factory.create_file_system_mock().read_file("x") == "test file content"
    assert factory.create_property_mock(1).return_value == 1
