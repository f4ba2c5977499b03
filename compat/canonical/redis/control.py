"""Questions that every worker answers, and facts that every worker knows, over one channel and one hash in Redis."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from ..core.backplane import Answers, Listener
from ..core.codec import dumps, loads
from ..core.logged import get_logger
from ..errors import ResourceLimitExceeded

logger = get_logger(__name__)

_PATIENCE = 2.0  # seconds in which a worker that is there answers


class RedisControl:
    """Asks and answers for one worker; ``ask(request)`` makes a request of ``client()``, and raises BackplaneUnavailable."""

    def __init__(self, prefix: str, node: str, client: Callable[[], Any], ask: Callable[[Callable[[], Any]], Any]) -> None:
        self.listener: Listener | None = None
        self.channel, self.own = f"{prefix}:control", f"{prefix}:{node}"
        self._facts = f"{prefix}:facts"
        self._client, self._ask = client, ask
        self._waiting: dict[str, asyncio.Queue[dict[str, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def channels(self) -> tuple[str, ...]:
        """What a worker subscribes to, beside the channels of users."""
        return (self.own,) if self.listener is None else (self.own, self.channel)

    async def consult(self, question: Mapping[str, Any]) -> Answers:
        """Ask all workers; wait for them all, or two seconds."""
        number = os.urandom(8).hex()
        heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._waiting[number] = heard
        loop = asyncio.get_running_loop()
        try:
            text = dumps({"id": number, "reply": self.own, "ask": question})
            asked = int(await self._ask(lambda: self._client().publish(self.channel, text)))
            deadline = loop.time() + _PATIENCE
            answers: list[dict[str, Any]] = []
            while len(answers) < asked and loop.time() < deadline:
                try:
                    answers.append(await asyncio.wait_for(heard.get(), max(0.0, deadline - loop.time())))
                except asyncio.TimeoutError:
                    break
        finally:
            del self._waiting[number]
        return Answers(asked, answers)

    def hear(self, channel: str, data: str) -> bool:
        """Take a message of one of :attr:`channels`; False for any other channel. Never waits, and raises nothing."""
        if channel not in (self.own, self.channel):
            return False
        try:
            message = loads(data)
            if channel == self.own:
                waiting = self._waiting.get(message["id"])
                if waiting is not None:
                    waiting.put_nowait(message["answer"])
            elif self.listener is not None:
                answer = dumps({"id": message["id"], "answer": self.listener.answer(message["ask"])})
                task = asyncio.get_running_loop().create_task(self._reply(str(message["reply"]), answer))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except Exception:
            logger.exception("a message on %s is not understood", channel)
        return True

    async def recall(self) -> None:
        """Hand all facts to the listener."""
        if self.listener is not None:
            self.listener.recall(await self._ask(lambda: self._client().hgetall(self._facts)))

    async def remember(self, name: str, value: str, limit: int) -> None:
        """Keep a fact. Raises BackplaneUnavailable, ResourceLimitExceeded."""
        if int(await self._ask(lambda: self._client().hlen(self._facts))) >= limit:
            raise ResourceLimitExceeded("revocations", limit)
        await self._ask(lambda: self._client().hset(self._facts, name, value))

    async def forget(self, names: Sequence[str]) -> None:
        """Drop facts."""
        if names:
            await self._ask(lambda: self._client().hdel(self._facts, *names))

    async def _reply(self, channel: str, text: str) -> None:
        try:
            await self._ask(lambda: self._client().publish(channel, text))
        except ConnectionError as exc:  # whoever asked sees one answer less
            logger.warning("an answer to another worker was not taken: %s", exc)
