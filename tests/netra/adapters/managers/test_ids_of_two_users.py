"""One id at two users, over this process's factory and real sockets: no lookup by it reaches or drops the wrong one."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

websockets = pytest.importorskip("websockets", reason="websockets is in the test group")

from compat.canonical.factory import get_websocket_manager
from compat.netra.adapters.managers.holders import Holders
from compat.netra.adapters.managers.websocket_manager import SharedWebSocketManager

# ruff: noqa: E402
pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning"), pytest.mark.usefixtures("production")]


class Peer:
    """A client, and the server's end of its socket."""

    def __init__(self, client: Any, served: Any) -> None:
        self.client, self.served = client, served

    async def got(self) -> list[str]:
        """The types of all messages that came; what was sent is there before the pong."""
        await (await self.client.ping())
        found = []
        with contextlib.suppress(asyncio.TimeoutError):
            while True:
                found.append(json.loads(await asyncio.wait_for(self.client.recv(), 0.01))["type"])
        return found


@contextlib.asynccontextmanager
async def peers(count: int) -> AsyncIterator[list[Peer]]:
    served: asyncio.Queue[Any] = asyncio.Queue()

    async def serve(socket: Any) -> None:
        served.put_nowait(socket)
        await socket.wait_closed()

    async with websockets.serve(serve, "127.0.0.1", 0) as server, contextlib.AsyncExitStack() as stack:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        yield [Peer(await stack.enter_async_context(websockets.connect(url)), await served.get()) for _ in range(count)]


def test_an_object_that_has_one_of_them_means_this_one_and_an_object_that_has_none_means_nobody(run: Any) -> None:
    async def scenario() -> None:
        x, y, z = SharedWebSocketManager(), SharedWebSocketManager(), SharedWebSocketManager()
        async with peers(2) as (a, b):
            await x.connect_user("user_1", a.served, "main")
            await y.connect_user("user_2", b.served, "main")
            assert await z.send_message("main", {"type": "whose"}) is False
            assert await z.send_event("main", "whose", {}) is False
            assert await x.send_message("main", {"type": "first"}) is True
            assert await y.send_message("main", {"type": "second"}) is True
            assert z.get_connection("main") is None and "main" not in z._connections
            assert (x.get_connection("main").user_id, y.get_connection("main").user_id) == ("user_1", "user_2")
            await z.remove_connection("main")
            await z.disconnect("main")
            z.unregister_connection("main")
            assert z.update_connection_thread("main", "thread_1") is False
            assert (z.get_connection_count(), z.get_stats()["connections_by_user"]) == (2, {"user_1": 1, "user_2": 1})
            assert (await a.got(), await b.got()) == (["first"], ["second"])

    run(scenario())


def test_an_id_whose_connection_has_gone_does_not_come_to_mean_another_users(run: Any) -> None:
    async def scenario() -> None:
        x, y, z = SharedWebSocketManager(), SharedWebSocketManager(), SharedWebSocketManager()
        async with peers(2) as (a, b):
            await x.connect_user("user_1", a.served, "main")
            await y.connect_user("user_2", b.served, "main")
            await y.remove_connection("main")
            for late in (y, z):
                await late.remove_connection("main")
                assert await late.send_message("main", {"type": "late"}) is False
                assert late.get_connection("main") is None
            assert await x.send_message("main", {"type": "mine"}) is True
            assert (await a.got(), await b.got()) == (["mine"], [])

    run(scenario())


def test_through_one_object_both_stay_and_calls_that_name_the_user_reach_theirs(run: Any) -> None:
    async def scenario() -> None:
        x = SharedWebSocketManager()
        async with peers(2) as (a, b):
            first = await x.connect_user("user_1", a.served, "main")
            second = await x.connect_user("user_2", b.served, "main")
            assert first == second == "main"
            assert await x.send_message("main", {"type": "whose"}) is False
            assert x.get_connection("main") is None
            await x.remove_connection("main")
            assert x.get_connection_count() == 2
            await x.send_to_user("user_1", {"type": "by user"})
            assert await x.send_message(first, {"type": "by what connect_user gave"}) is True
            assert await x.send_message(second, {"type": "by what connect_user gave"}) is True
            assert x.get_connection(second).websocket is b.served
            assert (await a.got(), await b.got()) == (["by user", "by what connect_user gave"], ["by what connect_user gave"])
            assert await x.validate_event_isolation("user_1", "main") and await x.validate_event_isolation("user_2", "main")
            await x.remove_connection("user_1", "main")
            assert (x.get_user_connections("user_1"), x.get_user_connections("user_2")) == (set(), {"main"})
            assert await x.validate_event_isolation("user_2", "main") and not await x.validate_event_isolation("user_1", "main")
            await x.remove_connection("user_1", "main")
            await x.remove_connection("main", "user_1")
            assert x.get_user_connections("user_2") == {"main"}
            await x.remove_connection("main", "user_2")
            assert x.get_connection_count() == 0 and x._event_isolation_tokens == {}

    run(scenario())


