"""Streams in a real Redis: shared by workers, kept through restarts, never with a silent gap."""

from __future__ import annotations

import asyncio
import random
import time

import pytest

pytest.importorskip("redis", reason="redis is in the server extra")

from compat.canonical.core.events import Draft, Position
from compat.canonical.errors import BackplaneUnavailable, Undelivered, WebSocketComponentError
from compat.canonical.factory import WebSocketManagerFactory
from compat.canonical.limits import Limits


def worker(server, **options) -> WebSocketManagerFactory:
    return server.worker(Limits(history_events=200), **{"history_limit": 200, **options})


def note(number: int) -> dict:
    return {"type": "note", "n": number}


def test_an_event_sent_on_one_worker_reaches_the_user_on_another(redis_server, new_socket, context, eventually) -> None:
    async def run() -> None:
        first, second = worker(redis_server), worker(redis_server)
        await first.start()
        await second.start()
        socket, foreign = new_socket(), new_socket()
        await second.get(context("u")).connect(socket, greet=True)
        await second.get(context("v")).connect(foreign)
        delivery = await first.get(context("u")).send(note(1))
        assert (delivery.seq, delivery.receivers, delivery.kept) == (1, 1, True)
        await eventually(lambda: socket.numbers == [1], "delivery")
        await asyncio.gather(*(first.get(context("u")).send(note(n)) for n in range(2, 101)))
        await eventually(lambda: len(socket.numbers) == 100, "delivery of all")
        assert socket.numbers == list(range(1, 101)) and socket.seqs == list(range(1, 101))
        assert foreign.texts == []
        await first.close()
        await second.close()
        assert len(asyncio.all_tasks()) == 1

    redis_server.run(run())


def test_a_client_continues_on_another_worker_after_the_first_has_gone(redis_server, new_socket, context, eventually) -> None:
    async def run() -> None:
        first, second = worker(redis_server), worker(redis_server)
        await first.start()
        await second.start()
        socket = new_socket()
        await first.get(context("u")).connect(socket, greet=True)
        hello = socket.messages[0]
        assert hello["seq"] == 0 and hello["epoch"]
        for number in range(1, 4):
            await second.get(context("u")).send(note(number))
        await eventually(lambda: socket.numbers == [1, 2, 3], "delivery")
        last = socket.messages[-1]
        await first.close()
        for number in range(4, 9):
            await second.get(context("u")).send(note(number))
        again = new_socket()
        await second.get(context("u")).connect(again, since=Position(last["epoch"], last["seq"]), greet=True)
        assert again.messages[0]["resumed"] is True
        assert again.numbers == [4, 5, 6, 7, 8]
        await second.close()

    redis_server.run(run())


def test_a_client_that_had_seen_nothing_misses_nothing(redis_server, new_socket, context) -> None:
    async def run() -> None:
        factory = worker(redis_server)
        await factory.start()
        manager = factory.get(context("u"))
        first = new_socket()
        connection = await manager.connect(first, greet=True)
        hello = first.messages[0]
        manager.remove_connection(connection.connection_id)
        await manager.send(note(1))
        second = new_socket()
        await manager.connect(second, since=Position(hello["epoch"], hello["seq"]))
        assert second.numbers == [1]
        await factory.close()

    redis_server.run(run())


def test_history_that_does_not_reach_back_is_said(redis_server, new_socket, context) -> None:
    async def run() -> None:
        factory = worker(redis_server)
        await factory.start()
        manager = factory.get(context("u"))
        first = await manager.send(note(0))
        for number in range(600):
            await manager.send(note(number))
        for since, reason in (
            (Position(first.epoch, 1), "history_expired"),
            (Position("other", 5), "epoch_changed"),
            (Position(first.epoch, 5000), "unknown_position"),
        ):
            socket = new_socket()
            connection = await manager.connect(socket, since=since)
            assert [m["type"] for m in socket.messages] == ["resync"]
            assert socket.messages[0]["reason"] == reason and socket.messages[0]["seq"] == 601
            manager.remove_connection(connection.connection_id)
        await factory.close()

    redis_server.run(run())


