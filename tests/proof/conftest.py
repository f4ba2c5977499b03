"""Processes of the proof runs: clients, workers, Redis; and the five figures."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

import compat

SECRET = "a secret of at least thirty-two bytes"
HERE = pathlib.Path(__file__).parent
# Where the package under test lies: children import the same.
ROOT = pathlib.Path(compat.__file__).parents[1]
PATIENCE = 120.0


def load(path: pathlib.Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"proof_{path.parent.name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


redis_server = load(HERE.parent / "canonical" / "conftest.py").redis_server


class Figures(NamedTuple):
    """What a run proves; the last three must be 0."""

    sent: int
    received: int
    duplicated: int
    lost: int
    foreign: int


class Process:
    """A child whose lines are collected; it never outlives the test."""

    def __init__(self, arguments: list[str], **variables: str) -> None:
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **variables}
        self.process = subprocess.Popen(
            [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    async def line(self, start: str) -> str:
        """Wait for a line that begins so."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = next((line for line in tuple(self.lines) if line.startswith(start)), None)
            if found is not None:
                return found
            assert self.process.poll() is None, "\n".join(self.lines)
            assert time.monotonic() < deadline, f"no line {start!r} in:\n" + "\n".join(self.lines[-20:])
            await asyncio.sleep(0.02)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        """Ask it to end."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
        self._reader.join(5)
        self.process.stdout.close()


class Run:
    """One proof run: who was sent what, and what the clients' logs say."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self.children: list[Process] = []
        self.audience: list[Process] = []
        self.sent: dict[str, int] = {}

    def clients(self, urls: list[str], first: int, last: int, *, name: str = "", reconnects: int = 0) -> Process:
        """Start clients of ``user<first>`` to ``user<last>``; the same ``name`` continues an earlier log."""
        log = self.directory / f"{name or first}.log"
        child = Process(
            [
                str(HERE / "clients.py"),
                f"--urls={','.join(urls)}",
                f"--users={first}-{last}",
                f"--secret={SECRET}",
                f"--log={log}",
                f"--reconnects={reconnects}",
            ]
        )
        self.children.append(child)
        self.audience.append(child)
        return child

    def worker(self, redis_url: str) -> Process:
        """Start a worker of the real command."""
        child = Process(
            ["-m", "compat.canonical.server.serve", "--port=0", "--log-level=warning"],
            JWT_SECRET_KEY=SECRET,
            REDIS_URL=redis_url,
            ENVIRONMENT="test",
            COMPAT_WS_LIMIT_HISTORY_EVENTS="5000",
            COMPAT_WS_LIMIT_CONNECTIONS_PER_USER="50",
        )
        self.children.append(child)
        return child

    @property
    def root(self) -> pathlib.Path:
        """Where children find the package under test."""
        return ROOT

    def process(self, arguments: list[str], **variables: str) -> Process:
        """Start another child."""
        child = Process(arguments, **variables)
        self.children.append(child)
        return child

    def stop(self) -> None:
        """End all children."""
        for child in self.children:
            child.stop()

    async def send(self, factory: Any, user: str) -> None:
        """Send one numbered event to ``user`` and count it once it was accepted."""
        number = self.sent.get(user, 0)
        self.sent[user] = number + 1
        manager = factory.get(SimpleNamespace(user_id=user))
        await manager.send({"type": "note", "owner": user, "n": number, "text": "x" * 100})

    def figures(self) -> Figures:
        """Read the logs."""
        received, seen, foreign = 0, set(), 0
        for log in self.directory.glob("*.log"):
            for line in log.read_text().splitlines(keepends=True):
                parts = line.split(" ")
                if len(parts) != 5 or not line.endswith("\n"):
                    continue
                received += 1
                user, _, _, owner, number = parts
                foreign += user != owner
                seen.add((user, int(number)))
        sent = sum(self.sent.values())
        lost = sum((user, n) not in seen for user, count in self.sent.items() for n in range(count))
        return Figures(sent, received, received - len(seen), lost, foreign)

    async def settle(self) -> Figures:
        """Wait until nothing is missing, or time is up; a moment more, in which duplicates would come; end the clients."""
        deadline = time.monotonic() + PATIENCE
        while self.figures().lost and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
        await asyncio.sleep(0.5)
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(None, child.stop) for child in self.audience))
        return self.figures()


@pytest.fixture
def proof(tmp_path: pathlib.Path):
    directory = tmp_path / "logs"
    directory.mkdir()
    run = Run(directory)
    yield run
    run.stop()


@pytest.fixture
def report(record_property: Any, request: pytest.FixtureRequest):
    """Hand the five figures to the summary, and hold the last three to be 0."""

    def show(figures: Figures, note: str = "") -> None:
        text = " ".join(f"{name} {value:,}" for name, value in figures._asdict().items())
        record_property("figures", f"{request.node.name}: {text}{'; ' + note if note else ''}")
        assert figures.sent > 0
        assert (figures.duplicated, figures.lost, figures.foreign) == (0, 0, 0)
        assert figures.received == figures.sent

    return show


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the figures of all runs, those in other processes included."""
    lines = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        if getattr(report, "when", None) == "call"
        for name, value in getattr(report, "user_properties", ())
        if name == "figures"
    ]
    if lines:
        terminalreporter.section("proof runs")
        for line in lines:
            terminalreporter.write_line(line)


@contextlib.asynccontextmanager
async def serving(**changes: Any):
    """Serve in this process; yield the address and the factory."""
    from compat.canonical.factory import set_websocket_manager_factory
    from compat.canonical.limits import Limits
    from compat.canonical.server.app import create_app
    from compat.canonical.server.serve import build_server, listen
    from compat.canonical.settings import Settings

    limits = Limits(history_events=5000, connections_per_user=50, send_timeout=5, close_timeout=1)
    settings = Settings(jwt_secret=SECRET, environment="test", limits=limits, **changes)
    # Other tests of this process have used its factory, with other limits.
    before = set_websocket_manager_factory(None)
    try:
        app = create_app(settings)
        server = build_server(settings, app, log_level="critical")
        with contextlib.closing(listen("127.0.0.1", 0, limits.send_timeout)) as listener:
            task = asyncio.ensure_future(server.serve(sockets=[listener]))
            try:
                yield f"ws://127.0.0.1:{listener.getsockname()[1]}/ws", app.state.service.factory
            finally:
                server.should_exit = True
                await task
    finally:
        set_websocket_manager_factory(before)


@pytest.fixture
def server():
    return serving


@pytest.fixture
def publisher():
    """A third process' part: publishes through Redis, holds no connections."""

    @contextlib.asynccontextmanager
    async def publishing(url: str):
        from compat.canonical.factory import WebSocketManagerFactory
        from compat.canonical.redis.redis_backplane import RedisBackplane

        factory = WebSocketManagerFactory(
            backplane=RedisBackplane(url, history_limit=5000, publish_timeout=60, ping_interval=0.2)
        )
        await factory.start()
        try:
            yield factory
        finally:
            await factory.close()

    return publishing
