"""The factory of managers: one manager per isolation key, in a bounded registry, idle ones freed."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Callable

from .close_codes import GOING_AWAY
from .core.backplane import Backplane, InProcessBackplane
from .core.connection import Connection
from .core.events import Draft, Event
from .core.manager import IsolationKey, UnifiedWebSocketManager
from .core.stream import UserStream
from .errors import ResourceLimitExceeded, UserIsolationViolation
from .limits import Limits

_CLOSED_AT_ONCE = 1000


@dataclass
class Counters:
    """What has happened since the factory was made; only ever grows."""

    published: int = 0
    kept_only: int = 0
    refused: int = 0
    replayed: int = 0
    resyncs: int = 0
    connections_opened: int = 0
    connections_closed: int = 0
    events_sent: int = 0
    events_dropped: int = 0
    evicted: int = 0
    managers_created: int = 0
    managers_closed: int = 0


class WebSocketManagerFactory:
    """Makes and owns managers. Lookup and send cost the same however many users there are.

    Safe to use from several OS threads. A manager that has no connection and was not used for ``limits.idle_timeout``
    seconds is freed, with its user's history, as new ones are made or :meth:`reap` is called.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        backplane: Backplane | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits or Limits()
        self.backplane: Backplane = backplane or InProcessBackplane(self.limits.history_events)
        self.backplane.bind(self._deliver, self.pump)
        own = isinstance(self.backplane, InProcessBackplane)
        # Histories that are written to without a coroutine. A subclass that wraps publish() is asked by it.
        self.histories = self.backplane if own and type(self.backplane).publish is InProcessBackplane.publish else None
        self.clock = clock
        self.counters = Counters()
        # One lock for histories and connections: an event takes its number and its way to the sockets in one step.
        self.lock = self.backplane.lock if isinstance(self.backplane, InProcessBackplane) else threading.RLock()
        self.tasks: set[asyncio.Task[None]] = set()  # the last words of connections that are gone
        self._managers: dict[IsolationKey, UnifiedWebSocketManager] = {}
        self._streams: dict[str, UserStream] = {}
        self._round: deque[weakref.ref[UnifiedWebSocketManager]] = deque()
        self._connections = 0
        self.closed = False
        self.control: Any = None  # the server's, where one serves from here

    @property
    def in_use(self) -> bool:
        """Whether it has managers."""
        return bool(self._managers)

    def get(self, context: Any) -> UnifiedWebSocketManager:
        """Return the manager of ``context``'s user, and thread where given; make it if there is none.

        Raises
        ------
        UserIsolationViolation
            the context names no user
        ResourceLimitExceeded
        """
        try:
            # Most contexts are known: a key that is in the registry has been checked.
            manager = self._managers.get((context.user_id, getattr(context, "thread_id", None)))  # type: ignore[call-overload]
        except (AttributeError, TypeError):
            manager = None
        return manager if manager is not None else self._make(isolation_key(context))

    def find(self, user_id: str, thread_id: str | None = None) -> UnifiedWebSocketManager | None:
        """Return the manager of an isolation key if there is one; makes none."""
        return self._managers.get(IsolationKey(user_id, thread_id))

    def managers(self) -> list[UnifiedWebSocketManager]:
        """Return a snapshot of all managers."""
        with self.lock:
            return list(self._managers.values())

    def managers_of(self, user_id: str) -> list[UnifiedWebSocketManager]:
        """Return a snapshot of one user's managers."""
        with self.lock:
            stream = self._streams.get(user_id)
            return [] if stream is None else list(stream.managers.values())

    def users(self) -> list[str]:
        """Return the users that have managers here."""
        with self.lock:
            return list(self._streams)

    def connections(self, user_id: str | None = None) -> list[Connection]:
        """Return a snapshot of the connections of this worker, or of one user's."""
        with self.lock:
            if user_id is None:
                return [c for stream in self._streams.values() for c in stream.connections.values()]
            found = self._streams.get(user_id)
            return [] if found is None else list(found.connections.values())

    async def broadcast(
        self, message: Mapping[str, Any], *, exclude: Iterable[str] = (), idempotency_key: str | None = None
    ) -> int:
        """Send one message to all users over all workers, connected or lately gone; return to how many users it went.

        Encoded once; to each user it is an event of the own stream, numbered, kept, and in order with the others. Lately is
        ``limits.idle_timeout`` in one process, and the backplane's ``history_ttl`` with several. With an ``idempotency_key``,
        whoever has got it does not get it again. For operators of the server; managers cannot do this.

        Raises
        ------
        BackplaneUnavailable
            it was not accepted for all; some may have got it: send it again with an idempotency key
        """
        draft, left_out = Draft(message), frozenset(exclude)
        if not self.backplane.local:
            reached = await self.backplane.broadcast(draft, left_out, idempotency_key)
            self.counters.published += reached
            return reached
        with self.lock:
            streams = [s for s in self._streams.values() if s.visited and s.user_id not in left_out]
        if idempotency_key is not None or self.histories is None:
            await asyncio.gather(*(self._publish(stream, draft, idempotency_key) for stream in streams))
            return len(streams)
        for count, stream in enumerate(streams, 1):
            stream.publish(draft)
            if stream.behind:
                stream.pump()
            self.counters.published += 1
            if not count % 256:
                await asyncio.sleep(0)  # others get their turn
        return len(streams)

    def reap(self) -> int:
        """Free the managers that have been idle too long; return how many."""
        deadline = self.clock() - self.limits.idle_timeout
        with self.lock:
            idle = [m for m in self._managers.values() if m.last_used <= deadline and not m.is_connected]
            for manager in idle:
                self._free(manager)
        return len(idle)

    def stats(self) -> dict[str, Any]:
        """Return the counters and the present numbers of managers, users and connections."""
        with self.lock:
            live = [c for s in self._streams.values() for c in s.connections.values()]
            counts = asdict(self.counters)
            counts["events_sent"] += sum(c.sent for c in live)
            counts["events_dropped"] += sum(c.outbox.dropped for c in live)
            return {
                **counts,
                "managers": len(self._managers),
                "users": len(self._streams),
                "connections": self._connections,
                "events_waiting": sum(len(c.outbox) for c in live),
                "writing": sum(c.writing for c in live),
            }

    def health(self) -> dict[str, Any]:
        """Return ``healthy``, the backplane's state, and how much of the limits is used."""
        backplane = self.backplane.health()
        return {
            "healthy": bool(backplane["healthy"]),
            "backplane": backplane,
            "managers": {"used": len(self._managers), "limit": self.limits.managers},
            "connections": {"used": self._connections, "limit": self.limits.connections},
        }

    async def start(self) -> None:
        """Connect the backplane; needed before the first use of one that spans processes."""
        await self.backplane.start()
        self.closed = False

    async def close(self, code: int = GOING_AWAY, reason: str = "server is shutting down") -> None:
        """Close every manager and the backplane; nothing is left running."""
        await self.close_connections(code, reason)
        with self.lock:
            for manager in self.managers():
                self._free(manager)
        mine = [task for task in tuple(self.tasks) if task.get_loop() is asyncio.get_running_loop()]
        if mine:
            await asyncio.wait(mine, timeout=2 * self.limits.close_timeout)
        await self.backplane.close()
        self.closed = True

    async def close_connections(self, code: int = GOING_AWAY, reason: str = "server is shutting down") -> None:
        """Close all connections; managers stay, and what is sent to them is kept."""
        with self.lock:
            live = [c for s in self._streams.values() for c in s.connections.values()]
        for first in range(0, len(live), _CLOSED_AT_ONCE):
            await asyncio.gather(*(connection.close(code, reason) for connection in live[first : first + _CLOSED_AT_ONCE]))

    # For managers and streams

    def release(self, manager: UnifiedWebSocketManager) -> bool:
        """Take a manager out of the registry; return whether it was its user's last."""
        with self.lock:
            manager._closed = True
            if self._managers.get(manager.key) is manager:
                del self._managers[manager.key]
                self.counters.managers_closed += 1
                if not self._managers:
                    self._managers.clear()  # gives the table back, which deleting one by one does not
                    self._round.clear()
            stream = manager._stream
            if stream.managers.get(manager.thread_id) is manager:
                del stream.managers[manager.thread_id]
            return not stream.managers

    def drop_stream(self, stream: UserStream) -> None:
        """Free a user's stream if nobody uses it any more."""
        with self.lock:
            if stream.managers or stream.connections or self._streams.get(stream.user_id) is not stream:
                return
            del self._streams[stream.user_id]
            if not self._streams:
                self._streams.clear()
        self.backplane.forget(stream.user_id)

    def note_new(self, connection: Connection) -> None:
        """Count a connection in. Raises ResourceLimitExceeded."""
        if self._connections >= self.limits.connections:
            limit = self.limits.connections
            raise ResourceLimitExceeded("connections", limit, None, "Add a worker, or raise the limit.")
        self._connections += 1
        self.counters.connections_opened += 1

    def note_gone(self, connection: Connection) -> None:
        """Count a connection out, and what it sent."""
        with self.lock:
            self._connections -= 1
            counters = self.counters
            counters.connections_closed += 1
            counters.events_sent += connection.sent
            counters.events_dropped += connection.outbox.dropped
            counters.evicted += connection.evicted

    def _make(self, key: IsolationKey) -> UnifiedWebSocketManager:
        limits = self.limits
        with self.lock:
            manager = self._managers.get(key)
            if manager is not None:
                return manager
            self._free_some()
            if len(self._managers) >= limits.managers and not self.reap():
                raise ResourceLimitExceeded(
                    "managers", limits.managers, None, "Close managers that are done: `await manager.close()`."
                )
            stream = self._streams.get(key.user_id)
            if stream is None:
                stream = self._streams[key.user_id] = UserStream(key.user_id, self)
            if len(stream.managers) >= limits.managers_per_user:
                raise ResourceLimitExceeded(
                    "managers",
                    limits.managers_per_user,
                    key.user_id,
                    "Close the managers of threads that are done: `await manager.close()`.",
                )
            manager = UnifiedWebSocketManager._open(key, stream)
            self._managers[key] = stream.managers[key.thread_id] = manager
            self._round.append(weakref.ref(manager))
            self.counters.managers_created += 1
            return manager

    def _free_some(self) -> None:
        # Two looks for each new manager keep up with any rate of creation, at a constant cost.
        # A queue: the first key of a dict that is rotated lies behind all that were taken out before.
        deadline = self.clock() - self.limits.idle_timeout
        for _ in range(min(2, len(self._round))):
            manager = self._round.popleft()()
            if manager is None or manager.closed:
                continue
            if manager.last_used <= deadline and not manager.is_connected:
                self._free(manager)
            else:
                self._round.append(weakref.ref(manager))

    def _free(self, manager: UnifiedWebSocketManager) -> None:
        if self.release(manager):
            self.drop_stream(manager._stream)

    async def _publish(self, stream: UserStream, draft: Draft, key: str | None) -> None:
        self.counters.published += 1
        if key is None:
            await self.backplane.publish(stream.user_id, draft)
        else:
            await self.backplane.publish_once(stream.user_id, draft, key)
        stream.pump()

    def _deliver(self, user_id: str, events: Sequence[Event]) -> int:
        stream = self._streams.get(user_id)
        return 0 if stream is None else stream.deliver(events)

    def pump(self, user_id: str) -> None:
        """Write what waits for one user; a backplane calls this after it has delivered from outside."""
        stream = self._streams.get(user_id)
        if stream is not None:
            stream.pump()


