"""Who may make a legacy manager, how, and for whom: no user reaches another's connections by any of the old ways."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import subprocess
import sys
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock, Mock, create_autospec, patch

import pytest

from compat.canonical.errors import FactoryBypassDetected, UserIsolationViolation
from compat.netra.adapters.managers.websocket_manager import SharedWebSocketManager
from compat.netra.components.connections import manager_calls

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
BYPASS = "Direct instantiation not allowed. Use get_websocket_manager() factory function. Caller: "


def context(user: str = "user_1", thread: str = "thread_1") -> SimpleNamespace:
    return SimpleNamespace(user_id=user, thread_id=thread, run_id="run_1", request_id="req_1")


@pytest.mark.usefixtures("testing")
def test_in_tests_a_manager_without_context_has_a_synthetic_one() -> None:
    from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager

    manager = UnifiedWebSocketManager()
    assert (manager.user_context.user_id, manager.user_context.thread_id) == ("test_user_824", "test_thread_824")
    assert manager.user_context.request_id == "test_request_824"
    assert manager.mode.value == "unified"


@pytest.mark.usefixtures("testing")
def test_in_tests_every_manager_is_on_its_own(connection: Any, run: Any) -> None:
    from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager

    one, two = UnifiedWebSocketManager(), UnifiedWebSocketManager()
    run(one.add_connection(connection()))
    assert (one.get_connection_count(), two.get_connection_count()) == (1, 0)


@pytest.mark.usefixtures("production")
def test_in_production_a_manager_needs_a_context() -> None:
    from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager

    with pytest.raises(FactoryBypassDetected) as caught:
        UnifiedWebSocketManager()
    assert str(caught.value) == BYPASS + "test_in_production_a_manager_needs_a_context"
    with pytest.raises(UserIsolationViolation, match="UserExecutionContext required for proper user isolation"):
        UnifiedWebSocketManager(_ssot_authorization_token="a-token-of-sixteen")


@pytest.mark.parametrize("token", ["short", 7])
def test_a_malformed_token_is_refused(token: Any) -> None:
    from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager

    with pytest.raises(FactoryBypassDetected, match=r"Invalid SSOT authorization token format \(length: \d\)"):
        UnifiedWebSocketManager(user_context=context(), _ssot_authorization_token=token)


@pytest.mark.usefixtures("production")
def test_in_production_a_context_manager_reaches_its_user_alone(connection: Any, run: Any, got: Any) -> None:
    from netra_backend.app.websocket_core.websocket_manager import get_websocket_manager

    mine, other = connection("user_1", 1), connection("user_2", 2)

    async def scenario() -> None:
        manager = await get_websocket_manager(context("user_1"))
        await manager.add_connection(mine)
        with pytest.raises(UserIsolationViolation, match="this manager works for user 'user_1', not 'user_2'"):
            await manager.add_connection(other)
        again = await get_websocket_manager(context("user_1"))
        await again.send_to_user("user_1", {"type": "x"})
        theirs = await get_websocket_manager(context("user_2"))
        assert theirs.get_connection_count() == 0

    run(scenario())
    assert got(mine) == [{"type": "x"}]


@pytest.mark.usefixtures("production")
def test_the_old_singleton_calls_leak_nothing(connection: Any, run: Any, got: Any) -> None:
    """One object for everybody, as it was written: each user's connections are behind a manager of their own."""
    records = [connection(f"user_{number}", number) for number in range(1, 6)]

    async def scenario() -> None:
        manager = SharedWebSocketManager()
        again = SharedWebSocketManager.get_instance()
        for record in records:
            await manager.add_connection(record)
        await asyncio.gather(
            *(again.send_to_user(f"user_{n}", {"type": "secret", "of": n}) for n in range(1, 6) for _ in range(20))
        )
        assert again.get_stats()["total_connections"] == 5
        managers = {manager._scope.manager_of(record.user_id) for record in records}
        assert len(managers) == 5
        for one, record in zip([manager._scope.manager_of(r.user_id) for r in records], records):
            assert set(one.connections) == {record.connection_id}
            with pytest.raises(UserIsolationViolation):
                await manager_calls.send_to_user(one, "user_99", {"type": "foreign"})

    run(scenario())
    for number, record in enumerate(records, 1):
        assert [message["of"] for message in got(record)] == [number] * 20


def test_module_level_singletons_work(connection: Any, run: Any, socket: Any, got: Any) -> None:
    from app.ws_manager import manager, ws_manager

    assert manager is ws_manager
    wire = socket()

    async def scenario() -> None:
        await manager.connect_user("user_1", wire, "conn_s")
        await ws_manager.send_message_to_user("user_1", {"type": "x"})
        await manager.remove_connection("conn_s")

    run(scenario())
    assert got(wire) == [{"type": "x"}]


