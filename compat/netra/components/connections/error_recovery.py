"""What to do about an error of a WebSocket: reconnect, wait, replay, degrade, or let it be."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections import Counter
from datetime import datetime, timezone
from typing import Any

from compat.canonical.core.logged import get_logger

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

#: So many errors of different connections within ``CASCADE_WINDOW`` seconds are a cascade.
CASCADE_CONNECTIONS = 10
CASCADE_WINDOW = 10.0


class WebSocketErrorRecoveryHandler:
    """Chooses a strategy for each error and carries it out on a manager and a message buffer.

    ``config`` may set ``max_retry_attempts`` (3), ``initial_backoff_seconds`` (0.1), ``max_backoff_seconds`` (5.0),
    ``circuit_breaker_failure_threshold`` (5), ``circuit_breaker_timeout_seconds`` (30).
    The manager is asked for ``reconnect_user``, ``wait_for_connection`` or ``is_connection_active``, whichever it has,
    and for ``send_to_user``; the buffer for ``deliver_buffered_messages``
    or ``get_buffered_messages``.
    """

    def __init__(self, config: dict[str, Any], websocket_manager: Any, message_buffer: Any) -> None:
        self.config = config or {}
        self.websocket_manager = websocket_manager
        self.message_buffer = message_buffer
        self.error_metrics = ErrorMetrics()
        self.circuit_breaker = CircuitBreaker(
            self._setting("circuit_breaker_failure_threshold", "circuit_breaker_threshold", "failure_threshold", default=5),
            self._setting("circuit_breaker_timeout_seconds", "circuit_breaker_timeout", default=30),
        )
        self._active_recoveries: dict[str, RecoveryState] = {}
        self._degradation_states: dict[str, DegradationState] = {}
        self._cascade_prevention = CascadePreventionState()
        self._recent: list[tuple[float, str]] = []

    def _setting(self, *names: str, default: Any) -> Any:
        return next((self.config[name] for name in names if name in self.config), default)

    async def handle_error(self, error_context: WebSocketErrorContext) -> RecoveryResult:
        """Do something about an error and say what; never raises."""
        start = time.perf_counter()
        self.error_metrics.record_error(error_context.error_type)
        cascading = self._watch_for_cascade(error_context.connection_id)
        if not self.circuit_breaker.can_execute():
            result = RecoveryResult(
                strategy_applied=RecoveryStrategy.CIRCUIT_BREAKER_OPEN,
                error_message="Circuit breaker is open",
                rejected_by_circuit_breaker=True,
            )
        else:
            result = await self._recover(error_context)
        if cascading:
            result.cascade_prevention_applied = result.isolation_measures_activated = True
        result.recovery_duration_ms = (time.perf_counter() - start) * 1000
        return result

    async def generate_recovery_report(self, time_period_hours: int = 24) -> ErrorRecoveryReport:
        """Figures since the handler was made, with advice."""
        metrics = self.error_metrics
        rate = metrics.recovery_success_rate
        common = sorted(metrics.error_type_counts.items(), key=lambda pair: -pair[1])[:5]
        rating = (
            "excellent" if not metrics.total_errors_handled or rate >= 0.95
            else "good" if rate >= 0.8 else "fair" if rate >= 0.5 else "poor"
        )  # fmt: skip
        advice = []
        if metrics.recovery_attempts and rate < 0.8:
            advice.append("Improve recovery: fewer than 80 % of the attempts succeed")
        if metrics.circuit_breaker_activations:
            advice.append("Look for the cause of repeated failures that open the circuit breaker")
        if metrics.degradation_mode_activations:
            advice.append("Add resources: users were served degraded")
        if common and common[0][1] > metrics.total_errors_handled / 2:
            advice.append(f"Most errors are {common[0][0].value}: look at their cause first")
        return ErrorRecoveryReport(
            time_period_hours, metrics.total_errors_handled, metrics.recovery_attempts, rate, common, rating, advice
        )

    async def _recover(self, context: WebSocketErrorContext) -> RecoveryResult:
        strategy = STRATEGIES.get(context.error_type, RecoveryStrategy.NO_RECOVERY)
        result = RecoveryResult(strategy_applied=strategy)
        if strategy is RecoveryStrategy.NO_RECOVERY:
            result.error_message = f"No recovery for {context.error_type.value}: {context.error_message}"
            return result
        recovery = self._active_recoveries[context.connection_id] = RecoveryState(context)
        recovery.recovery_strategy = strategy
        result.recovery_attempted = True
        self.error_metrics.record_recovery_attempt()
        try:
            result.recovery_successful = await self._apply(strategy, context, recovery, result)
        except Exception as error:
            logger.error(f"Recovery of {context.connection_id} failed: {error}")
            result.error_message = str(error)
        finally:
            recovery.is_active = False
            result.retry_attempts_made = recovery.attempts_made
            if self._active_recoveries.get(context.connection_id) is recovery:
                del self._active_recoveries[context.connection_id]
        self._settle(result)
        return result

    def _settle(self, result: RecoveryResult) -> None:
        if result.recovery_successful:
            self.error_metrics.record_recovery_success()
            self.circuit_breaker.record_success()
            return
        result.error_message = result.error_message or "Recovery was not successful"
        self.circuit_breaker.record_failure()
        if self.circuit_breaker.state is CircuitBreakerState.OPEN:
            self.error_metrics.record_circuit_breaker_activation()

    async def _apply(
        self, strategy: RecoveryStrategy, context: WebSocketErrorContext, recovery: RecoveryState, result: RecoveryResult
    ) -> bool:
        if strategy is RecoveryStrategy.GRACEFUL_DEGRADATION:
            state = self._degradation_states.setdefault(context.user_id, DegradationState(context.user_id))
            result.degradation_mode_activated, result.degradation_strategy = True, state.fallback_strategy
            self.error_metrics.record_degradation_activation()
            recovery.attempts_made += 1
            return True
        if strategy in (RecoveryStrategy.RETRY_WITH_FALLBACK_FORMAT, RecoveryStrategy.BUFFER_AND_REPLAY):
            recovery.attempts_made += 1
            if strategy is RecoveryStrategy.RETRY_WITH_FALLBACK_FORMAT:
                return await self._send_in_plain(context)
        elif not await self._reconnect(context, recovery):
            return False
        result.buffered_messages_restored = await self._replay(context.user_id)
        return True

    async def _reconnect(self, context: WebSocketErrorContext, recovery: RecoveryState) -> bool:
        attempts = int(self._setting("max_retry_attempts", "max_reconnection_attempts", "max_retries", default=3))
        delay = float(self._setting("initial_backoff_seconds", "base_backoff_seconds", default=0.1))
        longest = float(self._setting("max_backoff_seconds", default=5.0))
        while recovery.attempts_made < attempts:
            recovery.attempts_made += 1
            recovery.last_attempt_at = datetime.now(timezone.utc)
            try:
                if await self._connected(context):
                    return True
            except Exception as error:
                logger.warning(f"Reconnecting {context.connection_id}: {error}")
            if recovery.attempts_made < attempts:
                await asyncio.sleep(min(delay, longest))
                delay *= 2
        return False

    async def _connected(self, context: WebSocketErrorContext) -> bool:
        manager = self.websocket_manager
        if is_canonical(manager):
            return await is_connected(manager, context.user_id)
        for name in ("reconnect_user", "wait_for_connection", "is_connection_active"):
            method = getattr(manager, name, None)
            if method is not None:
                answer = method(context.user_id)
                return bool(await answer if inspect.isawaitable(answer) else answer)
        return False

    async def _send_in_plain(self, context: WebSocketErrorContext) -> bool:
        message = context.context_data.get("message", {"message": context.error_message})
        plain = {"type": "fallback_message", "format": "text", "payload": str(message)}
        await send_to_user(self.websocket_manager, context.user_id, plain)
        return True

    async def _replay(self, user_id: str) -> int:
        async def send(message: Any) -> None:
            await send_to_user(self.websocket_manager, user_id, getattr(message, "message", message))

        deliver = getattr(self.message_buffer, "deliver_buffered_messages", None)
        if deliver is not None:
            delivered = deliver(user_id, send)
            delivered = await delivered if inspect.isawaitable(delivered) else delivered
            if isinstance(delivered, int):
                return delivered
        read = getattr(self.message_buffer, "get_buffered_messages", None)
        if read is None:
            return 0
        waiting = read(user_id)
        waiting = await waiting if inspect.isawaitable(waiting) else waiting
        if not isinstance(waiting, (list, tuple)):
            return 0
        for message in waiting:
            await send(message)
        return len(waiting)

    def _watch_for_cascade(self, connection_id: str) -> bool:
        now = time.monotonic()
        self._recent = [(at, who) for at, who in self._recent if now - at < CASCADE_WINDOW]
        self._recent.append((now, connection_id))
        affected = Counter(who for _, who in self._recent)
        state = self._cascade_prevention
        state.affected_connections = set(affected)
        active = len(affected) >= int(self._setting("cascade_threshold", default=CASCADE_CONNECTIONS))
        if active and not state.is_active:
            state.activated_at = datetime.now(timezone.utc)
        state.is_active = state.isolation_mode = active
        return active
