"""The Python client as the scenarios see one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest


class Peer:
    """A Python client, and a task that iterates over it."""

    def __init__(self, client: Any, losses: list[int]) -> None:
        self.client, self.losses, self.messages, self.error = client, losses, [], ""
        self.task = asyncio.ensure_future(self._iterate())

    async def _iterate(self) -> None:
        try:
            async for message in self.client:
                self.messages.append(message)
        except Exception as exc:
            self.error = str(exc)

    async def log(self) -> list[Any]:
        return list(self.messages)

    async def send(self, message: Any, again: bool = False) -> str:
        from compat.canonical.client import ClientError

        try:
            await self.client.send(message, again=again)
        except ClientError as exc:
            return exc.code
        return ""

    async def select(self, thread: Any) -> None:
        await self.client.select(thread)

    async def facts(self) -> dict[str, Any]:
        client = self.client
        return {
            "state": client.state,
            "position": client.position and client.position._asdict(),
            "losses": self.losses,
        }

    async def close(self) -> None:
        await self.client.close()
        await asyncio.wait_for(self.task, 10)


@pytest.fixture
def peer() -> Any:
    for module in ("starlette", "uvicorn", "websockets", "jwt"):
        pytest.importorskip(module, reason=f"{module} is in the server extra")

    async def start(stage: Any, user: str = "u", position: Any = None, bears: Any = (), **options: Any) -> Peer:
        from compat.canonical import Position
        from compat.canonical.client import Client

        where = Position(**position) if position else None
        losses: list[int] = []
        options["on_lost"] = lambda code, reason, delay: losses.append(code)
        token = options.pop("token", lambda: stage.token(user))
        client = Client(stage.url, token, position=where, **options)
        await client.__aenter__()
        return Peer(client, losses)

    return start
