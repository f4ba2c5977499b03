"""The Redis backplane: a publication with its replay entry, pipelined; a replay of 300 events.

    python tests/bench/canonical/bench_redis.py

Starts a redis-server of its own and two workers in this process' children; CPU is this process' own.
"""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from types import SimpleNamespace

ROOT = pathlib.Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))


class Sink:
    """A socket that counts."""

    prefers_text = True

    def __init__(self) -> None:
        self.count = 0

    def send_text(self, text: str) -> None:
        """Count."""
        self.count += 1


async def main(url: str) -> None:
    """Measure and print the best of several passes."""
    from compat.canonical.core.events import Position
    from compat.canonical.factory import WebSocketManagerFactory
    from compat.canonical.redis.redis_backplane import RedisBackplane

    publisher = WebSocketManagerFactory(backplane=RedisBackplane(url))
    receiver = WebSocketManagerFactory(backplane=RedisBackplane(url))
    await publisher.start()
    await receiver.start()
    contexts = [SimpleNamespace(user_id=f"user{number}") for number in range(100)]
    message = {"type": "agent_thinking", "text": "x" * 160}

    async def publish(rounds: int) -> float:
        started = time.process_time()
        for _ in range(rounds):
            await asyncio.gather(*(publisher.get(context).send(message) for context in contexts))
        return (time.process_time() - started) / (rounds * len(contexts)) * 1e6

    await publish(5)
    alone = min([await publish(20) for _ in range(5)])
    started = time.process_time()
    for _ in range(500):
        await publisher.get(contexts[0]).send(message)
    single = (time.process_time() - started) / 500 * 1e6
    print(f"publish with replay entry, pipelined: {alone:.1f} us of CPU; awaited one by one: {single:.0f} us")

    manager = publisher.get(SimpleNamespace(user_id="replayed"))
    first = await manager.send(message)
    await asyncio.gather(*(manager.send(message) for _ in range(300)))
    best = float("inf")
    for _ in range(20):
        started = time.process_time()
        replay = await publisher.backplane.replay("replayed", Position(first.epoch, 1))
        best = min(best, time.process_time() - started)
    print(f"replay of {len(replay.events)} events: {best * 1e3:.2f} ms of CPU")

    sinks = [Sink() for _ in contexts]
    for context, sink in zip(contexts, sinks):
        await receiver.get(context).connect(sink)
    started, rounds = time.process_time(), 50
    for _ in range(rounds):
        await asyncio.gather(*(publisher.get(context).send(message) for context in contexts))
    while sum(sink.count for sink in sinks) < rounds * len(contexts):
        await asyncio.sleep(0.001)
    both = (time.process_time() - started) / (rounds * len(contexts)) * 1e6
    print(f"publish and delivery by another worker, both in this process: {both:.1f} us of CPU")
    await publisher.close()
    await receiver.close()


@contextlib.contextmanager
def serving() -> Iterator[str | None]:
    """Run a redis-server and yield its URL; None where there is none."""
    binary = shutil.which("redis-server")
    if binary is None:
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        process = subprocess.Popen(
            [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", directory],
            stdout=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + 20
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.05)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(20)


if __name__ == "__main__":
    with serving() as url:
        if url is None:
            print("redis-server is not on PATH: not measured")
        else:
            asyncio.run(main(url))
