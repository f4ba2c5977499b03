"""What an operator does on all workers: list connections, end them, revoke tokens; and what strangers learn of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import pytest

for module in ("starlette", "uvicorn", "websockets", "jwt", "httpx", "redis"):
    pytest.importorskip(module, reason=f"{module} is in the server extra or the test group")

# ruff: noqa: E402

import httpx
import jwt
import websockets

from compat.canonical.factory import set_websocket_manager_factory

SECRET = "a secret of at least thirty-two bytes"
TOKEN = {"Authorization": "Bearer internal"}


@pytest.fixture(params=[1, 2], ids=["one process", "two workers"])
def workers(request: Any, running: Any) -> Any:
    """One server, or two of one Redis, each with a factory of its own."""
    url = request.getfixturevalue("redis_server").url if request.param == 2 else ""

    @contextlib.asynccontextmanager
    async def starting(**changes: Any):
        async with contextlib.AsyncExitStack() as stack:
            servers = []
            for _ in range(request.param):
                set_websocket_manager_factory(None)
                servers.append(await stack.enter_async_context(running(redis_url=url, internal_token="internal", **changes)))
                await servers[-1].service.start()
            yield servers

    return starting


def connect(server: Any, user: str = "u", query: str = "", **claims: Any) -> Any:
    """A connection whose token has these claims."""
    claims = {"sub": user, "exp": time.time() + 600, "iat": int(time.time()) - 5, **claims}
    token = jwt.encode({name: value for name, value in claims.items() if value is not None}, SECRET, "HS256")
    headers = {"Authorization": f"Bearer {token}"}
    return websockets.connect(f"ws://{server.address}/ws{query}", additional_headers=headers)


def web_of(server: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://{server.address}", timeout=20, verify=False)


async def ask(server: Any, method: str, path: str, body: Any = None) -> httpx.Response:
    async with web_of(server) as web:
        return await web.request(method, path, json=body, headers=TOKEN)


def test_connections_of_all_workers_are_listed_in_pages(workers, client_of) -> None:
    async def run() -> None:
        async with workers() as servers, contextlib.AsyncExitStack() as stack:
            for number in range(7):
                server = servers[number % len(servers)]
                link = await stack.enter_async_context(connect(server, f"user{number % 3}", "?thread=one"))
                await client_of(link).hear()
            pages, after = [], ""
            while True:
                answer = await ask(servers[0], "GET", f"/connections?limit=3&after={after}")
                assert answer.status_code == 200
                body = answer.json()
                assert (body["total"], body["workers"]) == (7, {"asked": len(servers), "answered": len(servers)})
                pages.append(body["connections"])
                after = body["next"]
                if after is None:
                    break
            assert [len(page) for page in pages] == [3, 3, 1]
            ids = [entry["connection_id"] for page in pages for entry in page]
            assert ids == sorted(set(ids))
            own = (await ask(servers[-1], "GET", "/connections?user_id=user0")).json()
            assert (own["total"], {entry["user_id"] for entry in own["connections"]}) == (3, {"user0"})
            assert set(own["connections"][0]) == {
                "connection_id", "user_id", "thread_id", "connected_at", "waiting", "sent", "dropped",
            }  # fmt: skip
            assert (await ask(servers[0], "GET", "/connections?user_id=nobody")).json()["connections"] == []

    asyncio.run(run())


def test_a_user_or_one_connection_is_ended_wherever_it_is_and_may_come_back(workers, client_of) -> None:
    async def run() -> None:
        async with workers() as servers:
            first, last = servers[0], servers[-1]
            async with connect(first) as a, connect(last) as b, connect(last) as c, connect(last, "other") as d:
                clients = [client_of(link) for link in (a, b, c, d)]
                hellos = [await client.hear() for client in clients]
                body = {"connection_id": hellos[2]["connection_id"], "code": 4000, "reason": "go"}
                answer = await ask(first, "POST", "/disconnect", body)
                everybody = {"asked": len(servers), "answered": len(servers)}
                assert (answer.status_code, answer.json()) == (200, {"closed": 1, "workers": everybody})
                assert await clients[2].closed() == (4000, "go")
                answer = await ask(first, "POST", "/disconnect", {"user_id": "u", "code": 1012})
                assert answer.json() == {"closed": 2, "workers": everybody}
                for client in clients[:2]:
                    assert (await client.closed())[0] == 1012
                assert (await ask(first, "POST", "/disconnect", {"user_id": "u"})).json()["closed"] == 0
                await clients[3].say(type="ping")
                assert (await clients[3].hear())["type"] == "pong"
                async with connect(first) as again:
                    assert (await client_of(again).hear())["type"] == "connection_established"

    asyncio.run(run())


def test_a_users_tokens_are_revoked_up_to_now_and_newer_ones_hold(workers, client_of) -> None:
    async def run() -> None:
        async with workers() as servers:
            first, last = servers[0], servers[-1]
            async with connect(last) as a, connect(last, "other") as b, connect(first, iat=None) as c:
                old, other, undated = [client_of(link) for link in (a, b, c)]
                for client in (old, other, undated):
                    await client.hear()
                answer = await ask(first, "POST", "/revoke", {"user_id": "u"})
                assert (answer.status_code, answer.json()["closed"]) == (200, 2)
                newer = int(time.time()) + 1
                for client in (old, undated):
                    assert await client.closed() == (4401, "token is revoked; authenticate again")
                for server in servers:
                    for claims in ({}, {"iat": None}):
                        with pytest.raises(websockets.InvalidStatus) as caught:
                            await connect(server, **claims)
                        assert caught.value.response.status_code == 403
                await other.say(type="authenticate", token=jwt.encode({"sub": "other", "exp": time.time() + 60}, SECRET))
                assert (await other.hear())["type"] == "authenticated"
            await asyncio.sleep(max(0.0, newer - time.time()))
            async with connect(last, iat=newer) as link:
                assert (await client_of(link).hear())["type"] == "connection_established"

    asyncio.run(run())


def test_one_token_is_revoked_by_its_id_also_for_who_would_renew_with_it(workers, client_of) -> None:
    async def run() -> None:
        async with workers() as servers:
            first, last = servers[0], servers[-1]
            async with connect(last, jti="stolen") as a, connect(last, jti="mine") as b:
                thief, owner = client_of(a), client_of(b)
                await thief.hear(), await owner.hear()
                answer = await ask(first, "POST", "/revoke", {"token_id": "stolen", "seconds": 600})
                assert answer.json()["closed"] == 1
                assert (await thief.closed())[0] == 4401
                stolen = jwt.encode({"sub": "u", "exp": time.time() + 60, "jti": "stolen"}, SECRET)
                await owner.say(type="authenticate", token=stolen)
                assert (await owner.hear())["code"] == "unauthorized"
                with pytest.raises(websockets.InvalidStatus):
                    await connect(first, jti="stolen")

    asyncio.run(run())


def test_a_worker_that_comes_later_or_was_cut_off_knows_what_is_revoked(running, client_of, redis_server, eventually) -> None:
    async def run() -> None:
        async with contextlib.AsyncExitStack() as stack:
            first = await stack.enter_async_context(running(redis_url=redis_server.url, internal_token="internal"))
            set_websocket_manager_factory(None)
            second = await stack.enter_async_context(running(redis_url=redis_server.url, internal_token="internal"))
            link = await stack.enter_async_context(connect(second, jti="stolen"))
            client = client_of(link)
            await client.hear()
            # The second one's subscription ends, and it is away while the first is told.
            listener = second.factory.backplane._link
            real, listener._on_message = listener._on_message, lambda channel, data: asyncio.sleep(0)
            answer = (await ask(first, "POST", "/revoke", {"token_id": "stolen"})).json()
            assert answer == {"closed": 0, "workers": {"asked": 2, "answered": 1}}
            listener._on_message = real
            await client.say(type="ping")
            assert (await client.hear())["type"] == "pong"
            redis_server.stop()
            redis_server.start()
            assert (await client.closed())[0] == 4401
            set_websocket_manager_factory(None)
            third = await stack.enter_async_context(running(redis_url=redis_server.url, internal_token="internal"))
            with pytest.raises(websockets.InvalidStatus):
                await connect(third, jti="stolen")

    asyncio.run(run())


MISTYPED = [
    ("GET", "/connections?limit=0", None, "ask with ?user_id=, ?after= and ?limit=, a number from 1 to 1000"),
    ("GET", "/connections?limit=1001", None, "ask with"),
    ("GET", "/connections?limit=%D9%A3", None, "ask with"),
    ("GET", "/connections?user=u", None, "ask with"),
    ("POST", "/disconnect", {}, "give either 'user_id' or 'connection_id', as text of 1 to 1000 characters"),
    ("POST", "/disconnect", {"user_id": "u", "connection_id": "c"}, "give either"),
    ("POST", "/disconnect", {"user_id": ""}, "give either"),
    ("POST", "/disconnect", {"user_id": ["u"]}, "give either"),
    ("POST", "/disconnect", {"users": "u"}, "'users' is no field here; give either"),
    ("POST", "/disconnect", {"user_id": "u", "code": 1006}, "'code' must be one of 1000, 1001, 1008, 1012, 1013, or from"),
    ("POST", "/disconnect", {"user_id": "u", "code": True}, "'code' must be"),
    ("POST", "/disconnect", {"user_id": "u", "reason": "x" * 124}, "'reason' must be text of at most 123 bytes"),
    ("POST", "/revoke", {"user_id": "u", "seconds": 0}, "'seconds' must be a number from 1 to 31622400"),
    ("POST", "/revoke", {"token_id": 7}, "give either 'user_id' or 'token_id', as text of 1 to 1000 characters"),
    ("POST", "/revoke", [1], "give either"),
]


def test_what_an_operator_mistypes_is_refused_and_does_nothing(running, client_of) -> None:
    async def run() -> None:
        async with running(internal_token="internal") as server, server.connect() as link:
            client = client_of(link)
            await client.hear()
            async with web_of(server) as web:
                for method, path, body, error in MISTYPED:
                    answer = await web.request(method, path, json=body, headers=TOKEN)
                    assert (answer.status_code, answer.json()["error"].startswith(error)) == (400, True), answer.text
            assert server.service.refusals["http", "400"] == len(MISTYPED)
            await client.say(type="ping")
            assert (await client.hear())["type"] == "pong"

    asyncio.run(run())


def test_strangers_learn_nothing_and_change_nothing(running, client_of) -> None:
    async def run() -> None:
        for settings in ({"internal_token": "internal"}, {}):
            async with running(**settings) as server, server.connect() as link, web_of(server) as web:
                client = client_of(link)
                await client.hear()
                for method, path, body in (
                    ("GET", "/connections", None),
                    ("POST", "/disconnect", {"user_id": "u"}),
                    ("POST", "/revoke", {"user_id": "u"}),
                ):
                    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer internal2"}):
                        answer = await web.request(method, path, json=body, headers=headers)
                        assert answer.status_code == 403
                        assert answer.json() == {
                            "error": "send 'Authorization: Bearer <token>'; the server has it as COMPAT_WS_INTERNAL_TOKEN"
                        }
                await client.say(type="ping")
                assert (await client.hear())["type"] == "pong"
                assert server.service.refusals["http", "403"] == 9

    asyncio.run(run())


def test_revocations_are_bounded_end_with_their_time_and_never_shrink() -> None:
    from compat.canonical.auth import Revocations

    now = [1000.0]
    revoked = Revocations(clock=lambda: now[0])
    assert not revoked.cover("u", {})
    revoked.add("u:u", revoked.value("u:u", 100))
    assert revoked.cover("u", {"iat": 1000}) and revoked.cover("u", {"iat": True}) and revoked.cover("u", {})
    assert not revoked.cover("u", {"iat": 1000.5}) and not revoked.cover("v", {"iat": 1})
    now[0] = 1050.0
    revoked.add("u:u", revoked.value("u:u", 10))  # the first one holds on
    assert revoked.cover("u", {"iat": 1049}) and not revoked.cover("u", {"iat": 1051})
    now[0] = 1099.0
    assert revoked.cover("u", {}) and revoked.expired() == []
    now[0] = 1101.0
    assert not revoked.cover("u", {})
    assert (revoked.expired(), len(revoked)) == (["u:u"], 0)
    revoked.replace({"t:x": "1101.0 2000.0"})
    assert revoked.cover("v", {"jti": "x"}) and not revoked.cover("v", {"jti": ["x"]}) and len(revoked) == 1
