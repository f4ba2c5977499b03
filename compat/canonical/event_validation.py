"""Events checked one by one and as sequences: fields, order, gaps; with history, figures and replay."""

from __future__ import annotations

import inspect
import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional

from .timestamps import convert_to_unix_timestamp, validate_timestamp_format

logger = logging.getLogger(__name__)


class EventValidationLevel(str, Enum):
    """How much is forgiven: in permissive validation every fault is a warning, in moderate the missing fields are."""

    STRICT = "strict"
    MODERATE = "moderate"
    PERMISSIVE = "permissive"


class EventType(str, Enum):
    """The events of an agent's run."""

    AGENT_STARTED = "agent_started"
    AGENT_THINKING = "agent_thinking"
    TOOL_EXECUTING = "tool_executing"
    TOOL_COMPLETED = "tool_completed"
    AGENT_COMPLETED = "agent_completed"
    AGENT_FAILED = "agent_failed"
    AGENT_ERROR = "agent_error"
    TOOL_STARTED = "tool_started"
    FINAL_REPORT = "final_report"
    PARTIAL_RESULT = "partial_result"


class ValidationResult(str, Enum):
    """How good an event is."""

    VALID = "valid"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


@dataclass
class EventValidationRule:
    """One rule: ``validator(event, context)`` says whether an event keeps it."""

    name: str
    description: str
    validator: Callable[..., bool]
    severity: ValidationResult
    required_fields: list[str] = field(default_factory=list)
    optional_fields: list[str] = field(default_factory=list)
    timing_constraints: dict[str, Any] = field(default_factory=dict)


@dataclass
class ValidatedEvent:
    """An event and what was found; ``timestamp`` in Unix seconds."""

    event_id: str
    event_type: EventType
    thread_id: str
    run_id: Optional[str]
    timestamp: float
    content: dict[str, Any]
    validation_result: ValidationResult
    validation_errors: list[str] = field(default_factory=list)
    validation_warnings: list[str] = field(default_factory=list)
    latency_ms: Optional[float] = None
    sequence_number: Optional[int] = None


@dataclass
class EventSequence:
    """The events of one thread's run, in the order they came; times in Unix seconds."""

    thread_id: str
    run_id: Optional[str]
    events: list[ValidatedEvent] = field(default_factory=list)
    start_time: Optional[float] = None
    end_time: Optional[float] = None
    is_complete: bool = False
    validation_summary: dict[str, Any] = field(default_factory=dict)


@dataclass
class EventMetrics:
    """Figures over all events."""

    total_events: int = 0
    successful_events: int = 0
    failed_events: int = 0
    dropped_events: int = 0
    average_latency_ms: float = 0.0
    max_latency_ms: float = 0.0
    min_latency_ms: float = 0.0
    events_per_second: float = 0.0
    validation_failures: dict[str, int] = field(default_factory=dict)
    sequence_completion_rate: float = 0.0


class CircuitBreakerState(str, Enum):
    """Whether events are validated at all."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


_REQUIRED_FIELDS = ("type", "payload", "timestamp", "thread_id")
_PAYLOAD_FIELDS: dict[EventType, tuple[str, ...]] = {
    EventType.AGENT_STARTED: ("agent_name",),
    EventType.AGENT_THINKING: ("thought",),
    EventType.TOOL_EXECUTING: ("tool_name",),
    EventType.TOOL_COMPLETED: ("tool_name",),
    EventType.AGENT_COMPLETED: ("agent_name",),
}
#: Other words under which a payload may say the same.
_SYNONYMS = {
    "agent_name": ("agent_name", "agent", "agent_type", "sub_agent_name"),
    "thought": ("thought", "reasoning", "thinking", "content", "message"),
    "tool_name": ("tool_name", "tool"),
}
_SEVERITY = (ValidationResult.VALID, ValidationResult.WARNING, ValidationResult.ERROR, ValidationResult.CRITICAL)


def _event_type(value: Any) -> Optional[EventType]:
    try:
        return EventType(getattr(value, "value", value))
    except ValueError:
        return None


def _thread(event: dict[str, Any], context: Optional[dict[str, Any]] = None) -> str:
    payload = event.get("payload")
    inner = payload.get("thread_id") if isinstance(payload, dict) else None
    return str(event.get("thread_id") or inner or (context or {}).get("thread_id") or "")


def _moment(event: dict[str, Any]) -> Optional[float]:
    """The event's timestamp in Unix seconds, from a number or ISO 8601; None where it is neither."""
    given = event.get("timestamp")
    if given is None or isinstance(given, bool) or not validate_timestamp_format(given):
        return None
    return convert_to_unix_timestamp(given)


