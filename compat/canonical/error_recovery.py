"""What to do about an error of a WebSocket: reconnect, wait, replay, degrade, or let it be."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections import Counter
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any, Optional

logger = logging.getLogger(__name__)


class ErrorType(str, Enum):
    """What has gone wrong."""

    CONNECTION_LOST = "connection_lost"
    CONNECTION_TIMEOUT = "connection_timeout"
    CONNECTION_REFUSED = "connection_refused"
    MESSAGE_DELIVERY_FAILED = "message_delivery_failed"
    MESSAGE_SERIALIZATION_FAILED = "message_serialization_failed"
    MESSAGE_TOO_LARGE = "message_too_large"
    MESSAGE_INVALID_FORMAT = "message_invalid_format"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    RESOURCE_EXHAUSTED = "resource_exhausted"
    MEMORY_LIMIT_EXCEEDED = "memory_limit_exceeded"
    AUTHENTICATION_FAILED = "authentication_failed"
    AUTHORIZATION_FAILED = "authorization_failed"
    TOKEN_EXPIRED = "token_expired"
    PROTOCOL_ERROR = "protocol_error"
    VERSION_MISMATCH = "version_mismatch"
    UNSUPPORTED_OPERATION = "unsupported_operation"
    SERVICE_UNAVAILABLE = "service_unavailable"
    DATABASE_ERROR = "database_error"
    NETWORK_ERROR = "network_error"
    TIMEOUT = "timeout"
    UNKNOWN_ERROR = "unknown_error"


class RecoveryStrategy(str, Enum):
    """What is done about it."""

    RECONNECT_WITH_BACKOFF = "reconnect_with_backoff"
    RETRY_WITH_FALLBACK_FORMAT = "retry_with_fallback_format"
    BACKOFF_AND_QUEUE = "backoff_and_queue"
    REAUTHENTICATE = "reauthenticate"
    GRACEFUL_DEGRADATION = "graceful_degradation"
    CIRCUIT_BREAKER_OPEN = "circuit_breaker_open"
    BUFFER_AND_REPLAY = "buffer_and_replay"
    FALLBACK_TRANSPORT = "fallback_transport"
    NO_RECOVERY = "no_recovery"


class CircuitBreakerState(str, Enum):
    """Whether recovery is tried at all."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


_E, _R = ErrorType, RecoveryStrategy
STRATEGIES: dict[ErrorType, RecoveryStrategy] = {
    _E.CONNECTION_LOST: _R.RECONNECT_WITH_BACKOFF,
    _E.CONNECTION_TIMEOUT: _R.RECONNECT_WITH_BACKOFF,
    _E.CONNECTION_REFUSED: _R.RECONNECT_WITH_BACKOFF,
    _E.NETWORK_ERROR: _R.RECONNECT_WITH_BACKOFF,
    _E.TIMEOUT: _R.RECONNECT_WITH_BACKOFF,
    _E.MESSAGE_DELIVERY_FAILED: _R.BUFFER_AND_REPLAY,
    _E.MESSAGE_SERIALIZATION_FAILED: _R.RETRY_WITH_FALLBACK_FORMAT,
    _E.MESSAGE_INVALID_FORMAT: _R.RETRY_WITH_FALLBACK_FORMAT,
    _E.MESSAGE_TOO_LARGE: _R.RETRY_WITH_FALLBACK_FORMAT,
    _E.RATE_LIMIT_EXCEEDED: _R.BACKOFF_AND_QUEUE,
    _E.AUTHENTICATION_FAILED: _R.REAUTHENTICATE,
    _E.TOKEN_EXPIRED: _R.REAUTHENTICATE,
    _E.RESOURCE_EXHAUSTED: _R.GRACEFUL_DEGRADATION,
    _E.MEMORY_LIMIT_EXCEEDED: _R.GRACEFUL_DEGRADATION,
    _E.SERVICE_UNAVAILABLE: _R.GRACEFUL_DEGRADATION,
    _E.DATABASE_ERROR: _R.GRACEFUL_DEGRADATION,
    _E.PROTOCOL_ERROR: _R.FALLBACK_TRANSPORT,
    _E.VERSION_MISMATCH: _R.FALLBACK_TRANSPORT,
}

