"""A bounded queue of messages that wait to be sent over one socket."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any


class WebSocketMessageQueue:
    """First in, first out; a full queue refuses, it never drops what it has taken."""

    def __init__(self, max_size: int = 1000) -> None:
        self.max_size = max_size
        self._items: deque[dict[str, Any]] = deque()
        self._arrived: asyncio.Event | None = None  # made when waited for: before 3.10 it binds to the loop it is made in
        self._enqueued = 0
        self._dequeued = 0
        self._refused = 0

    async def enqueue(self, message: Any) -> bool:
        """Add a dict or a message model; return False if the queue is full."""
        item = dict(message) if isinstance(message, Mapping) else message.model_dump(mode="json")
        if len(self._items) >= self.max_size:
            self._refused += 1
            return False
        self._items.append(item)
        self._enqueued += 1
        if self._arrived is not None:
            self._arrived.set()
        return True

    async def dequeue(self, timeout: float | None = None) -> dict[str, Any] | None:
        """Return the next message; None if none came within ``timeout`` seconds (None waits for ever)."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._items:
            arrived = self._arrived = self._arrived or asyncio.Event()
            arrived.clear()
            try:
                await asyncio.wait_for(arrived.wait(), None if deadline is None else deadline - time.monotonic())
            except asyncio.TimeoutError:
                return None
        self._dequeued += 1
        return self._items.popleft()

    def size(self) -> int:
        """Return how many messages wait."""
        return len(self._items)

    def is_empty(self) -> bool:
        """Return whether no message waits."""
        return not self._items

    def clear(self) -> None:
        """Drop all that wait."""
        self._items.clear()

    def get_stats(self) -> dict[str, Any]:
        """Return the size and how many were taken in, given out and refused."""
        return {
            "enqueued": self._enqueued,
            "dequeued": self._dequeued,
            "dropped": self._refused,
            "errors": 0,
            "current_size": self.size(),
            "max_size": self.max_size,
        }


@asynccontextmanager
async def websocket_message_queue_context(max_size: int = 1000) -> AsyncIterator[WebSocketMessageQueue]:
    """Hand out a queue for the time of the block, and empty it afterwards."""
    queue = WebSocketMessageQueue(max_size)
    try:
        yield queue
    finally:
        queue.clear()
