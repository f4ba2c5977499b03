"""The messages of one client that the application handles: one at a time, in order, while the client goes on being read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Mapping
from typing import Any, Callable, Optional

from ..core.eager import begin, is_awaitable

Message = Mapping[str, Any]


class Inbox:
    """Reads and handles in two tasks that change places.

    The task that has read a message begins to handle it. A handler that does not wait ends there, which costs no task and no
    turn of the loop; where it waits, the other task reads on. Meanwhile ``limit`` messages may wait; then nothing more is
    read, up to ``patience`` seconds, and a message that finds no room after that is given to ``refuse``.

    ``read()`` returns the next message, or None at the end. ``handle(message)`` may return an awaitable; ``settle(message, exc)``
    is told what became of it. ``busy`` holds the tasks whose handler waits for something: whoever drains waits for these.
    """

    __slots__ = (
        "_ended",
        "_handle",
        "_handling",
        "_idle",
        "_limit",
        "_note",
        "_patience",
        "_read",
        "_reader",
        "_refuse",
        "_room",
        "_settle",
        "_waiting",
        "busy",
    )

    def __init__(
        self,
        read: Callable[[], Awaitable[Optional[Message]]],
        handle: Callable[[Message], Any],
        settle: Callable[[Message, Optional[Exception]], None],
        refuse: Callable[[Message], None],
        *,
        limit: int,
        patience: float,
        busy: set[asyncio.Task[None]],
        note: Callable[[int], None],
    ) -> None:
        """``note`` is told of +1 when a handler begins to wait for something, and of -1 when it no longer does."""
        self._read, self._handle, self._settle, self._refuse, self._note = read, handle, settle, refuse, note
        self._limit, self._patience, self.busy = limit, patience, busy
        self._waiting: list[Message] = []  # short; an empty deque takes more than half a kilobyte
        self._handling = False
        self._room: asyncio.Future[None] | None = None
        self._idle: asyncio.Future[None] | None = None  # of the task that neither reads nor handles
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reader: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve until ``read`` ends, or raises what it raises. A handler that has begun goes on to its end."""
        self._read_on()
        try:
            await asyncio.shield(self._ended)
        finally:
            # What waits has a client that is gone and knows that it was not answered.
            self._waiting.clear()
            if self._reader is not None:
                self._reader.cancel()
            if not self._ended.done():
                self._ended.cancel()
            if self._idle is not None:
                self._read_on()  # it finds that all has ended

    def _read_on(self) -> None:
        idle, self._idle = self._idle, None
        if idle is not None:
            idle.set_result(None)
        else:
            self._reader = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        try:
            await self._take_turns()
        except asyncio.CancelledError:
            self._end(None)
            raise
        except Exception as exc:
            self._end(exc)

    async def _take_turns(self) -> None:
        read, handle, settle = self._read, self._handle, self._settle
        while not self._ended.done():
            message = await read()
            if message is None:
                self._reader = None
                self._end(None)
            elif self._handling and not await self._has_room():
                self._refuse(message)
            elif self._handling:
                self._waiting.append(message)
            else:
                try:
                    rest = begin(handle(message))
                except Exception as exc:
                    settle(message, exc)
                else:
                    if rest is None:
                        settle(message, None)
                    else:
                        await self._go_on(message, rest)

    async def _go_on(self, message: Message, rest: Any) -> None:
        """End what has begun, and what came meanwhile, while the other task reads; then wait for its turn to read."""
        task: Any = asyncio.current_task()
        self._handling = True
        self.busy.add(task)
        self._note(1)
        self._read_on()
        try:
            await self._run(message, rest)
            while self._waiting:
                message = self._waiting.pop(0)
                if self._room is not None and not self._room.done():
                    self._room.set_result(None)
                await self._run(message)
        finally:
            self._note(-1)
            self.busy.discard(task)
            self._handling = False
        if not self._ended.done():
            idle = self._idle = asyncio.get_running_loop().create_future()
            await idle
            self._reader = task

    async def _run(self, message: Message, rest: Any = None) -> None:
        try:
            answer = self._handle(message) if rest is None else rest
            if is_awaitable(answer):
                await answer
        except Exception as exc:
            self._settle(message, exc)
        else:
            self._settle(message, None)

    async def _has_room(self) -> bool:
        if len(self._waiting) >= self._limit:
            self._room = asyncio.get_running_loop().create_future()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._room, self._patience)
            self._room = None
        return len(self._waiting) < self._limit

    def _end(self, exc: Exception | None) -> None:
        if self._ended.done():
            return
        if exc is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(exc)
