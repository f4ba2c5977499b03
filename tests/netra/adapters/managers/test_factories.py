"""The factory class, the migration adapter and the validation functions through their legacy paths."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest

from compat.canonical.errors import FactoryInitializationError, SSotValidationError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def context(user: str = "user_1", request: str = "req_1") -> SimpleNamespace:
    return SimpleNamespace(user_id=user, thread_id="thread_1", run_id="run_1", request_id=request)


def test_the_factory_keeps_one_manager_for_each_context(run: Any, socket: Any) -> None:
    from netra_backend.app.websocket_core.websocket_manager_factory import WebSocketManagerFactory

    async def scenario() -> None:
        factory = WebSocketManagerFactory(max_managers_per_user=2)
        one = await factory.create_manager(context())
        assert factory.create_manager(context()) == one
        assert factory.get_manager(context()) is one
        assert factory.get_manager_by_user("user_1") is one
        assert factory.get_manager_by_user("user_9") is None
        await factory.create_manager(context(request="req_2"))
        assert await factory.enforce_resource_limits("user_1") is False
        with pytest.raises(RuntimeError, match="maximum number of WebSocket managers"):
            factory.create_manager(context(request="req_3"))
        await one.connect_user("user_1", socket())
        assert factory.get_active_connections_count() == 1
        stats = factory.get_factory_stats()
        assert (stats["active_managers"], stats["user_distribution"]) == (2, {"user_1": 2})
        assert await factory.cleanup_manager(context()) is True
        assert await factory.cleanup_manager(context()) is False
        await factory.shutdown()
        assert factory.get_factory_stats()["active_managers"] == 0

    run(scenario())


def test_the_factory_function_hands_out_one_factory() -> None:
    from netra_backend.app.websocket_core import WebSocketManagerFactory
    from netra_backend.app.websocket_core.websocket_manager_factory import get_websocket_manager_factory

    assert get_websocket_manager_factory() is get_websocket_manager_factory()
    assert isinstance(get_websocket_manager_factory(), WebSocketManagerFactory)


def test_connection_life_cycle(run: Any, socket: Any) -> None:
    from netra_backend.app.websocket_core.websocket_manager_factory import (
        ConnectionLifecycleManager,
        create_websocket_manager_sync,
    )

    async def scenario() -> None:
        manager = create_websocket_manager_sync(context())
        await manager.connect_user("user_1", socket(), "conn_1")
        cycle = ConnectionLifecycleManager(context(), manager)
        cycle.register_connection(manager.get_connection("conn_1"))
        with pytest.raises(ValueError, match="does not match context user"):
            cycle.register_connection(SimpleNamespace(user_id="user_2", connection_id="conn_2"))
        assert cycle.health_check_connection("conn_1") is True
        assert cycle.health_check_connection("conn_2") is False
        assert await cycle.auto_cleanup_expired(60) == 0
        await cycle.force_cleanup_all()
        assert manager.get_connection_count() == 0

    run(scenario())


def test_contexts_are_validated() -> None:
    from netra_backend.app.websocket_core.websocket_manager_factory import (
        _validate_ssot_user_context,
        validate_websocket_component_health,
    )

    _validate_ssot_user_context(context())
    with pytest.raises(FactoryInitializationError, match="SSOT context validation failed"):
        _validate_ssot_user_context(SimpleNamespace(user_id=""))
    assert validate_websocket_component_health(context())["healthy"] is True
    assert validate_websocket_component_health(SimpleNamespace(user_id=None))["failed_components"] == ["user_context"]


def test_the_migration_adapter_keeps_users_apart(run: Any, socket: Any, got: Any) -> None:
    from netra_backend.app.websocket_core.migration_adapter import (
        WebSocketManagerAdapter,
        get_legacy_websocket_manager,
        migrate_singleton_usage,
    )

    async def scenario() -> None:
        adapter, sockets = WebSocketManagerAdapter(), {user: socket() for user in ("user_1", "user_2")}
        ids = {user: await adapter.connect_user(user, wire) for user, wire in sockets.items()}
        assert adapter.get_user_connections("user_1") == {ids["user_1"]}
        await adapter.send_to_user("user_1", {"type": "x"})
        assert await adapter.send_to_connection(ids["user_2"], {"type": "y"}) is True
        assert await adapter.send_to_connection("conn_9", {"type": "y"}) is False
        await adapter.broadcast_to_all({"type": "z"}, exclude_users={"user_1"})
        assert [message["type"] for message in got(sockets["user_1"])] == ["x"]
        assert [message["type"] for message in got(sockets["user_2"])] == ["y", "z"]
        assert adapter.get_active_connections_count() == 2
        assert adapter.get_manager_by_user("user_1") is adapter.create_isolated_manager("user_1", "conn_1")
        await adapter.disconnect_user("user_1", sockets["user_1"])
        stats = await adapter.get_stats()
        assert stats["connections_by_user"] == {"user_1": 0, "user_2": 1}
        assert (stats["total_connections"], stats["unique_users"]) == (1, 1)
        assert stats["migration_status"] == {
            "is_legacy_adapter": True,
            "warnings_issued": 0,
            "unique_warning_sites": 0,
            "recommended_action": "get_websocket_manager(context)",
        }
        metrics = stats["migration_adapter_stats"]
        assert metrics == adapter.get_adapter_metrics()
        assert len(metrics.pop("recommendations")) == 4
        assert metrics == {
            "legacy_usage_stats": {
                "singleton_calls": 11,
                "contexts_created": 2,
                "managers_created": 2,
                "warnings_issued": 0,
            },
            "active_isolated_managers": 2,
            "total_contexts_created": 2,
            "warning_sites_detected": 0,
            "migration_progress": {
                "total_legacy_calls": 11,
                "isolated_managers_in_use": 2,
                "security_improvement": "2 users have managers of their own",
            },
        }
        alone = WebSocketManagerAdapter().create_isolated_manager("user_3", "conn_3")
        assert alone.user_context.websocket_client_id == "conn_3"
        await adapter.get_manager().send_to_user("user_7", {"type": "x"})

    run(scenario())
    assert get_legacy_websocket_manager() is get_legacy_websocket_manager()
    assert migrate_singleton_usage(context()).user_context.user_id == "user_1"


def test_validation_functions() -> None:
    from netra_backend.app.websocket_core.ssot_validation_enhancer import (
        FactoryBypassDetected,
        UserIsolationViolation,
        enable_strict_validation,
        get_ssot_validation_summary,
        validate_user_isolation,
        validate_websocket_manager_creation,
    )
    from netra_backend.app.websocket_core.websocket_manager_factory import create_websocket_manager_sync

    assert issubclass(FactoryBypassDetected, SSotValidationError)
    manager = create_websocket_manager_sync(context("user_77"))
    assert validate_websocket_manager_creation(manager, manager.user_context, "factory") is True
    assert validate_user_isolation(manager, "user_9") is False
    enable_strict_validation(True)
    try:
        with pytest.raises(UserIsolationViolation):
            validate_user_isolation(manager, "user_9")
    finally:
        enable_strict_validation(False)
    assert get_ssot_validation_summary()["failed_validations"] >= 2


def test_process_wide_parts() -> None:
    from netra_backend.app.websocket_core.circuit_breaker import (
        get_websocket_circuit_breaker,
        websocket_send_with_circuit_breaker,
    )
    from netra_backend.app.websocket_core.event_delivery_tracker import get_event_delivery_tracker
    from netra_backend.app.websocket_core.message_buffer import buffer_user_message, deliver_user_messages, get_message_buffer
    from netra_backend.app.websocket_core.reconnection_handler import get_reconnection_handler

    async def scenario() -> None:
        got: list[Any] = []
        assert await buffer_user_message("user_5", {"n": 1})
        assert await deliver_user_messages("user_5", got.append) == 1
        assert await websocket_send_with_circuit_breaker(AsyncMock(return_value="sent")) == "sent"
        handler = await get_reconnection_handler("user_5")
        assert handler.user_context.user_id == "user_5"
        assert await get_reconnection_handler() is None

    asyncio.run(scenario())
    assert get_message_buffer() is get_message_buffer()
    assert get_websocket_circuit_breaker() is get_websocket_circuit_breaker()
    assert get_event_delivery_tracker() is get_event_delivery_tracker()


def test_the_bridge_by_its_legacy_path(run: Any) -> None:
    from netra_backend.app.services.agent_websocket_bridge import AgentWebSocketBridge, create_agent_websocket_bridge

    through = AsyncMock()
    bridge = create_agent_websocket_bridge(context(), through)
    assert isinstance(bridge, AgentWebSocketBridge)
    assert run(bridge.notify_tool_executing("run_1", "t")) is True
    thread_id, notification = through.send_to_thread.await_args.args
    assert (thread_id, notification["user_id"], through.emit_critical_event.await_count) == ("thread_run_1", "user_1", 0)


def test_connection_info_has_whatever_it_is_given() -> None:
    from netra_backend.app.websocket_core.connection_manager import ConnectionInfo

    info = ConnectionInfo("conn_1", "user_1", {"device": "phone"})
    before = info.last_activity
    info.update_activity()
    assert (info.device, info.unknown, info.last_activity >= before) == ("phone", None, True)
    info.disconnect()
    assert isinstance(info.connected_at, float) and info.last_activity.tzinfo is None
    assert info.to_dict() == {
        "connection_id": "conn_1",
        "user_id": "user_1",
        "metadata": {"device": "phone"},
        "created_at": info.created_at.isoformat(),
        "last_activity": info.last_activity.isoformat(),
        "connected_at": info.connected_at,
        "is_active": False,
    }
    assert ConnectionInfo("conn_2").user_id.startswith("test_user_")


def test_the_service_probe(run: Any) -> None:
    from netra_backend.app.websocket_core.websocket_manager import check_websocket_service_available, create_test_user_context

    async def scenario() -> None:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        assert await check_websocket_service_available(port=port) is True
        server.close()
        await server.wait_closed()
        assert await check_websocket_service_available(port=port) is False

    run(scenario())
    assert create_test_user_context().user_id != create_test_user_context().user_id
