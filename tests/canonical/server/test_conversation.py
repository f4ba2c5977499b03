"""What clients say: handlers run beside the reading, in order and bounded; what a message causes is what it costs."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from compat.canonical.limits import Limits


def test_a_handler_longer_than_the_heartbeat_harms_nobody_and_pings_and_resumes_go_on(running, client_of) -> None:
    begun = []

    async def work(manager, connection, message) -> None:
        begun.append(message["n"])
        await asyncio.sleep(1.5 if message["n"] == 1 else 0)
        await manager.emit("done", {"n": message["n"]})

    async def run() -> None:
        async with running(work, heartbeat_interval=0.3, heartbeat_timeout=0.3) as server, server.connect() as link:
            client = client_of(link)
            hello = await client.hear()
            for number in (1, 2, 3):
                await client.say(type="work", n=number, ack=f"job-{number}")
            await client.say(type="ping")
            assert (await client.hear())["type"] == "pong"
            await client.say(type="resume", epoch=hello["epoch"], seq=0, ack="back")
            assert await client.hear() == {"type": "ack", "ack": "back"}
            assert begun == [1]
            heard = [await client.hear() for _ in range(6)]
            assert [m.get("n", m.get("ack")) for m in heard] == [1, "job-1", 2, "job-2", 3, "job-3"]
            assert begun == [1, 2, 3]

    asyncio.run(run())


def test_a_message_that_finds_no_room_is_refused_and_the_connection_stays(running, client_of) -> None:
    async def run() -> None:
        gate = asyncio.Event()

        async def work(manager, connection, message) -> None:
            await gate.wait()

        async with running(work, waiting_messages=2, heartbeat_timeout=0.4) as server, server.connect() as link:
            client = client_of(link)
            await client.hear()
            for number in range(4):
                await client.say(type="work", ack=number)
            assert await client.hear() == {
                "type": "error",
                "code": "busy",
                "message": "earlier messages are still being handled; send this one again later",
                "ack": 3,
            }
            gate.set()
            assert [(await client.hear())["ack"] for _ in range(3)] == [0, 1, 2]
            await client.say(type="work", ack="again")
            assert (await client.hear())["ack"] == "again"

    asyncio.run(run())


def test_while_room_is_awaited_the_client_is_not_read_and_comes_through(running, client_of) -> None:
    handled = []

    async def work(manager, connection, message) -> None:
        await asyncio.sleep(0.01)
        handled.append(message["n"])

    async def run() -> None:
        async with running(work, waiting_messages=1) as server, server.connect() as link:
            client = client_of(link)
            await client.hear()
            for number in range(50):
                await client.say(type="work", n=number)
            await client.say(type="work", n=50, ack="last")
            assert await client.hear() == {"type": "ack", "ack": "last"}

    asyncio.run(run())
    assert handled == list(range(51))


def test_a_handler_outlives_its_client_and_drain_waits_for_it(running, client_of) -> None:
    async def run() -> None:
        gate = asyncio.Event()
        waiting = []

        async def work(manager, connection, message) -> None:
            waiting.append(message["n"])
            await gate.wait()
            await manager.emit("agent_completed", {"n": message["n"]})

        async with running(work) as server:
            async with server.connect() as link:
                client = client_of(link)
                await client.hear()
                await client.say(type="work", n=1)
                await client.say(type="work", n=2)
                await client.say(type="ping")
                await client.hear("pong")
            while server.factory.stats()["connections"]:
                await asyncio.sleep(0.01)
            drain = asyncio.ensure_future(server.service.drain())
            await asyncio.sleep(0.05)
            assert not drain.done()
            manager = server.manager()
            gate.set()
            while server.service.handlers:
                await asyncio.sleep(0)
            assert [event.type for event in manager.undelivered()] == ["agent_completed"]
            await drain
            assert waiting == [1]  # what had not begun was never acknowledged
            assert not server.service.handling

    asyncio.run(run())


def test_a_client_that_comes_again_and_again_does_not_gather_handlers(running, client_of) -> None:
    async def run() -> None:
        gate = asyncio.Event()

        async def work(manager, connection, message) -> None:
            await gate.wait()

        limits = Limits(connections_per_user=2)
        async with running(work, limits=limits) as server:
            refused = 0
            for _ in range(6):
                async with server.connect() as link:
                    client = client_of(link)
                    await client.hear()
                    await client.say(type="work", ack=1)
                    await client.say(type="ping")
                    refused += (await client.hear())["type"] == "error"
                while server.factory.stats()["connections"]:
                    await asyncio.sleep(0.01)
            assert (refused, len(server.service.handlers)) == (3, 3)
            gate.set()

    asyncio.run(run())


def test_a_plain_function_serves_as_a_handler(running, client_of) -> None:
    def echo(manager, connection, message) -> None:
        connection.post({"type": "echo", "n": message["n"]})

    async def run() -> None:
        async with running(echo) as server, server.connect() as link:
            client = client_of(link)
            await client.hear()
            await client.say(type="say", n=7)
            assert await client.hear() == {"type": "echo", "n": 7}

    asyncio.run(run())


def test_every_message_can_be_acknowledged_and_a_malformed_ack_is_none(running, client_of) -> None:
    async def run() -> None:
        async with running() as server, server.connect() as link:
            client = client_of(link)
            await client.hear()
            await client.say(type="select_thread", thread_id="one", ack=1)
            assert await client.hear() == {"type": "ack", "ack": 1}
            await client.say(type="select_thread", thread_id="two", ack=[1])
            await client.say(type="unheard", ack="x")
            assert await client.hear() == {
                "type": "error",
                "code": "unknown_type",
                "message": "nothing handles messages of type 'unheard'",
                "ack": "x",
            }

    asyncio.run(run())


def test_resume_costs_what_it_sends_again(running, client_of) -> None:
    """A flood of resumes is answered until the user's minute of replays is used up; live events go on."""

    async def run() -> None:
        limits = Limits(replays_per_minute=1000)
        async with running(limits=limits) as server, server.connect() as link:
            client = client_of(link)
            hello = await client.hear()
            for number in range(400):
                await server.manager().send({"type": "note", "n": number})
                await client.hear("note")
            before = server.factory.stats()["events_sent"]
            for _ in range(30):
                await client.say(type="resume", epoch=hello["epoch"], seq=0)
            await client.say(type="ping")
            refused = 0
            while (message := await client.hear())["type"] != "pong":
                refused += message.get("code") == "rate_limited"
            assert refused == 27
            assert server.factory.stats()["replayed"] == 1200
            assert server.factory.stats()["events_sent"] - before == 1200 + 27 + 1
            await server.manager().send({"type": "live"})
            assert (await client.hear())["type"] == "live"
            async with server.connect(f"?epoch={hello['epoch']}&seq=0") as again:
                code, reason = await client_of(again).closed()
                assert code == 1013 and reason.startswith("limit of 1000 replayed events in a minute for user 'u' is reached")
            async with server.connect(user="v") as other:
                assert (await client_of(other).hear())["type"] == "connection_established"

    asyncio.run(run())


