"""The agent bridge: whom a notification reaches, its life cycle, and its reports."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock, patch

import pytest

from compat.canonical.factory import WebSocketManagerFactory, get_websocket_manager, set_websocket_manager_factory
from compat.netra.components.agents.agent_bridge import AgentWebSocketBridge
from compat.netra.components.agents.bridge_types import IntegrationConfig, IntegrationState


def context(user: str = "user_1") -> SimpleNamespace:
    return SimpleNamespace(user_id=user, thread_id=f"thread_{user}", run_id=f"run_{user}", request_id="req_1")


@pytest.fixture(autouse=True)
def own_factory() -> Any:
    before = set_websocket_manager_factory(WebSocketManagerFactory())
    yield
    set_websocket_manager_factory(before)


def test_one_users_manager_is_never_used_for_another() -> None:
    async def scenario() -> None:
        first, second = AsyncMock(), AsyncMock()
        one, two = context("user_1"), context("user_2")
        get_websocket_manager(one).add_connection(first, stamped=False)
        get_websocket_manager(two).add_connection(second, stamped=False)
        bridge = AgentWebSocketBridge(one)
        await bridge.ensure_integration()
        assert await bridge.notify_agent_started("run_1", "a")
        assert await bridge.notify_agent_started("run_2", "b", user_context=two)
        assert [call.args[0]["agent_name"] for call in first.send_json.await_args_list] == ["a"]
        assert [call.args[0]["agent_name"] for call in second.send_json.await_args_list] == ["b"]

    asyncio.run(scenario())


def test_a_bridge_begins_with_what_callers_read_off_it() -> None:
    bridge = AgentWebSocketBridge()
    assert (bridge.user_context, bridge.state, bridge.is_connected) == (None, IntegrationState.UNINITIALIZED, True)
    assert isinstance(bridge.config, IntegrationConfig) and bridge.metrics.total_initializations == 0
    assert (bridge._initialized, bridge._shutdown, bridge._supervisor) == (True, False, None)
    assert (bridge._thread_registry, bridge._health_check_task, bridge._event_history) == (None, None, [])
    assert (bridge.health_status.state, bridge.health_status.last_health_check.tzinfo is not None) == (bridge.state, True)
    assert (bridge.health_status.websocket_manager_healthy, bridge.health_status.registry_healthy) == (False, False)
    assert (bridge._monitor_observers, bridge._last_health_broadcast) == ([], 0.0)
    assert (bridge._health_broadcast_interval, bridge._last_broadcasted_state) == (30.0, None)
    assert all(isinstance(one, asyncio.Lock) for one in (bridge.initialization_lock, bridge.recovery_lock, bridge.health_lock))


def test_integration_keeps_what_it_is_given_and_works_once() -> None:
    async def run() -> None:
        bridge, supervisor = AgentWebSocketBridge(), object()
        result = await bridge.ensure_integration(supervisor, "registry")
        assert (result.success, result.state, result.error) == (True, IntegrationState.ACTIVE, None)
        assert (bridge._supervisor, bridge._registry, bridge.registry, bridge._websocket_manager) == (
            supervisor,
            "registry",
            "registry",
            None,
        )
        assert (await bridge.ensure_integration()).success and bridge.metrics.total_initializations == 1
        assert (await bridge.ensure_integration(force_reinit=True)).success and bridge.metrics.total_initializations == 2
        assert bridge._supervisor is supervisor and bridge._thread_registry is not None

    asyncio.run(run())


def test_a_bridge_that_was_never_integrated_is_healthy() -> None:
    async def run() -> None:
        bridge = AgentWebSocketBridge()
        for _ in range(2):
            status = await bridge.health_check()
            assert (status.websocket_manager_healthy, status.registry_healthy) == (True, True)
            assert (status.consecutive_failures, status.error_message) == (0, None)
        health = await bridge.get_health_status()
        assert health.pop("timestamp") > 0 and health.pop("last_health_check").endswith("+00:00")
        assert health == {
            "healthy": True,
            "state": "uninitialized",
            "websocket_manager_healthy": True,
            "registry_healthy": True,
            "consecutive_failures": 0,
            "uptime_seconds": 0.0,
            "error_message": None,
            "total_recoveries": 0,
        }

    asyncio.run(run())


def test_a_manager_is_healthy_that_has_what_a_manager_has() -> None:
    async def run() -> None:
        bridge = AgentWebSocketBridge()
        assert await bridge._check_websocket_manager_health() is True and await bridge._check_registry_health() is True
        assert (
            await bridge._check_websocket_manager_health(Mock()) is True and await bridge._check_registry_health(Mock()) is True
        )
        assert await bridge._check_websocket_manager_health(get_websocket_manager(context())) is True
        assert await bridge._check_websocket_manager_health(Mock(spec_set=["send_to_thread", "send_to_user"])) is False
        assert await bridge._check_registry_health(object()) is False
        bridge.websocket_manager = Mock(spec_set=["send_to_thread"])
        for failures in (1, 2):
            status = await bridge.health_check()
            assert (status.websocket_manager_healthy, status.consecutive_failures) == (False, failures)
        assert (await bridge.get_health_status())["healthy"] is False
        assert status.error_message == "websocket manager unhealthy"

    asyncio.run(run())


COUNTED = [
    "total_initializations",
    "successful_initializations",
    "failed_initializations",
    "recovery_attempts",
    "successful_recoveries",
    "health_checks_performed",
    "success_rate",
]


def test_status_and_metrics_have_their_keys() -> None:
    async def run() -> None:
        bridge = AgentWebSocketBridge(context())
        await bridge.ensure_integration(object(), Mock())
        metrics = await bridge.get_metrics()
        assert {name: metrics.pop(name) for name in COUNTED} == {
            **dict.fromkeys(COUNTED, 0),
            "total_initializations": 1,
            "successful_initializations": 1,
            "success_rate": 1.0,
        }
        assert (metrics.pop("current_uptime_seconds") >= 0, metrics.pop("metrics_timestamp") > 0) == (True, True)
        assert metrics.pop("uptime_start") == bridge.metrics.current_uptime_start.isoformat()
        assert metrics == {
            "recovery_success_rate": 1.0,
            "current_state": "active",
            "registered_observers": 0,
            "last_health_broadcast": 0.0,
            "health_broadcast_interval": 30.0,
            "websocket_manager_available": True,
            "supervisor_available": True,
            "registry_available": True,
        }
        status = await bridge.get_status()
        assert list(status) == ["state", "health", "metrics", "config", "dependencies"]
        assert sorted(status["health"]) == sorted(
            [
                "websocket_manager_healthy",
                "registry_healthy",
                "consecutive_failures",
                "uptime_seconds",
                "last_health_check",
                "error_message",
            ]
        )
        assert (status["state"], list(status["metrics"])) == ("active", COUNTED)
        assert status["config"] == {"initialization_timeout_s": 30, "health_check_interval_s": 60, "recovery_max_attempts": 3}
        assert status["dependencies"] == {
            "websocket_manager_available": True,
            "orchestrator_factory_available": True,
            "supervisor_available": True,
            "registry_available": True,
        }

    asyncio.run(run())


def test_the_registry_of_runs_reports_itself() -> None:
    async def run() -> None:
        bridge = AgentWebSocketBridge()
        assert await bridge.register_run_thread_mapping("run_1", "thread_7", {"x": 1}) is True
        assert await bridge.register_run_thread_mapping("run_1", "") is False
        await bridge._initialize_thread_registry()
        assert await bridge._resolve_thread_id_from_run_id("run_1") == "thread_7"
        status = await bridge.get_thread_registry_status()
        assert status.pop("uptime_seconds") >= 0 and status.pop("timestamp") > 0
        assert status == {
            "registry_healthy": True,
            "active_mappings": 1,
            "total_registrations": 1,
            "lookup_success_rate": 1.0,
            "memory_usage_percentage": 0.01,
            "last_cleanup": None,
            "config": {
                "mapping_ttl_hours": 24,
                "cleanup_interval_minutes": 30,
                "max_mappings": 10000,
                "debug_logging_enabled": False,
            },
            "cleanup_task_running": False,
        }
        assert await bridge.unregister_run_mapping("run_1") is True
        assert await bridge.unregister_run_mapping("run_1") is False

    asyncio.run(run())


def test_observers_hear_of_changes_and_every_thirty_seconds() -> None:
    async def run() -> None:
        bridge = AgentWebSocketBridge(context())
        failing = Mock(on_component_health_change=AsyncMock(side_effect=OSError("deaf")))
        observer = Mock(on_component_health_change=AsyncMock())
        for one in (failing, observer, observer):
            bridge.register_monitor_observer(one)
        heard = observer.on_component_health_change
        await bridge.health_check()
        await bridge.health_check()
        assert heard.await_count == 1
        component, data = heard.await_args.args
        assert component == "agent_websocket_bridge" and data.pop("timestamp") == bridge._last_health_broadcast
        assert data == {
            "component_id": "agent_websocket_bridge",
            "state": "uninitialized",
            "healthy": True,
            "consecutive_failures": 0,
            "uptime_seconds": 0.0,
            "websocket_manager_healthy": True,
            "registry_healthy": True,
            "error_message": None,
            "change_type": "health_change",
        }
        bridge._last_health_broadcast -= 30.0
        await bridge._notify_monitors_of_health_change()
        assert heard.await_args.args[1]["change_type"] == "periodic_update"
        await bridge.ensure_integration()
        await bridge.health_check()
        assert [call.args[1]["state"] for call in heard.await_args_list] == ["uninitialized", "uninitialized", "active"]
        await bridge.notify_health_change({"healthy": False})
        assert heard.await_args.args == ("agent_websocket_bridge", {"healthy": False})
        bridge.remove_monitor_observer(observer)
        await bridge.notify_health_change({})
        assert heard.await_count == 4 and failing.on_component_health_change.await_count == 5

    asyncio.run(run())


def test_recovery_and_the_end() -> None:
    async def run() -> None:
        bridge = AgentWebSocketBridge(context())
        recovered = await bridge.recover_integration()
        assert (recovered.success, recovered.recovery_attempted) == (True, True)
        metrics = await bridge.get_metrics()
        assert (metrics["successful_recoveries"], metrics["recovery_success_rate"]) == (1, 1.0)
        await bridge.shutdown()
        assert (bridge.websocket_manager, bridge.state, bridge._shutdown) == (None, IntegrationState.UNINITIALIZED, True)
        assert await bridge.notify_agent_started("run_1", "a") is False

    asyncio.run(run())


def test_a_failed_integration_is_reported() -> None:
    bridge = AgentWebSocketBridge(
        SimpleNamespace(user_id=""), IntegrationConfig(recovery_max_attempts=1, recovery_base_delay_s=0)
    )
    result = asyncio.run(bridge.recover_integration())
    assert (result.success, result.state) == (False, IntegrationState.FAILED)
    assert str(result.error).startswith("Integration initialization failed: UserExecutionContext required")


@pytest.mark.parametrize("manager", [object(), Mock(spec_set=["send_to_user", "emit_critical_event"]), "text"])
def test_what_cannot_send_to_a_thread_is_no_manager(manager: Any) -> None:
    with pytest.raises(ValueError) as refused:
        AgentWebSocketBridge().websocket_manager = manager
    assert str(refused.value) == (
        "Invalid websocket manager - must implement send_to_thread method. "
        "For production use, prefer factory methods for proper user isolation."
    )
    bridge = AgentWebSocketBridge()
    bridge.websocket_manager = Mock(spec_set=["send_to_thread"])
    bridge.websocket_manager = None
    assert bridge.websocket_manager is None


def test_emitters_are_made_of_a_context_or_of_ids_and_every_failure_is_one_kind() -> None:
    async def run() -> None:
        bridge = AgentWebSocketBridge()
        for given in ({}, {"user_id": "user_1"}, {"thread_id": "thread_1"}):
            with pytest.raises(ValueError, match=r"^Either user_context or \(user_id \+ thread_id\) required$"):
                await bridge.create_user_emitter(**given)
        made = await bridge.create_user_emitter(user_id="user_7", thread_id="thread_7", connection_id="conn_7")
        assert (made.user_id, made.context.thread_id, made.context.websocket_client_id) == ("user_7", "thread_7", "conn_7")
        with pytest.raises(ValueError, match="^Failed to create user emitter: "):
            await bridge.create_user_emitter(SimpleNamespace(user_id="", thread_id="thread_1"))
        for ids in (("", "t", "r"), ("u", None, "r"), ("u", "t", "")):
            with pytest.raises(ValueError, match="^user_id, thread_id, and run_id are all required$"):
                await bridge.create_user_emitter_from_ids(*ids)
        with pytest.raises(ValueError, match="^Failed to create user emitter from IDs: "):
            await bridge.create_user_emitter_from_ids("placeholder", "thread_1", "run_1")
        by_ids = await bridge.create_user_emitter_from_ids("user_7", "thread_7", "run_7", "conn_7")
        assert (by_ids.user_id, by_ids.context.run_id, by_ids.context.websocket_client_id) == ("user_7", "run_7", "conn_7")

    asyncio.run(run())


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize(
    "make",
    [
        lambda: AgentWebSocketBridge().create_user_emitter(context()),
        lambda: AgentWebSocketBridge.create_scoped_emitter(context()),
        lambda: AgentWebSocketBridge.create_user_emitter_from_ids("user_7", "thread_7", "run_7"),
    ],
)
def test_the_class_that_a_test_puts_in_place_of_the_emitters_is_made(make: Any) -> None:
    with patch("netra_backend.app.websocket_core.unified_emitter.UnifiedWebSocketEmitter") as replaced:
        assert asyncio.run(make()) is replaced.return_value


def test_emitters_and_orchestrators_belong_to_a_user() -> None:
    async def scenario() -> None:
        bridge = AgentWebSocketBridge(context())
        emitter = await bridge.create_user_emitter()
        assert emitter.user_id == "user_1"
        for half in ({"user_id": "user_2"}, {"thread_id": "thread_2"}):  # not a wish for the bridge's own user
            with pytest.raises(ValueError, match=r"^Either user_context or \(user_id \+ thread_id\) required$"):
                await bridge.create_user_emitter(**half)
        orchestrator = await bridge.create_execution_orchestrator("user_1", "triage")
        execution, notifier = await orchestrator.create_execution_context("triage", "user_1", "hello")
        socket = AsyncMock()
        get_websocket_manager(SimpleNamespace(user_id="user_1")).add_connection(socket, stamped=False)
        assert await notifier.send_agent_started(execution)
        await orchestrator.complete_execution(execution, {"ok": True})
        assert [call.args[0]["type"] for call in socket.send_json.await_args_list] == ["agent_started", "agent_completed"]
        assert execution.completed_at is not None

    asyncio.run(scenario())