@pytest.mark.usefixtures("testing")
def test_every_way_of_calling_the_factory_functions(run: Any) -> None:
    from netra_backend.app.websocket_core import WebSocketManager, create_websocket_manager
    from netra_backend.app.websocket_core.websocket_manager import get_websocket_manager

    async def scenario() -> None:
        made = [
            await get_websocket_manager(context()),
            await get_websocket_manager(user_context=context()),
            get_websocket_manager(context()),
            await asyncio.wait_for(get_websocket_manager(context()), 1),
            await asyncio.create_task(get_websocket_manager(context())),
            *await asyncio.gather(create_websocket_manager(context())),
            create_websocket_manager(context()),
            await get_websocket_manager(),
        ]
        assert all(isinstance(one, WebSocketManager) for one in made)
        assert all(one.get_stats()["total_connections"] == 0 for one in made)

    run(scenario())


def test_the_package_function_always_needs_a_context(run: Any) -> None:
    from netra_backend.app.websocket_core import create_websocket_manager, get_websocket_manager

    async def scenario() -> None:
        with pytest.raises(ValueError, match=r"requires valid UserExecutionContext\. Import-time initialization is prohibited"):
            await get_websocket_manager()

    run(scenario())
    with pytest.raises(ValueError, match="requires valid UserExecutionContext"):
        create_websocket_manager()


def test_it_is_one_class_under_all_its_names() -> None:
    import netra_backend.app.websocket_core.connection_manager as connection_manager
    from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager
    from netra_backend.app.websocket_core.websocket_manager import UnifiedWebSocketManager as Again

    assert UnifiedWebSocketManager is Again
    assert connection_manager.ConnectionManager is connection_manager.WebSocketConnectionManager is UnifiedWebSocketManager


@pytest.mark.usefixtures("testing")
def test_subclassing_and_mocking(run: Any) -> None:
    from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager

    class Mine(UnifiedWebSocketManager):  # type: ignore[misc]
        async def send_to_user(self, user_id: str, message: Any) -> None:
            await super().send_to_user(user_id, {**message, "mine": True})

    mine = Mine()
    run(mine.send_to_user("user_1", {"type": "x"}))
    assert mine._message_recovery_queue["user_1"][0]["mine"] is True
    for spec in (Mock, MagicMock, AsyncMock):
        assert callable(spec(spec=UnifiedWebSocketManager).send_to_user)
    with pytest.raises(AttributeError):
        Mock(spec=UnifiedWebSocketManager).no_such_method()
    assert inspect.iscoroutinefunction(UnifiedWebSocketManager.send_to_user)
    create_autospec(UnifiedWebSocketManager)
    with patch("netra_backend.app.websocket_core.unified_manager.UnifiedWebSocketManager") as replaced:
        from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager as Seen

        assert Seen is replaced
    with patch.object(mine, "get_stats", return_value={}):
        assert mine.get_stats() == {}
    assert mine.get_stats()["total_connections"] == 0


def test_mode_names_are_aliases() -> None:
    from netra_backend.app.websocket_core.websocket_manager import WebSocketManagerMode

    assert WebSocketManagerMode.ISOLATED is WebSocketManagerMode.UNIFIED
    assert [mode.value for mode in WebSocketManagerMode] == ["unified"]


@pytest.mark.usefixtures("testing")
def test_unknown_keywords_of_older_releases_are_kept_as_settings() -> None:
    from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager

    assert UnifiedWebSocketManager(redis_url="redis://x").config == {"redis_url": "redis://x"}
    assert UnifiedWebSocketManager(context("user_3")).user_context.user_id == "user_3"


