"""While Redis is away, full, emptied or set back: what callers, clients and health are told, and what goes on afterwards."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

pytest.importorskip("redis", reason="redis is in the server extra")

from compat.canonical.core.events import Draft, Position
from compat.canonical.errors import BackplaneUnavailable
from compat.canonical.factory import WebSocketManagerFactory
from compat.canonical.limits import Limits
from compat.canonical.redis import link as redis_link
from compat.canonical.redis.link import RedisLink, backoff


def worker(server, **options) -> WebSocketManagerFactory:
    return server.worker(Limits(history_events=5000), **{"history_limit": 5000, **options})


def note(number: int) -> dict:
    return {"type": "note", "n": number}


async def command(factory, *parts):
    return await factory.backplane._client.execute_command(*parts)


@pytest.mark.slow
@pytest.mark.parametrize("silent", [False, True], ids=["cut", "silent"])
def test_a_cable_that_breaks_loses_and_doubles_nothing_and_health_says_so(
    silent, redis_server, cable, new_socket, context, eventually
) -> None:
    """Redis goes on living: connections are reset, or they stay open and nothing comes through them any more."""

    async def run() -> None:
        wire = await cable()
        here, there = worker(redis_server, url=wire.url, publish_timeout=20), worker(redis_server)
        await here.start()
        await there.start()
        socket = new_socket()
        manager = here.get(context("u"))
        await manager.connect(socket)
        total = 0

        async def send(factory, count: int) -> None:
            nonlocal total
            for _ in range(count):
                total += 1
                await factory.get(context("u")).send(note(total))

        for _ in range(2):
            await send(here, 20)
            sending = asyncio.ensure_future(send(here, 300))
            await asyncio.sleep(0)
            (wire.silence if silent else wire.cut)()
            await eventually(lambda: not here.health()["healthy"], "red health")
            assert here.health()["backplane"]["error"] and there.health()["healthy"]
            (wire.speak if silent else wire.mend)()
            await sending
            await eventually(lambda: here.health()["healthy"], "green health")
            await send(there, 20)
        await eventually(lambda: len(socket.numbers) >= total, "delivery of all")
        assert socket.numbers == list(range(1, total + 1)) and set(socket.kinds) == {"note"}
        await here.close()
        await there.close()
        await wire.remove()

    redis_server.run(run())


def test_readyz_is_503_while_redis_is_away(redis_server, eventually) -> None:
    httpx = pytest.importorskip("httpx", reason="httpx is in the test group")
    pytest.importorskip("starlette", reason="starlette is in the server extra")
    pytest.importorskip("jwt", reason="PyJWT is in the server extra")
    from compat.canonical.server.app import create_app
    from compat.canonical.settings import Settings

    async def run() -> None:
        settings = Settings(
            jwt_secret="a secret of at least thirty-two bytes",
            environment="test",
            redis_url=redis_server.url,
            internal_token="internal",
        )
        app = create_app(settings)
        service = app.state.service
        await service.start()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://worker") as web:
            await eventually(lambda: service.health()["healthy"], "green health")
            assert (await web.get("/readyz")).status_code == 200
            redis_server.stop()
            await eventually(lambda: not service.health()["healthy"], "red health")
            page = await web.get("/readyz")
            assert (page.status_code, page.json()) == (503, {"healthy": False, "draining": False})
            page = await web.get("/readyz", headers={"Authorization": "Bearer internal"})
            assert (page.json()["backplane"]["healthy"], page.json()["backplane"]["kind"]) == (False, "redis")
            assert service.health()["backplane"]["error"]
            assert (await web.get("/healthz")).status_code == 200
            redis_server.start()
            await eventually(lambda: service.health()["healthy"], "green health")
            assert (await web.get("/readyz")).status_code == 200
        await service.drain()

    redis_server.run(run())


def test_a_redis_that_cannot_write_is_not_healthy(redis_server, context, eventually) -> None:
    """It answers pings; publications are refused, and the caller hears why."""

    async def run() -> None:
        factory = worker(redis_server)
        await factory.start()
        manager = factory.get(context("u"))
        first = await manager.send(note(1))
        await command(factory, "CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(BackplaneUnavailable, match="Redis refused: .*maxmemory") as told:
            await manager.send(note(2))
        assert not told.value.uncertain
        await eventually(lambda: "maxmemory" in (factory.health()["backplane"]["error"] or ""), "red health")
        await command(factory, "CONFIG", "SET", "maxmemory", "0")
        await eventually(lambda: factory.health()["healthy"], "green health")
        assert (await manager.send(note(3))).seq == first.seq + 1
        assert [e.message()["n"] for e in await manager.history()] == [1, 3]
        await factory.close()

    redis_server.run(run())


@pytest.mark.parametrize("hangs", [False, True], ids=["down", "hangs"])
def test_what_waits_for_redis_is_bounded_and_the_rest_is_refused_at_once(hangs, redis_server, context, eventually) -> None:
    async def run() -> None:
        factory = worker(redis_server, publish_timeout=20, pending_limit=50)
        await factory.start()
        manager = factory.get(context("u"))
        process = redis_server._process
        os.kill(process.pid, signal.SIGSTOP) if hangs else redis_server.stop()
        waiting = [asyncio.ensure_future(manager.send(note(number))) for number in range(1, 51)]
        await eventually(lambda: not factory.health()["healthy"], "red health")
        for number in range(51, 551):
            with pytest.raises(BackplaneUnavailable, match="50 events wait for it already") as told:
                await manager.send(note(number))
            assert told.value.uncertain is False
        assert factory.health()["backplane"]["pending"] == 50
        os.kill(process.pid, signal.SIGCONT) if hangs else redis_server.start()
        assert [d.seq for d in await asyncio.gather(*waiting)] == list(range(1, 51))
        await manager.send(note(551))
        assert [e.message()["n"] for e in await manager.history()] == [*range(1, 51), 551]
        assert factory.health()["backplane"]["pending"] == 0
        await factory.close()

    redis_server.run(run())


def test_a_burst_beyond_the_limit_is_taken_while_redis_keeps_up(redis_server, context) -> None:
    async def run() -> None:
        factory = worker(redis_server, pending_limit=10)
        await factory.start()
        manager = factory.get(context("u"))
        deliveries = await asyncio.gather(*(manager.send(note(number)) for number in range(1000)))
        assert [d.seq for d in deliveries] == list(range(1, 1001))
        await factory.close()

    redis_server.run(run())


def test_an_emptied_redis_begins_a_new_epoch_that_clients_are_told_of(redis_server, new_socket, context, eventually) -> None:
    async def run() -> None:
        factory = worker(redis_server)
        await factory.start()
        manager = factory.get(context("u"))
        live, away = new_socket(), new_socket()
        connection = await manager.connect(live, greet=True)
        await manager.send(note(1))
        await eventually(lambda: live.numbers == [1], "the first event")
        old = Position(live.messages[-1]["epoch"], 1)
        await command(factory, "FLUSHALL")
        # A client that comes now learns where the new epoch begins, and from there it misses nothing.
        first = await manager.connect(away, since=old, greet=True)
        greeting, resync = away.messages
        assert (greeting["resumed"], resync["type"], resync["reason"]) == (False, "resync", "epoch_changed")
        assert resync["epoch"] not in ("", old.epoch) and resync["seq"] == 0
        manager.remove_connection(first.connection_id)
        for number in (2, 3, 4):
            await manager.send(note(number))
        again = new_socket()
        await manager.connect(again, since=Position(resync["epoch"], resync["seq"]), greet=True)
        assert again.messages[0]["resumed"] is True and again.numbers == [2, 3, 4]
        await eventually(lambda: live.numbers == [1, 2, 3, 4], "the others' delivery")
        assert live.kinds == ["connection_established", "note", "resync", "note", "note", "note"]
        # A client that had seen nothing of the old epoch may have missed all of it.
        nothing = new_socket()
        await manager.connect(nothing, since=Position(old.epoch, 0))
        assert nothing.kinds == ["resync"]
        assert connection.active
        await factory.close()

    redis_server.run(run())


def test_a_redis_set_back_and_overtaken_before_anybody_looked_makes_clients_resync(
    redis_server, new_socket, context, eventually
) -> None:
    """The lost numbers were given to other events, and more: only the events themselves show that history is another."""

    async def run() -> None:
        here, there = worker(redis_server), worker(redis_server)
        await here.start()
        await there.start()
        socket = new_socket()
        await here.get(context("u")).connect(socket)
        for number in range(1, 11):
            await there.get(context("u")).send(note(number))
        await eventually(lambda: len(socket.numbers) == 10, "delivery")
        meta, stream, _ = here.backplane._keys("u")
        await here.backplane._link.close()
        await command(there, "HSET", meta, "seq", 7)
        for seq in (8, 9, 10):
            await command(there, "XDEL", stream, f"{seq}-0")
        await command(there, "XSETID", stream, "7-0")
        for number in range(101, 111):
            await there.get(context("u")).send(note(number))
        here.backplane._link.start()
        await eventually(lambda: "resync" in socket.kinds, "the notice")
        assert socket.numbers == list(range(1, 11))
        notice = socket.messages[-1]
        delivery = await there.get(context("u")).send(note(200))
        assert (delivery.epoch, delivery.seq) == (notice["epoch"], notice["seq"] + 1)
        await eventually(lambda: socket.numbers[-1] == 200, "the next event")
        await here.close()
        await there.close()

    redis_server.run(run())


def test_a_stream_does_not_expire_while_its_user_is_connected(redis_server, new_socket, context, eventually) -> None:
    async def run() -> None:
        factory = worker(redis_server, history_ttl=0.6)
        await factory.start()
        manager, socket = factory.get(context("u")), new_socket()
        await manager.connect(socket)
        first = await manager.send(note(1))
        await factory.get(context("v")).send(note(1))
        await asyncio.sleep(1.5)
        assert await factory.get(context("v")).history() == []
        second = await manager.send(note(2))
        assert (second.epoch, second.seq) == (first.epoch, 2)
        await eventually(lambda: socket.numbers == [1, 2], "delivery")
        assert set(socket.kinds) == {"note"}
        await factory.close()

    redis_server.run(run())


def test_scripts_that_redis_forgets_all_the_time_lose_and_double_nothing(redis_server, new_socket, context, eventually) -> None:
    """Between two of one user's events another worker may have made the script known again."""

    async def run() -> None:
        workers = [worker(redis_server) for _ in range(3)]
        for one in workers:
            await one.start()
        socket = new_socket()
        await workers[0].get(context("u")).connect(socket)

        async def forget() -> None:
            while not done:
                await command(workers[2], "SCRIPT", "FLUSH")

        done: list[bool] = []
        forgetting = asyncio.ensure_future(forget())
        for first in range(0, 2000, 100):
            await asyncio.gather(
                *(workers[n % 2].get(context("u")).send({"type": "note", "n": n}) for n in range(first, first + 100))
            )
        done.append(True)
        await forgetting
        await eventually(lambda: len(socket.numbers) >= 2000, "delivery of all")
        assert sorted(socket.numbers) == list(range(2000)) and socket.seqs == list(range(1, 2001))
        for parity in (0, 1):
            assert [n for n in socket.numbers if n % 2 == parity] == list(range(parity, 2000, 2))
        for one in workers:
            await one.close()

    redis_server.run(run())


