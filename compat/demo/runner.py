"""Runs the demo: server, legacy service, clients; checks what everybody received; tells what was seen of legacy use."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import secrets
import socket
import sys
import warnings
from typing import Any

import compat
from compat import _boot

USERS = ("6f1c9a1e-4f0e-4b7e-9a55-0d3f5a1b2c01", "6f1c9a1e-4f0e-4b7e-9a55-0d3f5a1b2c02", "6f1c9a1e-4f0e-4b7e-9a55-0d3f5a1b2c03")
QUESTIONS = ("How much is it?", "And why?")
ISSUER, AUDIENCE = "compat-demo", "compat-demo-clients"


class Outcome:
    """What the run has shown: named checks, and the warnings as they came."""

    def __init__(self) -> None:
        self.checks: list[tuple[str, bool]] = []
        self.warned: list[warnings.WarningMessage] = []

    def check(self, name: str, holds: bool) -> None:
        """Note one check."""
        self.checks.append((name, bool(holds)))

    @property
    def held(self) -> bool:
        """Whether all checks held."""
        return bool(self.checks) and all(holds for _, holds in self.checks)


def source_file() -> str:
    """The file of the legacy service."""
    spec = importlib.util.find_spec("compat.demo.chat")
    assert spec is not None and spec.origin is not None
    return spec.origin


def run() -> Outcome:
    """Run the whole demo in this process."""
    outcome = Outcome()
    _boot.boot("python -m compat demo")
    with warnings.catch_warnings(record=True) as recorded:
        warnings.simplefilter("default")
        asyncio.run(_play(outcome))
    outcome.warned = [one for one in recorded if one.filename == source_file()]
    lines = {one.lineno for one in outcome.warned}
    uses = [use for use in compat.usage() if use.file == source_file()]
    outcome.check("every legacy use was warned at its own line", bool(uses) and {use.line for use in uses} == lines)
    calls = len(USERS) * len(QUESTIONS)
    per_call = [use.count for use in uses if use.function.endswith("answer") and use.kind == "call"]
    outcome.check("every legacy call was counted, each time", bool(per_call) and set(per_call) == {calls})
    return outcome


async def _play(outcome: Outcome) -> None:
    from compat.canonical.errors import FactoryBypassDetected
    from compat.canonical.events import CRITICAL_EVENTS
    from compat.canonical.factory import get_websocket_manager_factory
    from compat.canonical.manager import UnifiedWebSocketManager
    from compat.canonical.server import create_app
    from compat.canonical.settings import Settings

    from .clients import Client, is_refused, token_for

    secret = secrets.token_hex(32)
    settings = Settings(environment="local", jwt_secret=secret, jwt_issuer=ISSUER, jwt_audience=AUDIENCE)
    app = create_app(settings, factory=get_websocket_manager_factory())
    async with _serving(app) as port:
        url = f"ws://127.0.0.1:{port}{settings.path}"
        outcome.check(
            "a token signed with another key is refused", await is_refused(url, token_for(USERS[0], "x" * 64, ISSUER, AUDIENCE))
        )
        clients = [Client(url, user, token_for(user, secret, ISSUER, AUDIENCE)) for user in USERS]
        for client in clients:
            await client.connect()

        from . import chat  # the legacy paths are imported here, by the service itself

        await chat.serve(USERS, QUESTIONS)
        await _arrived(clients, tuple(CRITICAL_EVENTS), len(QUESTIONS) * len(CRITICAL_EVENTS))
        for client in clients:
            await client.close()

    expected = [str(kind) for kind in CRITICAL_EVENTS] * len(QUESTIONS)
    for client in clients:
        got = client.events(tuple(CRITICAL_EVENTS))
        others = [user for user in USERS if user != client.user_id]
        outcome.check(
            f"user {client.user_id[-2:]} received the five events of each question, in order",
            [m["type"] for m in got] == expected,
        )
        outcome.check(
            f"user {client.user_id[-2:]} received nobody else's events",
            not any(other in str(message) for message in client.received for other in others),
        )
    try:
        UnifiedWebSocketManager()
    except FactoryBypassDetected as error:
        outcome.check("direct construction of the canonical manager is refused", "get_websocket_manager()" in str(error))
    else:
        outcome.check("direct construction of the canonical manager is refused", False)


async def _arrived(clients: list[Any], kinds: tuple[str, ...], count: int) -> None:
    deadline = asyncio.get_running_loop().time() + 8
    while any(len(client.events(kinds)) < count for client in clients):
        if asyncio.get_running_loop().time() > deadline:
            return
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def _serving(app: Any) -> Any:
    """Serve ``app`` with uvicorn on a free loopback port; yield the port."""
    import uvicorn

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", ws="auto", ws_per_message_deflate=False, lifespan="on")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


def missing() -> str:
    """The first package that the demo needs and that is not installed, ``""`` for none."""
    for name in ("starlette", "uvicorn", "websockets", "jwt", "pydantic"):
        if importlib.util.find_spec(name) is None:
            return name
    return ""


def describe(outcome: Outcome, write: Any = None) -> None:
    """Print what the run has shown: warnings as the user sees them, the table of uses, the checks."""
    say = write or sys.stdout.write
    say("1. The legacy service ran untouched. What its owner saw:\n\n")
    for one in outcome.warned:
        shown = os.path.relpath(one.filename) if one.filename.startswith(os.getcwd()) else os.path.basename(one.filename)
        say(f"  {shown}:{one.lineno}: {one.category.__name__}: {one.message}\n")
    say("\n2. What was counted:\n\n")
    rows = [("uses", "kind", "line", "legacy name")]
    rows += [(str(use.count), use.kind, f"chat.py:{use.line}", use.move) for use in compat.usage() if use.file == source_file()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        say(f"  {row[0]:>{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]:<{widths[2]}}  {row[3]}\n")
    say("\n3. What to write instead:\n\n")
    for line in sorted({_instead(one) for one in outcome.warned}):
        say(f"  {line}\n")
    say("\n4. Checks:\n\n")
    for name, holds in outcome.checks:
        say(f"  {'held  ' if holds else 'FAILED'}  {name}\n")


def _instead(one: warnings.WarningMessage) -> str:
    text = str(one.message)
    head = text.partition(" is deprecated")[0]
    rest = text.partition(". Use ")[2].partition(" See ")[0]
    return f"{head}: use {rest}" if rest else head
