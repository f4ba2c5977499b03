"""The users' canonical managers that one legacy manager object reaches, and its connections by their legacy ids."""

from __future__ import annotations

import asyncio
import weakref
from types import SimpleNamespace
from typing import Any

from compat.canonical import environment
from compat.canonical.errors import UserIsolationViolation
from compat.canonical.factory import WebSocketManagerFactory, get_websocket_manager_factory
from compat.canonical.limits import Limits
from compat.canonical.manager import UnifiedWebSocketManager
from compat.canonical.recovery import UndeliveredMessages
from compat.canonical.rooms import Rooms

from .manager_types import WebSocketConnection

_CLOSED = ("DISCONNECTED", "CLOSED")


def isolated_factory() -> WebSocketManagerFactory:
    """A factory of its own for one legacy manager object; legacy managers had no limits."""
    return WebSocketManagerFactory(Limits(connections_per_user=100_000, send_timeout=30.0))


class Socket:
    """What a canonical connection writes to: the record's present socket, as it takes messages."""

    def __init__(self, record: Any) -> None:
        self.record = record

    def send_json(self, message: dict[str, Any]) -> Any:
        """Send through ``send_json``, or as text through what there is."""
        websocket = self.record.websocket
        if websocket is None:
            raise ConnectionError(f"connection {self.record.connection_id} has no socket")
        send = getattr(websocket, "send_json", None)
        if send is not None:
            return send(message)
        from compat.canonical.codec import dumps

        send_text = getattr(websocket, "send_text", None) or websocket.send
        return send_text(dumps(message))

    def close(self, code: int = 1000, reason: str = "") -> Any:
        """Close the socket where it can be closed."""
        close = getattr(self.record.websocket, "close", None)
        return close(code=code, reason=reason) if close is not None else None


def is_open(record: Any) -> bool:
    """Whether a connection has a socket that does not say that it is closed."""
    websocket = getattr(record, "websocket", None)
    if websocket is None:
        return False
    for state in ("client_state", "application_state"):
        name = getattr(getattr(websocket, state, None), "name", None)
        if isinstance(name, str) and name.upper() in _CLOSED:
            return False
    return getattr(websocket, "closed", False) is not True


class Shared:
    """What the legacy objects over one factory have in common beside it: messages that wait, rooms, ids."""

    def __init__(self) -> None:
        self.undelivered = UndeliveredMessages()
        self.rooms = Rooms()


_shared: weakref.WeakKeyDictionary[WebSocketManagerFactory, Shared] = weakref.WeakKeyDictionary()


