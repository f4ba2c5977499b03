"""Connections through the legacy manager: added, found, moved, removed, and seen through its attributes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from compat.canonical.factory import get_websocket_manager

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_a_connection_is_added_found_and_removed(manager: Any, connection: Any, run: Any, wires: Any) -> None:
    one, two = connection("user_1", 1), connection("user_1", 2)

    async def scenario() -> None:
        await manager.add_connection(one)
        await manager.add_connection(two)
        assert manager.get_connection("conn_1") is one
        assert manager.get_user_connections("user_1") == {"conn_1", "conn_2"}
        assert await manager.get_user_connections("user_1") == {"conn_1", "conn_2"}
        assert manager.is_connection_active("user_1") is True
        await manager.remove_connection("conn_1")
        await manager.remove_connection("conn_1")
        assert manager.get_connection("conn_1") is None
        assert manager.get_user_connections("user_1") == {"conn_2"}
        await manager.remove_connection("conn_2")
        assert "user_1" not in manager._user_connections

    run(scenario())
    assert manager.is_connection_active("user_1") is False
    assert wires.closed_with(one) is None


def test_the_attributes_show_the_canonical_state(manager: Any, connection: Any, run: Any) -> None:
    record = connection("user_1", 1)
    run(manager.add_connection(record))
    assert isinstance(manager._connections, dict)
    assert manager._connections == {"conn_1": record}
    assert manager._user_connections == {"user_1": {"conn_1"}}
    assert manager.active_connections == {"user_1": [record]}
    assert manager._scope.manager_of("user_1").connections.keys() == {"conn_1"}
    assert manager.connection_manager is manager
    assert manager.registry.manager is manager


def test_writing_to_an_attribute_writes_to_the_canonical_state(manager: Any, connection: Any) -> None:
    manager._connections["conn_1"] = connection("user_1", 1)
    assert manager.get_user_connections("user_1") == {"conn_1"}
    del manager._connections["conn_1"]
    assert manager.get_connection_count() == 0
    manager._connections = {"conn_2": connection("user_1", 2)}
    manager._connections.clear()
    assert manager._connections == {}


@pytest.mark.parametrize("field", ["user_id", "connection_id"])
def test_a_connection_without_an_id_is_refused(manager: Any, connection: Any, run: Any, field: str) -> None:
    record = connection()
    setattr(record, field, "")
    with pytest.raises(ValueError, match=field):
        run(manager.add_connection(record))


def test_a_malformed_user_id_is_refused(manager: Any, connection: Any) -> None:
    with pytest.raises(ValueError, match="Invalid user_id format"):
        connection("not a user id!")
    assert manager.is_connection_active("not a user id!") is False and manager.is_user_connected(None) is False


@pytest.mark.parametrize("nobody", [None, "", "  "])
def test_the_id_of_nobody_is_refused_though_no_id_means_the_managers_own_user(manager: Any, nobody: Any) -> None:
    with pytest.raises(ValueError, match=f"Invalid user_id: {nobody}"):
        manager.get_user_connections(nobody)
    assert manager.get_user_connections() == set()


def test_every_form_of_adding_is_understood(manager: Any, connection: Any, run: Any, socket: Any) -> None:
    wire = socket()

    async def scenario() -> None:
        await manager.add_connection("user_1", wire)
        await manager.add_connection("user_2", wire, "conn_2")
        await manager.add_connection("user_3", "conn_3", wire)
        await manager.add_connection(user_id="user_4", connection_id="conn_4", websocket=wire)

    run(scenario())
    assert manager.get_stats()["connections_by_user"] == dict.fromkeys(("user_1", "user_2", "user_3", "user_4"), 1)
    assert {"conn_2", "conn_3", "conn_4"} < set(manager._connections)


def test_connecting_a_user_makes_an_id(manager: Any, run: Any, socket: Any) -> None:
    wire = socket()

    async def scenario() -> None:
        made = await manager.connect_user("user_1", wire)
        assert isinstance(made, str)
        assert made.startswith("conn_websocket_")
        assert (made.connection_id, made.user_id, made.websocket) == (made, "user_1", wire)
        assert await manager.connect_user("user_1", wire, "conn_x", "thread_1") == "conn_x"
        assert manager.get_connection_thread_id("conn_x") == "thread_1"
        assert await manager.connect_user("user_2", socket(), connection_metadata={"connection_id": "conn_m"}) == "conn_m"
        assert manager.get_connection("conn_m").metadata == {"connection_id": "conn_m"}

    run(scenario())


def test_disconnecting_closes_the_socket(manager: Any, connection: Any, run: Any, socket: Any, wires: Any) -> None:
    record = connection()

    async def scenario() -> None:
        await manager.add_connection(record)
        await manager.disconnect_user("user_1", socket())
        assert manager.get_connection("conn_1") is record
        await manager.disconnect_user("user_1", record.websocket, 1001, "bye")

    run(scenario())
    assert wires.closed_with(record) == (1001, "bye")
    assert manager.get_connection_count() == 0


def test_threads(manager: Any, connection: Any, run: Any) -> None:
    run(manager.add_connection(connection("user_1", 1, thread_id="thread_1")))
    run(manager.add_connection(connection("user_1", 2)))
    assert manager.get_user_connections_by_thread("user_1", "thread_1") == {"conn_1"}
    assert manager.update_connection_thread("conn_2", "thread_1") is True
    assert manager.update_connection_thread("conn_9", "thread_1") is False
    assert manager.get_user_connections_by_thread("user_1", "thread_1") == {"conn_1", "conn_2"}
    assert manager.get_connection("conn_2").thread_id == "thread_1"


def test_lookup_by_socket(manager: Any, connection: Any, run: Any, socket: Any) -> None:
    record = connection()
    run(manager.add_connection(record))
    assert manager.get_connection_id_by_websocket(record.websocket) == "conn_1"
    assert manager.get_connection_id_by_websocket(socket()) is None
    assert run(manager.find_connection("user_1", record.websocket)) is record


def test_registering_is_sync_and_may_be_awaited(manager: Any, run: Any, socket: Any) -> None:
    manager.register_connection("conn_1", "user_1", socket())
    assert manager.get_connection_info("conn_1")["user_id"] == "user_1"
    assert [one["connection_id"] for one in manager.get_connections_for_user("user_1")] == ["conn_1"]
    manager.unregister_connection("conn_1")
    assert manager.get_connection_info("conn_1") is None

    async def scenario() -> None:
        await manager.register_connection("conn_2", "user_1", socket())
        await manager.unregister_connection("conn_2")

    run(scenario())


def test_the_registry(manager: Any, run: Any, socket: Any) -> None:
    info = SimpleNamespace(connection_id="conn_1", websocket=socket(), connected_at=datetime.now(timezone.utc))
    run(manager.registry.register_connection("user_1", info))
    assert manager.registry.get_user_connections("user_1") == [info]
    assert manager.registry.get_user_connections("user_2") == []
    assert manager.connection_registry == {"conn_1": info}
    assert manager.get_connection("conn_1").metadata == {"connection_info": info}


@pytest.mark.parametrize("age", [0, 3600, -1, 10**9])
def test_closed_connections_go_and_a_living_socket_stays_however_old_it_is(
    manager: Any, connection: Any, run: Any, age: int
) -> None:
    closed = SimpleNamespace(client_state=SimpleNamespace(name="DISCONNECTED"), close=None)
    old = datetime.now(timezone.utc) - timedelta(days=20_000)
    run(manager.add_connection(connection("user_1", 1, connected_at=old)))
    run(manager.add_connection(connection("user_1", 2, connected_at=old.replace(tzinfo=None))))
    run(manager.add_connection(connection("user_1", 3)))
    run(manager.add_connection(connection("user_2", 4, websocket=closed)))
    without = connection("user_2", 5)
    run(manager.add_connection(without))
    without.websocket = None
    assert run(manager.cleanup_stale_connections(age)) == 2
    assert run(manager.cleanup_stale_connections(max_age_seconds=age)) == 0
    assert set(manager._connections) == {"conn_1", "conn_2", "conn_3"}


def test_jobs_are_rooms(manager: Any, run: Any, socket: Any, got: Any) -> None:
    wire = socket()

    async def scenario() -> None:
        made = await manager.connect_to_job(wire, "job_1")
        assert manager.core.room_manager.get_stats()["room_connections"] == {"job_1": [made.connection_id]}
        assert await manager.broadcast_to_job("job_1", {"type": "x"}) is True
        await manager.disconnect_from_job("job_1", wire)
        with pytest.raises(ValueError, match="job_id"):
            await manager.connect_to_job(wire, "")

    run(scenario())
    assert got(wire) == [{"type": "x"}]
    assert manager.core.room_manager.get_stats()["total_rooms"] == 0


def test_waiting_for_a_connection(manager: Any, connection: Any, run: Any) -> None:
    assert run(manager.wait_for_connection("user_1", timeout=0.01, check_interval=0.001)) is False
    run(manager.add_connection(connection()))
    assert run(manager.wait_for_connection("user_1", timeout=0.01)) is True


def test_clearing_and_shutdown(manager: Any, connection: Any, run: Any, wires: Any) -> None:
    one, two = connection("user_1", 1), connection("user_2", 2)
    run(manager.add_connection(one))
    manager.clear_all_connections()
    assert manager.get_stats() == {"total_connections": 0, "unique_users": 0, "connections_by_user": {}}
    run(manager.add_connection(two))
    run(manager.shutdown())
    assert wires.closed_with(one) is None
    assert wires.closed_with(two) == (1001, "")
    assert manager.get_connection_count() == 0
    assert manager.is_healthy() is False


def test_an_attribute_that_was_read_once_stays_current(manager: Any, connection: Any, run: Any) -> None:
    connections, users = manager._connections, manager._user_connections
    run(manager.add_connection(connection("user_1", 1)))
    assert (list(connections), users, "conn_1" in connections) == (["conn_1"], {"user_1": {"conn_1"}}, True)
    assert connections is manager._connections
    connections.pop("conn_1")
    assert (len(connections), users, connections.pop("conn_1", None)) == (0, {}, None)
    with pytest.raises(KeyError):
        del connections["conn_1"]
    connections.update(conn_2=connection("user_2", 2))
    assert connections.setdefault("conn_2") is manager.get_connection("conn_2")
    manager.active_connections["user_2"] = [connection("user_2", 3)]
    assert manager.get_user_connections("user_2") == {"conn_3"}
    del users["user_2"]
    assert manager.get_connection_count() == 0


ODD = "auth0|Ann O'Neil, 日本"


def test_a_user_whom_the_canonical_server_let_in_is_taken_under_any_id(manager: Any, run: Any, socket: Any, got: Any) -> None:
    async def scenario() -> None:
        here, legacy = socket(), socket()
        await get_websocket_manager(SimpleNamespace(user_id=ODD)).connect(here, stamped=False)
        assert manager.is_connection_active(ODD) and manager.get_connection_health(ODD)["active_connections"] == 1
        made = await manager.connect_user(ODD, legacy, "conn_1")
        await manager.add_connection(user_id=ODD, websocket=socket())
        assert (made.user_id, len(manager.get_user_connections(ODD))) == (ODD, 3)
        await manager.send_to_user(ODD, {"type": "x"})
        await manager.emit_critical_event(ODD, "own", {})
        assert [[message["type"] for message in got(one)] for one in (here, legacy)] == [["x", "own"]] * 2

    run(scenario())


def test_a_manager_takes_the_user_of_its_context_under_any_id(run: Any, socket: Any, got: Any) -> None:
    from netra_backend.app.websocket_core.websocket_manager import get_websocket_manager as of_context

    async def scenario() -> None:
        manager, wire = await of_context(SimpleNamespace(user_id=ODD, thread_id=None)), socket()
        await manager.connect_user(ODD, wire)
        await manager.send_to_user(ODD, {"type": "x"})
        assert got(wire) == [{"type": "x"}]

    run(scenario())


@pytest.mark.parametrize("user", ["alice", "auth0|ann", "", "  ", None, 7])
def test_an_id_that_is_refused_is_named_with_the_forms_that_hold(manager: Any, run: Any, socket: Any, user: Any) -> None:
    for call in (
        lambda: manager.connect_user(user, socket()),
        lambda: manager.send_to_user(user, {"type": "x"}),
        lambda: manager.emit_critical_event(user, "own", {}),
    ):
        with pytest.raises(ValueError, match="must") as refused:
            run(call())
        if user:
            assert str(user) in str(refused.value) and "a word and a number (user_1" in str(refused.value)
    assert manager.get_connection_health(user)["error"] == "invalid_user_id"
    assert not manager.is_connection_active(user)
