"""Events checked one by one: the rules, and what is found."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional, Union

from ..circuits import CircuitBreakerState as CircuitBreakerState
from ..timestamps import convert_to_unix_timestamp, validate_timestamp_format


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
    """An event and what was found; ``timestamp`` in Unix seconds, ``event_type`` ``"unknown"`` where the event has none."""

    event_id: str
    event_type: Union[EventType, str]
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


_REQUIRED_FIELDS = ("type", "payload", "timestamp", "thread_id")
UNKNOWN = "unknown"
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


def event_type_of(value: Any) -> Optional[EventType]:
    """The event that a name or a member of any enum speaks of; None for an unknown one."""
    try:
        return EventType(getattr(value, "value", value))
    except ValueError:
        return None


def kind_of(event: dict[str, Any]) -> Union[EventType, str]:
    """The event's type; :data:`UNKNOWN` where it has none, ``agent_error`` for a word that is no type."""
    given = event.get("type")
    return UNKNOWN if given is None else event_type_of(given) or EventType.AGENT_ERROR


def thread_of(event: dict[str, Any], context: Optional[dict[str, Any]] = None) -> str:
    """The thread of an event, from itself, its payload or its surroundings; empty if none says it."""
    payload = event.get("payload")
    inner = payload.get("thread_id") if isinstance(payload, dict) else None
    return str(event.get("thread_id") or inner or (context or {}).get("thread_id") or "")


def _timestamps(event: dict[str, Any]) -> list[Any]:
    """What the event, and its payload, give for the time."""
    payload = event.get("payload")
    inner = payload.get("timestamp") if isinstance(payload, dict) else None
    return [given for given in (event.get("timestamp"), inner) if given is not None]


def _moment(event: dict[str, Any]) -> Optional[float]:
    """The event's timestamp in Unix seconds, from a number or ISO 8601; None where it is neither."""
    for given in _timestamps(event):
        if not isinstance(given, bool) and validate_timestamp_format(given):
            return convert_to_unix_timestamp(given)
    return None


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
                    "payload_fields", "Payload must say what the event is about", self._has_payload_fields,
                    ValidationResult.ERROR,
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
                if rule.validator(content, context or {}):
                    continue
                problem, severity = f"{rule.name}: {rule.description}", self._judge(rule)
            except Exception as error:
                problem, severity = f"RULE_ERROR: {rule.name} failed: {error}", ValidationResult.ERROR
            (warnings if severity is ValidationResult.WARNING else errors).append(problem)
            worst = max(worst, severity, key=_SEVERITY.index)
            self.metrics.validation_failures[rule.name] = self.metrics.validation_failures.get(rule.name, 0) + 1
        self._count(worst)
        timestamp = _moment(content)
        return ValidatedEvent(
            event_id=str(content.get("event_id") or content.get("message_id") or uuid.uuid4()),
            event_type=kind_of(content),
            thread_id=thread_of(content, context),
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
        given = "type" in event and "payload" in event and bool(_timestamps(event))
        return given and bool(thread_of(event, context))

    @staticmethod
    def _has_known_type(event: dict[str, Any], context: dict[str, Any]) -> bool:
        return event_type_of(event.get("type")) is not None

    @staticmethod
    def _has_timestamp(event: dict[str, Any], context: dict[str, Any]) -> bool:
        given = _timestamps(event)
        # What is no number raises a TypeError here, and is an error of the event.
        return bool(given) and all(moment is not True and 0 < moment <= time.time() + 60 for moment in given)

    @staticmethod
    def _has_payload(event: dict[str, Any], context: dict[str, Any]) -> bool:
        return isinstance(event.get("payload"), dict)

    @staticmethod
    def _has_payload_fields(event: dict[str, Any], context: dict[str, Any]) -> bool:
        payload = event.get("payload")
        kind = event_type_of(event.get("type"))
        if kind is None or not isinstance(payload, dict):
            return True
        wanted = _PAYLOAD_FIELDS.get(kind, ())
        return all(any(payload.get(word) for word in _SYNONYMS[name]) for name in wanted)

    def _keeps_gap(self, event: dict[str, Any], context: dict[str, Any]) -> bool:
        before, now = context.get("last_event_time"), _moment(event)
        if not isinstance(before, (int, float)) or now is None:
            return True
        return (now - before) * 1000 <= self.DEFAULT_TIMING_CONSTRAINTS["max_event_gap_ms"]