def test_what_redis_cannot_hold_harms_its_sender_alone(redis_server, new_socket, context, eventually) -> None:
    async def run() -> None:
        factory = worker(redis_server)
        await factory.start()
        socket = new_socket()
        manager = factory.get(context("u"))
        await manager.connect(socket)
        # Half a character, as a text has that was cut within a pair of surrogates.
        await manager.send({"type": "note", "n": 1, "text": "cut \ud83d"})
        with pytest.raises(BackplaneUnavailable, match="UnicodeEncodeError"):
            await manager.publish(Draft.from_record(('{"text":"\ud83d"}', "note", False, None)))
        with pytest.raises(ValueError, match=r"user ID '\\ud83d' is not text that UTF-8 can hold"):
            await factory.get(context("\ud83d")).send(note(1))
        with pytest.raises(ValueError, match="is not text that UTF-8 can hold"):
            await factory.get(context("\ud83d")).connect(new_socket())
        # One user's keys are in use for something else.
        await command(factory, "SET", factory.backplane._keys("taken")[0], "x")
        refused, accepted = await asyncio.gather(
            factory.get(context("taken")).send(note(1)), manager.send(note(2)), return_exceptions=True
        )
        assert isinstance(refused, BackplaneUnavailable) and "WRONGTYPE" in str(refused)
        assert accepted.seq == 2
        # A stranger speaks on the user's channel.
        await command(factory, "PUBLISH", factory.backplane._keys("u")[2], "not ours")
        await manager.send(note(3))
        await eventually(lambda: socket.numbers == [1, 2, 3], "delivery of all")
        assert socket.messages[0]["text"] == "cut \ufffd"
        await eventually(lambda: factory.health()["healthy"], "green health")
        await factory.close()
        assert len(asyncio.all_tasks()) == 1

    redis_server.run(run())


