"""What to do about an error of a WebSocket: reconnect, wait, replay, degrade, or let it be."""

from __future__ import annotations

import asyncio
import inspect
import time
from datetime import datetime, timezone
from typing import Any

from compat.canonical.core.logged import get_logger
from compat.netra.components.bounded import Newest

from .error_types import (
    STRATEGIES,
    CascadePreventionState,
    CircuitBreaker,
    CircuitBreakerState,
    DegradationState,
    ErrorContext,
    ErrorMetrics,
    ErrorRecoveryReport,
    ErrorType,
    RecoveryResult,
    RecoveryState,
    RecoveryStrategy,
    WebSocketErrorContext,
)
from .manager_calls import is_canonical, is_connected, send_to_user

__all__ = [
    "STRATEGIES",
    "CascadePreventionState",
    "CircuitBreaker",
    "CircuitBreakerState",
    "DegradationState",
    "ErrorContext",
    "ErrorMetrics",
    "ErrorRecoveryReport",
    "ErrorType",
    "RecoveryResult",
    "RecoveryState",
    "RecoveryStrategy",
    "WebSocketErrorContext",
    "WebSocketErrorRecoveryHandler",
]

logger = get_logger(__name__)

_SPREADING = (ErrorType.RESOURCE_EXHAUSTED, ErrorType.MEMORY_LIMIT_EXCEEDED, ErrorType.SERVICE_UNAVAILABLE)
_BACKOFF_SECONDS = 1.0


