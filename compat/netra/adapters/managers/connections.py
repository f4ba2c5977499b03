"""Connections of a legacy manager: added, found, moved to a thread, removed."""

from __future__ import annotations

import asyncio
import inspect
import secrets
import time
from collections.abc import Callable, Coroutine
from datetime import datetime, timezone
from typing import Any

from compat.canonical.core import serialization
from compat.netra.components.connections.rooms import Rooms
from compat.netra.components.events.undelivered import UndeliveredMessages
from compat.netra.components.ids import IDType
from compat.netra.components.ids import id_manager as ids
from compat.netra.components.locks import make_lock
from compat.shim import legacy_method

from . import looked_up
from .isolation import user_or_none
from .live_dicts import View
from .manager_types import OTHERWISE, ConnectionID, ConnectionIDs, WebSocketConnection
from .user_managers import is_open

_OWN: Any = object()


class ConnectionMethods:
    """Methods that change or find connections; ``self._scope`` holds the users' canonical managers."""

    _scope: Any
    registry: Any
    _views: list[View]
    connection_registry: dict[str, Any]
    user_context: Any
    _event_isolation_tokens: dict[str, str]
    _user_event_queues: dict[str, Any]
    _user_connection_locks: dict[str, asyncio.Lock]
    _undelivered: UndeliveredMessages
    _rooms: Rooms
    process_recovery_queue: Callable[..., Coroutine[Any, Any, None]]

    @legacy_method(instead="get_websocket_manager(context).connect(websocket)")
    async def add_connection(self, connection: Any = None, *details: Any, **named: Any) -> None:
        """Add a connection and send it what waited for its user."""
        record = _record(connection, details, named)
        self._attach(record)
        await self._scope.flush(record.user_id)
        if self._undelivered.messages.get(record.user_id):
            await asyncio.wait_for(self.process_recovery_queue(record.user_id), 5.0)

    def _attach(self, record: Any) -> None:
        if record is None:
            raise ValueError("Connection must not be None")
        if not record.user_id:
            raise ValueError("Connection must have a valid user_id")
        if not record.connection_id:
            raise ValueError("Connection must have a valid connection_id")
        self._scope.attach(record)
        self._event_isolation_tokens[record.connection_id] = secrets.token_hex(16)
        self._user_event_queues.setdefault(record.user_id, None)
        self._user_connection_locks.setdefault(record.user_id, make_lock())

    @legacy_method(instead="manager.remove_connection(connection_id) of the user's own manager")
    async def remove_connection(self, connection_id: Any, *details: Any) -> None:
        """Remove one connection; an unknown id is passed over."""
        user_id = None
        if details:
            first, second = str(connection_id), str(details[0])
            if second in self._scope.ids_of(first):
                user_id, connection_id = first, second  # remove_connection(user_id, connection_id)
            elif first in self._scope.ids_of(second):
                user_id = second
        self._detach(connection_id, user_id)

    def _detach(self, connection_id: Any, user_id: str | None = None) -> Any:
        record = self._scope.detach(connection_id, user_id)
        if record is not None:
            name = record.connection_id
            if not self._scope.is_shared(name):
                self._event_isolation_tokens.pop(name, None)
                self.connection_registry.pop(name, None)
            if not self._scope.records_of(record.user_id):
                self._user_event_queues.pop(record.user_id, None)
        return record

    @legacy_method(instead=OTHERWISE)
    def get_connection(self, connection_id: Any = _OWN) -> Any:
        """The record of one connection, or None; called without an id, the first one of the manager's own user."""
        if connection_id is None:
            return None
        if connection_id is _OWN:
            own = getattr(self.user_context, "user_id", None)
            return next(iter(self._scope.records_of(str(own))), None) if own else None
        found = self._scope.get(connection_id)
        return found if found is not None or connection_id.__hash__ is None else self._views[0].beside.get(connection_id)

    @legacy_method(instead="manager.connections")
    def get_user_connections(self, user_id: Any = None) -> ConnectionIDs:
        """The ids of one user's connections; without a user those of the manager's own context, or all."""
        if user_id is None:
            own = getattr(self.user_context, "user_id", None)
            found = self._scope.ids_of(own) if own else set()
            return ConnectionIDs(found or map(ConnectionID.of, self._scope.every_record()))
        user = looked_up.ensure_user_id(user_id)
        return ConnectionIDs(self._scope.ids_of(user) or self._views[1].beside.get(user) or ())

    @legacy_method(instead=OTHERWISE)
    def get_connection_thread_id(self, connection_id: Any) -> Any:
        """The thread of one connection, or None."""
        record = self._scope.get(connection_id)
        return record.thread_id if record is not None else None

    @legacy_method(instead=OTHERWISE)
    def get_user_connections_by_thread(self, user_id: Any, thread_id: str) -> set[str]:
        """The ids of one user's connections to one thread."""
        user = looked_up.ensure_user_id(user_id)
        return {ConnectionID.of(record) for record in self._scope.records_of(user) if record.thread_id == str(thread_id)}

    @legacy_method(instead="get_websocket_manager(context).add_connection(websocket)")
    def register_connection(self, connection_id: Any, user_id: Any = None, websocket: Any = None) -> ConnectionIDs:
        """Add a connection without waiting; ``(user_id, connection_info)`` goes to the registry."""
        if websocket is None and not isinstance(user_id, str) and hasattr(user_id, "websocket"):
            info, user_id = user_id, connection_id
            connection_id, websocket = info.connection_id, info.websocket
            self.connection_registry[connection_id] = info
        elif user_id is None and not isinstance(connection_id, str):
            record = connection_id
            connection_id, user_id, websocket = record.connection_id, record.user_id, record.websocket
        info = self.connection_registry.get(connection_id)
        metadata = {"connection_info": info} if info is not None and info.websocket is websocket else None
        self._attach(WebSocketConnection(connection_id, user_id, websocket, datetime.now(timezone.utc), metadata))  # type: ignore[arg-type]
        return ConnectionIDs({connection_id})

    @legacy_method(instead="manager.remove_connection(connection_id)")
    def unregister_connection(self, connection_id: str) -> ConnectionIDs:
        """Remove a connection without waiting."""
        record = self._detach(connection_id)
        return ConnectionIDs({connection_id} if record is not None else ())

    @legacy_method(instead=OTHERWISE)
    def get_connection_info(self, connection_id: str) -> Any:
        """One connection as a dict, or None."""
        record = self._scope.get(connection_id)
        return _described(record) if record is not None else None

    @legacy_method(instead=OTHERWISE)
    def get_connections_for_user(self, user_id: str) -> list[dict[str, Any]]:
        """One user's connections as dicts."""
        return [_described(record) for record in self._scope.records_of(str(user_id))]

    @legacy_method(instead=OTHERWISE)
    def clear_all_connections(self) -> None:
        """Remove every connection."""
        for record in self._scope.every_record():
            self._detach(record.connection_id, record.user_id)
        self.connection_registry.clear()
        for view in self._views:
            view.drop_beside()

    @legacy_method(instead=OTHERWISE)
    async def wait_for_connection(self, user_id: str, timeout: float = 5.0, check_interval: float = 0.1) -> bool:
        """Wait up to ``timeout`` seconds until the user is connected; whether it is."""
        ends = time.monotonic() + timeout
        while not self.is_connection_active(user_id):
            left = ends - time.monotonic()
            if left <= 0:
                return False
            await looked_up.asyncio.sleep(min(check_interval, left))
        return True

    @legacy_method(instead="manager.is_connected")
    def is_connection_active(self, user_id: Any) -> bool:
        """Whether the user has an open connection; False for what is no user's id."""
        user = user_or_none(user_id)
        return user is not None and any(is_open(record) for record in self._scope.records_of(user))

    @legacy_method(instead=OTHERWISE)
    def is_user_connected(self, user_id: Any) -> bool:
        """Whether the user has an open connection."""
        return self.is_connection_active(user_id)

    @legacy_method(instead="await get_websocket_manager(context).connect(websocket)")
    async def connect_user(
        self, user_id: str, websocket: Any, connection_id: Any = None, thread_id: Any = None, **named: Any
    ) -> ConnectionID:
        """Connect a user; return the id, made where none is given. A dict in its place is metadata."""
        metadata = named.get("connection_metadata") or named.get("metadata")
        if isinstance(connection_id, dict):
            metadata, connection_id = connection_id, None
        connection_id = connection_id or (metadata or {}).get("connection_id") or _new_connection_id()
        thread_id = thread_id or (metadata or {}).get("thread_id")
        record = WebSocketConnection(
            connection_id=str(connection_id),
            user_id=user_id,
            websocket=websocket,
            connected_at=datetime.now(timezone.utc),
            metadata=metadata,  # type: ignore[arg-type]
            thread_id=thread_id,
        )
        await self.add_connection(record)
        return ConnectionID.of(record)

    @legacy_method(instead="await manager.disconnect(connection_id, code, reason)")
    async def disconnect_user(
        self, user_id: str, websocket: Any = None, code: int = 1000, reason: str = "Normal closure"
    ) -> None:
        """Remove the user's connection over ``websocket`` (or of that id; without one all of them) and close the socket."""
        records = self._scope.records_of(str(user_id))
        gone = [r for r in records if websocket is None or r.websocket == websocket or r.connection_id == websocket]
        if not gone:
            serialization.logger.warning("user %s has no such connection", user_id)
        for record in gone:
            await self.remove_connection(ConnectionID.of(record))
            await _close(record.websocket, code, reason)

    @legacy_method(instead=OTHERWISE)
    async def find_connection(self, user_id: str, websocket: Any) -> Any:
        """The user's connection over ``websocket``, or None."""
        return next((record for record in self._scope.records_of(str(user_id)) if record.websocket == websocket), None)

    @legacy_method(instead="next(c for c in manager.connections.values() if c.websocket is websocket)")
    def get_connection_id_by_websocket(self, websocket: Any) -> Any:
        """The id of the connection over ``websocket``, or None."""
        records = self._scope.every_record()
        return next((ConnectionID.of(record) for record in records if record.websocket == websocket), None)

    @legacy_method(instead="manager.associate_thread(connection_id, thread_id)")
    def update_connection_thread(self, connection_id: Any, thread_id: Any) -> bool:
        """Move a connection to a thread; False, and nothing moved, for an unknown connection or no thread."""
        return thread_id is not None and bool(self._scope.move(connection_id, str(thread_id)))

    @legacy_method(instead=OTHERWISE)
    def get_connection_count(self) -> int:
        """How many connections there are."""
        return len(self._scope.every_record())

    @legacy_method(instead=OTHERWISE)
    async def handle_connection(self, websocket: Any, user_id: Any = None) -> str:
        """Connect ``user_id``, or the user of the manager's own context."""
        user = user_id or getattr(self.user_context, "user_id", None)
        if not user:
            raise ValueError("handle_connection needs a user_id: this manager has no user context")
        return await self.connect_user(user, websocket)

    @legacy_method(instead=OTHERWISE)
    async def handle_disconnection(self, user_id: str, websocket: Any = None) -> None:
        """Remove the user's connection over ``websocket``, or all of them."""
        for record in list(self._scope.records_of(str(user_id))):
            if websocket is None or record.websocket == websocket:
                await self.remove_connection(ConnectionID.of(record))

    @legacy_method(instead=OTHERWISE)
    async def add_connection_by_user(self, user_id: str, websocket: Any, connection_id: Any = None) -> str:
        """Connect a user; return the id."""
        return await self.connect_user(user_id, websocket, connection_id)

    @legacy_method(instead=OTHERWISE)
    async def remove_connection_by_user(self, user_id: str) -> None:
        """Remove all of a user's connections."""
        await self.handle_disconnection(user_id)

    @legacy_method(instead=OTHERWISE)
    async def cleanup_stale_connections(self, max_age_seconds: float = 3600) -> int:
        """Remove the connections whose socket is closed or gone, however old the others are; how many."""
        stale = [record for record in self._scope.every_record() if not is_open(record)]
        for record in stale:
            await self.remove_connection(ConnectionID.of(record))
        return len(stale)

    @legacy_method(instead=OTHERWISE)
    async def connect_to_job(self, websocket: Any, job_id: str) -> Any:
        """Put a socket into a job's room; return its connection."""
        if not isinstance(job_id, str) or not job_id.strip():
            raise ValueError(f"Invalid job_id: {job_id!r} must be a non-empty string")
        connection_id = f"job_{job_id}_{id(websocket)}"
        record = WebSocketConnection(
            connection_id, f"job_user_{id(websocket)}", websocket, datetime.now(timezone.utc), {"job_id": job_id}
        )
        record.job_id = job_id  # type: ignore[attr-defined]
        self._attach(record)  # what waits for this name is for a socket that is gone: the number of its object is used again
        self._rooms.join(job_id, connection_id, record.user_id)
        return record

    @legacy_method(instead=OTHERWISE)
    async def disconnect_from_job(self, job_id: str, websocket: Any) -> None:
        """Take a socket out of a job's room."""
        connection_id = f"job_{job_id}_{id(websocket)}"
        self._rooms.leave(job_id, connection_id)
        await self.remove_connection(connection_id)


