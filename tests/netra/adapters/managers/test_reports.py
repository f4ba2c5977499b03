"""What the legacy manager says of itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_statistics(manager: Any, connection: Any, run: Any) -> None:
    run(manager.add_connection(connection("user_1", 1)))
    run(manager.add_connection(connection("user_2", 2)))
    expected = {"total_connections": 2, "unique_users": 2, "connections_by_user": {"user_1": 1, "user_2": 1}}
    assert manager.get_stats() == expected
    assert manager.get_connection_stats() == expected
    assert manager.get_connection_count() == 2


def test_connection_health(manager: Any, connection: Any, run: Any) -> None:
    record = connection("user_1", 1, metadata={"a": 1}, thread_id="thread_1")
    run(manager.add_connection(record))
    assert manager.get_connection_health("user_1") == {
        "user_id": "user_1",
        "total_connections": 1,
        "active_connections": 1,
        "has_active_connections": True,
        "connections": [
            {
                "connection_id": "conn_1",
                "active": True,
                "connected_at": record.connected_at.isoformat(),
                "metadata": {"a": 1},
                "thread_id": "thread_1",
            }
        ],
    }
    assert manager.get_connection_health("user_2")["has_active_connections"] is False


def test_connection_status(manager: Any, connection: Any, run: Any) -> None:
    run(manager.add_connection(connection("user_1", 1)))
    everybody = manager.get_connection_status()
    assert (everybody["total_users"], everybody["total_connections"], list(everybody["users"])) == (1, 1, ["user_1"])
    assert manager.get_connection_status("user_1")["connection_count"] == 1


def test_health(manager: Any) -> None:
    health = manager.get_health_status()
    assert health.pop("created_at")
    assert health == {
        "healthy": True,
        "manager_type": "unified_unified",
        "mode": "unified",
        "functionality_level": "full",
        "error_recovery_enabled": True,
        "monitoring_enabled": True,
        "connection_count": 0,
        "background_tasks": 0,
    }
    assert manager.is_healthy() is True


def test_errors_are_counted_and_forgotten(manager: Any, run: Any) -> None:
    run(manager.send_to_user("user_1", {"type": "x"}))
    statistics = manager.get_error_statistics()
    assert (statistics["total_error_count"], statistics["users_with_queued_messages"]) == (1, 1)
    assert run(manager.cleanup_error_data(older_than_hours=24))["cleaned_error_users"] == 0
    assert run(manager.cleanup_error_data(older_than_hours=-1))["cleaned_error_users"] == 1


def test_background_tasks(manager: Any, run: Any) -> None:
    async def scenario() -> None:
        assert await manager.start_monitored_background_task("beat", asyncio.sleep, 60) == "beat"
        status = manager.get_background_task_status()
        assert (status["total_tasks"], status["running_tasks"], list(manager._background_tasks)) == (1, 1, ["beat"])
        assert (await manager.health_check_background_tasks())["healthy_tasks"] == 1
        assert (await manager.get_monitoring_health_status())["overall_health"]["score"] == 100
        await manager.shutdown_background_monitoring()
        assert manager._monitoring_enabled is False
        assert await manager.start_monitored_background_task("other", asyncio.sleep, 60) == ""
        assert (await manager.enable_background_monitoring())["tasks_restarted"] == 1
        assert (await manager.restart_background_monitoring(force_restart=True))["restarted_tasks"] == ["beat"]
        assert await manager.stop_background_task("beat") is True

    run(scenario())


def test_isolation_is_followed(manager: Any, connection: Any, run: Any) -> None:
    run(manager.add_connection(connection("user_1", 1)))
    assert run(manager.validate_event_isolation("user_1", "conn_1")) is True
    assert run(manager.validate_event_isolation("user_2", "conn_1")) is False
    assert list(manager._event_isolation_tokens) == ["conn_1"]
    assert manager.detect_queue_overflow("user_1") is False
    run(manager.force_cleanup_user_events("user_1"))
    assert manager._event_isolation_tokens == {}
    assert manager.get_contamination_stats()["active_isolation_tokens"] == 0


ATTRIBUTES = [
    "user_context",
    "config",
    "mode",
    "registry",
    "connection_registry",
    "_lock",
    "_user_connection_locks",
    "_user_event_queues",
    "_cross_user_detection",
    "_event_queue_stats",
    "_event_delivery_tracking",
    "_connection_pool",
    "on_event_emitted",
    "_event_listeners",
    "_transaction_coordinator",
    "_connection_lock_creation_lock",
    "_connection_manager",
    "user_id",
    "thread_id",
    "request_id",
]


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attributes_that_legacy_code_reads_are_there_and_can_be_set(manager: Any, name: str) -> None:
    getattr(manager, name)
    if name != "_connection_manager":
        value = object()
        setattr(manager, name, value)
        assert getattr(manager, name) is value
