"""The five events of a run are checked one by one and together, and what is found is told in the old words."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from typing import Any
from unittest.mock import Mock

import pytest

from compat.netra.components.events import critical_events
from compat.netra.components.events.critical_event_types import (
    EventCriticality,
    ValidationResult,
    WebSocketEventMessage,
    create_structured_log_data,
    get_business_aware_log_level,
    get_enhanced_error_message,
)
from compat.netra.components.events.critical_events import (
    UnifiedEventValidator,
    assert_critical_events_received,
    create_mock_critical_events,
    get_critical_event_types,
    validate_agent_events,
)

FIVE = ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"]


def event(kind: str = "agent_started", **changes: Any) -> dict[str, Any]:
    return {"type": kind, "run_id": "run_1", "agent_name": "a", "timestamp": 1.0, "payload": {}, **changes}


def test_what_a_result_is_worth_follows_from_its_events() -> None:
    assert ValidationResult(True, business_value_score=7.0).business_value_score == 0.0
    assert ValidationResult(True, received_events=[*FIVE[:3], "agent_started", "other"]).business_value_score == 60.0
    impacts = [ValidationResult(False, missing_critical_events=set(FIVE[:n])).revenue_impact for n in range(5)]
    assert impacts == ["NONE", "LOW", "MEDIUM", "HIGH", "HIGH"]
    assert ValidationResult(False, missing_critical_events={"agent_completed"}).revenue_impact == "CRITICAL"


def test_the_plain_form_of_an_event() -> None:
    message = WebSocketEventMessage("agent_started", data={"agent": "a"})
    assert message.timestamp.tzinfo is timezone.utc and message.message_id.startswith("msg_")
    plain = message.to_dict()
    assert list(plain) == [
        "type", "thread_id", "user_id", "request_id", "run_id", "websocket_client_id", "timestamp", "data", "message_id",
    ]  # fmt: skip
    assert WebSocketEventMessage.from_dict(plain) == message
    empty = WebSocketEventMessage.from_dict({"payload": {"x": 1}, "timestamp": "no time"})
    assert (empty.event_type, empty.data) == ("unknown", {}) and isinstance(empty.timestamp, datetime)


def test_what_a_validator_holds_from_the_start() -> None:
    validator = UnifiedEventValidator()
    assert UnifiedEventValidator.MISSION_CRITICAL_EVENTS == get_critical_event_types() == set(FIVE)
    assert set(UnifiedEventValidator.EVENT_SCHEMAS) == {*FIVE, "agent_error", "progress_update"}
    assert UnifiedEventValidator.EVENT_SCHEMAS["progress_update"] == {"run_id", "timestamp", "payload"}
    assert (validator.received_events, validator.event_timestamps, validator.critical_events_received) == ([], {}, set())
    assert (validator.event_sequence, validator.validation_mode, validator.timeout_seconds) == ([], "realtime", 30.0)
    assert validator.validation_stats["last_reset"].tzinfo is not None


@pytest.mark.parametrize(
    ("given", "text", "criticality"),
    [
        ("text", "Event is not a dictionary", "mission_critical"),
        ({}, "Event missing required 'type' field", "mission_critical"),
        ({"type": ""}, "Event 'type' field is empty or not a string", "mission_critical"),
        ({"type": 1}, "Event 'type' field is empty or not a string", "mission_critical"),
        ({"type": "progress_update", "run_id": 1, "timestamp": 1}, "Event missing required fields: {'payload'}", "business_value"),
        ({"type": "agent_error", "run_id": 1, "timestamp": 1, "payload": 1},
         "Event missing required fields: {'agent_name'}", "operational"),
        (event(run_id=" "), "Mission critical event agent_started missing valid run_id", "mission_critical"),
        (event("tool_executing", agent_name=None), "Mission critical event tool_executing missing valid agent_name",
         "mission_critical"),
        (event(payload=[]), "Mission critical event agent_started has invalid payload structure", "mission_critical"),
        (event(user_id="user_2"), "Event contains different user_id (user_2) than target (user_123...)", "mission_critical"),
    ],
)  # fmt: skip
def test_the_first_fault_of_an_event_is_told(given: Any, text: str, criticality: str, caplog) -> None:
    validator = UnifiedEventValidator()
    found = validator.validate_event(given, "user_12345")
    assert (found.is_valid, found.error_message, found.criticality.value) == (False, text, criticality)
    assert validator.get_validation_stats()["failed_validations"] == 1 and validator.received_events == []
    assert caplog.messages[-1] == f"Event validation failed: {text}"
    assert (caplog.records[-1].levelname == "CRITICAL") is (criticality == "mission_critical")


def test_the_level_of_a_fault_is_the_method_of_the_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    replaced = Mock()
    monkeypatch.setattr(critical_events, "logger", replaced)
    UnifiedEventValidator().validate_event(event(run_id=" "), "user_1")
    UnifiedEventValidator().validate_event({"type": "progress_update"}, "user_1")
    assert [name for name, *_ in replaced.mock_calls] == ["critical", "warning"]


def test_a_good_event_is_recorded() -> None:
    validator = UnifiedEventValidator()
    for kind in ("tool_executing", "custom", "agent_registered"):
        assert validator.validate_event(event(kind, payload=None), "user_1").received_events == [kind]
    assert validator.event_sequence == ["tool_executing", "custom", "agent_registered"]
    assert validator.critical_events_received == {"tool_executing"}
    criticalities = [validator.validate_event(event(k), "user_1").criticality.value for k in ("custom", "other", *FIVE[:1])]
    assert criticalities == ["business_value", "operational", "mission_critical"]
    blank = validator.validate_event(event(), " ")
    assert blank.error_message == "Invalid user_id for event routing"
    breach = validator.validate_event(event(user_id="user_2"), "user_1")
    assert "SECURITY BREACH" in breach.business_impact


def test_a_failure_of_the_check_itself_is_a_finding() -> None:
    validator = UnifiedEventValidator()
    validator._validate_event_type = Mock(side_effect=RuntimeError("broken"))
    found = validator.validate_event(event(), "user_1")
    assert found.error_message == "Validation system failure: broken"
    assert found.business_impact == "Event validation system failure - all events at risk"


def test_modes() -> None:
    realtime, sequence = UnifiedEventValidator(), UnifiedEventValidator(validation_mode="sequence")
    assert realtime.validate_with_mode([], "user_1").error_message == "Realtime mode requires single event dict"
    assert realtime.validate_with_mode(event(), "user_1").is_valid
    assert sequence.validate_with_mode({}, "user_1").error_message == "Sequence mode requires list of events"
    assert sequence.validate_with_mode(create_mock_critical_events(), "user_1").is_valid
    other = UnifiedEventValidator(validation_mode="x").validate_with_mode({}, "user_1")
    assert other.error_message == "Unknown validation mode: x"


def test_connections_are_asked_for_by_their_own_id() -> None:
    validator, manager = UnifiedEventValidator(), Mock()
    ask = validator.validate_connection_ready
    assert ask("", "c1", manager).error_message == "Empty or invalid user_id"
    assert ask("user_1", " ", manager).error_message == "Empty or invalid connection_id"
    assert ask("user_1", "c1").error_message == "WebSocket manager not available"
    manager.is_connection_active.return_value = False
    found = ask("user_1", "c1", manager)
    assert (found.error_message, found.criticality) == ("Connection c1 is not active", EventCriticality.BUSINESS_VALUE)
    manager.is_connection_active.assert_called_once_with("c1")
    manager.is_connection_active.side_effect = RuntimeError("broken")
    found = ask("user_1", "c1", manager)
    assert (found.is_valid, found.warning_message) == (True, "Could not verify connection status: broken")


def test_order_time_and_content_of_a_run() -> None:
    validator = UnifiedEventValidator(timeout_seconds=20)
    for kind in ("agent_completed", "tool_completed", "agent_started", "tool_executing"):
        validator.record_event({"type": kind, "data": {"x": 1} if kind == "agent_started" else {}})
    assert validator.validate_event_sequence() == (
        False, ["agent_completed received before agent_started", "tool_completed received before tool_executing"],
    )  # fmt: skip
    validator.event_timestamps = {"agent_started": 0.0, "agent_thinking": 1.0, "agent_completed": 21.0}
    assert validator.validate_event_timing() == (
        False,
        ["Agent execution exceeded timeout: 21.00s > 20s", "Long gap between agent_thinking and agent_completed: 20.00s"],
    )
    assert validator.validate_event_content() == (
        False,
        [
            "agent_completed event missing data field",
            "tool_completed event missing data field",
            "agent_started event missing agent identifier",
            "tool_executing event missing data field",
        ],
    )


def test_a_whole_run() -> None:
    events = create_mock_critical_events("user_1", "thread_1", "helper", "search")
    assert [one.event_type for one in events] == FIVE
    assert [one.data for one in events] == [
        {"agent": "helper", "status": "started"},
        {"agent": "helper", "progress": "thinking"},
        {"tool": "search", "status": "executing"},
        {"tool": "search", "status": "completed", "result": "mock result"},
        {"agent": "helper", "status": "completed", "result": "mock agent result"},
    ]
    result = validate_agent_events(events)
    assert (result.is_valid, result.business_value_score, result.received_events) == (True, 100.0, FIVE)
    assert set(result.event_timing) == set(FIVE)
    short = validate_agent_events(events[:-1])
    assert (short.is_valid, short.error_message) == (False, "Missing critical events: {'agent_completed'}")
    assert validate_agent_events(events[:-1], strict_mode=False).is_valid
    assert not validate_agent_events(events[:-2], strict_mode=False).is_valid


def test_an_assertion_says_what_is_missing_or_only_what_it_is_told() -> None:
    assert_critical_events_received(create_mock_critical_events())
    events = create_mock_critical_events()[:-1]
    with pytest.raises(AssertionError, match=r"^No end$"):
        assert_critical_events_received(events, custom_error_message="No end")
    with pytest.raises(AssertionError) as caught:
        assert_critical_events_received(events)
    assert str(caught.value).split("\n") == [
        "CRITICAL AGENT EVENTS VALIDATION FAILED - Revenue Impact: CRITICAL",
        "Missing Events: {'agent_completed'}",
        "Business Value Score: 80.0%",
        "Error Details: Missing critical events: {'agent_completed'}",
    ]


def test_counts_and_waiting() -> None:
    validator = UnifiedEventValidator()
    assert validator.get_validation_stats()["success_rate"] == 100.0
    validator.validate_event(event(), "user_1")
    validator.validate_event({}, "user_1")
    stats = validator.get_validation_stats()
    assert list(stats) == [
        "total_validations", "failed_validations", "mission_critical_failures", "success_rate", "uptime_seconds", "last_reset",
        "business_value_score", "critical_events_received", "total_events_received",
    ]  # fmt: skip
    assert (stats["success_rate"], stats["business_value_score"], stats["total_events_received"]) == (50.0, 20.0, 1)
    assert validator.wait_for_critical_events(timeout=0) is False
    for one in create_mock_critical_events():
        validator.record_event(one)
    assert validator.wait_for_critical_events() is True
    assert not validator.record_event(None)
    validator.reset_stats()
    assert (validator.received_events, validator.get_missing_critical_events()) == ([], set(FIVE))


def test_levels_and_data_of_log_lines() -> None:
    critical, other = EventCriticality.MISSION_CRITICAL, EventCriticality.OPERATIONAL
    assert get_business_aware_log_level(other, security_breach=True) == logging.CRITICAL
    assert [get_business_aware_log_level(critical, n) for n in range(4)] == [20, 30, 50, 50]
    assert [get_business_aware_log_level(other, n) for n in range(4)] == [20, 30, 30, 40]
    data = create_structured_log_data("agent_started", "user_1", run_id="r")
    assert (data["revenue_risk"], data["remediation_action"], data["run_id"]) == ("NONE", "No action specified", "r")
    assert get_enhanced_error_message("Lost", "agent_started", {"run_id": "r"}) == "Lost [event: agent_started, run_id=r]"


def test_the_validator_of_the_process() -> None:
    critical_events.reset_websocket_validator()
    first = critical_events.get_websocket_validator()
    assert critical_events.get_websocket_validator() is first
    critical_events.reset_websocket_validator()
    assert critical_events.get_websocket_validator() is not first
