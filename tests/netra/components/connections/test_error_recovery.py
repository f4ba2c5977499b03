"""Each error gets its strategy; what keeps failing is left alone for a while."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timezone
from unittest.mock import AsyncMock, Mock, call, patch

import pytest

from compat.netra.components.connections.error_recovery import (
    CascadePreventionState,
    CircuitBreaker,
    CircuitBreakerState,
    DegradationState,
    ErrorMetrics,
    ErrorType,
    RecoveryStrategy,
    WebSocketErrorContext,
    WebSocketErrorRecoveryHandler,
)
from compat.netra.components.events.message_buffer import WebSocketMessageBuffer


def error(kind: ErrorType = ErrorType.CONNECTION_LOST, connection: str = "conn_1", **more) -> WebSocketErrorContext:
    return WebSocketErrorContext(kind, connection, "user_1", "it broke", datetime.now(timezone.utc), **more)


def manager(*answers) -> Mock:
    """A manager of the old kind, and its answers to attempts to reconnect."""
    made = Mock(spec=["attempt_reconnection", "reauthenticate_user", "send_messages"])
    made.attempt_reconnection = AsyncMock(side_effect=list(answers))
    made.reauthenticate_user = AsyncMock(return_value=True)
    made.send_messages = AsyncMock()
    return made


def buffer(*messages: dict) -> Mock:
    return Mock(spec=["get_buffered_messages"], get_buffered_messages=AsyncMock(return_value=list(messages)))


async def settle(handler: WebSocketErrorRecoveryHandler, context: WebSocketErrorContext):
    """The result, and the pauses that were made."""
    with patch("asyncio.sleep", AsyncMock()) as sleep:
        result = await handler.handle_error(context)
    return result, [one.args[0] for one in sleep.await_args_list]


def test_a_lost_connection_is_tried_again_and_its_messages_replayed_at_once() -> None:
    found, waiting = manager(False, RuntimeError("busy"), True), [{"n": 1}, {"n": 2}]
    handler = WebSocketErrorRecoveryHandler({}, found, buffer(*waiting))
    result, pauses = asyncio.run(settle(handler, error()))
    assert result.recovery_attempted and result.recovery_successful and pauses == [1.0, 2.0]
    assert (result.strategy_applied, result.retry_attempts_made) == (RecoveryStrategy.RECONNECT_WITH_BACKOFF, 3)
    assert found.attempt_reconnection.await_args_list == [call("conn_1")] * 3
    found.send_messages.assert_awaited_once_with("conn_1", waiting)
    assert (result.buffered_messages_restored, handler._active_recoveries) == (2, {})


def test_a_manager_of_the_present_kind_is_asked_in_its_own_way() -> None:
    async def scenario() -> None:
        kept = WebSocketMessageBuffer()
        for number in (1, 2):
            await kept.buffer_message("user_1", {"type": "chat", "n": number})
        found = Mock(spec=["wait_for_connection", "send_to_user"])
        found.wait_for_connection, found.send_to_user = AsyncMock(side_effect=[False, True]), AsyncMock()
        result, _ = await settle(WebSocketErrorRecoveryHandler({}, found, kept), error())
        assert (result.recovery_successful, result.buffered_messages_restored) == (True, 2)
        assert [one.args[0] for one in found.send_to_user.await_args_list] == ["user_1", "user_1"]

    asyncio.run(scenario())


def test_what_fails_stays_active_and_degrades_its_user() -> None:
    handler = WebSocketErrorRecoveryHandler(
        {"max_retry_attempts": 2, "retry_backoff_multiplier": 3.0}, manager(False, False), None
    )
    result, pauses = asyncio.run(settle(handler, error()))
    assert (result.recovery_successful, result.retry_attempts_made, pauses) == (False, 2, [1.0])
    assert (result.degradation_mode_activated, result.degradation_strategy) == (True, "message_buffering_with_retry")
    assert result.error_message is None and handler._active_recoveries["conn_1"].is_active
    state = handler._degradation_states["user_1"]
    assert state.is_active and state.activated_at is not None
    handler = WebSocketErrorRecoveryHandler({"enable_graceful_degradation": False}, Mock(spec=[]), None)
    result, _ = asyncio.run(settle(handler, error()))
    assert (result.degradation_mode_activated, result.error_message) == (
        False, "Recovery strategy reconnect_with_backoff failed",
    )  # fmt: skip


def test_what_keeps_failing_opens_the_breaker() -> None:
    async def scenario() -> None:
        config = {"max_retry_attempts": 1, "circuit_breaker_threshold": 2}
        handler = WebSocketErrorRecoveryHandler(config, manager(False, False), None)
        first, second, third = [await handler.handle_error(error()) for _ in range(3)]
        assert not first.recovery_successful and not second.rejected_by_circuit_breaker
        assert (third.recovery_attempted, third.rejected_by_circuit_breaker) == (False, True)
        assert third.error_message == "Circuit breaker is open"
        assert handler.error_metrics.circuit_breaker_activations == 1
        assert (handler.error_metrics.recovery_attempts, handler.error_metrics.recovery_success_rate) == (2, 0.0)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("kind", "strategy", "successful"),
    [
        (ErrorType.MESSAGE_SERIALIZATION_FAILED, RecoveryStrategy.RETRY_WITH_FALLBACK_FORMAT, True),
        (ErrorType.RATE_LIMIT_EXCEEDED, RecoveryStrategy.BACKOFF_AND_QUEUE, True),
        (ErrorType.TOKEN_EXPIRED, RecoveryStrategy.REAUTHENTICATE, True),
        (ErrorType.AUTHENTICATION_FAILED, RecoveryStrategy.REAUTHENTICATE, True),
        (ErrorType.MESSAGE_DELIVERY_FAILED, RecoveryStrategy.BUFFER_AND_REPLAY, False),
        (ErrorType.RESOURCE_EXHAUSTED, RecoveryStrategy.GRACEFUL_DEGRADATION, True),
        (ErrorType.VERSION_MISMATCH, RecoveryStrategy.RECONNECT_WITH_BACKOFF, True),
        (ErrorType.UNKNOWN_ERROR, RecoveryStrategy.RECONNECT_WITH_BACKOFF, True),
    ],
)
def test_the_strategy_of_an_error(kind: ErrorType, strategy: RecoveryStrategy, successful: bool) -> None:
    found = manager(True)
    result, _ = asyncio.run(settle(WebSocketErrorRecoveryHandler({}, found, buffer()), error(kind)))
    assert (result.strategy_applied, result.recovery_successful) == (strategy, successful)
    assert found.reauthenticate_user.await_args_list == ([call("user_1")] if strategy.value == "reauthenticate" else [])
    assert result.recovery_duration_ms is not None


def test_a_severe_error_that_spreads_holds_all_apart() -> None:
    async def scenario() -> None:
        handler = WebSocketErrorRecoveryHandler({}, manager(True), buffer())
        assert not (await handler.handle_error(error())).cascade_prevention_applied
        severe = error(ErrorType.SERVICE_UNAVAILABLE, "conn_2", context_data={"severity": "high", "affects_others": True})
        for context in (severe, error()):
            result = await handler.handle_error(context)
            assert (result.recovery_attempted, result.recovery_successful) == (True, False)
            assert result.cascade_prevention_applied and result.isolation_measures_activated
        state = handler._cascade_prevention
        assert (state.is_active, state.isolation_mode, state.affected_connections) == (True, True, ["conn_2"])

    asyncio.run(scenario())


def test_states_before_anything_has_happened() -> None:
    degraded, cascade = DegradationState("user_1"), CascadePreventionState()
    assert (degraded.is_active, degraded.fallback_strategy, degraded.activated_at) == (False, None, None)
    assert (cascade.is_active, cascade.affected_connections) == (False, None)
    assert error(tenant="t").tenant == "t"


def test_the_rating_of_a_report() -> None:
    async def scenario() -> None:
        handler = WebSocketErrorRecoveryHandler({}, manager(), None)
        assert (await handler.generate_recovery_report()).system_health_rating == "critical"  # the rate is 0.0
        handler.error_metrics.recovery_attempts = 100
        ratings = []
        for successes in (95, 85, 70, 50, 49):
            handler.error_metrics.recovery_successes = successes
            ratings.append((await handler.generate_recovery_report()).system_health_rating)
        assert ratings == ["excellent", "good", "fair", "poor", "critical"]
        handler.error_metrics.circuit_breaker_activations, handler.error_metrics.degradation_mode_activations = 11, 6
        assert len((await handler.generate_recovery_report()).improvement_recommendations) == 3

    asyncio.run(scenario())


def test_the_breaker_lets_one_attempt_through_when_its_time_is_up() -> None:
    breaker = CircuitBreaker(failure_threshold=2, timeout_seconds=30)
    breaker.record_failure()
    assert breaker.can_execute()
    breaker.record_failure()
    assert breaker.is_open() and not breaker.can_execute()
    assert isinstance(breaker.last_failure_time, float)
    breaker.last_failure_time = time.time() - 31
    assert breaker.can_execute() and breaker.state is CircuitBreakerState.HALF_OPEN
    breaker.record_failure()
    assert breaker.is_open()
    breaker.record_success()
    assert (breaker.state, breaker.failure_count) == (CircuitBreakerState.CLOSED, 0)


def test_a_report_counts_what_has_happened() -> None:
    async def scenario() -> None:
        handler = WebSocketErrorRecoveryHandler({}, manager(True), None)
        await handler.handle_error(error(ErrorType.RESOURCE_EXHAUSTED))
        report = await handler.generate_recovery_report(12)
        assert (report.time_period_hours, report.total_errors_encountered, report.recovery_success_rate) == (12, 1, 1.0)
        assert report.most_common_error_types == [(ErrorType.RESOURCE_EXHAUSTED, 1)]

    asyncio.run(scenario())
    assert ErrorMetrics().recovery_success_rate == 0.0
