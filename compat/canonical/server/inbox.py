"""The messages of one client that the application handles: one at a time, in order, apart from the loop that reads."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Coroutine, Mapping
from typing import Any, Callable

Message = Mapping[str, Any]


class Inbox:
    """Runs ``handle(message)`` as a task while its client goes on being read.

    ``limit`` messages may wait. While they do, :meth:`put` waits, up to ``patience`` seconds, and nothing more is read of the
    client; a message that finds no room then is refused. Tasks are kept in ``tasks``, which whoever drains can wait for.
    """

    __slots__ = ("_handle", "_limit", "_patience", "_room", "_task", "_tasks", "_waiting", "closed")

    def __init__(
        self,
        handle: Callable[[Message], Coroutine[Any, Any, None]],
        *,
        limit: int,
        patience: float,
        tasks: set[asyncio.Task[None]],
    ) -> None:
        self._handle, self._limit, self._patience, self._tasks = handle, limit, patience, tasks
        self._waiting: deque[Message] = deque()
        self._task: asyncio.Task[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self.closed = False

    async def put(self, message: Message) -> bool:
        """Have a message handled; return False if it found no room in time."""
        if self._task is None:
            self._start(message)
            return True
        if len(self._waiting) >= self._limit:
            self._room = asyncio.get_running_loop().create_future()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._room, self._patience)
            self._room = None
            if len(self._waiting) >= self._limit:
                return False
        if self._task is None:
            self._start(message)
        else:
            self._waiting.append(message)
        return True

    def close(self) -> None:
        """Drop what waits: its client is gone and knows that it was not answered. What has begun goes on to its end."""
        self.closed = True
        self._waiting.clear()

    def _start(self, message: Message) -> None:
        task = self._task = asyncio.get_running_loop().create_task(self._handle(message))
        self._tasks.add(task)
        task.add_done_callback(self._next)

    def _next(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._task = None
        if self._waiting:
            self._start(self._waiting.popleft())
            if self._room is not None and not self._room.done():
                self._room.set_result(None)