class WebSocketErrorRecoveryHandler:
    """Chooses a strategy for each error and carries it out on a manager and a message buffer.

    ``config`` may set ``circuit_breaker_threshold`` (5), ``circuit_breaker_timeout_seconds`` (30), ``max_retry_attempts``
    (3), ``retry_backoff_multiplier`` (2.0) and ``enable_graceful_degradation`` (True).
    The manager is asked for ``attempt_reconnection``, ``reauthenticate_user`` and ``send_messages``; one without them for
    ``reconnect_user``, ``wait_for_connection`` or ``is_connection_active``, and for ``send_to_user``. A recovery that fails
    stays among the active ones.
    """

    def __init__(self, config: dict[str, Any], websocket_manager: Any, message_buffer: Any) -> None:
        self.config = config or {}
        self.websocket_manager = websocket_manager
        self.message_buffer = message_buffer
        self.error_metrics = ErrorMetrics()
        self.circuit_breaker = CircuitBreaker(
            self.config.get("circuit_breaker_threshold", 5), self.config.get("circuit_breaker_timeout_seconds", 30)
        )
        self._active_recoveries: dict[str, RecoveryState] = Newest()
        self._degradation_states: dict[str, DegradationState] = Newest()
        self._cascade_prevention = CascadePreventionState()

    async def handle_error(self, error_context: WebSocketErrorContext) -> RecoveryResult:
        """Do something about an error and say what; never raises."""
        start = time.perf_counter()
        self.error_metrics.record_error(error_context.error_type)
        if not self.circuit_breaker.can_execute():
            result = RecoveryResult(error_message="Circuit breaker is open", rejected_by_circuit_breaker=True)
        elif self._is_cascading(error_context):
            result = RecoveryResult(recovery_attempted=True, cascade_prevention_applied=True, isolation_measures_activated=True)
        else:
            result = await self._recover(error_context)
        result.recovery_duration_ms = (time.perf_counter() - start) * 1000
        return result

    async def generate_recovery_report(self, time_period_hours: int = 24) -> ErrorRecoveryReport:
        """Figures since the handler was made, with advice."""
        metrics = self.error_metrics
        rate = metrics.recovery_success_rate
        ratings = ((0.95, "excellent"), (0.85, "good"), (0.70, "fair"), (0.50, "poor"))
        advice = []
        if rate < 0.90:
            advice.append("Improve recovery: fewer than 90 % of the attempts succeed")
        if metrics.circuit_breaker_activations > 10:
            advice.append("Look for the cause of repeated failures that open the circuit breaker")
        if metrics.degradation_mode_activations > 5:
            advice.append("Add resources: users were served degraded")
        return ErrorRecoveryReport(
            time_period_hours,
            metrics.total_errors_handled,
            metrics.recovery_attempts,
            rate,
            sorted(metrics.error_type_counts.items(), key=lambda pair: -pair[1])[:5],
            next((name for least, name in ratings if rate >= least), "critical"),
            advice,
        )

    def _is_cascading(self, context: WebSocketErrorContext) -> bool:
        """Whether errors are held apart: from the first on that says that it is severe and spreads."""
        state, data = self._cascade_prevention, context.context_data
        if context.error_type in _SPREADING and data.get("severity") == "high" and data.get("affects_others"):
            state.is_active = state.isolation_mode = True
            state.activated_at = datetime.now(timezone.utc)
            state.affected_connections = [context.connection_id]
        return state.is_active

    async def _recover(self, context: WebSocketErrorContext) -> RecoveryResult:
        strategy = STRATEGIES.get(context.error_type, RecoveryStrategy.RECONNECT_WITH_BACKOFF)
        result = RecoveryResult(recovery_attempted=True, strategy_applied=strategy)
        recovery = self._active_recoveries[context.connection_id] = RecoveryState(context)
        recovery.recovery_strategy = strategy
        self.error_metrics.record_recovery_attempt()
        try:
            result.recovery_successful = await self._apply(strategy, context, recovery, result)
        except Exception as error:
            logger.error(f"Recovery of {context.connection_id} failed: {error}")
        result.retry_attempts_made = recovery.attempts_made
        if not result.recovery_successful:
            self._fail(strategy, context, result)
            return result
        self.error_metrics.record_recovery_success()
        self.circuit_breaker.record_success()
        if strategy is RecoveryStrategy.RECONNECT_WITH_BACKOFF:
            result.buffered_messages_restored = await self._replay(context)
        if self._active_recoveries.get(context.connection_id) is recovery:
            del self._active_recoveries[context.connection_id]
        return result

    def _fail(self, strategy: RecoveryStrategy, context: WebSocketErrorContext, result: RecoveryResult) -> None:
        self.circuit_breaker.record_failure()
        if self.circuit_breaker.state is CircuitBreakerState.OPEN:
            self.error_metrics.record_circuit_breaker_activation()
        if self.config.get("enable_graceful_degradation", True):
            self._degrade(context, result)
        else:
            result.error_message = f"Recovery strategy {strategy.value} failed"

    def _degrade(self, context: WebSocketErrorContext, result: RecoveryResult) -> None:
        state = self._degradation_states.setdefault(context.user_id, DegradationState(context.user_id))
        result.degradation_mode_activated, result.degradation_strategy = True, state.activate()
        self.error_metrics.record_degradation_activation()

    async def _apply(
        self, strategy: RecoveryStrategy, context: WebSocketErrorContext, recovery: RecoveryState, result: RecoveryResult
    ) -> bool:
        if strategy is RecoveryStrategy.RECONNECT_WITH_BACKOFF:
            return await self._reconnect(context, recovery)
        if strategy is RecoveryStrategy.REAUTHENTICATE:
            return await self._asked("reauthenticate_user", context.user_id, context)
        if strategy is RecoveryStrategy.GRACEFUL_DEGRADATION:
            self._degrade(context, result)
            return True
        return strategy in (RecoveryStrategy.RETRY_WITH_FALLBACK_FORMAT, RecoveryStrategy.BACKOFF_AND_QUEUE)

    async def _reconnect(self, context: WebSocketErrorContext, recovery: RecoveryState) -> bool:
        multiplier = self.config.get("retry_backoff_multiplier", 2.0)
        for attempt in range(self.config.get("max_retry_attempts", 3)):
            if attempt:
                await asyncio.sleep(_BACKOFF_SECONDS * multiplier ** (attempt - 1))
            recovery.attempts_made += 1
            recovery.last_attempt_at = datetime.now(timezone.utc)
            try:
                if await self._asked("attempt_reconnection", context.connection_id, context):
                    return True
            except Exception as error:
                logger.warning(f"Reconnecting {context.connection_id}: {error}")
        return False

    async def _asked(self, name: str, argument: str, context: WebSocketErrorContext) -> bool:
        """What the manager answers under the old name, else whether the user is connected."""
        manager = self.websocket_manager
        method = None if is_canonical(manager) else getattr(manager, name, None)
        if method is not None:
            return bool(await _settled(method(argument)))
        if is_canonical(manager):
            return await is_connected(manager, context.user_id)
        for other in ("reconnect_user", "wait_for_connection", "is_connection_active"):
            method = getattr(manager, other, None)
            if method is not None:
                return bool(await _settled(method(context.user_id)))
        return False

    async def _replay(self, context: WebSocketErrorContext) -> int:
        """Send what waits for the user; how many messages, 0 where that fails."""
        try:
            send_all = None if is_canonical(self.websocket_manager) else getattr(self.websocket_manager, "send_messages", None)
            if send_all is None:
                return await self._replay_one_by_one(context.user_id)
            messages = await _settled(self.message_buffer.get_buffered_messages(context.user_id))
            if not messages:
                return 0
            await _settled(send_all(context.connection_id, messages))
            return len(messages)
        except Exception as error:
            logger.error(f"Replaying messages of {context.connection_id} failed: {error}")
            return 0

    async def _replay_one_by_one(self, user_id: str) -> int:
        async def send(message: Any) -> None:
            await send_to_user(self.websocket_manager, user_id, getattr(message, "message", message))

        deliver = getattr(self.message_buffer, "deliver_buffered_messages", None)
        if deliver is not None:
            return int(await _settled(deliver(user_id, send)))
        waiting = await _settled(self.message_buffer.get_buffered_messages(user_id))
        for message in waiting:
            await send(message)
        return len(waiting)


async def _settled(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer
