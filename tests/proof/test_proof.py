"""Proof with real parts: every run prints sent, received, duplicated, lost, foreign; the last three are 0."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
import socket
import time
import urllib.error
import urllib.request

import pytest

for module in ("starlette", "uvicorn", "websockets", "jwt", "redis"):
    pytest.importorskip(module, reason=f"{module} is in the server extra")

pytestmark = pytest.mark.slow


async def stream(proof, factory, users: list[str], seconds: float, *, pause: float = 0.002) -> int:
    """Send to random users, in bursts, for a while; return how many events."""
    choice, count, deadline = random.Random(7), 0, time.monotonic() + seconds
    while time.monotonic() < deadline:
        burst = [choice.choice(users) for _ in range(10)]
        # One user's events are sent one after the other, so that their numbers are their order.
        for user in burst:
            await proof.send(factory, user)
        count += len(burst)
        await asyncio.sleep(pause)
    return count


def names(count: int) -> list[str]:
    return [f"user{number}" for number in range(count)]


def test_a_thousand_connections_beside_rogues(proof, report, server) -> None:
    """1,000 users in two processes, while others send broken frames, broken JSON and half handshakes."""

    async def run() -> None:
        async with server() as (url, factory):
            clients = [proof.clients([url], 0, 499), proof.clients([url], 500, 999)]
            for client in clients:
                await client.line("connected")
            assert factory.stats()["connections"] == 1000
            port = int(url.split(":")[2].split("/")[0])
            rogues = asyncio.ensure_future(asyncio.get_running_loop().run_in_executor(None, misbehave, port))
            for _ in range(20):
                for user in names(1000):
                    await proof.send(factory, user)
                await asyncio.sleep(0.01)
            attempts = await rogues
            figures = await proof.settle()
            assert factory.stats()["connections_opened"] == 1000
            report(figures, f"1,000 connections, {attempts} rogues")

    asyncio.run(run())


def misbehave(port: int) -> int:
    """Send what no client should; return how many connections did."""
    upgrade = (
        b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n\r\n"
    )
    payloads = [
        b"",
        b"\x81\x05hello",  # not masked
        b"\x83\x80aaaa",  # a reserved opcode
        b"\xc1\x80aaaa",  # a reserved bit
        b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff",  # a length beyond all bounds
        b"\x89\xfe\x00\xffaaaa",  # a control frame that is too long
        b"\x81\x82\x00\x00\x00\x00\xc3\x28",  # not UTF-8
        b'\x81\x85\x00\x00\x00\x00{"a":',  # not JSON
        b"\x00\x80aaaa",  # a continuation of nothing
    ]
    for count in range(90):
        with socket.create_connection(("127.0.0.1", port), 10) as link, contextlib.suppress(OSError):
            link.settimeout(0.3)
            link.sendall(upgrade[: len(upgrade) if count % 10 else 40])
            if count % 10:
                link.recv(4096)
                link.sendall(payloads[count % len(payloads)])
                if count % 2:
                    link.recv(4096)
    return 90


def test_clients_killed_in_mid_stream(proof, report, server) -> None:
    """Four processes of clients; each is killed with SIGKILL in turn, and comes back with the position it wrote down."""

    async def run() -> None:
        async with server(heartbeat_interval=1.0, heartbeat_timeout=1.0) as (url, factory):
            groups = {n: proof.clients([url], n * 50, n * 50 + 49, name=f"group{n}") for n in range(4)}
            for client in groups.values():
                await client.line("connected")
            sending = asyncio.ensure_future(stream(proof, factory, names(200), 8.0))
            for number in range(4):
                await asyncio.sleep(1.2)
                groups[number].kill()
                await asyncio.sleep(0.3)
                groups[number] = proof.clients([url], number * 50, number * 50 + 49, name=f"group{number}")
            await sending
            report(await proof.settle(), "4 processes of 50 clients killed")

    asyncio.run(run())


def test_rapid_reconnection(proof, report, server) -> None:
    """100 users reconnect 50 times each, while events go on, connected or not."""

    async def run() -> None:
        async with server() as (url, factory):
            clients = proof.clients([url], 0, 99, reconnects=50)
            await clients.line("connected")
            sending = asyncio.ensure_future(stream(proof, factory, names(100), PATIENCE))
            await clients.line("reconnected")
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            figures = await proof.settle()
            opened = factory.stats()["connections_opened"]
            assert opened >= 5000
            report(figures, f"{opened:,} connections of 100 users")

    asyncio.run(run())


PATIENCE = 300.0


def test_messages_while_nobody_is_connected(proof, report, server) -> None:
    """Events before the first connection, and between two lives of every client."""

    async def run() -> None:
        async with server() as (url, factory):
            for user in names(50) * 5:
                await proof.send(factory, user)
            await proof.clients([url], 0, 49, name="all").line("connected")
            assert (await proof.settle()).lost == 0
            for user in names(50) * 40:
                await proof.send(factory, user)
            await proof.clients([url], 0, 49, name="all").line("connected")
            report(await proof.settle(), "2,250 of them to nobody")

    asyncio.run(run())


def test_a_worker_killed_in_mid_stream(proof, report, publisher, redis_server) -> None:
    """Two workers share a Redis; one is killed with SIGKILL, and its clients go to the other."""

    async def run() -> None:
        workers = [proof.worker(redis_server.url) for _ in range(2)]
        urls = [(await worker.line("listening on ")).split()[-1] for worker in workers]
        async with publisher(redis_server.url) as factory:
            clients = [proof.clients(urls, 0, 99), proof.clients(urls, 100, 199)]
            for client in clients:
                await client.line("connected")
            sending = asyncio.ensure_future(stream(proof, factory, names(200), 6.0))
            await asyncio.sleep(2.5)
            workers[0].kill()
            await sending
            report(await proof.settle(), "1 of 2 workers killed, 200 users")

    asyncio.run(run())


def test_redis_restarted_in_mid_stream(proof, report, publisher, redis_server) -> None:
    """Two workers and a publisher live through a restart of their Redis; health turns red, then green."""

    async def run() -> None:
        workers = [proof.worker(redis_server.url) for _ in range(2)]
        urls = [(await worker.line("listening on ")).split()[-1] for worker in workers]
        async with publisher(redis_server.url) as factory:
            clients = proof.clients(urls, 0, 99)
            await clients.line("connected")
            sending = asyncio.ensure_future(stream(proof, factory, names(100), 7.0))
            await asyncio.sleep(2.0)
            pages = [url.replace("ws://", "http://").replace("/ws", "/readyz") for url in urls]
            assert factory.health()["healthy"] and await statuses(pages) == [200, 200]
            redis_server.stop()
            await until(lambda: green(factory), False)
            await until(lambda: statuses(pages), [503, 503])
            redis_server.start()
            await until(lambda: green(factory), True)
            await sending
            await until(lambda: statuses(pages), [200, 200])
            report(await proof.settle(), "health green, red, green")

    asyncio.run(run())


async def statuses(pages: list[str]) -> list[int]:
    """What each worker's page answers now."""

    def status(page: str) -> int:
        try:
            with urllib.request.urlopen(page, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code

    return await asyncio.get_running_loop().run_in_executor(None, lambda: [status(page) for page in pages])


async def green(factory) -> bool:
    return factory.health()["healthy"]


async def until(ask, wanted) -> None:
    """Ask until the answer is the one wanted."""
    deadline = time.monotonic() + 30
    while (answer := await ask()) != wanted:
        assert time.monotonic() < deadline, answer
        await asyncio.sleep(0.02)
