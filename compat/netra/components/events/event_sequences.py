"""Events checked as sequences: order, gaps, completeness; with history, figures and replay."""

from __future__ import annotations

import inspect
import time
import uuid
from collections import deque
from collections.abc import Callable
from typing import Any, Optional

from compat.canonical.core.logged import get_logger
from compat.netra.components.bounded import Newest
from compat.netra.components.process_wide import only

from ..circuits import when_asked, when_failed
from .event_rules import (
    CircuitBreakerState,
    EventMetrics,
    EventSequence,
    EventType,
    EventValidationLevel,
    EventValidationRule,
    EventValidator,
    ValidatedEvent,
    ValidationResult,
    kind_of,
    thread_of,
)

__all__ = [
    "CircuitBreakerState",
    "EventMetrics",
    "EventSequence",
    "EventSequenceValidator",
    "EventType",
    "EventValidationFramework",
    "EventValidationLevel",
    "EventValidationRule",
    "EventValidator",
    "ValidatedEvent",
    "ValidationResult",
    "get_event_validation_framework",
    "get_validation_report",
    "validate_websocket_event",
]

logger = get_logger(__name__)


class EventSequenceValidator:
    """Follows the events of each thread from the first to ``agent_completed``."""

    def __init__(self, event_validator: EventValidator) -> None:
        self.event_validator = event_validator
        self.active_sequences: dict[str, EventSequence] = Newest()
        self.completed_sequences: deque[EventSequence] = deque(maxlen=1000)
        self.sequence_metrics: dict[str, Any] = {"started": 0, "completed": 0, "incomplete": 0}

    def start_sequence(self, thread_id: str, run_id: Optional[str] = None) -> EventSequence:
        """Begin a sequence; one that the thread has under way is put away as it is."""
        unfinished = self.active_sequences.pop(thread_id, None)
        if unfinished is not None:
            self._put_away(unfinished)
        sequence = self.active_sequences[thread_id] = EventSequence(thread_id, run_id, start_time=time.time())
        self.sequence_metrics["started"] += 1
        return sequence

    def add_event_to_sequence(
        self, thread_id: str, event: dict[str, Any], context: Optional[dict[str, Any]] = None
    ) -> ValidatedEvent:
        """Check an event and add it to its thread's sequence, which is begun where there is none; the first event may be any."""
        sequence = self.active_sequences.get(thread_id)
        if sequence is None:
            sequence = self.start_sequence(thread_id, event.get("run_id"))
        surroundings = {"run_id": sequence.run_id, **(context or {})}
        if sequence.events:
            surroundings.setdefault("last_event_time", sequence.events[-1].timestamp)
        validated = self.event_validator.validate_event(event, surroundings)
        validated.sequence_number = len(sequence.events)
        self._check_order(sequence, validated)
        sequence.events.append(validated)
        if validated.event_type is EventType.AGENT_COMPLETED:
            self._put_away(self.active_sequences.pop(thread_id))
        return validated

    def get_sequence_status(self, thread_id: str) -> Optional[dict[str, Any]]:
        """How far a thread's sequence is, under way or put away last; None if it has none."""
        sequence = self.active_sequences.get(thread_id) or next(
            (each for each in reversed(self.completed_sequences) if each.thread_id == thread_id), None
        )
        if sequence is None:
            return None
        seen = {event.event_type for event in sequence.events}
        required = self.event_validator.REQUIRED_EVENTS
        return {
            "thread_id": thread_id,
            "run_id": sequence.run_id,
            "status": "completed" if sequence.end_time is not None else "active",
            "is_complete": sequence.is_complete,
            "event_count": len(sequence.events),
            "events_received": sorted(str(getattr(kind, "value", kind)) for kind in seen),
            "missing_events": sorted(kind.value for kind in required - seen),
            "completion_percentage": len(required & seen) / len(required) * 100,
            "start_time": sequence.start_time,
            "end_time": sequence.end_time,
            "duration_ms": ((sequence.end_time or time.time()) - (sequence.start_time or time.time())) * 1000,
            "validation_summary": sequence.validation_summary,
        }

    def _check_order(self, sequence: EventSequence, event: ValidatedEvent) -> None:
        seen = [each.event_type for each in sequence.events]
        problem = None
        if not seen or not isinstance(event.event_type, EventType):
            return
        if event.event_type is not EventType.AGENT_STARTED and EventType.AGENT_STARTED not in seen:
            problem = f"{event.event_type.value} before agent_started"
        elif event.event_type is EventType.TOOL_COMPLETED and (
            seen.count(EventType.TOOL_COMPLETED) >= seen.count(EventType.TOOL_EXECUTING)
        ):
            problem = "tool_completed without tool_executing"
        if problem:
            event.validation_warnings.append(f"sequence: {problem}")
            if event.validation_result is ValidationResult.VALID:
                event.validation_result = ValidationResult.WARNING

    def _put_away(self, sequence: EventSequence) -> None:
        seen = {event.event_type for event in sequence.events}
        missing = self.event_validator.REQUIRED_EVENTS - seen
        sequence.is_complete = not missing
        sequence.end_time = time.time()
        sequence.validation_summary = {
            "total_events": len(sequence.events),
            "missing_events": sorted(kind.value for kind in missing),
            "errors": sum(len(event.validation_errors) for event in sequence.events),
            "warnings": sum(len(event.validation_warnings) for event in sequence.events),
        }
        self.sequence_metrics["incomplete" if missing else "completed"] += 1
        self.completed_sequences.append(sequence)