@pytest.mark.parametrize("late", ["unregister_connection", "get_connection", "get_connection_info"])
def test_a_late_call_for_a_user_who_left_does_not_touch_the_user_who_took_the_id(late: str, run: Any) -> None:
    async def scenario() -> None:
        x = SharedWebSocketManager()
        async with peers(2) as (a, b):
            await x.connect_user("user_1", a.served, "main")
            await x.disconnect_user("user_1", a.served)
            await x.connect_user("user_2", b.served, "main")
            assert not getattr(x, late)("main")
            await x.disconnect_user("user_1")
            assert x.get_user_connections("user_2") == {"main"}

    run(scenario())


def test_a_connection_of_the_canonical_server_with_the_id_of_a_legacy_one_is_neither_reached_nor_dropped(run: Any) -> None:
    async def scenario() -> None:
        x, z = SharedWebSocketManager(), SharedWebSocketManager()
        async with peers(2) as (a, b):
            canonical = get_websocket_manager(SimpleNamespace(user_id="user_1"))
            await canonical.connect(a.served, connection_id="main", stamped=False)
            await x.connect_user("user_2", b.served, "main")
            assert await x.send_message("main", {"type": "mine"}) is True
            await x.remove_connection("main")
            assert await x.send_message("main", {"type": "late"}) is False
            assert await z.send_message("main", {"type": "late"}) is False
            await z.remove_connection("main")
            assert canonical.is_connected
            assert (await a.got(), await b.got()) == ([], ["mine"])

    run(scenario())


def test_a_connection_that_is_called_as_a_user_gets_nothing_that_is_for_the_user(run: Any) -> None:
    async def scenario() -> None:
        x = SharedWebSocketManager()
        async with peers(2) as (a, b):
            await x.connect_user("user_1", a.served, "user_2")
            await x.connect_user("user_2", b.served, "other")
            assert await x.send_message("user_2", {"type": "secret"}) is False
            await x.disconnect("user_2")
            assert x.get_user_connections("user_1") == {"user_2"}
            assert await a.got() == []

    run(scenario())


def test_rooms_and_jobs_keep_the_users_of_one_id_apart(run: Any) -> None:
    async def scenario() -> None:
        x, y = SharedWebSocketManager(), SharedWebSocketManager()
        async with peers(3) as (a, b, c):
            await x.connect_user("user_1", a.served, "main")
            await y.connect_user("user_2", b.served, "main")
            assert x.join_room("user_1", "room_1") is True
            assert await y.broadcast_to_room("room_1", {"type": "to the first"}) == 1
            assert await y.broadcast_to_job("room_1", {"type": "job"}) is True
            await x.disconnect_user("user_1")
            assert await y.broadcast_to_room("room_1", {"type": "to nobody"}) == 0
            assert y.leave_room("user_2", "room_1") is False and y.join_room("user_2", "room_1") is True
            assert await x.broadcast_to_room("room_1", {"type": "to the second"}) == 1
            assert await b.got() == ["to the second"]
            assert y.leave_room("user_2", "room_1") is True
            await x.connect_user("user_1", c.served, "main")
            assert await x.broadcast_to_room("room_1", {"type": "back"}) == 1
            assert (await c.got(), await b.got()) == (["back"], [])

    run(scenario())


def test_a_socket_at_the_place_in_memory_of_an_earlier_one_gets_nothing_that_waited_for_that(run: Any) -> None:
    class Weak:
        async def send_json(self, message: Any) -> None:
            got.append(message)

    got: list[Any] = []

    async def scenario() -> None:
        x = SharedWebSocketManager()
        socket = Weak()
        made = await x.connect_to_job(socket, "job_1")
        user = made.user_id
        await x.disconnect_from_job("job_1", socket)
        await x.send_to_user(user, {"type": "secret of the first"})
        await x.connect_to_job(socket, "job_2")  # the same number, as after the first has been freed
        gc.collect()
        assert got == []

    run(scenario())


