"""What an emitter counts and remembers: events, tokens, the user's tier."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ...locks import make_lock


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(timezone.utc)


@dataclass
class EmitterMetrics:
    """What an emitter has done so far."""

    total_events: int = 0
    critical_events: dict[str, int] = field(default_factory=dict)
    error_count: int = 0
    retry_count: int = 0
    last_event_time: datetime | None = None
    created_at: datetime = field(default_factory=now)


class EmitterState:
    """The part of an emitter that counts; ``CRITICAL_EVENTS`` is what it counts one by one."""

    REMEMBERED = 1000

    user_id: Any
    context: Any
    performance_mode: bool
    metrics: EmitterMetrics

    def _begin_state(self) -> None:
        self._user_tier = "free"
        self._token_metrics: dict[str, Any] = {
            "total_operations": 0,
            "total_input_tokens": 0,
            "total_output_tokens": 0,
            "total_cost": 0.0,
        }
        self._validation_cache: dict[str, bool] = {}
        self._events_sent: list[dict[str, Any]] = []
        # Nothing waits for others, and no breaker opens; what read these attributes still finds them.
        self._event_buffer: list[Any] = []
        self._buffer_lock = make_lock()
        self._batch_size, self._batch_timeout = (5, 0.02) if self.performance_mode else (10, 0.05)
        self._batch_timer: Any = None
        self._enable_batching = not self.performance_mode
        self._connection_health_score = 100
        self._consecutive_failures = 0
        self._circuit_breaker_open = False
        self._circuit_breaker_timeout = 30.0

    def _count(self, event_type: str, counted: bool) -> None:
        self.metrics.total_events += 1
        self.metrics.last_event_time = now()
        self._consecutive_failures = 0
        if counted:
            self.metrics.critical_events[event_type] = self.metrics.critical_events.get(event_type, 0) + 1
        self._events_sent = [
            *self._events_sent[1 - self.REMEMBERED :],
            {"event_type": event_type, "timestamp": now().isoformat()},
        ]

    def _count_failure(self) -> None:
        self.metrics.error_count += 1
        self._consecutive_failures += 1

    def get_stats(self) -> dict[str, Any]:
        """Return counts, times (ISO 8601) and the user's tier."""
        metrics = self.metrics
        return {
            "user_id": self.user_id,
            "total_events": metrics.total_events,
            "critical_events": dict(metrics.critical_events),
            "error_count": metrics.error_count,
            "retry_count": metrics.retry_count,
            "last_event_time": metrics.last_event_time.isoformat() if metrics.last_event_time else None,
            "uptime_seconds": (now() - metrics.created_at).total_seconds(),
            "has_context": self.context is not None,
            "user_tier": self.get_user_tier(),
            "is_priority_user": self.is_priority_user(),
            "token_metrics": self.get_token_metrics(),
            "validation_cache_size": len(self._validation_cache),
            "events_sent_count": len(self._events_sent),
        }

    def update_token_metrics(self, input_tokens: int, output_tokens: int, cost: float, operation: str = "unknown") -> None:
        """Count tokens and cost (in the caller's currency) of one model call."""
        counted = {"input_tokens": input_tokens, "output_tokens": output_tokens, "cost": cost, "operations": 1}
        for name, value in counted.items():
            self._token_metrics[f"total_{name}"] += value

    def get_token_metrics(self) -> dict[str, Any]:
        """Return the totals, and what one operation took on average."""
        totals = self._token_metrics
        operations = totals["total_operations"]
        tokens = totals["total_input_tokens"] + totals["total_output_tokens"]
        return {
            **totals,
            "average_tokens_per_operation": tokens / operations if operations else 0.0,
            "average_cost_per_operation": totals["total_cost"] / operations if operations else 0.0,
        }

    def set_user_tier(self, user_tier: Any) -> None:
        """Set the tier that goes out as ``metadata.user_tier``; the free one for None and ``""``."""
        self._user_tier = user_tier or "free"

    def get_user_tier(self) -> str:
        """The user's tier, ``"free"`` unless set."""
        return self._user_tier or "free"

    def is_priority_user(self) -> bool:
        """Whether the tier is the one that goes first."""
        return self.get_user_tier() == "enterprise"
