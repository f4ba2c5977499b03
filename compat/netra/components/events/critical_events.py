"""Whether a user got the events that matter: fields, owner, completeness, order, and what missing ones cost."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, Optional, Union

from compat.canonical.core.logged import get_logger
from compat.netra.components.bounded import Newest, append
from compat.netra.components.process_wide import only

from ..connections.manager_calls import is_canonical
from ..environment import get_env
from .critical_event_types import REVENUE_IMPACT_THRESHOLDS as REVENUE_IMPACT_THRESHOLDS
from .critical_event_types import SLA_BATCH_VALIDATION_MS as SLA_BATCH_VALIDATION_MS
from .critical_event_types import (
    SLA_CRITICAL_EVENT_GAP_SEC,
    EventCriticality,
    ValidationResult,
    WebSocketEventMessage,
    criticality_of,
    get_business_aware_log_level,
    get_critical_event_types,
)
from .critical_event_types import SLA_INDIVIDUAL_VALIDATION_MS as SLA_INDIVIDUAL_VALIDATION_MS
from .critical_event_types import CriticalAgentEventType as CriticalAgentEventType
from .critical_event_types import create_structured_log_data as create_structured_log_data
from .critical_event_types import get_enhanced_error_message as get_enhanced_error_message

logger = get_logger(__name__)

Event = Union[WebSocketEventMessage, Mapping[str, Any]]
_FIELDS = frozenset({"run_id", "agent_name", "timestamp", "payload"})
_CRITICAL = EventCriticality.MISSION_CRITICAL
#: What in an event's data names whom: the key, and what it is called.
_NAMED_BY = {
    "agent_started": ("agent", "agent identifier"),
    "agent_completed": ("agent", "agent identifier"),
    "tool_executing": ("tool", "tool identifier"),
    "tool_completed": ("tool", "tool identifier"),
}


def _is_blank(value: Any) -> bool:
    return not isinstance(value, str) or not value.strip()


class UnifiedEventValidator:
    """Checks single events (:meth:`validate_event`) and whole runs (:meth:`record_event`, then :meth:`perform_full_validation`).

    Without ``strict_mode`` one of the five events may be missing; ``timeout_seconds`` is how long a run may take.
    """

    MISSION_CRITICAL_EVENTS = get_critical_event_types()
    EVENT_SCHEMAS = {
        **dict.fromkeys((*sorted(get_critical_event_types()), "agent_error"), _FIELDS),
        "progress_update": frozenset({"run_id", "timestamp", "payload"}),
    }

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
        self.env = get_env()
        self.reset_stats()

    def reset_stats(self) -> None:
        """Forget the counts and every recorded event."""
        self.validation_stats: dict[str, Any] = {
            "total_validations": 0,
            "failed_validations": 0,
            "mission_critical_failures": 0,
            "last_reset": datetime.now(timezone.utc),
        }
        self.received_events: list[WebSocketEventMessage] = []
        self.event_timestamps: dict[str, float] = Newest(1000)
        self.validation_start_time = time.time()
        self.critical_events_received: set[str] = set()
        self.event_sequence: list[str] = []

    # -- single events --------------------------------------------------------------------------------------------------

    def validate_with_mode(
        self, event_or_events: Any, user_id: Optional[str] = None, connection_id: Optional[str] = None
    ) -> ValidationResult:
        """Check one event in mode ``realtime``, a list of them in mode ``sequence``."""
        if self.validation_mode == "realtime":
            if not isinstance(event_or_events, dict):
                return ValidationResult(False, "Realtime mode requires single event dict", criticality=_CRITICAL)
            return self.validate_event(event_or_events, user_id, connection_id)
        if self.validation_mode == "sequence":
            if not isinstance(event_or_events, list):
                return ValidationResult(False, "Sequence mode requires list of events", criticality=_CRITICAL)
            for event in event_or_events:
                self.record_event(event)
            return self.perform_full_validation()
        return ValidationResult(False, f"Unknown validation mode: {self.validation_mode}", criticality=_CRITICAL)

    def validate_event(self, event: Any, user_id: Optional[str] = None, connection_id: Optional[str] = None) -> ValidationResult:
        """Check one event: structure, fields, content, owner. A good one is recorded; the first fault is returned."""
        self.validation_stats["total_validations"] += 1
        try:
            found = self._first_fault(event, user_id)
            if found is None:
                self.record_event(event)
                return ValidationResult(True, criticality=criticality_of(event["type"]), received_events=[event["type"]])
        except Exception as error:
            found = ValidationResult(
                False,
                f"Validation system failure: {error}",
                criticality=_CRITICAL,
                business_impact="Event validation system failure - all events at risk",
            )
        self.validation_stats["failed_validations"] += 1
        level = logging.CRITICAL if found.criticality is _CRITICAL else get_business_aware_log_level(found.criticality, 1)
        log = getattr(logger, logging.getLevelName(level).lower())
        log(f"Event validation failed: {found.error_message}")
        return found

    def _first_fault(self, event: Any, user_id: Any) -> Optional[ValidationResult]:
        found = self._validate_basic_structure(event)
        if not found.is_valid:
            return found
        kind = event["type"]
        found = self._validate_event_type(event, kind)
        if found.is_valid and kind in self.MISSION_CRITICAL_EVENTS:
            found = self._validate_mission_critical_event(event, kind)
            if not found.is_valid:
                self.validation_stats["mission_critical_failures"] += 1
        if found.is_valid:
            found = self._validate_user_context(event, user_id)
        return None if found.is_valid else found

    def _validate_basic_structure(self, event: Any) -> ValidationResult:
        text = None
        if not isinstance(event, dict):
            text = "Event is not a dictionary"
        elif "type" not in event:
            text = "Event missing required 'type' field"
        elif not isinstance(event["type"], str) or not event["type"]:
            text = "Event 'type' field is empty or not a string"
        return ValidationResult(text is None, text, criticality=_CRITICAL)

    def _validate_event_type(self, event: Mapping[str, Any], event_type: str) -> ValidationResult:
        missing = set(self.EVENT_SCHEMAS.get(event_type, ())) - set(event)
        critical = criticality_of(event_type)
        if not missing:
            return ValidationResult(True, criticality=critical)
        impact = f"Incomplete {event_type} event - user experience degraded"
        return ValidationResult(False, f"Event missing required fields: {missing}", criticality=critical, business_impact=impact)

    def _validate_mission_critical_event(self, event: Mapping[str, Any], event_type: str) -> ValidationResult:
        text = None
        if _is_blank(event.get("run_id")):
            text = "missing valid run_id"
        elif event_type.startswith(("agent_", "tool_")) and _is_blank(event.get("agent_name")):
            text = "missing valid agent_name"
        elif not isinstance(event.get("payload"), (dict, type(None))):
            text = "has invalid payload structure"
        if text is None:
            return ValidationResult(True, criticality=_CRITICAL)
        return ValidationResult(
            False,
            f"Mission critical event {event_type} {text}",
            criticality=_CRITICAL,
            business_impact=f"The user does not see {event_type}",
        )

    def _validate_user_context(self, event: Mapping[str, Any], user_id: Any) -> ValidationResult:
        if _is_blank(user_id):
            return ValidationResult(
                False, "Invalid user_id for event routing", criticality=_CRITICAL, business_impact="The event reaches nobody"
            )
        owner = event.get("user_id")
        if owner and owner != user_id:
            return ValidationResult(
                False,
                f"Event contains different user_id ({owner}) than target ({user_id[:8]}...)",
                criticality=_CRITICAL,
                business_impact="SECURITY BREACH: an event of one user would reach another",
            )
        return ValidationResult(True)

    def validate_connection_ready(self, user_id: str, connection_id: str, websocket_manager: Any = None) -> ValidationResult:
        """Check that a manager has the connection that events go to."""
        for value, text in (
            (not _is_blank(user_id), "Empty or invalid user_id"),
            (not _is_blank(connection_id), "Empty or invalid connection_id"),
            (websocket_manager is not None, "WebSocket manager not available"),
        ):
            if not value:
                return ValidationResult(False, text, criticality=_CRITICAL)
        try:
            if is_canonical(websocket_manager):
                active = websocket_manager.is_connected
            else:
                ask = getattr(websocket_manager, "is_connection_active", None)
                active = ask(connection_id) if ask is not None else True
        except Exception as error:
            warning = f"Could not verify connection status: {error}"
            logger.warning(warning)
            return ValidationResult(True, warning_message=warning)
        if not active:
            text = f"Connection {connection_id} is not active"
            return ValidationResult(False, text, criticality=EventCriticality.BUSINESS_VALUE)
        return ValidationResult(True)

    # -- whole runs -----------------------------------------------------------------------------------------------------

    def record_event(self, event: Event) -> bool:
        """Add an event of the run; False for what is no event."""
        try:
            message = event if isinstance(event, WebSocketEventMessage) else WebSocketEventMessage.from_dict(event)
            kind = message.event_type
            append(self.received_events, message)
            self.event_timestamps[kind] = time.time()
            append(self.event_sequence, kind)
            if kind in self.MISSION_CRITICAL_EVENTS:
                self.critical_events_received.add(kind)
            return True
        except Exception as error:
            logger.error(f"Failed to record event: {error}")
            return False

    def validate_event_sequence(self) -> tuple[bool, list[str]]:
        """Whether runs and tools start before they complete."""
        errors = []
        for later, earlier in (("agent_completed", "agent_started"), ("tool_completed", "tool_executing")):
            both = [kind for kind in dict.fromkeys(self.event_sequence) if kind in (later, earlier)]
            if both == [later, earlier]:
                errors.append(f"{later} received before {earlier}")
        return not errors, errors

    def validate_event_timing(self) -> tuple[bool, list[str]]:
        """Whether the run ended in time, without long silences between critical events."""
        errors = []
        times = self.event_timestamps
        if "agent_started" in times and "agent_completed" in times:
            spent = times["agent_completed"] - times["agent_started"]
            if spent > self.timeout_seconds:
                errors.append(f"Agent execution exceeded timeout: {spent:.2f}s > {self.timeout_seconds}s")
        critical = sorted((kind for kind in times if kind in self.MISSION_CRITICAL_EVENTS), key=times.__getitem__)
        for before, after in zip(critical, critical[1:]):
            gap = times[after] - times[before]
            if gap > SLA_CRITICAL_EVENT_GAP_SEC:
                errors.append(f"Long gap between {before} and {after}: {gap:.2f}s")
        return not errors, errors

    def validate_event_content(self) -> tuple[bool, list[str]]:
        """Whether events name their agent or tool in ``data``."""
        errors = []
        for message in self.received_events:
            key, called = _NAMED_BY.get(message.event_type, ("", ""))
            if not key:
                continue
            if not message.data:
                errors.append(f"{message.event_type} event missing data field")
            elif not message.data.get(key):
                errors.append(f"{message.event_type} event missing {called}")
        return not errors, errors

    def perform_full_validation(self) -> ValidationResult:
        """Check the run so far: the five events, their order, time and content."""
        missing = self.get_missing_critical_events()
        checks = (self.validate_event_sequence(), self.validate_event_timing(), self.validate_event_content())
        errors = [text for _, texts in checks for text in texts]
        if missing:
            errors.append(f"Missing critical events: {missing}")
        valid = all(ok for ok, _ in checks) and len(missing) <= (0 if self.strict_mode else 1)
        return ValidationResult(
            is_valid=valid,
            error_message="; ".join(errors) or None,
            criticality=_CRITICAL if missing else EventCriticality.OPERATIONAL,
            business_impact=f"Users do not see: {', '.join(sorted(missing))}" if missing else None,
            missing_critical_events=missing,
            received_events=list(self.event_sequence),
            event_timing=dict(self.event_timestamps),
        )

    def wait_for_critical_events(self, timeout: Optional[float] = None) -> bool:
        """Block until all five have been recorded; False after the timeout."""
        ends = time.time() + (self.timeout_seconds if timeout is None else timeout)
        while self.get_missing_critical_events():
            if time.time() >= ends:
                return False
            time.sleep(0.1)
        return True

    def get_required_critical_events(self) -> set[str]:
        """The events that must come."""
        return set(self.MISSION_CRITICAL_EVENTS)

    def get_missing_critical_events(self) -> set[str]:
        """Those that have not come yet."""
        return set(self.MISSION_CRITICAL_EVENTS) - self.critical_events_received

    def get_validation_stats(self) -> dict[str, Any]:
        """Counts of checks and events; the rate of good ones in percent."""
        stats = self.validation_stats
        total, failed = stats["total_validations"], stats["failed_validations"]
        return {
            "total_validations": total,
            "failed_validations": failed,
            "mission_critical_failures": stats["mission_critical_failures"],
            "success_rate": (total - failed) / total * 100 if total else 100.0,
            "uptime_seconds": (datetime.now(timezone.utc) - stats["last_reset"]).total_seconds(),
            "last_reset": stats["last_reset"].isoformat(),
            "business_value_score": 100.0 * len(self.critical_events_received) / len(self.MISSION_CRITICAL_EVENTS),
            "critical_events_received": len(self.critical_events_received),
            "total_events_received": len(self.received_events),
        }


AgentEventValidator = UnifiedEventValidator
WebSocketEventValidator = UnifiedEventValidator
AgentEventValidationResult = ValidationResult

_validator: Optional[UnifiedEventValidator] = None


def get_websocket_validator() -> UnifiedEventValidator:
    """The process's validator, made at first use. It checks single events; runs belong in validators of their own."""
    return only(globals(), "_validator", lambda: UnifiedEventValidator(validation_mode="realtime"))


