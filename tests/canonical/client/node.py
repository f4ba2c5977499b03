"""The JavaScript client in a process of Node, as the scenarios see one."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

_numbers = itertools.count(1)


def milliseconds(options: dict[str, Any]) -> dict[str, Any]:
    """Options of the Python client as those of the JavaScript one."""
    names = {"min_delay": "minDelay", "max_delay": "maxDelay", "later_delay": "laterDelay"}
    times = ("heartbeat", "patience", *names)
    return {names.get(name, name): value * 1000 if name in times else value for name, value in options.items()}


class Peer:
    """A client on the other side of ``call``."""

    def __init__(self, call: Any, number: int, bears: list[str]) -> None:
        self._call, self._number, self._bears = call, number, bears

    async def _ask(self, name: str, *args: Any) -> Any:
        return await self._call(self._number, name, *args)

    async def log(self) -> list[Any]:
        return await self._ask("log")

    async def facts(self) -> dict[str, Any]:
        facts = await self._ask("facts")
        assert facts["errors"] == self._bears[: len(facts["errors"])]
        return facts

    async def send(self, message: Any, again: bool = False) -> str:
        return await self._ask("send", message, again)

    async def select(self, thread: Any) -> None:
        await self._ask("select", thread)

    async def close(self) -> None:
        await self._ask("close")


def starter(call: Any) -> Any:
    async def start(stage: Any, user: str = "u", bears: Any = (), **options: Any) -> Peer:
        number = next(_numbers)
        where = {"url": stage.url, "tokens": f"{stage.origin}/token?user={user}", "options": milliseconds(options)}
        await call(number, "start", where)
        return Peer(call, number, list(bears))

    return start


class Node:
    """A process of Node with clients in it."""

    def __init__(self, command: list[str]) -> None:
        self._command, self._answers, self._ids = command, {}, itertools.count()

    async def __aenter__(self) -> Node:
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe, limit=2**26)
        self._reader = asyncio.ensure_future(self._read())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.process.stdin.close()
        await asyncio.wait_for(self.process.wait(), 20)
        await self._reader

    async def _read(self) -> None:
        async for line in self.process.stdout:
            answer = json.loads(line)
            self._answers.pop(answer["id"]).set_result(answer["value"])

    async def call(self, of: int, name: str, *args: Any) -> Any:
        id = next(self._ids)
        self._answers[id] = asyncio.get_running_loop().create_future()
        self.process.stdin.write(json.dumps({"id": id, "of": of, "name": name, "args": args}).encode() + b"\n")
        return await asyncio.wait_for(self._answers[id], 60)
