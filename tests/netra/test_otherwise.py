"""What callers write that no release served does the one thing it can mean, warned as the rest."""

from __future__ import annotations

import asyncio
import warnings
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock, patch

import pytest

import compat
from compat.errors import LegacyUseWarning
from compat.netra import testing_mode
from compat.netra.ledger import LEDGER

USER = "user_1a2b3c4d"


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(testing_mode, "_enabled", True)
    with compat.install(LEDGER), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def test_mock_sockets_and_managers_of_both_factories() -> None:
    from test_framework.ssot import mock_factory, mocks

    socket = mock_factory.SSotMockFactory.create_mock_websocket(user_id=USER, token="t")
    assert (socket.user_id, socket.token, socket.client_state) == (USER, "t", "connected")
    manager = mock_factory.SSotMockFactory().create_mock_websocket_manager(user_context="c")
    assert asyncio.run(manager.send_to_user(USER, {})) is True and manager.user_context == "c"
    made = mocks.SSotMockFactory()
    assert mocks.SSotMockFactory is mocks.MockFactory
    socket = made.create_mock_websocket()
    assert socket.connected and not socket.closed and socket.connection_id.startswith("ws_")
    manager = made.create_mock_websocket_manager()
    asyncio.run(manager.send_to_user(USER, {}))
    manager.send_to_user.assert_awaited_once_with(USER, {})


def test_a_mock_socket_of_the_second_factory_can_be_entered_and_awaited() -> None:
    from test_framework.ssot.mocks import SSotMockFactory

    async def scenario() -> None:
        async with SSotMockFactory().create_websocket_connection_mock() as socket:
            assert (socket.user_id, socket.thread_id) == (None, None)
            names = "connect disconnect close ping pong send send_text send_json receive receive_text receive_json"
            for name in names.split():
                await getattr(socket, name)()
                getattr(socket, name).assert_awaited_once_with()

    asyncio.run(scenario())


def test_a_mock_of_a_class_a_name_or_of_nothing() -> None:
    from test_framework.ssot.mock_factory import SSotMockFactory

    assert isinstance(SSotMockFactory.create_mock(datetime), datetime)
    assert isinstance(SSotMockFactory.create_mock(spec=datetime), datetime)
    assert SSotMockFactory.create_mock(ready=True).ready is True
    assert isinstance(SSotMockFactory.create_mock("nothing"), AsyncMock)


def test_an_emitter_of_a_user_by_the_factory() -> None:
    from netra_backend.app.websocket_core.unified_emitter import WebSocketEmitterFactory

    context = SimpleNamespace(user_id=USER, thread_id="thread_1", run_id="run_1", request_id="req_1")
    emitter = WebSocketEmitterFactory.create_user_emitter(MagicMock(), context)
    assert (emitter.user_id, emitter.context) == (USER, context)
    emitter = WebSocketEmitterFactory.create_user_emitter(manager=MagicMock(), user_id=USER, context=context)
    assert (emitter.user_id, emitter.context) == (USER, context)
    assert WebSocketEmitterFactory.create_user_emitter(MagicMock(), USER).user_id == USER
    with pytest.raises(ValueError, match="user_id"):
        WebSocketEmitterFactory.create_user_emitter(MagicMock(), None)


def test_a_manager_is_created_by_its_class_awaited_or_not_and_knows_its_connections_ids() -> None:
    from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager

    context = SimpleNamespace(user_id=USER, thread_id=None, request_id=None)

    async def scenario() -> None:
        manager = UnifiedWebSocketManager.create_manager(context)
        assert (
            manager.user_context is context
            and (await UnifiedWebSocketManager.create_manager(user_context=context)).user_id == USER
        )
        assert manager._connection_ids == set()
        await manager.connect_user(USER, MagicMock(), "conn_1")
        assert manager._connection_ids == {"conn_1"}

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "stamp",
    [datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), "2026-01-02T03:04:05+00:00", "2026-01-02T03:04:05Z", 1767323045.0],
)
def test_a_message_takes_moments_in_every_form(stamp: Any) -> None:
    pytest.importorskip("pydantic", reason="pydantic is in the server extra")
    from netra_backend.app.websocket_core import types

    message = types.WebSocketMessage(type=types.MessageType.USER_MESSAGE, timestamp=stamp)
    assert message.timestamp == 1767323045.0