def reset_websocket_validator() -> None:
    """Forget the process's validator."""
    global _validator
    _validator = None


def validate_agent_events(
    events: Iterable[Event], user_context: Optional[Any] = None, strict_mode: bool = True
) -> ValidationResult:
    """Check the events of one run."""
    validator = UnifiedEventValidator(user_context, strict_mode, validation_mode="sequence")
    for event in events:
        validator.record_event(event)
    return validator.perform_full_validation()


def assert_critical_events_received(
    events: Iterable[Event], user_context: Optional[Any] = None, custom_error_message: Optional[str] = None
) -> None:
    """AssertionError, with what is missing, unless all five events have come as they should."""
    result = validate_agent_events(events, user_context, strict_mode=True)
    if result.is_valid:
        return
    raise AssertionError(
        custom_error_message
        or f"CRITICAL AGENT EVENTS VALIDATION FAILED - Revenue Impact: {result.revenue_impact}\n"
        f"Missing Events: {result.missing_critical_events}\n"
        f"Business Value Score: {result.business_value_score:.1f}%\n"
        f"Error Details: {result.error_message}"
    )


def create_mock_critical_events(
    user_id: str = "test-user",
    thread_id: str = "test-thread",
    agent_name: str = "test-agent",
    tool_name: str = "test-tool",
) -> list[WebSocketEventMessage]:
    """The five events of one run, in order, as a test needs them."""
    data: dict[str, dict[str, Any]] = {
        "agent_started": {"agent": agent_name, "status": "started"},
        "agent_thinking": {"agent": agent_name, "progress": "thinking"},
        "tool_executing": {"tool": tool_name, "status": "executing"},
        "tool_completed": {"tool": tool_name, "status": "completed", "result": "mock result"},
        "agent_completed": {"agent": agent_name, "status": "completed", "result": "mock agent result"},
    }
    return [
        WebSocketEventMessage(event_type=kind, thread_id=thread_id, user_id=user_id, data=inner) for kind, inner in data.items()
    ]
