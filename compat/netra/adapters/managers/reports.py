"""What a legacy manager says of itself: statistics, health, errors, background tasks, isolation."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime, timezone
from typing import Any

from compat.netra.components.connections.background_tasks import MonitoredTasks
from compat.netra.components.events.undelivered import UndeliveredMessages
from compat.netra.components.types import ensure_user_id

from .user_managers import is_open

QUEUE_LIMIT = 1000


class ReportMethods:
    """Methods that read; ``self._scope`` holds the users' canonical managers."""

    _scope: Any
    _undelivered: UndeliveredMessages
    _tasks: MonitoredTasks
    _created_at: datetime
    _event_queue_stats: dict[str, int]
    _cross_user_detection: dict[str, int]
    _event_isolation_tokens: dict[str, str]
    _user_event_queues: dict[str, Any]
    _transaction_coordinator: Any
    _delivery: Any
    mode: Any
    remove_connection: Callable[..., Coroutine[Any, Any, None]]

    def get_stats(self) -> dict[str, Any]:
        """Total connections, users, and connections by user."""
        by_user = {user: len(self._scope.records_of(user)) for user in self._scope.users()}
        return {"total_connections": sum(by_user.values()), "unique_users": len(by_user), "connections_by_user": by_user}

    def get_connection_stats(self) -> dict[str, Any]:
        """As :meth:`get_stats`."""
        return self.get_stats()

    def get_connection_health(self, user_id: Any) -> dict[str, Any]:
        """One user's connections and how many are open."""
        user = ensure_user_id(user_id)
        records = self._scope.records_of(user)
        active = sum(map(is_open, records))
        return {
            "user_id": user,
            "total_connections": len(records),
            "active_connections": active,
            "has_active_connections": active > 0,
            "connections": [
                {
                    "connection_id": record.connection_id,
                    "active": is_open(record),
                    "connected_at": _text(record.connected_at),
                    "metadata": record.metadata or {},
                    "thread_id": record.thread_id,
                }
                for record in records
            ],
        }

    def get_connection_status(self, user_id: Any = None) -> dict[str, Any]:
        """One user's status, or everybody's."""
        if user_id is not None:
            user = ensure_user_id(user_id)
            ids = sorted(self._scope.ids_of(user))
            return {
                "user_id": user,
                "connected": bool(ids),
                "is_connected": bool(ids),
                "connection_count": len(ids),
                "connections": ids,
                "connection_ids": ids,
            }
        users = {user: sorted(self._scope.ids_of(user)) for user in self._scope.users()}
        return {
            "total_users": len(users),
            "total_connections": sum(map(len, users.values())),
            "users": {user: {"connection_count": len(ids), "connections": ids} for user, ids in users.items()},
        }

    def get_health_status(self) -> dict[str, Any]:
        """Whether the manager works, and with what."""
        return {
            "healthy": self.is_healthy(),
            "manager_type": "unified_unified",
            "mode": self.mode.value,
            "created_at": self._created_at.isoformat(),
            "functionality_level": "full",
            "error_recovery_enabled": self._undelivered.enabled,
            "monitoring_enabled": self._tasks.enabled,
            "connection_count": len(self._scope.every_record()),
            "background_tasks": len(self._tasks.tasks),
        }

    def is_healthy(self) -> bool:
        """Whether the manager takes connections and messages."""
        return bool(self._scope.is_alive())

    def get_error_statistics(self) -> dict[str, Any]:
        """Failures by user, and what waits for whom."""
        return self._undelivered.statistics()

    async def cleanup_error_data(self, older_than_hours: float = 24) -> dict[str, int]:
        """Forget failures and messages of users whose last failure is older; how many."""
        return self._undelivered.forget(older_than_hours)

    async def start_monitored_background_task(self, task_name: str, coro_func: Any, *args: Any, **kwargs: Any) -> str:
        """Start a task that is restarted when it fails; its name, ``""`` while monitoring is off."""
        return await self._tasks.start(task_name, coro_func, *args, **kwargs)

    async def stop_background_task(self, task_name: str) -> bool:
        """Stop a task; whether there was one."""
        return await self._tasks.stop(task_name)

    def get_background_task_status(self) -> dict[str, Any]:
        """Each task's state."""
        return self._tasks.status()

    async def health_check_background_tasks(self) -> dict[str, Any]:
        """Restart failed tasks, and say what was found."""
        return await self._tasks.check()

    async def shutdown_background_monitoring(self) -> None:
        """Stop every task."""
        await self._tasks.shutdown()

    async def get_monitoring_health_status(self) -> dict[str, Any]:
        """A score of the tasks' health, with alerts."""
        return self._tasks.health()

    async def enable_background_monitoring(self, restart_previous_tasks: bool = True) -> dict[str, Any]:
        """Allow tasks again, and start those that were stopped."""
        return await self._tasks.enable(restart_previous_tasks)

    async def restart_background_monitoring(self, force_restart: bool = False) -> dict[str, Any]:
        """Start what is not running; with ``force_restart`` everything again."""
        return await self._tasks.restart(force_restart)

    def get_contamination_stats(self) -> dict[str, Any]:
        """How often a message carried a foreign user's id, and what is followed."""
        return {
            "cross_user_detection": dict(self._cross_user_detection),
            "violations_by_user": dict(self._cross_user_detection),
            "total_violations": sum(self._cross_user_detection.values()),
            "total_cross_user_events": sum(self._cross_user_detection.values()),
            "active_isolation_tokens": len(self._event_isolation_tokens),
            "active_user_queues": len(self._user_event_queues),
            "event_queue_stats": dict(self._event_queue_stats),
            "queue_stats": dict(self._event_queue_stats),
            "delivery_tracking": self._delivery.get_metrics(),
        }

    async def validate_event_isolation(self, user_id: str, connection_id: str) -> bool:
        """Whether the connection is the user's own."""
        own = self._scope.ids_of(str(user_id))
        return str(connection_id) in own and connection_id in self._event_isolation_tokens

    async def cleanup_expired_event_tracking(self, max_age_hours: float = 24) -> int:
        """Forget events that were made longer ago; how many."""
        return int(self._delivery.forget_older(max_age_hours * 3600))

    async def force_cleanup_user_events(self, user_id: str) -> None:
        """Forget everything that is followed or kept for a user."""
        user = str(user_id)
        self._cross_user_detection.pop(user, None)
        self._user_event_queues.pop(user, None)
        self._undelivered.messages.pop(user, None)
        self._delivery.forget_user(user)
        for connection_id in self._scope.ids_of(user):
            if not self._scope.is_shared(connection_id):
                self._event_isolation_tokens.pop(connection_id, None)

    def detect_queue_overflow(self, user_id: str) -> bool:
        """Whether four fifths of what may wait for the user is waiting."""
        return bool(self._scope.waiting(str(user_id)) >= 0.8 * QUEUE_LIMIT)

    def get_coordination_status(self) -> dict[str, Any]:
        """Whether events wait for their transaction."""
        enabled = self._transaction_coordinator is not None
        return {
            "coordination_enabled": enabled,
            "coordinator_available": enabled,
            "coordinator_type": type(self._transaction_coordinator).__name__ if enabled else None,
            "timestamp": datetime.now(timezone.utc).isoformat(),
        }


def _text(when: Any) -> Any:
    return when.isoformat() if isinstance(when, datetime) else when