def test_a_redis_that_takes_connections_and_no_more_is_asked_ever_less_often(redis_server, monkeypatch, eventually) -> None:
    attempts: list[int] = []

    def recorded(attempt: int) -> float:
        attempts.append(attempt)
        return 0.001

    monkeypatch.setattr(redis_link, "backoff", recorded)

    async def run() -> None:
        from redis.asyncio import ConnectionPool

        def fail(channel: str) -> None:
            raise BackplaneUnavailable("still loading")

        pool = ConnectionPool.from_url(redis_server.url, decode_responses=True, protocol=2)
        link = RedisLink(pool.make_connection, on_message=print, on_subscribed=fail, ping_interval=1.0)
        link.subscribe("channel")
        link.start()
        await eventually(lambda: len(attempts) >= 6, "attempts")
        assert attempts[:6] == [0, 1, 2, 3, 4, 5] and not link.up and "still loading" in link.error
        await link.close()

    redis_server.run(run())


def test_backoff_doubles_up_to_a_bound_and_is_spread() -> None:
    for attempt in range(200):
        whole = min(redis_link.LONGEST_BACKOFF, redis_link.FIRST_BACKOFF * 2 ** min(attempt, 16))
        waits = {backoff(attempt) for _ in range(20)}
        assert len(waits) > 1 and all(whole / 2 <= wait <= whole for wait in waits)


