"""Events are checked one by one, as sequences and as whole runs, and watched while they come."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from compat.netra.components.events import event_sequences
from compat.netra.components.events.event_monitor import (
    ChatEventMonitor,
    EventMetrics,
    EventTracker,
    EventValidationError,
    HealthStatus,
    MissingCriticalEventError,
    WebSocketEventMonitor,
)
from compat.netra.components.events.event_sequences import (
    CircuitBreakerState,
    EventSequenceValidator,
    EventType,
    EventValidationFramework,
    EventValidationLevel,
    EventValidator,
    ValidationResult,
)

CRITICAL = ("agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed")


def event(kind: str, **changes: Any) -> dict[str, Any]:
    payload = {"agent_name": "a", "thought": "t", "tool_name": "x"}
    return {"type": kind, "payload": payload, "timestamp": time.time(), "thread_id": "thread_1", **changes}


def test_a_good_event_is_valid() -> None:
    validator = EventValidator()
    checked = validator.validate_event(event("agent_started", run_id="run_1", event_id="e1"))
    assert (checked.validation_result, checked.validation_errors, checked.validation_warnings) == (
        ValidationResult.VALID, [], [],
    )  # fmt: skip
    assert (checked.event_id, checked.event_type, checked.run_id) == ("e1", EventType.AGENT_STARTED, "run_1")
    assert (validator.metrics.total_events, validator.metrics.successful_events) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "level", "result"),
    [
        ({"type": "unknown"}, EventValidationLevel.STRICT, ValidationResult.CRITICAL),
        ({"type": "unknown"}, EventValidationLevel.PERMISSIVE, ValidationResult.WARNING),
        ({"timestamp": "now"}, EventValidationLevel.STRICT, ValidationResult.ERROR),
        ({"timestamp": time.time() + 3600}, EventValidationLevel.STRICT, ValidationResult.ERROR),
        ({"timestamp": True}, EventValidationLevel.STRICT, ValidationResult.ERROR),
        ({"thread_id": None}, EventValidationLevel.STRICT, ValidationResult.ERROR),
        ({"thread_id": None}, EventValidationLevel.MODERATE, ValidationResult.WARNING),
        ({"payload": []}, EventValidationLevel.STRICT, ValidationResult.ERROR),
        ({"payload": {}}, EventValidationLevel.STRICT, ValidationResult.ERROR),
        ({"payload": {}}, EventValidationLevel.MODERATE, ValidationResult.WARNING),
        ({"payload": {"agent_name": "a", "timestamp": "now"}}, EventValidationLevel.STRICT, ValidationResult.ERROR),
    ],
)
def test_a_faulty_event(changes: dict, level: EventValidationLevel, result: ValidationResult) -> None:
    checked = EventValidator(level).validate_event(event("agent_started", **changes))
    assert checked.validation_result is result
    assert checked.validation_errors or checked.validation_warnings


def test_the_payload_may_hold_the_time() -> None:
    started = {"type": "agent_started", "thread_id": "t", "payload": {"agent_name": "a", "timestamp": time.time()}}
    checked = EventValidator().validate_event(started)
    assert (checked.validation_result, checked.timestamp) == (ValidationResult.VALID, started["payload"]["timestamp"])


def test_an_event_without_a_type_is_unknown_and_has_no_order() -> None:
    sequences = EventSequenceValidator(EventValidator())
    for _ in range(2):
        checked = sequences.add_event_to_sequence("t", {"thread_id": "t", "payload": {}, "timestamp": time.time()})
        assert checked.event_type == "unknown" and checked.validation_warnings == []
    status = sequences.get_sequence_status("t")
    assert status is not None and status["events_received"] == ["unknown"]


def test_a_time_that_is_no_number_is_an_error_of_the_rule() -> None:
    checked = EventValidator().validate_event(event("agent_started", timestamp="now"))
    assert checked.validation_errors[0].startswith("RULE_ERROR: timestamp failed: ")


def test_a_sequence_is_complete_with_all_five_events() -> None:
    sequences = EventSequenceValidator(EventValidator())
    for kind in CRITICAL:
        checked = sequences.add_event_to_sequence("thread_1", event(kind))
        assert checked.validation_result is ValidationResult.VALID
    status = sequences.get_sequence_status("thread_1")
    assert status is not None
    assert (status["status"], status["is_complete"], status["completion_percentage"]) == ("completed", True, 100.0)
    assert sequences.active_sequences == {} and sequences.sequence_metrics["completed"] == 1
    assert sequences.get_sequence_status("thread_2") is None


def test_disorder_is_a_warning() -> None:
    sequences = EventSequenceValidator(EventValidator())
    checked = sequences.add_event_to_sequence("thread_1", event("agent_thinking"))
    assert checked.validation_result is ValidationResult.VALID, "the first event of a thread may be any"
    checked = sequences.add_event_to_sequence("thread_1", event("tool_executing"))
    assert checked.validation_warnings == ["sequence: tool_executing before agent_started"]
    sequences.add_event_to_sequence("thread_1", event("agent_started"))
    sequences.add_event_to_sequence("thread_1", event("tool_completed"))
    checked = sequences.add_event_to_sequence("thread_1", event("tool_completed"))
    assert checked.validation_warnings == ["sequence: tool_completed without tool_executing"]


def test_the_framework_keeps_history_and_tells() -> None:
    async def scenario() -> None:
        framework = EventValidationFramework()
        seen, failed = AsyncMock(), Mock(side_effect=RuntimeError("broken"))
        framework.register_validation_callback(seen)
        framework.register_error_callback(failed)
        first = await framework.validate_event(event("agent_started"))
        await framework.validate_event(event("tool_executing"))
        bad = await framework.validate_event(event("nonsense"))
        assert [call.args[0] for call in seen.await_args_list] == framework.get_thread_history("thread_1")
        failed.assert_called_once_with(bad)
        assert await framework.replay_events("thread_1", end_time=first.timestamp) == [first]
        assert framework.detect_silent_failures("thread_1") == [
            "Missing event: agent_completed",
            "Missing event: agent_thinking",
            "Missing event: tool_completed",
            "Incomplete tool executions: 1",
        ]
        metrics = framework.get_performance_metrics()
        assert (metrics.total_events, metrics.failed_events) == (3, 1)
        report = framework.generate_validation_report("thread_1")
        assert (report["total_events"], report["validation_results"]["critical"]) == (3, 1)
        assert framework.generate_validation_report()["threads"] == ["thread_1"]

    asyncio.run(scenario())


def test_validation_rests_after_too_many_failures() -> None:
    async def scenario() -> None:
        framework = EventValidationFramework()
        framework.failure_threshold = 2
        for _ in range(2):
            await framework.validate_event(event("nonsense"))
        assert framework.circuit_breaker_state is CircuitBreakerState.OPEN
        resting = await framework.validate_event(event("nonsense"))
        assert resting.validation_warnings == ["Circuit breaker open - minimal validation"]
        framework.last_failure_time = time.time() - framework.recovery_timeout - 1
        await framework.validate_event(event("agent_started"))
        assert framework.circuit_breaker_state is CircuitBreakerState.CLOSED

    asyncio.run(scenario())


def test_a_rule_and_a_framework_that_fail_are_errors_of_the_event() -> None:
    validator = EventValidator(EventValidationLevel.PERMISSIVE)
    validator.validation_rules["payload"].validator = Mock(side_effect=RuntimeError("broken"))
    checked = validator.validate_event(event("agent_started"))
    assert (checked.validation_result, checked.validation_errors) == (
        ValidationResult.ERROR, ["RULE_ERROR: payload failed: broken"],
    )  # fmt: skip
    framework = EventValidationFramework()
    assert (framework.failure_threshold, framework.recovery_timeout) == (10, 60.0)
    framework.sequence_validator.add_event_to_sequence = Mock(side_effect=RuntimeError("broken"))
    checked = asyncio.run(framework.validate_event(event("agent_started")))
    assert (checked.validation_result, checked.validation_errors) == (
        ValidationResult.CRITICAL, ["Validation framework error: broken"],
    )  # fmt: skip


def test_the_framework_of_the_process(monkeypatch) -> None:
    monkeypatch.setattr(event_sequences, "_framework", None)
    framework = event_sequences.get_event_validation_framework(EventValidationLevel.MODERATE)
    assert event_sequences.get_event_validation_framework() is framework
    checked = asyncio.run(event_sequences.validate_websocket_event(event("agent_started")))
    assert framework.get_thread_history("thread_1") == [checked]
    assert asyncio.run(event_sequences.get_validation_report("thread_1"))["total_events"] == 1


def test_the_monitor_finds_what_fails_in_silence() -> None:
    async def scenario() -> None:
        monitor = ChatEventMonitor()
        for kind in CRITICAL:
            await monitor.record_event(kind, "thread_1", tool_name="x" if kind.startswith("tool") else None)
        assert monitor.get_health_status() is HealthStatus.HEALTHY
        assert monitor.get_thread_status("thread_1")["status"] == "completed"
        await monitor.record_event("tool_completed", "thread_2", tool_name="x")
        assert [entry["type"] for entry in monitor.silent_failures] == [
            "missing_agent_started",
            "tool_completed_without_start",
        ]
        await monitor.record_event("agent_started", "thread_3")
        monitor.last_event_time["thread_3"] -= 31
        health = await monitor.check_health()
        assert health["stale_threads"] == ["thread_3"] and health["status"] == "warning"
        assert monitor.get_metrics()["total_events"] == 7
        assert monitor.get_thread_status("thread_4")["status"] == "unknown"

    asyncio.run(scenario())


def test_components_are_audited() -> None:
    async def scenario() -> None:
        monitor = ChatEventMonitor()
        bridge = Mock(spec=["get_health_status", "get_metrics", "register_monitor_observer", "remove_monitor_observer"])
        bridge.get_health_status = AsyncMock(return_value={"healthy": True})
        bridge.get_metrics = AsyncMock(return_value={"n": 1})
        await monitor.register_component_for_monitoring("main_bridge", bridge)
        bridge.register_monitor_observer.assert_called_once_with(monitor)
        assert (await monitor.audit_bridge_health())["healthy"]
        bridge.get_health_status.side_effect = RuntimeError("down")
        assert (await monitor.audit_bridge_health())["status"] == "audit_failed"
        await monitor.on_component_health_change("main_bridge", {"healthy": False})
        assert monitor.get_component_audit_summary()["total_monitored_components"] == 1
        await monitor.remove_component_from_monitoring("main_bridge")
        assert (await monitor.audit_bridge_health())["status"] == "not_registered"
        await monitor.start_monitoring(interval=60)
        await monitor.start_monitoring(interval=60)
        await monitor.stop_monitoring()
        assert monitor._monitor_task is None

    asyncio.run(scenario())


def test_sessions_are_followed() -> None:
    async def scenario() -> None:
        monitor = WebSocketEventMonitor()
        with pytest.raises(EventValidationError, match=r"^Session s1 is not tracked$"):
            await monitor.validate_critical_events("s1")
        await monitor.start_session_tracking("s1", {})
        for kind in CRITICAL[:-1]:
            await monitor.record_event(kind, "s1", {})
        with pytest.raises(MissingCriticalEventError, match=r"^Missing critical events: agent_completed$"):
            await monitor.validate_critical_events("s1")
        await monitor.record_event(CRITICAL[-1], "s1")
        assert await monitor.validate_critical_events("s1")
        metrics = await monitor.get_session_metrics("s1")
        assert (metrics["total_events"], metrics["critical_events"]) == (5, 5)
        for kind in reversed(CRITICAL):
            await monitor.record_event(kind, "s2")
        with pytest.raises(EventValidationError, match=r"^Events out of order"):
            await monitor.validate_critical_events("s2")
        await monitor.stop_session_tracking("s1")
        assert await monitor.get_session_metrics("s1") == {}

    asyncio.run(scenario())


def test_plain_counts() -> None:
    tracker, metrics = EventTracker(), EventMetrics()
    tracker.track_event("agent_started", "thread_1")
    assert tracker.events[0]["event_type"] == "agent_started"
    metrics.update("agent_started", 1.0)
    metrics.update("agent_started", 3.0)
    assert (metrics.total_events, metrics.events_by_type, metrics.avg_processing_time) == (2, {"agent_started": 2}, 2.0)
