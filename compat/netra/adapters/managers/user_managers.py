"""The users' canonical managers that one legacy manager object reaches, and its connections by their legacy ids."""

from __future__ import annotations

import asyncio
import weakref
from types import SimpleNamespace
from typing import Any

from compat.canonical.core.manager import UnifiedWebSocketManager
from compat.canonical.errors import UserIsolationViolation
from compat.canonical.factory import WebSocketManagerFactory, get_websocket_manager_factory
from compat.canonical.limits import Limits
from compat.netra.components import environment
from compat.netra.components.connections.rooms import Rooms
from compat.netra.components.events.undelivered import UndeliveredMessages

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
        from compat.canonical.core.codec import dumps

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
    Over a factory of its own, as in tests, they go straight to the sockets; a user who is connected to the canonical
    server is reached there too.
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
        holder = self._holder(connection_id)
        self._owners.pop(connection_id, None)
        return _record_of(holder.remove_connection(connection_id)) if holder is not None else None

    def get(self, connection_id: str) -> Any:
        """The record of a connection, or None."""
        holder = self._holder(connection_id)
        return _record_of(holder.get_connection(connection_id)) if holder is not None else None

    def records(self) -> dict[str, Any]:
        """Every connection by id, user by user."""
        return {name: _record_of(one) for manager in self._known() for name, one in manager.connections.items()}

    def records_of(self, user_id: str) -> list[Any]:
        """One user's connections, oldest first."""
        return [_record_of(one) for manager in self._managers(user_id) for one in manager.connections.values()]

    def ids_of(self, user_id: str) -> set[str]:
        """The ids of one user's connections."""
        return {name for manager in self._managers(user_id) for name in manager.connections}

    def version(self) -> tuple[int, ...]:
        """Changes whenever a connection came or went."""
        counters = [factory.counters for factory in {id(f): f for f in (self.factory, get_websocket_manager_factory())}.values()]
        return tuple(count for one in counters for count in (one.connections_opened, one.connections_closed))

    def users(self) -> list[str]:
        """The users with a connection."""
        return list(dict.fromkeys(manager.user_id for manager in self._known() if manager.connections))

    def move(self, connection_id: str, thread_id: str | None) -> bool:
        """Bind a connection to a thread; False for an unknown one."""
        holder = self._holder(connection_id)
        if holder is None:
            return False
        _record_of(holder.get_connection(connection_id)).thread_id = thread_id
        return holder.associate_thread(connection_id, thread_id)

    async def send_all(self, user_id: str, message: dict[str, Any]) -> tuple[int, bool]:
        """Send one message to all of a user's connections; how many took it, and whether it is kept for those to come."""
        canonical = get_websocket_manager_factory()
        receivers, kept = 0, False
        for manager in self._managers(user_id) or ([self.manager_of(user_id)] if self.durable else []):
            if manager.factory is canonical:
                delivery = await manager.send(message, critical=message.get("critical"))
                receivers, kept = receivers + delivery.receivers, kept or delivery.kept
            else:
                sends = (manager.send_to_connection(name, message) for name in manager.connections)
                receivers += sum(await asyncio.gather(*sends))
        return receivers, kept

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
        holder = self._holder(record.connection_id)
        return holder is not None and await holder.send_to_connection(record.connection_id, message)

    def waiting(self, user_id: str) -> int:
        """How many messages wait in the user's outboxes."""
        return sum(int(manager.stats()["waiting"]) for manager in self._managers(user_id))

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

    def _managers(self, user_id: str) -> list[UnifiedWebSocketManager]:
        """The managers through which a user is reached: this factory's, and the process's where the user is connected there."""
        if self.owner not in (None, user_id):
            return []
        user = SimpleNamespace(user_id=user_id, thread_id=None)
        found = [self.factory.get(user)] if self.factory.managers_of(user_id) else []
        canonical = get_websocket_manager_factory()
        if canonical is not self.factory and any(manager.is_connected for manager in canonical.managers_of(user_id)):
            found.append(canonical.get(user))
        return found

    def _known(self) -> list[UnifiedWebSocketManager]:
        # Somebody else may have connected users through the same factory.
        users = self.factory.users() if self.owner is None else [self.owner]
        return [manager for user in users for manager in self._managers(user)]

    def _holder(self, connection_id: str) -> UnifiedWebSocketManager | None:
        """The manager that has a connection, or None."""
        user_id = self._owners.get(connection_id)
        for manager in self._managers(user_id) if user_id is not None else self._known():
            if manager.get_connection(connection_id) is not None:
                return manager
        self._owners.pop(connection_id, None)
        return None


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
