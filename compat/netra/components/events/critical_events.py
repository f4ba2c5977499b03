"""Whether a user got the events that matter: fields, owner, completeness, order, and what missing ones cost."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Optional, Union

from compat.canonical.core.logged import get_logger

from ..connections.manager_calls import is_canonical

logger = get_logger(__name__)


class EventCriticality(Enum):
    """How much an event matters."""

    MISSION_CRITICAL = "mission_critical"
    BUSINESS_VALUE = "business_value"
    OPERATIONAL = "operational"


class CriticalAgentEventType(Enum):
    """The events that are checked; the first five must come in every run."""

    AGENT_STARTED = "agent_started"
    AGENT_THINKING = "agent_thinking"
    TOOL_EXECUTING = "tool_executing"
    TOOL_COMPLETED = "tool_completed"
    AGENT_COMPLETED = "agent_completed"
    STATUS_UPDATE = "status_update"
    ERROR = "error"
    THREAD_UPDATE = "thread_update"
    MESSAGE_CREATED = "message_created"
    USER_CONNECTED = "user_connected"
    USER_DISCONNECTED = "user_disconnected"

    @classmethod
    def get_mission_critical_events(cls) -> set[CriticalAgentEventType]:
        """The five that must come."""
        return set(_MISSION_CRITICAL)


_MISSION_CRITICAL = (
    CriticalAgentEventType.AGENT_STARTED,
    CriticalAgentEventType.AGENT_THINKING,
    CriticalAgentEventType.TOOL_EXECUTING,
    CriticalAgentEventType.TOOL_COMPLETED,
    CriticalAgentEventType.AGENT_COMPLETED,
)
_OPERATIONAL = frozenset({CriticalAgentEventType.USER_CONNECTED, CriticalAgentEventType.USER_DISCONNECTED})
_FIELDS: dict[str, tuple[str, ...]] = {
    "agent_started": ("run_id", "agent_name", "timestamp"),
    "agent_thinking": ("run_id", "agent_name", "timestamp"),
    "tool_executing": ("run_id", "agent_name", "tool_name", "timestamp"),
    "tool_completed": ("run_id", "agent_name", "tool_name", "timestamp"),
    "agent_completed": ("run_id", "agent_name", "timestamp"),
}
#: The share of the value that each event carries; they add up to 100.
_VALUE = {"agent_started": 20.0, "agent_thinking": 20.0, "tool_executing": 20.0, "tool_completed": 20.0,
          "agent_completed": 20.0}  # fmt: skip


@dataclass
class WebSocketEventMessage:
    """One received event."""

    event_type: str
    thread_id: Optional[str] = None
    user_id: Optional[str] = None
    request_id: Optional[str] = None
    run_id: Optional[str] = None
    websocket_client_id: Optional[str] = None
    timestamp: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    data: dict[str, Any] = field(default_factory=dict)
    message_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> WebSocketEventMessage:
        """Read an event from a message: ``event_type`` or ``type``, ``data`` or ``payload``."""
        moment = data.get("timestamp")
        if isinstance(moment, (int, float)):
            moment = datetime.fromtimestamp(moment, timezone.utc)
        elif isinstance(moment, str):
            try:
                moment = datetime.fromisoformat(moment.replace("Z", "+00:00"))
            except ValueError:
                moment = None
        kind = data.get("event_type") or data.get("type") or ""
        return cls(
            event_type=str(getattr(kind, "value", kind)),
            thread_id=data.get("thread_id"),
            user_id=data.get("user_id"),
            request_id=data.get("request_id"),
            run_id=data.get("run_id"),
            websocket_client_id=data.get("websocket_client_id"),
            timestamp=moment or datetime.now(timezone.utc),
            data=dict(data.get("data") or data.get("payload") or {}),
            message_id=data.get("message_id") or str(uuid.uuid4()),
        )

    def to_dict(self) -> dict[str, Any]:
        """The event as plain data."""
        return {**vars(self), "timestamp": self.timestamp.isoformat()}


@dataclass
class ValidationResult:
    """What was found; ``business_value_score`` from 0 to 100."""

    is_valid: bool
    error_message: Optional[str] = None
    warning_message: Optional[str] = None
    criticality: EventCriticality = EventCriticality.OPERATIONAL
    business_impact: Optional[str] = None
    missing_critical_events: set[str] = field(default_factory=set)
    received_events: list[WebSocketEventMessage] = field(default_factory=list)
    event_timing: dict[str, float] = field(default_factory=dict)
    business_value_score: float = 0.0
    revenue_impact: str = "NONE"
    validation_timestamp: datetime = field(default_factory=lambda: datetime.now(timezone.utc))


Event = Union[WebSocketEventMessage, Mapping[str, Any]]


def get_critical_event_types() -> set[str]:
    """The names of the five events that must come."""
    return {kind.value for kind in _MISSION_CRITICAL}


def _kind(event: Event) -> str:
    kind = event.event_type if isinstance(event, WebSocketEventMessage) else event.get("event_type") or event.get("type")
    return str(getattr(kind, "value", kind) or "")


def _criticality(kind: str) -> EventCriticality:
    if kind in get_critical_event_types():
        return EventCriticality.MISSION_CRITICAL
    if any(kind == each.value for each in _OPERATIONAL):
        return EventCriticality.OPERATIONAL
    return EventCriticality.BUSINESS_VALUE


class UnifiedEventValidator:
    """Checks single events (:meth:`validate_event`) and whole runs (:meth:`record_event`, then :meth:`perform_full_validation`).

    ``strict_mode`` makes the order of events count; ``timeout_seconds`` is how long a run may take;
    ``user_context`` is whose events they must be.
    """

    CRITICAL_EVENTS = frozenset(get_critical_event_types())
    MISSION_CRITICAL_EVENTS = CRITICAL_EVENTS

    def __init__(
        self,
        user_context: Optional[Any] = None,
        strict_mode: bool = True,
        timeout_seconds: float = 30.0,
        validation_mode: str = "realtime",
        **_ignored: Any,
    ) -> None:
        self.user_context = user_context
        self.strict_mode = strict_mode
        self.timeout_seconds = timeout_seconds
        self.validation_mode = validation_mode
        self.received_events: list[WebSocketEventMessage] = []
        self.event_counts: Counter[str] = Counter()
        self.validation_errors: list[str] = []
        self.start_time = time.monotonic()
        self.validation_stats = {"total_validations": 0, "failed_validations": 0, "mission_critical_failures": 0}

    def record_event(self, event: Event) -> bool:
        """Add an event of the run. False, with the reason in ``validation_errors``, if it is no such event."""
        message = event if isinstance(event, WebSocketEventMessage) else WebSocketEventMessage.from_dict(event)
        if not message.event_type:
            self.validation_errors.append("Event has no type")
            return False
        owner = getattr(self.user_context, "user_id", None)
        if owner is not None and message.user_id is not None and str(message.user_id) != str(owner):
            self.validation_errors.append(f"Event {message.event_type} is of user {message.user_id}, not of {owner}")
            return False
        self.received_events.append(message)
        self.event_counts[message.event_type] += 1
        return True

    def validate_event(
        self, event: Event, user_id: Optional[str] = None, connection_id: Optional[str] = None
    ) -> ValidationResult:
        """Check one event: type, fields, owner."""
        self.validation_stats["total_validations"] += 1
        kind = _kind(event)
        critical = _criticality(kind)
        data = event.to_dict() if isinstance(event, WebSocketEventMessage) else dict(event)
        inner = {**(data.get("payload") or {}), **(data.get("data") or {})}
        missing = [name for name in _FIELDS.get(kind, ()) if data.get(name) is None and inner.get(name) is None]
        problem = None
        if not kind:
            problem = "Event has no type"
        elif user_id is not None and data.get("user_id") is not None and str(data["user_id"]) != str(user_id):
            critical = EventCriticality.MISSION_CRITICAL
            problem = f"Event {kind} is of another user ({data['user_id']}) than {user_id}"
        elif missing:
            problem = f"Event {kind} is missing required fields: {', '.join(missing)}"
        if problem is None:
            return ValidationResult(True, criticality=critical)
        self.validation_stats["failed_validations"] += 1
        if critical is EventCriticality.MISSION_CRITICAL:
            self.validation_stats["mission_critical_failures"] += 1
        impact = "The user does not see what the agent does" if critical is EventCriticality.MISSION_CRITICAL else None
        return ValidationResult(False, problem, criticality=critical, business_impact=impact)

    def validate_connection_ready(self, user_id: str, connection_id: str, websocket_manager: Any) -> ValidationResult:
        """Check that a manager has a connection of the user to send events to."""
        critical = EventCriticality.MISSION_CRITICAL
        if not user_id or not str(user_id).strip():
            return ValidationResult(False, "user_id is missing", criticality=critical)
        if websocket_manager is None:
            return ValidationResult(False, "WebSocket manager is missing", criticality=critical)
        if not connection_id:
            return ValidationResult(False, "connection_id is missing", criticality=critical)
        active = getattr(websocket_manager, "is_connection_active", None)
        own = is_canonical(websocket_manager)
        if (own and not websocket_manager.is_connected) or (callable(active) and not active(user_id)):
            return ValidationResult(False, f"User {user_id} has no active connection", criticality=critical)
        return ValidationResult(True)

    def perform_full_validation(self) -> ValidationResult:
        """Check the run so far: all five events, in order, in time."""
        missing = self.get_missing_critical_events()
        errors = [f"Missing critical events: {sorted(missing)}"] if missing else []
        warnings = list(self.validation_errors)
        disorder = self._disorder()
        if disorder:
            (errors if self.strict_mode else warnings).append(disorder)
        timing = self._timing()
        if timing.get("total_duration", 0.0) > self.timeout_seconds:
            warnings.append(f"The run took {timing['total_duration']:.1f}s, more than {self.timeout_seconds}s")
        score = sum(share for kind, share in _VALUE.items() if self.event_counts[kind])
        impact = "NONE" if score >= 100 else "LOW" if score >= 80 else "MEDIUM" if score >= 60 else "HIGH"
        return ValidationResult(
            is_valid=not errors,
            error_message="; ".join(errors) or None,
            warning_message="; ".join(warnings) or None,
            criticality=EventCriticality.MISSION_CRITICAL if missing else EventCriticality.OPERATIONAL,
            business_impact=f"Users do not see: {', '.join(sorted(missing))}" if missing else None,
            missing_critical_events=missing,
            received_events=list(self.received_events),
            event_timing=timing,
            business_value_score=score,
            revenue_impact=impact,
        )

    def get_required_critical_events(self) -> set[str]:
        """The events that must come."""
        return get_critical_event_types()

    def get_missing_critical_events(self) -> set[str]:
        """Those that have not come yet."""
        return {kind for kind in get_critical_event_types() if not self.event_counts[kind]}

    def is_complete(self) -> bool:
        """Whether all five have come."""
        return not self.get_missing_critical_events()

    def get_validation_stats(self) -> dict[str, Any]:
        """Counts of checks and events."""
        return {
            **self.validation_stats,
            "total_events": len(self.received_events),
            "event_counts": dict(self.event_counts),
            "validation_mode": self.validation_mode,
        }

    def get_validation_summary(self) -> dict[str, Any]:
        """The run so far, as plain data."""
        result = self.perform_full_validation()
        return {
            "is_valid": result.is_valid,
            "total_events": len(self.received_events),
            "missing_critical_events": sorted(result.missing_critical_events),
            "business_value_score": result.business_value_score,
            "revenue_impact": result.revenue_impact,
            "errors": result.error_message,
            "warnings": result.warning_message,
        }

    def reset(self) -> None:
        """Forget the run."""
        self.received_events.clear()
        self.event_counts.clear()
        self.validation_errors.clear()
        self.start_time = time.monotonic()

    def reset_stats(self) -> None:
        """Forget the counts of checks."""
        for name in self.validation_stats:
            self.validation_stats[name] = 0

    def _disorder(self) -> Optional[str]:
        kinds = [event.event_type for event in self.received_events if event.event_type in get_critical_event_types()]
        if "agent_started" in kinds and kinds[0] != "agent_started":
            return f"Invalid event order: {kinds[0]} before agent_started"
        if "agent_completed" in kinds and kinds[-1] != "agent_completed":
            return f"Invalid event order: {kinds[-1]} after agent_completed"
        open_tools = 0
        for kind in kinds:
            open_tools += {"tool_executing": 1, "tool_completed": -1}.get(kind, 0)
            if open_tools < 0:
                return "Invalid event order: tool_completed before tool_executing"
        return None

    def _timing(self) -> dict[str, float]:
        if not self.received_events:
            return {}
        first = self.received_events[0].timestamp
        timing = {event.event_type: (event.timestamp - first).total_seconds() for event in self.received_events}
        timing["total_duration"] = (self.received_events[-1].timestamp - first).total_seconds()
        return timing


AgentEventValidator = UnifiedEventValidator
WebSocketEventValidator = UnifiedEventValidator
AgentEventValidationResult = ValidationResult

_validator: Optional[UnifiedEventValidator] = None
_validator_lock = threading.Lock()


def get_websocket_validator() -> UnifiedEventValidator:
    """The process's validator, made at first use. It checks single events; runs belong in validators of their own."""
    global _validator
    with _validator_lock:
        if _validator is None:
            _validator = UnifiedEventValidator()
        return _validator