def isolation_key(context: Any) -> IsolationKey:
    """Return whom ``context`` works for. Raises UserIsolationViolation if it names no user."""
    user_id = getattr(context, "user_id", None)
    if not isinstance(user_id, str) or not user_id.strip():
        raise UserIsolationViolation(
            "UserExecutionContext required for proper user isolation: "
            f"{type(context).__name__} has user_id {user_id!r}; pass a context whose user_id is a non-empty str"
        )
    thread_id = getattr(context, "thread_id", None)
    if thread_id is not None and (not isinstance(thread_id, str) or not thread_id.strip()):
        raise UserIsolationViolation(f"thread_id is {thread_id!r}; give a non-empty str, or None for all threads")
    return IsolationKey(user_id, thread_id)


class _Default:
    """The one process-wide object: the factory that get_websocket_manager() asks."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.factory: WebSocketManagerFactory | None = None
        self.handed_out = False  # somebody may hold it: it must not be replaced behind their back


_default = _Default()


def get_websocket_manager_factory() -> WebSocketManagerFactory:
    """Return this process's factory; made at the first call, or by create_app()."""
    with _default.lock:
        if _default.factory is None:
            _default.factory = WebSocketManagerFactory()
        _default.handed_out = True
        return _default.factory


def set_websocket_manager_factory(factory: WebSocketManagerFactory | None) -> WebSocketManagerFactory | None:
    """Put ``factory`` in the place of this process's (None: the next call makes a new one); return the one before."""
    with _default.lock:
        before, _default.factory, _default.handed_out = _default.factory, factory, factory is not None
        return before


