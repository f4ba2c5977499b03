"""Methods that managers of other releases had, or that callers use though no release had them; each has one plain meaning."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from compat.netra.components.connections.background_tasks import MonitoredTasks
from compat.netra.components.messages import serializing
from compat.shim import legacy_method

from ..delivery import is_open
from ..manager_types import OTHERWISE, ConnectionID
from ..user_managers import Scope
from .part import Face, ManagerPart


class Older(ManagerPart):
    """Most are another method under its older name; each is called on the manager, so that a replaced one is honoured."""

    def __init__(self, manager: Face, scope: Scope, tasks: MonitoredTasks) -> None:
        super().__init__(manager, scope)
        self.tasks = tasks

    @legacy_method(instead="await manager.close()")
    async def shutdown(self, timeout: float | None = None) -> None:
        """Stop background tasks, and close the users' managers with their sockets."""
        await self.tasks.shutdown()
        await self.scope.close()
        self.manager.clear_all_connections()

    @legacy_method(instead=OTHERWISE)
    async def cleanup(self) -> None:
        """As :meth:`shutdown`."""
        await self.manager.shutdown()

    @legacy_method(instead=OTHERWISE)
    async def cleanup_all(self) -> None:
        """As :meth:`shutdown`."""
        await self.manager.shutdown()

    @legacy_method(instead="await manager.close()")
    async def cleanup_all_connections(self) -> None:
        """Remove every connection."""
        self.manager.clear_all_connections()

    @legacy_method(instead=OTHERWISE)
    async def initialize(self, *args: Any, **kwargs: Any) -> bool:
        """Nothing is left to do after construction; True."""
        return True

    @legacy_method(instead=OTHERWISE)
    async def emit_agent_event(self, user_id: Any = None, event_type: Any = None, data: Any = None, **named: Any) -> bool:
        """Send an agent's event: ``(user_id, event_type, data)``, or by keyword with ``run_id`` and ``thread_id``."""
        if isinstance(event_type, dict) and data is None:
            user_id, event_type, data = None, user_id, event_type
        thread_id = named.get("thread_id")
        body = {**(data or {}), **named}
        user = user_id if user_id is not None else self.own_user
        if user is not None:
            await self.manager.send_agent_event(user, event_type, body)
            return True
        return bool(await self.manager.send_to_thread(thread_id, {**body, "type": event_type}))

    @legacy_method(instead=OTHERWISE)
    async def emit_event(self, *args: Any, **kwargs: Any) -> bool:
        """As :meth:`emit_agent_event`."""
        return await self.manager.emit_agent_event(*args, **kwargs)

    @legacy_method(instead=OTHERWISE)
    async def notify_agent_started(self, user_id: Any = None, data: Any = None, **named: Any) -> bool:
        """Send ``agent_started``."""
        return await self.manager.emit_agent_event(user_id, "agent_started", data if isinstance(data, dict) else None, **named)

    @legacy_method(instead=OTHERWISE)
    async def connect(self, user_id: Any = None, websocket: Any = None, connection_id: Any = None, thread_id: Any = None) -> Any:
        """As ``connect_user``; in the older order ``(websocket, job_id)`` as ``connect_to_job``."""
        if user_id is not None and not isinstance(user_id, str) and isinstance(websocket, str):
            return await self.manager.connect_to_job(user_id, websocket)
        return await self.manager.connect_user(user_id, websocket, connection_id, thread_id)

    @legacy_method(instead=OTHERWISE)
    async def disconnect(
        self, user_id: Any = None, websocket: Any = None, code: int = 1000, reason: str = "Normal closure"
    ) -> None:
        """As ``disconnect_user``; a connection id alone removes that connection."""
        if websocket is None and not self.scope.records_of(str(user_id)) and self.scope.get(user_id) is not None:
            await self.manager.remove_connection(user_id)
        else:
            await self.manager.disconnect_user(user_id, websocket, code, reason)

    @legacy_method(instead=OTHERWISE)
    async def send_message_to_user(self, user_id: str, message: Any, *args: Any, **kwargs: Any) -> bool:
        """Send to a user; whether the user was connected."""
        connected = any(map(is_open, self.scope.records_of(str(user_id))))
        await self.manager.send_to_user(user_id, serializing.serialize_message_safely(message))
        return connected

    @legacy_method(instead=OTHERWISE)
    async def broadcast_to_user(self, user_id: str, message: Any) -> bool:
        """As :meth:`send_message_to_user`."""
        return await self.manager.send_message_to_user(user_id, message)

    @legacy_method(instead=OTHERWISE)
    async def send_error(self, user_id: Any, error_message: Any = None, *details: Any) -> None:
        """Tell a user about an error."""
        if error_message is None:
            user_id, error_message = self.own_user, user_id
        await self.manager.send_to_user(
            user_id, {"type": "error", "error": error_message, "message": error_message, "timestamp": _now()}
        )

    @legacy_method(instead=OTHERWISE)
    async def send_error_to_user(self, user_id: str, error_message: str, sub_agent_name: str = "System") -> bool:
        """Tell a user about an error of one agent."""
        message = {"type": "error", "error": error_message, "sub_agent_name": sub_agent_name, "timestamp": _now()}
        return await self.manager.send_message_to_user(user_id, message)

    @legacy_method(instead=OTHERWISE)
    async def send_agent_update(self, run_id: str, agent_name: str, update: dict[str, Any]) -> None:
        """Send an agent's progress to the thread of its run."""
        message = {"type": "agent_update", "run_id": run_id, "agent_name": agent_name, **update}
        await self.manager.send_to_thread(update.get("thread_id", run_id), message)

    @legacy_method(instead=OTHERWISE)
    async def send_to_connection(self, connection_id: str, message: Any) -> bool:
        """As ``send_message``."""
        return bool(await self.manager.send_message(connection_id, message))

    @legacy_method(instead=OTHERWISE)
    async def broadcast_to_all_users(self, message: Any) -> int:
        """As ``broadcast``."""
        return int(await self.manager.broadcast(message))

    @legacy_method(instead=OTHERWISE)
    async def broadcast_to_job(self, job_id: str, message: Any) -> bool:
        """Send to everybody in a job's room; whether anybody took it."""
        took = [await self.manager.send_message(ConnectionID.of(record), message) for record in self._room_records(job_id)]
        return any(took)

    def _room_records(self, room_id: str) -> list[Any]:
        """The connections in a room that are still there."""
        members = [
            (name, user) for name in sorted(self.scope.rooms.members(room_id)) for user in self.scope.rooms.users(room_id, name)
        ]
        records = (self.scope.get(name, user) for name, user in members)
        return [record for record in records if record is not None]

    @legacy_method(instead=OTHERWISE)
    async def broadcast_to_room(self, room_id: str, message: Any, exclude_user: Any = None) -> int:
        """Send to everybody in a room but one user; how many took it."""
        ids = [ConnectionID.of(record) for record in self._room_records(room_id) if record.user_id != exclude_user]
        return sum([bool(await self.manager.send_message(connection_id, message)) for connection_id in ids])

    @legacy_method(instead=OTHERWISE)
    def join_room(self, user_id: str, room_id: str) -> bool:
        """Put a user's connections into a room; False for a user without one."""
        ids = self.scope.ids_of(str(user_id))
        return sum(self.scope.rooms.join(room_id, one, str(user_id)) for one in ids) > 0

    @legacy_method(instead=OTHERWISE)
    def leave_room(self, user_id: str, room_id: str) -> bool:
        """Take a user's connections out of a room."""
        ids = self.scope.ids_of(str(user_id))
        return sum(self.scope.rooms.leave(room_id, one, str(user_id)) for one in ids) > 0

    @legacy_method(instead=OTHERWISE)
    async def check_connection_health(self, connection_id: str) -> bool:
        """Whether a connection is open."""
        record = self.scope.get(connection_id)
        return record is not None and is_open(record)

    @legacy_method(instead=OTHERWISE)
    def is_connection_alive(self, connection_info: Any) -> bool:
        """Whether the socket of a connection is open."""
        return is_open(connection_info)

    @legacy_method(instead=OTHERWISE)
    async def health_check(self, *args: Any, **kwargs: Any) -> bool:
        """Whether the manager works."""
        return self.manager.is_healthy()

    @legacy_method(instead=OTHERWISE)
    async def create_connection(
        self, connection_id: Any = None, user_id: Any = None, websocket: Any = None, metadata: Any = None, **named: Any
    ) -> Any:
        """Connect a user; return the connection's record."""
        made = await self.manager.connect_user(
            user_id, websocket, connection_id, named.get("thread_id"), connection_metadata=metadata
        )
        return self.manager.get_connection(made)

    @legacy_method(instead=OTHERWISE)
    async def create_authenticated_connection(self, user_id: Any = None, websocket: Any = None, **named: Any) -> Any:
        """As :meth:`create_connection`, for a user whose token was checked."""
        return await self.manager.create_connection(named.pop("connection_id", None), user_id, websocket, **named)

    @legacy_method(instead=OTHERWISE)
    async def register_user_connection(self, user_id: Any, websocket: Any = None, **named: Any) -> Any:
        """As ``connect_user``."""
        return await self.manager.connect_user(user_id, websocket, named.get("connection_id"), named.get("thread_id"))

    @legacy_method(instead=OTHERWISE)
    def get_manager_stats(self) -> dict[str, Any]:
        """Statistics and health in one."""
        return {**self.manager.get_stats(), "health": self.manager.get_health_status(), "is_active": self.scope.is_alive()}

    @legacy_method(instead=OTHERWISE)
    def get_all_status(self) -> dict[str, Any]:
        """As :meth:`get_manager_stats`."""
        return self.manager.get_manager_stats()

    @legacy_method(instead=OTHERWISE)
    def get_connection_by_id(self, connection_id: str) -> Any:
        """As ``get_connection``."""
        return self.manager.get_connection(connection_id)

    @legacy_method(instead=OTHERWISE)
    def get_active_connections(self, user_id: Any = None) -> list[Any]:
        """The open connections of one user, or of all."""
        records = self.scope.every_record() if user_id is None else self.scope.records_of(str(user_id))
        return [record for record in records if is_open(record)]

    @legacy_method(instead=OTHERWISE)
    def get_queue_size(self, job_id: str) -> int:
        """How many messages wait for a user or a job's user."""
        return int(self.scope.waiting(str(job_id)))

    @legacy_method(instead=OTHERWISE)
    async def associate_run_id(self, connection_id: str, run_id: str) -> bool:
        """Note the run that a connection follows; False for an unknown connection."""
        record = self.scope.get(connection_id)
        if record is None:
            return False
        record.metadata = {**(record.metadata or {}), "run_id": run_id}
        return True

    @legacy_method(instead=OTHERWISE)
    async def get_connections_by_run_id(self, run_id: str) -> list[str]:
        """The ids of the connections that follow a run; none where those of several users say that they do."""
        found = [record for record in self.scope.every_record() if (record.metadata or {}).get("run_id") == run_id]
        return [ConnectionID.of(record) for record in found] if len({record.user_id for record in found}) == 1 else []

    @legacy_method(instead=OTHERWISE)
    def validate_message(self, message: Any) -> bool:
        """Whether a message has a type."""
        return isinstance(message, dict) and isinstance(message.get("type"), str) and bool(message["type"])


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()
