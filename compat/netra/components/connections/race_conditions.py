"""Handshakes in order: no message before the connection is ready, and patterns that show it was tried."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any, Optional

from compat.canonical.core.logged import get_logger

from ..environment import get_env

logger = get_logger(__name__)


class ApplicationConnectionState(Enum):
    """Where a handshake stands."""

    INITIALIZING = "initializing"
    HANDSHAKE_PENDING = "handshake_pending"
    CONNECTED = "connected"
    READY_FOR_MESSAGES = "ready_for_messages"
    ERROR = "error"
    CLOSED = "closed"

    def is_ready_for_messages(self) -> bool:
        """Whether messages can be handled."""
        return self is ApplicationConnectionState.READY_FOR_MESSAGES

    def is_operational(self) -> bool:
        """Whether the connection stands."""
        return self in (ApplicationConnectionState.CONNECTED, ApplicationConnectionState.READY_FOR_MESSAGES)

    def is_terminal(self) -> bool:
        """Whether the connection has ended."""
        return self in (ApplicationConnectionState.ERROR, ApplicationConnectionState.CLOSED)


_NEXT: dict[ApplicationConnectionState, tuple[ApplicationConnectionState, ...]] = {
    ApplicationConnectionState.INITIALIZING: (ApplicationConnectionState.HANDSHAKE_PENDING,),
    ApplicationConnectionState.HANDSHAKE_PENDING: (ApplicationConnectionState.CONNECTED,),
    ApplicationConnectionState.CONNECTED: (ApplicationConnectionState.READY_FOR_MESSAGES,),
    ApplicationConnectionState.READY_FOR_MESSAGES: (),
    ApplicationConnectionState.ERROR: (),
    ApplicationConnectionState.CLOSED: (),
}


class RaceConditionPattern:
    """One finding: what was done too early or too late, how bad, where."""

    def __init__(self, pattern_type: str, severity: str, environment: str, details: Optional[dict[str, Any]] = None) -> None:
        self.pattern_type = pattern_type
        self.severity = severity
        self.environment = environment
        self.details = details or {}
        self.detected_at = datetime.now(timezone.utc)

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain data."""
        return {
            "pattern_type": self.pattern_type,
            "severity": self.severity,
            "environment": self.environment,
            "details": self.details,
            "detected_at": self.detected_at.isoformat(),
        }

    def is_critical(self) -> bool:
        """Whether it is of severity critical."""
        return self.severity == "critical"

    def age_seconds(self) -> float:
        """Seconds since it was found."""
        return (datetime.now(timezone.utc) - self.detected_at).total_seconds()

    def __repr__(self) -> str:
        return f"RaceConditionPattern({self.pattern_type!r}, {self.severity!r}, {self.environment!r})"


#: Seconds that the two halves of a handshake are given to settle, by environment.
SETTLING = {"testing": 0.005, "test": 0.005, "development": 0.01, "staging": 0.1, "production": 0.1}


def _environment(name: Optional[str]) -> str:
    return (name or get_env().get("ENVIRONMENT") or "development").lower()


class HandshakeCoordinator:
    """Leads one connection through its handshake; a cloud load balancer needs the pauses between the steps."""

    def __init__(self, environment: Optional[str] = None) -> None:
        self.environment = _environment(environment)
        self.state = ApplicationConnectionState.INITIALIZING
        self.handshake_start_time: Optional[datetime] = None
        self.handshake_end_time: Optional[datetime] = None
        #: What was left, what was entered, and when.
        self.state_transitions: list[tuple[ApplicationConnectionState, ApplicationConnectionState, datetime]] = []
        self._lock: Optional[asyncio.Lock] = None

    async def coordinate_handshake(self) -> bool:
        """Go through the states to READY_FOR_MESSAGES. False, and state ERROR, if it cannot be done or is cancelled.

        A handshake that is done already stays done; two at once wait for each other.
        """
        if self._lock is None:
            self._lock = asyncio.Lock()
        async with self._lock:
            if self.state.is_ready_for_messages():
                return True
            if self.state is not ApplicationConnectionState.INITIALIZING:
                return False
            try:
                return await self._go_through()
            except (Exception, asyncio.CancelledError) as error:
                logger.error(f"Handshake failed: {error!r}")
                self._enter(ApplicationConnectionState.ERROR)
                return False

    async def _go_through(self) -> bool:
        self.handshake_start_time = datetime.now(timezone.utc)
        first, second = (0.1, 0.025) if self.environment in ("staging", "production") else (0.005, 0.0)
        self._enter(ApplicationConnectionState.HANDSHAKE_PENDING)
        await asyncio.sleep(first)
        if self.state.is_terminal():
            return False
        self._enter(ApplicationConnectionState.CONNECTED)
        if second:
            await asyncio.sleep(second)
        if self.state.is_terminal():
            return False
        self._enter(ApplicationConnectionState.READY_FOR_MESSAGES)
        self.handshake_end_time = datetime.now(timezone.utc)
        return True

    def is_ready_for_messages(self) -> bool:
        """Whether messages can be handled."""
        return self.state.is_ready_for_messages()

    def get_current_state(self) -> ApplicationConnectionState:
        """The state now."""
        return self.state

    def get_handshake_duration(self) -> Optional[float]:
        """Seconds that the handshake has taken, or takes so far; None before it began."""
        if self.handshake_start_time is None:
            return None
        return ((self.handshake_end_time or datetime.now(timezone.utc)) - self.handshake_start_time).total_seconds()

    def get_state_history(self) -> list[dict[str, Any]]:
        """Every change so far, as plain data; the time since the change before, in milliseconds."""
        history, last = [], self.handshake_start_time
        for before, after, moment in self.state_transitions:
            spent = (moment - (last or moment)).total_seconds() * 1000
            history.append(
                {
                    "from_state": before.value,
                    "to_state": after.value,
                    "timestamp": moment.isoformat(),
                    "transition_time_ms": spent,
                }
            )
            last = moment
        return history

    def validate_state_sequence(self) -> bool:
        """Whether every change so far was one that a handshake makes."""
        expected = ApplicationConnectionState.INITIALIZING
        for before, after, _ in self.state_transitions:
            if before is not expected or not (after in _NEXT[before] or after.is_terminal()):
                return False
            expected = after
        return expected is self.state

    def reset(self) -> None:
        """Begin again from nothing."""
        self.state = ApplicationConnectionState.INITIALIZING
        self.handshake_start_time = self.handshake_end_time = None
        self.state_transitions = []

    def force_error_state(self, reason: str = "Forced error") -> None:
        """Enter ERROR from any state."""
        self._enter(ApplicationConnectionState.ERROR)
        logger.error(f"Handshake forced to error: {reason}")

    def get_coordination_summary(self) -> dict[str, Any]:
        """State, duration and changes, as plain data."""
        spent, began = self.get_handshake_duration(), self.handshake_start_time
        return {
            "current_state": self.state.value,
            "environment": self.environment,
            "handshake_duration_ms": None if spent is None else spent * 1000,
            "total_transitions": len(self.state_transitions),
            "is_ready_for_messages": self.is_ready_for_messages(),
            "state_sequence_valid": self.validate_state_sequence(),
            "handshake_start_time": began.isoformat() if began is not None else None,
        }

    def _enter(self, state: ApplicationConnectionState) -> None:
        self.state_transitions.append((self.state, state, datetime.now(timezone.utc)))
        self.state = state