@pytest.mark.parametrize("thread", ["thread_1", "main", "user_2"])
def test_a_client_that_calls_its_thread_as_anothers_receives_nothing_of_it(thread: str, run: Any) -> None:
    async def scenario() -> None:
        x, z = SharedWebSocketManager(), SharedWebSocketManager()
        async with peers(2) as (thief, b):
            await x.connect_user("user_2", b.served, "conn_2", thread_id=thread)
            canonical = get_websocket_manager(SimpleNamespace(user_id="user_1"))
            stolen = await canonical.connect(thief.served, stamped=False)
            canonical.associate_thread(stolen.connection_id, thread)
            for manager in (x, z):
                assert await manager.send_to_thread(thread, {"type": "secret"}) is True
                await manager.send_agent_update("run_1", "agent", {"thread_id": thread})
            assert (await thief.got(), await b.got()) == ([], ["secret", "agent_update"] * 2)
            await x.disconnect_user("user_2")
            for manager in (x, z):
                await manager.send_to_thread(thread, {"type": "late"})
            assert await thief.got() == []

    run(scenario())


def test_a_thread_that_two_users_show_or_have_shown_is_nobodys(run: Any) -> None:
    async def scenario() -> None:
        x = SharedWebSocketManager()
        async with peers(2) as (a, b):
            first = get_websocket_manager(SimpleNamespace(user_id="user_1"))
            second = get_websocket_manager(SimpleNamespace(user_id="user_2"))
            mine = await first.connect(a.served, thread_id="thread_1", stamped=False)
            assert await x.send_to_thread("thread_1", {"type": "alone"}) is True
            await second.connect(b.served, thread_id="thread_1", stamped=False)
            assert await x.send_to_thread("thread_1", {"type": "both"}) is False
            first.remove_connection(mine.connection_id)
            assert await x.send_to_thread("thread_1", {"type": "late"}) is False
            assert (await a.got(), await b.got()) == (["alone"], [])

    run(scenario())


@pytest.mark.parametrize("thread", ["user_2", "user_3"])
def test_what_is_for_the_user_of_an_id_does_not_go_to_whoever_calls_a_thread_so(thread: str, run: Any) -> None:
    async def scenario() -> None:
        x = SharedWebSocketManager()
        async with peers(2) as (thief, b):
            await x.connect_user(thread, b.served, "conn_2")
            await get_websocket_manager(SimpleNamespace(user_id="user_1")).connect(thief.served, thread_id=thread, stamped=False)
            assert await x.send_to_thread(thread, {"type": "secret"}) is True
            assert (await thief.got(), await b.got()) == ([], ["secret"])

    run(scenario())


def test_runs_registries_and_calls_without_an_id_tell_nobody_of_another_user(run: Any) -> None:
    async def scenario() -> None:
        x, y = SharedWebSocketManager(), SharedWebSocketManager()
        async with peers(2) as (a, b):
            one = SimpleNamespace(connection_id="main", websocket=a.served, connected_at=None)
            two = SimpleNamespace(connection_id="main", websocket=b.served, connected_at=None)
            await x.registry.register_connection("user_1", one)
            await x.registry.register_connection("user_2", two)
            assert (x.registry.get_user_connections("user_1"), x.registry.get_user_connections("user_2")) == ([one], [two])
            assert x.get_connection() is None
            for manager, user in ((x, "user_1"), (y, "user_2")):
                manager._scope.get("main", user).metadata = {"run_id": "run_1"}
            assert await y.get_connections_by_run_id("run_1") == []
            assert x.get_connection(x.get_connection_id_by_websocket(b.served)).user_id == "user_2"

    run(scenario())


def test_what_is_remembered_of_ids_is_bounded_and_the_oldest_goes_first() -> None:
    holders = Holders(limit=3)
    for number in range(5):
        holders.note(f"conn_{number}", "user_1")
    holders.note("conn_2", "user_2")
    holders.note("conn_2", "user_3")
    holders.note("conn_9", "user_1")
    assert [holders.users(f"conn_{number}") for number in range(5)] == [(), (), ("user_1", "user_2"), (), ("user_1",)]
    assert holders.users("conn_9") == ("user_1",)
