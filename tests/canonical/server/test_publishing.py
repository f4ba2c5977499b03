"""The doors by which others send: HTTP behind the internal token, and a process of its own through Redis."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest

for module in ("starlette", "uvicorn", "websockets", "jwt", "httpx", "redis"):
    pytest.importorskip(module, reason=f"{module} is in the server extra or the test group")

# ruff: noqa: E402, SIM117

import httpx

from compat.canonical import BackplaneUnavailable, Limits, Position, Publisher, SettingsError

TOKEN = {"Authorization": "Bearer internal"}


@pytest.fixture(params=["in-process", "redis"])
def where(request: Any) -> dict[str, Any]:
    """Settings of one process, or of several."""
    redis = {"redis_url": request.getfixturevalue("redis_server").url} if request.param == "redis" else {}
    return {"internal_token": "internal", **redis}


def test_an_event_posted_reaches_the_user_and_one_thread_where_it_is_named(running, client_of, where) -> None:
    async def run() -> None:
        async with running(**where) as server, httpx.AsyncClient(base_url=f"http://{server.address}") as web:
            async with server.connect("?thread=one") as link:
                client = client_of(link)
                hello = await client.hear()
                for thread in ("two", "one"):
                    body = {"user_id": "u", "thread_id": thread, "message": {"type": "note", "thread": thread}}
                    answer = await web.post("/publish", json=body, headers=TOKEN)
                    assert answer.status_code == 200
                assert answer.json() == {"seq": 2, "epoch": hello["epoch"], "receivers": 1, "kept": True}
                assert (await client.hear())["thread"] == "one"
            kept = await web.post("/publish", json={"user_id": "away", "message": {"type": "note"}}, headers=TOKEN)
            assert (kept.json()["receivers"], kept.json()["kept"]) == (0, True)

    asyncio.run(run())


def test_a_post_repeated_with_its_key_is_published_once(running, client_of, where) -> None:
    async def run() -> None:
        async with running(**where) as server, server.connect() as link:
            async with httpx.AsyncClient(base_url=f"http://{server.address}", timeout=30) as web:
                client = client_of(link)
                await client.hear()

                async def post(key: str, user: str = "u") -> dict[str, Any]:
                    body = {"user_id": user, "message": {"type": "note", "key": key}}
                    return (await web.post("/publish", json=body, headers={**TOKEN, "Idempotency-Key": key})).json()

                answers = await asyncio.gather(*(post(key) for key in ["a", "b"] * 20))
                assert {answer["seq"] for answer in answers} == {1, 2}
                assert (await post("a", "v"))["seq"] == 1  # another user's
                assert (await post("c"))["seq"] == 3
                assert sorted([(await client.hear())["key"] for _ in range(3)]) == ["a", "b", "c"]
                assert (await server.manager().send({"type": "note"}, idempotency_key="c")).seq == 3

    asyncio.run(run())


@pytest.mark.parametrize(
    ("body", "headers", "status", "error"),
    [
        (b"{}", {}, 403, "send 'Authorization: Bearer <token>'; the server has it as COMPAT_WS_INTERNAL_TOKEN"),
        (b"{}", {"Authorization": "Bearer wrong"}, 403, "send 'Authorization: Bearer <token>'; "),
        (b"{broken", TOKEN, 400, "the body is not JSON"),
        (b"\xff\xfe", TOKEN, 400, "the body is not JSON"),
        (b"[" * 50_000, TOKEN, 400, "the body is not JSON"),
        (b"[]", TOKEN, 400, 'send {"user_id": text, "message": {"type": text, ...}}, and "thread_id" for one thread'),
        (b'{"user_id": "u", "message": {"n": 1}}', TOKEN, 400, 'send {"user_id": text, '),
        (b'{"user_id": 7, "message": {"type": "x"}}', TOKEN, 400, "UserExecutionContext required for proper user isolation: "),
        (b'{"user_id": " ", "message": {"type": "x"}}', TOKEN, 400, "UserExecutionContext required"),
        (b'{"user_id": "u", "thread_id": 1, "message": {"type": "x"}}', TOKEN, 400, "thread_id is 1; give a non-empty str"),
        (b'{"user_id": "u", "message": {"type": "x"}}', {**TOKEN, "Idempotency-Key": "k" * 201}, 400, "Idempotency-Key must "),
        (b"x" * 70_000, TOKEN, 413, "the body is longer than 65536 bytes"),
    ],
)
def test_what_cannot_be_published_is_refused_with_its_reason_and_costs_nobody_else_anything(
    running, client_of, body, headers, status, error
) -> None:
    async def run() -> None:
        async with running(internal_token="internal") as server, server.connect() as link:
            client = client_of(link)
            await client.hear()
            async with httpx.AsyncClient(base_url=f"http://{server.address}") as web:
                answer = await web.post("/publish", content=body, headers=headers)
                assert (answer.status_code, answer.json()["error"].startswith(error)) == (status, True), answer.text
                assert (await web.get("/publish", headers=TOKEN)).status_code == 405
                assert (await web.get("/readyz")).status_code == 200
            await client.say(type="ping")
            assert (await client.hear())["type"] == "pong"

    asyncio.run(run())


def test_without_an_internal_token_nobody_publishes_by_http_and_full_is_429(running) -> None:
    async def run() -> None:
        body = {"user_id": "u", "message": {"type": "note"}}
        async with running() as server, httpx.AsyncClient(base_url=f"http://{server.address}") as web:
            assert (await web.post("/publish", json=body, headers={"Authorization": "Bearer"})).status_code == 403
        full = {"internal_token": "internal", "limits": Limits(managers=1)}
        async with running(**full) as server, httpx.AsyncClient(base_url=f"http://{server.address}") as web:
            server.manager("other")
            answer = await web.post("/publish", json=body, headers=TOKEN)
            assert (answer.status_code, answer.json()["error"].startswith("limit of 1 managers is reached")) == (429, True)

    asyncio.run(run())


def test_a_process_without_a_server_publishes_through_redis(running, client_of, redis_server) -> None:
    program = (
        "import sys\n"
        "from compat.canonical import Publisher\n"
        "with Publisher(sys.argv[1]) as publisher:\n"
        "    for n in (1, 2):\n"
        "        publisher.send('u', {'type': 'note', 'n': n})\n"
        "    for _ in range(3):\n"
        "        print(*publisher.send('u', {'type': 'agent_completed'}, thread_id='one', idempotency_key='report-7')[::2])\n"
        "print('asyncio' in sys.modules and 'compat.canonical.factory' in sys.modules)\n"
    )

    async def run() -> None:
        async with running(redis_url=redis_server.url) as server, server.connect("?thread=one") as link:
            client = client_of(link)
            hello = await client.hear()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", program, redis_server.url, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            said, _ = await process.communicate()
            assert said.decode().split() == ["3", "1", "3", "1", "3", "1", "False"], said
            heard = [await client.hear() for _ in range(3)]
            assert [(m["type"], m["seq"]) for m in heard] == [("note", 1), ("note", 2), ("agent_completed", 3)]
            await server.manager().send({"type": "end"})
            assert (await client.hear())["seq"] == 4
            events = await server.manager().history(Position(hello["epoch"], 2))
            assert (events[0].critical, events[0].thread_id) == (True, "one")

    asyncio.run(run())


def test_a_publisher_says_what_is_wrong(redis_server) -> None:
    with pytest.raises(SettingsError, match="REDIS_URL cannot be used"):
        Publisher("nothing://host")
    with Publisher(redis_server.url) as publisher:
        for user in ("", " ", None):
            with pytest.raises(ValueError, match="user_id must be a non-empty string"):
                publisher.send(user, {"type": "note"})
        with pytest.raises(ValueError, match="not text that UTF-8 can hold"):
            publisher.send("\ud800", {"type": "note"})
        redis_server.stop()
        with pytest.raises(BackplaneUnavailable, match="Redis does not answer") as caught:
            publisher.send("u", {"type": "note"})
        assert caught.value.uncertain
        redis_server.start()
        assert json.dumps(publisher.send("u", {"type": "note"}).kept) == "true"
