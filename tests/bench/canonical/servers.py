"""The servers that are compared: each sends the same 200-byte events, and tells what they cost it.

    python servers.py compat|starlette|socketio

Commands on the standard input, answers in JSON on the standard output: ``rss``, ``fanout <rounds> <per second>``,
``targeted <events>``. A rate of 0 is as fast as it can.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import socket
import sys
import time
from typing import Any, Callable

import uvicorn

SECRET = "a secret of at least thirty-two bytes"
PADDING = "x" * 120


def message() -> dict[str, Any]:
    """Return an event of about 200 bytes with the moment it was made."""
    return {"type": "tool_executing", "sent": time.monotonic(), "tool_name": "search", "text": PADDING}


class Stack:
    """One way to serve."""

    protocol: Any = "websockets-sansio"
    app: Any

    async def fan_out(self) -> None:
        """Send one event to every client."""
        raise NotImplementedError

    async def send_to_one(self, choice: random.Random) -> None:
        """Send one event to a client chosen by ``choice``."""
        raise NotImplementedError


class Compat(Stack):
    """This core: authenticated, isolated, numbered, kept for replay, bounded."""

    def __init__(self) -> None:
        from compat.canonical.limits import Limits
        from compat.canonical.server import create_app
        from compat.canonical.settings import Settings
        from compat.canonical.uvicorn_protocol import abortable_protocol

        self.app = create_app(Settings(jwt_secret=SECRET, environment="test", limits=Limits(history_events=100)))
        self.protocol = abortable_protocol(5.0)
        self.factory = self.app.state.service.factory

    async def fan_out(self) -> None:
        await self.factory.broadcast(message())

    async def send_to_one(self, choice: random.Random) -> None:
        users = self.users
        manager = self.factory.get(users[choice.randrange(len(users))])
        await manager.send(message())

    @property
    def users(self) -> list[Any]:
        from types import SimpleNamespace

        if not hasattr(self, "_users"):
            self._users = [SimpleNamespace(user_id=user) for user in self.factory.users()]
        return self._users


class Starlette(Stack):
    """Starlette alone: a list of sockets, no order, no limits, no history."""

    def __init__(self) -> None:
        import orjson
        from starlette.applications import Starlette as Application
        from starlette.routing import WebSocketRoute
        from starlette.websockets import WebSocketDisconnect

        self.dumps: Callable[[Any], str] = lambda value: orjson.dumps(value).decode()
        self.sockets: list[Any] = []

        async def endpoint(websocket: Any) -> None:
            await websocket.accept()
            self.sockets.append(websocket)
            try:
                while True:
                    await websocket.receive_text()
            except WebSocketDisconnect:
                self.sockets.remove(websocket)

        self.app = Application(routes=[WebSocketRoute("/ws", endpoint)])

    async def fan_out(self) -> None:
        text = self.dumps(message())
        for websocket in list(self.sockets):
            await websocket.send_text(text)

    async def send_to_one(self, choice: random.Random) -> None:
        await self.sockets[choice.randrange(len(self.sockets))].send_text(self.dumps(message()))


class SocketIO(Stack):
    """python-socketio over ASGI."""

    def __init__(self) -> None:
        import socketio

        self.server = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")
        self.app = socketio.ASGIApp(self.server)
        self.sids: list[str] = []

        @self.server.event
        async def connect(sid: str, environ: Any) -> None:
            self.sids.append(sid)

    async def fan_out(self) -> None:
        await self.server.emit("event", message())

    async def send_to_one(self, choice: random.Random) -> None:
        await self.server.emit("event", message(), to=self.sids[choice.randrange(len(self.sids))])


STACKS = {"compat": Compat, "starlette": Starlette, "socketio": SocketIO}


def rss() -> int:
    """Return this process' resident memory in bytes."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


async def timed(count: int, rate: float, send: Callable[[], Any]) -> dict[str, float]:
    """Send ``count`` times; return seconds of CPU and of time, until what was queued is sent as well."""
    await asyncio.sleep(0.2)
    cpu, wall = time.process_time(), time.monotonic()
    for number in range(count):
        await send()
        if rate:
            await asyncio.sleep(max(0.0, wall + (number + 1) / rate - time.monotonic()))
        elif not number % 50:
            await asyncio.sleep(0)
    sent = time.monotonic() - wall
    await asyncio.sleep(1.0)
    return {"cpu": time.process_time() - cpu, "wall": sent}


async def main() -> None:
    """Serve on a free port and obey."""
    stack = STACKS[sys.argv[1]]()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    config = uvicorn.Config(stack.app, ws=stack.protocol, log_level="error", ws_per_message_deflate=False, loop="asyncio")
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    choice = random.Random(1)
    while True:
        command = (await reader.readline()).decode().split()
        if not command:
            break
        if command[0] == "rss":
            answer: dict[str, float] = {"rss": rss()}
        elif command[0] == "fanout":
            answer = await timed(int(command[1]), float(command[2]), stack.fan_out)
        else:
            answer = await timed(int(command[1]), 0, lambda: stack.send_to_one(choice))
        print(json.dumps(answer), flush=True)
    os._exit(0 if serving else 1)


if __name__ == "__main__":
    asyncio.run(main())
