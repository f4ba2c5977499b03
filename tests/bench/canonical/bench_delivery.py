"""Fan-out and targeted delivery, side by side: ``python tests/bench/canonical/bench_delivery.py [--clients 200,1000]``.

Server CPU per delivered event is the figure to compare: events per second and latencies depend on the machine's other
work. Clients live in this process, servers each in their own, one after the other, on loopback, without compression.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import pathlib
import re
import statistics
import sys
import time
from typing import Any

HERE = pathlib.Path(__file__).parent
SECRET = "a secret of at least thirty-two bytes"
_SENT = re.compile(rb'"sent":([0-9.]+)')


class Client(asyncio.Protocol):
    """A WebSocket client that counts frames, and no more."""

    def __init__(self, request: bytes, arrivals: list[float], engine_io: bool) -> None:
        self.request, self.arrivals, self.engine_io = request, arrivals, engine_io
        self.buffer = b""
        self.upgraded = False
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.upgraded:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                self.ready.set_exception(ConnectionError(head.decode("latin-1")))
                return
            self.upgraded, self.buffer = True, rest
        self._read_frames()
        if self.upgraded and not self.ready.done() and not self.engine_io:
            self.ready.set_result(None)

    def _read_frames(self) -> None:
        now = time.monotonic()
        while len(self.buffer) >= 2:
            size, start = self.buffer[1], 2
            if size == 126:
                if len(self.buffer) < 4:
                    return
                size, start = int.from_bytes(self.buffer[2:4], "big"), 4
            if len(self.buffer) < start + size:
                return
            payload = self.buffer[start : start + size]
            self.buffer = self.buffer[start + size :]
            if self.engine_io:
                self._converse(payload)
            match = _SENT.search(payload)
            if match:
                self.arrivals.append(now - float(match.group(1)))

    def _converse(self, payload: bytes) -> None:
        if payload.startswith(b"0"):
            self._send(b"40")
        elif payload.startswith(b"2"):
            self._send(b"3")
        elif payload.startswith(b"40") and not self.ready.done():
            self.ready.set_result(None)

    def _send(self, payload: bytes) -> None:
        self.transport.write(bytes((0x81, 0x80 | len(payload))) + b"\0\0\0\0" + payload)


def request(stack: str, user: str, path: str = "/ws") -> bytes:
    """Return the opening request of ``user`` as ``stack`` expects it."""
    if stack == "socketio":
        path = "/socket.io/?EIO=4&transport=websocket"
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
    ]
    if stack.startswith("compat"):
        import jwt

        token = jwt.encode({"sub": user, "iat": time.time(), "exp": time.time() + 3600}, SECRET, "HS256")
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode()


class Server:
    """A server process that obeys."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ask(self, command: str = "") -> dict[str, float]:
        if command:
            self.process.stdin.write(command.encode() + b"\n")
        answer = json.loads(await self.process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer


async def measure(stack: str, count: int, rounds: int) -> dict[str, float]:
    """Return one row."""
    environ = {**os.environ, "PYTHONPATH": str(HERE.parent.parent.parent)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "servers.py"),
        stack,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environ,
    )
    server = Server(process)
    port = int((await server.ask())["port"])
    loop = asyncio.get_running_loop()
    arrivals: list[float] = []
    before = (await server.ask("rss"))["rss"]
    clients = []
    started = time.monotonic()
    for first in range(0, count, 50):
        batch = [
            (
                await loop.create_connection(
                    lambda user=f"user{n}": Client(request(stack, user), arrivals, stack == "socketio"), "127.0.0.1", port
                )
            )[1]
            for n in range(first, min(first + 50, count))
        ]
        await asyncio.gather(*(client.ready for client in batch))
        clients += batch
    connecting = time.monotonic() - started
    await asyncio.sleep(0.5)
    after = (await server.ask("rss"))["rss"]

    async def run(command: str, expected: int) -> tuple[dict[str, float], list[float]]:
        arrivals.clear()
        answer = await server.ask(command)
        deadline = time.monotonic() + 30
        while len(arrivals) < expected and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        if len(arrivals) != expected:
            raise RuntimeError(f"{stack}: {len(arrivals)} of {expected} events arrived")
        return answer, sorted(arrivals)

    await run("fanout 2 0", 2 * count)  # warm
    fan, _ = await run(f"fanout {rounds} 0", rounds * count)
    _, paced = await run("fanout 20 10", 20 * count)
    events = rounds * count // 4
    one, _ = await run(f"targeted {events}", events)
    for client in clients:
        client.transport.abort()
    process.stdin.close()
    await process.wait()
    return {
        "fan_us": fan["cpu"] / (rounds * count) * 1e6,
        "fan_rate": rounds * count / fan["wall"],
        "one_us": one["cpu"] / events * 1e6,
        "one_rate": events / one["wall"],
        "p50": statistics.median(paced) * 1e3,
        "p99": paced[int(len(paced) * 0.99)] * 1e3,
        "rss": (after - before) / count / 1024,
        "connects": count / connecting,
    }


async def main() -> None:
    """Measure every stack that is installed, several passes, and print the best CPU and rate of each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", default="200,1000")
    parser.add_argument("--stacks", default="compat,starlette,socketio")
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--deliveries", type=int, default=200_000)
    options = parser.parse_args()
    head = f"{'stack':<11}{'clients':>8}{'fan-out':>10}{'targeted':>10}{'fan-out/s':>11}{'targeted/s':>11}"
    print(f"{head}{'p50 ms':>8}{'p99 ms':>8}{'RSS KB':>8}{'connects/s':>11}   (microseconds of server CPU per event)")
    for count in map(int, options.clients.split(",")):
        for stack in options.stacks.split(","):
            rows = []
            for _ in range(options.passes):
                try:
                    deliveries = options.deliveries // (4 if stack == "socketio" else 1)
                    rows.append(await measure(stack, count, max(4, deliveries // count)))
                except (json.JSONDecodeError, RuntimeError) as exc:
                    print(f"{stack:<11}{count:>8}  not measured: {exc}")
                    break
            if rows:
                best = {key: min(row[key] for row in rows) for key in rows[0]}
                best.update({key: max(row[key] for row in rows) for key in ("fan_rate", "one_rate", "connects")})
                print(
                    f"{stack:<11}{count:>8}{best['fan_us']:>10.1f}{best['one_us']:>10.1f}{best['fan_rate']:>11,.0f}"
                    f"{best['one_rate']:>11,.0f}{best['p50']:>8.1f}{best['p99']:>8.1f}{best['rss']:>8.1f}"
                    f"{best['connects']:>11,.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    asyncio.run(main())
