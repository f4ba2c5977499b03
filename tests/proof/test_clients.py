"""Both clients of the core under cuts, over two workers and a Redis: one row of figures for each."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time
from typing import Any

import pytest

for module in ("starlette", "uvicorn", "websockets", "jwt", "redis"):
    pytest.importorskip(module, reason=f"{module} is in the server extra")

pytestmark = pytest.mark.slow
TESTS = pathlib.Path(__file__).parents[1]
SECRET = "a secret of at least thirty-two bytes"  # as in conftest.py
QUICK = {"min_delay": 0.05, "max_delay": 0.5, "heartbeat": 1.0, "patience": 1.0}
EACH = 25


def beside(name: str) -> Any:
    """A module of the folder of the clients' tests, which is no package."""
    if "clients_under_test" not in sys.modules:
        spec = importlib.util.spec_from_loader("clients_under_test", None, is_package=True)
        package = sys.modules["clients_under_test"] = importlib.util.module_from_spec(spec)
        package.__path__ = [str(TESTS / "canonical" / "client")]
    return importlib.import_module(f"clients_under_test.{name}")


def token(user: str) -> str:
    import jwt

    return jwt.encode({"sub": user, "exp": time.time() + 600}, SECRET, "HS256")


class Python:
    """Python clients, and what each was shown."""

    def __init__(self) -> None:
        self.logs: dict[str, list[Any]] = {}
        self.clients: list[Any] = []
        self.tasks: list[Any] = []

    async def start(self, user: str, url: str) -> None:
        from compat.canonical.client import Client

        client = await Client(url, lambda: token(user), **QUICK).__aenter__()
        self.clients.append(client)
        self.tasks.append(asyncio.ensure_future(self._follow(user, client)))

    async def _follow(self, user: str, client: Any) -> None:
        log = self.logs.setdefault(user, [])
        async for message in client:
            log.append(message)

    async def open(self) -> int:
        return sum(client.state == "open" for client in self.clients)

    async def close(self) -> None:
        await asyncio.gather(*(client.close() for client in self.clients))
        await asyncio.gather(*self.tasks)

    async def shown(self) -> dict[str, list[Any]]:
        return self.logs


class JavaScript:
    """As many in one process of Node."""

    def __init__(self, process: Any) -> None:
        self.start_peer, self.peers = beside("node").starter(process.call), {}

    async def start(self, user: str, url: str) -> None:
        stage = type("Where", (), {"url": url, "origin": "http://127.0.0.1:1"})
        self.peers[user] = await self.start_peer(stage, user, token=token(user), **QUICK)

    async def open(self) -> int:
        return sum([(await peer.facts())["state"] == "open" for peer in self.peers.values()])

    async def close(self) -> None:
        for peer in self.peers.values():
            await peer.close()

    async def shown(self) -> dict[str, list[Any]]:
        return {user: await peer.log() for user, peer in self.peers.items()}


@pytest.fixture
def node_command() -> list[str]:
    found = shutil.which("node")
    for command in ([found], [found, "--experimental-websocket", "--no-warnings"]) if found else ():
        done = subprocess.run([*command, "-p", "typeof WebSocket"], capture_output=True, text=True, timeout=60)
        if done.stdout.strip() == "function":
            return command
    if os.environ.get("CI"):
        pytest.fail("node, with a WebSocket of its own, is absent; the proof must run here")
    pytest.skip("node, with a WebSocket of its own, is absent")


def test_both_clients_lose_nothing_under_cuts_over_two_workers(
    proof, publisher, redis_server, node_command, record_property
) -> None:
    from compat.canonical.client import javascript

    network = beside("network")
    choice = random.Random(5)

    async def run() -> None:
        workers = [proof.worker(redis_server.url) for _ in range(2)]
        ports = [int((await worker.line("listening on ")).split()[-1].split(":")[2].split("/")[0]) for worker in workers]
        script = TESTS / "browser" / "node_peer.mjs"
        files = [path.as_uri() for path in (javascript(), TESTS / "browser" / "peer.js")]
        node = beside("node").Node([*node_command, str(script), *files])
        async with publisher(redis_server.url) as factory, network.Wire() as one, network.Wire() as two, node as process:
            wires = (one, two)
            kinds = {"python": Python(), "javascript": JavaScript(process)}
            users = {kind: [f"{kind}{number}" for number in range(EACH)] for kind in kinds}
            for wire, port in zip(wires, ports):
                wire.target = port
            for kind, clients in kinds.items():
                for number, user in enumerate(users[kind]):
                    await clients.start(user, f"ws://127.0.0.1:{wires[number % 2].port}/ws")
            for clients in kinds.values():

                async def are_open(clients: Any = clients) -> bool:
                    return await clients.open() == EACH

                await network.until(are_open, 60)
            everybody = [user for names in users.values() for user in names]
            cuts = 0
            for turn in range(24):
                for _ in range(60):
                    await proof.send(factory, choice.choice(everybody))
                wire = choice.choice(wires)
                # Another worker takes over; or the connection dies with nobody told.
                wire.target = ports[turn % 2]
                if turn % 6 == 5:
                    cuts += wire.live
                    wire.half_close()
                else:
                    cuts += wire.cut()
                await asyncio.sleep(0.15)
            rows = []
            for kind, clients in kinds.items():
                sent = {user: proof.sent.get(user, 0) for user in users[kind]}

                async def has_all(clients: Any = clients, sent: Any = sent) -> bool:
                    shown = await clients.shown()
                    return all(len(shown.get(user, ())) >= count for user, count in sent.items())

                await network.until(has_all, 60)
                await asyncio.sleep(0.3)  # in which duplicates would come
                rows.append((kind, *figures(sent, await clients.shown())))
                await clients.close()
            note = "; ".join(
                f"{kind}: sent {sent:,} received {received:,} duplicated {twice} lost {lost} foreign {foreign}"
                for kind, sent, received, twice, lost, foreign in rows
            )
            record_property("figures", f"both clients, {cuts} connections cut, 2 workers on Redis: {note}")
            for _, sent, received, *faults in rows:
                assert sent == received > 0 and faults == [0, 0, 0], note
            assert cuts > EACH

    asyncio.run(run())


def figures(sent: dict[str, int], shown: dict[str, list[Any]]) -> tuple[int, int, int, int, int]:
    """Sent, received, duplicated, lost and foreign; order is asserted."""
    received = duplicated = lost = foreign = 0
    for user, count in sent.items():
        notes = [message for message in shown.get(user, ()) if message["type"] == "note"]
        numbers = [message["n"] for message in notes]
        assert numbers == sorted(numbers), json.dumps(numbers)
        received += len(notes)
        duplicated += len(numbers) - len(set(numbers))
        lost += count - len(set(numbers))
        foreign += sum(message["owner"] != user for message in notes)
    return sum(sent.values()), received, duplicated, lost, foreign