def test_what_is_internal_is_shown_to_the_internal_token_alone(running) -> None:
    httpx = pytest.importorskip("httpx", reason="httpx is in the test group")
    pytest.importorskip("prometheus_client", reason="prometheus-client is in the prometheus extra")

    async def run() -> None:
        async with contextlib.AsyncExitStack() as stack:
            server = await stack.enter_async_context(running(internal_token="internal"))
            async with httpx.AsyncClient(base_url=f"http://{server.address}") as web:
                stranger = [await web.get(page, headers={"Host": "localhost"}) for page in ("/healthz", "/readyz", "/metrics")]
                assert [answer.status_code for answer in stranger] == [200, 200, 403]
                assert stranger[1].json() == {"healthy": True, "draining": False}
                assert stranger[2].text == "metrics are internal: send 'Authorization: Bearer <token>'\n"
                for wrong in ("Bearer interna", "internal", "Bearer internal2", "Bearer ä"):
                    answer = await web.get("/metrics", headers={"Authorization": wrong.encode("latin-1")})
                    assert answer.status_code == 403
                mine = {"Authorization": "Bearer internal"}
                assert (await web.get("/metrics", headers=mine)).status_code == 200
                body = (await web.get("/readyz", headers=mine)).json()
                assert set(body) == {"healthy", "draining", "managers", "connections", "backplane", "promises"}
        exposed = {"environment": "production", "jwt_audience": "a", "jwt_secret": "s" * 40}
        async with running(**exposed) as server, httpx.AsyncClient(base_url=f"http://{server.address}") as web:
            answer = await web.get("/metrics")
            assert (answer.status_code, answer.text) == (403, "metrics are internal: set COMPAT_WS_INTERNAL_TOKEN\n")
            assert set((await web.get("/readyz")).json()) == {"healthy", "draining"}

    asyncio.run(run())


def test_what_was_said_to_a_connection_alone_survives_its_own_resume(running, client_of) -> None:
    """An acknowledgment, an error and a direct message wait for a client that does not read, and asks for its events again."""

    async def flood(manager, connection, message) -> None:
        for number in range(150):
            await manager.send({"type": "note", "n": number, "text": "x" * 60_000})
        connection.post({"type": "direct"})

    async def run() -> None:
        async with running(flood) as server, server.connect(max_queue=1) as link:
            client = client_of(link)
            hello = await client.hear()
            await client.say(type="flood", ack="flooded")
            await client.say(type="authenticate", ack="refused")
            (connection,) = server.factory.connections()
            while not server.service.refusals["message", "malformed"]:
                await asyncio.sleep(0.005)
            assert connection.writing
            await client.say(type="resume", epoch=hello["epoch"], seq=0, ack="again")
            while not server.factory.counters.replayed:
                await asyncio.sleep(0.005)
            notes, others = set(), []
            while "again" not in others:
                message = await client.hear()
                if message["type"] == "note":
                    notes.add(message["n"])
                else:
                    others.append(message.get("ack", message["type"]))
            assert notes == set(range(150))
            assert sorted(others) == ["again", "direct", "flooded", "refused"]

    asyncio.run(run())


def test_what_a_client_chose_begins_no_line_of_the_log(running, client_of, caplog) -> None:
    """A user of a forged name whose handler fails, whose thread is too long, and who is let go."""
    forged = "user\nCRITICAL root: all is lost"

    async def fail(manager, connection, message) -> None:
        raise ValueError(message["text"])

    async def run() -> None:
        async with running(fail) as server:
            async with server.connect(user=forged) as link:
                client = client_of(link)
                assert (await client.hear())["user_id"] == forged
                await client.say(type="say", text=forged)
                assert (await client.closed())[0] == 1011
            async with server.connect("?thread=" + "x%0A" * 600, user=forged) as link:
                assert (await client_of(link).closed())[0] == 1008
            async with server.connect(user=forged) as link:
                await client_of(link).hear()
                await server.service.control.disconnect(user_id=forged)
                await client_of(link).closed()

    with caplog.at_level("DEBUG", "compat"):
        asyncio.run(run())
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("compat")]
    assert any("all is lost" in line for line in lines)
    assert [line for line in lines if "\n" in line] == []