class EventValidationFramework:
    """Validates a stream of events, keeps their history per thread, and tells callbacks.

    After ``failure_threshold`` critical events in a row validation rests for ``recovery_timeout`` seconds: events are
    kept, and marked with a warning, but not judged.
    """

    def __init__(self, validation_level: EventValidationLevel = EventValidationLevel.STRICT) -> None:
        self.validation_level = validation_level
        self.event_validator = EventValidator(validation_level)
        self.sequence_validator = EventSequenceValidator(self.event_validator)
        self.circuit_breaker_state = CircuitBreakerState.CLOSED
        self.failure_count = 0
        self.failure_threshold = 10
        self.recovery_timeout = 60.0
        self.last_failure_time: Optional[float] = None
        self.event_buffer: deque[ValidatedEvent] = deque(maxlen=1000)
        self.event_history: dict[str, deque[ValidatedEvent]] = Newest()
        self.latency_samples: deque[float] = deque(maxlen=1000)
        self.performance_metrics = EventMetrics()
        self.validation_callbacks: list[Callable[..., Any]] = []
        self.error_callbacks: list[Callable[..., Any]] = []
        self._started = time.monotonic()

    async def validate_event(self, event: dict[str, Any], context: Optional[dict[str, Any]] = None) -> ValidatedEvent:
        """Check an event, keep it, tell the callbacks; what they raise is logged."""
        start = time.perf_counter()
        thread_id = (thread_of(event, context) if isinstance(event, dict) else "") or "unknown"
        if self._rests():
            validated = self._unjudged(event, thread_id)
        else:
            try:
                validated = self.sequence_validator.add_event_to_sequence(thread_id, event, context)
            except Exception as error:
                validated = self._create_error_validation(event, str(error))
            self._watch(validated)
        latency = (time.perf_counter() - start) * 1000
        validated.latency_ms = latency
        self._keep(thread_id, validated, latency)
        failed = validated.validation_result in (ValidationResult.ERROR, ValidationResult.CRITICAL)
        await _tell(self.validation_callbacks, validated)
        if failed:
            await _tell(self.error_callbacks, validated)
        return validated

    def register_validation_callback(self, callback: Callable[..., Any]) -> None:
        """Have a callback, sync or async, called with every validated event."""
        self.validation_callbacks.append(callback)

    def register_error_callback(self, callback: Callable[..., Any]) -> None:
        """Have a callback, sync or async, called with every event that is in error."""
        self.error_callbacks.append(callback)

    def get_thread_history(self, thread_id: str) -> list[ValidatedEvent]:
        """The thread's events, oldest first."""
        return list(self.event_history.get(thread_id, ()))

    def get_sequence_status(self, thread_id: str) -> Optional[dict[str, Any]]:
        """How far a thread's sequence is; None if it has none."""
        return self.sequence_validator.get_sequence_status(thread_id)

    def get_performance_metrics(self) -> EventMetrics:
        """The figures, brought up to date."""
        metrics = self.performance_metrics
        metrics.events_per_second = metrics.total_events / max(time.monotonic() - self._started, 1e-9)
        counts = self.sequence_validator.sequence_metrics
        ended = counts["completed"] + counts["incomplete"]
        metrics.sequence_completion_rate = counts["completed"] / ended if ended else 0.0
        metrics.validation_failures = dict(self.event_validator.metrics.validation_failures)
        return metrics

    async def replay_events(
        self, thread_id: str, start_time: Optional[float] = None, end_time: Optional[float] = None
    ) -> list[ValidatedEvent]:
        """The thread's events between two moments, oldest first."""
        return [
            event
            for event in self.get_thread_history(thread_id)
            if (start_time is None or event.timestamp >= start_time) and (end_time is None or event.timestamp <= end_time)
        ]

    def detect_silent_failures(self, thread_id: str, expected_events: Optional[set[EventType]] = None) -> list[str]:
        """Say what a thread should have told and has not: missing events, tools without end, long silence."""
        history = self.get_thread_history(thread_id)
        seen = [event.event_type for event in history]
        expected = self.event_validator.REQUIRED_EVENTS if expected_events is None else expected_events
        found = [f"Missing event: {kind.value}" for kind in sorted(expected - set(seen), key=lambda kind: kind.value)]
        open_tools = seen.count(EventType.TOOL_EXECUTING) - seen.count(EventType.TOOL_COMPLETED)
        if open_tools > 0:
            found.append(f"Incomplete tool executions: {open_tools}")
        silence = (time.time() - history[-1].timestamp) * 1000 if history else 0.0
        if EventType.AGENT_COMPLETED not in seen and silence > EventValidator.DEFAULT_TIMING_CONSTRAINTS["max_event_gap_ms"]:
            found.append(f"No event for {silence / 1000:.0f} s")
        return found

    def generate_validation_report(self, thread_id: Optional[str] = None) -> dict[str, Any]:
        """Figures of one thread, or of all."""
        metrics = self.get_performance_metrics()
        report: dict[str, Any] = {
            "generated_at": time.time(),
            "validation_level": self.validation_level.value,
            "circuit_breaker_state": self.circuit_breaker_state.value,
            "performance_metrics": dict(vars(metrics)),
            "sequence_metrics": dict(self.sequence_validator.sequence_metrics),
        }
        if thread_id is None:
            report["total_threads"] = len(self.event_history)
            report["threads"] = sorted(self.event_history)
            return report
        history = self.get_thread_history(thread_id)
        report.update(
            thread_id=thread_id,
            total_events=len(history),
            sequence_status=self.get_sequence_status(thread_id),
            silent_failures=self.detect_silent_failures(thread_id),
            validation_results={
                result.value: sum(event.validation_result is result for event in history) for result in ValidationResult
            },
            errors=[error for event in history for error in event.validation_errors],
            warnings=[warning for event in history for warning in event.validation_warnings],
        )
        return report

    def _rests(self) -> bool:
        since = self.last_failure_time if self.last_failure_time is not None else 0.0
        self.circuit_breaker_state = when_asked(self.circuit_breaker_state, since, self.recovery_timeout, time.time())
        return self.circuit_breaker_state is CircuitBreakerState.OPEN

    def _watch(self, event: ValidatedEvent) -> None:
        if event.validation_result is ValidationResult.CRITICAL:
            self.failure_count += 1
            self.last_failure_time = time.time()
            self.circuit_breaker_state = when_failed(
                self.circuit_breaker_state, self.failure_count, self.failure_threshold, reopens=True
            )
        else:
            self.failure_count = 0
            self.circuit_breaker_state = CircuitBreakerState.CLOSED

    def _create_error_validation(self, event: Any, error: str) -> ValidatedEvent:
        content = event if isinstance(event, dict) else {}
        made = self._unjudged(content, thread_of(content) or "unknown")
        made.validation_result, made.validation_warnings = ValidationResult.CRITICAL, []
        made.validation_errors = [f"Validation framework error: {error}"]
        return made

    def _unjudged(self, event: dict[str, Any], thread_id: str) -> ValidatedEvent:
        return ValidatedEvent(
            event_id=str(event.get("event_id") or uuid.uuid4()),
            event_type=kind_of(event),
            thread_id=thread_id,
            run_id=event.get("run_id"),
            timestamp=time.time(),
            content=event,
            validation_result=ValidationResult.WARNING,
            validation_warnings=["Circuit breaker open - minimal validation"],
        )

    def _keep(self, thread_id: str, event: ValidatedEvent, latency: float) -> None:
        self.event_buffer.append(event)
        self.event_history.setdefault(thread_id, deque(maxlen=1000)).append(event)
        self.latency_samples.append(latency)
        metrics = self.performance_metrics
        metrics.total_events += 1
        if event.validation_result in (ValidationResult.ERROR, ValidationResult.CRITICAL):
            metrics.failed_events += 1
        else:
            metrics.successful_events += 1
        metrics.average_latency_ms = sum(self.latency_samples) / len(self.latency_samples)
        metrics.max_latency_ms, metrics.min_latency_ms = max(self.latency_samples), min(self.latency_samples)


async def _tell(callbacks: list[Callable[..., Any]], event: ValidatedEvent) -> None:
    for callback in tuple(callbacks):
        try:
            answer = callback(event)
            if inspect.isawaitable(answer):
                await answer
        except Exception as error:
            logger.error(f"Validation callback failed: {error}")


_framework: Optional[EventValidationFramework] = None


def get_event_validation_framework(
    validation_level: EventValidationLevel = EventValidationLevel.STRICT,
) -> EventValidationFramework:
    """The process's framework, made at first use with that level."""
    return only(globals(), "_framework", lambda: EventValidationFramework(validation_level))


async def validate_websocket_event(event: dict[str, Any], context: Optional[dict[str, Any]] = None) -> ValidatedEvent:
    """Check an event with the process's framework."""
    return await get_event_validation_framework().validate_event(event, context)


async def get_validation_report(thread_id: Optional[str] = None) -> dict[str, Any]:
    """The report of the process's framework."""
    return get_event_validation_framework().generate_validation_report(thread_id)
