"""The users' canonical managers that one legacy manager object reaches, and its connections by their legacy ids."""

from __future__ import annotations

import asyncio
import inspect
import weakref
from types import SimpleNamespace
from typing import Any

from compat.canonical.core import serialization
from compat.canonical.core.manager import UnifiedWebSocketManager
from compat.canonical.errors import UserIsolationViolation
from compat.canonical.factory import WebSocketManagerFactory, get_websocket_manager_factory
from compat.canonical.limits import Limits
from compat.netra.components import environment
from compat.netra.components.connections.rooms import Rooms
from compat.netra.components.events.undelivered import Kept, UndeliveredMessages

from .delivery import Sent, Socket, deliver
from .holders import Holders, name_of
from .manager_types import WebSocketConnection


def isolated_factory() -> WebSocketManagerFactory:
    """A factory of its own for one legacy manager object in testing mode; legacy managers had no limits."""
    return WebSocketManagerFactory(Limits(connections_per_user=100_000, send_timeout=30.0))


class Shared:
    """What the legacy objects over one factory have in common beside it: messages that wait, rooms, ids."""

    def __init__(self) -> None:
        self.undelivered = UndeliveredMessages()
        self.rooms = Rooms()
        self.connections, self.threads, self.seen_threads = Holders(), Holders(), Holders()


_shared: weakref.WeakKeyDictionary[WebSocketManagerFactory, Shared] = weakref.WeakKeyDictionary()


