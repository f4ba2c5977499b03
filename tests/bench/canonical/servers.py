"""The servers that are compared: each sends the same 200-byte events, and tells what they cost it.

    python servers.py compat|starlette|socketio|channels-memory "" USERS
    python servers.py compat-redis|channels|channels-pubsub REDIS_URL USERS

Commands on the standard input, answers in JSON on the standard output: ``rss``, ``cpu``, ``fanout <rounds> <per second>``,
``targeted <events>``, ``burst <events>`` (a hundred sends at a time), ``history <user> <events>``. A rate of 0 is as fast as it
can.
"""

from __future__ import annotations

import asyncio
import functools
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
        from compat.canonical.server.app import create_app
        from compat.canonical.server.uvicorn_protocol import abortable_protocol
        from compat.canonical.settings import Settings

        self.app = create_app(
            Settings(
                jwt_secret=SECRET,
                environment="test",
                limits=Limits(history_events=100, outbox_events=4096),
                heartbeat_interval=3600,  # the clients count frames, and answer none
            )
        )
        self.protocol = abortable_protocol(5.0)
        self.factory = self.app.state.service.factory

    async def fan_out(self) -> None:
        await self.factory.broadcast(message())

    async def send_to_one(self, choice: random.Random) -> None:
        users = self.users
        manager = self.factory.get(users[choice.randrange(len(users))])
        await manager.send(message())

    @functools.cached_property
    def users(self) -> list[Any]:
        from types import SimpleNamespace

        return [SimpleNamespace(user_id=user) for user in self.factory.users()]


class CompatRedis(Compat):
    """This core as one of several workers: every event is numbered and kept in Redis, and crosses to the worker that needs it."""

    def __init__(self) -> None:
        from types import SimpleNamespace

        from compat.canonical.limits import Limits
        from compat.canonical.server.app import create_app
        from compat.canonical.server.uvicorn_protocol import abortable_protocol
        from compat.canonical.settings import Settings

        limits = Limits(history_events=512)
        self.app = create_app(
            Settings(jwt_secret=SECRET, environment="test", limits=limits, redis_url=sys.argv[2], heartbeat_interval=3600)
        )
        self.protocol = abortable_protocol(5.0)
        self.factory = self.app.state.service.factory
        self.users = [SimpleNamespace(user_id=f"user{number}") for number in range(int(sys.argv[3]))]

    async def fan_out(self) -> None:
        event = message()
        await asyncio.gather(*(self.factory.get(user).send(event) for user in self.users))

    async def send_to_one(self, choice: random.Random) -> None:
        # Odd users are connected to the other worker.
        await self.factory.get(self.users[choice.randrange(1, len(self.users), 2)]).send(message())

    async def make_history(self, user: str, events: int) -> dict[str, Any]:
        """Publish ``events`` to ``user`` and return the position before the first."""
        from types import SimpleNamespace

        manager = self.factory.get(SimpleNamespace(user_id=user))
        before = await manager.position()
        for _ in range(events):
            await manager.send(message())
        return {"epoch": before.epoch, "seq": before.seq}


class Channels(Stack):
    """Django Channels with its Redis layer: groups, no order, no history."""

    backend = "channels_redis.core.RedisChannelLayer"

    def __init__(self) -> None:
        import django
        from django.conf import settings

        settings.configure(
            SECRET_KEY=SECRET,
            ALLOWED_HOSTS=["*"],
            CHANNEL_LAYERS={"default": {"BACKEND": self.backend, "CONFIG": self.layer_options()}},
        )
        django.setup()
        import orjson
        from channels.generic.websocket import AsyncWebsocketConsumer
        from channels.layers import get_channel_layer
        from channels.routing import ProtocolTypeRouter, URLRouter
        from django.urls import path

        class Consumer(AsyncWebsocketConsumer):
            async def connect(self) -> None:
                self.user = self.scope["query_string"].decode().partition("=")[2]
                await self.channel_layer.group_add("all", self.channel_name)
                await self.channel_layer.group_add(self.user, self.channel_name)
                await self.accept()

            async def event(self, event: Any) -> None:
                await self.send(text_data=orjson.dumps(event["message"]).decode())

        self.layer = get_channel_layer()
        self.count = int(sys.argv[3])
        self.app = ProtocolTypeRouter({"websocket": URLRouter([path("ws", Consumer.as_asgi())])})

    def layer_options(self) -> dict[str, Any]:
        """Return the layer's configuration."""
        # Its blocking reads outlast the time-out that redis-py has by default and the pool's hundred connections, and what is
        # sent at once its capacity of a hundred messages: it would drop them.
        host = {"address": sys.argv[2], "max_connections": 4096, "socket_timeout": None}
        return {"hosts": [host], "capacity": 100_000}

    async def fan_out(self) -> None:
        await self.layer.group_send("all", {"type": "event", "message": message()})

    async def send_to_one(self, choice: random.Random) -> None:
        user = f"user{choice.randrange(1, self.count, 2)}"
        await self.layer.group_send(user, {"type": "event", "message": message()})


class ChannelsPubSub(Channels):
    """Django Channels with the layer over Redis' publish and subscribe."""

    backend = "channels_redis.pubsub.RedisPubSubChannelLayer"


class ChannelsMemory(Channels):
    """Django Channels in one process."""

    backend = "channels.layers.InMemoryChannelLayer"

    def layer_options(self) -> dict[str, Any]:
        return {"capacity": 100_000}

    async def send_to_one(self, choice: random.Random) -> None:
        user = f"user{choice.randrange(self.count)}"
        await self.layer.group_send(user, {"type": "event", "message": message()})


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


STACKS = {
    "compat": Compat,
    "starlette": Starlette,
    "socketio": SocketIO,
    "compat-redis": CompatRedis,
    "channels": Channels,
    "channels-pubsub": ChannelsPubSub,
    "channels-memory": ChannelsMemory,
}


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


async def burst(stack: Stack, choice: random.Random) -> None:
    """Send a hundred targeted events at once: what can be pipelined is."""
    await asyncio.gather(*(stack.send_to_one(choice) for _ in range(100)))


async def main() -> None:
    """Serve on a free port and obey."""
    try:
        stack = STACKS[sys.argv[1]]()
    except ImportError as exc:
        print(json.dumps({"error": str(exc)}), flush=True)
        return
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    config = uvicorn.Config(
        stack.app, ws=stack.protocol, log_level="error", ws_per_message_deflate=False, loop="asyncio", ws_ping_interval=None
    )
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
            answer: dict[str, Any] = {"rss": rss()}
        elif command[0] == "cpu":
            answer = {"cpu": time.process_time()}
        elif command[0] == "history":
            answer = await stack.make_history(command[1], int(command[2]))
        elif command[0] == "burst":
            answer = await timed(int(command[1]) // 100, 0, lambda: burst(stack, choice))
        elif command[0] == "fanout":
            answer = await timed(int(command[1]), float(command[2]), stack.fan_out)
        else:
            answer = await timed(int(command[1]), 0, lambda: stack.send_to_one(choice))
        print(json.dumps(answer), flush=True)
    os._exit(0 if serving else 1)


if __name__ == "__main__":
    asyncio.run(main())
