"""One message to all users over all workers: from a worker, from a process without a server, and by HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from typing import Any

import pytest

for module in ("starlette", "uvicorn", "websockets", "jwt", "httpx", "redis"):
    pytest.importorskip(module, reason=f"{module} is in the server extra or the test group")

# ruff: noqa: E402, SIM117

import httpx

from compat.canonical import BackplaneUnavailable, Publisher, Settings, SettingsError
from compat.canonical.factory import WebSocketManagerFactory, set_websocket_manager_factory

TOKENS = {"internal_token": "internal", "broadcast_token": "everybody"}
TOKEN = {"Authorization": "Bearer everybody"}


@contextlib.asynccontextmanager
async def two_workers(running: Any, url: str):
    """Two servers of one Redis, each with its own factory, as two processes have them."""
    async with running(redis_url=url, **TOKENS) as first:
        set_websocket_manager_factory(None)
        async with running(redis_url=url, **TOKENS) as second:
            assert first.factory is not second.factory
            yield first, second


def test_a_broadcast_reaches_each_user_once_on_every_worker_with_a_place_in_the_own_stream(
    running, client_of, redis_server
) -> None:
    async def run() -> None:
        async with two_workers(running, redis_server.url) as (first, second):
            async with first.connect(user="ann") as a, second.connect(user="ann") as b, second.connect(user="bob") as c:
                clients = [client_of(link) for link in (a, b, c)]
                hellos = [await client.hear() for client in clients]
                await second.manager("ann").send({"type": "note"})
                assert await first.factory.broadcast({"type": "news", "n": 1}) == 2
                await first.manager("ann").send({"type": "note"})
                for client in clients[:2]:
                    assert [((m := await client.hear())["type"], m["seq"]) for _ in range(3)] == [
                        ("note", 1),
                        ("news", 2),
                        ("note", 3),
                    ]
                assert (await clients[2].hear())["seq"] == 1
                assert await second.factory.broadcast({"type": "news"}, exclude=["ann"]) == 1
                assert (await clients[2].hear())["seq"] == 2
            # Bob has left, and comes back to the other worker.
            while second.factory.stats()["connections"] or first.factory.stats()["connections"]:
                await asyncio.sleep(0.01)
            assert await first.factory.broadcast({"type": "news", "n": 3}) == 2
            async with first.connect(f"?epoch={hellos[2]['epoch']}&seq=2", user="bob") as link:
                client = client_of(link)
                assert (await client.hear())["resumed"] is True
                assert ((m := await client.hear())["n"], m["seq"]) == (3, 3)

    asyncio.run(run())


@pytest.mark.parametrize("redis", [False, True], ids=["in-process", "redis"])
def test_a_post_reaches_all_and_once_under_its_key(running, client_of, request, redis) -> None:
    where = {"redis_url": request.getfixturevalue("redis_server").url} if redis else {}

    async def run() -> None:
        async with running(**TOKENS, **where) as server, contextlib.AsyncExitStack() as stack:
            clients = [client_of(await stack.enter_async_context(server.connect(user=f"u{n}"))) for n in range(3)]
            for client in clients:
                await client.hear()
            server.manager("never connected")
            web = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://{server.address}", headers=TOKEN))
            for _ in range(2):
                answer = await web.post("/broadcast", json={"message": {"type": "news"}}, headers={"Idempotency-Key": "k"})
                assert (answer.status_code, answer.json()) == (200, {"users": 3})
            answer = await web.post("/broadcast", json={"message": {"type": "end"}, "exclude": ["u2"]})
            assert answer.json() == {"users": 2}
            for client in clients[:2]:
                assert [((m := await client.hear())["type"], m["seq"]) for _ in range(2)] == [("news", 1), ("end", 2)]
            assert [event.type for event in await server.manager("u2").history()] == ["news"]

    asyncio.run(run())


REFUSED = [
    (b"{}", {}, 403, "send 'Authorization: Bearer <token>'; the server has it as COMPAT_WS_BROADCAST_TOKEN"),
    (b"{}", {"Authorization": "Bearer internal"}, 403, "send 'Authorization: Bearer <token>'; "),
    (b"{", TOKEN, 400, "the body is not JSON"),
    (b'{"message": {"type": 7}}', TOKEN, 400, 'send {"message": {"type": text, ...}}'),
    (b'{"message": {"type": "x"}, "exclude": "ann"}', TOKEN, 400, 'send {"message": {"type": text, ...}}'),
    (b'{"message": {"type": "x"}, "user_id": "u"}', TOKEN, 400, "'user_id' is no field here; "),
    (b" " * 70_000, TOKEN, 413, "the body is longer than 65536 bytes"),
]


def test_a_broadcast_has_an_authorisation_of_its_own_and_says_what_is_wrong(running) -> None:
    async def run() -> None:
        async with running(**TOKENS) as server, httpx.AsyncClient(base_url=f"http://{server.address}") as web:
            for body, headers, status, error in REFUSED:
                answer = await web.post("/broadcast", content=body, headers=headers)
                assert (answer.status_code, answer.json()["error"].startswith(error)) == (status, True), answer.text
            assert server.service.refusals == {("http", "400"): 4, ("http", "403"): 2, ("http", "413"): 1}
        async with running(internal_token="internal") as server:
            async with httpx.AsyncClient(base_url=f"http://{server.address}") as web:
                assert (await web.post("/broadcast", content=b"{}", headers={"Authorization": "Bearer"})).status_code == 403

    asyncio.run(run())
    with pytest.raises(SettingsError, match="broadcast_token is internal_token"):
        Settings(internal_token="one", broadcast_token="one")
    with pytest.raises(SettingsError, match="broadcast_token holds what no HTTP header carries"):
        Settings(broadcast_token="zwölf\n")


def test_a_process_without_a_server_broadcasts_through_redis(running, client_of, redis_server) -> None:
    program = (
        "import sys\n"
        "from compat.canonical import Publisher\n"
        "with Publisher(sys.argv[1]) as publisher:\n"
        "    for _ in range(2):\n"
        "        print(publisher.broadcast({'type': 'news'}, idempotency_key='once'))\n"
        "    print(publisher.broadcast({'type': 'end'}, exclude=['u1']))\n"
    )

    async def run() -> None:
        async with running(redis_url=redis_server.url) as server:
            async with server.connect(user="u1") as one, server.connect(user="u2") as two:
                clients = [client_of(link) for link in (one, two)]
                for client in clients:
                    await client.hear()
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-c", program, redis_server.url, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
                )
                said, _ = await process.communicate()
                assert said.decode().split() == ["2", "2", "1"], said
                assert [((m := await clients[1].hear())["type"], m["seq"]) for _ in range(2)] == [("news", 1), ("end", 2)]
                assert (await clients[0].hear())["type"] == "news"

    asyncio.run(run())


def test_more_users_than_a_batch_holds_are_reached_and_a_redis_that_is_away_is_reported(redis_server) -> None:
    async def run() -> None:
        worker = redis_server.worker()
        await worker.start()
        users = [f"user{number}" for number in range(300)]
        for user in users:
            await worker.backplane.position(user)  # as a connection asks
        assert await worker.broadcast({"type": "news"}, idempotency_key="a") == 300
        with Publisher(redis_server.url) as publisher:
            assert publisher.broadcast({"type": "news"}, idempotency_key="a") == 300
            places = {(await worker.backplane.position(user)).seq for user in users}
            assert places == {1}
            redis_server.stop()
            with pytest.raises(BackplaneUnavailable, match="Redis does not answer") as caught:
                publisher.broadcast({"type": "news"})
            assert caught.value.uncertain
            with pytest.raises(BackplaneUnavailable, match="Redis does not answer") as caught:
                await worker.broadcast({"type": "news"})
            redis_server.start()
        with pytest.raises(BackplaneUnavailable, match="not started"):
            await WebSocketManagerFactory(backplane=type(worker.backplane)(redis_server.url)).broadcast({"type": "news"})

    redis_server.run(run())
