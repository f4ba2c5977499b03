"""Reconnection as clients meet it, in one process and through Redis: what other servers get wrong stays right here."""

from __future__ import annotations

import asyncio

import pytest

from compat.canonical.core.backplane import InProcessBackplane
from compat.canonical.core.events import Draft, Position
from compat.canonical.factory import WebSocketManagerFactory
from compat.canonical.limits import Limits


@pytest.fixture(params=["in-process", "redis"])
def play(request):
    """Run a test with two workers that share a backplane: in one process they are the same."""
    if request.param == "redis":
        pytest.importorskip("redis", reason="redis is in the server extra")
        server = request.getfixturevalue("redis_server")

    def run(test, **limits) -> None:
        async def one_process() -> None:
            factory = WebSocketManagerFactory(Limits(**limits))
            try:
                await test(factory, factory)
            finally:
                await factory.close()

        async def two_workers() -> None:
            first, second = server.worker(Limits(**limits)), server.worker(Limits(**limits))
            await first.start()
            await second.start()
            await test(first, second)

        if request.param == "redis":
            server.run(two_workers())
        else:
            asyncio.run(one_process())

    return run


def last_seen(socket) -> Position:
    """What a client remembers: the position of the last event, or of the greeting."""
    return Position(socket.messages[-1]["epoch"], socket.messages[-1]["seq"])


async def send(factory, context, *wanted: int) -> None:
    for number in wanted:
        await factory.get(context("u")).send({"type": "note", "n": number})


def test_a_client_that_received_nothing_yet_resumes(play, new_socket, context) -> None:
    """With no event before, between or after; then with some that came while it was away."""

    async def test(first, second) -> None:
        position = None
        for factory in (first, second, first):
            socket = new_socket()
            connection = await factory.get(context("u")).connect(socket, since=position, greet=True)
            assert [m["type"] for m in socket.messages] == ["connection_established"]
            assert socket.messages[0]["resumed"] is (position is not None)
            position = last_seen(socket)
            await connection.close()
        await send(first, context, 1, 2)
        socket = new_socket()
        await second.get(context("u")).connect(socket, since=position, greet=True)
        assert socket.messages[0]["resumed"] is True and socket.numbers == [1, 2]

    play(test)


def test_a_second_recovery_replays_nothing_of_the_first(play, new_socket, context, eventually) -> None:
    async def test(first, second) -> None:
        socket = new_socket()
        connection = await first.get(context("u")).connect(socket, greet=True)
        await send(second, context, 1, 2, 3)
        await eventually(lambda: socket.numbers == [1, 2, 3], "delivery")
        await connection.close()
        await send(second, context, 4, 5)
        again = new_socket()
        connection = await second.get(context("u")).connect(again, since=last_seen(socket))
        assert again.numbers == [4, 5]
        await connection.close()
        # It comes back twice with nothing new in between, and then with one event that came meanwhile.
        for factory in (first, second):
            idle = new_socket()
            connection = await factory.get(context("u")).connect(idle, since=last_seen(again), greet=True)
            assert idle.messages[0]["resumed"] is True and idle.numbers == []
            assert last_seen(idle) == last_seen(again)
            await connection.close()
        await send(first, context, 6)
        final = new_socket()
        await first.get(context("u")).connect(final, since=last_seen(again))
        assert final.numbers == [6]

    play(test)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same worker", "another worker"])
