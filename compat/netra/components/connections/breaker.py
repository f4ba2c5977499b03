"""Stop calling what keeps failing, try it again after a while, and trust it again when it works."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ..circuits import when_asked, when_failed


class CircuitState(Enum):
    """Closed lets calls through, open refuses them, half open lets some through to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass
class CircuitBreakerConfig:
    """Counts, and times in seconds."""

    failure_threshold: int = 5
    recovery_timeout: int = 30
    success_threshold: int = 2
    max_retry_attempts: int = 5
    base_delay: float = 1.0
    max_delay: float = 60.0
    timeout: float = 10.0

    @classmethod
    def of_environment(cls, environment: str) -> CircuitBreakerConfig:
        """The settings of ``development``, ``staging`` or ``production``."""
        threshold, recovery, success = {"staging": (3, 15, 2), "production": (5, 60, 3)}.get(environment, (10, 5, 1))
        return cls(failure_threshold=threshold, recovery_timeout=recovery, success_threshold=success)


class CircuitBreakerOpenError(Exception):
    """The circuit is open: the call was not made."""


class CircuitBreaker:
    """One circuit. ``clock`` returns seconds and never goes back."""

    def __init__(self, config: CircuitBreakerConfig | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.config = config or CircuitBreakerConfig()
        self.state = CircuitState.CLOSED
        self.failure_count = 0
        self.success_count = 0
        self._opened_at = 0.0
        self._clock = clock
        self._totals = {"calls": 0, "failures": 0, "refused": 0, "opened": 0}
        self._failures_by_type: dict[str, int] = {}

    def is_call_allowed(self) -> bool:
        """Whether a call may be made now; an open circuit becomes half open after ``recovery_timeout``."""
        before, self.state = self.state, when_asked(self.state, self._opened_at, self.config.recovery_timeout, self._clock())
        if self.state is not before:
            self.success_count = 0
        return self.state is not CircuitState.OPEN

    def record_success(self) -> None:
        """Note a call that worked."""
        self._totals["calls"] += 1
        if self.state is CircuitState.HALF_OPEN:
            self.success_count += 1
            if self.success_count < self.config.success_threshold:
                return
            self.state = CircuitState.CLOSED
        self.failure_count = 0

    def record_failure(self, connection_type: str = "default") -> None:
        """Note a call that failed; enough of them, or one in the half-open state, open the circuit."""
        self._totals["calls"] += 1
        self._totals["failures"] += 1
        self._failures_by_type[connection_type] = self._failures_by_type.get(connection_type, 0) + 1
        self.failure_count += 1
        before = self.state
        self.state = when_failed(before, self.failure_count, self.config.failure_threshold, reopens=True)
        if self.state is CircuitState.OPEN:
            self._totals["opened"] += before is not CircuitState.OPEN
            self._opened_at = self._clock()

    async def call(self, operation: Callable[..., Any], *args: Any, connection_type: str = "websocket", **kwargs: Any) -> Any:
        """Make one call (sync or async) within ``config.timeout`` seconds and note how it went.

        Raises
        ------
        CircuitBreakerOpenError
            If the circuit is open.
        """
        if not self.is_call_allowed():
            self._totals["refused"] += 1
            left = self.config.recovery_timeout - (self._clock() - self._opened_at)
            raise CircuitBreakerOpenError(
                f"Circuit breaker is open after {self.failure_count} failures; try again in {left:.0f} s"
            )
        try:
            result = operation(*args, **kwargs)
            if inspect.isawaitable(result):
                result = await asyncio.wait_for(result, self.config.timeout)
        except Exception:
            self.record_failure(connection_type)
            raise
        self.record_success()
        return result

    call_with_circuit_breaker = call

    def get_statistics(self) -> dict[str, Any]:
        """Return the state and what went through."""
        return {
            "state": self.state.value,
            "failure_count": self.failure_count,
            "success_count": self.success_count,
            "total_calls": self._totals["calls"],
            "total_failures": self._totals["failures"],
            "refused_calls": self._totals["refused"],
            "times_opened": self._totals["opened"],
            "failures_by_type": dict(self._failures_by_type),
        }