@pytest.mark.slow
def test_a_start_without_the_right_to_subscribe_fails_and_says_so(redis_server) -> None:
    async def run() -> None:
        admin, factory = worker(redis_server), worker(redis_server, publish_timeout=0.5)
        await admin.start()
        assert admin.health()["healthy"]
        await command(admin, "ACL", "SETUSER", "default", "-subscribe")
        with pytest.raises(BackplaneUnavailable, match=r"does not confirm a subscription: .*no permissions"):
            await factory.start()
        assert factory.health()["healthy"] is False

    redis_server.run(run())


def test_connections_are_closed_by_a_start_that_fails_and_by_close(redis_server, context, new_socket) -> None:
    """Counted by Redis itself: nothing is left to the collector."""

    async def clients() -> list[str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", redis_server.port)
        writer.write(b"CLIENT LIST\r\n")
        size = int((await reader.readline())[1:])
        listed = (await reader.readexactly(size)).decode().splitlines()
        writer.close()
        await writer.wait_closed()
        return [line for line in listed if "cmd=client" not in line]

    async def none_left() -> None:
        for _ in range(200):
            if not await clients():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(await clients())

    async def run() -> None:
        factory = worker(redis_server)
        await factory.start()
        await asyncio.gather(*(factory.get(context(f"u{n}")).connect(new_socket()) for n in range(20)))
        assert await clients()
        await factory.close()
        await none_left()
        # It answers, and refuses: the connection is there.
        await asyncio.sleep(0)
        reader, writer = await asyncio.open_connection("127.0.0.1", redis_server.port)
        writer.write(b"CONFIG SET requirepass secret\r\n")
        assert (await reader.readline()).startswith(b"+OK")
        writer.close()
        await writer.wait_closed()
        refused = worker(redis_server)
        with pytest.raises(BackplaneUnavailable, match="Authentication required"):
            await refused.start()
        assert refused.health()["healthy"] is False
        assert len(asyncio.all_tasks()) == 1
        pool = refused.backplane._client.connection_pool
        assert not any(connection.is_connected for connection in pool._available_connections)
        await refused.close()

    redis_server.run(run())


def test_a_cancellation_that_is_swallowed_ends_the_task_all_the_same() -> None:
    """As a timeout inside of a client library swallows it that ends in the same turn of the loop."""

    async def run() -> None:
        swallowed = 0

        async def deaf() -> None:
            nonlocal swallowed
            while True:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    if swallowed == 2:
                        raise
                    swallowed += 1

        task = asyncio.ensure_future(deaf())
        await asyncio.sleep(0)
        await redis_link.end_tasks(task)
        assert task.done() and swallowed == 2

    asyncio.run(run())
