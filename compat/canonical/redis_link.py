"""One subscription to Redis that heals itself: reconnects with backoff, subscribes again, and says so.

PYTEST_DONT_REWRITE: what an assertion here says is part of its behaviour.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Any, Callable

logger = logging.getLogger(__name__)

FIRST_BACKOFF = 0.05
LONGEST_BACKOFF = 2.0


def backoff(attempt: int) -> float:
    """Return how long to wait before ``attempt`` (from 0): doubling, bounded, and jittered so that workers spread."""
    return float(min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempt, 16)) * (0.5 + random.random() / 2))


class RedisLink:
    """Receives what is published on the channels it holds.

    ``on_message(channel, data)`` and ``on_subscribed(channel)`` are awaited in the order Redis answered; the second also
    after each reconnection, for every channel, since what was published meanwhile was not received.
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
        self.error: str | None = None
        self.reconnects = 0
        self._make_connection = make_connection
        self._on_message, self._on_subscribed = on_message, on_subscribed
        self._ping_interval = ping_interval
        self._channels: set[str] = set()
        self._connection: Any = None
        self._heard = 0.0
        self._commands: asyncio.Queue[tuple[str, ...]] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Disconnect; nothing runs afterwards."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
        self.up = False

    def subscribe(self, channel: str) -> None:
        """Hold ``channel`` from now on; ``on_subscribed`` tells when."""
        self._channels.add(channel)
        self._command("SUBSCRIBE", channel)

    def unsubscribe(self, channel: str) -> None:
        """Let go of ``channel``."""
        self._channels.discard(channel)
        self._command("UNSUBSCRIBE", channel)

    def _command(self, *parts: str) -> None:
        if self._commands is not None:
            self._commands.put_nowait(parts)

    async def _run(self) -> None:
        from redis.exceptions import RedisError

        attempt = 0
        while True:
            try:
                self._connection = self._make_connection()
                await self._connection.connect()
                # Commands queued for an earlier connection are void: all channels are subscribed anew.
                self._commands = asyncio.Queue()
                for channel in sorted(self._channels):
                    self._command("SUBSCRIBE", channel)
                self.up, self.error = True, None
                self._heard = asyncio.get_running_loop().time()
                attempt = 0
                await self._converse()
            except (RedisError, OSError, asyncio.TimeoutError) as exc:
                self.error = f"{type(exc).__name__}: {exc}"
                logger.warning("subscription to Redis lost: %s", self.error)
            finally:
                self.up = False
                self._commands = None
                await self._disconnect()
            await asyncio.sleep(backoff(attempt))
            attempt += 1
            self.reconnects += 1

    async def _converse(self) -> None:
        """Read and write until one of both fails."""
        tasks = [asyncio.ensure_future(self._read()), asyncio.ensure_future(self._write())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
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

    async def _write(self) -> None:
        commands = self._commands
        assert commands is not None
        while True:
            try:
                parts = await asyncio.wait_for(commands.get(), self._ping_interval)
            except asyncio.TimeoutError:
                # Redis answers each ping: silence for several of them is a cut that TCP has not noticed.
                if asyncio.get_running_loop().time() - self._heard > self._ping_interval * 4:
                    raise
                parts = ("PING",)
            await self._connection.send_command(*parts, check_health=False)

    async def _disconnect(self) -> None:
        if self._connection is not None:
            try:
                await self._connection.disconnect(nowait=True)
            except Exception as exc:
                logger.debug("disconnect from Redis: %r", exc)
            self._connection = None