def test_a_message_of_the_schemas_has_a_sender_and_a_time() -> None:
    pydantic = pytest.importorskip("pydantic", reason="pydantic is in the server extra")
    from netra_backend.app.schemas import websocket_models as models

    before = datetime.now(timezone.utc)
    message = models.WebSocketMessage(type="user_message", payload={"text": "hello"}, sender="user")
    assert (message.type, message.payload, message.sender) == ("user_message", {"text": "hello"}, "user")
    assert before <= message.timestamp <= datetime.now(timezone.utc)
    started = models.AgentStarted(agent_id="a", agent_type="triage", run_id="r")
    assert (started.status, models.WebSocketMessage(type="agent_started", payload=started).payload) == ("active", started)
    assert models.AgentCompleted(agent_id="a", run_id="r", result={"success": True}).status == "completed"
    with pytest.raises(pydantic.ValidationError):
        models.SubAgentUpdate(agent_id="a", sub_agent_name="s", status="active", progress=101)


def test_a_connection_without_a_moment_is_connected_now() -> None:
    from netra_backend.app.websocket_core.unified_manager import WebSocketConnection

    before = datetime.now(timezone.utc)
    made = WebSocketConnection(connection_id="conn_1", user_id=USER, websocket=MagicMock())
    assert before <= made.connected_at <= datetime.now(timezone.utc) and made.metadata is None


def test_a_made_user_id_is_an_identifier() -> None:
    from netra_backend.app.core.unified_id_manager import UnifiedIDManager
    from shared.types.core_types import ensure_user_id

    made = UnifiedIDManager().generate_id("user")
    assert ensure_user_id(made) == made
    with pytest.raises(ValueError, match=r"^Invalid user_id format: user_nothexad$"):
        ensure_user_id("user_nothexad")


def test_other_words_for_arguments_are_converted_and_warned() -> None:
    from netra_backend.app.services.user_execution_context import UserExecutionContext
    from netra_backend.app.websocket_core.message_buffer import WebSocketMessageBuffer
    from netra_backend.app.websocket_core.rate_limiter import RateLimitConfig
    from netra_backend.app.websocket_core.reconnection_handler import ReconnectionConfig
    from shared.types import StronglyTypedUserExecutionContext

    ids = {"user_id": USER, "thread_id": "thread_1_1a2b3c4d", "run_id": "run_1_1a2b3c4d"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LegacyUseWarning)
        context = UserExecutionContext(**ids, organization_id="org")
        assert context.metadata["organization_id"] == context.organization_id == "org"
        typed = StronglyTypedUserExecutionContext(**ids, request_id="req_1_1a2b3c4d", session_id="s")
        assert typed.metadata == {"session_id": "s"}
        assert RateLimitConfig(max_connections_per_user=3).max_connections_per_ip == 3
        assert ReconnectionConfig(max_retry_attempts=7).max_retries == 7
        assert WebSocketMessageBuffer(max_buffer_size=9).config.max_buffer_size_per_user == 9
    said = [str(one.message) for one in caught if one.filename == __file__]
    assert len(said) == 5 and all(text.startswith("Passing '") for text in said)


def test_a_factory_that_tests_take_away_is_made_anew() -> None:
    from netra_backend.app.websocket_core import websocket_manager_factory as module

    first = module.get_websocket_manager_factory()
    assert module._factory_instance is first
    module._factory_instance = None
    second = module.get_websocket_manager_factory()
    assert second is not first and module._factory_instance is second


