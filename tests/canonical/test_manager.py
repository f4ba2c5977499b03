"""One user's manager: sending, replay, threads, and no way to anybody else."""

from __future__ import annotations

import asyncio

import pytest

from compat.canonical.core.events import Position
from compat.canonical.errors import ManagerClosed, Undelivered, UserIsolationViolation
from compat.canonical.factory import WebSocketManagerFactory
from compat.canonical.limits import Limits


def note(number: int) -> dict:
    return {"type": "note", "n": number}


def test_a_client_that_reconnects_gets_exactly_what_it_missed(new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        first = new_socket()
        connection = await manager.connect(first, greet=True)
        await manager.send(note(1))
        await connection.close()
        for number in (2, 3, 4):
            await manager.send(note(number))
        seen = first.messages[-1]
        for _ in range(2):
            again = new_socket()
            reconnected = await manager.connect(again, since=Position(seen["epoch"], seen["seq"]), greet=True)
            assert again.messages[0] == {
                "type": "connection_established",
                "protocol": 1,
                "connection_id": reconnected.connection_id,
                "user_id": "u",
                "thread_id": None,
                "epoch": seen["epoch"],
                "seq": 1,
                "resumed": True,
            }
            assert again.seqs == [2, 3, 4]
        await manager.send(note(5))
        assert again.seqs == [2, 3, 4, 5]

    asyncio.run(run())


def test_what_nobody_received_waits_for_the_first_who_comes(new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        delivery = await manager.emit("agent_started", {"agent_name": "a"})
        assert (delivery.seq, delivery.receivers, delivery.kept) == (1, 0, True)
        assert [e.type for e in manager.undelivered()] == ["agent_started"]
        first, second = new_socket(), new_socket()
        await manager.connect(first, greet=True)
        await manager.connect(second)
        assert first.messages[0]["seq"] == 0 and first.seqs == [1]
        assert second.texts == [] and manager.undelivered() == []

    asyncio.run(run())


def test_a_connection_added_without_a_loop_is_flushed_on_demand(new_socket, context) -> None:
    manager = WebSocketManagerFactory().get(context())
    asyncio.run(manager.send(note(1)))
    socket = new_socket()
    connection = manager.add_connection(socket, connection_id="conn_websocket_1_12345678")
    assert manager.get_connection("conn_websocket_1_12345678") is connection
    assert asyncio.run(manager.flush_undelivered()) == 1
    assert socket.seqs == [1]
    assert manager.remove_connection(connection.connection_id) is connection
    assert manager.remove_connection(connection.connection_id) is None and socket.closed is None


def test_whoever_takes_what_waits_sends_it(new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        await manager.send(note(1))
        assert [event.seq for event in manager.take_undelivered()] == [1]
        socket = new_socket()
        await manager.connect(socket)
        assert socket.seqs == [] and manager.undelivered() == []

    asyncio.run(run())


@pytest.mark.parametrize(
    ("since", "reason"),
    [
        (Position("other", 1), "epoch_changed"),
        (Position("", 1), "epoch_changed"),
        (Position("own", 99), "unknown_position"),
        (Position("own", 0), "history_expired"),
    ],
)
def test_a_gap_is_said_never_silent(since, reason, new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory(Limits(history_events=3)).get(context())
        for number in range(5):
            epoch = (await manager.send(note(number))).epoch
        socket = new_socket()
        position = Position(epoch, since.seq) if since.epoch == "own" else since
        await manager.connect(socket, since=position)
        assert socket.messages == [{"type": "resync", "reason": reason, "epoch": epoch, "seq": 5}]
        await manager.send(note(6))
        assert socket.messages[-1]["seq"] == 6

    asyncio.run(run())


def test_events_of_a_thread_reach_the_connections_that_show_it(new_socket, context) -> None:
    async def run() -> None:
        factory = WebSocketManagerFactory()
        user, one, two = (factory.get(context("u", thread)) for thread in (None, "one", "two"))
        everything, first, second = new_socket(), new_socket(), new_socket()
        await user.connect(everything)
        in_one = await one.connect(first)
        await two.connect(second)
        await one.send(note(1))
        await two.send(note(2))
        await user.send(note(3))
        assert (everything.seqs, first.seqs, second.seqs) == ([1, 2, 3], [1, 3], [2, 3])
        assert list(two.connections) == [c for c in user.connections if c != in_one.connection_id]
        assert two.get_connection(in_one.connection_id) is None
        assert not await two.disconnect(in_one.connection_id)
        assert user.associate_thread(in_one.connection_id, "two")
        await two.send(note(4))
        assert first.seqs == [1, 3, 4]
        assert [e.seq for e in await one.history()] == [1, 3]

    asyncio.run(run())


def test_replay_is_of_the_connections_thread(new_socket, context) -> None:
    async def run() -> None:
        factory = WebSocketManagerFactory()
        user = factory.get(context("u"))
        start = await user.position()
        for number, thread in enumerate(("one", "two", None, "one"), 1):
            await factory.get(context("u", thread)).send(note(number))
        socket = new_socket()
        await user.connect(socket, thread_id="one", since=start)
        assert socket.seqs == [1, 3, 4]

    asyncio.run(run())


def test_a_managers_methods_refuse_another_user_and_another_thread(new_socket, context) -> None:
    async def run() -> None:
        factory = WebSocketManagerFactory()
        manager = factory.get(context("u", "one"))
        for call in (
            lambda: manager.send_to_thread("two", note(1)),
            lambda: manager.connect(new_socket(), thread_id="two"),
        ):
            with pytest.raises(UserIsolationViolation):
                await call()
        foreign = await factory.get(context("v")).connect(new_socket())
        assert manager.get_connection(foreign.connection_id) is None
        assert not await manager.send_to_connection(foreign.connection_id, note(1))
        with pytest.raises(UserIsolationViolation):
            await manager.resume(foreign, Position("e", 0))

    asyncio.run(run())


def test_a_critical_event_that_cannot_be_kept_is_reported(context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory(Limits(history_events=0, undelivered_events=0)).get(context())
        with pytest.raises(Undelivered) as caught:
            await manager.emit("agent_completed")
        assert str(caught.value) == (
            "agent_completed for user 'u' is neither delivered nor kept: no connection, and no history is kept. Send it again."
        )
        delivery = await manager.send(note(1))
        assert (delivery.receivers, delivery.kept) == (0, False)

    asyncio.run(run())


def test_critical_whatever_its_type(new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context("u", "t"))
        socket = new_socket()
        await manager.connect(socket)
        await manager.emit("auth_started", {"step": 1}, critical=True)
        message = socket.messages[0]
        assert (message["type"], message["critical"], message["step"], message["thread_id"]) == (
            "auth_started",
            True,
            1,
            "t",
        )
        assert (await manager.history())[0].critical

    asyncio.run(run())


def test_resuming_a_live_connection_after_a_gap(new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory(Limits(outbox_events=2)).get(context())
        socket = new_socket()
        socket.block()
        connection = await manager.connect(socket)
        for number in range(1, 7):
            await manager.send(note(number))
        socket.release()
        await connection.drained()
        assert [m.get("missing") or m["seq"] for m in socket.messages] == [1, 3, 5, 6]
        epoch = socket.messages[0]["epoch"]
        assert await manager.resume(connection, Position(epoch, 1)) is None
        assert socket.seqs[3:] == [2, 3, 4, 5, 6]
        await manager.send(note(7))
        assert socket.seqs[-1] == 7
        assert await manager.resume(connection, Position("other", 1)) == "epoch_changed"

    asyncio.run(run())


def test_closing_a_manager_closes_its_connections_and_nothing_of_other_threads(new_socket, context) -> None:
    async def run() -> None:
        factory = WebSocketManagerFactory()
        one, two = factory.get(context("u", "one")), factory.get(context("u", "two"))
        first, second = new_socket(), new_socket()
        await one.connect(first)
        await two.connect(second)
        await one.close(1000, "done")
        await one.close()
        assert (first.closed, second.closed) == ((1000, "done"), None)
        with pytest.raises(ManagerClosed, match="the manager of user 'u' is closed"):
            await one.send(note(1))
        with pytest.raises(ManagerClosed):
            await one.connect(new_socket())
        assert factory.get(context("u", "one")) is not one
        await factory.close()
        assert second.closed is not None

    asyncio.run(run())


def test_a_direct_message_goes_to_one_connection_and_not_into_history(new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        first, second = new_socket(), new_socket()
        connection = await manager.connect(first)
        await manager.connect(second)
        assert await manager.send_to_connection(connection.connection_id, note(1))
        assert (first.messages, second.messages) == ([note(1)], [])
        assert await manager.history() == []
        first.broken = True
        assert not await manager.send_to_connection(connection.connection_id, note(2))
        assert not await manager.send_to_connection("unknown", note(3))

    asyncio.run(run())


def test_numbers_and_health(new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        connection = await manager.connect(new_socket(), metadata={"device": "phone"})
        await manager.send(note(1))
        stats = manager.stats()
        assert (stats["connections"], stats["sent"], stats["waiting"], stats["undelivered"]) == (1, 1, 0, 0)
        health = manager.health()
        assert health["healthy"] and health["connections"] == [connection.info()]
        assert connection.info()["metadata"] == {"device": "phone"}
        assert repr(manager) == "<UnifiedWebSocketManager of u: 1 connections>"
        with pytest.raises(ValueError, match="is taken; remove that connection first"):
            await manager.connect(new_socket(), connection_id=connection.connection_id)

    asyncio.run(run())
