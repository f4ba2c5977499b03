"""One manager per isolation key, in a bounded registry."""

from __future__ import annotations

import asyncio
import copy
import threading
from types import SimpleNamespace

import pytest

from compat.canonical.core.backplane import InProcessBackplane
from compat.canonical.core.manager import UnifiedWebSocketManager
from compat.canonical.errors import (
    FactoryBypassDetected,
    ResourceLimitExceeded,
    SettingsError,
    UserIsolationViolation,
)
from compat.canonical.factory import (
    WebSocketManagerFactory,
    get_websocket_manager,
    get_websocket_manager_factory,
    isolated_websocket_managers,
    set_websocket_manager_factory,
)
from compat.canonical.limits import Limits


def context(user: object, thread: object = None) -> SimpleNamespace:
    return SimpleNamespace(user_id=user, thread_id=thread)


class Socket:
    """A socket that keeps what it is sent."""

    def __init__(self) -> None:
        self.received: list[dict] = []
        self.closed: tuple[int, str] | None = None

    async def send_json(self, message: dict) -> None:
        self.received.append(message)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed = (code, reason)


@pytest.fixture
def fresh_default():
    before = set_websocket_manager_factory(None)
    yield
    set_websocket_manager_factory(before)


def test_calling_the_class_is_refused() -> None:
    with pytest.raises(FactoryBypassDetected) as caught:
        UnifiedWebSocketManager("anything", user="u")
    assert str(caught.value) == ("Direct instantiation not allowed. Use get_websocket_manager() factory function.")


def test_copying_a_manager_is_refused_as_well() -> None:
    manager = WebSocketManagerFactory().get(context("u"))
    with pytest.raises(FactoryBypassDetected):
        copy.copy(manager)


def test_one_isolation_key_has_one_manager() -> None:
    factory = WebSocketManagerFactory()
    assert factory.get(context("u")) is factory.get(context("u"))
    assert factory.get(context("u", "t")) is factory.get(context("u", "t"))
    managers = {id(factory.get(context(u, t))) for u in ("u", "v") for t in (None, "s", "t")}
    assert len(managers) == 6


def test_a_context_without_a_thread_attribute_is_the_users_own_manager() -> None:
    factory = WebSocketManagerFactory()
    assert factory.get(SimpleNamespace(user_id="u")) is factory.get(context("u"))


@pytest.mark.parametrize("user", [None, "", "   ", 7])
def test_a_context_without_a_user_is_refused(user: object) -> None:
    with pytest.raises(UserIsolationViolation, match="UserExecutionContext required for proper user isolation"):
        WebSocketManagerFactory().get(context(user))
    with pytest.raises(UserIsolationViolation):
        WebSocketManagerFactory().get(None)


def test_an_empty_thread_is_refused() -> None:
    with pytest.raises(UserIsolationViolation, match="thread_id is ''; give a non-empty str, or None for all threads"):
        WebSocketManagerFactory().get(context("u", ""))


def test_threads_racing_for_a_key_get_one_manager() -> None:
    factory = WebSocketManagerFactory()
    start = threading.Barrier(8)
    found: list[UnifiedWebSocketManager] = []

    def ask() -> None:
        start.wait()
        for number in range(200):
            found.append(factory.get(context(f"u{number}")))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(m) for m in found}) == 200 == len(factory.managers())


def test_the_limit_of_managers_is_a_clear_refusal() -> None:
    factory = WebSocketManagerFactory(Limits(managers=2))
    factory.get(context("u"))
    factory.get(context("v"))
    with pytest.raises(ResourceLimitExceeded) as caught:
        factory.get(context("w"))
    assert str(caught.value) == ("limit of 2 managers is reached. Close managers that are done: `await manager.close()`.")
    assert factory.get(context("v")) is not None


def test_the_limit_per_user_hurts_that_user_alone() -> None:
    factory = WebSocketManagerFactory(Limits(managers_per_user=2))
    factory.get(context("u", "1"))
    factory.get(context("u", "2"))
    with pytest.raises(ResourceLimitExceeded, match="limit of 2 managers for user 'u' is reached"):
        factory.get(context("u", "3"))
    factory.get(context("v", "3"))


