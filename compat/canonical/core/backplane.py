"""Backplanes: what one does, and that of a single process, with histories in memory and delivery by a call."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Callable, NamedTuple, Protocol

from ..errors import ResourceLimitExceeded
from .events import Delivery, Draft, Event, Position
from .replay import History, Replay

_KEYS = 10_000

Deliver = Callable[[str, Sequence[Event]], int]
"""``deliver(user_id, events) -> how many connections here took the last``; writes nothing, and so runs no foreign code.

One event is live, and bounded by the outboxes. Several at once were missed as they came (a subscription was cut): like
replayed ones they are bounded by the history alone.
"""


class Listener(Protocol):
    """What a worker does when all are asked."""

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Do what is asked, and return a small JSON object; never waits."""

    def recall(self, facts: Mapping[str, str]) -> None:
        """Take all facts that are known to all workers; called at the start, and whenever some may have been missed."""


class Answers(NamedTuple):
    """What ``asked`` workers answered; fewer answers than that came in time where one is cut off."""

    asked: int
    answers: list[dict[str, Any]]

    @property
    def workers(self) -> dict[str, int]:
        """How many were asked and have answered."""
        return {"asked": self.asked, "answered": len(self.answers)}


class Backplane(Protocol):
    """Keeps every user's stream, and hands its events to the workers that hold the user's connections."""

    local: bool  # True: one process, nothing to await

    async def start(self) -> None:
        """Connect; called once, on the loop that will serve."""

    async def close(self) -> None:
        """Release everything; nothing runs afterwards."""

    def bind(self, deliver: Deliver, pump: Callable[[str], None]) -> None:
        """Name the functions that take a user's events, in order, and that write them to the sockets afterwards.

        The caller of ``publish`` pumps its own user; events from outside are pumped by the backplane.
        """

    async def publish(self, user_id: str, draft: Draft) -> Delivery:
        """Give ``draft`` its place, keep it, hand it on. Raises BackplaneUnavailable if it was not accepted."""

    async def publish_once(self, user_id: str, draft: Draft, key: str) -> Delivery:
        """As :meth:`publish`; of what the user has got under ``key`` already, return the first delivery and publish nothing."""

    async def broadcast(self, draft: Draft, exclude: frozenset[str], key: str | None) -> int:
        """Publish to all users who are, or were lately, connected to any worker; return how many. Not asked of a local one."""

    def listen(self, listener: Listener) -> None:
        """Name who answers here; before :meth:`start`."""

    async def consult(self, question: Mapping[str, Any]) -> Answers:
        """Ask every worker that listens, this one included. Raises BackplaneUnavailable."""

    async def remember(self, name: str, value: str, limit: int) -> None:
        """Keep a fact for all workers. Raises BackplaneUnavailable, and ResourceLimitExceeded beyond ``limit`` facts."""

    async def forget_facts(self, names: Sequence[str]) -> None:
        """Drop facts that no longer matter."""

    async def replay(self, user_id: str, since: Position | None) -> Replay:
        """Return what follows ``since``; None is the beginning of what is kept."""

    async def position(self, user_id: str) -> Position:
        """Return the end of the user's stream."""

    async def join(self, user_id: str) -> None:
        """From now on this worker has connections of the user."""

    def leave(self, user_id: str) -> None:
        """This worker has no more connections of the user; never waits."""

    def forget(self, user_id: str) -> None:
        """The user is idle here: free what this process keeps."""

    def health(self) -> dict[str, Any]:
        """Return ``healthy`` (bool) and what else is worth knowing."""


class InProcessBackplane:
    """Streams of all users of one process.

    Publishing never suspends, so the order of calls is the order of events; a lock keeps it so between OS threads.
    """

    local = True

    def __init__(self, history_limit: int = 512) -> None:
        """``history_limit``: how many events per user a client that reconnects may have missed; 0 keeps none."""
        self.history_limit = history_limit
        self._histories: dict[str, History] = {}
        self._incarnation = os.urandom(6).hex()
        self._counter = itertools.count(1)
        self.lock = threading.RLock()  # delivery may publish again on the same thread
        self._deliver: Deliver = _nobody
        self._once: dict[tuple[str, str], Delivery] = {}
        self._listener: Listener | None = None
        self._facts: dict[str, str] = {}

    def bind(self, deliver: Deliver, pump: Callable[[str], None] | None = None) -> None:
        """Name the function that takes a user's events."""
        self._deliver = deliver

    async def start(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Free all histories."""
        self._histories.clear()

    async def publish(self, user_id: str, draft: Draft) -> Delivery:
        """Number ``draft``, keep it, hand it to the user's connections; never suspends."""
        return self._publish(user_id, draft)

    def _publish(self, user_id: str, draft: Draft) -> Delivery:
        limit = self.history_limit
        with self.lock:
            event = self.open(user_id).append(draft, limit)
            receivers = self._deliver(user_id, (event,))
        return Delivery(event.seq, event.epoch, receivers, limit > 0)

    async def publish_once(self, user_id: str, draft: Draft, key: str) -> Delivery:
        """Publish what was not published under ``key`` yet; the ten thousand latest keys are remembered."""
        with self.lock:
            delivery = self._once.get((user_id, key))
            if delivery is None:
                delivery = self._once[user_id, key] = self._publish(user_id, draft)
                if len(self._once) > _KEYS:
                    del self._once[next(iter(self._once))]
        return delivery

    async def broadcast(self, draft: Draft, exclude: frozenset[str], key: str | None) -> int:
        """Refuse: the factory knows all users of one process."""
        raise NotImplementedError

    def listen(self, listener: Listener) -> None:
        """Name who answers."""
        self._listener = listener

    async def consult(self, question: Mapping[str, Any]) -> Answers:
        """Ask the only worker."""
        return Answers(0, []) if self._listener is None else Answers(1, [self._listener.answer(question)])

    async def remember(self, name: str, value: str, limit: int) -> None:
        """Keep a fact while the process lives."""
        if name not in self._facts and len(self._facts) >= limit:
            raise ResourceLimitExceeded("revocations", limit)
        self._facts[name] = value

    async def forget_facts(self, names: Sequence[str]) -> None:
        """Drop facts."""
        for name in names:
            self._facts.pop(name, None)

    async def replay(self, user_id: str, since: Position | None) -> Replay:
        """Return what follows ``since``; never suspends."""
        with self.lock:
            return self.open(user_id).after(since)

    async def position(self, user_id: str) -> Position:
        """Return the end of the user's stream."""
        with self.lock:
            return self.open(user_id).position

    async def join(self, user_id: str) -> None:
        """Nothing to subscribe to."""

    def leave(self, user_id: str) -> None:
        """Nothing to unsubscribe from."""

    def forget(self, user_id: str) -> None:
        """Free the user's history: a client that comes back later is told to resync, by a new epoch."""
        history = self._histories.pop(user_id, None)
        if history is not None:
            history.forgotten = True
        if not self._histories:
            self._histories.clear()  # gives the table back

    def health(self) -> dict[str, Any]:
        """Return the state of the backplane; memory does not fail."""
        return {"healthy": True, "kind": "in-process", "streams": len(self._histories)}

    def open(self, user_id: str) -> History:
        """Return the history of a user, which is used under ``lock``, until it is ``forgotten``."""
        history = self._histories.get(user_id)
        if history is None:
            # An epoch is never used twice: a user freed and seen again must not continue old numbers.
            history = self._histories[user_id] = History(f"{self._incarnation}-{next(self._counter)}")
        return history


def _nobody(user_id: str, events: Sequence[Event]) -> int:
    return 0
