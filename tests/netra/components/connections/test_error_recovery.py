"""Each error gets its strategy; what keeps failing is left alone for a while."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from unittest.mock import AsyncMock, Mock

import pytest

from compat.netra.components.connections.error_recovery import (
    CircuitBreaker,
    CircuitBreakerState,
    ErrorMetrics,
    ErrorType,
    RecoveryStrategy,
    WebSocketErrorContext,
    WebSocketErrorRecoveryHandler,
)
from compat.netra.components.events.message_buffer import WebSocketMessageBuffer

FAST = {"initial_backoff_seconds": 0.001, "max_retry_attempts": 3}


def error(kind: ErrorType = ErrorType.CONNECTION_LOST, connection: str = "conn_1", **more) -> WebSocketErrorContext:
    return WebSocketErrorContext(kind, connection, "user_1", "it broke", datetime.now(timezone.utc), **more)


def manager(*answers: bool) -> Mock:
    made = Mock(spec=["wait_for_connection", "send_to_user"])
    made.wait_for_connection = AsyncMock(side_effect=list(answers))
    made.send_to_user = AsyncMock()
    return made


def test_a_lost_connection_is_tried_again_and_its_messages_replayed() -> None:
    async def scenario() -> None:
        buffer = WebSocketMessageBuffer()
        for number in (1, 2):
            await buffer.buffer_message("user_1", {"type": "chat", "n": number})
        found = manager(False, True)
        result = await WebSocketErrorRecoveryHandler(FAST, found, buffer).handle_error(error())
        assert result.recovery_attempted and result.recovery_successful
        assert (result.strategy_applied, result.retry_attempts_made) == (RecoveryStrategy.RECONNECT_WITH_BACKOFF, 2)
        assert result.buffered_messages_restored == 2
        assert [call.args[0] for call in found.send_to_user.await_args_list] == ["user_1", "user_1"]
        assert await buffer.get_buffered_messages("user_1") == []

    asyncio.run(scenario())


def test_what_keeps_failing_opens_the_breaker() -> None:
    async def scenario() -> None:
        handler = WebSocketErrorRecoveryHandler(
            {**FAST, "max_retry_attempts": 1, "circuit_breaker_failure_threshold": 2}, manager(False, False), Mock(spec=[])
        )
        first, second, third = [await handler.handle_error(error()) for _ in range(3)]
        assert not first.recovery_successful and not second.rejected_by_circuit_breaker
        assert third.rejected_by_circuit_breaker and third.error_message == "Circuit breaker is open"
        assert handler.error_metrics.circuit_breaker_activations == 1
        assert (handler.error_metrics.recovery_attempts, handler.error_metrics.recovery_success_rate) == (2, 0.0)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("kind", "strategy"),
    [
        (ErrorType.MESSAGE_SERIALIZATION_FAILED, RecoveryStrategy.RETRY_WITH_FALLBACK_FORMAT),
        (ErrorType.RATE_LIMIT_EXCEEDED, RecoveryStrategy.BACKOFF_AND_QUEUE),
        (ErrorType.TOKEN_EXPIRED, RecoveryStrategy.REAUTHENTICATE),
        (ErrorType.MESSAGE_DELIVERY_FAILED, RecoveryStrategy.BUFFER_AND_REPLAY),
        (ErrorType.RESOURCE_EXHAUSTED, RecoveryStrategy.GRACEFUL_DEGRADATION),
        (ErrorType.VERSION_MISMATCH, RecoveryStrategy.FALLBACK_TRANSPORT),
    ],
)
def test_the_strategy_of_an_error(kind: ErrorType, strategy: RecoveryStrategy) -> None:
    result = asyncio.run(WebSocketErrorRecoveryHandler(FAST, manager(True), None).handle_error(error(kind)))
    assert (result.strategy_applied, result.recovery_successful) == (strategy, True)
    assert result.degradation_mode_activated is (strategy is RecoveryStrategy.GRACEFUL_DEGRADATION)
    assert result.recovery_duration_ms is not None


def test_a_broken_message_goes_out_as_text() -> None:
    found = manager()
    context = error(ErrorType.MESSAGE_INVALID_FORMAT, context_data={"message": {"a": 1}})
    asyncio.run(WebSocketErrorRecoveryHandler(FAST, found, None).handle_error(context))
    found.send_to_user.assert_awaited_once_with("user_1", {"type": "fallback_message", "format": "text", "payload": "{'a': 1}"})


def test_some_errors_are_let_be() -> None:
    result = asyncio.run(WebSocketErrorRecoveryHandler({}, manager(), None).handle_error(error(ErrorType.UNKNOWN_ERROR)))
    assert (result.recovery_attempted, result.strategy_applied) == (False, RecoveryStrategy.NO_RECOVERY)
    assert result.error_message == "No recovery for unknown_error: it broke"


def test_errors_of_many_connections_are_a_cascade() -> None:
    async def scenario() -> None:
        handler = WebSocketErrorRecoveryHandler({"cascade_threshold": 2}, manager(), None)
        first = await handler.handle_error(error(ErrorType.UNKNOWN_ERROR, "conn_1"))
        second = await handler.handle_error(error(ErrorType.UNKNOWN_ERROR, "conn_2"))
        assert not first.cascade_prevention_applied
        assert second.cascade_prevention_applied and second.isolation_measures_activated

    asyncio.run(scenario())


def test_the_breaker_lets_one_attempt_through_when_its_time_is_up() -> None:
    breaker = CircuitBreaker(failure_threshold=2, timeout_seconds=30)
    breaker.record_failure()
    assert breaker.can_execute()
    breaker.record_failure()
    assert breaker.is_open() and not breaker.can_execute()
    breaker.last_failure_time = datetime.now(timezone.utc) - timedelta(seconds=31)
    assert breaker.can_execute() and breaker.state is CircuitBreakerState.HALF_OPEN
    breaker.record_failure()
    assert breaker.is_open()
    breaker.record_success()
    assert (breaker.state, breaker.failure_count) == (CircuitBreakerState.CLOSED, 0)


def test_the_report_gives_advice() -> None:
    async def scenario() -> None:
        handler = WebSocketErrorRecoveryHandler(FAST, manager(True), None)
        quiet = await handler.generate_recovery_report()
        assert (quiet.system_health_rating, quiet.improvement_recommendations) == ("excellent", [])
        await handler.handle_error(error(ErrorType.RESOURCE_EXHAUSTED))
        report = await handler.generate_recovery_report(12)
        assert (report.time_period_hours, report.total_errors_encountered, report.recovery_success_rate) == (12, 1, 1.0)
        assert report.most_common_error_types == [(ErrorType.RESOURCE_EXHAUSTED, 1)]
        assert report.improvement_recommendations[0] == "Add resources: users were served degraded"

    asyncio.run(scenario())
    assert ErrorMetrics().recovery_success_rate == 0.0
