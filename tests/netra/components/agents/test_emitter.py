"""What an emitter sends, retries, stamps and counts; the factory, the pool and the sign-in emitters."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from compat.netra.components.agents.emitter_factory import (
    AuthenticationConnectionMonitor,
    AuthenticationWebSocketEmitter,
    AuthenticationWebSocketError,
    WebSocketEmitterFactory,
    WebSocketEmitterPool,
)
from compat.netra.components.agents.unified_emitter import UnifiedWebSocketEmitter

CONTEXT = SimpleNamespace(user_id="user_1", run_id="run_1", thread_id="thread_1", request_id="req_1")


def manager(active: bool = True, **replaced: Any) -> Mock:
    return Mock(is_connection_active=Mock(return_value=active), emit_critical_event=AsyncMock(), **replaced)


def test_an_event_goes_out_by_keyword_with_the_ids_of_its_context() -> None:
    through = manager()
    emitter = UnifiedWebSocketEmitter(manager=through, context=CONTEXT)
    assert asyncio.run(emitter.emit_agent_started({"agent_name": "a"})) is True
    sent = through.emit_critical_event.await_args.kwargs
    assert (sent["user_id"], sent["event_type"]) == ("user_1", "agent_started")
    data = sent["data"]
    assert (data["run_id"], data["thread_id"], data["request_id"]) == ("run_1", "thread_1", "req_1")
    assert data["metadata"] == {"user_tier": "free"}


FOREIGN = {"user_id": "user_2", "run_id": "run_2", "thread_id": "thread_2", "request_id": "req_2"}
OWN = {"user_id": "user_1", "run_id": "run_1", "thread_id": "thread_1", "request_id": "req_1"}
EVENTS = {
    "started": ("agent_started", lambda e: e.emit_agent_started(FOREIGN)),
    "thinking": ("agent_thinking", lambda e: e.emit("agent_thinking", FOREIGN)),
    "a tool": ("tool_executing", lambda e: e.notify_tool_executing("t", **FOREIGN)),
    "a tool done": ("tool_completed", lambda e: e.emit_tool_completed(FOREIGN)),
    "a sign-in": ("auth_started", lambda e: e.emit("auth_started", FOREIGN)),
    "an error": ("agent_error", lambda e: e.notify_agent_error("bad", **FOREIGN)),
    "progress": ("progress_update", lambda e: e.notify_progress_update(0.5, "half", **FOREIGN)),
    "the caller's own": ("own", lambda e: e.notify_custom("own", FOREIGN)),
}


@pytest.mark.parametrize("kind", EVENTS)
def test_the_emitters_identity_goes_before_the_ids_in_an_event(kind: str) -> None:
    through, (event_type, emit) = manager(), EVENTS[kind]
    assert asyncio.run(emit(UnifiedWebSocketEmitter(through, "user_1", CONTEXT))) is True
    sent = through.emit_critical_event.await_args.kwargs
    assert (sent["user_id"], sent["event_type"]) == ("user_1", event_type)
    assert {name: sent["data"][name] for name in OWN} == OWN


@pytest.mark.parametrize("foreign", [SimpleNamespace(**FOREIGN)])
def test_another_users_context_gives_no_ids_to_an_emitter(foreign: Any) -> None:
    through = manager()
    emitter = UnifiedWebSocketEmitter(through, "user_1", CONTEXT)
    emitter.set_context(foreign)
    for one in (emitter, UnifiedWebSocketEmitter(through, "user_1", foreign)):
        assert asyncio.run(one.emit_agent_started({"agent_name": "a"})) is True
        data = through.emit_critical_event.await_args.kwargs["data"]
        assert data["user_id"] == "user_1" and not set(FOREIGN.values()) & set(map(str, data.values()))


@pytest.mark.parametrize("run_id", [None, "", "  ", "registry", " registry ", 5, b"run_1"])
def test_an_event_of_no_run_is_not_sent(run_id: Any) -> None:
    through = manager()
    emitter = UnifiedWebSocketEmitter(through, "user_1", SimpleNamespace(**{**OWN, "run_id": run_id}))
    for event_type in UnifiedWebSocketEmitter.CRITICAL_EVENTS:
        assert asyncio.run(emitter.emit(event_type, {"run_id": "run_1"})) is False
    for event_type in ("agent_error", "own"):
        asyncio.run(emitter.emit(event_type, {"x": 1}))
    sent = [call.kwargs["data"] for call in through.emit_critical_event.await_args_list]
    assert not [data for data in sent if "run_id" in data]
    assert asyncio.run(UnifiedWebSocketEmitter(through, "user_1").emit_agent_started({"run_id": "registry"})) is False


def test_a_pool_gives_nobody_the_emitter_of_a_user_whose_name_reads_alike() -> None:
    async def scenario() -> None:
        pool = WebSocketEmitterPool(manager())
        first = await pool.acquire("user", SimpleNamespace(user_id="user", run_id="1:run"))
        second = await pool.acquire("user:1", SimpleNamespace(user_id="user:1", run_id="run"))
        third = await pool.acquire("user:1:run")
        assert [one.user_id for one in (first, second, third)] == ["user", "user:1", "user:1:run"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("call", "event_type", "expected"),
    [
        (lambda e: e.notify_agent_started("a", {"k": 1}), "agent_started", {"agent_name": "a", "status": "started"}),
        (lambda e: e.notify_agent_thinking("a", thought="hm"), "agent_thinking", {"reasoning": "hm", "thought": "hm"}),
        (lambda e: e.notify_tool_executing("t"), "tool_executing", {"tool_name": "t", "status": "executing"}),
        (lambda e: e.notify_tool_completed("t"), "tool_completed", {"tool_name": "t", "status": "completed"}),
        (lambda e: e.notify_agent_completed("a", result={"x": 1}), "agent_completed", {"result": {"x": 1}}),
        (lambda e: e.notify_agent_error("bad", code=3), "agent_error", {"error": "bad", "code": 3}),
        (lambda e: e.notify_progress_update(0.5, "half"), "progress_update", {"progress": 0.5, "message": "half"}),
        (lambda e: e.notify_custom("own", {"x": 1}), "own", {"x": 1}),
        (lambda e: e.emit_tool_completed({"x": 1}), "tool_completed", {"x": 1}),
    ],
)
def test_notifications(call: Any, event_type: str, expected: dict[str, Any]) -> None:
    through = manager()
    assert asyncio.run(call(UnifiedWebSocketEmitter(through, "user_1")))
    sent = through.emit_critical_event.await_args.kwargs
    assert sent["event_type"] == event_type
    assert expected.items() <= sent["data"].items()


def test_without_a_connection_nothing_is_sent() -> None:
    through = manager(active=False)
    assert asyncio.run(UnifiedWebSocketEmitter(through, "user_1").emit("agent_started", {})) is False
    through.emit_critical_event.assert_not_called()


def test_a_failing_manager_is_tried_again_and_counted() -> None:
    through = manager()
    through.emit_critical_event.side_effect = [OSError("a"), OSError("b"), None]
    emitter = UnifiedWebSocketEmitter(through, "user_1", performance_mode=False)
    assert asyncio.run(emitter.emit("agent_started", {})) is True
    stats = emitter.get_stats()
    assert (stats["retry_count"], stats["error_count"], stats["total_events"]) == (2, 0, 1)
    assert stats["critical_events"]["agent_started"] == 1


def test_in_performance_mode_one_retry_must_do() -> None:
    through = manager()
    through.emit_critical_event.side_effect = OSError("down")
    emitter = UnifiedWebSocketEmitter(through, "user_1")
    assert asyncio.run(emitter.emit("agent_started", {})) is False
    assert through.emit_critical_event.await_count == 2
    assert emitter.get_stats()["error_count"] == 1


def test_a_manager_and_a_user_are_required() -> None:
    with pytest.raises(ValueError, match="'manager' or 'websocket_manager'"):
        UnifiedWebSocketEmitter(user_id="user_1")
    with pytest.raises(ValueError, match="'user_id'"):
        UnifiedWebSocketEmitter(manager())
    assert UnifiedWebSocketEmitter(websocket_manager=manager(), user_id="user_1").manager is not None


def test_token_metrics_and_tier() -> None:
    emitter = UnifiedWebSocketEmitter(manager(), "user_1")
    emitter.update_token_metrics(10, 5, 0.5, "ask")
    emitter.update_token_metrics(1, 1, 0.5)
    tokens = emitter.get_token_metrics()
    assert (tokens["total_tokens"], tokens["total_cost"], tokens["average_cost_per_operation"]) == (17, 1.0, 0.5)
    assert [entry["operation"] for entry in tokens["operations"]] == ["ask", "unknown"]
    assert (emitter.get_user_tier(), emitter.is_priority_user()) == ("free", False)
    emitter.set_user_tier("enterprise")
    assert emitter.is_priority_user()


def test_cleanup_and_context() -> None:
    emitter = UnifiedWebSocketEmitter.create_user_emitter(manager(), CONTEXT)
    assert emitter.get_context() is CONTEXT
    asyncio.run(emitter.emit("agent_started", {}))
    asyncio.run(emitter.cleanup())
    assert (emitter.get_context(), emitter.get_stats()["total_events"]) == (None, 0)


def test_the_sign_in_emitter_sends_its_four_events_and_no_other() -> None:
    emitter = WebSocketEmitterFactory.create_auth_emitter(manager(), "user_1")
    assert isinstance(emitter, AuthenticationWebSocketEmitter)
    assert asyncio.run(emitter.emit_auth_event("auth_started", {}))
    with pytest.raises(ValueError, match="Invalid authentication event type: agent_started"):
        asyncio.run(emitter.emit_auth_event("agent_started", {}))
    assert emitter.get_auth_stats()["auth_events"]["auth_started"] == 1
    asyncio.run(emitter.ensure_auth_connection_health())
    lost = UnifiedWebSocketEmitter.create_auth_emitter(manager(active=False), user_context=CONTEXT)
    with pytest.raises(AuthenticationWebSocketError, match="No active WebSocket connection for user user_1"):
        asyncio.run(lost.ensure_auth_connection_health())  # type: ignore[attr-defined]


def test_a_session_is_watched() -> None:
    through = manager()
    through.is_connection_active.side_effect = [True, False, True] + [True] * 1000
    monitor = AuthenticationConnectionMonitor(through)
    monitor.CHECK_INTERVAL_SECONDS = 0.001
    report = asyncio.run(monitor.monitor_auth_session("user_1", 200))
    assert report["connection_drops"] == 1
    assert report["health_checks"] >= 3
    assert monitor.get_monitoring_stats()["failed_checks"] == 1


def test_the_pool_reuses_evicts_and_shuts_down() -> None:
    async def scenario() -> None:
        pool = WebSocketEmitterPool(manager(), max_size=2)
        first = await pool.acquire("user_1")
        await pool.release(first)
        assert await pool.acquire("user_1") is first
        await pool.release(first)
        await pool.acquire("user_2")
        await pool.acquire("user_3")
        stats = pool.get_statistics()
        assert (stats["pool_size"], stats["total_created"], stats["total_reused"], stats["total_evicted"]) == (2, 3, 1, 1)
        assert await pool.acquire("user_1") is not first
        assert await pool.cleanup_inactive_emitters(0) == 0
        await pool.shutdown()
        assert pool.get_statistics()["pool_size"] == 0
        with pytest.raises(RuntimeError, match="the emitter pool is shut down"):
            await pool.acquire("user_1")

    asyncio.run(scenario())


def test_the_factory_counts_what_it_made() -> None:
    async def scenario() -> None:
        factory = WebSocketEmitterFactory()
        await factory.make(manager(), "user_1").emit("agent_started", {})
        assert factory.get_stats() == {"emitters_created": 1, "total_events": 1, "error_count": 0}
        assert factory.get_error_handling_stats() == {"error_count": 0, "retry_count": 0}
        assert factory.get_performance_stats()["performance_mode_emitters"] == 0
        await factory.cleanup()
        assert factory.get_stats()["emitters_created"] == 0

    asyncio.run(scenario())
    assert WebSocketEmitterFactory.create_performance_emitter(manager(), "user_1").performance_mode
    assert WebSocketEmitterFactory.create_scoped_emitter(manager(), CONTEXT).user_id == "user_1"