class EventValidator:
    """Checks single events against rules."""

    REQUIRED_EVENTS = {
        EventType.AGENT_STARTED,
        EventType.AGENT_THINKING,
        EventType.TOOL_EXECUTING,
        EventType.TOOL_COMPLETED,
        EventType.AGENT_COMPLETED,
    }
    DEFAULT_TIMING_CONSTRAINTS = {
        "max_event_gap_ms": 30000,
        "max_total_sequence_ms": 300000,
        "min_thinking_duration_ms": 100,
        "max_tool_execution_ms": 60000,
    }

    def __init__(self, validation_level: EventValidationLevel = EventValidationLevel.STRICT) -> None:
        self.validation_level = validation_level
        self.metrics = EventMetrics()
        self.validation_rules: dict[str, EventValidationRule] = {
            rule.name: rule
            for rule in (
                EventValidationRule(
                    "required_fields", "Event must have all required fields", self._has_fields,
                    ValidationResult.ERROR, list(_REQUIRED_FIELDS),
                ),
                EventValidationRule(
                    "event_type", "Event type must be known", self._has_known_type, ValidationResult.CRITICAL
                ),
                EventValidationRule(
                    "timestamp", "Timestamp must be Unix seconds, not in the future", self._has_timestamp,
                    ValidationResult.ERROR,
                ),
                EventValidationRule(
                    "payload", "Payload must be a dictionary", self._has_payload, ValidationResult.ERROR
                ),
                EventValidationRule(
                    "payload_fields", "Payload should say what the event is about", self._has_payload_fields,
                    ValidationResult.WARNING,
                ),
                EventValidationRule(
                    "event_gap", "Events of a thread should not be too far apart", self._keeps_gap,
                    ValidationResult.WARNING, timing_constraints=dict(self.DEFAULT_TIMING_CONSTRAINTS),
                ),
            )
        }  # fmt: skip

    def validate_event(self, event: dict[str, Any], context: Optional[dict[str, Any]] = None) -> ValidatedEvent:
        """Check one event; what is wrong is in the result, never an exception."""
        start = time.perf_counter()
        errors: list[str] = []
        warnings: list[str] = []
        worst = ValidationResult.VALID
        content = event if isinstance(event, dict) else {}
        for rule in self.validation_rules.values():
            try:
                kept = rule.validator(content, context or {})
                problem = "" if kept else f"{rule.name}: {rule.description}"
            except Exception as error:
                problem = f"{rule.name}: validation failed: {error}"
            if not problem:
                continue
            severity = self._judge(rule)
            (warnings if severity is ValidationResult.WARNING else errors).append(problem)
            worst = max(worst, severity, key=_SEVERITY.index)
            self.metrics.validation_failures[rule.name] = self.metrics.validation_failures.get(rule.name, 0) + 1
        self._count(worst)
        timestamp = _moment(content)
        return ValidatedEvent(
            event_id=str(content.get("event_id") or content.get("message_id") or uuid.uuid4()),
            event_type=_event_type(content.get("type")) or EventType.AGENT_ERROR,
            thread_id=_thread(content, context),
            run_id=content.get("run_id") or (context or {}).get("run_id"),
            timestamp=time.time() if timestamp is None else timestamp,
            content=content,
            validation_result=worst,
            validation_errors=errors,
            validation_warnings=warnings,
            latency_ms=(time.perf_counter() - start) * 1000,
        )

    def _judge(self, rule: EventValidationRule) -> ValidationResult:
        if self.validation_level is EventValidationLevel.PERMISSIVE:
            return ValidationResult.WARNING
        if self.validation_level is EventValidationLevel.MODERATE and rule.severity is ValidationResult.ERROR:
            return ValidationResult.WARNING
        return rule.severity

    def _count(self, result: ValidationResult) -> None:
        self.metrics.total_events += 1
        if result in (ValidationResult.VALID, ValidationResult.WARNING):
            self.metrics.successful_events += 1
        else:
            self.metrics.failed_events += 1

    @staticmethod
    def _has_fields(event: dict[str, Any], context: dict[str, Any]) -> bool:
        return all(name in event for name in _REQUIRED_FIELDS if name != "thread_id") and bool(_thread(event, context))

    @staticmethod
    def _has_known_type(event: dict[str, Any], context: dict[str, Any]) -> bool:
        return _event_type(event.get("type")) is not None

    @staticmethod
    def _has_timestamp(event: dict[str, Any], context: dict[str, Any]) -> bool:
        moment = _moment(event)
        return moment is not None and 0 < moment <= time.time() + 60

    @staticmethod
    def _has_payload(event: dict[str, Any], context: dict[str, Any]) -> bool:
        return isinstance(event.get("payload"), dict)

    @staticmethod
    def _has_payload_fields(event: dict[str, Any], context: dict[str, Any]) -> bool:
        payload = event.get("payload")
        kind = _event_type(event.get("type"))
        if kind is None or not isinstance(payload, dict):
            return True
        wanted = _PAYLOAD_FIELDS.get(kind, ())
        return all(any(payload.get(word) for word in _SYNONYMS[name]) for name in wanted)

    def _keeps_gap(self, event: dict[str, Any], context: dict[str, Any]) -> bool:
        before, now = context.get("last_event_time"), _moment(event)
        if not isinstance(before, (int, float)) or now is None:
            return True
        return (now - before) * 1000 <= self.DEFAULT_TIMING_CONSTRAINTS["max_event_gap_ms"]