def test_connection_records_pickle(connection: Any) -> None:
    record = connection(websocket="a plain value")
    assert pickle.loads(pickle.dumps(record)) == record


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "FactoryBypassDetected"),
        ({"COMPAT_TESTING": "1"}, "made"),
        ({"ENVIRONMENT": "test"}, "made"),
        ({"ENVIRONMENT": "testing"}, "made"),
        ({"COMPAT_TESTING": "0", "ENVIRONMENT": "test"}, "FactoryBypassDetected"),
        ({"COMPAT_TESTING": "1", "ENVIRONMENT": "production"}, "FactoryBypassDetected"),
    ],
)
def test_testing_mode_is_said_and_never_guessed(environment: dict[str, str], expected: str) -> None:
    """The function's name says test, and it does not matter."""
    code = """
def test_something():
    from compat.netra.adapters.managers.websocket_manager import UnifiedWebSocketManager
    try:
        UnifiedWebSocketManager()
        print("made")
    except Exception as error:
        print(type(error).__name__)
test_something()
"""
    import os

    clean = {key: value for key, value in os.environ.items() if key not in ("COMPAT_TESTING", "ENVIRONMENT")}
    run = [sys.executable, "-W", "ignore", "-c", code]
    out = subprocess.run(run, env={**clean, **environment}, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == expected


def test_patching_makes_what_the_original_was() -> None:
    package = "netra_backend.app.websocket_core"
    with (
        patch(f"{package}.websocket_manager.get_websocket_manager") as get,
        patch(f"{package}.create_websocket_manager") as create,
    ):
        assert isinstance(get, AsyncMock)
        assert not isinstance(create, AsyncMock)


@pytest.mark.usefixtures("testing")
def test_a_replaced_class_is_what_the_functions_build(run: Any) -> None:
    from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager
    from netra_backend.app.websocket_core.websocket_manager import get_websocket_manager

    with patch("netra_backend.app.websocket_core.unified_manager.UnifiedWebSocketManager") as replaced:

        async def scenario() -> None:
            assert await get_websocket_manager(context()) is replaced.return_value

        run(scenario())
    assert replaced.call_args.kwargs["user_context"].user_id == "user_1"
    assert UnifiedWebSocketManager._instance is None
    UnifiedWebSocketManager._instance = None
    assert isinstance(UnifiedWebSocketManager.get_instance(), UnifiedWebSocketManager)
    assert UnifiedWebSocketManager.create_for_user(context("user_3")).user_context.user_id == "user_3"


@pytest.mark.usefixtures("production")
def test_what_legacy_code_sends_is_kept_for_clients_of_the_canonical_server(
    connection: Any, run: Any, socket: Any, got: Any
) -> None:
    from compat.canonical import get_websocket_manager

    manager, wire = SharedWebSocketManager(), socket()
    record = connection("user_2", 2)

    async def scenario() -> None:
        await manager.send_to_user("user_1", {"type": "away", "n": 1})
        await manager.emit_critical_event("user_1", "agent_started", {"agent_name": "a"})
        assert [kept["type"] for kept in manager._message_recovery_queue["user_1"]] == ["away", "agent_started"]
        assert manager.get_error_statistics()["total_error_count"] == 2
        canonical = get_websocket_manager(SimpleNamespace(user_id="user_1"))
        made = await canonical.connect(wire, thread_id="thread_1")
        assert manager._message_recovery_queue == {}
        await manager.send_to_user("user_1", {"type": "here"})
        await manager.send_to_thread("thread_1", {"type": "thread"})
        assert manager.get_user_connections("user_1") == {made.connection_id}
        assert manager.get_connection(made.connection_id).websocket is wire
        assert manager.update_connection_thread(made.connection_id, "thread_2") is True
        assert made.thread_id == "thread_2"
        await manager.send_to_user("user_2", {"type": "away"})
        await manager.add_connection(record)
        assert await manager.broadcast({"type": "all"}) == 2

    run(scenario())
    received = got(wire)
    assert [(message["type"], message["seq"]) for message in received] == [
        ("away", 1),
        ("agent_started", 2),
        ("here", 3),
        ("thread", 4),
        ("all", 5),
    ]
    assert got(record) == [{"type": "away", "recovered": True}, {"type": "all"}]


@pytest.mark.usefixtures("testing")
def test_in_tests_too_a_user_of_the_canonical_server_is_reached(connection: Any, run: Any, socket: Any, got: Any) -> None:
    from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager as WebSocketManager

    from compat.canonical import get_websocket_manager

    manager, wire, record = WebSocketManager(), socket(), connection("user_1", 1)

    async def scenario() -> None:
        await manager.add_connection(record)
        made = get_websocket_manager(SimpleNamespace(user_id="user_1")).add_connection(wire)
        await manager.send_to_user("user_1", {"type": "x"})
        assert manager.get_user_connections("user_1") == {"conn_1", made.connection_id}
        assert manager._connections.keys() == {"conn_1", made.connection_id}
        await manager.remove_connection(made.connection_id)
        assert manager.get_stats()["total_connections"] == 1

    run(scenario())
    assert got(record) == [{"type": "x"}]
    assert [(message["type"], message["seq"]) for message in got(wire)] == [("x", 1)]


@pytest.mark.parametrize("name", ["UnifiedWebSocketManager", "SharedWebSocketManager"])
def test_every_public_method_of_a_manager_is_counted(name: str) -> None:
    import inspect

    from compat.netra.adapters.managers import websocket_manager
    from compat.netra.adapters.managers.manager_base import ReachedNames
    from compat.netra.adapters.managers.parts.whole import PARTS

    plain = [one for one, value in vars(ReachedNames).items() if not one.startswith("_") and inspect.isfunction(value)]
    assert plain == []
    served = vars(getattr(websocket_manager, name))
    assert {"add_connection", "send_to_user", "shutdown", "get_stats", "handle_message"} <= set(served)
    assert len([one for one in served if not one.startswith("_") and inspect.isfunction(served[one])]) > 100
    counted = {one for part in PARTS.values() for one in part.__compat_written__}
    assert counted <= set(served)
    own = {
        one
        for part in PARTS.values()
        for one, value in vars(part).items()
        if inspect.iscoroutinefunction(value) and one[0] != "_"
    }
    assert own - counted == {"notify_listeners", "tell_of_lost_event", "tell_of_failure"}  # reached by their underscored names
