"""What all managers of one user share: the user's connections, and the events that nobody has received yet."""

from __future__ import annotations

from asyncio import _get_running_loop as _current_loop
from collections import deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Callable

from ..errors import ResourceLimitExceeded
from .connection import Connection
from .events import Delivery, Draft, Event, Position, resync_notice, stamp
from .replay import History, Replay

if TYPE_CHECKING:
    from ..factory import WebSocketManagerFactory
    from .manager import UnifiedWebSocketManager


_CHARGED_BYTES = 4096
_new_tuple = tuple.__new__


class UserStream:
    """One user on this worker. Nothing here knows another user; the factory's lock guards what threads share."""

    __slots__ = (
        "_history",
        "_replayed",
        "_replayed_at",
        "_undelivered",
        "behind",
        "connections",
        "epoch",
        "factory",
        "joined",
        "managers",
        "seen",
        "user_id",
        "visited",
    )

    def __init__(self, user_id: str, factory: WebSocketManagerFactory) -> None:
        self.user_id, self.factory = user_id, factory
        self.managers: dict[str | None, UnifiedWebSocketManager] = {}
        self.connections: dict[str, Connection] = {}
        self.epoch = ""
        self.seen = 0  # sequence number of the newest event handed to this worker
        self.joined = factory.backplane.local
        self.visited = False  # whether it had a connection
        self.behind = False  # whether something that was offered waits for pump()
        self._history: History | None = None
        self._undelivered: deque[Event] | None = None
        self._replayed = 0.0
        self._replayed_at = 0.0

    def deliver(self, events: Sequence[Event]) -> int:
        """Offer an event, or several that were missed, to the connections of their threads; return how many took the last."""
        if len(events) > 1:
            return self._deliver_missed(events)
        event = events[0]
        with self.factory.lock:
            return self._offer(event.draft, event.epoch, event.seq)

    def publish(self, draft: Draft) -> Delivery:
        """Number, keep and offer an event of a single process; where it leaves ``behind``, pump."""
        factory = self.factory
        with factory.lock:
            history = self._history
            if history is None or history.forgotten:
                history = self._history = factory.histories.open(self.user_id)  # type: ignore[union-attr]
            limit, epoch = factory.histories.history_limit, history.epoch  # type: ignore[union-attr]
            seq = history.keep(draft.record, limit)
            taken = self._offer(draft, epoch, seq)
        # What a NamedTuple's own constructor does, at a third of its cost.
        return _new_tuple(Delivery, (seq, epoch, taken, limit > 0))

    def _offer(self, draft: Draft, epoch: str, seq: int) -> int:
        """Offer a live event to the connections of its thread; return how many took it. The caller holds the lock.

        It is an object only for those that do not write it at once.
        """
        thread, taken, event, text, loop = draft.thread_id, 0, None, "", _current_loop()
        if epoch != self.epoch:
            self._turn(epoch, seq)
        if seq:
            self.seen = seq
        for connection in tuple(self.connections.values()):
            if thread is not None and not shows(connection.thread_id, thread):
                continue
            if connection.quiet and connection.loop is loop and connection.stamped and seq > connection.seq:
                text = text or stamp(draft.body, seq, epoch)
                if connection.write(seq, text):
                    taken += 1
                    continue
            event = event or Event(draft, epoch, seq)
            taken += connection.offer(event)
            self.behind = True
        if not taken and seq:
            self._keep_undelivered((event or Event(draft, epoch, seq),))
        return taken

    def pump(self) -> int:
        """Write what waits for the user's connections; return how many of them died of it."""
        self.behind = False  # before, since another thread may offer meanwhile
        connections = self.connections
        if not connections:
            return 0
        died = 0
        for connection in tuple(connections.values()):
            if connection.quiet:
                continue
            connection.pump()
            died += connection.close_code is not None
        return died

    def undelivered(self, thread_id: str | None = None) -> list[Event]:
        """Return the kept events that no connection has received, in order, of one thread or of all (None)."""
        waiting = self._undelivered or ()
        return sorted((e for e in waiting if shows(thread_id, e.thread_id)), key=lambda e: e.seq)

    def take_undelivered(self, thread_id: str | None) -> list[Event]:
        """Return and forget what :meth:`undelivered` returns."""
        with self.factory.lock:
            events = self.undelivered(thread_id)
            if events and self._undelivered is not None:
                taken = set(map(id, events))
                left = [event for event in self._undelivered if id(event) not in taken]
                self._undelivered = deque(left, self._undelivered.maxlen) if left else None
        return events

    def on_gone(self, connection: Connection, unsent: list[Event]) -> None:
        """A connection has ended: forget it; keep what it alone should have received."""
        factory = self.factory
        with factory.lock:
            if self.connections.get(connection.connection_id) is not connection:
                return
            del self.connections[connection.connection_id]
            others = [c.thread_id for c in self.connections.values()]
            self._keep_undelivered([e for e in unsent if e.seq and not any(shows(thread, e.thread_id) for thread in others)])
            empty = not self.connections
            now = factory.clock()
            for manager in self.managers.values():
                manager.last_used = now  # idle begins when the last client has gone
        factory.note_gone(connection)
        if empty and self.joined and not factory.backplane.local:
            self.joined = False
            factory.backplane.leave(self.user_id)

    async def catch_up(self, connection: Connection, since: Position, notices: Callable[[Replay], Iterable[Event]]) -> Replay:
        """Give a held connection what follows ``since``, ``notices`` before it, and let it go live, without gap or duplicate.

        Live events pass a held connection by and only raise ``seen``; so the loop ends when replay has reached it, and
        the connection goes live under the lock that delivery takes. Returns the first replay, or the one that found that the
        epoch had ended meanwhile: what came before it is void.
        """
        backplane, lock = self.factory.backplane, self.factory.lock
        first: Replay | None = None
        asked_again = ""
        while True:
            replay = await backplane.replay(self.user_id, since)
            self._charge(replay.events)
            if first is None:
                first = replay
            elif replay.resync is not None:
                first = replay
                connection.outbox.forget_events()
            with lock:
                since = replay.position
                connection.seq = since.seq
                connection.replay(e for e in replay.events if shows(connection.thread_id, e.thread_id))
                if since.epoch != self.epoch and not self.seen:
                    self.epoch, self.seen = since.epoch, since.seq
                # Of two epochs the backplane says which is the present one.
                live = since.seq >= self.seen if since.epoch == self.epoch else since.epoch == asked_again
                if live:
                    # In the same breath: nothing may be written before the notices, and no event pass by after.
                    connection.outbox.put_first(notices(first))
                    connection.held = False
                    return first
                asked_again = since.epoch

    def check_replays(self) -> None:
        """Refuse a user whose clients had more events replayed than the limit of a minute. Raises ResourceLimitExceeded."""
        if self._replays_left() <= 0:
            limit = self.factory.limits.replays_per_minute
            raise ResourceLimitExceeded("replayed events in a minute", limit, self.user_id, "Resume less often.")

    def _replays_left(self) -> float:
        limit = self.factory.limits.replays_per_minute
        return min(limit, limit - self._replayed + (self.factory.clock() - self._replayed_at) * limit / 60)

    def _charge(self, events: Sequence[Event]) -> None:
        # What a message costs is what it causes: one that asks for the history costs as much as sending all of it.
        left = self._replays_left() - sum(1 + len(event.draft.body) // _CHARGED_BYTES for event in events)
        self._replayed, self._replayed_at = self.factory.limits.replays_per_minute - left, self.factory.clock()

    def _deliver_missed(self, events: Sequence[Event]) -> int:
        taken = 0
        with self.factory.lock:
            if events[0].epoch != self.epoch:
                self._turn(events[0].epoch, events[0].seq)
            self.seen = events[-1].seq
            for connection in tuple(self.connections.values()):
                own = [event for event in events if shows(connection.thread_id, event.thread_id)]
                if own and connection.offer_missed(own) and own[-1] is events[-1]:
                    taken += 1
        return taken

    def _turn(self, epoch: str, seq: int) -> None:
        # The stream was begun anew (the backplane lost its memory): numbers start again, and clients must know.
        if self.epoch:
            for connection in tuple(self.connections.values()):
                connection.seq = 0
                if seq:
                    connection.offer(Event(resync_notice("epoch_changed", epoch, seq - 1), "", 0))
        self.epoch, self.seen = epoch, 0

    def _keep_undelivered(self, events: Sequence[Event]) -> None:
        limit = self.factory.limits.undelivered_events
        # With several workers nobody here knows what another has delivered: there, clients say what they have seen.
        if not events or not limit or not self.factory.backplane.local:
            return
        if self._undelivered is None:
            self._undelivered = deque(maxlen=limit)
        self._undelivered.extend(events)


def shows(connection_thread: str | None, event_thread: str | None) -> bool:
    """Say whether a connection of one thread receives events of another: None is all threads, on either side."""
    return connection_thread is None or event_thread is None or connection_thread == event_thread
