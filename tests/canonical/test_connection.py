"""One connection: direct sends, one writer, stalls, failures, closes."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from unittest.mock import AsyncMock, MagicMock

import pytest

from compat.canonical.factory import WebSocketManagerFactory
from compat.canonical.limits import Limits, OverflowPolicy


def numbered(number: int) -> dict:
    return {"type": "note", "n": number}


def test_a_socket_with_room_gets_the_message_before_send_returns_and_needs_no_task(new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        socket = new_socket()
        connection = manager.add_connection(socket)
        before = asyncio.all_tasks()
        delivery = await manager.send(numbered(1))
        assert socket.seqs == [1]
        assert (delivery.receivers, delivery.kept) == (1, True)
        assert not connection.writing and asyncio.all_tasks() == before

    asyncio.run(run())


def test_a_blocked_socket_gets_one_writer_and_keeps_the_order(new_socket, context, eventually) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        slow, fast = new_socket(), new_socket()
        slow.block()
        connection = manager.add_connection(slow)
        manager.add_connection(fast)
        for number in range(50):
            await manager.send(numbered(number))
        assert fast.seqs == list(range(1, 51))
        assert connection.writing and len(connection.outbox) == 49
        slow.release()
        await connection.drained()
        assert slow.seqs == list(range(1, 51))
        await manager.send(numbered(51))
        assert slow.seqs[-1] == 51 and not connection.writing
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


def test_a_socket_whose_sending_waits_for_its_own_connection_is_not_waited_for(context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        sent: list[int] = []

        class Reentrant:
            async def send_json(self, message: dict) -> None:
                await asyncio.sleep(0)
                if not sent:
                    await connection.drained()
                sent.append(message["n"])

        connection = manager.add_connection(Reentrant(), stamped=False)
        await manager.send(numbered(1))
        await asyncio.wait_for(connection.drained(), 20)
        assert sent == [1]

    asyncio.run(run())


def test_a_slow_consumer_loses_old_notes_and_is_told_never_critical_ones(new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory(Limits(outbox_events=4)).get(context())
        socket = new_socket()
        socket.block()
        connection = manager.add_connection(socket)
        await manager.send({"type": "agent_started"})  # in the writer's hand
        await manager.send({"type": "tool_executing"})
        for number in range(10):
            await manager.send(numbered(number))
        socket.release()
        await connection.drained()
        assert [m.get("missing") or m["seq"] for m in socket.messages] == [1, 7, 2, 10, 11, 12]
        assert manager.stats()["dropped"] == 7

    asyncio.run(run())


def test_the_other_policy_closes_with_1013_and_keeps_everything_for_replay(new_socket, context, eventually) -> None:
    async def run() -> None:
        factory = WebSocketManagerFactory(Limits(outbox_events=4, overflow=OverflowPolicy.CLOSE, close_timeout=0.05))
        manager = factory.get(context())
        socket = new_socket()
        socket.block()
        connection = manager.add_connection(socket, abort=socket.abort)
        for number in range(10):
            await manager.send(numbered(number))
        assert connection.close_code == 1013 and manager.connections == {}
        await eventually(lambda: socket.aborted, "the abort of a socket that takes no close frame")
        assert len(await manager.history()) == 10

    asyncio.run(run())


def test_a_peer_that_does_not_read_is_evicted_and_its_events_wait(new_socket, context, eventually) -> None:
    async def run() -> None:
        factory = WebSocketManagerFactory(Limits(send_timeout=0.05))
        manager = factory.get(context())
        socket = new_socket()
        socket.block()
        manager.add_connection(socket, abort=socket.abort)
        await manager.send({"type": "agent_started"})
        await manager.send({"type": "agent_completed"})
        await eventually(lambda: socket.aborted, "eviction")
        assert manager.connections == {} and factory.stats()["evicted"] == 1
        assert [e.type for e in manager.undelivered()] == ["agent_started", "agent_completed"]
        await eventually(lambda: len(asyncio.all_tasks()) == 1, "the end of the writer")
        second = new_socket()
        await manager.connect(second)
        assert second.seqs == [1, 2]

    asyncio.run(run())


def test_a_slow_but_reading_peer_is_not_evicted(new_socket, context, eventually) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory(Limits(send_timeout=0.4)).get(context())

        class Slow(type(new_socket())):
            async def send_text(self, text: str) -> None:
                await asyncio.sleep(0.15)
                self.texts.append(text)

        socket = Slow()
        connection = manager.add_connection(socket, abort=socket.abort)
        for number in range(5):
            await manager.send(numbered(number))
        await connection.drained()
        assert connection.active and socket.seqs == [1, 2, 3, 4, 5]

    asyncio.run(run())


def test_a_dead_socket_is_forgotten_and_its_event_is_kept(new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        socket = new_socket()
        connection = manager.add_connection(socket)
        socket.broken = True
        delivery = await manager.send({"type": "agent_started"})
        assert (delivery.receivers, delivery.kept) == (0, True)
        assert connection.close_code == 1006
        assert connection.close_reason == "ConnectionResetError: peer is gone"
        assert manager.connections == {} and [e.seq for e in manager.undelivered()] == [1]

    asyncio.run(run())


def test_closing_waits_for_the_frame_in_the_air(new_socket, context, eventually) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        socket = new_socket()
        socket.block()
        connection = manager.add_connection(socket)
        await manager.send(numbered(1))
        closing = asyncio.ensure_future(connection.close(1000, "bye"))
        await asyncio.sleep(0)
        assert socket.closed is None and manager.connections == {}
        socket.release()
        await closing
        assert socket.closed == (1000, "bye") and socket.seqs == [1]

    asyncio.run(run())


def test_closing_twice_is_one_close(new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        socket = new_socket()
        connection = manager.add_connection(socket)
        await connection.close(1008, "first")
        await connection.close(1011, "second")
        assert socket.closed == (1008, "first")
        assert connection.close_code == 1008

    asyncio.run(run())


def test_an_error_in_close_is_not_the_callers(context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        socket = AsyncMock()
        socket.close.side_effect = RuntimeError("already closed")
        connection = manager.add_connection(socket)
        await connection.close()
        assert not connection.active

    asyncio.run(run())


def test_plain_and_asynchronous_mocks_are_sockets(context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        asynchronous, plain = AsyncMock(), MagicMock()
        manager.add_connection(asynchronous, stamped=False)
        manager.add_connection(plain, stamped=False)
        await manager.send(numbered(1))
        asynchronous.send_json.assert_awaited_once_with(numbered(1))
        plain.send_json.assert_called_once_with(numbered(1))

    asyncio.run(run())


def test_what_cannot_send_is_refused(context) -> None:
    with pytest.raises(TypeError, match=r"int cannot be a connection: it has none of send_json\(dict\)"):
        WebSocketManagerFactory().get(context()).add_connection(7)


def test_a_send_from_another_thread_is_written_on_the_loop_of_the_socket(new_socket, context, eventually) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        written_on: list[int] = []

        class Watched(type(new_socket())):
            async def send_text(self, text: str) -> None:
                written_on.append(threading.get_ident())
                self.texts.append(text)

        socket = Watched()
        await manager.connect(socket)
        thread = threading.Thread(target=lambda: asyncio.run(manager.send(numbered(1))))
        thread.start()
        await eventually(lambda: socket.seqs == [1], "delivery")
        thread.join()
        assert written_on == [threading.get_ident()]

    asyncio.run(run())


def test_a_connection_outlives_the_loop_it_was_used_on(new_socket, context) -> None:
    manager = WebSocketManagerFactory().get(context())
    socket = new_socket()
    manager.add_connection(socket)
    for number in range(3):
        asyncio.run(manager.send(numbered(number)))
    assert socket.seqs == [1, 2, 3]


class RoomySocket:
    """Takes texts at once while it has room, as the server's sockets do; what it makes wait ends when room is given."""

    prefers_text = True

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.waited = 0
        self.room = asyncio.Event()
        self.room.set()

    @property
    def seqs(self) -> list[int]:
        return [json.loads(text)["seq"] for text in self.texts]

    def write_now(self, text: str) -> bool:
        if self.room.is_set():
            self.texts.append(text)
        return self.room.is_set()

    async def send_text(self, text: str) -> None:
        self.waited += 1
        await self.room.wait()
        self.texts.append(text)


