"""Managers: import, creation, memory per user, what closing gives back, and whether lookup grows with users.

python tests/bench/canonical/bench_managers.py
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import tracemalloc
from types import SimpleNamespace

ROOT = pathlib.Path(__file__).parents[3]
sys.path.insert(0, str(ROOT))

IMPORT = """
import json, resource, sys, time
sys.path.insert(0, {root!r})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
wall, cpu = time.perf_counter(), time.process_time()
from compat.canonical import UnifiedWebSocketManager, get_websocket_manager
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
heavy = sorted({{"asyncio", "ssl", "starlette", "uvicorn", "pydantic", "jwt", "redis"}} & set(sys.modules))
print(json.dumps([wall, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, before, heavy]))
"""
# What the system that this core replaces reported for its own manager.
REPORTED_SECONDS, REPORTED_MB = 0.627, 205


class Sink:
    """A socket that takes everything at once."""

    prefers_text = True

    def send_text(self, text: str) -> None:
        """Take it."""


def importing() -> None:
    """Print what a first import costs, with bytecode compiled as an installation leaves it."""
    with tempfile.TemporaryDirectory() as cache:
        environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environ["PYTHONPYCACHEPREFIX"] = cache
        rows = []
        for _ in range(12):
            program = [sys.executable, "-c", IMPORT.format(root=str(ROOT))]
            rows.append(json.loads(subprocess.run(program, capture_output=True, text=True, check=True, env=environ).stdout))
    wall, cpu, peak, bare, heavy = (min(column) for column in zip(*rows[2:]))
    print(
        f"import of the canonical manager: {cpu * 1e3:.0f} ms of CPU, {wall * 1e3:.0f} ms, {wall / REPORTED_SECONDS:.3f} of the "
        f"{REPORTED_SECONDS * 1e3:.0f} ms reported (aim 0.1)"
    )
    print(
        f"    peak {peak / 1024:.0f} MB, {peak / 1024 / REPORTED_MB:.2f} of the {REPORTED_MB} MB reported (aim 0.2); "
        f"the bare interpreter {bare / 1024:.0f} MB; of asyncio and the frameworks it imports: {', '.join(heavy) or 'none'}"
    )


def memory(users: int, connections: int, quiet: bool = False) -> None:
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
    if quiet:
        return
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
    memory(10, 1, quiet=True)  # what is loaded at first use does not come back
    for count in (1_000, 100_000):
        for connections in (0, 1):
            memory(count, connections)
    growth()