class RaceConditionDetector:
    """Keeps findings, tells how long to wait before trying again, and whether a connection may be used."""

    MAX_PATTERNS = 1000

    def __init__(self, environment: Optional[str] = None) -> None:
        self.environment = _environment(environment)
        self.detected_patterns: list[RaceConditionPattern] = []
        settling = SETTLING.get(self.environment, 0.05)
        self.timing_thresholds = {
            "handshake_completion": settling * 10,
            "state_transition": settling * 2,
            "message_delay": settling,
        }

    def add_detected_pattern(
        self, pattern_type: str, severity: str, details: Optional[dict[str, Any]] = None
    ) -> RaceConditionPattern:
        """Keep a finding and return it."""
        pattern = RaceConditionPattern(pattern_type, severity, self.environment, details)
        self.detected_patterns.append(pattern)
        del self.detected_patterns[: -self.MAX_PATTERNS]
        (logger.error if pattern.is_critical() else logger.warning)(f"Race condition: {pattern_type} ({severity})")
        return pattern

    def detect_timing_violation(self, operation: str, duration: float) -> Optional[RaceConditionPattern]:
        """Keep and return a finding if an operation took longer, in seconds, than its threshold."""
        threshold = self.timing_thresholds.get(operation)
        if threshold is None or duration <= threshold:
            return None
        severity = "critical" if duration > threshold * 3 else "warning"
        return self.add_detected_pattern(
            f"{operation}_timing_violation", severity, {"duration": duration, "threshold": threshold}
        )

    def calculate_progressive_delay(self, attempt: int) -> float:
        """Seconds to wait before that attempt, counted from 0: longer each time, at most 2 s."""
        return float(min(SETTLING.get(self.environment, 0.05) * 1.5 ** max(attempt, 0), 2.0))

    def validate_connection_readiness(self, state: Any) -> bool:
        """Whether a connection in that state may be sent messages; if not, a finding is kept."""
        if isinstance(state, ApplicationConnectionState) and state.is_ready_for_messages():
            return True
        self.add_detected_pattern("premature_message_handling", "warning", {"state": getattr(state, "value", str(state))})
        return False

    def get_patterns_by_severity(self, severity: str) -> list[RaceConditionPattern]:
        """The findings of one severity."""
        return [pattern for pattern in self.detected_patterns if pattern.severity == severity]

    def get_detection_summary(self) -> dict[str, Any]:
        """Counts by kind and severity."""
        return {
            "environment": self.environment,
            "total_patterns": len(self.detected_patterns),
            "critical_patterns": sum(pattern.is_critical() for pattern in self.detected_patterns),
            "by_type": dict(Counter(pattern.pattern_type for pattern in self.detected_patterns)),
            "by_severity": dict(Counter(pattern.severity for pattern in self.detected_patterns)),
        }

    def clear_old_patterns(self, max_age_seconds: float = 3600.0) -> int:
        """Forget findings older than that and return how many."""
        limit = datetime.now(timezone.utc) - timedelta(seconds=max_age_seconds)
        kept = [pattern for pattern in self.detected_patterns if pattern.detected_at >= limit]
        dropped = len(self.detected_patterns) - len(kept)
        self.detected_patterns = kept
        return dropped