def test_a_socket_that_can_write_at_once_is_written_to_without_a_send_and_never_overtaken(context, eventually) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())
        socket = RoomySocket()
        connection = manager.add_connection(socket)
        for number in range(3):
            await manager.send(numbered(number))
        assert (socket.seqs, socket.waited) == ([1, 2, 3], 1)  # the first one finds out
        socket.room.clear()
        for number in range(3):
            await manager.send(numbered(number))
        assert connection.writing and len(connection.outbox) == 2
        socket.room.set()  # there is room, and yet older events wait
        await manager.send(numbered(7))
        assert socket.seqs == [1, 2, 3]
        await connection.drained()
        await manager.send(numbered(8))
        await manager.send(numbered(9))
        assert socket.seqs == list(range(1, 10)) and not connection.writing
        assert connection.sent == 9

    asyncio.run(run())


def test_a_socket_that_fails_to_write_at_once_is_lost_alone_and_its_event_is_kept(context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())

        class Failing(RoomySocket):
            def write_now(self, text: str) -> bool:
                raise RuntimeError("the transport is closed")

            async def send_text(self, text: str) -> None:
                if self.texts:
                    raise RuntimeError("the transport is closed")
                self.texts.append(text)

        connection = manager.add_connection(Failing())
        await manager.send(numbered(1))
        delivery = await manager.send(numbered(2))
        assert delivery.receivers == 0 and not connection.active
        assert [event.seq for event in manager.undelivered()] == [2]

    asyncio.run(run())


