"""One subscription to Redis that heals itself: reconnects with backoff, subscribes again, and says so.

PYTEST_DONT_REWRITE: what an assertion here says is part of its behaviour.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any, Callable

from ..core.logged import get_logger

logger = get_logger(__name__)

FIRST_BACKOFF = 0.05
LONGEST_BACKOFF = 2.0


def backoff(attempt: int) -> float:
    """Return how long to wait before ``attempt`` (from 0): doubling, bounded, and jittered so that workers spread."""
    return float(min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempt, 16)) * (0.5 + random.random() / 2))


async def end_tasks(*tasks: asyncio.Task[Any]) -> None:
    """Cancel ``tasks`` until they have ended, and pass over what they raised.

    Once is not enough: a cancellation that meets a timeout inside redis-py or ``asyncio.wait_for`` may be swallowed.
    """
    running = {task for task in tasks if not task.done()}
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=0.2)


class RedisLink:
    """Receives what is published on the channels it holds.

    ``on_message(channel, data)`` and ``on_subscribed(channel)`` are awaited in the order Redis answered; the second also
    after each reconnection, for every channel, since what was published meanwhile was not received. ``up`` is True once all
    channels are held again, and what they have missed is caught up with.
    """

    def __init__(
        self,
        make_connection: Callable[[], Any],
        *,
        on_message: Callable[[str, str], Any],
        on_subscribed: Callable[[str], Any],
        ping_interval: float,
    ) -> None:
        self.up = False
        self.error: str | None = "not subscribed yet"
        self.reconnects = 0
        self._make_connection = make_connection
        self._on_message, self._on_subscribed = on_message, on_subscribed
        self._ping_interval = ping_interval
        self._channels: set[str] = set()
        self._awaited: set[str] = set()
        self._connection: Any = None
        self._heard = 0.0
        self._attempt = 0
        self._commands: asyncio.Queue[tuple[str, ...]] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._came_up = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def came_up(self, timeout: float) -> bool:
        """Wait until it is up for the first time, up to ``timeout`` seconds; return whether it is."""
        try:
            await asyncio.wait_for(self._came_up.wait(), timeout)
        except asyncio.TimeoutError:
            return False
        return True

    async def close(self) -> None:
        """Disconnect; nothing runs afterwards."""
        if self._task is not None:
            await end_tasks(self._task)
            self._task = None
        self.up = False

    def subscribe(self, channel: str) -> None:
        """Hold ``channel`` from now on; ``on_subscribed`` tells when."""
        self._channels.add(channel)
        self._command("SUBSCRIBE", channel)

    def unsubscribe(self, channel: str) -> None:
        """Let go of ``channel``."""
        self._channels.discard(channel)
        self._awaited.discard(channel)
        self._command("UNSUBSCRIBE", channel)

    def _command(self, *parts: str) -> None:
        if self._commands is not None:
            self._commands.put_nowait(parts)

    async def _run(self) -> None:
        from redis.exceptions import RedisError

        while True:
            try:
                self._connection = self._make_connection()
                await self._connection.connect()
                # Commands queued for an earlier connection are void: all channels are subscribed anew.
                self._commands = asyncio.Queue()
                self._awaited = set(self._channels)
                for channel in sorted(self._channels):
                    self._command("SUBSCRIBE", channel)
                self._heard = asyncio.get_running_loop().time()
                await self._converse()
            except (RedisError, OSError, asyncio.TimeoutError) as exc:
                self.error = f"{type(exc).__name__}: {exc}"
                logger.warning("subscription to Redis lost: %s", self.error)
            except Exception as exc:
                # Whatever one message led to, the others' must go on: what this one held is read again after the reconnection.
                self.error = repr(exc)
                logger.exception("subscription to Redis failed")
            finally:
                self.up = False
                self._commands = None
                await self._disconnect()
            await asyncio.sleep(backoff(self._attempt))
            self._attempt += 1
            self.reconnects += 1

    async def _converse(self) -> None:
        """Read, write and ping until one of them fails."""
        tasks = [asyncio.ensure_future(part()) for part in (self._read, self._write, self._ping)]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end_tasks(*tasks)
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, asyncio.CancelledError):
                raise outcome

    async def _read(self) -> None:
        connection, clock = self._connection, asyncio.get_running_loop().time
        while True:
            answer = await connection.read_response()
            self._heard = clock()
            if not isinstance(answer, list):
                continue
            kind = answer[0]
            if kind == "message":
                await self._on_message(answer[1], answer[2])
            elif kind == "subscribe":
                await self._on_subscribed(answer[1])
                self._awaited.discard(answer[1])
                if not self._awaited and not self.up:
                    # Not before: a Redis that takes connections, and no more, must not be asked at full speed.
                    self.up, self.error, self._attempt = True, None, 0
                    self._came_up.set()

    async def _write(self) -> None:
        commands = self._commands
        assert commands is not None
        while True:
            await self._connection.send_command(*await commands.get(), check_health=False)

    async def _ping(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(self._ping_interval)
            # Redis answers each ping: silence for several of them is a cut that TCP has not noticed.
            silent = clock() - self._heard
            if silent > self._ping_interval * 4:
                raise asyncio.TimeoutError(f"nothing heard for {silent:.1f} s")
            self._command("PING")

    async def _disconnect(self) -> None:
        if self._connection is not None:
            try:
                await self._connection.disconnect(nowait=True)
            except Exception as exc:
                logger.debug("disconnect from Redis: %r", exc)
            self._connection = None