class EventSequenceValidator:
    """Follows the events of each thread from the first to ``agent_completed``."""

    def __init__(self, event_validator: EventValidator) -> None:
        self.event_validator = event_validator
        self.active_sequences: dict[str, EventSequence] = {}
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
        """Check an event and add it to its thread's sequence, which is begun where there is none."""
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
            "events_received": sorted(kind.value for kind in seen),
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
        self.event_history: dict[str, deque[ValidatedEvent]] = {}
        self.latency_samples: deque[float] = deque(maxlen=1000)
        self.performance_metrics = EventMetrics()
        self.validation_callbacks: list[Callable[..., Any]] = []
        self.error_callbacks: list[Callable[..., Any]] = []
        self._started = time.monotonic()

    async def validate_event(self, event: dict[str, Any], context: Optional[dict[str, Any]] = None) -> ValidatedEvent:
        """Check an event, keep it, tell the callbacks; what they raise is logged."""
        start = time.perf_counter()
        thread_id = _thread(event, context) or "unknown"
        if self._rests():
            validated = self._unjudged(event, thread_id)
        else:
            validated = self.sequence_validator.add_event_to_sequence(thread_id, event, context)
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
        if self.circuit_breaker_state is not CircuitBreakerState.OPEN:
            return False
        if self.last_failure_time is None or time.time() - self.last_failure_time >= self.recovery_timeout:
            self.circuit_breaker_state = CircuitBreakerState.HALF_OPEN
            return False
        return True

    def _watch(self, event: ValidatedEvent) -> None:
        if event.validation_result is ValidationResult.CRITICAL:
            self.failure_count += 1
            self.last_failure_time = time.time()
            half_open = self.circuit_breaker_state is CircuitBreakerState.HALF_OPEN
            if half_open or self.failure_count >= self.failure_threshold:
                self.circuit_breaker_state = CircuitBreakerState.OPEN
        else:
            self.failure_count = 0
            self.circuit_breaker_state = CircuitBreakerState.CLOSED

    def _unjudged(self, event: dict[str, Any], thread_id: str) -> ValidatedEvent:
        return ValidatedEvent(
            event_id=str(event.get("event_id") or uuid.uuid4()),
            event_type=_event_type(event.get("type")) or EventType.AGENT_ERROR,
            thread_id=thread_id,
            run_id=event.get("run_id"),
            timestamp=time.time(),
            content=event,
            validation_result=ValidationResult.WARNING,
            validation_warnings=["Circuit breaker is open: the event was not validated"],
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
_framework_lock = threading.Lock()


def get_event_validation_framework(
    validation_level: EventValidationLevel = EventValidationLevel.STRICT,
) -> EventValidationFramework:
    """The process's framework, made at first use with that level."""
    global _framework
    with _framework_lock:
        if _framework is None:
            _framework = EventValidationFramework(validation_level)
        return _framework


async def validate_websocket_event(event: dict[str, Any], context: Optional[dict[str, Any]] = None) -> ValidatedEvent:
    """Check an event with the process's framework."""
    return await get_event_validation_framework().validate_event(event, context)


async def get_validation_report(thread_id: Optional[str] = None) -> dict[str, Any]:
    """The report of the process's framework."""
    return get_event_validation_framework().generate_validation_report(thread_id)
