"""The agent bridge: whom a notification reaches, its life cycle, and its reports."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from compat.canonical.factory import WebSocketManagerFactory, get_websocket_manager, set_websocket_manager_factory
from compat.netra.components.agents.agent_bridge import AgentWebSocketBridge, create_agent_websocket_bridge
from compat.netra.components.agents.agent_notifier import WebSocketNotifier
from compat.netra.components.agents.bridge_types import IntegrationConfig, IntegrationState


def context(user: str = "user_1") -> SimpleNamespace:
    return SimpleNamespace(user_id=user, thread_id=f"thread_{user}", run_id=f"run_{user}", request_id="req_1")


@pytest.fixture(autouse=True)
def own_factory() -> Any:
    before = set_websocket_manager_factory(WebSocketManagerFactory())
    yield
    set_websocket_manager_factory(before)


def manager() -> Mock:
    return Mock(emit_critical_event=AsyncMock(), send_to_thread=AsyncMock(return_value=True), send_to_user=AsyncMock())


@pytest.mark.parametrize(
    ("call", "event_type", "expected"),
    [
        (lambda b: b.notify_agent_started("run_1", "a"), "agent_started", {"agent_name": "a", "status": "started"}),
        (lambda b: b.notify_agent_thinking("run_1", "a", "hm", 2), "agent_thinking", {"reasoning": "hm", "step_number": 2}),
        (lambda b: b.notify_tool_executing("run_1", "t", parameters={"p": 1}), "tool_executing", {"parameters": {"p": 1}}),
        (lambda b: b.notify_tool_completed("run_1", "t", {"r": 1}), "tool_completed", {"result": {"r": 1}}),
        (lambda b: b.notify_agent_completed("run_1", "a", {"r": 1}), "agent_completed", {"status": "completed"}),
        (lambda b: b.notify_agent_error("run_1", "a", "bad"), "agent_error", {"error": "bad"}),
        (lambda b: b.notify_agent_death("run_1", "a", "oom"), "agent_death", {"death_cause": "oom"}),
        (
            lambda b: b.notify_progress_update("run_1", "a", {"percentage": 1, "p": 1}),
            "progress_update",
            {"progress": {"percentage": 1}},
        ),
        (lambda b: b.notify_custom("run_1", "a", "own", {"x": 1}), "own", {"x": 1}),
        (lambda b: b.emit_agent_event("own", {"x": 1}, run_id="run_1"), "own", {"x": 1}),
        (lambda b: b.emit_event(context(), "own", {"x": 1}), "own", {"x": 1}),
    ],
)
def test_notifications_go_to_the_bridges_user(call: Any, event_type: str, expected: dict[str, Any]) -> None:
    through = manager()
    bridge = create_agent_websocket_bridge(context(), through)
    assert asyncio.run(call(bridge)) is True
    sent = through.emit_critical_event.await_args.kwargs
    assert (sent["user_id"], sent["event_type"]) == ("user_1", event_type)
    assert {"thread_id": "thread_user_1", **expected}.items() <= sent["data"].items()


def test_without_a_user_the_runs_thread_is_told() -> None:
    async def scenario() -> None:
        bridge, through = AgentWebSocketBridge(), manager()
        assert await bridge.notify_agent_started("run_1", "a") is False
        bridge.websocket_manager = through
        await bridge.register_run_thread_mapping("run_1", "thread_7")
        assert await bridge.notify_agent_started("run_1", "a") is True
        assert through.send_to_thread.await_args.args[0] == "thread_7"
        assert bridge.extract_thread_id("run_thread_5_12345_abcdef12") == "thread_5"
        assert await bridge.unregister_run_mapping("run_1") is True
        assert await bridge.unregister_run_mapping("run_1") is False

    asyncio.run(scenario())


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


def test_life_cycle() -> None:
    async def scenario() -> None:
        bridge, observer = AgentWebSocketBridge(context()), Mock(on_component_health_change=AsyncMock())
        assert bridge.state is IntegrationState.UNINITIALIZED
        assert (await bridge.get_health_status())["healthy"] is False
        result = await bridge.ensure_integration(registry="registry")
        assert (result.success, result.state, bridge.registry) == (True, IntegrationState.ACTIVE, "registry")
        bridge.register_monitor_observer(observer)
        health = await bridge.health_check()
        assert (health.websocket_manager_healthy, health.consecutive_failures) == (True, 0)
        observer.on_component_health_change.assert_awaited_once()
        recovered = await bridge.recover_integration()
        assert (recovered.success, recovered.recovery_attempted) == (True, True)
        metrics = await bridge.get_metrics()
        assert (metrics["total_initializations"], metrics["successful_recoveries"]) == (2, 1)
        assert (await bridge.get_status())["dependencies"]["websocket_manager_available"] is True
        bridge.remove_monitor_observer(observer)
        await bridge.shutdown()
        assert (bridge.websocket_manager, bridge.state) == (None, IntegrationState.UNINITIALIZED)
        assert await bridge.notify_agent_started("run_1", "a") is False

    asyncio.run(scenario())


def test_a_failed_integration_is_reported() -> None:
    bridge = AgentWebSocketBridge(
        SimpleNamespace(user_id=""), IntegrationConfig(recovery_max_attempts=1, recovery_base_delay_s=0)
    )
    result = asyncio.run(bridge.recover_integration())
    assert (result.success, result.state) == (False, IntegrationState.FAILED)
    assert "UserExecutionContext required" in str(result.error)


def test_what_cannot_send_is_no_manager() -> None:
    with pytest.raises(ValueError, match="object has none"):
        AgentWebSocketBridge().websocket_manager = object()


def test_emitters_and_orchestrators_belong_to_a_user() -> None:
    async def scenario() -> None:
        bridge = AgentWebSocketBridge(context())
        emitter = await bridge.create_user_emitter()
        assert emitter.user_id == "user_1"
        with pytest.raises(ValueError, match="create_user_emitter needs a user_context"):
            await AgentWebSocketBridge().create_user_emitter()
        orchestrator = await bridge.create_execution_orchestrator("user_1", "triage")
        execution, notifier = await orchestrator.create_execution_context("triage", "user_1", "hello")
        socket = AsyncMock()
        get_websocket_manager(SimpleNamespace(user_id="user_1")).add_connection(socket, stamped=False)
        assert await notifier.send_agent_started(execution)
        await orchestrator.complete_execution(execution, {"ok": True})
        assert [call.args[0]["type"] for call in socket.send_json.await_args_list] == ["agent_started", "agent_completed"]
        assert execution.completed_at is not None

    asyncio.run(scenario())


def test_a_notifier_reports_through_its_emitter() -> None:
    async def scenario() -> None:
        emitter = AsyncMock()
        run = SimpleNamespace(user_id="user_1", agent_name="a")
        notifier = WebSocketNotifier.create_for_user(emitter, run)
        await notifier.send_agent_started(run)
        await notifier.send_agent_thinking(run, "hm")
        await notifier.send_tool_executing(run, "t", "to find out")
        await notifier.send_tool_completed(run, "t", {"x": 1})
        emitter.notify_agent_completed.return_value = False
        await notifier.send_agent_completed(run, {"x": 1})
        emitter.notify_agent_thinking.assert_awaited_once_with(agent_name="a", reasoning="hm")
        assert notifier.get_event_delivery_stats() == {
            "events_sent": 4,
            "events_failed": 1,
            "events_by_type": dict.fromkeys(("agent_started", "agent_thinking", "tool_executing", "tool_completed"), 1),
        }

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("emitter", "run", "missing"),
    [
        (None, SimpleNamespace(user_id="user_1"), "emitter"),
        (Mock(), None, "execution context"),
        (Mock(), Mock(user_id=""), "user_id"),
    ],
)
def test_a_notifier_needs_emitter_context_and_user(emitter: Any, run: Any, missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        WebSocketNotifier.create_for_user(emitter, run)