#: So many errors of different connections within ``CASCADE_WINDOW`` seconds are a cascade.
CASCADE_CONNECTIONS = 10
CASCADE_WINDOW = 10.0


class WebSocketErrorContext:
    """An error, whose it is, and what was being done."""

    def __init__(
        self,
        error_type: ErrorType,
        connection_id: str,
        user_id: str,
        error_message: str,
        timestamp: datetime,
        retry_count: int = 0,
        context_data: Optional[dict[str, Any]] = None,
        operation: str = "websocket_operation",
        trace_id: Optional[str] = None,
        request_id: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        self.error_type = error_type
        self.connection_id = connection_id
        self.user_id = user_id
        self.error_message = error_message
        self.timestamp = timestamp
        self.retry_count = retry_count
        self.context_data = context_data or {}
        self.operation = operation
        self.trace_id = trace_id
        self.request_id = request_id
        self.additional = kwargs

    def __repr__(self) -> str:
        return f"WebSocketErrorContext({self.error_type.value!r}, {self.connection_id!r}, {self.user_id!r})"


ErrorContext = WebSocketErrorContext


class RecoveryResult:
    """What was done about an error, and whether it has helped; ``recovery_duration_ms`` in milliseconds."""

    def __init__(
        self,
        recovery_attempted: bool = False,
        recovery_successful: bool = False,
        strategy_applied: Optional[RecoveryStrategy] = None,
        retry_attempts_made: int = 0,
        buffered_messages_restored: int = 0,
        error_message: Optional[str] = None,
        recovery_duration_ms: Optional[float] = None,
        rejected_by_circuit_breaker: bool = False,
        degradation_mode_activated: bool = False,
        degradation_strategy: Optional[str] = None,
        cascade_prevention_applied: bool = False,
        isolation_measures_activated: bool = False,
    ) -> None:
        self.recovery_attempted = recovery_attempted
        self.recovery_successful = recovery_successful
        self.strategy_applied = strategy_applied
        self.retry_attempts_made = retry_attempts_made
        self.buffered_messages_restored = buffered_messages_restored
        self.error_message = error_message
        self.recovery_duration_ms = recovery_duration_ms
        self.rejected_by_circuit_breaker = rejected_by_circuit_breaker
        self.degradation_mode_activated = degradation_mode_activated
        self.degradation_strategy = degradation_strategy
        self.cascade_prevention_applied = cascade_prevention_applied
        self.isolation_measures_activated = isolation_measures_activated

    def __repr__(self) -> str:
        return f"RecoveryResult({self.strategy_applied}, successful={self.recovery_successful})"


class CircuitBreaker:
    """Opens after so many failures in a row; after ``timeout_seconds`` one attempt may show whether it can close."""

    def __init__(self, failure_threshold: int = 5, timeout_seconds: int = 30) -> None:
        self.failure_threshold = failure_threshold
        self.timeout_seconds = timeout_seconds
        self.failure_count = 0
        self.last_failure_time: Optional[datetime] = None
        self.state = CircuitBreakerState.CLOSED

    def is_open(self) -> bool:
        """Whether attempts are refused; an open breaker whose time is up becomes half open."""
        if self.state is CircuitBreakerState.OPEN and self.last_failure_time is not None:
            now = datetime.now(self.last_failure_time.tzinfo)
            if now - self.last_failure_time >= timedelta(seconds=self.timeout_seconds):
                self.state = CircuitBreakerState.HALF_OPEN
        return self.state is CircuitBreakerState.OPEN

    def record_success(self) -> None:
        """Close."""
        self.failure_count = 0
        self.state = CircuitBreakerState.CLOSED

    def record_failure(self) -> None:
        """Count a failure; half open, or at the threshold, the breaker opens."""
        self.failure_count += 1
        self.last_failure_time = datetime.now(timezone.utc)
        if self.state is CircuitBreakerState.HALF_OPEN or self.failure_count >= self.failure_threshold:
            self.state = CircuitBreakerState.OPEN

    def can_execute(self) -> bool:
        """Whether an attempt may be made."""
        return not self.is_open()


class ErrorMetrics:
    """Counts of errors and of what was done about them."""

    def __init__(self) -> None:
        self.total_errors_handled = 0
        self.recovery_attempts = 0
        self.recovery_successes = 0
        self.circuit_breaker_activations = 0
        self.degradation_mode_activations = 0
        self.error_type_counts: dict[ErrorType, int] = {}
        self.start_time = datetime.now(timezone.utc)

    @property
    def recovery_success_rate(self) -> float:
        """Successes per attempt, from 0 to 1; 0 before the first."""
        return self.recovery_successes / self.recovery_attempts if self.recovery_attempts else 0.0

    def record_error(self, error_type: ErrorType) -> None:
        """Count an error."""
        self.total_errors_handled += 1
        self.error_type_counts[error_type] = self.error_type_counts.get(error_type, 0) + 1

    def record_recovery_attempt(self) -> None:
        """Count an attempt."""
        self.recovery_attempts += 1

    def record_recovery_success(self) -> None:
        """Count a success."""
        self.recovery_successes += 1

    def record_circuit_breaker_activation(self) -> None:
        """Count an opening of the breaker."""
        self.circuit_breaker_activations += 1

    def record_degradation_activation(self) -> None:
        """Count a change to degraded service."""
        self.degradation_mode_activations += 1


class ErrorRecoveryReport:
    """Figures of a period, with advice."""

    def __init__(
        self,
        time_period_hours: int,
        total_errors_encountered: int,
        total_recovery_attempts: int,
        recovery_success_rate: float,
        most_common_error_types: list[tuple[Any, int]],
        system_health_rating: str,
        improvement_recommendations: list[str],
    ) -> None:
        self.time_period_hours = time_period_hours
        self.total_errors_encountered = total_errors_encountered
        self.total_recovery_attempts = total_recovery_attempts
        self.recovery_success_rate = recovery_success_rate
        self.most_common_error_types = most_common_error_types
        self.system_health_rating = system_health_rating
        self.improvement_recommendations = improvement_recommendations


class RecoveryState:
    """A recovery under way."""

    def __init__(self, error_context: WebSocketErrorContext) -> None:
        self.error_context = error_context
        self.recovery_strategy: Optional[RecoveryStrategy] = None
        self.attempts_made = 0
        self.started_at = datetime.now(timezone.utc)
        self.last_attempt_at: Optional[datetime] = None
        self.is_active = True


class DegradationState:
    """A user who is served degraded."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.is_active = True
        self.activated_at = datetime.now(timezone.utc)
        self.fallback_strategy = "essential_messages_only"


class CascadePreventionState:
    """Whether errors of many connections are held apart."""

    def __init__(self) -> None:
        self.is_active = False
        self.activated_at: Optional[datetime] = None
        self.affected_connections: set[str] = set()
        self.isolation_mode = False


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
        for name in ("reconnect_user", "wait_for_connection", "is_connection_active"):
            method = getattr(manager, name, None)
            if method is not None:
                answer = method(context.user_id)
                return bool(await answer if inspect.isawaitable(answer) else answer)
        return False

    async def _send_in_plain(self, context: WebSocketErrorContext) -> bool:
        message = context.context_data.get("message", {"message": context.error_message})
        plain = {"type": "fallback_message", "format": "text", "payload": str(message)}
        await self.websocket_manager.send_to_user(context.user_id, plain)
        return True

    async def _replay(self, user_id: str) -> int:
        async def send(message: Any) -> None:
            await self.websocket_manager.send_to_user(user_id, getattr(message, "message", message))

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
