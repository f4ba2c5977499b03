"""What legacy managers send, over real sockets, in testing mode and in production alike."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock, Mock, patch

import pytest

websockets = pytest.importorskip("websockets", reason="websockets is in the test group")

# ruff: noqa: E402
from compat.canonical.factory import WebSocketManagerFactory, set_websocket_manager_factory
from compat.netra import testing_mode

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(params=["testing", "production"])
def any_manager(request: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A manager for everybody, over a factory of its own or over the process's."""
    from netra_backend.app.websocket_core.websocket_manager import WebSocketManager

    monkeypatch.setattr(testing_mode, "_enabled", request.param == "testing")
    monkeypatch.setenv("COMPAT_TESTING", "1" if request.param == "testing" else "0")
    before = set_websocket_manager_factory(WebSocketManagerFactory())
    from compat.netra.adapters.managers.websocket_manager import SharedWebSocketManager

    yield WebSocketManager() if request.param == "testing" else SharedWebSocketManager()
    set_websocket_manager_factory(before)


@contextlib.asynccontextmanager
async def client_of(manager: Any, user: str = "user_1", **more: Any) -> AsyncIterator[Any]:
    """A client of a user's, over a real socket to the manager."""
    there = asyncio.Event()

    async def serve(socket: Any) -> None:
        await manager.connect_user(user, socket, "conn_1", **more)
        there.set()
        await socket.wait_closed()

    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        async with websockets.connect(url) as client:
            await asyncio.wait_for(there.wait(), 20)
            yield client


async def received(client: Any, count: int = 1) -> list[Any]:
    return [json.loads(await asyncio.wait_for(client.recv(), 20)) for _ in range(count)]


EVENTS = [
    (
        "agent_started",
        {},
        {"user_id": "user_1", "agent_name": "unknown_agent", "task_description": "Processing request"},
    ),
    (
        "agent_started",
        {"name": "ann", "task": "dig", "message": "kept", "thread_id": "thread_2", "user_id": "user_2"},
        {"user_id": "user_1", "thread_id": "thread_2", "agent_name": "ann", "task_description": "dig", "message": "kept"},
    ),
    ("agent_thinking", {}, {"reasoning": "Agent is processing..."}),
    ("agent_thinking", {"thinking": "hm"}, {"reasoning": "hm", "thinking": "hm"}),
    ("tool_executing", {"params": {"q": 1}}, {"tool_name": "unknown_tool", "parameters": {"q": 1}}),
    ("tool_completed", {"name": "t"}, {"tool_name": "t", "results": {}, "duration": 0, "success": True}),
    ("tool_completed", {"output": [1], "elapsed_time": 2}, {"results": [1], "duration": 2}),
    ("agent_completed", {}, {"status": "completed", "final_response": "Task completed"}),
    ("agent_completed", {"response": "42"}, {"status": "completed", "final_response": "42"}),
    ("own", {"x": 1}, {"type": "own", "x": 1}),
]


@pytest.mark.parametrize(("event_type", "data", "expected"), EVENTS)
def test_a_critical_event_is_made_whole(any_manager: Any, event_type: str, data: Any, expected: Any) -> None:
    async def run() -> Any:
        async with client_of(any_manager) as client:
            await any_manager.emit_critical_event("user_1", event_type, data)
            return (await received(client))[0]

    message = asyncio.run(run())
    assert isinstance(message["timestamp"], float)
    assert {**message, "type": event_type, "critical": True, "attempt": None, **expected} == message


def test_the_fields_of_a_business_event_are_those_of_the_data_alone(manager: Any) -> None:
    assert manager._process_business_event("tool_completed", {"timestamp": 5, "extra": 1}) == {
        "type": "tool_completed",
        "user_id": None,
        "thread_id": None,
        "tool_name": "unknown_tool",
        "results": {},
        "duration": 0,
        "success": True,
        "timestamp": 5,
        "extra": 1,
    }


def test_a_message_to_a_connection_goes_as_it_is(any_manager: Any) -> None:
    async def run() -> Any:
        async with client_of(any_manager) as client:
            sent = [await any_manager.send_message("conn_1", one) for one in ({"x": 1}, None, "hello", [1], 5)]
            got = await received(client, 5)
            assert await any_manager.send_message("conn_9", {}) is False
            return sent, got

    assert asyncio.run(run()) == ([True] * 5, [{"x": 1}, None, "hello", [1], 5])


def test_an_event_to_a_connection_is_flat(any_manager: Any) -> None:
    async def run() -> Any:
        async with client_of(any_manager) as client:
            assert await any_manager.send_event("conn_1", "own", {"x": 1, "run_id": "run_1"}) is True
            assert await any_manager.send_event_after_commit("tx", "late", {"x": 2}, connection_id="conn_1") is True
            return await received(client, 2)

    own, late = asyncio.run(run())
    assert own.pop("timestamp").endswith("+00:00") and late.pop("timestamp").endswith("+00:00")
    assert own == {"type": "own", "user_id": "unknown_user", "thread_id": "unknown_thread", "run_id": "run_1", "x": 1}
    assert late == {"type": "late", "user_id": "unknown_user", "thread_id": "unknown_thread", "run_id": "unknown_run", "x": 2}


def test_a_systems_status_is_a_critical_event_in_local_time(any_manager: Any) -> None:
    async def run() -> Any:
        async with client_of(any_manager) as client:
            assert await any_manager.broadcast_system_status("up") == 1
            return (await received(client))[0]

    message = asyncio.run(run())
    stamp = message.pop("timestamp")
    assert "+" not in stamp and "T" in stamp
    for placed in ("seq", "epoch"):
        message.pop(placed, None)
    assert message == {
        "critical": True,
        "attempt": None,
        "message": "up",
        "event_type": "system_status",
        "type": "system_status",
    }


