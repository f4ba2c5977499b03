"""What an emitter sends, retries, stamps and counts; the factory, the pool and the sign-in emitters."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock, patch

import pytest

from compat.canonical.factory import WebSocketManagerFactory, get_websocket_manager, set_websocket_manager_factory
from compat.netra.components.agents.emitters.factory import WebSocketEmitterFactory, WebSocketEmitterPool
from compat.netra.components.agents.emitters.sign_in import (
    AuthenticationConnectionMonitor,
    AuthenticationWebSocketEmitter,
    AuthenticationWebSocketError,
)
from compat.netra.components.agents.emitters.unified import UnifiedWebSocketEmitter

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
    assert data["timestamp"].endswith("+00:00")
    assert data["metadata"] == {"user_tier": "free", "is_priority_queue": False}


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


TIER = {"user_tier": "free", "is_priority_queue": False}
FORMS = [
    (
        lambda e: e.notify_agent_started("a", {"k": 1}, {"c": 2}),
        "agent_started",
        {"agent_name": "a", "status": "started", "metadata": {"k": 1, "c": 2, **TIER}},
    ),
    (
        lambda e: e.notify_agent_thinking("a", "hm", step_number=2),
        "agent_thinking",
        {"reasoning": "hm", "type": "reasoning", "metadata": {"step_number": 2, "agent_name": "a", **TIER}},
    ),
    (
        lambda e: e.notify_agent_thinking(thought="oh"),
        "agent_thinking",
        {"reasoning": "oh", "type": "reasoning", "metadata": TIER},
    ),
    (
        lambda e: e.notify_agent_thinking(),
        "agent_thinking",
        {"reasoning": "Agent is thinking...", "type": "reasoning", "metadata": TIER},
    ),
    (
        lambda e: e.notify_tool_executing("t", {"k": 1}),
        "tool_executing",
        {"tool_name": "t", "status": "executing", "metadata": {"k": 1, **TIER}},
    ),
    (lambda e: e.notify_tool_completed("t"), "tool_completed", {"tool_name": "t", "status": "completed", "metadata": TIER}),
    (
        lambda e: e.notify_agent_completed("a", {"k": 1}, {"answer": 42}, 12.5),
        "agent_completed",
        {"agent_name": "a", "status": "completed", "metadata": {"k": 1, "answer": 42, "execution_time_ms": 12.5, **TIER}},
    ),
    (
        lambda e: e.notify_agent_completed("a", result="text"),
        "agent_completed",
        {"agent_name": "a", "status": "completed", "result": "text", "metadata": TIER},
    ),
    (
        lambda e: e.emit_tool_completed({"x": 1, "none": None, "timestamp": 5, "metadata": {"user_tier": "enterprise"}}),
        "tool_completed",
        {"x": 1, "metadata": TIER},
    ),
]


@pytest.mark.parametrize(("call", "event_type", "expected"), FORMS)
def test_a_critical_event_has_the_emitters_ids_its_time_and_the_users_tier(
    call: Any, event_type: str, expected: dict[str, Any]
) -> None:
    through = manager()
    assert asyncio.run(call(UnifiedWebSocketEmitter(through, context=CONTEXT)))
    sent = through.emit_critical_event.await_args.kwargs
    assert sent["event_type"] == event_type and sent["data"].pop("timestamp").endswith("+00:00")
    assert sent["data"] == {**expected, **OWN}


@pytest.mark.parametrize(
    ("call", "event_type", "expected"),
    [
        (lambda e: e.notify_agent_error("bad", code=3), "agent_error", {"error": "bad", "status": "error", "code": 3}),
        (lambda e: e.notify_progress_update(0.5), "progress_update", {"progress": 0.5, "message": ""}),
        (lambda e: e.notify_custom("own", {"x": 1}), "own", {"x": 1, "run_id": "run_1", "thread_id": "thread_1"}),
        (lambda e: e.emit("own", {"x": None}), "own", {"x": None, "run_id": "run_1", "thread_id": "thread_1"}),
    ],
)
@pytest.mark.parametrize("active", [True, False])
def test_any_other_event_is_handed_over_as_it_is_whether_or_not_the_user_is_there(
    active: bool, call: Any, event_type: str, expected: dict[str, Any]
) -> None:
    through = manager(active)
    emitter = UnifiedWebSocketEmitter(through, context=CONTEXT)
    assert asyncio.run(call(emitter)) is True
    through.emit_critical_event.assert_awaited_once_with(user_id="user_1", event_type=event_type, data=expected)
    assert through.is_connection_active.call_count == 0
    assert (emitter.metrics.total_events, sum(emitter.metrics.critical_events.values())) == (1, 0)


def test_an_exception_is_handed_over_as_it_is_and_reaches_a_socket_as_text() -> None:
    error, through = ValueError("no room"), manager()
    asyncio.run(UnifiedWebSocketEmitter(through, context=CONTEXT).notify_agent_error(error))
    assert through.emit_critical_event.await_args.kwargs["data"]["error"] is error

    async def run() -> Any:
        socket, own = AsyncMock(), get_websocket_manager(CONTEXT)
        own.add_connection(socket, stamped=False)
        assert await UnifiedWebSocketEmitter(own, context=CONTEXT).notify_agent_error(error) is True
        return socket.send_json.await_args.args[0]["error"]

    before = set_websocket_manager_factory(WebSocketManagerFactory())
    try:
        assert asyncio.run(run()) == "no room"
    finally:
        set_websocket_manager_factory(before)


def test_what_the_manager_raises_of_the_callers_own_event_is_the_callers_to_know() -> None:
    through = manager()
    through.emit_critical_event.side_effect = OSError("down")
    emitter = UnifiedWebSocketEmitter(through, context=CONTEXT)
    with pytest.raises(OSError, match="down"):
        asyncio.run(emitter.notify_custom("own", {}))
    assert asyncio.run(emitter.notify_agent_error("bad")) is False
    assert emitter.metrics.total_events == 0


@pytest.mark.parametrize("event_type", UnifiedWebSocketEmitter.CRITICAL_EVENTS)
def test_every_way_to_one_of_the_five_is_that_of_its_own_method(event_type: str) -> None:
    emitter = UnifiedWebSocketEmitter(manager(), "user_1", CONTEXT)
    own = AsyncMock(return_value=True)
    setattr(emitter, f"emit_{event_type}", own)
    assert asyncio.run(emitter.emit(event_type, {"a": 1})) is True
    own.assert_awaited_once_with({"a": 1})
    asyncio.run(getattr(emitter, f"notify_{event_type}")("name"))
    assert own.await_count == 2


@pytest.mark.parametrize("name", ["manager", "websocket_manager", "_websocket_manager"])
def test_the_manager_can_be_replaced_under_each_of_its_names(name: str) -> None:
    first, second = manager(), manager()
    emitter = UnifiedWebSocketEmitter(first, "user_1", CONTEXT)
    with patch.object(emitter, name, second):
        asyncio.run(emitter.emit_agent_started({}))
    asyncio.run(emitter.emit_agent_started({}))
    assert (first.emit_critical_event.await_count, second.emit_critical_event.await_count) == (1, 1)


def test_any_other_type_goes_by_the_method_for_those() -> None:
    emitter = UnifiedWebSocketEmitter(manager(), "user_1", CONTEXT)
    emitter.notify_custom = AsyncMock(return_value=True)  # type: ignore[method-assign]
    assert asyncio.run(emitter.emit("own", {"a": 1})) is True
    emitter.notify_custom.assert_awaited_once_with("own", {"a": 1})


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
    assert (stats["retry_count"], stats["error_count"], stats["total_events"]) == (2, 2, 1)
    assert stats["critical_events"]["agent_started"] == 1


def test_in_performance_mode_one_retry_must_do() -> None:
    through = manager()
    through.emit_critical_event.side_effect = OSError("down")
    emitter = UnifiedWebSocketEmitter(through, "user_1")
    assert asyncio.run(emitter.emit("agent_started", {})) is False
    assert through.emit_critical_event.await_count == 2
    assert emitter.get_stats()["error_count"] == 2
    assert asyncio.run(emitter.emit("auth_started", {})) is False
    assert through.emit_critical_event.await_count == 2 + 1 + UnifiedWebSocketEmitter.MAX_CRITICAL_RETRIES


def test_a_manager_and_a_user_are_required() -> None:
    with pytest.raises(ValueError, match="'manager' or 'websocket_manager'"):
        UnifiedWebSocketEmitter(user_id="user_1")
    with pytest.raises(ValueError, match=r"^user_id is required \(directly or via context.user_id\)$"):
        UnifiedWebSocketEmitter(manager())
    assert UnifiedWebSocketEmitter(manager(), "").user_id == ""
    assert UnifiedWebSocketEmitter(websocket_manager=manager(), user_id="user_1").manager is not None


@pytest.mark.parametrize(("performance", "size", "seconds"), [(True, 5, 0.02), (False, 10, 0.05)])
def test_an_emitter_begins_with_what_callers_read_off_it(performance: bool, size: int, seconds: float) -> None:
    emitter = UnifiedWebSocketEmitter(manager(), "user_1", performance_mode=performance)
    assert (emitter._batch_size, emitter._batch_timeout, emitter._batch_timer) == (size, seconds, None)
    assert (emitter._enable_batching, emitter._connection_health_score) == (not performance, 100)
    assert (emitter._consecutive_failures, emitter._circuit_breaker_open, emitter._circuit_breaker_timeout) == (0, False, 30.0)
    assert (emitter._validation_cache, emitter._events_sent, emitter._event_buffer) == ({}, [], [])
    assert isinstance(emitter._buffer_lock, asyncio.Lock)
    assert emitter._token_metrics == {
        "total_operations": 0,
        "total_input_tokens": 0,
        "total_output_tokens": 0,
        "total_cost": 0.0,
    }


def test_token_metrics_and_tier() -> None:
    emitter = UnifiedWebSocketEmitter(manager(), "user_1")
    assert emitter.get_token_metrics()["average_cost_per_operation"] == 0.0
    emitter.update_token_metrics(10, 5, 0.5, "ask")
    emitter.update_token_metrics(1, 2, 0.5)
    assert emitter.get_token_metrics() == {
        "total_operations": 2,
        "total_input_tokens": 11,
        "total_output_tokens": 7,
        "total_cost": 1.0,
        "average_tokens_per_operation": 9.0,
        "average_cost_per_operation": 0.5,
    }
    for tier, first in (("", False), (None, False), ("mid", False), ("platform", False), ("enterprise", True)):
        emitter.set_user_tier(tier)
        assert (emitter.get_user_tier(), emitter.is_priority_user()) == (tier or "free", first)
    through = manager()
    served = UnifiedWebSocketEmitter(through, context=CONTEXT)
    served.set_user_tier("enterprise")
    asyncio.run(served.emit_agent_started({"metadata": {"user_tier": "free"}}))
    sent = through.emit_critical_event.await_args.kwargs["data"]
    assert sent["metadata"] == {"user_tier": "enterprise", "is_priority_queue": True}


def test_statistics_have_their_keys() -> None:
    emitter = UnifiedWebSocketEmitter(manager(), context=CONTEXT)
    asyncio.run(emitter.emit("agent_started", {}))
    asyncio.run(emitter.emit("agent_started", {}))
    stats = emitter.get_stats()
    assert emitter._validation_cache == {"run_1:agent_started": True}
    assert [event["event_type"] for event in emitter._events_sent] == ["agent_started"] * 2
    assert stats.pop("uptime_seconds") >= 0 and stats.pop("last_event_time").endswith("+00:00")
    assert stats == {
        "user_id": "user_1",
        "total_events": 2,
        "critical_events": {**dict.fromkeys(UnifiedWebSocketEmitter.CRITICAL_EVENTS, 0), "agent_started": 2},
        "error_count": 0,
        "retry_count": 0,
        "has_context": True,
        "user_tier": "free",
        "is_priority_user": False,
        "token_metrics": emitter.get_token_metrics(),
        "validation_cache_size": 1,
        "events_sent_count": 2,
    }


def test_cleaning_up_ends_nothing() -> None:
    emitter = UnifiedWebSocketEmitter.create_user_emitter(manager(), CONTEXT)
    assert emitter.get_context() is CONTEXT
    asyncio.run(emitter.cleanup())
    assert asyncio.run(emitter.emit("agent_started", {})) is True
    emitter.set_context(None)
    assert emitter.get_context() is None


def test_every_way_to_an_emitter_needs_a_context_with_a_user() -> None:
    assert UnifiedWebSocketEmitter.for_user(manager(), "user_1").context is None
    assert UnifiedWebSocketEmitter.create_for_user(manager(), CONTEXT).context is CONTEXT
    for make, text in (
        (lambda: UnifiedWebSocketEmitter.create_for_user(manager(), None), "create_for_user requires valid user_context"),
        (
            lambda: UnifiedWebSocketEmitter.create_for_user(manager(), SimpleNamespace(user_id="")),
            "create_for_user requires user_id in user_context",
        ),
    ):
        with pytest.raises(ValueError, match=f"^UnifiedWebSocketEmitter.{text}$"):
            make()
    with pytest.raises(ValueError, match="^create_user_emitter requires valid user_context$"):
        UnifiedWebSocketEmitter.create_user_emitter(manager(), None)
    with pytest.raises(ValueError, match="^Valid UserExecutionContext required for scoped emitter$"):
        WebSocketEmitterFactory.create_scoped_emitter(manager(), None)
    assert WebSocketEmitterFactory.create_scoped_emitter(manager(), CONTEXT).performance_mode is True
    assert WebSocketEmitterFactory.create_auth_emitter(manager(), "user_1").performance_mode is True


def test_the_sign_in_emitter_sends_its_four_events_and_counts_them() -> None:
    through = manager()
    emitter = WebSocketEmitterFactory.create_auth_emitter(through, "user_1")
    assert isinstance(emitter, AuthenticationWebSocketEmitter)
    assert emitter.get_auth_stats()["auth_delivery_rate"] == 100.0
    assert asyncio.run(emitter.emit_auth_event("auth_started", {})) is True
    assert asyncio.run(emitter.emit_auth_event("other", {})) is True
    assert [call.kwargs["event_type"] for call in through.emit_critical_event.await_args_list] == ["auth_started", "other"]
    through.emit_critical_event.side_effect = OSError("down")
    assert asyncio.run(emitter.emit_auth_event("auth_failed", {})) is False
    stats = emitter.get_auth_stats()
    assert stats["auth_metrics"] == {
        "total_auth_events": 2,
        "successful_auth_deliveries": 1,
        "failed_auth_deliveries": 1,
        "connection_health_checks": 2,
        "fallback_escalations": 0,
    }
    assert stats["auth_delivery_rate"] == 50.0 and stats["critical_events"]["auth_started"] == 1


def test_a_sign_in_is_not_told_to_nobody() -> None:
    away = manager(active=False, get_connection_health=Mock(return_value={"active_connections": 0}))
    lost: Any = UnifiedWebSocketEmitter.create_auth_emitter(away, user_context=CONTEXT)
    text = "WebSocket connection unhealthy for user user_1 - authentication cannot proceed safely. Health"
    for ask in (lost.ensure_auth_connection_health, lambda: lost.emit_auth_event("auth_started", {})):
        with pytest.raises(AuthenticationWebSocketError) as refused:
            asyncio.run(ask())
        assert str(refused.value) == f"{text}: {{'active_connections': 0}}"
    with pytest.raises(AuthenticationWebSocketError) as refused:
        asyncio.run(AuthenticationConnectionMonitor(away).ensure_auth_connection_health("user_1"))
    assert str(refused.value) == f"{text} check failed."
    assert away.emit_critical_event.await_count == 0


@pytest.mark.parametrize(
    ("health", "reachable"),
    [({"has_active_connections": False}, False), ({"has_active_connections": True}, True), ({}, True), (Mock(), True)],
)
def test_what_a_manager_says_of_a_users_health_is_believed(health: Any, reachable: bool) -> None:
    through = manager(get_connection_health=Mock(return_value=health))
    emitter = AuthenticationWebSocketEmitter(through, "user_1")
    monitor = AuthenticationConnectionMonitor(through)
    for check in (emitter.ensure_auth_connection_health, lambda: monitor.ensure_auth_connection_health("user_1")):
        if reachable:
            asyncio.run(check())
        else:
            with pytest.raises(AuthenticationWebSocketError, match=r"connection unhealthy for user user_1 .* Health"):
                asyncio.run(check())
    assert monitor.get_monitoring_stats()["unhealthy_connections_detected"] == int(not reachable)


def test_a_session_is_watched() -> None:
    through = manager()
    through.is_connection_active.side_effect = [True, False, True] + [True] * 1000
    monitor = AuthenticationConnectionMonitor(through)
    assert monitor.CHECK_INTERVAL_SECONDS == 1.0 and monitor.get_monitoring_stats()["health_check_success_rate"] == 100.0
    monitor.CHECK_INTERVAL_SECONDS = 0.001
    report = asyncio.run(monitor.monitor_auth_session("user_1", 200))
    checks = report.pop("health_snapshots_count")
    assert checks >= 3 and report.pop("session_duration_actual") >= 200
    assert report == {
        "user_id": "user_1",
        "connection_drops": 1,
        "recovery_attempts": 0,
        "final_health": True,
        "monitoring_successful": False,
    }
    assert monitor.get_monitoring_stats() == {
        "health_checks_performed": checks,
        "unhealthy_connections_detected": 1,
        "recovery_attempts": 0,
        "health_check_success_rate": 100.0 * (1 - 1 / checks),
    }


def test_the_pool_reuses_evicts_and_begins_again() -> None:
    async def scenario() -> None:
        pool = WebSocketEmitterPool(manager(), max_size=2)
        first = await pool.acquire("user_1")
        await pool.release(first)
        assert await pool.acquire("user_1") is first
        await pool.release(first)
        await pool.acquire("user_2")
        await pool.acquire("user_3")
        assert list(pool._pool) == ["user_2", "user_3"]
        stats = pool.get_statistics()
        assert {name: stats[name] for name in ("pool_size", "max_size", "acquisitions", "releases")} == {
            "pool_size": 2,
            "max_size": 2,
            "acquisitions": 4,
            "releases": 2,
        }
        assert (stats["cache_hits"], stats["cache_misses"], stats["total_evicted"]) == (1, 3, 1)
        assert await pool.acquire("user_1") is not first
        await pool.shutdown()
        assert pool.get_statistics()["pool_size"] == 0
        again = await pool.acquire("user_1")
        await pool.release(again)
        assert await pool.cleanup_inactive_emitters(0) == 0
        await again.emit("agent_started", {})
        assert await pool.cleanup_inactive_emitters(0) == 1

    asyncio.run(scenario())


def test_two_runs_of_a_user_at_once_have_an_emitter_each() -> None:
    async def scenario() -> None:
        pool = WebSocketEmitterPool(manager())
        one, two = CONTEXT, SimpleNamespace(**{**OWN, "run_id": "run_9"})
        first, second = await pool.acquire("user_1", one), await pool.acquire("user_1", two)
        assert (first.context, second.context, first is second) == (one, two, False)
        await pool.release(first)
        assert await pool.acquire("user_1", two) is first and first.context is two

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
