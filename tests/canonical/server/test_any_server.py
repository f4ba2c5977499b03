"""What the core promises, under each server as a process of its own: uvicorn, with this core's protocol, mounted, and others."""

# ruff: noqa: E402

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

for module in ("starlette", "uvicorn", "websockets", "jwt", "httpx"):
    pytest.importorskip(module, reason=f"{module} is in the server extra or the test group")

import httpx
import jwt
import websockets
from websockets.exceptions import ConnectionClosed

pytestmark = pytest.mark.once

SECRET = "a secret of at least thirty-two bytes"
APPLICATION = """
from compat.canonical import Limits, Settings, create_app


async def on_message(manager, connection, message):
    if message["type"] == "flood":
        for number in range(message["events"]):
            await manager.send({"type": "flood", "n": number, "text": "x" * 60_000})


settings = Settings(
    environment="test",
    jwt_secret="SECRET",
    max_message_bytes=10_000,
    heartbeat_interval=0.5,
    heartbeat_timeout=1.0,
    limits=Limits(send_timeout=0.7, close_timeout=0.5),
)
chat = app = create_app(settings, on_message=on_message)
if MOUNTED:
    from fastapi import FastAPI

    app = FastAPI(LIFESPAN)
    app.mount("/chat", chat)
"""
SERVERS = {
    "uvicorn": ["uvicorn", "app:app", "--log-level", "info", "--port", "{port}"],
    "uvicorn --ws Protocol": [
        "uvicorn", "app:app", "--port", "{port}", "--ws", "compat.canonical.server.uvicorn_protocol:Protocol",
    ],
    "mounted in FastAPI": ["uvicorn", "app:app", "--port", "{port}"],
    "mounted with its lifespan": ["uvicorn", "app:app", "--port", "{port}"],
    "hypercorn": ["hypercorn", "app:app", "-b", "127.0.0.1:{port}"],
    "granian": ["granian", "--interface", "asgi", "--port", "{port}", "app:app"],
}  # fmt: skip
#: hypercorn tells its workers of the end by a flag of its own, and an application when it has cancelled its connections;
#: granian never makes a sender wait.
IMPOSSIBLE = {"hypercorn": ["drain"], "granian": ["eviction"]}


