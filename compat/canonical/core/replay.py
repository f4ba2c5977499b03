"""Bounded history of one user's stream: what a client that reconnects has missed, or that it cannot be told."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import NamedTuple

from .events import Draft, Event, Position, Record


class Replay(NamedTuple):
    """Events after a position, in order; ``position`` is the stream's end.

    ``resync`` is None, or why history does not reach back: ``epoch_changed``, ``history_expired``,
    ``unknown_position``.
    """

    events: list[Event]
    position: Position
    resync: str | None = None


class History:
    """The last events of one user, numbered without gaps within an epoch."""

    __slots__ = ("_events", "epoch", "forgotten", "seq")

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self.seq = 0
        self.forgotten = False  # whether its user has another one by now
        self._events: deque[Record] | None = None

    @property
    def position(self) -> Position:
        """The place of the newest event."""
        return Position(self.epoch, self.seq)

    def append(self, draft: Draft, limit: int) -> Event:
        """Number ``draft`` and keep it as one of the last ``limit`` events."""
        return Event(draft, self.epoch, self.keep(draft.record, limit))

    def keep(self, record: Record, limit: int) -> int:
        """As :meth:`append`, with a draft's record; return its number."""
        seq = self.seq = self.seq + 1
        if limit:
            events = self._events
            if events is None:
                events = self._events = deque()
            events.append(record)
            if len(events) > limit:
                events.popleft()
        return seq

    def after(self, since: Position | None) -> Replay:
        """Return what follows ``since``; None is the beginning of what is kept."""
        records = self._events or deque()
        floor = self.seq - len(records)
        if since is not None:
            reason = judge(since, self.position, floor)
            if reason is not None:
                return Replay([], self.position, reason)
        first = floor if since is None else since.seq
        wanted = islice(records, first - floor, None)
        events = [Event(Draft.from_record(r), self.epoch, seq) for seq, r in enumerate(wanted, first + 1)]
        return Replay(events, self.position)

    @property
    def kept(self) -> int:
        """How many events are kept. No ``__len__``: an empty history is not a missing one."""
        return len(self._events or ())


def judge(since: Position, end: Position, floor: int) -> str | None:
    """Say why history from ``floor`` (exclusive) to ``end`` cannot continue ``since``; None if it can."""
    if since.epoch != end.epoch:
        return "epoch_changed"
    if since.seq > end.seq or since.seq < 0:
        return "unknown_position"
    if since.seq < floor:
        return "history_expired"
    return None
