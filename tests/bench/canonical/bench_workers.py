"""Two worker processes and a real Redis, side by side: ``python tests/bench/canonical/bench_workers.py [--clients 200]``.

Half of the clients are connected to each worker; everything is sent from the first. CPU is that of both workers together, per
delivered event, until the last client has it; of targeted events, all of which cross to the other worker, the publisher's part is
given too. This core numbers each event of each user and keeps it for replay; Channels does neither.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from typing import Any

from bench_delivery import HERE, Client, Server, request
from bench_redis import serving

COMPAT = "compat-redis"


class Workers:
    """Workers of one stack, and the clients of both."""

    def __init__(self, stack: str, count: int, url: str, processes: int = 2) -> None:
        self.stack, self.count, self.url, self.processes = stack, count, url, processes
        self.servers: list[Server] = []
        self.ports: list[int] = []
        self.clients: list[Client] = []
        self.arrivals: list[float] = []
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop()

    async def start(self) -> None:
        environ = {**os.environ, "PYTHONPATH": str(HERE.parent.parent.parent)}
        for _ in range(self.processes):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(HERE / "servers.py"),
                self.stack,
                self.url,
                str(self.count),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=self.log,
                env=environ,
            )
            self.servers.append(Server(process))
        for server in self.servers:
            self.ports.append(int((await server.ask())["port"]))

    async def connect(self, user: str, worker: int, path: str = "/ws") -> Client:
        head = request(self.stack, user, path)
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(lambda: Client(head, self.arrivals, False), "127.0.0.1", self.ports[worker])
        await asyncio.wait_for(client.ready, 30)
        return client

    async def fill(self) -> None:
        for number in range(self.count):
            user = f"user{number}"
            path = "/ws" if self.stack == COMPAT else f"/ws?user={user}"
            self.clients.append(await self.connect(user, number % 2, path))
        await asyncio.sleep(1)  # subscriptions

    async def cpu(self) -> list[float]:
        return [(await server.ask("cpu"))["cpu"] for server in self.servers]

    async def run(self, command: str, expected: int) -> tuple[list[float], list[float]]:
        """Return each worker's seconds of CPU for ``command``, and the latencies."""
        self.arrivals.clear()
        before = await self.cpu()
        await self.servers[0].ask(command)
        await self.arrived(expected)
        return [after - first for first, after in zip(before, await self.cpu())], sorted(self.arrivals)

    async def arrived(self, expected: int) -> None:
        deadline = time.monotonic() + 30
        while len(self.arrivals) < expected and time.monotonic() < deadline:
            await asyncio.sleep(0.002)
        if len(self.arrivals) != expected:
            raise RuntimeError(f"{len(self.arrivals)} of {expected} events arrived")

    async def stop(self) -> None:
        for client in self.clients:
            client.transport.abort()
        for server in self.servers:
            server.process.stdin.close()
            await server.process.wait()
        self.log.close()

    def last_words(self) -> str:
        """Return the last line that a worker wrote to its standard error."""
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")


async def measure(stack: str, count: int, deliveries: int, url: str) -> dict[str, float]:
    """Return one row."""
    workers = Workers(stack, count, url)
    try:
        await workers.start()
        await workers.fill()
        await workers.run("fanout 2 0", 2 * count)  # warm
        rounds = max(4, deliveries // count)
        fan, paced = await workers.run(f"fanout {rounds} 10", rounds * count)
        events = deliveries // 400 * 100
        burst, _ = await workers.run(f"burst {events}", events)
        singles = events // 2
        one, _ = await workers.run(f"targeted {singles}", singles)
        return {
            "fan": sum(fan) / (rounds * count) * 1e6,
            "burst": sum(burst) / events * 1e6,
            "publisher": burst[0] / events * 1e6,
            "one": sum(one) / singles * 1e6,
            "p50": statistics.median(paced) * 1e3,
            "p99": paced[int(len(paced) * 0.99)] * 1e3,
        }
    except (RuntimeError, OSError, asyncio.TimeoutError, json.JSONDecodeError) as exc:
        lines = str(exc).strip().split("\n")
        raise RuntimeError(f"{lines[0] or type(exc).__name__} {workers.last_words()}") from exc
    finally:
        await workers.stop()


async def replay(url: str, events: int = 300, clients: int = 20) -> float:
    """Return the milliseconds of CPU that a client's catching up costs its worker, which has not seen its user before."""
    workers = Workers(COMPAT, 2, url)
    try:
        await workers.start()

        async def joining(missed: int, name: str) -> float:
            users = [f"{name}{number}" for number in range(clients)]
            starts = [await workers.servers[0].ask(f"history {user} {events}") for user in users]
            workers.arrivals.clear()
            before = (await workers.cpu())[1]
            for user, start in zip(users, starts):
                path = f"/ws?epoch={start['epoch']}&seq={int(start['seq']) + events - missed}"
                workers.clients.append(await workers.connect(user, 1, path))
            await workers.arrived(missed * clients)
            return ((await workers.cpu())[1] - before) / clients * 1e3

        await joining(events, "warm")
        return await joining(events, "all") - await joining(1, "one")
    finally:
        await workers.stop()


async def main() -> None:
    """Measure every stack that is installed, several passes, and print the best of each and ratios to this core."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", default="200,1000")
    parser.add_argument("--stacks", default=f"{COMPAT},channels-pubsub,channels")
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--deliveries", type=int, default=8_000)
    options = parser.parse_args()
    with serving() as url:
        if url is None:
            print("redis-server is not on PATH: not measured")
            return
        head = f"{'stack':<16}{'clients':>8}{'fan-out':>10}{'pipelined':>11}{'publisher':>11}{'one by one':>12}"
        print(f"{head}{'p50 ms':>9}{'p99 ms':>9}   (microseconds of both workers' CPU per delivered event; in brackets / compat)")
        for count in map(int, options.clients.split(",")):
            own: dict[str, float] = {}
            for stack in options.stacks.split(","):
                best = await best_of(options.passes, options.deliveries, url, stack, count)
                if best:
                    own = best if stack == COMPAT else own
                    print_row(stack, count, best, own)
        try:
            costs = [await replay(url) for _ in range(options.passes)]
        except (ImportError, RuntimeError, json.JSONDecodeError) as exc:
            print(f"replay of 300 events: not measured: {exc}")
        else:
            print(f"replay of 300 events to a client that comes to the other worker: {min(costs):.2f} ms of its CPU")


async def best_of(passes: int, deliveries: int, url: str, stack: str, count: int) -> dict[str, float] | None:
    """Return the least of each figure; None, and a line that says why, if it cannot be measured."""
    rows: list[dict[str, float]] = []
    for _ in range(passes):
        try:
            rows.append(await measure(stack, count, deliveries, url))
        except RuntimeError as exc:
            print(f"{stack:<16}{count:>8}  {'a pass was ' if rows else ''}not measured: {exc}", flush=True)
            break
    return {key: min(row[key] for row in rows) for key in rows[0]} if rows else None


def print_row(stack: str, count: int, row: dict[str, Any], own: dict[str, float]) -> None:
    def cell(key: str) -> str:
        return f"{row[key]:.0f}" + (f" ({row[key] / own[key]:.1f})" if own and own is not row else "")

    print(
        f"{stack:<16}{count:>8}{cell('fan'):>10}{cell('burst'):>11}{cell('publisher'):>11}{cell('one'):>12}"
        f"{row['p50']:>9.1f}{row['p99']:>9.1f}",
        flush=True,
    )


if __name__ == "__main__":
    asyncio.run(main())
