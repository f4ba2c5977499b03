"""Managers: import, creation, memory per user, what closing gives back, and whether lookup grows with users.

python tests/bench/canonical/bench_managers.py
"""

from __future__ import annotations

import asyncio
import gc
import json
import pathlib
import subprocess
import sys
import time
import tracemalloc
from types import SimpleNamespace

ROOT = pathlib.Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

IMPORT = """
import json, resource, sys, time
sys.path.insert(0, {root!r})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.perf_counter()
from compat.canonical import UnifiedWebSocketManager, get_websocket_manager
print(json.dumps([time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, before]))
"""


class Sink:
    """A socket that takes everything at once."""

    prefers_text = True

    def send_text(self, text: str) -> None:
        """Take it."""


def importing() -> None:
    rows = []
    for _ in range(7):
        program = IMPORT.format(root=str(ROOT))
        output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        rows.append(json.loads(output))
    seconds, peak, bare = (min(column) for column in zip(*rows))
    print(
        f"import of the canonical manager: {seconds * 1e3:.0f} ms, peak {peak / 1024:.0f} MB (interpreter {bare / 1024:.0f} MB)"
    )
    print("    the system reported 627 ms and 205 MB for its own")


def memory(users: int, connections: int) -> None:
    """Print bytes per manager, and what is left after closing all."""
    from compat.canonical.factory import WebSocketManagerFactory
    from compat.canonical.limits import Limits

    async def run() -> tuple[float, int, int, int]:
        factory = WebSocketManagerFactory(Limits(managers=users + 1, connections=users + 1))
        contexts = [SimpleNamespace(user_id=f"user{number}") for number in range(users)]
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for context in contexts:
            manager = factory.get(context)
            for _ in range(connections):
                manager.add_connection(Sink())
        gc.collect()
        full = tracemalloc.get_traced_memory()[0]
        del manager
        await factory.close()
        await asyncio.sleep(0.01)
        gc.collect()
        after = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        started = time.perf_counter()
        for context in contexts:
            factory.get(context)
        rate = users / (time.perf_counter() - started)
        return rate, full - before, after - before, users

    rate, held, left, _ = asyncio.run(run())
    print(
        f"{users:>7,} managers with {connections} connection{'s' if connections != 1 else ''}: "
        f"{held / users:,.0f} bytes each, {rate:,.0f} made per second; "
        f"after closing all {left / 1024:+.1f} KB"
    )


def growth() -> None:
    """Print lookup and send for few and many users."""
    from compat.canonical.factory import WebSocketManagerFactory
    from compat.canonical.limits import Limits

    async def run(users: int) -> tuple[float, float]:
        factory = WebSocketManagerFactory(Limits(managers=users + 1, connections=users + 1))
        contexts = [SimpleNamespace(user_id=f"user{number}") for number in range(users)]
        for context in contexts:
            factory.get(context).add_connection(Sink())
        few = contexts[:: max(1, users // 100)][:100]
        message = {"type": "agent_thinking", "text": "x" * 160}
        best = [float("inf"), float("inf")]
        for _ in range(10):
            started = time.process_time()
            for _ in range(50):
                for context in few:
                    factory.get(context)
            best[0] = min(best[0], (time.process_time() - started) / (50 * len(few)))
            started = time.process_time()
            for _ in range(10):
                for context in few:
                    await factory.get(context).send(message)
            best[1] = min(best[1], (time.process_time() - started) / (10 * len(few)))
        return best[0] * 1e6, best[1] * 1e6

    for users in (100, 10_000, 100_000):
        lookup, send = asyncio.run(run(users))
        print(f"{users:>7,} users: lookup {lookup:.2f} us, send to one {send:.1f} us")


if __name__ == "__main__":
    importing()
    for count in (1_000, 100_000):
        for connections in (0, 1):
            memory(count, connections)
    growth()