class Scope:
    """Managers of one factory, by user.

    Parameters
    ----------
    factory:
        Where the users' managers come from: this process's, or in testing mode one of its own. Messages take the same way
        through either; a user who is connected to the canonical server is reached there too.
    owner:
        The only user that may be reached; None lets each call name its user, who gets a manager of their own.

    Ids of connections and threads are unique within one user alone, and clients may choose them. An id that two users have
    had therefore names nobody, unless the call says whose it is, or this object has attached one of them only.
    """

    def __init__(self, factory: WebSocketManagerFactory, owner: str | None = None) -> None:
        self.factory = factory
        self.owner = owner
        self._shared = _shared.setdefault(factory, Shared())
        self.undelivered, self.rooms = self._shared.undelivered, self._shared.rooms
        self._connections, self._threads = Holders(), Holders()
        self._closed = False

    # -- users

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

    def let_in(self, user_id: Any) -> bool:
        """Whether a user of this very id was let in: by the canonical server, or by a context that a manager was made for."""
        if not isinstance(user_id, str):
            return False
        return user_id == self.owner or any(factory.managers_of(user_id) for factory in self._factories())

    def users(self) -> list[str]:
        """The users with a connection."""
        return list(dict.fromkeys(manager.user_id for manager in self._known() if manager.connections))

    def user_of_thread(self, thread_id: str) -> tuple[bool, str | None]:
        """Whether a thread is shown by anybody, and by whom; None where several users show it or have shown it.

        Clients of the canonical server choose their threads: what legacy code has said goes before what they show, and the
        user of that very id before who calls a thread so.
        """
        users = {record.user_id for record in self.every_record() if record.thread_id == thread_id}
        if not users:
            return False, None
        if self.owner is None:
            said = self._threads.users(thread_id) or self._shared.threads.users(thread_id)
            if not said and users != {thread_id} and thread_id in self.factory.users():
                return False, None
            users = set(said) or {*users, *self._shared.seen_threads.users(thread_id)}
        if len(users) > 1:
            serialization.logger.error("thread %r is that of several users: nothing is sent to it without a user", thread_id)
            return True, None
        (user_id,) = users
        self._shared.seen_threads.note(thread_id, user_id)
        return True, user_id

    # -- connections

    def attach(self, record: Any) -> None:
        """Hand a connection to its user's manager; the user's own of the same id goes."""
        manager = self.manager_of(record.user_id)
        manager.remove_connection(record.connection_id)
        manager.add_connection(Socket(record), **self._noted(record))

    async def connect(self, record: Any) -> None:
        """As :meth:`attach`, also over a backplane that spans processes."""
        manager = self.manager_of(record.user_id)
        if manager.factory.backplane.local:
            self.attach(record)
            return
        manager.remove_connection(record.connection_id)
        await manager.connect(Socket(record), **self._noted(record))

    def _noted(self, record: Any) -> dict[str, Any]:
        for holders in (self._connections, self._shared.connections):
            holders.note(record.connection_id, record.user_id)
        self._note_thread(record.thread_id, record.user_id)
        return {"connection_id": record.connection_id, "thread_id": _text(record.thread_id), "stamped": False}

    def detach(self, connection_id: Any, user_id: str | None = None) -> Any:
        """Take a connection from its manager, its socket untouched; its record, or None."""
        holder = self._holder(connection_id, user_id)
        return _record_of(holder.remove_connection(name_of(connection_id))) if holder is not None else None

    def get(self, connection_id: Any, user_id: str | None = None) -> Any:
        """The record of the connection that an id means, of ``user_id`` where given; None where it means none, or several."""
        holder = self._holder(connection_id, user_id)
        return _record_of(holder.get_connection(name_of(connection_id))) if holder is not None else None

    def is_shared(self, connection_id: str) -> bool:
        """Whether an id that a connection had is still that of another user's."""
        users = {*self._connections.users(connection_id), *self._shared.connections.users(connection_id)}
        return len(users) > 1 and any(manager.get_connection(connection_id) is not None for manager in self._known())

    def every_record(self) -> list[Any]:
        """Every connection, user by user."""
        return [_record_of(one) for manager in self._known() for one in manager.connections.values()]

    def records(self) -> dict[str, Any]:
        """The connections by id; without those whose id does not say whose they are."""
        grouped: dict[str, list[Any]] = {}
        for manager in self._known():
            for name, one in manager.connections.items():
                grouped.setdefault(name, []).append(_record_of(one))
        return {name: found[0] for name, group in grouped.items() if len(found := self._meant(name, group)) == 1}

    def records_of(self, user_id: str) -> list[Any]:
        """One user's connections, oldest first."""
        return [_record_of(one) for manager in self._managers(user_id) for one in manager.connections.values()]

    def ids_of(self, user_id: str) -> set[str]:
        """The ids of one user's connections."""
        return {name for manager in self._managers(user_id) for name in manager.connections}

    def version(self) -> tuple[int, ...]:
        """Changes whenever a connection came or went."""
        counters = [factory.counters for factory in self._factories()]
        return tuple(count for one in counters for count in (one.connections_opened, one.connections_closed))

    def move(self, connection_id: Any, thread_id: str | None) -> bool:
        """Bind a connection to a thread; False for an unknown one."""
        holder, name = self._holder(connection_id), name_of(connection_id)
        if holder is None:
            return False
        _record_of(holder.get_connection(name)).thread_id = thread_id
        self._note_thread(thread_id, holder.user_id)
        return holder.associate_thread(name, thread_id)

    # -- messages

    async def send_all(self, user_id: str, message: dict[str, Any]) -> Sent:
        """Send one message to all of a user's connections; numbered, and kept for those to come where none takes it."""
        managers = self._managers(user_id) or [self.manager_of(user_id)]
        critical = message.get("critical")
        sent = [await deliver(one, one.send(message, critical=None if critical is None else bool(critical))) for one in managers]
        return Sent(sum(one.took for one in sent), tuple(place for one in sent for place in one.places))

    async def send_thread(self, user_id: str, thread_id: str, message: dict[str, Any]) -> int:
        """Send one message to the user's connections that show a thread; how many took it."""
        managers = self._managers(user_id) or [self.manager_of(user_id)]
        for one in managers:
            for connection in one.connections.values():
                # Legacy code writes the thread of a record too.
                connection.thread_id = _text(_record_of(connection).thread_id)
        sent = [await deliver(one, one.send_to_thread(thread_id, message)) for one in managers]
        return sum(one.took for one in sent)

    async def send(self, record: Any, message: dict[str, Any]) -> bool:
        """Send one message to one connection, as it is; whether its socket took it."""
        holder = self._holder(record.connection_id, record.user_id)
        return holder is not None and await holder.send_to_connection(record.connection_id, message)

    async def send_as_it_is(self, record: Any, message: Any) -> bool:
        """Send any JSON value to one connection; what is no object goes straight to its socket."""
        if isinstance(message, dict):
            return await self.send(record, message)
        if self._holder(record.connection_id, record.user_id) is None:
            return False
        try:
            sent = Socket(record).send_json(message)
            if inspect.isawaitable(sent):
                await sent
        except Exception as error:
            serialization.logger.warning("connection %s took no message: %s", record.connection_id, error)
            return False
        return True

    # -- what nobody took

    def waiting(self, user_id: str) -> int:
        """How many messages wait in the user's outboxes."""
        return sum(int(manager.stats()["waiting"]) for manager in self._managers(user_id))

    def keeps_here(self) -> bool:
        """Whether this process alone knows what a user has got; over several, history serves those who come back."""
        return self.factory.backplane.local

    def forget_delivered(self, user_id: str) -> None:
        """Forget what the canonical server has sent a user meanwhile of the messages that wait for a legacy connection."""
        managers = self._managers(user_id)
        if managers:
            here = {(event.epoch, event.seq) for manager in managers for event in manager.undelivered()}
            self.undelivered.forget_delivered(user_id, here)

    async def flush(self, user_id: str) -> None:
        """Send what canonical code sent while the user was away; of what legacy code sent, the core's copy goes.

        That is sent by whoever takes it from ``undelivered``, in the form of old.
        """
        self.forget_delivered(user_id)
        ours = self.undelivered.claim(user_id)
        for manager in self._managers(user_id):
            events = manager.take_undelivered() if manager.connections else []
            for event in events:
                if (event.epoch, event.seq) not in ours:
                    for name in manager.connections:
                        await manager.send_to_connection(name, event.message(stamped=False))

    async def kept_for_later(self, user_id: str, entry: dict[str, Any], message: dict[str, Any]) -> Kept:
        """``entry``, to be kept for a legacy connection, with ``message`` for a client of the canonical server."""
        return Kept(entry, () if self.records_of(user_id) else (await self.send_all(user_id, message)).places)

    # -- the object itself

    def is_alive(self) -> bool:
        """Whether it was not closed."""
        return not self._closed

    def set_alive(self, alive: bool) -> None:
        """Say that it is closed, or not; nothing else happens."""
        self._closed = not alive

    async def close(self) -> None:
        """Close the users' managers and their sockets."""
        self._closed = True
        await asyncio.gather(*(manager.close() for manager in self._known()))

    def delivery_attempts(self) -> int:
        """How often an event is tried while its user is away: more where deployed; once where other workers may have the user."""
        if not self.factory.backplane.local:
            return 1
        values = environment.get_env()
        name = str(values.get("ENVIRONMENT") or "").strip().lower()
        if name in ("", "development"):
            hints = (str(values.get(hint) or "") for hint in ("GCP_PROJECT_ID", "BACKEND_URL", "AUTH_SERVICE_URL"))
            if any("staging" in hint for hint in hints):
                name = "staging"
        return 3 if name in ("staging", "production") else 1

    def _factories(self) -> list[WebSocketManagerFactory]:
        canonical = get_websocket_manager_factory()
        return [self.factory] if canonical is self.factory else [self.factory, canonical]

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

    def _holder(self, connection_id: Any, user_id: str | None = None) -> UnifiedWebSocketManager | None:
        """The manager that has the connection that an id means, or None."""
        name = name_of(connection_id)
        user_id = user_id or getattr(connection_id, "user_id", None)  # what connect_user() returned says whose it is
        users = (user_id,) if user_id is not None else self._users_meant(name)
        if len(users) > 1:
            serialization.logger.error("connection id %r is that of several users: it names none of their connections", name)
            return None
        managers = self._managers(users[0]) if users else self._known()
        holders = [manager for manager in managers if manager.get_connection(name) is not None]
        if len({manager.user_id for manager in holders}) > 1:
            serialization.logger.error("connection id %r is that of several users: it names none of their connections", name)
            return None
        return holders[0] if holders else None

    def _users_meant(self, connection_id: str) -> tuple[str, ...]:
        """The users whose connection of this id may be meant; none where any may."""
        if self.owner is not None:
            return (self.owner,)
        return self._connections.users(connection_id) or self._shared.connections.users(connection_id)

    def _meant(self, connection_id: str, records: list[Any]) -> list[Any]:
        users = self._users_meant(connection_id)
        if len(users) > 1:
            return []
        found = {record.user_id: record for record in reversed(records) if not users or record.user_id == users[0]}
        return list(found.values())

    def _note_thread(self, thread_id: Any, user_id: str) -> None:
        if _text(thread_id) is not None:
            for holders in (self._threads, self._shared.threads):
                holders.note(thread_id, user_id)


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
