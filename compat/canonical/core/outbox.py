"""The bounded outbox of one connection: what may wait, what gives way, and what the client is told of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from ..limits import OverflowPolicy
from .events import Draft, Event

_NOTICES = ("gap", "resync")


class Outbox:
    """Events that wait for one connection, in order, bounded in number and bytes.

    Replayed events wait in front and are not counted: the history bounds them, and shares them.
    Where events were dropped, a ``gap`` notice with their number takes their place.
    """

    __slots__ = ("_limit", "_max_bytes", "_policy", "_replayed", "_size", "_waiting", "dropped", "missing")

    def __init__(self, limit: int, max_bytes: int, policy: OverflowPolicy) -> None:
        self._limit, self._max_bytes, self._policy = limit, max_bytes, policy
        self._waiting: deque[Event] = deque()
        self._replayed: deque[Event] | None = None
        self._size = 0
        self.missing = 0  # dropped since the last notice
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting) + (len(self._replayed) if self._replayed else 0)

    @property
    def size(self) -> int:
        """Characters of JSON that wait, replayed events not counted."""
        return self._size

    def put(self, event: Event) -> bool:
        """Add an event; return False if it cannot be kept and the connection must be closed."""
        size = len(event.draft.body)
        waiting = self._waiting
        if waiting and (len(waiting) >= self._limit or self._size + size > self._max_bytes):
            if self._policy is OverflowPolicy.CLOSE:
                return False
            while waiting and (len(waiting) >= self._limit or self._size + size > self._max_bytes):
                if not self._drop_oldest():
                    if event.critical:
                        return False
                    self._note_drop()
                    return True
        waiting.append(event)
        self._size += size
        return True

    def preload(self, events: Iterable[Event]) -> None:
        """Put replayed events in front of everything that waits, behind earlier replayed ones."""
        if self._replayed is None:
            self._replayed = deque()
        self._replayed.extend(events)

    def put_missed(self, events: Iterable[Event]) -> None:
        """Put events that come late behind everything that waits; they count no more than replayed ones do."""
        if self.missing:
            self._waiting.appendleft(self._gap())
        self.preload(self._waiting)
        self._waiting.clear()
        self._size = 0
        self.preload(events)

    def put_first(self, events: Iterable[Event]) -> None:
        """Put notices in front of everything, replayed events included."""
        self._replayed = deque([*events, *(self._replayed or ())])

    def pop(self) -> Event | None:
        """Take the next event, or the notice of a gap; None if nothing waits."""
        if self._replayed:
            return self._replayed.popleft()
        if self.missing:
            return self._gap()
        if not self._waiting:
            return None
        event = self._waiting.popleft()
        self._size -= len(event.draft.body)
        return event

    def forget_events(self) -> None:
        """Drop what a replay brings again: events and notices of where they continue; direct messages stay."""
        kept = [event for event in self.clear() if not event.seq and event.type not in _NOTICES]
        self.missing = 0
        for event in kept:
            if event.type == "connection_established":  # comes before everything
                self.put_first([event])
            else:
                self._waiting.append(event)
                self._size += len(event.draft.body)

    def clear(self) -> list[Event]:
        """Take everything that waits."""
        left = list(self._replayed or ()) + list(self._waiting)
        self._replayed = None
        self._waiting.clear()
        self._size = 0
        return left

    def _drop_oldest(self) -> bool:
        waiting = self._waiting
        for index, event in enumerate(waiting):
            if not event.critical:
                del waiting[index]
                self._size -= len(event.draft.body)
                self._note_drop()
                return True
        return False

    def _gap(self) -> Event:
        missing, self.missing = self.missing, 0
        return Event(Draft({"type": "gap", "missing": missing, "reason": "slow_consumer"}), "", 0)

    def _note_drop(self) -> None:
        self.missing += 1
        self.dropped += 1
