"""The manager of one user's WebSocket connections; made by ``get_websocket_manager`` alone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from ..close_codes import GOING_AWAY, NORMAL
from ..errors import (
    BackplaneUnavailable,
    FactoryBypassDetected,
    ManagerClosed,
    ResourceLimitExceeded,
    Undelivered,
    UserIsolationViolation,
    WebSocketComponentError,
)
from .connection import Connection
from .events import Delivery, Draft, Event, Position, make_message, resync_notice
from .replay import Replay
from .stream import UserStream, shows

if TYPE_CHECKING:
    from ..factory import WebSocketManagerFactory


PROTOCOL = 1  # the version of docs/protocol.md


class IsolationKey(NamedTuple):
    """Whom a manager works for: one user, and one thread of the user where given."""

    user_id: str
    thread_id: str | None = None


class UnifiedWebSocketManager:
    """One user's connections and events.

    A manager without a thread reaches all connections of its user; one with a thread reaches those that show this
    thread, or all threads. There is no way from here to another user.
    """

    __slots__ = ("__weakref__", "_closed", "_factory", "_stream", "created_at", "key", "last_used")

    _closed: bool
    _factory: WebSocketManagerFactory
    _stream: UserStream
    created_at: datetime
    key: IsolationKey
    last_used: float

    def __new__(cls, *args: Any, **kwargs: Any) -> UnifiedWebSocketManager:
        """Refuse: managers come from the factory."""
        raise FactoryBypassDetected("Direct instantiation not allowed. Use get_websocket_manager() factory function.")

    @classmethod
    def _open(cls, key: IsolationKey, stream: UserStream) -> UnifiedWebSocketManager:
        self: UnifiedWebSocketManager = object.__new__(cls)
        self.key, self._stream, self._factory, self._closed = key, stream, stream.factory, False
        self.created_at = datetime.now(timezone.utc)
        self.last_used = stream.factory.clock()
        return self

    @property
    def user_id(self) -> str:
        """The only user this manager works for."""
        return self.key.user_id

    @property
    def thread_id(self) -> str | None:
        """The thread it is bound to; None for all threads of the user."""
        return self.key.thread_id

    @property
    def closed(self) -> bool:
        """Whether it has been closed and is out of its factory's registry."""
        return self._closed

    @property
    def factory(self) -> WebSocketManagerFactory:
        """The factory it came from."""
        return self._factory

    # Connections

    @property
    def connections(self) -> dict[str, Connection]:
        """A snapshot of the connections that this manager reaches, by connection ID, oldest first."""
        thread = self.key.thread_id
        with self._factory.lock:
            return {name: c for name, c in self._stream.connections.items() if shows(c.thread_id, thread)}

    def get_connection(self, connection_id: str) -> Connection | None:
        """Return a connection of this manager; None if there is none of this ID here."""
        connection = self._stream.connections.get(connection_id)
        if connection is not None and shows(connection.thread_id, self.key.thread_id):
            return connection
        return None

    def associate_thread(self, connection_id: str, thread_id: str | None) -> bool:
        """Bind a connection to a thread from the next event on (None: to all); False if it is not here."""
        connection = self.get_connection(connection_id)
        if connection is None:
            return False
        connection.thread_id = thread_id
        return True

    @property
    def is_connected(self) -> bool:
        """Whether an event sent now would reach a connection on this worker."""
        thread = self.key.thread_id
        return any(shows(c.thread_id, thread) for c in tuple(self._stream.connections.values()))

    def add_connection(
        self,
        websocket: Any,
        *,
        connection_id: str | None = None,
        thread_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        stamped: bool = True,
        abort: Callable[[], None] | None = None,
    ) -> Connection:
        """Register a socket that is already accepted; it receives what is sent from now on. Needs no loop.

        Parameters
        ----------
        thread_id
            the thread it shows; the manager's own by default
        stamped
            False: events arrive exactly as they were sent, without ``seq`` and ``epoch``
        abort
            frees the socket at once, used for a peer that stopped reading

        Raises
        ------
        ResourceLimitExceeded, ManagerClosed, TypeError (not a socket)
        ValueError
            ``connection_id`` is taken
        WebSocketComponentError
            the backplane spans processes: use :meth:`connect`
        """
        if not self._factory.backplane.local:
            raise WebSocketComponentError("this backplane spans processes: write `await manager.connect(websocket)`")
        connection = self._register(websocket, connection_id, thread_id, metadata, stamped, abort)
        connection.held = False
        return connection

    async def connect(
        self,
        websocket: Any,
        *,
        since: Position | None = None,
        greet: bool | Mapping[str, Any] = False,
        connection_id: str | None = None,
        thread_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        stamped: bool = True,
        abort: Callable[[], None] | None = None,
    ) -> Connection:
        """Register an accepted socket and bring it up to date.

        With ``since`` it receives exactly what followed that position, or, where history does not reach back, the
        message ``resync``. Without, it receives what no connection of the user has received yet. ``greet`` sends
        ``connection_established`` first, with the position from which the events continue, and with the fields that it holds.

        Raises
        ------
        as :meth:`add_connection`, and BackplaneUnavailable
        """
        if since is not None:
            self._stream.check_replays()
        connection = self._register(websocket, connection_id, thread_id, metadata, stamped, abort)
        stream, backplane = self._stream, self._factory.backplane
        try:
            if not backplane.local:
                stream.joined = True
                await backplane.join(self.user_id)
            await self._bring_up(connection, since, greet)
        except BaseException:
            self.remove_connection(connection.connection_id)
            raise
        connection.pump()
        return connection

    async def resume(self, connection: Connection, since: Position) -> str | None:
        """Begin a live connection again after ``since``; return None, or why history does not reach back.

        For a client that was told of a ``gap``. What waited for it is replayed with the rest, in order.

        Raises
        ------
        ResourceLimitExceeded
            the user's clients had too many events replayed
        BackplaneUnavailable
        """
        if self.get_connection(connection.connection_id) is not connection:
            raise UserIsolationViolation(f"connection {connection.connection_id} is not one of this manager's")
        self._stream.check_replays()
        with self._factory.lock:
            connection.held, connection.quiet = True, False
            connection.outbox.forget_events()
        reason = await self._bring_up(connection, since, False)
        connection.pump()
        return reason

    def remove_connection(self, connection_id: str) -> Connection | None:
        """Forget a connection without touching its socket; None if it is not here."""
        connection = self.get_connection(connection_id)
        if connection is not None:
            connection.retire()
        return connection

    async def disconnect(self, connection_id: str, code: int = NORMAL, reason: str = "") -> bool:
        """Forget a connection and close its socket; False if it is not here."""
        connection = self.get_connection(connection_id)
        if connection is None:
            return False
        await connection.close(code, reason)
        return True

    # Events

    async def send(
        self, message: Mapping[str, Any], *, critical: bool | None = None, idempotency_key: str | None = None
    ) -> Delivery:
        """Send a JSON object to this manager's user: in order, numbered, kept for replay.

        ``critical`` None asks the message's type. With an ``idempotency_key`` that the user has had, nothing is sent again.
        Never waits for a slow client.

        Raises
        ------
        Undelivered
            it is critical, reached nobody, and could not be kept
        BackplaneUnavailable
            it is not critical, and was not accepted
        ManagerClosed
        """
        draft, factory = Draft(message, critical, self.key.thread_id), self._factory
        if factory.histories is None or idempotency_key is not None or self._closed:
            return await self.publish(draft, idempotency_key)
        # What never waits needs no second coroutine: half of what an event costs beside its socket.
        self.last_used = factory.clock()
        factory.counters.published += 1
        stream = self._stream
        delivery = stream.publish(draft)
        return delivery if delivery.receivers and not stream.behind else self._settled(draft, delivery)

    async def emit(
        self, event_type: str, data: Mapping[str, Any] | None = None, *, critical: bool | None = None, **fields: Any
    ) -> Delivery:
        """Send an event by name: its type, a time stamp, the thread, ``fields``, ``data``. Raises as :meth:`send`."""
        fields.setdefault("thread_id", self.key.thread_id)
        return await self.send(make_message(event_type, data, critical=critical, **fields), critical=critical)

    async def send_to_thread(self, thread_id: str, message: Mapping[str, Any]) -> Delivery:
        """Send to one thread of this user. A manager bound to another thread refuses."""
        if self.key.thread_id not in (None, thread_id):
            raise UserIsolationViolation(f"this manager works for thread {self.key.thread_id!r}, not {thread_id!r}")
        return await self.publish(Draft(message, thread_id=thread_id))

    async def send_to_connection(self, connection_id: str, message: Mapping[str, Any]) -> bool:
        """Send to one connection, outside of the user's history; return whether its socket took it."""
        connection = self.get_connection(connection_id)
        return connection is not None and await connection.send_direct(message)

    async def publish(self, draft: Draft, idempotency_key: str | None = None) -> Delivery:
        """Send what is already encoded; see :meth:`send`."""
        if self._closed:
            raise ManagerClosed(self.key.user_id)
        factory = self._factory
        self.last_used = factory.clock()
        counters = factory.counters
        counters.published += 1
        try:
            if idempotency_key is not None:
                delivery = await factory.backplane.publish_once(self.key.user_id, draft, idempotency_key)
            elif factory.histories is not None:
                delivery = self._stream.publish(draft)
            else:
                delivery = await factory.backplane.publish(self.key.user_id, draft)
        except BackplaneUnavailable as exc:
            counters.refused += 1
            if draft.critical:
                raise Undelivered(self.key.user_id, draft.type, str(exc), exc.uncertain) from exc
            raise
        return self._settled(draft, delivery)

    def _settled(self, draft: Draft, delivery: Delivery) -> Delivery:
        """Write what was published to the sockets, and judge what became of it."""
        died = self._stream.pump()
        if died and delivery.receivers:
            delivery = delivery._replace(receivers=max(0, delivery.receivers - died))
        if not delivery.receivers:
            factory = self._factory
            factory.counters.kept_only += 1
            if draft.critical and not delivery.kept and not factory.limits.undelivered_events:
                factory.counters.refused += 1
                raise Undelivered(self.key.user_id, draft.type, "no connection, and no history is kept")
        return delivery

    async def history(self, since: Position | None = None) -> list[Event]:
        """Return the kept events of this manager's thread (of all, without one) after ``since``, or all of them."""
        replay = await self._factory.backplane.replay(self.user_id, since)
        return [e for e in replay.events if shows(self.key.thread_id, e.thread_id)]

    async def position(self) -> Position:
        """Return the end of the user's stream."""
        return await self._factory.backplane.position(self.user_id)

    def undelivered(self) -> list[Event]:
        """Return the events that were sent here and that no connection has received yet."""
        return self._stream.undelivered(self.key.thread_id)

    def take_undelivered(self) -> list[Event]:
        """Return and forget what :meth:`undelivered` returns; whoever takes these events sends them."""
        return self._stream.take_undelivered(self.key.thread_id)

    async def flush_undelivered(self) -> int:
        """Send what waits for a first receiver to the connections there are; return how many events went."""
        connections = list(self.connections.values())
        if not connections:
            return 0
        events = self.take_undelivered()
        with self._factory.lock:
            for connection in connections:
                connection.replay(e for e in events if shows(connection.thread_id, e.thread_id))
        self._stream.pump()
        return len(events)

    # State

    def stats(self) -> dict[str, Any]:
        """Return the numbers of this manager's user on this worker."""
        connections = self.connections.values()
        return {
            "user_id": self.user_id,
            "thread_id": self.thread_id,
            "connections": len(connections),
            "waiting": sum(len(c.outbox) for c in connections),
            "sent": sum(c.sent for c in connections),
            "dropped": sum(c.outbox.dropped for c in connections),
            "undelivered": len(self.undelivered()),
            "created_at": self.created_at.isoformat(),
        }

    def health(self) -> dict[str, Any]:
        """Return ``healthy`` and every connection's state."""
        backplane = self._factory.backplane.health()
        return {
            "healthy": not self._closed and bool(backplane["healthy"]),
            "closed": self._closed,
            "backplane": backplane,
            "connections": [c.info() for c in self.connections.values()],
        }

    async def close(self, code: int = GOING_AWAY, reason: str = "") -> None:
        """Leave the factory's registry and close this manager's connections; idempotent, nothing is left running."""
        if self._closed:
            return
        last = self._factory.release(self)
        thread = self.key.thread_id
        own = [c for c in tuple(self._stream.connections.values()) if last or thread is None or c.thread_id == thread]
        await asyncio.gather(*(c.close(code, reason) for c in own))
        if last:
            self._factory.drop_stream(self._stream)

    async def _bring_up(self, connection: Connection, since: Position | None, greet: bool | Mapping[str, Any]) -> str | None:
        stream, counters = self._stream, self._factory.counters
        held_back: list[Event] = []
        start = since
        if start is None:
            held_back = stream.take_undelivered(connection.thread_id)
            start = await self._factory.backplane.position(self.user_id)
            connection.replay(held_back)

        def notices(replay: Replay) -> list[Event]:
            base = start if replay.resync is None else replay.position
            if held_back and replay.resync is None:
                base = Position(start.epoch, held_back[0].seq - 1)
            drafts = []
            if greet is not False:
                resumed = since is not None and replay.resync is None
                drafts.append(self._greeting(connection, base, resumed, {} if greet is True else greet))
            if replay.resync is not None:
                drafts.append(resync_notice(replay.resync, base.epoch, base.seq))
            return [Event(draft, "", 0) for draft in drafts]

        replay = await stream.catch_up(connection, start, notices)
        if since is not None:
            if replay.resync is None:
                stream.take_undelivered(connection.thread_id)
                counters.replayed += len(replay.events)
            else:
                counters.resyncs += 1
        return replay.resync

    def _greeting(self, connection: Connection, base: Position, resumed: bool, more: Mapping[str, Any]) -> Draft:
        return Draft(
            {
                "type": "connection_established",
                "protocol": PROTOCOL,
                "connection_id": connection.connection_id,
                "user_id": self.user_id,
                "thread_id": connection.thread_id,
                "epoch": base.epoch,
                "seq": base.seq,
                "resumed": resumed,
                **more,
            }
        )

    def _register(
        self,
        websocket: Any,
        connection_id: str | None,
        thread_id: str | None,
        metadata: Mapping[str, Any] | None,
        stamped: bool,
        abort: Callable[[], None] | None,
    ) -> Connection:
        if self._closed:
            raise ManagerClosed(self.user_id)
        factory, stream = self._factory, self._stream
        limits = factory.limits
        name = connection_id or f"conn_{os.urandom(8).hex()}"
        own = self.key.thread_id
        if own is not None and thread_id not in (None, own):
            raise UserIsolationViolation(f"this manager works for thread {own!r}, not {thread_id!r}")
        connection = Connection(
            name,
            self.user_id,
            websocket,
            limits=limits,
            on_gone=stream.on_gone,
            lock=factory.lock,
            tasks=factory.tasks,
            thread_id=thread_id or own,
            metadata=metadata,
            stamped=stamped,
            abort=abort,
            clock=factory.clock,
        )
        connection.held = True
        with factory.lock:
            if name in stream.connections:
                raise ValueError(f"connection ID {name!r} is taken; remove that connection first, or choose another ID")
            if len(stream.connections) >= limits.connections_per_user:
                raise ResourceLimitExceeded(
                    "connections", limits.connections_per_user, self.user_id, "Close one of the user's connections."
                )
            factory.note_new(connection)
            stream.connections[name] = connection
            stream.visited = True
        self.last_used = factory.clock()
        return connection

    def __repr__(self) -> str:
        thread = "" if self.thread_id is None else f", thread {self.thread_id}"
        return f"<UnifiedWebSocketManager of {self.user_id}{thread}: {len(self._stream.connections)} connections>"