def test_connections_are_limited_per_user_and_in_all() -> None:
    factory = WebSocketManagerFactory(Limits(connections=3, connections_per_user=2))
    first = factory.get(context("u"))
    first.add_connection(Socket())
    kept = first.add_connection(Socket())
    with pytest.raises(ResourceLimitExceeded, match="limit of 2 connections for user 'u'"):
        first.add_connection(Socket())
    second = factory.get(context("v"))
    second.add_connection(Socket())
    with pytest.raises(ResourceLimitExceeded, match="limit of 3 connections is reached"):
        second.add_connection(Socket())
    first.remove_connection(kept.connection_id)
    second.add_connection(Socket())
    assert factory.stats()["connections"] == 3


def test_idle_managers_are_freed_and_connected_ones_are_not() -> None:
    now = [0.0]
    factory = WebSocketManagerFactory(Limits(idle_timeout=10), clock=lambda: now[0])
    connected = factory.get(context("connected"))
    connected.add_connection(Socket())
    idle = factory.get(context("idle"))
    now[0] = 11.0
    assert factory.reap() == 1
    assert idle.closed and not connected.closed
    assert factory.users() == ["connected"]
    assert factory.get(context("idle")) is not idle


def test_making_managers_frees_idle_ones_on_the_way() -> None:
    now = [0.0]
    factory = WebSocketManagerFactory(Limits(idle_timeout=10, managers=50), clock=lambda: now[0])
    for number in range(1000):
        now[0] += 1.0
        factory.get(context(f"u{number}"))
    assert len(factory.managers()) <= 13


def test_the_default_factory_is_made_at_first_use(fresh_default: None) -> None:
    manager = get_websocket_manager(context("u"))
    assert get_websocket_manager_factory().find("u") is manager
    own = WebSocketManagerFactory()
    assert get_websocket_manager(context("u"), factory=own) is not manager


def test_limits_name_every_fault() -> None:
    with pytest.raises(SettingsError) as caught:
        Limits(managers=0, send_timeout=-1)
    assert caught.value.faults == (
        "managers is 0; it must be greater than 0",
        "send_timeout is -1; it must be greater than 0",
    )


def test_closing_the_factory_closes_every_socket_and_frees_everything() -> None:
    async def run() -> None:
        factory = WebSocketManagerFactory()
        sockets = [Socket() for _ in range(3)]
        for number, socket in enumerate(sockets):
            await factory.get(context(f"u{number}")).connect(socket)
        await factory.close()
        assert [s.closed for s in sockets] == [(1001, "server is shutting down")] * 3
        stats = factory.stats()
        assert (stats["managers"], stats["users"], stats["connections"]) == (0, 0, 0)
        assert factory.backplane.health()["streams"] == 0

    asyncio.run(run())


def test_a_backplane_that_wraps_publish_is_asked_by_it(new_socket) -> None:
    published: list[str] = []

    class Watched(InProcessBackplane):
        async def publish(self, user_id, draft):
            published.append(user_id)
            return await super().publish(user_id, draft)

    async def run() -> None:
        factory = WebSocketManagerFactory(backplane=Watched())
        socket = new_socket()
        manager = factory.get(SimpleNamespace(user_id="u"))
        manager.add_connection(socket)
        await manager.send({"type": "note"})
        await factory.broadcast({"type": "note"})
        assert published == ["u", "u"] and socket.seqs == [1, 2]

    asyncio.run(run())


def test_a_broadcast_reaches_connected_users_but_those_left_out() -> None:
    async def run() -> None:
        factory = WebSocketManagerFactory()
        sockets = {user: Socket() for user in ("a", "b", "c")}
        for user, socket in sockets.items():
            await factory.get(context(user)).connect(socket)
        factory.get(context("nobody there"))
        assert await factory.broadcast({"type": "notice"}, exclude=["b"]) == 2
        assert [len(s.received) for s in sockets.values()] == [1, 0, 1]

    asyncio.run(run())


def test_a_test_gets_managers_of_its_own_and_leaves_none(fresh_default: None) -> None:
    outside = get_websocket_manager(context("u"))
    with isolated_websocket_managers(Limits(managers=5)) as factory:
        inside = get_websocket_manager(context("u"))
        assert (inside is not outside, inside.factory is factory, factory.limits.managers) == (True, True, 5)
        connection = inside.add_connection(SimpleNamespace(send_json=print))
    assert not connection.active
    assert get_websocket_manager(context("u")) is outside