@pytest.mark.parametrize("killed", [False, True], ids=["asked to end", "killed"])
def test_a_restart_in_mid_stream_loses_and_doubles_nothing(killed, redis_server, new_socket, context, eventually) -> None:
    """All that Redis accepted arrives: as it writes its file before it answers, also after SIGKILL."""

    async def run() -> None:
        # As much history as may be sent while the subscription is away: beyond it clients are told to resync.
        factory = worker(redis_server, publish_timeout=30, history_limit=100_000)
        await factory.start()
        if killed:
            await factory.backplane._client.execute_command("CONFIG", "SET", "appendfsync", "always")
        manager = factory.get(context("u"))
        socket = new_socket()
        await manager.connect(socket)
        total = 0

        async def send_for(seconds: float) -> None:
            nonlocal total
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                total += 1
                await manager.send(note(total))

        await send_for(0.2)
        if killed:
            # In the middle of a publication, which is in doubt then.
            waiting = [asyncio.ensure_future(manager.send(note(total + n))) for n in range(1, 501)]
            await asyncio.sleep(0.01)
            total += 500
        redis_server.stop(kill=killed)
        await eventually(lambda: not factory.health()["healthy"], "red health")
        sending = asyncio.ensure_future(send_for(0.2))
        await asyncio.sleep(0.1)
        redis_server.start()
        await sending
        if killed:
            await asyncio.gather(*waiting)
        await eventually(lambda: factory.health()["healthy"], "green health")
        await send_for(0.1)
        await eventually(lambda: len(socket.numbers) >= total, "delivery of all")
        assert socket.numbers == list(range(1, total + 1))
        await factory.close()

    redis_server.run(run())


def test_a_subscription_that_was_cut_is_refilled_from_the_stream(redis_server, new_socket, context, eventually) -> None:
    async def run() -> None:
        factory = worker(redis_server)
        await factory.start()
        manager = factory.get(context("u"))
        socket = new_socket()
        await manager.connect(socket)
        await manager.send(note(1))
        for round_ in range(5):
            await factory.backplane._client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            for number in range(20):
                await manager.send(note(2 + round_ * 20 + number))
        await eventually(lambda: len(socket.numbers) == 101, "delivery of all")
        assert socket.numbers == list(range(1, 102))
        await factory.close()

    redis_server.run(run())


def test_a_subscription_that_missed_more_than_an_outbox_holds_is_refilled_whole(
    redis_server, new_socket, context, eventually
) -> None:
    """An outbox bounds what comes one by one; what comes back at once is a replay, and drops nothing."""

    async def run() -> None:
        factory = worker(redis_server, history_limit=5000)
        await factory.start()
        manager = factory.get(context("u"))
        whole, thread = new_socket(), new_socket()
        await manager.connect(whole)
        await manager.connect(thread, thread_id="t")
        await manager.send(note(1))
        await eventually(lambda: thread.numbers == [1], "the first event")
        missed = factory.limits.outbox_events * 4
        await factory.backplane._link.close()
        for number in range(2, missed + 2):
            await factory.get(context("u", "t" if number % 2 else "other")).send(note(number))
        factory.backplane._link.start()
        await manager.send(note(missed + 2))
        await eventually(lambda: whole.numbers[-1:] == [missed + 2] == thread.numbers[-1:], "delivery of all")
        assert whole.numbers == list(range(1, missed + 3))
        assert thread.numbers == [1, *range(3, missed + 2, 2), missed + 2]
        assert factory.stats()["events_dropped"] == 0
        await factory.close()

    redis_server.run(run())


