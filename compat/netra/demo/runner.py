"""Runs the demo: server, legacy service, clients; checks what everybody received; tells what was seen of legacy use."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import os
import secrets
import socket
import sys
import textwrap
import warnings
from types import ModuleType
from typing import Any

import compat

USERS = ("6f1c9a1e-4f0e-4b7e-9a55-0d3f5a1b2c01", "6f1c9a1e-4f0e-4b7e-9a55-0d3f5a1b2c02", "6f1c9a1e-4f0e-4b7e-9a55-0d3f5a1b2c03")
QUESTIONS = ("How much is it?", "And why?")
WIDTH = 80
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
    spec = importlib.util.find_spec("compat.netra.demo.chat")
    assert spec is not None and spec.origin is not None
    return spec.origin


def source() -> str:
    """The text of the legacy service, out of a zip file too."""
    spec = importlib.util.find_spec("compat.netra.demo.chat")
    assert spec is not None
    loader: Any = spec.loader
    return str(loader.get_source(spec.name))


def service() -> Any:
    """The legacy service, run as a module of its own: what lies in this package is no user of legacy names."""
    made: Any = ModuleType("chat")
    made.__file__ = source_file()
    exec(compile(source(), made.__file__, "exec"), vars(made))
    return made


def run() -> Outcome:
    """Run the whole demo in this process."""
    outcome = Outcome()
    importlib.import_module("compat.auto")
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
    from compat.canonical.core.events import CRITICAL_EVENTS
    from compat.canonical.core.manager import UnifiedWebSocketManager
    from compat.canonical.errors import FactoryBypassDetected
    from compat.canonical.factory import get_websocket_manager_factory
    from compat.canonical.server.app import create_app
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

        await service().serve(USERS, QUESTIONS)  # the legacy paths are imported here, by the service itself
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
        shown = os.path.basename(one.filename)
        say(f"  {shown}:{one.lineno}: {one.category.__name__}: {one.message}\n")
    say("\n2. What was counted, where, and what to write instead:\n\n")
    for line in _table([use for use in compat.usage() if use.file == source_file()], outcome.warned):
        say(f"{line}\n")
    say("\n3. Checks:\n\n")
    for name, holds in outcome.checks:
        say(f"  {'held  ' if holds else 'FAILED'}  {name}\n")


def _table(uses: list[Any], warned: list[warnings.WarningMessage]) -> list[str]:
    """The uses, those of one move together, in lines that fit a terminal; below each move what to write instead."""
    by_move: dict[str, list[Any]] = {}
    for use in uses:
        by_move.setdefault(use.move, []).append(use)
    lines = [f"  {'uses':>4} {'kind':<9}  {'where':<10} what"]
    for id, of_move in by_move.items():
        # A path too long for the line is broken behind the module.
        what = [id] if len(id) <= WIDTH - 29 else [f"{id.partition(':')[0]}:", id.partition(":")[2]]
        for use in of_move:
            lines.append(f"  {use.count:>4} {use.kind:<9}  {f'chat.py:{use.line}':<10} {what[0]}")
            lines += [" " * 29 + part for part in what[1:]]
        said = _instead(id, of_move[0].line, warned)
        lines += textwrap.wrap(said, WIDTH, initial_indent=" " * 8 + "-> ", subsequent_indent=" " * 11)
    return lines


def _instead(move: str, line: int, warned: list[warnings.WarningMessage]) -> str:
    """What the warning of a move at a line says to write instead."""
    name = move.partition(":")[2]
    for one in warned:
        head, _, rest = str(one.message).partition(" is deprecated since ")
        if one.lineno == line and f" {name}" in head:
            return rest.partition(". ")[2].partition(" See ")[0]
    return ""
