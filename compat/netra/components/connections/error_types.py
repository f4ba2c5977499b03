"""Errors of a WebSocket: their types, the strategy of each, the circuit breaker, and what is counted."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Optional

from ..circuits import CircuitBreakerState as CircuitBreakerState
from ..circuits import when_asked, when_failed


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


_E, _R = ErrorType, RecoveryStrategy
#: What is done about an error; about every other, :attr:`RecoveryStrategy.RECONNECT_WITH_BACKOFF`.
STRATEGIES: dict[ErrorType, RecoveryStrategy] = {
    _E.CONNECTION_LOST: _R.RECONNECT_WITH_BACKOFF,
    _E.CONNECTION_TIMEOUT: _R.RECONNECT_WITH_BACKOFF,
    _E.MESSAGE_SERIALIZATION_FAILED: _R.RETRY_WITH_FALLBACK_FORMAT,
    _E.RATE_LIMIT_EXCEEDED: _R.BACKOFF_AND_QUEUE,
    _E.AUTHENTICATION_FAILED: _R.REAUTHENTICATE,
    _E.TOKEN_EXPIRED: _R.REAUTHENTICATE,
    _E.MESSAGE_DELIVERY_FAILED: _R.BUFFER_AND_REPLAY,
    _E.RESOURCE_EXHAUSTED: _R.GRACEFUL_DEGRADATION,
}


class WebSocketErrorContext:
    """An error, whose it is, and what was being done; further keywords become attributes."""

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
        for name, value in kwargs.items():
            setattr(self, name, value)

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
    """Opens after so many failures in a row; after ``timeout_seconds`` it is half open until the next success."""

    def __init__(self, failure_threshold: int = 5, timeout_seconds: int = 30) -> None:
        self.failure_threshold = failure_threshold
        self.timeout_seconds = timeout_seconds
        self.failure_count = 0
        self.last_failure_time: Optional[float] = None
        self.state = CircuitBreakerState.CLOSED

    def is_open(self) -> bool:
        """Whether attempts are refused; an open breaker whose time is up becomes half open."""
        if self.last_failure_time is not None:
            self.state = when_asked(self.state, self.last_failure_time, self.timeout_seconds, time.time())
        return self.state is CircuitBreakerState.OPEN

    def record_success(self) -> None:
        """Close."""
        self.failure_count = 0
        self.state = CircuitBreakerState.CLOSED

    def record_failure(self) -> None:
        """Count a failure; at the threshold the breaker opens."""
        self.failure_count += 1
        self.last_failure_time = time.time()
        self.state = when_failed(self.state, self.failure_count, self.failure_threshold, reopens=False)

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
    """A recovery under way, or one that has failed."""

    def __init__(self, error_context: WebSocketErrorContext) -> None:
        self.error_context = error_context
        self.recovery_strategy: Optional[RecoveryStrategy] = None
        self.attempts_made = 0
        self.started_at = datetime.now(timezone.utc)
        self.last_attempt_at: Optional[datetime] = None
        self.is_active = True


class DegradationState:
    """Whether a user is served degraded, since when and how."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.is_active = False
        self.activated_at: Optional[datetime] = None
        self.fallback_strategy: Optional[str] = None

    def activate(self) -> str:
        """Serve the user degraded from now on; how."""
        self.is_active = True
        self.activated_at = datetime.now(timezone.utc)
        self.fallback_strategy = "message_buffering_with_retry"
        return self.fallback_strategy


class CascadePreventionState:
    """Whether errors are held apart so that they do not spread."""

    def __init__(self) -> None:
        self.is_active = False
        self.activated_at: Optional[datetime] = None
        self.affected_connections: Optional[list[str]] = None
        self.isolation_mode = False