def reset_websocket_validator() -> None:
    """Forget the process's validator."""
    global _validator
    with _validator_lock:
        _validator = None


def validate_agent_events(
    events: Iterable[Event], user_context: Optional[Any] = None, strict_mode: bool = True
) -> ValidationResult:
    """Check the events of one run."""
    validator = UnifiedEventValidator(user_context, strict_mode)
    for event in events:
        validator.record_event(event)
    return validator.perform_full_validation()


def assert_critical_events_received(
    events: Iterable[Event], user_context: Optional[Any] = None, custom_error_message: Optional[str] = None
) -> None:
    """AssertionError, with what is missing, unless all five events have come."""
    result = validate_agent_events(events, user_context, strict_mode=False)
    if result.missing_critical_events:
        missing = f"Missing critical events: {sorted(result.missing_critical_events)}"
        raise AssertionError(f"{custom_error_message}: {missing}" if custom_error_message else missing)


def create_mock_critical_events(
    user_id: Optional[str] = None, thread_id: Optional[str] = None, run_id: Optional[str] = None
) -> list[WebSocketEventMessage]:
    """The five events of one run, in order, as a test needs them."""
    details = ({"tool_name": "test_tool"}, {"tool_name": "test_tool", "result": "success"})
    inner = dict(zip(("tool_executing", "tool_completed"), details))
    return [
        WebSocketEventMessage(
            event_type=kind.value,
            thread_id=thread_id or "test_thread",
            user_id=user_id or "test_user",
            run_id=run_id or "test_run",
            data={"agent_name": "test_agent", "timestamp": time.time(), **inner.get(kind.value, {})},
        )
        for kind in _MISSION_CRITICAL
    ]
