"""Sockets and contexts for the tests of the core."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Callable

import pytest


class RecordingSocket:
    """Keeps what it is sent; while its ``gate`` is closed, sends wait. Text messages, as the server's sockets."""

    prefers_text = True

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.closed: tuple[int, str] | None = None
        self.gate: asyncio.Event | None = None
        self.broken = False
        self.aborted = False

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.texts]

    @property
    def seqs(self) -> list[int]:
        return [m["seq"] for m in self.messages if m["type"] not in ("connection_established", "resync", "gap")]

    @property
    def kinds(self) -> list[str]:
        return [m["type"] for m in self.messages]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the notes, in the order in which they came."""
        return [m["n"] for m in self.messages if m["type"] == "note"]

    def block(self) -> None:
        self.gate = asyncio.Event()

    def release(self) -> None:
        assert self.gate is not None
        self.gate.set()

    async def send_text(self, text: str) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.broken:
            raise ConnectionResetError("peer is gone")
        self.texts.append(text)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self.gate is not None:
            await self.gate.wait()
        self.closed = (code, reason)

    def abort(self) -> None:
        self.aborted = True


@pytest.fixture(autouse=True)
def own_default() -> Iterator[None]:
    """No test finds the managers of another: this process's factory is made anew."""
    from compat.canonical.factory import set_websocket_manager_factory

    before = set_websocket_manager_factory(None)
    yield
    set_websocket_manager_factory(before)


@pytest.fixture(autouse=True)
def process_factory() -> Iterator[None]:
    """Each test finds the process as at its start: no factory made yet."""
    from compat.canonical.factory import set_websocket_manager_factory

    before = set_websocket_manager_factory(None)
    yield
    set_websocket_manager_factory(before)


@pytest.fixture
def new_socket() -> Callable[[], RecordingSocket]:
    return RecordingSocket


@pytest.fixture
def context() -> Callable[..., SimpleNamespace]:
    def make(user: str = "u", thread: str | None = None) -> SimpleNamespace:
        return SimpleNamespace(user_id=user, thread_id=thread)

    return make


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """Wait until a condition holds; fail with a sentence when it does not in 20 seconds."""

    async def wait(condition: Callable[[], Any], what: str = "the condition") -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come true"
            await asyncio.sleep(0.005)

    return wait


class RedisServer:
    """A real redis-server of the test's own."""

    def __init__(self, binary: str, directory: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._binary, self._directory = binary, directory
        self._process: subprocess.Popen[bytes] | None = None
        self._factories: list[Any] = []

    def worker(self, limits: Any = None, *, url: str = "", **options: Any) -> Any:
        """Return a factory whose backplane is this Redis; ``run`` closes it."""
        from compat.canonical.factory import WebSocketManagerFactory
        from compat.canonical.redis.redis_backplane import RedisBackplane

        backplane = RedisBackplane(url or self.url, **{"ping_interval": 0.1, **options})
        self._factories.append(WebSocketManagerFactory(limits, backplane))
        return self._factories[-1]

    def run(self, test: Any) -> None:
        """Run a test on a loop of its own; a test that fails leaves no connection open that a later one is blamed for."""

        async def closing() -> None:
            try:
                await test
            finally:
                for factory in self._factories:
                    await factory.close()

        asyncio.run(closing())

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "yes", "dir": self._directory}
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        self._process = subprocess.Popen([self._binary, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as link:
                    link.sendall(b"PING\r\n")
                    if link.recv(16).startswith(b"+PONG"):
                        return
            except OSError:
                pass
            time.sleep(0.02)
        raise RuntimeError("redis-server did not answer within 20 s")

    def stop(self, *, kill: bool = False) -> None:
        if self._process is not None:
            (self._process.kill if kill else self._process.terminate)()
            self._process.wait(20)
            self._process = None


@pytest.fixture
def redis_server(tmp_path: Any) -> Iterator[RedisServer]:
    binary = shutil.which("redis-server")
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is not on PATH")
        pytest.skip("redis-server is not on PATH")
    server = RedisServer(binary, str(tmp_path))
    server.start()
    yield server
    server.stop()


class Cable:
    """A wire to a port of this machine that can be cut and mended, or go silent with nobody told."""

    def __init__(self, port: int) -> None:
        self._far_port = port
        self._whole = True
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: Any = None
        self._flowing: asyncio.Event | None = None
        self.connections = 0

    async def lay(self) -> Cable:
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        return self

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/0"

    def cut(self) -> None:
        self._whole = False
        for writer in tuple(self._writers):
            writer.transport.abort()

    def mend(self) -> None:
        self._whole = True

    def silence(self) -> None:
        self._flowing.clear()

    def speak(self) -> None:
        self._flowing.set()

    async def remove(self) -> None:
        self._server.close()
        self.speak()
        self.cut()
        while self._writers:
            await asyncio.sleep(0.01)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if not self._whole:
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._far_port)
        except OSError:
            self._writers.discard(writer)
            writer.transport.abort()
            return
        self._writers.add(far_writer)
        await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        for end in (writer, far_writer):
            end.transport.abort()
            self._writers.discard(end)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


@pytest.fixture
def cable(redis_server: RedisServer) -> Callable[[], Any]:
    """Lay a cable to the test's Redis."""
    return Cable(redis_server.port).lay
