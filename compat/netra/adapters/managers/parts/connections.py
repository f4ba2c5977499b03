"""Connections of a legacy manager: added, found, moved to a thread, removed."""

from __future__ import annotations

import asyncio
import inspect
import time
from datetime import datetime, timezone
from typing import Any

from compat.canonical.core import serialization
from compat.netra.components.bounded import Newest
from compat.netra.components.ids import IDType
from compat.netra.components.ids import id_manager as ids
from compat.netra.components.locks import make_lock
from compat.shim import legacy_method

from .. import looked_up
from ..delivery import is_open
from ..live_dicts import Views
from ..manager_types import OTHERWISE, ConnectionID, ConnectionIDs, WebSocketConnection
from ..user_ids import user_of, user_or_none
from ..user_managers import Scope
from .isolation import Isolation
from .part import Face, ManagerPart

_OWN: Any = object()


class Connections(ManagerPart):
    """What changes or finds connections."""

    def __init__(self, manager: Face, scope: Scope, isolation: Isolation) -> None:
        super().__init__(manager, scope)
        self.isolation = isolation
        self.locks: dict[str, asyncio.Lock] = Newest()
        self.views = Views(self.attach, self.detach, scope)

    def attach(self, record: Any) -> None:
        """Take a connection in, without waiting. Raises ValueError for one without an id, or whose user's id is refused."""
        _check(record)
        self.scope.attach(record)
        self._attached(record)

    def detach(self, connection_id: Any, user_id: str | None = None) -> Any:
        """Take a connection out, its socket untouched; its record, or None."""
        record = self.scope.detach(connection_id, user_id)
        if record is not None:
            if not self.scope.is_shared(record.connection_id):
                self.manager.connection_registry.pop(record.connection_id, None)
            self.isolation.detached(record)
        return record

    def lock_of(self, user_id: str) -> asyncio.Lock:
        """The lock of a user's connections; made at need."""
        lock = self.locks.get(user_id)
        if lock is None:
            lock = self.locks[user_id] = make_lock()
        return lock

    def _attached(self, record: Any) -> None:
        self.isolation.attached(record)
        self.lock_of(record.user_id)

    @legacy_method(instead="get_websocket_manager(context).connect(websocket)")
    async def add_connection(self, connection: Any = None, *details: Any, **named: Any) -> None:
        """Add a connection and send it what waited for its user."""
        record = self._record(connection, details, named)
        _check(record)
        await self.scope.connect(record)
        self._attached(record)
        await self.scope.flush(record.user_id)
        if self.scope.undelivered.messages.get(record.user_id):
            await asyncio.wait_for(self.manager.process_recovery_queue(record.user_id), 5.0)

    @legacy_method(instead="manager.remove_connection(connection_id) of the user's own manager")
    async def remove_connection(self, connection_id: Any, *details: Any) -> None:
        """Remove one connection; an unknown id is passed over."""
        user_id = None
        if details:
            first, second = str(connection_id), str(details[0])
            if second in self.scope.ids_of(first):
                user_id, connection_id = first, second  # remove_connection(user_id, connection_id)
            elif first in self.scope.ids_of(second):
                user_id = second
        self.detach(connection_id, user_id)

    @legacy_method(instead=OTHERWISE)
    def get_connection(self, connection_id: Any = _OWN) -> Any:
        """The record of one connection, or None; called without an id, the first one of the manager's own user."""
        if connection_id is None:
            return None
        if connection_id is _OWN:
            own = self.own_user
            return next(iter(self.scope.records_of(str(own))), None) if own else None
        found = self.scope.get(connection_id)
        return found if found is not None or connection_id.__hash__ is None else self.views.by_id.beside.get(connection_id)

    @legacy_method(instead="manager.connections")
    def get_user_connections(self, user_id: Any = _OWN) -> ConnectionIDs:
        """The ids of one user's connections; without a user those of the manager's own context, or all."""
        if user_id is _OWN:
            own = self.own_user
            found = self.scope.ids_of(own) if own else set()
            return ConnectionIDs(found or map(ConnectionID.of, self.scope.every_record()))
        user = user_of(self.scope, user_id)
        return ConnectionIDs(self.scope.ids_of(user) or self.views.ids.beside.get(user) or ())

    @legacy_method(instead=OTHERWISE)
    def get_connection_thread_id(self, connection_id: Any) -> Any:
        """The thread of one connection, or None."""
        record = self.scope.get(connection_id)
        return record.thread_id if record is not None else None

    @legacy_method(instead=OTHERWISE)
    def get_user_connections_by_thread(self, user_id: Any, thread_id: str) -> set[str]:
        """The ids of one user's connections to one thread."""
        user = user_of(self.scope, user_id)
        return {ConnectionID.of(record) for record in self.scope.records_of(user) if record.thread_id == str(thread_id)}

    @legacy_method(instead="get_websocket_manager(context).add_connection(websocket)")
    def register_connection(self, connection_id: Any, user_id: Any = None, websocket: Any = None) -> ConnectionIDs:
        """Add a connection without waiting; ``(user_id, connection_info)`` goes to the registry."""
        if websocket is None and not isinstance(user_id, str) and hasattr(user_id, "websocket"):
            info, user_id = user_id, connection_id
            connection_id, websocket = info.connection_id, info.websocket
            self.manager.connection_registry[connection_id] = info
        elif user_id is None and not isinstance(connection_id, str):
            record = connection_id
            connection_id, user_id, websocket = record.connection_id, record.user_id, record.websocket
        info = self.manager.connection_registry.get(connection_id)
        metadata = {"connection_info": info} if info is not None and info.websocket is websocket else None
        self.attach(self._made(connection_id, user_id, websocket, metadata))
        return ConnectionIDs({connection_id})

    @legacy_method(instead="manager.remove_connection(connection_id)")
    def unregister_connection(self, connection_id: str) -> ConnectionIDs:
        """Remove a connection without waiting."""
        record = self.detach(connection_id)
        return ConnectionIDs({connection_id} if record is not None else ())

    @legacy_method(instead=OTHERWISE)
    def get_connection_info(self, connection_id: str) -> Any:
        """One connection as a dict, or None."""
        record = self.scope.get(connection_id)
        return _described(record) if record is not None else None

    @legacy_method(instead=OTHERWISE)
    def get_connections_for_user(self, user_id: str) -> list[dict[str, Any]]:
        """One user's connections as dicts."""
        return [_described(record) for record in self.scope.records_of(str(user_id))]

    @legacy_method(instead=OTHERWISE)
    def clear_all_connections(self) -> None:
        """Remove every connection."""
        for record in self.scope.every_record():
            self.detach(record.connection_id, record.user_id)
        self.manager.connection_registry.clear()
        self.views.drop_beside()

    @legacy_method(instead=OTHERWISE)
    async def wait_for_connection(self, user_id: str, timeout: float = 5.0, check_interval: float = 0.1) -> bool:
        """Wait up to ``timeout`` seconds until the user is connected; whether it is."""
        ends = time.monotonic() + timeout
        while not self.manager.is_connection_active(user_id):
            left = ends - time.monotonic()
            if left <= 0:
                return False
            await looked_up.asyncio.sleep(min(check_interval, left))
        return True

    @legacy_method(instead="manager.is_connected")
    def is_connection_active(self, user_id: Any) -> bool:
        """Whether the user has an open connection; False for what is no user's id."""
        user = user_or_none(self.scope, user_id)
        return user is not None and any(is_open(record) for record in self.scope.records_of(user))

    @legacy_method(instead=OTHERWISE)
    def is_user_connected(self, user_id: Any) -> bool:
        """Whether the user has an open connection."""
        return self.manager.is_connection_active(user_id)

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
        record = self._made(str(connection_id), user_id, websocket, metadata, thread_id)
        await self.manager.add_connection(record)
        return ConnectionID.of(record)

    @legacy_method(instead="await manager.disconnect(connection_id, code, reason)")
    async def disconnect_user(
        self, user_id: str, websocket: Any = None, code: int = 1000, reason: str = "Normal closure"
    ) -> None:
        """Remove the user's connection over ``websocket`` (or of that id; without one all of them) and close the socket."""
        records = self.scope.records_of(str(user_id))
        gone = [r for r in records if websocket is None or r.websocket == websocket or r.connection_id == websocket]
        if not gone:
            serialization.logger.warning("user %s has no such connection", user_id)
        for record in gone:
            await self.manager.remove_connection(ConnectionID.of(record))
            await _close(record.websocket, code, reason)

    @legacy_method(instead=OTHERWISE)
    async def find_connection(self, user_id: str, websocket: Any) -> Any:
        """The user's connection over ``websocket``, or None."""
        return next((record for record in self.scope.records_of(str(user_id)) if record.websocket == websocket), None)

    @legacy_method(instead="next(c for c in manager.connections.values() if c.websocket is websocket)")
    def get_connection_id_by_websocket(self, websocket: Any) -> Any:
        """The id of the connection over ``websocket``, or None."""
        records = self.scope.every_record()
        return next((ConnectionID.of(record) for record in records if record.websocket == websocket), None)

    @legacy_method(instead="manager.associate_thread(connection_id, thread_id)")
    def update_connection_thread(self, connection_id: Any, thread_id: Any) -> bool:
        """Move a connection to a thread; False, and nothing moved, for an unknown connection or no thread."""
        return thread_id is not None and bool(self.scope.move(connection_id, str(thread_id)))

    @legacy_method(instead=OTHERWISE)
    def get_connection_count(self) -> int:
        """How many connections there are."""
        return len(self.scope.every_record())

    @legacy_method(instead=OTHERWISE)
    async def handle_connection(self, websocket: Any, user_id: Any = None) -> ConnectionID:
        """Connect ``user_id``, or the user of the manager's own context."""
        user = user_id or self.own_user
        if not user:
            raise ValueError("handle_connection needs a user_id: this manager has no user context")
        return await self.manager.connect_user(user, websocket)

    @legacy_method(instead=OTHERWISE)
    async def handle_disconnection(self, user_id: str, websocket: Any = None) -> None:
        """Remove the user's connection over ``websocket``, or all of them."""
        for record in list(self.scope.records_of(str(user_id))):
            if websocket is None or record.websocket == websocket:
                await self.manager.remove_connection(ConnectionID.of(record))

    @legacy_method(instead=OTHERWISE)
    async def add_connection_by_user(self, user_id: str, websocket: Any, connection_id: Any = None) -> ConnectionID:
        """Connect a user; return the id."""
        return await self.manager.connect_user(user_id, websocket, connection_id)

    @legacy_method(instead=OTHERWISE)
    async def remove_connection_by_user(self, user_id: str) -> None:
        """Remove all of a user's connections."""
        await self.manager.handle_disconnection(user_id)

    @legacy_method(instead=OTHERWISE)
    async def cleanup_stale_connections(self, max_age_seconds: float = 3600) -> int:
        """Remove the connections whose socket is closed or gone, however old the others are; how many."""
        stale = [record for record in self.scope.every_record() if not is_open(record)]
        for record in stale:
            await self.manager.remove_connection(ConnectionID.of(record))
        return len(stale)

    @legacy_method(instead=OTHERWISE)
    async def connect_to_job(self, websocket: Any, job_id: str) -> Any:
        """Put a socket into a job's room; return its connection."""
        if not isinstance(job_id, str) or not job_id.strip():
            raise ValueError(f"Invalid job_id: {job_id!r} must be a non-empty string")
        connection_id = f"job_{job_id}_{id(websocket)}"
        record = self._made(connection_id, f"job_user_{id(websocket)}", websocket, {"job_id": job_id})
        record.job_id = job_id  # type: ignore[attr-defined]
        self.attach(record)  # what waits for this name is for a socket that is gone: the number of its object is used again
        self.scope.rooms.join(job_id, connection_id, record.user_id)
        return record

    @legacy_method(instead=OTHERWISE)
    async def disconnect_from_job(self, job_id: str, websocket: Any) -> None:
        """Take a socket out of a job's room."""
        connection_id = f"job_{job_id}_{id(websocket)}"
        self.scope.rooms.leave(job_id, connection_id)
        await self.manager.remove_connection(connection_id)

    def _record(self, connection: Any, details: tuple[Any, ...], named: dict[str, Any]) -> Any:
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
        metadata = named.get("metadata") or named.get("connection_metadata")
        return self._made(connection_id, user_id or "", websocket, metadata, named.get("thread_id"))

    def _made(
        self, connection_id: Any, user_id: Any, websocket: Any, metadata: dict[str, Any] | None = None, thread_id: Any = None
    ) -> WebSocketConnection:
        """A record; its user's id is one that this manager takes, or "", which no connection may have."""
        user = user_of(self.scope, user_id) if user_id else user_id
        return WebSocketConnection.of_user(connection_id, user, websocket, datetime.now(timezone.utc), metadata, thread_id)


def _check(record: Any) -> None:
    if record is None:
        raise ValueError("Connection must not be None")
    if not record.user_id:
        raise ValueError("Connection must have a valid user_id")
    if not record.connection_id:
        raise ValueError("Connection must have a valid connection_id")


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
