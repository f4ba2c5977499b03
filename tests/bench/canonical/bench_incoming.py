"""What it costs that a handler may wait: a client's messages through the inbox, and awaited in the read loop, in turns.

    python tests/bench/canonical/bench_incoming.py

A client on a real socket under uvicorn sends; the figure is the server's CPU per message, which handlers as tasks may raise by a
tenth. Ends with 3 where they raise it by more.
"""

from __future__ import annotations

import asyncio
import json
import os
import pathlib
import statistics
import sys
import time
from typing import Any

from bench_delivery import SECRET, Client, request

sys.path.insert(0, str(pathlib.Path(__file__).parents[3]))

MESSAGES, PASSES, BAR = 4000, 15, 1.10


class Sender(Client):
    """Sends frames, and waits for the acknowledgment of the last."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if b'"ack":"last"' in data:
            self.done.set_result(None)

    def begin(self) -> asyncio.Future[None]:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        return self.done


def frame(message: dict[str, Any]) -> bytes:
    payload = json.dumps(message).encode()
    assert len(payload) < 126
    return bytes((0x81, 0x80 | len(payload))) + b"\0\0\0\0" + payload


async def serve(ready: Any) -> None:
    """Serve two applications: /ws handles in tasks, /direct/ws awaits each handler in the read loop."""
    from starlette.applications import Starlette
    from starlette.routing import Mount

    from compat.canonical import Settings, create_app
    from compat.canonical.factory import WebSocketManagerFactory
    from compat.canonical.server import conversation
    from compat.canonical.server.serve import build_server, listen

    class Direct(conversation.Conversation):
        async def _converse(self) -> None:
            while (message := await self._next()) is not None:
                await self._handle(message)
                self._settle(message, None)

    async def on_message(manager: Any, connection: Any, message: Any) -> None:
        """Nothing to do."""

    def application() -> Any:
        settings = Settings(jwt_secret=SECRET, environment="test", messages_per_minute=10**9, heartbeat_interval=3600)
        return create_app(settings, on_message=on_message, factory=WebSocketManagerFactory())

    apps = {"inbox": application(), "direct": application()}
    run = conversation.Conversation.run

    async def choose(self: Any) -> None:
        self.__class__ = Direct if self._service is apps["direct"].state.service else conversation.Conversation
        await run(self)

    conversation.Conversation.run = choose  # type: ignore[method-assign]
    listener = listen("127.0.0.1", 0, 60)
    app = Starlette(routes=[Mount("/direct", apps["direct"]), Mount("/", apps["inbox"])])
    server = build_server(Settings(jwt_secret=SECRET, environment="test"), app, log_level="error")
    ready(listener.getsockname()[1])
    await server.serve(sockets=[listener])


async def send(port: int) -> dict[str, list[float]]:
    """Return microseconds of the server's CPU per message, of each pass."""
    loop, rows = asyncio.get_running_loop(), {"inbox": [], "direct": []}
    clients = {}
    for name, path in (("inbox", "/ws"), ("direct", "/direct/ws")):
        _, clients[name] = await loop.create_connection(
            lambda path=path: Sender(request("compat", "u", path), [], False), "127.0.0.1", port
        )
        await clients[name].ready
    one = frame({"type": "say", "text": "x" * 60})
    for number in range(PASSES + 1):
        for name in ("inbox", "direct") if number % 2 else ("direct", "inbox"):
            client = clients[name]
            done = client.begin()
            print("cpu", flush=True)
            before = float(await loop.run_in_executor(None, sys.stdin.readline))
            for _ in range(MESSAGES // 100):
                client.transport.write(one * 100)
                await asyncio.sleep(0)
            client.transport.write(frame({"type": "say", "ack": "last"}))
            await done
            print("cpu", flush=True)
            spent = float(await loop.run_in_executor(None, sys.stdin.readline)) - before
            if number:
                rows[name].append(spent / MESSAGES * 1e6)
    return rows


async def main() -> None:
    """Serve here, send from a child, print the ratio, end the process."""
    port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    serving = asyncio.ensure_future(serve(port.set_result))
    serving.add_done_callback(lambda done: port.done() or port.set_exception(done.exception() or SystemError("not served")))
    child = await asyncio.create_subprocess_exec(
        sys.executable, __file__, str(await port), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    while (line := (await child.stdout.readline()).decode().strip()) == "cpu":
        child.stdin.write(f"{time.process_time()}\n".encode())
    rows = json.loads(line)
    ratio = statistics.median(mine / direct for mine, direct in zip(rows["inbox"], rows["direct"]))
    best = min(rows["inbox"]) / min(rows["direct"])
    print(
        f"an incoming message: {min(rows['inbox']):.1f} us of CPU through the inbox, {min(rows['direct']):.1f} awaited in the read "
        f"loop: {ratio:.2f} (median of {PASSES} pairs), {best:.2f} (best over best); bar {BAR:.2f}; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    os._exit(3 if min(ratio, best) > BAR else 0)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(asyncio.run(send(int(sys.argv[1])))), flush=True)
    else:
        asyncio.run(main())
