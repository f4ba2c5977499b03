"""Mocks are shaped as the real things, are registered, and are forgotten together."""

from __future__ import annotations

import asyncio
from datetime import datetime
from unittest.mock import AsyncMock, Mock, call

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
    suite = SSotMockFactory.create_mock_suite(["tool", "llm", "database", "llm_manager", "car"])
    assert list(suite) == ["tool", "llm", "database", "llm_manager"]
    assert asyncio.run(suite["tool"].execute())["status"] == "success"
    assert suite["tool"].get_schema() == {"name": "test_tool", "description": "Mock test_tool tool", "parameters": {}}
    assert asyncio.run(suite["llm"].ask_llm("?")) == "Mock LLM response"
    assert asyncio.run(suite["llm"].agenerate("?")) == {"response": "Mock LLM response", "usage": {"total_tokens": 100}}
    assert suite["llm_manager"].model == "gpt-4" and suite["llm_manager"].get_default_client() is not None
    assert SSotMockFactory.create_mock("execution_context", user_id="user_1").user_id == "user_1"
    assert isinstance(SSotMockFactory.create_mock("car"), AsyncMock)


def test_what_agents_bridges_and_contexts_of_the_static_factory_answer() -> None:
    agent = SSotMockFactory.create_agent_mock()
    assert asyncio.run(agent.execute()) == {
        "status": "completed",
        "result": "Mock agent execution result",
        "execution_time": 0.1,
    }
    assert asyncio.run(agent.get_capabilities()) == ["text_processing", "data_analysis"]
    bridge = SSotMockFactory.create_mock_agent_websocket_bridge("user_1", "run_1")
    assert (bridge.is_connected, bridge.user_id, bridge.run_id) == (True, "user_1", "run_1")
    assert all(isinstance(getattr(bridge, name), AsyncMock) for name in ("connect", "disconnect", "send_message"))
    assert asyncio.run(SSotMockFactory.create_websocket_manager_mock().get_user_connections("user_1")) == []
    config = SSotMockFactory.create_configuration_mock()
    assert config.database_url == "postgresql://test:test@localhost:5432/test" and config.jwt_secret_key == "test-jwt-secret"
    context = SSotMockFactory.create_isolated_execution_context("user_1", "thread_1")
    assert context.websocket_client_id == context.connection_id == "conn_user_1_thread_1"
    assert context.request_id.startswith("req_user_1_thread_1_") and context.run_id.startswith("run_")
    context.set_state("a", 1)
    assert (context.get_state("a"), context.get_state("b"), context.user_tier) == (1, None, "free")


def test_a_redis_mock_is_empty_and_answers_at_once(factory: MockFactory) -> None:
    redis = factory.create_redis_client_mock()
    answers = {
        name: getattr(redis, name)("key")
        for name in ["get", "set", "delete", "exists", "expire", "ttl", "hgetall", "lrange", "smembers"]
    }
    assert answers == {
        "get": None,
        "set": True,
        "delete": 1,
        "exists": 0,
        "expire": True,
        "ttl": -1,
        "hgetall": {},
        "lrange": [],
        "smembers": set(),
    }
    assert (redis.hget("a", "b"), redis.hset("a", "b", 1), redis.lpop("a"), redis.sismember("a", 1), redis.ping()) == (
        None,
        1,
        None,
        False,
        True,
    )


def test_what_services_answer(factory: MockFactory) -> None:
    auth = factory.create_auth_service_mock()
    user = asyncio.run(auth.authenticate_user("a", "b"))
    assert user["email"] == f"{user['id']}@test.com" and user["username"] == f"testuser_{user['id']}"
    assert (asyncio.run(auth.verify_token("t")), asyncio.run(auth.generate_token())) == (True, "test_token_123")
    assert asyncio.run(auth.refresh_token()) == "refreshed_token_123"
    assert (auth.validate_email("x"), auth.validate_password("x")) == (True, (True, "Password is valid"))
    agent = factory.create_agent_mock("triage", user_id="user_1")
    assert (
        asyncio.run(agent.run("hi"))
        == asyncio.run(agent.process_request("hi"))
        == {
            "response": "Test agent response",
            "status": "completed",
            "execution_time": 1.5,
            "tools_used": ["tool1"],
            "metadata": {"agent_type": "test", "version": "1.0"},
        }
    )
    assert (agent.agent_type, agent.user_id, agent.is_busy, agent.failure_message) == ("triage", "user_1", False, "Test failure")
    assert agent.agent_id.startswith("test_agent_") and asyncio.run(agent.list_tools()) == ["tool1", "tool2"]
    llm = factory.create_llm_client_mock()
    chat = asyncio.run(llm.create_chat_completion([]))
    assert (chat["message"], chat["metadata"]["tokens_used"]) == ("This is a test chat response.", 25)
    assert (llm.count_tokens("x"), llm.estimate_cost("x")) == (100, 0.001)
    tools = factory.create_tool_executor_mock()
    assert asyncio.run(tools.execute_tool("t")) == {"success": True, "result": "executed"}
    services = factory.create_service_manager_mock()
    assert asyncio.run(services.get_service_status("x")) == "running"
    assert asyncio.run(services.get_service_endpoint("x")) == "http://localhost:8000"
    session = factory.create_database_session_mock()
    assert isinstance(session.add, AsyncMock)
    rows = factory.create_repository_mock()
    assert asyncio.run(rows.search("x")) == [] and asyncio.run(rows.find_one_by(a=1)) is None
    assert asyncio.run(factory.create_http_client_mock().get("x")).text == "Success"


def test_what_sockets_servers_and_managers_are(factory: MockFactory) -> None:
    manager = factory.create_websocket_manager_mock()
    assert manager.is_connected() is True
    for name in ("send_to_thread", "emit_agent_event", "notify_agent_started", "emit_status_update"):
        assert isinstance(getattr(manager, name), AsyncMock)
    server = factory.create_websocket_server_mock()
    assert (server.connections, server.message_queue, server.is_running, server.port, server.host) == (
        {},
        [],
        True,
        8765,
        "localhost",
    )
    socket = factory.create_websocket_connection_mock()
    assert (socket.connected, socket.closed, socket.user_id, socket.thread_id) == (True, False, None, None)
    assert isinstance(asyncio.run(socket.receive_text()), Mock)


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
        (entry,) = factory.registry.get_call_history(mock_id)
        assert entry["method"] == "run" and isinstance(entry["timestamp"], datetime) and entry["timestamp"].tzinfo is None
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
    env.set("N", "5")
    assert (env.get_int("N"), env.get_float("N"), env.get_bool("TESTING"), env.env_vars["A"]) == (5, 5.0, True, "1")
    loader = factory.create_config_loader_mock()
    loader.set("own", 1)
    assert (loader.get("debug"), loader.config_data["own"], loader.get_int("none", 2)) == (True, 1, 2)
    assert factory.create_file_system_mock().read_file("x") == "test file content"
    assert factory.create_property_mock(1).return_value == 1