def test_what_waited_is_sent_marked_and_by_hand_with_its_failure(manager: Any) -> None:
    async def run() -> Any:
        assert await manager.attempt_message_recovery("not a user!") == 0
        await manager.emit_critical_event("user_1", "own", {"x": 1})
        (kept,) = manager._message_recovery_queue["user_1"]
        assert (kept["failure_reason"], kept["recovery_attempts"], kept["critical"]) == (
            "no_active_connections_after_retry",
            0,
            True,
        )
        async with client_of(manager) as client:
            (first,) = await received(client)
            await manager._store_failed_message("user_1", {"type": "x"}, "why")
            assert await manager.attempt_message_recovery("user_1") == 1
            return first, (await received(client))[0]

    first, second = asyncio.run(run())
    assert first.pop("timestamp").endswith("+00:00")
    assert first == {"type": "own", "data": {"x": 1}, "critical": True, "recovered": True}
    assert second == {"type": "x", "recovered": True, "original_failure": "why"}


def test_failures_are_told_over_the_first_socket_that_lives(manager: Any) -> None:
    async def run() -> Any:
        dead = AsyncMock(send_json=AsyncMock(side_effect=ConnectionError("gone")))
        await manager.connect_user("user_123456789", dead, "conn_0")
        async with client_of(manager, "user_123456789") as client:
            await manager._emit_connection_error_notification("user_123456789", "agent_started")
            await manager._emit_system_error_notification("user_123456789", "agent_started", {"token": "hunter2"})
            return await received(client, 2)

    connection, system = asyncio.run(run())
    keys = ["action_required", "event_type", "message", "severity", "support_code", "user_friendly_message"]
    for message, kind, severity in ((connection, "connection_error", "warning"), (system, "system_error", "error")):
        assert sorted(message) == ["critical", "data", "timestamp", "type"]
        assert (message["type"], message["critical"], sorted(message["data"])) == (kind, True, keys)
        assert (message["data"]["severity"], message["data"]["event_type"]) == (severity, "agent_started")
    assert connection["data"]["support_code"] == "CONN_ERR_user_123_agent_started"
    assert system["data"]["support_code"].startswith("SYS_ERR_user_123_agent_started_")
    assert "hunter2" not in json.dumps(system)


@pytest.mark.parametrize(
    ("environment", "asked"),
    [({"ENVIRONMENT": "staging"}, 3), ({"ENVIRONMENT": "development", "GCP_PROJECT_ID": "netra-staging"}, 3)]
    + [({"ENVIRONMENT": "development"}, 1), ({}, 1)],
)
def test_an_absent_user_is_asked_for_again_where_deployed(
    manager: Any, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], asked: int
) -> None:
    from compat.netra.components import environment as environments

    monkeypatch.setattr(environments, "get_env", lambda: environment)
    manager.is_connection_active = Mock(return_value=False)
    sleep = AsyncMock()
    with patch("netra_backend.app.websocket_core.unified_manager.asyncio", Mock(sleep=sleep)):
        asyncio.run(manager.emit_critical_event("user_1", "own", {}))
    assert (manager.is_connection_active.call_count, sleep.await_count) == (asked, asked - 1)


def test_an_attempt_that_was_repeated_says_so(manager: Any) -> None:
    async def run() -> Any:
        async with client_of(manager) as client:
            manager._scope.delivery_attempts = lambda: 3
            manager.is_connection_active = Mock(side_effect=[False, True, True])
            with patch("netra_backend.app.websocket_core.unified_manager.asyncio", Mock(sleep=AsyncMock())):
                await manager.emit_critical_event("user_1", "own", {})
            return (await received(client))[0]["attempt"]

    assert asyncio.run(run()) == 2


@pytest.mark.parametrize(
    ("user", "event_type", "text"),
    [
        ("not a user!", "own", "Invalid user_id for critical event own: Invalid user_id format: not a user!"),
        ("user_1", "", "event_type cannot be empty for user user_1"),
        ("user_1", None, "event_type cannot be empty for user user_1"),
    ],
)
def test_what_names_no_user_or_no_type_is_refused_by_name(manager: Any, user: str, event_type: Any, text: str) -> None:
    with pytest.raises(ValueError) as refused:
        asyncio.run(manager.emit_critical_event(user, event_type, {}))
    assert str(refused.value).startswith(text)


def test_names_of_the_module_can_be_replaced(manager: Any) -> None:
    with patch("netra_backend.app.websocket_core.unified_manager.ensure_user_id", return_value="user_7") as ensure:
        assert manager.is_connection_active("anything at all") is False
    ensure.assert_called_once_with("anything at all")
    with patch("netra_backend.app.websocket_core.unified_manager.time") as time:
        time.time.return_value = 5
        assert manager._emit_system_error_notification is not None
        asyncio.run(manager._emit_system_error_notification("user_1", "own", None))
        time.time.assert_called_once_with()


NAMES = """
ApplicationConnectionStateMachine AuthInfo HandshakeCoordinator RaceConditionApplicationConnectionState RaceConditionDetector
RaceConditionPattern UserContextExtractor UserMessageHandler WebSocketRateLimiter WebSocketStats create_handshake_coordinator
create_race_condition_detector extract_websocket_user_context get_legacy_websocket_manager get_user_context_extractor
is_websocket_connected_and_ready migrate_singleton_usage validate_connection_with_race_detection
validate_websocket_handshake_completion
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_the_package_passes_on_what_its_modules_have(name: str) -> None:
    import importlib

    assert getattr(importlib.import_module("netra_backend.app.websocket_core"), name) is not None