def _record(connection: Any, details: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """One record from each form in use: a record; ``(user_id, websocket[, connection_id])``; keywords."""
    if not details and not named:
        return connection
    values = [connection, *details] if connection is not None else list(details)
    words = [value for value in values if isinstance(value, str)]
    sockets = [value for value in values if not isinstance(value, (str, dict))]
    if "user_id" not in named and sockets and hasattr(sockets[0], "connection_id") and not words:
        return sockets[0]
    user_id = named.get("user_id") or (words[0] if words else None)
    rest = words[1:] if "user_id" not in named else words
    connection_id = named.get("connection_id") or (rest[0] if rest else None) or _new_connection_id()
    if rest and str(user_id).startswith(("conn", "ws")) and not connection_id.startswith(("conn", "ws")):
        user_id, connection_id = connection_id, user_id
    websocket = named.get("websocket") or (sockets[0] if sockets else None)
    made = WebSocketConnection(connection_id, user_id or "", websocket, datetime.now(timezone.utc))
    made.thread_id = named.get("thread_id")
    made.metadata = named.get("metadata") or named.get("connection_metadata")  # type: ignore[assignment]
    return made


def _new_connection_id() -> str:
    return str(ids.get_id_manager().generate_id(IDType.WEBSOCKET, prefix="conn"))


def _described(record: Any) -> dict[str, Any]:
    return {
        "connection_id": record.connection_id,
        "user_id": record.user_id,
        "websocket": record.websocket,
        "connected_at": record.connected_at,
        "thread_id": record.thread_id,
        "metadata": record.metadata or {},
        "is_active": is_open(record),
    }


async def _close(websocket: Any, code: int, reason: str) -> None:
    close = getattr(websocket, "close", None)
    if close is None:
        return
    try:
        closing = close(code=code, reason=reason)
        if inspect.isawaitable(closing):
            await closing
    except Exception as error:
        serialization.logger.debug("closing a socket failed: %s", error)