class Scope:
    """Managers of one factory, by user.

    Parameters
    ----------
    factory:
        Where the users' managers come from.
    owner:
        The only user that may be reached; None lets each call name its user, who gets a manager of their own.

    Over this process's factory messages take the canonical way: numbered, and kept for a client that reconnects anywhere.
    Over a factory of its own, as in tests, they go straight to the sockets.
    """

    def __init__(self, factory: WebSocketManagerFactory, owner: str | None = None) -> None:
        self.factory = factory
        self.owner = owner
        self.durable = factory is get_websocket_manager_factory()
        shared = _shared.setdefault(factory, Shared())
        self.undelivered, self.rooms = shared.undelivered, shared.rooms
        self._owners: dict[str, str] = {}
        self._closed = False

    def manager_of(self, user_id: str) -> UnifiedWebSocketManager:
        """The canonical manager of one user; made at need.

        Raises
        ------
        UserIsolationViolation
            If another user than the owner is asked for.
        """
        if self.owner is not None and user_id != self.owner:
            raise UserIsolationViolation(
                f"this manager works for user {self.owner!r}, not {user_id!r}; "
                "ask get_websocket_manager(context) with that user's context"
            )
        return self.factory.get(SimpleNamespace(user_id=user_id, thread_id=None))

    def attach(self, record: Any) -> None:
        """Hand a connection to its user's manager; one of the same id goes."""
        manager = self.manager_of(record.user_id)
        if self._owners.get(record.connection_id, record.user_id) != record.user_id:
            self.detach(record.connection_id)
        manager.remove_connection(record.connection_id)
        manager.add_connection(
            Socket(record), connection_id=record.connection_id, thread_id=_text(record.thread_id), stamped=False
        )
        self._owners[record.connection_id] = record.user_id

    def detach(self, connection_id: str) -> Any:
        """Take a connection from its manager, its socket untouched; its record, or None."""
        record = self.get(connection_id)
        if record is not None:
            self.manager_of(self._owners.pop(connection_id, record.user_id)).remove_connection(connection_id)
        return record

    def get(self, connection_id: str) -> Any:
        """The record of a connection, or None."""
        user_id = self._owners.get(connection_id)
        manager = self._find(user_id) if user_id is not None else None
        for one in [manager] if manager is not None else self._known():
            connection = one.get_connection(connection_id)
            if connection is not None:
                return _record_of(connection)
        self._owners.pop(connection_id, None)
        return None

    def records(self) -> dict[str, Any]:
        """Every connection by id, user by user."""
        return {name: _record_of(one) for manager in self._known() for name, one in manager.connections.items()}

    def records_of(self, user_id: str) -> list[Any]:
        """One user's connections, oldest first."""
        manager = self._find(user_id)
        return [_record_of(one) for one in manager.connections.values()] if manager is not None else []

    def ids_of(self, user_id: str) -> set[str]:
        """The ids of one user's connections."""
        manager = self._find(user_id)
        return set(manager.connections) if manager is not None else set()

    def version(self) -> tuple[int, int]:
        """Changes whenever a connection came or went."""
        counters = self.factory.counters
        return counters.connections_opened, counters.connections_closed

    def users(self) -> list[str]:
        """The users with a connection."""
        return [manager.user_id for manager in self._known() if manager.connections]

    def move(self, connection_id: str, thread_id: str | None) -> bool:
        """Bind a connection to a thread; False for an unknown one."""
        record = self.get(connection_id)
        if record is None:
            return False
        record.thread_id = thread_id
        return self.manager_of(record.user_id).associate_thread(connection_id, thread_id)

    async def send_all(self, user_id: str, message: dict[str, Any]) -> tuple[int, bool]:
        """Send one message to all of a user's connections; how many took it, and whether it is kept for those to come."""
        if self.durable:
            delivery = await self.manager_of(user_id).send(message, critical=message.get("critical"))
            return delivery.receivers, delivery.kept
        took = await asyncio.gather(*(self.send(record, message) for record in self.records_of(user_id)))
        return sum(took), False

    async def send_thread(self, thread_id: str, message: dict[str, Any]) -> int:
        """Send one message to the connections that show a thread; how many users or connections it reached."""
        records = [record for record in self.records().values() if record.thread_id == thread_id]
        if not self.durable:
            return sum(await asyncio.gather(*(self.send(record, message) for record in records)))
        users = {record.user_id for record in records}
        sent = await asyncio.gather(*(self.manager_of(user).send_to_thread(thread_id, message) for user in users))
        return sum(delivery.receivers for delivery in sent)

    async def flush(self, user_id: str) -> None:
        """Send what was kept while the user was away."""
        if self.durable:
            await self.manager_of(user_id).flush_undelivered()

    async def send(self, record: Any, message: dict[str, Any]) -> bool:
        """Send one message to one connection, as it is; whether its socket took it."""
        try:
            return await self.manager_of(record.user_id).send_to_connection(record.connection_id, message)
        finally:
            # A socket that fails is out of its manager at once; forget whose it was.
            if record.connection_id in self._owners and self.get(record.connection_id) is None:
                self._owners.pop(record.connection_id, None)

    def waiting(self, user_id: str) -> int:
        """How many messages wait in the user's outboxes."""
        manager = self._find(user_id)
        return int(manager.stats()["waiting"]) if manager is not None else 0

    def is_alive(self) -> bool:
        """Whether it was not closed."""
        return not self._closed

    async def close(self) -> None:
        """Close the users' managers and their sockets."""
        self._closed = True
        await asyncio.gather(*(manager.close() for manager in self._known()))
        self._owners.clear()

    def delivery_attempts(self) -> int:
        """How often an event is tried while its user is away: more where deployed; once where it is kept anyway."""
        if self.durable:
            return 1
        values = environment.get_env()
        name = str(values.get("ENVIRONMENT") or "").strip().lower()
        if name in ("", "development"):
            hints = (str(values.get(hint) or "") for hint in ("GCP_PROJECT_ID", "BACKEND_URL", "AUTH_SERVICE_URL"))
            if any("staging" in hint for hint in hints):
                name = "staging"
        return 3 if name in ("staging", "production") else 1

    def _find(self, user_id: str) -> UnifiedWebSocketManager | None:
        if self.owner not in (None, user_id) or not self.factory.managers_of(user_id):
            return None
        return self.manager_of(user_id)

    def _known(self) -> list[UnifiedWebSocketManager]:
        # Somebody else may have connected users through the same factory.
        users = self.factory.users() if self.owner is None else [self.owner]
        return [manager for manager in map(self._find, users) if manager is not None]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _record_of(connection: Any) -> Any:
    socket = connection.websocket
    if isinstance(socket, Socket):
        return socket.record
    made = object.__new__(WebSocketConnection)
    made.connection_id, made.user_id, made.websocket = connection.connection_id, connection.user_id, socket
    made.connected_at, made.metadata, made.thread_id = connection.connected_at, connection.metadata, connection.thread_id
    return made
