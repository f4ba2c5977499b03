"""What a legacy manager says of itself: statistics, health, errors, background tasks."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from compat.netra.components.connections.background_tasks import MonitoredTasks
from compat.netra.components.connections.task_health import monitoring_health
from compat.shim import legacy_method

from ..delivery import is_open
from ..manager_types import OTHERWISE
from ..user_ids import FORMS, user_of, user_or_none
from ..user_managers import Scope
from .part import Face, ManagerPart


class Reports(ManagerPart):
    """Statistics, health, errors, and the background tasks."""

    def __init__(self, manager: Face, scope: Scope) -> None:
        super().__init__(manager, scope)
        self.tasks = MonitoredTasks()
        self.created_at = datetime.now(timezone.utc)

    @legacy_method(instead="manager.stats()")
    def get_stats(self) -> dict[str, Any]:
        """Total connections, users, and connections by user."""
        by_user = {user: len(self.scope.records_of(user)) for user in self.scope.users()}
        return {"total_connections": sum(by_user.values()), "unique_users": len(by_user), "connections_by_user": by_user}

    @legacy_method(instead=OTHERWISE)
    def get_connection_stats(self) -> dict[str, Any]:
        """As :meth:`get_stats`."""
        return self.manager.get_stats()

    @legacy_method(instead="manager.health()")
    def get_connection_health(self, user_id: Any) -> dict[str, Any]:
        """One user's connections and how many are open; an error where the id names no user."""
        user = user_or_none(self.scope, user_id)
        if user is None:
            return {"user_id": user_id, "error": "invalid_user_id", "message": f"{user_id!r} is not the id of a user. {FORMS}"}
        records = self.scope.records_of(user)
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

    @legacy_method(instead=OTHERWISE)
    def get_connection_status(self, user_id: Any = None) -> dict[str, Any]:
        """One user's status, or everybody's."""
        stamp = datetime.now().isoformat()  # local, without an offset: the old form
        if user_id:
            user = user_of(self.scope, user_id)
            return {"user_id": user, **self._status_of(user), "timestamp": stamp}
        users = {user: self._status_of(user) for user in self.scope.users()}
        return {
            "total_users": len(users),
            "total_connections": sum(status["connection_count"] for status in users.values()),
            "users": users,
            "timestamp": stamp,
        }

    def _status_of(self, user: str) -> dict[str, Any]:
        ids = sorted(self.scope.ids_of(user))
        return {"connected": bool(ids), "connection_count": len(ids), "connection_ids": ids}

    @legacy_method(instead="manager.health()")
    def get_health_status(self) -> dict[str, Any]:
        """Whether the manager works, and with what."""
        return {
            "healthy": self.manager.is_healthy(),
            "manager_type": "unified_unified",
            "mode": self.manager.mode.value,
            "created_at": self.created_at.isoformat(),
            "functionality_level": "full",
            "error_recovery_enabled": self.scope.undelivered.enabled,
            "monitoring_enabled": self.tasks.enabled,
            "connection_count": len(self.scope.every_record()),
            "background_tasks": len(self.tasks.tasks),
        }

    @legacy_method(instead=OTHERWISE)
    def is_healthy(self) -> bool:
        """Whether the manager takes connections and messages."""
        return bool(self.scope.is_alive())

    @legacy_method(instead=OTHERWISE)
    def get_error_statistics(self) -> dict[str, Any]:
        """Failures by user, and what waits for whom."""
        for user in list(self.scope.undelivered.messages):
            self.scope.forget_delivered(user)
        return self.scope.undelivered.statistics()

    @legacy_method(instead=OTHERWISE)
    async def cleanup_error_data(self, older_than_hours: float = 24) -> dict[str, int]:
        """Forget failures and messages of users whose last failure is older; how many."""
        return self.scope.undelivered.forget(older_than_hours)

    @legacy_method(instead=OTHERWISE)
    async def start_monitored_background_task(self, task_name: str, coro_func: Any, *args: Any, **kwargs: Any) -> str:
        """Start a task that is restarted when it fails; its name, ``""`` while monitoring is off."""
        return await self.tasks.start(task_name, coro_func, *args, **kwargs)

    @legacy_method(instead=OTHERWISE)
    async def stop_background_task(self, task_name: str) -> bool:
        """Stop a task; whether there was one."""
        return await self.tasks.stop(task_name)

    @legacy_method(instead=OTHERWISE)
    def get_background_task_status(self) -> dict[str, Any]:
        """Each task's state."""
        return self.tasks.status()

    @legacy_method(instead=OTHERWISE)
    async def health_check_background_tasks(self) -> dict[str, Any]:
        """Restart failed tasks, and say what was found."""
        return await self.tasks.check()

    @legacy_method(instead=OTHERWISE)
    async def shutdown_background_monitoring(self) -> None:
        """Stop every task."""
        await self.tasks.shutdown()

    @legacy_method(instead=OTHERWISE)
    async def get_monitoring_health_status(self) -> dict[str, Any]:
        """A score of the tasks' health, with alerts."""
        return monitoring_health(self.tasks)

    @legacy_method(instead=OTHERWISE)
    async def enable_background_monitoring(self, restart_previous_tasks: bool = True) -> dict[str, Any]:
        """Allow tasks again, and start those that were stopped."""
        return await self.tasks.enable(restart_previous_tasks)

    @legacy_method(instead=OTHERWISE)
    async def restart_background_monitoring(self, force_restart: bool = False) -> dict[str, Any]:
        """Start what is not running; with ``force_restart`` everything again."""
        return await self.tasks.restart(force_restart)


def _text(when: Any) -> Any:
    return when.isoformat() if isinstance(when, datetime) else when