def test_a_full_outbox_holds_also_where_sockets_write_at_once(context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory(Limits(outbox_events=4)).get(context())
        socket = RoomySocket()
        connection = manager.add_connection(socket)
        await manager.send(numbered(1))
        socket.room.clear()
        for number in range(10):
            await manager.send(numbered(number))
        assert (len(connection.outbox), connection.outbox.dropped) == (4, 5)
        socket.room.set()
        await connection.drained()
        assert [json.loads(text).get("missing", 0) for text in socket.texts] == [0, 0, 5, 0, 0, 0, 0]

    asyncio.run(run())


def test_threads_that_send_while_the_loop_writes_at_once_keep_the_order(context, eventually) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory(Limits(outbox_events=100_000)).get(context())
        socket = RoomySocket()
        connection = await manager.connect(socket)
        before = sys.getswitchinterval()
        sys.setswitchinterval(1e-5)
        try:
            threads = [threading.Thread(target=lambda: asyncio.run(send_many(manager, 300))) for _ in range(3)]
            for thread in threads:
                thread.start()
            for number in range(300):
                await manager.send(numbered(number))
                await connection.send_direct(numbered(number))
                await asyncio.sleep(0)
            await eventually(lambda: len(socket.texts) == 1500, "delivery")
            for thread in threads:
                thread.join()
        finally:
            sys.setswitchinterval(before)
        numbers = [json.loads(text).get("seq") for text in socket.texts]
        assert [number for number in numbers if number] == list(range(1, 1201))

    async def send_many(manager, count: int) -> None:
        for number in range(count):
            await manager.send(numbered(number))

    asyncio.run(run())


def test_a_send_that_leads_to_a_send_keeps_the_order(new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory().get(context())

        class Echoing(type(new_socket())):
            async def send_text(self, text: str) -> None:
                if not self.texts:
                    self.texts.append(text)
                    await manager.send(numbered(2))
                    assert len(self.texts) == 1
                else:
                    self.texts.append(text)

        socket = Echoing()
        manager.add_connection(socket)
        await manager.send(numbered(1))
        assert socket.seqs == [1, 2]

    asyncio.run(run())


def test_what_is_said_to_one_connection_never_gives_way_and_too_much_of_it_ends_the_connection(new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory(Limits(outbox_events=4, close_timeout=0.05)).get(context())
        socket = new_socket()
        socket.block()
        connection = manager.add_connection(socket, abort=socket.abort)
        await manager.send(numbered(0))  # in the writer's hand
        assert connection.post({"type": "ack", "ack": 1})
        for number in range(5):
            await manager.send(numbered(number))
        assert connection.post({"type": "ack", "ack": 2})
        socket.release()
        await connection.drained()
        acks = [message["ack"] for message in socket.messages if message["type"] == "ack"]
        assert acks == [1, 2] and connection.outbox.dropped == 3
        socket.block()
        await manager.send(numbered(6))
        assert [connection.post({"type": "ack", "ack": n}) for n in range(5)] == [True] * 4 + [False]
        assert (connection.close_code, connection.close_reason) == (1013, "outbox is full")
        socket.release()

    asyncio.run(run())


def test_a_connection_that_catches_up_and_takes_no_more_is_closed_not_robbed(new_socket, context) -> None:
    async def run() -> None:
        manager = WebSocketManagerFactory(Limits(outbox_events=2)).get(context())
        connection = manager.add_connection(new_socket())
        connection.held = True
        assert [connection.post({"type": "ack", "ack": n}) for n in range(3)] == [True, True, False]
        assert connection.close_code == 1013

    asyncio.run(run())