@pytest.mark.parametrize(
    "path",
    [
        "netra_backend.app.websocket_core.unified_websocket_auth.auth_client",
        "netra_backend.app.websocket_core.events.auth_client",
        "netra_backend.app.websocket_core.manager.auth_client",
        "netra_backend.app.websocket_core.auth.auth_client",
        "netra_backend.app.websocket_core.state_coordinator.get_websocket_state_coordinator",
        "netra_backend.app.websocket_core.websocket_manager_factory._factory_instance",
        "netra_backend.app.websocket_core.gcp_initialization_validator.central_logger",
        "netra_backend.app.websocket_core.manager.logger",
        "netra_backend.app.websocket_core.websocket_manager_factory.logger",
        "netra_backend.app.websocket_core.websocket_manager_factory.WebSocketState",
        "netra_backend.app.websocket_core.websocket_manager.redis",
        "app.ws_manager.logger",
        "netra_backend.app.core.websocket_cors.get_unified_config",
        "netra_backend.app.services.agent_websocket_bridge.chat_event_monitor",
        "netra_backend.app.websocket_core.state_coordinator.coordinate_authentication_state",
        "netra_backend.app.websocket_core.auth.check_websocket_cors",
        "netra_backend.app.websocket_core.unified_manager.StarletteWebSocketState",
        "netra_backend.app.websocket_core.ssot_agent_message_handler.get_request_scoped_db_session",
        "netra_backend.app.core.configuration.database.SecretManager",
        "test_framework.unified_docker_manager._run_subprocess_safe",
        "test_framework.unified_docker_manager._get_logger",
    ],
)
def test_a_name_that_tests_replace_is_replaced_and_given_back(path: str) -> None:
    import importlib

    module = importlib.import_module(path.rpartition(".")[0])
    name = path.rpartition(".")[2]
    pytest.importorskip(
        {"redis": "redis", "WebSocketState": "starlette", "StarletteWebSocketState": "starlette"}.get(name, "unittest"),
        reason="the extra is not installed",
    )
    before = getattr(module, name)
    with patch(path) as mock:
        assert getattr(module, name) is mock
    assert getattr(module, name) is before


@pytest.mark.parametrize(
    ("path", "asked", "answer"),
    [
        ("core.configuration.unified_config_manager", "core.configuration:get_configuration", "get_config"),
        (
            "core.configuration.database.get_database_config_manager",
            "core.configuration.database:get_database_url",
            "return_value.get_database_url",
        ),
        (
            "core.configuration.database.get_database_config_manager",
            "core.configuration.database:populate_database_config",
            "return_value.populate_database_config",
        ),
    ],
)
def test_configuration_comes_from_what_tests_put_in_its_place(path: str, asked: str, answer: str) -> None:
    import importlib

    module, _, name = asked.partition(":")
    function = getattr(importlib.import_module(f"netra_backend.app.{module}"), name)
    with patch(f"netra_backend.app.{path}") as stand_in:
        for part in answer.split("."):
            stand_in = getattr(stand_in, part)
        stand_in.return_value = "answer"
        assert function(*("config",) * (name == "populate_database_config")) == "answer"


@pytest.mark.parametrize("name", ["get_websocket_manager", "create_websocket_manager"])
@pytest.mark.parametrize("kind", [MagicMock, AsyncMock])
def test_a_bridge_asks_for_its_manager_and_its_registry_by_the_names_that_tests_replace(name: str, kind: Any) -> None:
    from netra_backend.app.services.agent_websocket_bridge import AgentWebSocketBridge
    from netra_backend.app.services.user_execution_context import UserExecutionContext

    context = UserExecutionContext(user_id=USER, thread_id="thread_1_1a2b3c4d", run_id="run_1_1a2b3c4d")
    module = "netra_backend.app.services.agent_websocket_bridge"

    async def scenario() -> None:
        registry = MagicMock()
        with patch(f"{module}.{name}", kind()) as asked, patch(f"{module}.get_agent_execution_registry") as known:
            known.return_value = registry
            bridge = AgentWebSocketBridge(context)
            assert (await bridge.ensure_integration()).success
            assert bridge.websocket_manager is asked.return_value and bridge.registry is registry
            emitter = await AgentWebSocketBridge.create_scoped_emitter(context)
            assert emitter.manager is asked.return_value
        bridge = AgentWebSocketBridge(context)
        assert (await bridge.ensure_integration()).success
        assert bridge.websocket_manager.user_id == USER and bridge.registry is None

    asyncio.run(scenario())