def offer_default(make: Callable[[], WebSocketManagerFactory]) -> WebSocketManagerFactory:
    """Return this process's factory where somebody uses or holds it, else what ``make`` returns in its place."""
    with _default.lock:
        present = _default.factory
        if present is not None and (present.in_use or (_default.handed_out and not present.closed)):
            return present
        _default.factory, _default.handed_out = make(), False
        return _default.factory


@contextmanager
def isolated_websocket_managers(limits: Limits | None = None) -> Iterator[WebSocketManagerFactory]:
    """For tests: a default factory of their own, its connections taken out of service afterwards.

    As a fixture::

        @pytest.fixture(autouse=True)
        def managers():
            with isolated_websocket_managers() as factory:
                yield factory
    """
    factory = WebSocketManagerFactory(limits)
    before = set_websocket_manager_factory(factory)
    try:
        yield factory
    finally:
        set_websocket_manager_factory(before)
        for manager in factory.managers():
            for connection in manager.connections.values():
                connection.retire()


def get_websocket_manager(context: Any, *, factory: WebSocketManagerFactory | None = None) -> UnifiedWebSocketManager:
    """Return the one manager of ``context``'s user, and thread where it has one; of this process's factory by default.

    Raises
    ------
    UserIsolationViolation
        the context names no user
    ResourceLimitExceeded
        too many managers
    """
    return (factory or _default.factory or get_websocket_manager_factory()).get(context)
