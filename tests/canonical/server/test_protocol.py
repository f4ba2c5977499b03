"""The page of the protocol: its conversations are held with a real server, and it names every message, error and bound."""

from __future__ import annotations

import asyncio
import json
import pathlib
import re
import time
from typing import Any

import pytest

from compat.canonical import close_codes
from compat.canonical.limits import Limits
from compat.canonical.server import conversation, session
from compat.canonical.settings import Settings

SECRET = "a secret of at least thirty-two bytes"  # the server's
PAGE = (pathlib.Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")
CONVERSATIONS = re.findall(r"^```ws\n(.*?)^```$", PAGE, flags=re.S | re.M)


def token(user: str = "u", seconds: float = 3600) -> str:
    """A token that the server takes."""
    return pytest.importorskip("jwt").encode({"sub": user, "exp": time.time() + seconds}, SECRET, "HS256")


def filled(text: str, known: dict[str, Any]) -> str:
    """``text`` with the values that the server has chosen so far."""
    return re.sub(r"<(\w+)>", lambda found: str(known[found.group(1)]), text)


def check(expected: Any, got: Any, known: dict[str, Any]) -> None:
    """Compare, and learn what ``<name>`` stands for."""
    if isinstance(expected, dict):
        assert isinstance(got, dict) and list(expected) == list(got), (expected, got)
        for name, value in expected.items():
            check(value, got[name], known)
    elif isinstance(expected, str) and (found := re.fullmatch(r"<(\w+)>", expected)):
        assert known.setdefault(found.group(1), got) == got
    else:
        assert expected == got and type(expected) is type(got), (expected, got)


@pytest.mark.parametrize("text", CONVERSATIONS, ids=range(len(CONVERSATIONS)))
def test_a_conversation_of_the_page_is_held_as_printed(running, text: str) -> None:
    async def handle(manager: Any, connection: Any, message: Any) -> None:
        """The application has nothing to say."""

    async def run() -> None:
        known: dict[str, Any] = {"token": token(seconds=7200), "foreign": token("somebody-else")}
        async with running(handle) as server:
            link: Any = None
            for line in text.splitlines():
                word, _, rest = line.partition(" ")
                if word == "connect":
                    link = await server.connect(filled(rest, known))
                elif word == "cut":
                    link.transport.abort()
                    while server.factory.stats()["connections"]:
                        await asyncio.sleep(0.01)
                elif word == "publish":
                    await server.manager().send(json.loads(rest))
                elif word == ">":
                    await link.send(filled(rest, known))
                else:
                    assert word == "<", line
                    check(json.loads(rest), json.loads(await asyncio.wait_for(link.recv(), 20)), known)
            await link.send('{"type": "ping"}')
            assert json.loads(await asyncio.wait_for(link.recv(), 20))["type"] == "pong"  # nothing else was said
            await link.close()

    asyncio.run(run())


def test_the_page_names_every_message_of_clients_every_error_and_every_reason() -> None:
    source = pathlib.Path(conversation.__file__).read_text(encoding="utf-8")
    codes = set(re.findall(r'_error\("(\w+)"', source)) | set(re.findall(r'_refuse\(message, "(\w+)"', source))
    assert codes == {"malformed", "unknown_type", "busy", "rate_limited"}
    codes |= {"wrong_user", *map(session._code_of, close_codes.CLOSE_CODES)}
    assert codes >= {"unauthorized", "unavailable"}
    for name in (*codes, *conversation._OWN):
        assert f"| `{name}` |" in PAGE
    for reason in ("epoch_changed", "history_expired", "unknown_position", "slow_consumer"):
        assert reason in PAGE


def test_the_bounds_of_the_page_are_the_defaults() -> None:
    settings, limits = Settings(), Limits()
    bounds = PAGE[PAGE.index("## Bounds") :]
    assert settings.max_message_bytes == 64 * 1024 and "64 KiB" in bounds
    assert settings.waiting_messages == 16 and "sixteen" in bounds
    assert limits.connections_per_user == 20 and "twenty" in bounds
    for number in (settings.messages_per_minute, limits.history_events, limits.replays_per_minute):
        assert f"{number:,}" in bounds
    assert settings.malformed_limit == 10 and "ten of them" in PAGE