class Served:
    """A server of its own process."""

    def __init__(self, name: str, port: int, process: subprocess.Popen[bytes], log: pathlib.Path) -> None:
        self.name, self.port, self.process, self._log = name, port, process, log
        self.base = "/chat" if name.startswith("mounted") else ""

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}{self.base}/ws"

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{self.base}{path}", timeout=20)

    def raw(self, *messages: dict[str, Any]) -> socket.socket:
        """Open a WebSocket that sends these messages and whose owner never reads."""
        link = socket.socket()
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect(("127.0.0.1", self.port))
        key = base64.b64encode(os.urandom(16)).decode()
        link.sendall(
            f"GET {self.base}/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nAuthorization: Bearer {token()}\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += link.recv(1)
        for message in messages:
            text = json.dumps(message).encode()
            assert len(text) < 126
            link.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
        return link


def token(user: str = "u") -> str:
    return jwt.encode({"sub": user, "exp": time.time() + 3600}, SECRET, "HS256")


@contextlib.contextmanager
def serving(name: str, tmp_path: pathlib.Path) -> Iterator[Served]:
    program = SERVERS[name][0]
    pytest.importorskip(program, reason=f"{program} is in the test group")
    mounted = name.startswith("mounted")
    if mounted:
        pytest.importorskip("fastapi", reason="fastapi is in the test group")
    lifespan = "lifespan=chat.state.service.lifespan" if "lifespan" in name else ""
    text = APPLICATION.replace("SECRET", SECRET).replace("MOUNTED", str(mounted)).replace("LIFESPAN", lifespan)
    (tmp_path / "app.py").write_text(text)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [part.format(port=port) for part in SERVERS[name]]
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=tmp_path,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(tmp_path), "COMPAT_TELEMETRY": "memory"},
        )
    server = Served(name, port, process, log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                server.get("/healthz")
                break
            except httpx.HTTPError:
                assert time.monotonic() < deadline and process.poll() is None, server.log
                time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


async def hello(client: Any) -> dict[str, Any]:
    return json.loads(await asyncio.wait_for(client.recv(), 20))


async def closed(client: Any) -> tuple[int, str]:
    """How a connection was closed; ``(0, "")`` where it stays open: heartbeats go on for as long as a server keeps it."""

    async def read_on() -> None:
        while True:
            await client.recv()

    try:
        await asyncio.wait_for(read_on(), 10)
    except ConnectionClosed as error:
        return (error.rcvd.code, error.rcvd.reason) if error.rcvd is not None else (1006, "")
    except asyncio.TimeoutError:
        pass
    return 0, ""


def connect(served: Served, **options: Any) -> Any:
    return websockets.connect(served.url, additional_headers={"Authorization": f"Bearer {token()}"}, **options)


def held_by_the_kernel(port: int, peer_port: int) -> bool:
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    ends = (f":{port:04X}", f":{peer_port:04X}")
    states = [(row[3], row[4]) for row in rows if row[1].endswith(ends[0]) and row[2].endswith(ends[1])]
    return any(state not in ("05", "06") or not queues.startswith("00000000:") for state, queues in states)


def wait_for(condition: Any, what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come true"
        time.sleep(0.02)


def refuses_what_is_too_long(served: Served) -> bool:
    async def run() -> tuple[int, str]:
        async with connect(served) as client:
            await hello(client)
            await client.send(json.dumps({"type": "long", "text": "x" * 20_000}))
            return await closed(client)

    return asyncio.run(run())[0] == 1009


def frees_the_socket_of(served: Served, *messages: dict[str, Any]) -> bool:
    """Whether a client that reads nothing and answers nothing is let go of, with all that the kernel holds for it."""
    link = served.raw(*messages)
    with contextlib.closing(link):
        assert held_by_the_kernel(served.port, link.getsockname()[1])
        wait_for(lambda: not held_by_the_kernel(served.port, link.getsockname()[1]), "release of socket and buffers")
    return True


def keeps_who_answers(served: Served) -> bool:
    async def run() -> str:
        async with connect(served) as client:
            await hello(client)
            await client.send('{"type": "ping"}')
            end = time.monotonic() + 3
            while time.monotonic() < end:
                with contextlib.suppress(asyncio.TimeoutError):
                    if json.loads(await asyncio.wait_for(client.recv(), 0.2))["type"] == "ping":
                        await client.send('{"type": "pong"}')
            await client.send('{"type": "ping"}')
            return (await hello(client))["type"]

    return asyncio.run(run()) in ("ping", "pong")


def says_1001_at_sigterm(served: Served) -> bool:
    async def run() -> list[tuple[int, str]]:
        async with connect(served) as one, connect(served) as two:
            await hello(one)
            await hello(two)
            served.process.send_signal(signal.SIGTERM)
            try:
                return await asyncio.wait_for(asyncio.gather(closed(one), closed(two)), 15)
            except asyncio.TimeoutError:
                return []  # from Python 3.12 on, hypercorn waits until its clients have left

    return asyncio.run(run()) == [(1001, "server is shutting down")] * 2


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="the kernel's table of connections is Linux's")
@pytest.mark.parametrize("name", SERVERS)
def test_the_promises_hold_under(name: str, tmp_path: pathlib.Path) -> None:
    with serving(name, tmp_path) as served:
        assert served.get("/readyz").status_code == 200  # before its first client
        found = {
            "message_size": refuses_what_is_too_long(served),
            "heartbeat": frees_the_socket_of(served, {"type": "ping"}) and keeps_who_answers(served),
            "eviction": name != "granian" and frees_the_socket_of(served, {"type": "flood", "events": 150}),
        }
        said = served.get("/readyz").json()["promises"]
        found["drain"] = says_1001_at_sigterm(served)
        assert {promise: said[promise]["holds"] for promise in found} == found
        assert [promise for promise, holds in found.items() if not holds] == IMPOSSIBLE.get(name, [])
        assert served.process.wait(30) in (0, -signal.SIGTERM)
        assert served.log.count("this server does not keep all promises") == (name in IMPOSSIBLE)
        if name not in IMPOSSIBLE:
            assert "Traceback" not in served.log


def test_the_table_of_the_documents_says_what_the_servers_were_found_to_do() -> None:
    page = (pathlib.Path(__file__).parents[3] / "docs" / "how-to" / "websocket-core.md").read_text(encoding="utf-8")
    promises = ("message_size", "heartbeat", "eviction", "drain")
    lines = [f"| server | {' | '.join(f'`{promise}`' for promise in promises)} |", "|---|---|---|---|---|"]
    for name in SERVERS:
        answers = ("no" if promise in IMPOSSIBLE.get(name, []) else "yes" for promise in promises)
        lines.append(f"| {name} | {' | '.join(answers)} |")
    assert "\n".join(lines) in page