def test_refills_of_a_client_that_does_not_read_stay_bounded_and_are_accounted_for(
    redis_server, new_socket, context, eventually
) -> None:
    async def run() -> None:
        # Long enough that it is not evicted on a machine with much else to do.
        factory = redis_server.worker(Limits(history_events=200, send_timeout=600), history_limit=200)
        await factory.start()
        manager, limit = factory.get(context("u")), factory.limits.outbox_events
        socket = new_socket()
        connection = await manager.connect(socket)
        await manager.send(note(1))
        await eventually(lambda: socket.numbers == [1], "the first event")
        socket.block()
        last = 1
        for _ in range(8):
            await factory.backplane._link.close()
            await asyncio.gather(*(manager.send(note(last + n)) for n in range(1, 151)))
            last += 150
            factory.backplane._link.start()
            await eventually(lambda: connection.seq == last, "the refill")  # noqa: B023
            assert len(connection.outbox) <= 2 * limit + 150
        socket.release()
        await connection.drained()
        received, gaps = socket.numbers, [m["missing"] for m in socket.messages if m["type"] == "gap"]
        assert received == sorted(set(received)) and received[-1] == last
        assert gaps and len(received) + sum(gaps) == last
        # A client that was told of a gap asks again, and has what history keeps.
        await manager.resume(connection, Position(socket.messages[0]["epoch"], last - 150))
        assert socket.numbers[-150:] == list(range(last - 149, last + 1))
        await factory.close()

    redis_server.run(run())


def test_a_batch_that_is_sent_again_is_counted_once(redis_server, context) -> None:
    async def run() -> None:
        factory = worker(redis_server)
        await factory.start()
        backplane = factory.backplane
        send, failed = backplane._publisher._send, []

        async def lose_the_answer(batch, again):
            answers = await send(batch, again)
            if not failed:
                failed.append(len(batch))
                raise ConnectionError("the answer was lost")
            return answers

        backplane._publisher._send = lose_the_answer
        manager = factory.get(context("u"))
        deliveries = await asyncio.gather(*(manager.send(note(n)) for n in range(1, 31)))
        assert failed and [d.seq for d in deliveries] == list(range(1, 31))
        assert [e.message()["n"] for e in await manager.history()] == list(range(1, 31))
        await factory.close()

    redis_server.run(run())


def test_a_redis_that_lost_its_newest_entries_makes_clients_resync(redis_server, new_socket, context, eventually) -> None:
    async def run() -> None:
        factory = worker(redis_server)
        await factory.start()
        manager = factory.get(context("u"))
        socket = new_socket()
        await manager.connect(socket)
        for number in range(1, 11):
            await manager.send(note(number))
        await eventually(lambda: len(socket.numbers) == 10, "delivery")
        client, (meta, stream, _) = factory.backplane._client, factory.backplane._keys("u")
        # As a crash leaves it that takes the last writes: the stream ends earlier, under the same epoch.
        await client.execute_command("HSET", meta, "seq", 7)
        await client.xtrim(stream, maxlen=7)
        await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await eventually(lambda: any(m["type"] == "resync" for m in socket.messages), "the notice")
        old = socket.messages[0]["epoch"]
        delivery = await manager.send(note(11))
        assert delivery.epoch != old and delivery.seq == 1
        await eventually(lambda: socket.numbers[-1] == 11, "the next event")
        assert [m["type"] for m in socket.messages].count("resync") == 1
        await factory.close()

    redis_server.run(run())


def test_without_redis_nothing_is_accepted_and_the_caller_is_told(redis_server, context, eventually) -> None:
    async def run() -> None:
        factory = worker(redis_server, publish_timeout=0.2)
        await factory.start()
        manager = factory.get(context("u"))
        redis_server.stop()
        await eventually(lambda: not factory.health()["healthy"], "red health")
        with pytest.raises(Undelivered, match="agent_started for user 'u' is neither delivered nor kept") as told:
            await manager.emit("agent_started")
        assert told.value.uncertain is False
        with pytest.raises(BackplaneUnavailable):
            await manager.send(note(1))
        health = manager.health()
        assert health["healthy"] is False and health["backplane"]["error"]
        assert factory.stats()["refused"] == 2
        await factory.close()

    redis_server.run(run())