def test_an_old_connection_that_dies_after_the_client_is_back_changes_nothing(
    elsewhere, play, new_socket, context, eventually
) -> None:
    """The network went silent: the server finds out long after the client has resumed on a new connection."""

    async def test(first, second) -> None:
        old = new_socket()
        stale = await first.get(context("u")).connect(old, greet=True)
        await send(first, context, 1, 2)
        await eventually(lambda: old.numbers == [1, 2], "delivery")
        old.block()
        await send(first, context, 3, 4)
        new, worker = new_socket(), second if elsewhere else first
        await worker.get(context("u")).connect(new, since=last_seen(old), greet=True)
        assert new.messages[0]["resumed"] is True and new.numbers == [3, 4]
        await send(second, context, 5)
        await eventually(lambda: not stale.active, "the end of the old connection")
        assert stale.evicted and first.get(context("u")).undelivered() == []
        await send(first, context, 6)
        await eventually(lambda: len(new.numbers) >= 4, "delivery of all")
        assert new.numbers == [3, 4, 5, 6] and old.numbers == [1, 2]
        # Neither the old connection's end nor what waited for it stands in the way of the next recovery.
        third = new_socket()
        await first.get(context("u")).connect(third, since=last_seen(new), greet=True)
        assert third.messages[0]["resumed"] is True and third.numbers == []

    play(test, send_timeout=0.3, close_timeout=0.2)


def test_history_that_does_not_reach_back_ends_in_one_resync_and_goes_on(play, new_socket, context, eventually) -> None:
    async def test(first, second) -> None:
        socket = new_socket()
        connection = await first.get(context("u")).connect(socket, greet=True)
        position = last_seen(socket)
        await connection.close()
        # Redis trims whole nodes of a hundred entries.
        await send(second, context, *range(900))
        again = new_socket()
        await second.get(context("u")).connect(again, since=position, greet=True)
        greeting, notice = again.messages
        assert (greeting["resumed"], notice["type"], notice["reason"]) == (False, "resync", "history_expired")
        assert greeting["seq"] == notice["seq"] == 900
        await send(first, context, 900)
        await eventually(lambda: again.numbers == [900], "the next event")
        assert [m["type"] for m in again.messages].count("resync") == 1

    play(test, history_events=512)


@pytest.mark.parametrize("known", [False, True], ids=["without a position", "with a position"])
def test_an_epoch_that_ends_while_a_client_is_brought_up_to_date_is_said(known, new_socket, context) -> None:
    """The old epoch's replay has been read, and the new one's first event has gone by, before the client is live."""

    class Slow(InProcessBackplane):
        turned = False

        async def replay(self, user_id, since):
            replay = await super().replay(user_id, since)
            if not self.turned:
                self.turned = True
                self.forget(user_id)
                await self.publish(user_id, Draft({"type": "note", "n": 6}))
            return replay

    async def run() -> None:
        factory = WebSocketManagerFactory(backplane=Slow())
        await send(factory, context, 1, 2, 3, 4, 5)
        manager = factory.get(context("u"))
        since = Position((await manager.position()).epoch, 2) if known else None
        socket = new_socket()
        await manager.connect(socket, since=since)
        (notice,) = socket.messages
        assert (notice["type"], notice["reason"], notice["seq"]) == ("resync", "epoch_changed", 1)
        await send(factory, context, 7)
        assert socket.numbers == [7] and socket.messages[-1]["epoch"] == notice["epoch"]
        await factory.close()

    asyncio.run(run())


def test_a_delivery_to_a_sibling_writes_nothing_to_a_connection_that_catches_up(new_socket, context) -> None:
    """What is replayed waits for its greeting, however often the others are written to meanwhile."""

    class Interrupting(InProcessBackplane):
        async def replay(self, user_id, since):
            found = await super().replay(user_id, since)
            if not socket.texts and len(calls) < 2:
                calls.append(len(found.events))
                await manager.send({"type": "note"})
            return found

    calls, socket = [2, 2], new_socket()
    factory = WebSocketManagerFactory(backplane=Interrupting())
    manager = factory.get(context())

    async def whole() -> list[tuple[str, int]]:
        await manager.connect(new_socket(), greet=True)
        first = await manager.send({"type": "note"})
        calls.clear()
        await manager.connect(socket, since=Position(first.epoch, 0), greet=True)
        return [(message["type"], message["seq"]) for message in socket.messages]

    assert asyncio.run(whole()) == [("connection_established", 0), ("note", 1), ("note", 2), ("note", 3)]
    assert calls == [1, 1]
