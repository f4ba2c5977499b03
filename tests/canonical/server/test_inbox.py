"""Two tasks that change places: who reads, who handles, and how it ends."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from compat.canonical.server.inbox import Inbox


class Line:
    """Messages to read, and what became of them."""

    def __init__(self, handle: Any, *, limit: int = 16, patience: float = 20.0) -> None:
        self.incoming: asyncio.Queue[Any] = asyncio.Queue()
        self.settled: list[tuple[Any, Exception | None]] = []
        self.refused: list[Any] = []
        self.notes: list[int] = []
        self.busy: set[asyncio.Task[None]] = set()
        self.inbox = Inbox(
            self._read,
            handle,
            lambda message, exc: self.settled.append((message, exc)),
            self.refused.append,
            limit=limit,
            patience=patience,
            busy=self.busy,
            note=self.notes.append,
        )

    async def _read(self) -> Any:
        message = await self.incoming.get()
        if isinstance(message, Exception):
            raise message
        return message

    def say(self, *messages: Any) -> None:
        for message in messages:
            self.incoming.put_nowait(message)


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_order_holds_however_handlers_wait() -> None:
    handled: list[int] = []
    chance = random.Random(7)
    running = [0, 0]

    async def handle(message: int) -> None:
        running[0] += 1
        running[1] = max(running)
        for _ in range(chance.choice((0, 0, 1, 2, 5))):
            await asyncio.sleep(0)
        handled.append(message)
        running[0] -= 1

    async def run() -> None:
        line = Line(handle, limit=3)
        for number in range(2000):
            line.say(number)
        line.say(None)
        await line.inbox.run()
        while line.busy:
            await asyncio.sleep(0)
        assert not line.refused
        assert [message for message, exc in line.settled if exc is None] == handled
        assert handled == list(range(len(handled))) and len(handled) >= 1996  # what waited at the end was dropped
        assert sum(line.notes) == 0
        await turns()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())
    assert running[1] == 1


def test_a_handler_stays_in_the_task_that_it_began_in_and_its_time_limit_with_it() -> None:
    async def handle(message: str) -> str:
        task = asyncio.current_task()
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.05)
        except asyncio.TimeoutError:
            assert asyncio.current_task() is task
            return
        raise AssertionError("no time limit")

    async def run() -> None:
        line = Line(handle)
        serving = asyncio.ensure_future(line.inbox.run())
        line.say("a", "b", "c")
        while len(line.settled) < 3:
            await asyncio.sleep(0.01)
        assert line.settled == [("a", None), ("b", None), ("c", None)]
        line.say(None)
        await serving

    asyncio.run(run())


def test_what_a_handler_raises_is_settled_and_the_next_goes_on() -> None:
    failure = RuntimeError("handler")

    def handle(message: str) -> Any:
        if message == "plain":
            raise failure

        async def later() -> None:
            if message == "waits":
                await asyncio.sleep(0)
            if message != "fine":
                raise failure

        return later()

    async def run() -> None:
        line = Line(handle)
        line.say("plain", "at once", "waits", "waits", "fine")
        serving = asyncio.ensure_future(line.inbox.run())
        await turns(40)
        assert line.settled == [(m, failure) for m in ("plain", "at once", "waits", "waits")] + [("fine", None)]
        line.say(None)
        await serving

    asyncio.run(run())


def test_what_reading_raises_ends_it_and_a_handler_that_has_begun_goes_on() -> None:
    async def run() -> None:
        gate = asyncio.Event()

        async def handle(message: int) -> None:
            await gate.wait()

        line = Line(handle)
        line.say(1, 2, ConnectionError("refused"))
        with pytest.raises(ConnectionError, match="refused"):
            await line.inbox.run()
        assert len(line.busy) == 1 and not line.settled
        gate.set()
        await turns()
        assert line.settled == [(1, None)] and not line.busy
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


@pytest.mark.parametrize("state", ["reading", "handling", "idle"])
def test_who_is_cancelled_leaves_nobody_reading(state: str) -> None:
    async def run() -> None:
        gate = asyncio.Event()

        async def handle(message: int) -> None:
            await gate.wait()

        line = Line(handle)
        serving = asyncio.ensure_future(line.inbox.run())
        if state != "reading":
            line.say(1)
            await turns()
        if state == "idle":
            gate.set()
            await turns()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        gate.set()
        await turns()
        assert [message for message, _ in line.settled] == [1] * (state != "reading")
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_room_that_comes_in_time_is_taken_and_after_that_a_message_is_refused() -> None:
    async def run() -> None:
        gates = [asyncio.Event() for _ in range(4)]

        async def handle(message: int) -> None:
            await gates[message].wait()

        line = Line(handle, limit=1, patience=0.05)
        serving = asyncio.ensure_future(line.inbox.run())
        line.say(0, 1, 2)
        while not line.refused:
            await asyncio.sleep(0.01)
        assert line.refused == [2]
        line.say(3)
        await turns()
        gates[0].set()  # 1 begins, and leaves its place
        await turns()
        gates[1].set()
        gates[3].set()
        await turns()
        assert line.settled == [(0, None), (1, None), (3, None)] and line.refused == [2]
        line.say(None)
        await serving

    asyncio.run(run())