def test_what_may_have_been_accepted_is_told_apart_from_what_was_not(redis_server, context) -> None:
    """The first event was on its way when the answer failed to come; the second one never left."""

    async def run() -> None:
        factory = worker(redis_server, publish_timeout=0.2, ping_interval=60)
        await factory.start()
        manager, publisher = factory.get(context("u")), factory.backplane._publisher
        send = publisher._send

        async def lose_the_answer(batch, again):
            await send(batch, again)
            redis_server.stop()
            raise ConnectionError("the answer was lost")

        publisher._send = lose_the_answer
        first, second = await asyncio.gather(
            manager.emit("agent_started"), _later(manager.emit("agent_completed")), return_exceptions=True
        )
        assert isinstance(first, Undelivered) and first.uncertain and "may be neither" in str(first)
        assert isinstance(second, Undelivered) and not second.uncertain
        publisher._send = send
        redis_server.start()
        await manager.send(note(1))
        assert [e.type for e in await manager.history()] == ["agent_started", "note"]
        await factory.close()

    redis_server.run(run())


async def _later(sending):
    await asyncio.sleep(0.05)
    return await sending


def test_a_backplane_that_is_not_started_says_so(redis_server, new_socket, context) -> None:
    async def run() -> None:
        factory = worker(redis_server)
        with pytest.raises(BackplaneUnavailable, match=r"call `await factory.start\(\)` first"):
            await factory.backplane.publish("u", Draft(note(1)))
        with pytest.raises(WebSocketComponentError, match=r"write `await manager.connect\(websocket\)`"):
            factory.get(context("u")).add_connection(new_socket())
        redis_server.stop()
        with pytest.raises(BackplaneUnavailable, match="Redis does not answer"):
            await factory.start()

    redis_server.run(run())


def test_names_with_odd_characters_are_kept_apart(redis_server, new_socket, context, eventually) -> None:
    async def run() -> None:
        factory = worker(redis_server)
        await factory.start()
        users = ["a}:live", "a", "{a}", "a b\nc", "ü:*?[x]"]
        sockets = {user: new_socket() for user in users}
        for user, socket in sockets.items():
            await factory.get(context(user)).connect(socket)
        for number, user in enumerate(users):
            await factory.get(context(user, "thread\n1")).send(note(number))
        await eventually(lambda: all(s.texts for s in sockets.values()), "delivery")
        assert [s.numbers for s in sockets.values()] == [[0], [1], [2], [3], [4]]
        await factory.close()

    redis_server.run(run())


@pytest.mark.parametrize("seed", range(4))
def test_random_interleavings_over_two_workers_lose_double_and_cross_nothing(
    seed, redis_server, new_socket, context, eventually
) -> None:
    """Users move between workers, subscriptions are cut, events come from either worker."""

    async def run() -> None:
        choice = random.Random(seed)
        workers = [worker(redis_server), worker(redis_server)]
        for one in workers:
            await one.start()
        users = ["ann", "bob", "eve"]
        sent: dict[str, int] = dict.fromkeys(users, 0)
        received: dict[str, list[dict]] = {user: [] for user in users}
        live: dict[str, tuple] = {}
        position: dict[str, Position] = {}

        def read(user: str) -> None:
            socket = live[user][1]
            for message in socket.messages:
                if message["type"] == "note":
                    received[user].append(message)
                assert message["type"] != "resync"
                position[user] = Position(message["epoch"], message["seq"])

        for user in users:
            position[user] = await workers[0].get(context(user)).position()
        for _ in range(150):
            user = choice.choice(users)
            step = choice.random()
            if step < 0.6:
                sent[user] += 1
                await choice.choice(workers).get(context(user)).send({**note(sent[user]), "owner": user})
            elif step < 0.95:
                if user in live:
                    connection = live[user][0]
                    await connection.close()
                    read(user)
                    del live[user]
                else:
                    socket = new_socket()
                    manager = choice.choice(workers).get(context(user))
                    live[user] = (await manager.connect(socket, since=position[user], greet=True), socket)
            else:
                await workers[0].backplane._client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        for user in users:
            if user not in live:
                socket = new_socket()
                live[user] = (await workers[1].get(context(user)).connect(socket, since=position[user]), socket)
        await eventually(lambda: all(len(received[u]) + len(live[u][1].numbers) >= sent[u] for u in users), "delivery of all")
        for user in users:
            read(user)
            assert [m["n"] for m in received[user]] == list(range(1, sent[user] + 1))
            assert {m["owner"] for m in received[user]} <= {user}
        for one in workers:
            await one.close()

    redis_server.run(run())
