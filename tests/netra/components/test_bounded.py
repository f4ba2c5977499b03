"""What clients choose does not make memory grow without end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, Callable

import pytest

from compat.netra.components import bounded
from compat.netra.components.auth import cors
from compat.netra.components.bounded import Newest, append
from compat.netra.components.connections.manager_validation import ManagerValidator
from compat.netra.components.connections.rooms import Rooms
from compat.netra.components.connections.state_machine import ApplicationConnectionState, ConnectionStateMachine
from compat.netra.components.events.critical_events import UnifiedEventValidator
from compat.netra.components.events.event_monitor import ChatEventMonitor, WebSocketEventMonitor
from compat.netra.components.events.event_sequences import EventSequenceValidator, EventValidator
from compat.netra.components.events.message_buffer import BufferConfig, WebSocketMessageBuffer
from compat.netra.components.events.undelivered import UndeliveredMessages
from compat.netra.components.ids.bridge import IdMigrationBridge
from compat.netra.components.ids.generator import UnifiedIdGenerator
from compat.netra.components.ids.id_manager import IDType, UnifiedIDManager
from compat.netra.components.messages.handlers import ErrorHandler

MANY = 50


def test_what_was_set_longest_ago_goes() -> None:
    kept: Newest[str, int] = Newest(3, {"a": 1, "b": 2})
    kept["c"] = 3
    kept["a"] = 4
    kept["d"] = 5
    assert (kept, list(kept)) == ({"c": 3, "a": 4, "d": 5}, ["c", "a", "d"])
    assert kept.setdefault("c", 9) == 3 and kept.setdefault("e", 6) == 6
    assert list(kept) == ["d", "c", "e"]
    kept.update({"f": 7}, g=8)
    assert dict(kept) == {"e": 6, "f": 7, "g": 8}


def test_a_list_keeps_its_newest_entries() -> None:
    entries = list(range(5))
    append(entries, 5, 3)
    assert entries == [3, 4, 5]


def _bridge(each: str, held: Any) -> None:
    held.translate_id(each)


def _sequence(each: str, held: Any) -> None:
    held.add_event_to_sequence(each, {"type": "agent_started"})


def _monitor(each: str, held: Any) -> None:
    asyncio.run(held.record_event("agent_thinking", each))


def _tracked(each: str, held: Any) -> None:
    asyncio.run(held.record_event("agent_thinking", "one", {"each": each}))


def _error(each: str, held: Any) -> None:
    asyncio.run(held.process_message({"error_code": each * 100}))


def _validator(each: str, held: Any) -> None:
    held.record_event({"type": each})


def _manager(each: str, held: Any) -> None:
    held.validate_manager_creation(SimpleNamespace(), SimpleNamespace(user_id=each))


@pytest.mark.parametrize(
    ("made", "note", "sizes"),
    [
        (IdMigrationBridge, _bridge, lambda held: [held._cache]),
        (lambda: EventSequenceValidator(EventValidator()), _sequence, lambda held: [held.active_sequences]),
        (ChatEventMonitor, _monitor, lambda held: [held.event_counts, held.last_event_time, held.thread_start_time]),
        (WebSocketEventMonitor, _monitor, lambda held: [held._session_trackers]),
        (WebSocketEventMonitor, _tracked, lambda held: [held._session_trackers["one"]["events"]]),
        (ErrorHandler, _error, lambda held: [held.error_stats["error_types"]]),
        (UnifiedEventValidator, _validator, lambda held: [held.received_events, held.event_sequence, held.event_timestamps]),
        (ManagerValidator, _manager, lambda held: [held._managers_by_user]),
    ],
)
def test_names_that_clients_choose_are_forgotten_in_the_end(
    monkeypatch: pytest.MonkeyPatch, made: Callable[[], Any], note: Callable[[str, Any], None], sizes: Callable[[Any], list[Any]]
) -> None:
    monkeypatch.setattr(Newest.__init__, "__defaults__", (10, ()))
    monkeypatch.setattr(bounded.append, "__defaults__", (10,))
    held = made()
    for one in [
        *vars(held).values(),
        *vars(held).get("error_stats", {}).values(),
        *vars(vars(held).get("_delegate", held)).values(),
    ]:
        if isinstance(one, Newest):
            one.limit = 10
    for number in range(MANY):
        note(f"name_{number}", held)
    assert [len(one) for one in sizes(held)] == [10] * len(sizes(held))
    assert all(len(name) <= 200 for one in sizes(held) if isinstance(one, dict) for name in one)


def test_origins_are_counted_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cors, "MAX_TRACKED_ORIGINS", 10)
    handler = cors.WebSocketCORSHandler(["https://a.example"], "production")
    for number in range(MANY):
        assert not handler.is_origin_allowed(f"https://{number}.example")
    assert len(handler._violation_counts) == 10


def test_identifiers_sessions_and_rooms_are_forgotten_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UnifiedIDManager, "LIMIT", 10)
    ids = UnifiedIDManager()
    made = [ids.generate_id(IDType.WEBSOCKET, context={"user_id": f"user_{number}"}) for number in range(MANY)]
    assert set(ids._id_registry) == ids._active_ids[IDType.WEBSOCKET] == set(made[-10:])
    assert (len(ids._by_user), ids.get_stats()["total_registered"]) == (10, 10)

    monkeypatch.setattr(UnifiedIdGenerator, "_active_sessions", Newest(3))
    first = UnifiedIdGenerator.get_or_create_user_session("user_1")
    for number in range(2, 5):
        UnifiedIdGenerator.get_or_create_user_session(f"user_{number}")
        assert UnifiedIdGenerator.get_or_create_user_session("user_1")["thread_id"] == first["thread_id"]
    assert UnifiedIdGenerator.get_active_sessions_count() == 3

    monkeypatch.setattr(Rooms, "LIMIT", 10)
    rooms = Rooms()
    for number in range(MANY):
        rooms.join(f"room_{number}", "conn_1", "user_1")
    assert (len(rooms.rooms), len(rooms._users), rooms.members("room_49")) == (10, 10, {"conn_1"})


def test_messages_are_kept_for_a_number_of_users() -> None:
    kept = UndeliveredMessages(users=10)
    for number in range(MANY):
        kept.keep(f"user_{number}", {"type": "x"}, "away")
    assert [len(one) for one in (kept.messages, kept.error_counts, kept.last_errors)] == [10, 10, 10]
    assert "user_49" in kept.messages


def test_a_user_whose_message_is_not_kept_leaves_nothing_in_the_buffer() -> None:
    async def run() -> None:
        buffer = WebSocketMessageBuffer(BufferConfig(max_buffer_size_global=5))
        for number in range(MANY):
            await buffer.buffer_message(f"user_{number}", {"type": "x"})
        assert len(buffer._waiting) == 5
        for user in list(buffer._waiting):
            await buffer.deliver_buffered_messages(user, lambda message: True)
        assert buffer._waiting == {}

    asyncio.run(run())


def test_a_connection_that_goes_to_and_fro_counts_its_changes_and_keeps_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded.append, "__defaults__", (10,))
    states = ApplicationConnectionState
    machine = ConnectionStateMachine("conn_1", "user_1")
    up = [states.ACCEPTED, states.AUTHENTICATED, states.SERVICES_READY, states.PROCESSING_READY]
    for state in [*up, *[states.PROCESSING, states.IDLE] * MANY]:
        assert machine.transition_to(state)
    assert len(machine.get_state_history()) == 10
    assert machine.get_metrics()["total_transitions"] >= 2 * MANY + 4
