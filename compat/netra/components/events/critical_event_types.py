"""The events that a user must get, what one looks like, and what is found when they are checked."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Optional

from ..ids.generator import UnifiedIdGenerator

SLA_INDIVIDUAL_VALIDATION_MS = 1.0
SLA_BATCH_VALIDATION_MS = 10.0
SLA_CRITICAL_EVENT_GAP_SEC = 15.0
#: From how many missing events on what is lost is called so.
REVENUE_IMPACT_THRESHOLDS = {"NONE": 0, "LOW": 1, "MEDIUM": 2, "HIGH": 3, "CRITICAL": 999}


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
_BUSINESS_VALUE = ("progress_update", "custom")


def get_critical_event_types() -> set[str]:
    """The names of the five events that must come."""
    return {kind.value for kind in _MISSION_CRITICAL}


def criticality_of(kind: str) -> EventCriticality:
    """How much events of a name matter."""
    if kind in get_critical_event_types():
        return EventCriticality.MISSION_CRITICAL
    return EventCriticality.BUSINESS_VALUE if kind in _BUSINESS_VALUE else EventCriticality.OPERATIONAL


@dataclass
class WebSocketEventMessage:
    """One received event; its time and its identifier are made where they are None."""

    event_type: str
    thread_id: Optional[str] = None
    user_id: Optional[str] = None
    request_id: Optional[str] = None
    run_id: Optional[str] = None
    websocket_client_id: Optional[str] = None
    timestamp: Optional[datetime] = None
    data: dict[str, Any] = field(default_factory=dict)
    message_id: Optional[str] = None

    def __post_init__(self) -> None:
        if self.timestamp is None:
            self.timestamp = datetime.now(timezone.utc)
        if self.message_id is None:
            self.message_id = UnifiedIdGenerator.generate_base_id("msg")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> WebSocketEventMessage:
        """Read an event from a message: ``type`` and ``data``; a time that is none is now."""
        return cls(
            event_type=str(getattr(data.get("type"), "value", data.get("type", "unknown"))),
            thread_id=data.get("thread_id"),
            user_id=data.get("user_id"),
            request_id=data.get("request_id"),
            run_id=data.get("run_id"),
            websocket_client_id=data.get("websocket_client_id"),
            timestamp=_moment(data.get("timestamp")),
            data=data.get("data", {}),
            message_id=data.get("message_id"),
        )

    def to_dict(self) -> dict[str, Any]:
        """The event as plain data."""
        return {
            "type": self.event_type,
            "thread_id": self.thread_id,
            "user_id": self.user_id,
            "request_id": self.request_id,
            "run_id": self.run_id,
            "websocket_client_id": self.websocket_client_id,
            "timestamp": self.timestamp.isoformat() if self.timestamp else None,
            "data": self.data,
            "message_id": self.message_id,
        }


def _moment(value: Any) -> Optional[datetime]:
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, (int, float)):
            return datetime.fromtimestamp(value, timezone.utc)
        return datetime.fromisoformat(value.replace("Z", "+00:00")) if isinstance(value, str) else None
    except (ValueError, OverflowError, OSError):
        return None


@dataclass
class ValidationResult:
    """What was found. ``business_value_score`` (0 to 100) and ``revenue_impact`` follow from the events, whatever is passed."""

    is_valid: bool
    error_message: Optional[str] = None
    warning_message: Optional[str] = None
    criticality: EventCriticality = EventCriticality.OPERATIONAL
    business_impact: Optional[str] = None
    missing_critical_events: set[str] = field(default_factory=set)
    received_events: list[str] = field(default_factory=list)
    event_timing: dict[str, float] = field(default_factory=dict)
    business_value_score: float = 0.0
    revenue_impact: str = "NONE"
    validation_timestamp: datetime = field(default_factory=lambda: datetime.now(timezone.utc))

    def __post_init__(self) -> None:
        critical = get_critical_event_types()
        self.business_value_score = 100.0 * len(critical.intersection(self.received_events)) / len(critical)
        missing = len(self.missing_critical_events)
        self.revenue_impact = ("NONE", "LOW", "MEDIUM", "HIGH")[min(missing, 3)]
        if "agent_completed" in self.missing_critical_events:
            self.revenue_impact = "CRITICAL"


def create_structured_log_data(
    event_type: str,
    user_id: str,
    error_type: str = "unknown",
    business_impact: str = "unknown",
    revenue_risk: str = "NONE",
    remediation_action: str = "No action specified",
    **more: Any,
) -> dict[str, Any]:
    """What a log line about an event says, as data."""
    return {
        "event_type": event_type,
        "user_id": user_id,
        "error_type": error_type,
        "business_impact": business_impact,
        "revenue_risk": revenue_risk,
        "remediation_action": remediation_action,
        "timestamp": datetime.now(timezone.utc).isoformat(),
        **more,
    }


def get_business_aware_log_level(criticality: EventCriticality, missing_events: int = 0, security_breach: bool = False) -> int:
    """The level at which a finding is logged."""
    if security_breach:
        return logging.CRITICAL
    if criticality is EventCriticality.MISSION_CRITICAL:
        return (logging.INFO, logging.WARNING, logging.CRITICAL)[min(missing_events, 2)]
    return logging.ERROR if missing_events >= 3 else logging.WARNING if missing_events else logging.INFO


def get_enhanced_error_message(base_error: str, event_type: str, context: Mapping[str, Any]) -> str:
    """An error with the event it is about and what else is known."""
    known = ", ".join(f"{name}={value}" for name, value in (context or {}).items())
    return f"{base_error} [event: {event_type}{', ' + known if known else ''}]"
