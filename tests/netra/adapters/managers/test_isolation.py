"""How a legacy manager keeps users apart, and what it says of users, connections and waiting messages."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from compat.canonical.errors import UserIsolationViolation

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_contamination_is_counted_by_user(manager: Any, connection: Any, run: Any, socket: Any) -> None:
    assert manager._event_queue_stats == dict.fromkeys(
        ("total_events_sent", "events_delivered", "contamination_prevented", "queue_overflows", "auth_token_reuse_detected"), 0
    )
    run(manager.add_connection(connection("user_1", 1)))
    run(manager.send_to_user("user_1", {"type": "x", "sender_user_id": "user_2"}))
    assert run(manager.validate_event_isolation("user_1", "conn_1")) is True
    assert run(manager.validate_event_isolation("user_2", "conn_1")) is False
    assert manager.get_contamination_stats() == {
        "total_events_sent": 1,
        "events_delivered": 1,
        "contamination_prevented": 1,
        "queue_overflows": 0,
        "auth_token_reuse_detected": 0,
        "cross_user_violations": {"user_1": 1, "user_2": 1},
        "active_isolation_tokens": 1,
        "user_event_queues": {"user_1": 0},
        "total_users_monitored": 1,
    }


def test_an_event_of_another_user_is_stopped_and_ones_own_is_marked(manager: Any) -> None:
    manager.user_context = SimpleNamespace(user_id="user_7")
    with pytest.raises(UserIsolationViolation, match="^Event targeting different user: user_2 != user_1$"):
        manager._prevent_cross_user_event_bleeding({"user_id": "user_2"}, "user_1")
    event = {"type": "x", "user_id": "user_1"}
    marked = manager._prevent_cross_user_event_bleeding(event, "user_1")
    mark = marked.pop("_user_isolation")
    assert marked == event and "_user_isolation" not in event
    assert sorted(mark) == ["isolation_token", "manager_user_id", "target_user_id", "timestamp"]
    assert (mark["target_user_id"], mark["manager_user_id"]) == ("user_1", "user_7")
    again = manager._prevent_cross_user_event_bleeding(event, "user_1")["_user_isolation"]
    assert again["isolation_token"] != mark["isolation_token"]


def test_the_validator_of_the_process_is_asked_in_place(manager: Any) -> None:
    with patch(
        "netra_backend.app.websocket_core.ssot_validation_enhancer.validate_user_isolation", return_value=False
    ) as validate:
        assert manager._validate_user_isolation("user_1", "send") is False
    validate.assert_called_once_with(manager, "user_1", "send")


def test_a_connection_is_diagnosed_whatever_it_is(manager: Any, connection: Any) -> None:
    record = connection("user_1", 1, metadata={"x": 1}, connected_at=datetime.now(timezone.utc) - timedelta(seconds=60))
    found = manager._get_connection_diagnostics(record)
    assert found.pop("connection_age_seconds") >= 60
    assert found == {
        "has_websocket": True,
        "websocket_type": "ServerConnection",
        "metadata_present": True,
        "websocket_state": "OPEN",
    }
    assert manager._get_connection_diagnostics(None) == {
        "has_websocket": False,
        "websocket_type": None,
        "connection_age_seconds": None,
        "metadata_present": False,
        "websocket_state": "closed",
    }


def test_each_user_that_was_added_has_a_lock(manager: Any, connection: Any, run: Any) -> None:
    for number in (1, 2):
        run(manager.add_connection(connection("user_1", number)))
    assert list(manager._user_connection_locks) == ["user_1"]
    assert isinstance(manager._user_connection_locks["user_1"], asyncio.Lock)


def test_what_is_no_id_has_no_connection_and_no_thread(manager: Any, connection: Any, run: Any) -> None:
    manager.user_context = SimpleNamespace(user_id="user_7")
    record = connection("user_7", 1, thread_id="thread_1")
    run(manager.add_connection(record))
    assert manager.get_connection(None) is None
    assert manager.get_connection() is record
    assert manager.update_connection_thread("conn_1", None) is False
    assert manager.get_connection_thread_id("conn_1") == "thread_1"
    assert manager.is_user_connected("not a user!") is False and manager.is_connection_active("") is False
    assert manager.get_connection_health("not a user!")["error"] == "invalid_user_id"
    assert sorted(manager.get_connection_health(None)) == ["error", "message", "user_id"]


def test_the_id_of_a_new_connection_is_a_text(manager: Any, run: Any, socket: Any) -> None:
    wire = socket()
    made = run(manager.connect_user("user_1", wire))
    assert isinstance(made, str) and made.startswith("conn_websocket_")
    found = run(manager.find_connection("user_1", wire))
    assert (found.user_id, found.connection_id, found.websocket) == ("user_1", made, wire)
    assert run(manager.find_connection("user_2", wire)) is None
    assert run(manager.connect_user("user_1", socket(), "conn_own")) == "conn_own"


def test_the_status_of_connections_has_its_keys(manager: Any, connection: Any, run: Any) -> None:
    run(manager.add_connection(connection("user_1", 1)))
    everybody = manager.get_connection_status()
    stamp = everybody.pop("timestamp")
    assert "T" in stamp and "+" not in stamp
    assert everybody == {
        "total_users": 1,
        "total_connections": 1,
        "users": {"user_1": {"connected": True, "connection_count": 1, "connection_ids": ["conn_1"]}},
    }
    assert sorted(manager.get_connection_status("")) == sorted(manager.get_connection_status())
    own = manager.get_connection_status("user_2")
    assert own.pop("timestamp")
    assert own == {"user_id": "user_2", "connected": False, "connection_count": 0, "connection_ids": []}


def test_old_errors_and_empty_queues_go(manager: Any, run: Any) -> None:
    run(manager.send_to_user("user_1", {"type": "x"}))
    manager._message_recovery_queue["user_2"] = []
    assert run(manager.cleanup_error_data()) == {
        "cleaned_error_users": 0,
        "cleaned_queue_users": 1,
        "remaining_error_users": 1,
        "remaining_queue_users": 1,
    }
    assert run(manager.cleanup_error_data(-1))["remaining_queue_users"] == 0


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ({"event_id": "known"}, True),
        ({"event_id": "known", "type": "confirmation", "status": "confirmed"}, True),
        ({"event_id": "known", "status": "failed", "error": "no room"}, True),
        ({"event_id": "known", "status": "other"}, False),
        ({"event_id": "known", "type": "own"}, False),
        ({"type": "confirmation"}, False),
        (None, False),
        ("text", False),
    ],
)
def test_a_confirmation_names_its_event(manager: Any, run: Any, message: Any, outcome: bool) -> None:
    known = manager._delivery.track_event("own", "user_1", "run_1", None, {})
    if isinstance(message, dict) and "event_id" in message:
        message = {**message, "event_id": known}
    assert run(manager.handle_event_confirmation("user_1", message)) is outcome
    if outcome and message.get("status") == "failed":
        assert manager._delivery.get_event_record(known).last_error == "no room"


def test_sockets_that_live_stay_when_stale_connections_go(manager: Any, connection: Any, run: Any) -> None:
    old = connection("user_1", 1, connected_at=datetime.now(timezone.utc) - timedelta(days=2))
    gone = connection("user_1", 2)
    run(manager.add_connection(old))
    run(manager.add_connection(gone))
    gone.websocket = None
    assert run(manager.cleanup_stale_connections(0)) == 1
    assert manager.get_connection("conn_1") is old
