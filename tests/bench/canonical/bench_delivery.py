"""Fan-out and targeted delivery, side by side: ``python tests/bench/canonical/bench_delivery.py [--clients 200,1000]``.

Server CPU per delivered event is the figure to compare: events per second and latencies depend on the machine's other
work. Clients live in this process, servers each in their own, measured in turns, on loopback, without compression. Ends with 3
where this core misses a bar.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import functools
import json
import os
import pathlib
import re
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

HERE = pathlib.Path(__file__).parent
SECRET = "a secret of at least thirty-two bytes"
BAR, BAR_KB = 1.3, 30
SLOW = ("socketio", "channels-memory")
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


class Running:
    """A stack that serves, with its clients."""

    def __init__(self, stack: str, count: int) -> None:
        self.stack, self.count = stack, count
        self.arrivals: list[float] = []
        self.clients: list[Client] = []
        self.rss = self.connects = 0.0
        self.rows: list[dict[str, float]] = []

    async def start(self) -> None:
        """Serve, and connect all clients."""
        environ = {**os.environ, "PYTHONPATH": str(HERE.parent.parent.parent)}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(HERE / "servers.py"),
            self.stack,
            "",
            str(self.count),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=environ,
        )
        self.server = Server(process)
        port = int((await self.server.ask())["port"])
        before = (await self.server.ask("rss"))["rss"]
        started = time.monotonic()
        for first in range(0, self.count, 50):
            batch = [await self._connect(number, port) for number in range(first, min(first + 50, self.count))]
            await asyncio.gather(*(client.ready for client in batch))
            self.clients += batch
        self.connects = self.count / (time.monotonic() - started)
        await asyncio.sleep(0.5)
        self.rss = ((await self.server.ask("rss"))["rss"] - before) / self.count / 1024
        await self.run("fanout 2 0", 2 * self.count)  # warm

    async def _connect(self, number: int, port: int) -> Client:
        user = f"user{number}"
        head = request(self.stack, user, f"/ws?user={user}" if self.stack == "channels-memory" else "/ws")
        make = functools.partial(Client, head, self.arrivals, self.stack == "socketio")
        return (await asyncio.get_running_loop().create_connection(make, "127.0.0.1", port))[1]

    async def run(self, command: str, expected: int) -> dict[str, float]:
        """Return what ``command`` cost, once all has arrived."""
        self.arrivals.clear()
        answer = await self.server.ask(command)
        deadline = time.monotonic() + 30
        while len(self.arrivals) < expected and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        if len(self.arrivals) != expected:
            raise RuntimeError(f"{self.stack}: {len(self.arrivals)} of {expected} events arrived")
        return answer

    async def measure(self, deliveries: int) -> None:
        """Add one row."""
        rounds = max(2, deliveries // self.count)
        fan = await self.run(f"fanout {rounds} 0", rounds * self.count)
        events = deliveries // 2
        one = await self.run(f"targeted {events}", events)
        await self.run("fanout 5 10", 5 * self.count)
        paced = sorted(self.arrivals)
        self.rows.append(
            {
                "fan_us": fan["cpu"] / (rounds * self.count) * 1e6,
                "fan_rate": rounds * self.count / fan["wall"],
                "one_us": one["cpu"] / events * 1e6,
                "one_rate": events / one["wall"],
                "p50": statistics.median(paced) * 1e3,
                "p99": paced[int(len(paced) * 0.99)] * 1e3,
            }
        )

    async def stop(self) -> None:
        """End the server."""
        for client in self.clients:
            client.transport.abort()
        self.server.process.stdin.close()
        await self.server.process.wait()


def row_of(running: Running, base: Running | None) -> tuple[str, dict[str, float]]:
    """Return a line of the table, and the ratios to Starlette: the median of those of each pass, and that of the best."""
    rows = running.rows
    best = {key: (max if key.endswith("rate") else min)(row[key] for row in rows) for key in rows[0]}
    ratios = {}
    for key in ("fan_us", "one_us") if base is not None else ():
        of_each = [mine[key] / theirs[key] for mine, theirs in zip(rows, base.rows)]
        ratios[key] = statistics.median(of_each), best[key] / min(row[key] for row in base.rows)

    def cell(key: str) -> str:
        ratio = f" ({ratios[key][0]:.2f}, {ratios[key][1]:.2f})" if key in ratios else ""
        return f"{best[key]:.1f}{ratio}"

    text = (
        f"{running.stack:<16}{running.count:>8}{cell('fan_us'):>21}{cell('one_us'):>21}{best['fan_rate']:>11,.0f}"
        f"{best['one_rate']:>11,.0f}{best['p50']:>8.1f}{best['p99']:>8.1f}{running.rss:>8.1f}{running.connects:>11,.0f}"
    )
    return text, {key: min(pair) for key, pair in ratios.items()}


async def compare(count: int, stacks: Sequence[str], passes: int, deliveries: int) -> list[str]:
    """Measure all stacks in turns, so that the machine's other work meets all of them; return the bars that are missed."""
    running: list[Running] = []
    missed = []
    try:
        for stack in stacks:
            one = Running(stack, count)
            try:
                await one.start()
                running.append(one)
            except (json.JSONDecodeError, RuntimeError) as exc:
                print(f"{stack:<16}{count:>8}  not measured: {exc}")
        for _ in range(passes):
            for one in running:
                await one.measure(deliveries // (10 if one.stack in SLOW else 1))
        base = next((one for one in running if one.stack == "starlette"), None)
        for one in running:
            text, ratios = row_of(one, base)
            print(text, flush=True)
            if one.stack == "compat":
                missed += [f"{key} at {count} clients: {ratio:.2f}" for key, ratio in ratios.items() if ratio > BAR]
                missed += [f"memory at {count} clients: {one.rss:.1f} KB"] * (one.rss > BAR_KB)
    finally:
        for one in running:
            await one.stop()
    return missed


async def main() -> int:
    """Print the table; return 3 where this core misses a bar."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", default="200,1000")
    parser.add_argument("--stacks", default="compat,starlette,socketio,channels-memory")
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--deliveries", type=int, default=10_000)
    options = parser.parse_args()
    print("microseconds of server CPU per event; in brackets over Starlette's: median of the passes, best over best")
    head = f"{'stack':<16}{'clients':>8}{'fan-out':>21}{'targeted':>21}{'fan-out/s':>11}{'targeted/s':>11}"
    print(f"{head}{'p50 ms':>8}{'p99 ms':>8}{'RSS KB':>8}{'connects/s':>11}")
    missed = []
    for count in map(int, options.clients.split(",")):
        missed += await compare(count, options.stacks.split(","), options.passes, options.deliveries)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for bar in missed:
        print(f"missed: {bar} (bars: {BAR} x Starlette, {BAR_KB} KB)")
    return 3 if missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