@pytest.mark.parametrize("home", ["websocket_core", "websocket_core.websocket_manager_factory"])
@pytest.mark.parametrize("kind", [MagicMock, AsyncMock])
def test_the_function_of_the_old_factory_asks_the_factory_that_tests_put_in_its_place(home: str, kind: Any) -> None:
    from netra_backend.app.websocket_core import websocket_manager_factory as module

    context = SimpleNamespace(user_id=USER, thread_id=None, request_id=None)

    async def scenario() -> None:
        with patch(f"netra_backend.app.{home}.get_websocket_manager_factory") as factory:
            factory.return_value.create_manager = kind()
            made = await module.create_websocket_manager(context)
            assert made is factory.return_value.create_manager.return_value
            factory.return_value.create_manager.assert_called_once_with(context)
        assert (await module.create_websocket_manager(context)).user_context is context

    asyncio.run(scenario())


def test_the_function_of_the_old_factory_refuses_what_the_check_of_tests_refuses() -> None:
    from netra_backend.app.websocket_core import websocket_manager_factory as module

    context = SimpleNamespace(user_id=USER, thread_id=None, request_id=None)
    check = "netra_backend.app.websocket_core.websocket_manager_factory._validate_ssot_user_context_staging_safe"
    with patch(check, side_effect=ValueError("no")) as asked, pytest.raises(ValueError, match="^no$"):
        module.create_websocket_manager_sync(context)
    asked.assert_called_once_with(context)
    assert module.create_websocket_manager_sync(context).user_context is context


def test_a_supervisor_is_made_by_the_names_that_tests_replace() -> None:
    from netra_backend.app.websocket_core.supervisor_factory import get_websocket_scoped_supervisor

    module = "netra_backend.app.websocket_core.supervisor_factory"

    async def scenario() -> None:
        with patch(f"{module}._get_websocket_supervisor_components") as parts, patch(f"{module}.create_supervisor_core") as made:
            parts.return_value = {"llm_client": "client"}
            assert await get_websocket_scoped_supervisor("context", "session", "state") is made.return_value
        parts.assert_awaited_once_with("state")
        made.assert_awaited_once_with("context", "session", llm_client="client")

    asyncio.run(scenario())


def test_a_program_is_run_as_it_stands_and_never_by_a_shell() -> None:
    import sys

    from test_framework.unified_docker_manager import _run_subprocess_safe

    assert _run_subprocess_safe([sys.executable, "-c", "print('$HOME')"]).stdout.strip() == "$HOME"
    for command, options in (("echo a", {}), (["echo a"], {"shell": True})):
        with pytest.raises(ValueError, match="no shell"):
            _run_subprocess_safe(command, **options)


def test_the_client_of_the_authentication_service_answers_from_this_process() -> None:
    from netra_backend.app.websocket_core.unified_websocket_auth import auth_client

    answer = asyncio.run(auth_client.validate_token("no token"))
    assert (answer["valid"], answer["user_id"]) == (False, None)


def test_both_forms_of_an_isolated_manager() -> None:
    from netra_backend.app.websocket_core.migration_adapter import WebSocketManagerAdapter
    from netra_backend.app.websocket_core.websocket_manager_factory import WebSocketManagerFactory

    context = SimpleNamespace(user_id=USER, thread_id=None, request_id="r")
    for factory in (WebSocketManagerFactory(), WebSocketManagerAdapter()):
        assert factory.create_isolated_manager(USER, "conn_1").user_context.user_id == USER
        assert factory.create_isolated_manager(user_id=USER, connection_id="conn_1").user_context.user_id == USER
        assert factory.create_isolated_manager(context).user_context.user_id == USER


def test_signed_tokens_by_the_module_that_tests_name() -> None:
    jwt = pytest.importorskip("jwt", reason="PyJWT is not installed")
    from test_framework.jwt_test_utils import create_test_jwt_token

    claims = jwt.decode(create_test_jwt_token(USER), options={"verify_signature": False})
    assert (claims["sub"], claims["type"]) == (USER, "access")
