"""Messages through the legacy manager: to whom they go, what they look like, what happens when nobody takes them."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock, patch

import pytest

from compat.netra.adapters.manager_factory import create_websocket_manager_sync
from compat.netra.adapters.managers.websocket_manager import SharedWebSocketManager

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_a_message_reaches_all_of_its_users_connections_and_no_other(manager: Any, connection: Any, run: Any, got: Any) -> None:
    mine, too, other = connection("user_1", 1), connection("user_1", 2), connection("user_2", 3)

    async def scenario() -> None:
        for record in (mine, too, other):
            await manager.add_connection(record)
        await manager.send_to_user("user_1", {"type": "x", "n": 1})

    run(scenario())
    assert got(mine) == [{"type": "x", "n": 1}]
    assert got(too) == [{"type": "x", "n": 1}]
    assert got(other) == []


def test_messages_keep_their_order(manager: Any, connection: Any, run: Any, got: Any) -> None:
    record = connection()

    async def scenario() -> None:
        await manager.add_connection(record)
        for number in range(50):
            await manager.send_to_user("user_1", {"n": number})

    run(scenario())
    assert [message["n"] for message in got(record)] == list(range(50))


def test_foreign_user_ids_are_replaced(manager: Any, connection: Any, run: Any, got: Any) -> None:
    record = connection()
    run(manager.add_connection(record))
    run(manager.send_to_user("user_1", {"type": "x", "sender_user_id": "user_2"}))
    assert got(record)[-1]["sender_user_id"] == "user_1"
    assert manager.get_contamination_stats()["cross_user_violations"] == {"user_1": 1}


def test_without_a_connection_the_message_waits_and_is_sent_on_connect(manager: Any, connection: Any, run: Any, got: Any) -> None:
    run(manager.send_to_user("user_1", {"type": "x"}))
    (waiting,) = manager._message_recovery_queue["user_1"]
    assert (waiting["type"], waiting["failure_reason"]) == ("x", "no_connections")
    assert manager.get_error_statistics()["total_queued_messages"] == 1
    record = connection()
    run(manager.add_connection(record))
    assert got(record) == [{"type": "x", "recovered": True}]
    assert manager._message_recovery_queue == {}


def test_a_socket_that_fails_is_removed_and_its_message_kept(manager: Any, connection: Any, run: Any, wires: Any) -> None:
    record = connection()
    wires.cut(record)
    run(manager.add_connection(record))
    run(manager.send_to_user("user_1", {"type": "x"}))
    assert manager._message_recovery_queue["user_1"][0]["failure_reason"] == "all_connections_failed"
    assert manager.get_connection("conn_1") is None
    assert manager._connection_error_count == {"user_1": 1}


def test_one_failing_socket_does_not_stop_the_others(manager: Any, connection: Any, run: Any, got: Any, wires: Any) -> None:
    bad, good = connection("user_1", 1), connection("user_1", 2)
    wires.cut(bad)

    async def scenario() -> None:
        await manager.add_connection(bad)
        await manager.add_connection(good)
        await manager.send_to_user("user_1", {"type": "x"})

    run(scenario())
    assert len(got(good)) == 1
    assert manager._message_recovery_queue == {}


def test_critical_events_have_their_fields(manager: Any, connection: Any, run: Any, got: Any) -> None:
    record = connection()
    run(manager.add_connection(record))
    run(manager.emit_critical_event("user_1", "tool_completed", {"tool_name": "t", "result": {"x": 1}, "extra": 2}))
    message = got(record)[-1]
    assert {
        "type": "tool_completed",
        "critical": True,
        "tool_name": "t",
        "results": {"x": 1},
        "duration": 0,
        "success": True,
        "extra": 2,
        "user_id": "user_1",
    }.items() <= message.items()
    assert message["timestamp"]


def test_a_critical_event_without_a_connection_is_kept(manager: Any, run: Any) -> None:
    run(manager.emit_critical_event("user_1", "agent_started", {"agent_name": "a"}))
    kept = manager._message_recovery_queue["user_1"][0]
    assert (kept["type"], kept["data"], kept["critical"]) == ("agent_started", {"agent_name": "a"}, True)


@pytest.mark.parametrize(("user", "event"), [("not a user!", "agent_started"), ("user_1", ""), ("user_1", "  ")])
def test_a_critical_event_needs_a_user_and_a_type(manager: Any, run: Any, user: str, event: str) -> None:
    with pytest.raises(ValueError, match=r"event_type cannot be empty|Invalid user_id format"):
        run(manager.emit_critical_event(user, event, {}))


def test_replaced_methods_are_used(manager: Any, connection: Any, run: Any) -> None:
    run(manager.add_connection(connection()))
    manager.send_to_user = AsyncMock()
    run(manager.emit_critical_event("user_1", "own", {"x": 1}))
    manager.send_to_user.assert_awaited_once()
    manager.is_connection_active = Mock(return_value=False)
    manager._store_failed_message = AsyncMock()
    run(manager.emit_critical_event("user_1", "own", {"x": 1}))
    manager._store_failed_message.assert_awaited_once()


def test_send_to_thread(manager: Any, connection: Any, run: Any, got: Any) -> None:
    record = connection("user_1", 1, thread_id="thread_1")
    run(manager.add_connection(record))
    assert run(manager.send_to_thread("thread_1", {"type": "x"})) is True
    assert got(record) == [{"type": "x"}]
    manager.send_to_user = AsyncMock()
    assert run(manager.send_to_thread("thread_9", {"type": "x"})) is True
    manager.send_to_user.assert_awaited_once_with("thread_9", {"type": "x"})
    manager.send_to_user.side_effect = ValueError("bad")
    assert run(manager.send_to_thread("thread_9", {"type": "x"})) is False


def test_sending_to_one_connection(manager: Any, connection: Any, run: Any, got: Any) -> None:
    record = connection()
    run(manager.add_connection(record))
    assert run(manager.send_message("conn_1", {"type": "x"})) is True
    assert run(manager.send_message("conn_9", {"type": "x"})) is False
    assert run(manager.send_event("conn_1", "own", {"y": 1})) is True
    sent = got(record)[-1]
    assert sent.pop("timestamp").endswith("+00:00")
    assert sent == {
        "type": "own",
        "user_id": "unknown_user",
        "thread_id": "unknown_thread",
        "run_id": "unknown_run",
        "y": 1,
    }
    assert run(manager.send_message("user_1", {"type": "z"})) is True


def test_broadcasts(manager: Any, connection: Any, run: Any, got: Any) -> None:
    one, two = connection("user_1", 1), connection("user_2", 2)

    async def scenario() -> None:
        await manager.add_connection(one)
        await manager.add_connection(two)
        await manager.broadcast({"type": "all"})
        await manager.broadcast_to_all({"type": "some"}, exclude_users={"user_2"})
        assert await manager.broadcast_system_status("up") == 2

    run(scenario())
    assert [message["type"] for message in got(one)] == ["all", "some", "system_status"]
    assert [message["type"] for message in got(two)] == ["all", "system_status"]


def test_recovery_by_hand(manager: Any, connection: Any, run: Any, got: Any) -> None:
    assert run(manager.attempt_message_recovery("user_1")) == 0
    record = connection()
    run(manager.add_connection(record))
    run(manager._store_failed_message("user_1", {"type": "x"}, "why"))
    assert run(manager.attempt_message_recovery("user_1")) == 1
    assert got(record)[-1]["original_failure"] == "why"


def test_odd_messages_are_made_plain(manager: Any, connection: Any, run: Any, got: Any) -> None:
    record = connection()
    run(manager.add_connection(record))
    run(manager.send_to_user("user_1", {"when": record.connected_at, "tags": {"a"}}))
    sent = got(record)[-1]
    assert sent == {"when": record.connected_at.isoformat(), "tags": ["a"]}
    json.dumps(sent)


def test_incoming_messages(manager: Any, run: Any) -> None:
    assert run(manager.process_incoming_message("user_1", '{"type": "ping"}')) is True
    assert run(manager.process_incoming_message("user_1", "no json")) is False
    event_id = manager._delivery.track_event("own", "user_1", "run_1", None, {})
    assert run(manager.process_incoming_message("user_1", {"type": "event_confirmation", "event_id": event_id})) is True
    assert run(manager.handle_event_confirmation("user_1", {"event_id": "unknown"})) is False


def test_events_after_commit(manager: Any, connection: Any, run: Any, got: Any) -> None:
    record = connection()
    run(manager.add_connection(record))
    assert manager.is_coordination_enabled() is False
    assert run(manager.send_event_after_commit("tx_1", "own", {"x": 1}, connection_id="conn_1")) is True
    assert run(manager.send_event_after_commit("tx_1", "own", {"x": 1}, user_id="user_9")) is False
    assert run(manager.send_event_after_commit("tx_1", "own", {"x": 1})) is False
    assert manager.get_coordination_status() == {"enabled": False, "reason": "Coordination not enabled"}
    assert len(got(record)) == 1
    coordinator = Mock(
        add_pending_event=AsyncMock(),
        get_pending_events_count=Mock(return_value=3),
        get_coordination_metrics=Mock(return_value={"commits": 1}),
    )
    manager.set_transaction_coordinator(coordinator)
    run(manager.send_event_after_commit("tx_1", "own", {"x": 1}, user_id="user_1"))
    coordinator.add_pending_event.assert_awaited_once_with(
        transaction_id="tx_1",
        event_type="own",
        event_data={"x": 1},
        connection_id=None,
        user_id="user_1",
        thread_id=None,
        priority=0,
    )
    assert manager.get_coordination_status() == {
        "enabled": True,
        "coordinator_available": True,
        "pending_events": 3,
        "metrics": {"commits": 1},
    }
    manager.is_coordination_enabled = Mock(return_value=True)
    manager.set_transaction_coordinator(None)
    assert manager.get_coordination_status() == {"enabled": False, "reason": "No transaction coordinator configured"}


def test_listeners_hear_each_critical_event_that_was_delivered_once_and_as_it_was_given(
    manager: Any, connection: Any, run: Any
) -> None:
    heard: list[Any] = []
    keywords: list[Any] = []
    run(manager.add_connection(connection()))
    manager.add_event_listener(heard.append)
    manager.add_event_listener(heard.append)
    manager.add_event_listener(Mock(side_effect=OSError("deaf")))
    manager.on_event_emitted = lambda **event: keywords.append(event)
    data = {"agent_name": "a"}
    run(manager.send_to_user("user_1", {"type": "x"}))
    run(manager.emit_critical_event("user_2", "agent_started", data))
    run(manager.emit_critical_event("user_1", "agent_started", data))
    (event,) = heard
    assert keywords == [event] and event["data"] is data and event.pop("timestamp") > 0
    assert event == {"event_type": "agent_started", "user_id": "user_1", "data": data, "critical": True}
    manager.remove_event_listener(heard.append)
    run(manager.emit_critical_event("user_1", "agent_started", data))
    assert len(heard) == 1
    failing = AsyncMock(side_effect=OSError("deaf"))
    manager.on_event_emitted = failing
    run(manager._notify_event_listeners({"event_type": "own"}))
    run(manager.emit_critical_event("user_1", "agent_started", data))
    failing.assert_awaited_once()


def test_the_logger_can_be_replaced(manager: Any, connection: Any, run: Any, wires: Any) -> None:
    record = connection()
    wires.cut(record)
    run(manager.add_connection(record))
    with patch("netra_backend.app.websocket_core.unified_manager.logger") as logger:
        run(manager.send_to_user("user_1", {"type": "x"}))
    logger.error.assert_called_once_with("none of %d connections of user %s took %s", 1, "user_1", "x")


def test_the_logger_hears_of_one_connection_too(manager: Any, connection: Any, run: Any) -> None:
    record = connection()
    run(manager.add_connection(record))
    record.websocket.send_json = AsyncMock(side_effect=OSError("gone"))
    with patch("netra_backend.app.websocket_core.unified_manager.logger") as logger:
        assert run(manager.send_message(record.connection_id, "plain text")) is False
    assert logger.warning.call_args.args[1] == record.connection_id


def test_the_serializer_can_be_replaced(manager: Any, connection: Any, run: Any, got: Any) -> None:
    record = connection()
    run(manager.add_connection(record))
    with patch("netra_backend.app.websocket_core.unified_manager._serialize_message_safely", return_value={"plain": 1}):
        run(manager.send_to_user("user_1", {"type": object()}))
    assert got(record) == [{"plain": 1}]


def test_emitters_have_one_class_under_all_names(run: Any) -> None:
    from netra_backend.app.websocket_core import IsolatedWebSocketEventEmitter, UserWebSocketEmitter, WebSocketEventEmitter
    from netra_backend.app.websocket_core.unified_emitter import UnifiedWebSocketEmitter

    assert IsolatedWebSocketEventEmitter is UserWebSocketEmitter is WebSocketEventEmitter is UnifiedWebSocketEmitter


def test_an_emitter_over_a_legacy_manager(manager: Any, connection: Any, run: Any, got: Any) -> None:
    from netra_backend.app.websocket_core.unified_emitter import UnifiedWebSocketEmitter

    record = connection()

    async def scenario() -> None:
        await manager.add_connection(record)
        emitter = UnifiedWebSocketEmitter(manager=manager, user_id="user_1", context=manager.user_context)
        assert await emitter.notify_agent_started("a") is True
        await manager.remove_connection("conn_1")
        assert await emitter.notify_agent_started("a") is False

    run(scenario())
    sent = got(record)[-1]
    assert (sent["type"], sent["agent_name"], sent["critical"]) == ("agent_started", "a", True)


def test_an_emitters_older_constructor() -> None:
    from netra_backend.app.websocket_core.unified_emitter import UnifiedWebSocketEmitter

    context = Mock(user_id="user_1")
    assert UnifiedWebSocketEmitter.create_for_user(Mock(), context).context is context


@pytest.mark.parametrize("mode", ["testing", "production"])
def test_a_message_that_waits_for_the_first_who_comes_is_delivered_once(
    mode: str, request: pytest.FixtureRequest, run: Any, socket: Any, got: Any
) -> None:
    """In either mode: a client of the canonical server, or a legacy connection; what one has got the other does not get."""
    request.getfixturevalue(mode)
    context = SimpleNamespace(user_id="user_1", thread_id=None)

    async def scenario() -> None:
        made = create_websocket_manager_sync(context)
        other = SharedWebSocketManager() if mode == "production" else made
        canonical = made._scope.manager_of("user_1")
        for taken_by_canonical in (True, False):
            await made.send_to_user("user_1", {"type": "sent"})
            await canonical.emit("emitted", {})
            await other._store_failed_message("user_1", {"type": "stored"}, "why")
            here, legacy = socket(), socket()
            if taken_by_canonical:
                await canonical.connect(here, connection_id="here")
                assert [kept["type"] for kept in other._message_recovery_queue["user_1"]] == ["stored"]
            await other.add_connection("user_1", legacy, "conn_1")
            waited = [] if taken_by_canonical else ["emitted", "sent"]
            assert [one["type"] for one in got(legacy)] == [*waited, "stored"]
            if taken_by_canonical:
                assert [one["type"] for one in got(here)] == ["sent", "emitted", "stored"]
            assert other._message_recovery_queue == {} and canonical.undelivered() == []
            for name in list(canonical.connections):
                canonical.remove_connection(name)

    run(scenario())


@pytest.mark.parametrize("mode", ["testing", "production"])
def test_a_send_waits_for_the_sockets_that_legacy_code_attached(mode: str, request: pytest.FixtureRequest, run: Any) -> None:
    request.getfixturevalue(mode)
    taken: list[Any] = []

    class Slow:
        def __init__(self, fails: bool) -> None:
            self.fails = fails

        async def send_json(self, message: Any) -> None:
            for _ in range(3):
                await asyncio.sleep(0)
            if self.fails:
                raise ConnectionError("gone")
            taken.append(message)

    async def scenario() -> None:
        made = create_websocket_manager_sync(SimpleNamespace(user_id="user_1", thread_id=None))
        await made.connect_user("user_1", Slow(True), "conn_1")
        await made.send_to_user("user_1", {"n": 1})
        assert made._message_recovery_queue["user_1"][0]["failure_reason"] == "all_connections_failed"
        assert (made._event_queue_stats["events_delivered"], made.get_connection_count()) == (0, 0)
        await made.connect_user("user_1", Slow(False), "conn_2")
        await made.send_to_user("user_1", {"n": 2})
        assert taken == [{"n": 1, "recovered": True}, {"n": 2}]
        assert made._event_queue_stats["events_delivered"] == 2

    run(scenario())
