"""Positions that no stream has, from real clients of a real server over a real Redis: their senders alone notice."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from types import SimpleNamespace
from urllib.parse import quote

import pytest

for module in ("starlette", "uvicorn", "websockets", "jwt", "httpx", "redis"):
    pytest.importorskip(module, reason=f"{module} is in the server extra or the test group")

# ruff: noqa: E402, SIM117
import httpx
import jwt
import websockets
from websockets.exceptions import ConnectionClosed

from compat.canonical.core.backplane import InProcessBackplane
from compat.canonical.core.events import GREATEST_SEQ, Position
from compat.canonical.errors import BackplaneUnavailable
from compat.canonical.server.app import create_app
from compat.canonical.server.serve import build_server, listen
from compat.canonical.settings import Settings

SECRET = "a secret of at least thirty-two bytes"

# As they stand in a URL.
TEXTS = [
    "99999999999999999999999",
    "18446744073709551616",
    str(GREATEST_SEQ + 1),
    "9" * 5000,
    "-1",
    "-99999999999999999999999",
    "+1",
    " 1",
    "1_0",
    "1.5",
    "1e3",
    "NaN",
    "0x10",
    "\u0663",
    "\u00b2",
    "\uff11",
    "\x00",
    "1\n",
    "-",
    "$",
    "1-0",
]
# As they stand in JSON.
VALUES = [
    "99999999999999999999999",
    "18446744073709551616",
    str(GREATEST_SEQ + 1),
    "1" + "0" * 400,
    "-1",
    "-99999999999999999999999",
    "1.5",
    "1e3",
    "1e300",
    "-1e300",
    "true",
    "null",
    "[1]",
    "{}",
    '"-1"',
    '"99999999999999999999999"',
    '"\u0663"',
    '"\\ud800"',
    '"1\\u0000"',
]


@contextlib.asynccontextmanager
async def serving(redis_url: str):
    listener = listen("127.0.0.1", 0, 10)
    port = listener.getsockname()[1]
    settings = Settings(
        jwt_secret=SECRET, port=port, environment="test", redis_url=redis_url, malformed_limit=1000, internal_token="t"
    )
    app = create_app(settings)
    server = build_server(settings, app, log_level="info")
    running = asyncio.ensure_future(server.serve(sockets=[listener]))
    headers = {"Authorization": f"Bearer {jwt.encode({'sub': 'mallory_1', 'exp': 4_000_000_000}, SECRET, 'HS256')}"}

    def connect(query: str = ""):
        return websockets.connect(f"ws://127.0.0.1:{port}/ws{query}", additional_headers=headers)

    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as web:
            yield app.state.service, connect, web
    finally:
        server.should_exit = True
        await running
        listener.close()


async def received(client) -> dict:
    return json.loads(await asyncio.wait_for(client.recv(), 20))


def test_a_client_that_connects_with_a_malformed_number_is_told_to_resync_and_reddens_nothing(redis_server, caplog) -> None:
    async def run() -> None:
        async with serving(redis_server.url) as (service, connect, web):
            async with connect() as client:
                epoch = (await received(client))["epoch"]
            for text in TEXTS:
                async with connect(f"?epoch={epoch}&seq={quote(text)}") as client:
                    # Before the watcher could have made it green again.
                    assert service.health()["backplane"]["error"] is None, text[:30]
                    hello, notice = await received(client), await received(client)
                    assert (hello["type"], hello["resumed"]) == ("connection_established", False), text[:30]
                    assert (notice["type"], notice["reason"], notice["seq"]) == ("resync", "unknown_position", 0), text[:30]
                    assert (await web.get("/readyz")).status_code == 200, text[:30]

    redis_server.run(run())
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING and r.name.startswith("compat")]


def test_a_resume_message_with_a_malformed_number_is_answered_and_the_connection_lives_on(redis_server, caplog) -> None:
    async def run() -> None:
        async with serving(redis_server.url) as (service, connect, web):
            async with connect() as client:
                epoch = (await received(client))["epoch"]
                for value in VALUES:
                    await client.send(f'{{"type": "resume", "epoch": "{epoch}", "seq": {value}}}')
                    assert (await received(client))["code"] == "malformed", value[:30]
                    assert service.health()["backplane"]["error"] is None, value[:30]
                for value in ("1", str(GREATEST_SEQ), f'"{GREATEST_SEQ}"'):
                    await client.send(f'{{"type": "resume", "epoch": "{epoch}", "seq": {value}}}')
                    assert (await received(client))["reason"] == "unknown_position", value
                    assert service.health()["backplane"]["error"] is None, value
                await client.send('{"type": "ping"}')
                assert (await received(client))["type"] == "pong"
                assert (await web.get("/readyz")).status_code == 200

    redis_server.run(run())
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING and r.name.startswith("compat")]


@pytest.mark.parametrize("seq", [-1, -(2**70), GREATEST_SEQ + 1, 2**63, 2**64, 10**30])
def test_a_position_out_of_range_is_unknown_to_both_backplanes_and_not_sent_to_redis(seq, redis_server) -> None:
    async def run() -> None:
        redis, memory = redis_server.worker().backplane, InProcessBackplane()
        await redis.start()
        try:
            for backplane in (redis, memory):
                here = await backplane.position("u")
                replay = await backplane.replay("u", Position(here.epoch, seq))
                assert (replay.events, replay.position, replay.resync) == ([], here, "unknown_position")
                assert backplane.health()["healthy"]
        finally:
            await redis.close()

    redis_server.run(run())


def test_an_answer_that_refuses_one_request_is_no_outage_and_one_that_refuses_all_is(redis_server, eventually) -> None:
    async def run() -> None:
        factory = redis_server.worker(ping_interval=30)  # no watcher that makes it green again
        backplane = factory.backplane
        await factory.start()
        await backplane._client.set(backplane._keys("u")[1], "not a stream")
        await backplane._client.hset(backplane._keys("u")[0], "epoch", "e")
        with pytest.raises(BackplaneUnavailable, match="^Redis refuses: "):
            await factory.get(SimpleNamespace(user_id="u")).history()
        assert factory.health()["healthy"] and factory.health()["backplane"]["error"] is None
        await backplane._client.execute_command("ACL", "SETUSER", "default", "-xrange")
        with pytest.raises(BackplaneUnavailable, match="^Redis refuses: "):
            await factory.get(SimpleNamespace(user_id="v")).history()
        assert not factory.health()["healthy"]

    redis_server.run(run())


@pytest.mark.slow
def test_a_client_that_comes_while_redis_is_away_is_told_neither_its_address_nor_a_command(redis_server, caplog) -> None:
    async def run() -> None:
        async with serving(redis_server.url) as (_, connect, web):
            async with connect() as early:
                epoch = (await received(early))["epoch"]
                redis_server.stop()
                await early.send(f'{{"type": "resume", "epoch": "{epoch}", "seq": 0}}')
                async with connect(f"?epoch={epoch}&seq=0") as late:
                    for client in (early, late):
                        with pytest.raises(ConnectionClosed) as told:
                            await asyncio.wait_for(client.recv(), 20)
                        assert (told.value.rcvd.code, told.value.rcvd.reason) == (
                            1013,
                            "events are unavailable; connect again later",
                        )
            page = await web.get("/readyz")
            assert page.status_code == 503
            assert page.json() == {"healthy": False, "draining": False}

    redis_server.run(run())
    assert str(redis_server.port) in caplog.text and "Traceback" not in caplog.text


def test_more_clients_at_once_than_there_are_connections_to_redis_are_all_served_and_no_outage(redis_server) -> None:
    async def run() -> None:
        factory = redis_server.worker(ping_interval=30)  # no watcher that makes it green again
        await factory.start()
        managers = [factory.get(SimpleNamespace(user_id=f"u{number}")) for number in range(500)]
        assert await asyncio.gather(*(manager.history() for manager in managers)) == [[]] * 500
        assert factory.health()["healthy"] and factory.health()["backplane"]["error"] is None
        given_up = [asyncio.ensure_future(manager.history()) for manager in managers]
        await asyncio.sleep(0)
        for task in given_up[::2]:
            task.cancel()
        answers = await asyncio.gather(*given_up, return_exceptions=True)
        assert answers[1::2] == [[]] * 250 and await managers[0].history() == []
        assert factory.health()["backplane"]["error"] is None

    redis_server.run(run())
