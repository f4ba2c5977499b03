"""Methods of other releases, and those that no release had, each with its one plain meaning."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda m: m.emit_agent_event("user_1", "own", {"x": 1}), {"type": "own", "x": 1}),
        (lambda m: m.emit_agent_event(user_id="user_1", thread_id="t", event_type="own", data={"x": 1}), {"thread_id": "t"}),
        (lambda m: m.emit_agent_event(event_type="own", data={"x": 1}, run_id="r", user_id="user_1"), {"run_id": "r"}),
        (lambda m: m.emit_event("user_1", "own", {"x": 1}), {"type": "own"}),
        (lambda m: m.notify_agent_started("user_1", {"agent_name": "a"}), {"type": "agent_started", "agent_name": "a"}),
        (lambda m: m.send_agent_event("user_1", "own", {"x": 1}), {"type": "own", "critical": True}),
        (lambda m: m.send_message_to_user("user_1", {"type": "own"}), {"type": "own"}),
        (lambda m: m.broadcast_to_user("user_1", {"type": "own"}), {"type": "own"}),
        (lambda m: m.send_error("user_1", "bad"), {"type": "error", "error": "bad"}),
        (lambda m: m.send_error_to_user("user_1", "bad", "triage"), {"sub_agent_name": "triage"}),
        (lambda m: m.send_agent_update("run_1", "a", {"thread_id": "thread_1"}), {"type": "agent_update", "run_id": "run_1"}),
        (lambda m: m.send_to_connection("conn_1", {"type": "own"}), {"type": "own"}),
        (lambda m: m.broadcast_to_all_users({"type": "own"}), {"type": "own"}),
        (lambda m: m.broadcast_message({"type": "own"}), {"type": "own"}),
        (lambda m: m.broadcast_system_message({"type": "own"}), {"type": "own"}),
        (lambda m: m.send_to_user("user_1", "own", {"x": 1}), {"type": "own", "x": 1, "data": {"x": 1}}),
        (lambda m: m.send_to_user(user_id="user_1", message_type="own", data={"x": 1}), {"type": "own", "x": 1}),
        (lambda m: m.send_event(user_id="user_1", event_type="own", data={"x": 1}), {"type": "own", "x": 1}),
        (lambda m: m.emit_critical_event("user_1", "own", event_data={"x": 1}), {"type": "own", "x": 1}),
        (lambda m: m.send_event_after_commit("tx", "own", {"x": 1}, user_id="user_1"), {"type": "own", "x": 1}),
        (lambda m: m.send_event_after_commit("tx", "own", {"x": 1}, thread_id="thread_1"), {"type": "own"}),
        (lambda m: m.send_to_user_with_wait("user_1", {"type": "own"}, wait_timeout=0.01), {"type": "own"}),
    ],
)
def test_each_reaches_the_user_with_what_was_meant(
    manager: Any, connection: Any, run: Any, call: Any, expected: dict[str, Any], got: Any
) -> None:
    record, other = connection("user_1", 1, thread_id="thread_1"), connection("user_2", 2)

    async def scenario() -> None:
        await manager.add_connection(record)
        await call(manager)
        await manager.add_connection(other)

    run(scenario())
    (message,) = got(record)
    assert expected.items() <= message.items()
    assert got(other) == []


def test_a_managers_own_user_needs_no_naming(connection: Any, run: Any, socket: Any, got: Any) -> None:
    from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager

    manager = UnifiedWebSocketManager(user_context=SimpleNamespace(user_id="user_1", thread_id="thread_1"))
    record = connection("user_1", 1)

    async def scenario() -> None:
        await manager.add_connection(record)
        await manager.send_to_user({"type": "a"})
        await manager.emit_critical_event("b", {"x": 1})
        await manager.send_agent_event("c", {"x": 1})
        await manager.send_event("d", {"x": 1})
        await manager.send_error("e")
        await manager.emit_agent_event("f", {"x": 1})
        assert await manager.handle_connection(socket()) in manager.get_user_connections()

    run(scenario())
    assert [message["type"] for message in got(record)] == ["a", "b", "c", "d", "error", "f"]


def test_rooms(manager: Any, connection: Any, run: Any, got: Any) -> None:
    one, two = connection("user_1", 1), connection("user_2", 2)

    async def scenario() -> None:
        await manager.add_connection(one)
        await manager.add_connection(two)
        assert manager.join_room("user_1", "room_1") is True
        assert manager.join_room("user_1", "room_1") is False
        assert manager.join_room("user_2", "room_1") is True
        assert await manager.broadcast_to_room("room_1", {"type": "x"}, exclude_user="user_2") == 1
        assert manager.leave_room("user_1", "room_1") is True
        assert await manager.broadcast_to_room("room_1", {"type": "y"}) == 1

    run(scenario())
    assert ([m["type"] for m in got(one)], [m["type"] for m in got(two)]) == (["x"], ["y"])


def test_connections_by_their_older_names(manager: Any, run: Any, socket: Any) -> None:
    wire = socket()

    async def scenario() -> None:
        assert await manager.initialize() is True
        assert await manager.connect("user_1", wire, "conn_1") == "conn_1"
        made = await manager.create_connection(connection_id="conn_2", user_id="user_1", websocket=wire, metadata={"a": 1})
        assert (made.connection_id, made.metadata) == ("conn_2", {"a": 1})
        made = await manager.create_authenticated_connection("user_1", wire, connection_id="conn_3")
        assert made.connection_id == "conn_3"
        assert await manager.register_user_connection("user_1", wire, connection_id="conn_4") == "conn_4"
        assert await manager.check_connection_health("conn_1") is True
        assert await manager.check_connection_health("conn_9") is False
        assert manager.is_connection_alive(manager.get_connection_by_id("conn_1")) is True
        assert len(manager.get_active_connections()) == len(manager.get_active_connections("user_1")) == 4
        assert await manager.associate_run_id("conn_1", "run_1") is True
        assert await manager.associate_run_id("conn_9", "run_1") is False
        assert await manager.get_connections_by_run_id("run_1") == ["conn_1"]
        await manager.disconnect("conn_1")
        await manager.remove_connection("user_1", "conn_2")
        await manager.remove_connection_by_user("user_1")
        job = await manager.connect(wire, "job_1")
        assert job.connection_id in manager._connections
        await manager.disconnect(job.user_id, wire)
        assert await manager.add_connection_by_user("user_2", wire, "conn_5") == "conn_5"
        await manager.handle_disconnection("user_2", wire)
        await manager.cleanup_all_connections()
        assert await manager.health_check() is True
        await manager.cleanup()
        assert await manager.health_check() is False
        await manager.cleanup_all()

    run(scenario())


def test_reports_by_their_older_names(manager: Any, run: Any, socket: Any) -> None:
    stats = manager.get_manager_stats()
    assert (stats["total_connections"], stats["health"]["healthy"], stats["is_active"]) == (0, True, True)
    assert manager.get_all_status()["total_connections"] == 0
    assert manager.get_queue_size("user_1") == 0
    assert manager.validate_message({"type": "x"}) is True
    assert manager.validate_message({}) is False
    assert manager._serialize_message_safely({"a": {1}}) == run(manager._serialize_message_safely_async({"a": {1}})) == {"a": [1]}
    assert run(manager.handle_message("user_1", socket(), {"type": "x"})) is True
    assert run(manager.cleanup_expired_event_tracking()) == 0


def test_switches_that_tests_turn(manager: Any, run: Any) -> None:
    assert (manager._error_recovery_enabled, manager._monitoring_enabled, manager._is_active) == (True, True, True)
    manager._error_recovery_enabled = manager._monitoring_enabled = manager._is_active = False
    assert (manager._undelivered.enabled, manager._tasks.enabled, manager.is_healthy()) == (False, False, False)
    assert manager._shutdown_requested is False
    run(manager.shutdown_background_monitoring())
    assert manager._shutdown_requested is True
    manager._message_recovery_queue = {"user_1": []}
    assert manager._undelivered.messages == {"user_1": []}
    assert (manager._task_failures, manager._task_registry, manager._task_last_restart, manager._last_error_time) == (
        {},
        {},
        {},
        {},
    )
    lock = run(manager._get_user_connection_lock("user_1"))
    assert run(manager._get_user_connection_lock("user_1")) is lock

    async def locked() -> bool:
        async with manager._lock:
            return bool(manager._lock.locked())

    assert run(locked()) is True


def test_a_users_queue_is_made_when_it_is_asked_for(manager: Any, connection: Any, run: Any) -> None:
    async def scenario() -> None:
        await manager.add_connection(connection())
        assert manager._user_event_queues["user_1"].maxsize == 1000

    run(scenario())


def test_sockets_without_send_json_get_text(manager: Any, connection: Any, run: Any) -> None:
    texts: list[str] = []

    class TextSocket:
        async def send_text(self, text: str) -> None:
            texts.append(text)

    run(manager.add_connection(connection(websocket=TextSocket())))
    run(manager.send_to_user("user_1", {"a": 1}))
    assert texts == ['{"a":1}']
    run(manager.disconnect_user("user_1"))


def test_events_that_tell_nobody_are_not_sent(manager: Any, run: Any) -> None:
    assert run(manager.send_event_after_commit("tx", "own", {})) is False
