"""The strictly typed context, states, counts and events."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from compat.netra.components.agents import execution_types as types
from compat.netra.components.context import UserExecutionContext

NOW = datetime(2025, 9, 14, tzinfo=timezone.utc)


def make(**fields: Any) -> types.StronglyTypedUserExecutionContext:
    ids = {"user_id": "user_1", "thread_id": "thread_1", "run_id": "run_1", "request_id": "req_1"}
    return types.StronglyTypedUserExecutionContext(**{**ids, **fields})


@pytest.mark.parametrize("value", ["", " ", None, 7])
def test_identifiers_are_required(value: object) -> None:
    with pytest.raises(types.ContextValidationError) as caught:
        make(run_id=value)
    assert str(caught.value) == f"Invalid run_id: {value}"


FORBIDDEN = "test_user mock_user Placeholder default EXAMPLE test_thread mock_thread test_run mock_run test_request mock_request None null"


@pytest.mark.parametrize("value", FORBIDDEN.split(" "))
def test_placeholders_are_refused(value: str) -> None:
    with pytest.raises(types.ContextValidationError) as caught:
        make(user_id=value)
    assert str(caught.value) == f"Forbidden placeholder value in user_id: {value}"


def test_other_words_are_identifiers() -> None:
    assert make(user_id="undefined").user_id == "undefined" and make(user_id="test_user_1").user_id == "test_user_1"


@pytest.mark.parametrize("name", ["agent_context", "audit_metadata"])
@pytest.mark.parametrize("value", [None, "x", []])
def test_data_is_in_dictionaries(name: str, value: Any) -> None:
    with pytest.raises(types.ContextValidationError, match=f"^{name} must be a dictionary$"):
        make(**{name: value})


@pytest.mark.parametrize("depth", [-1, 11])
def test_the_depth_is_bounded(depth: int) -> None:
    with pytest.raises(types.ContextValidationError, match=rf"^Invalid operation_depth: {depth} \(must be 0-10\)$"):
        make(operation_depth=depth)
    with pytest.raises(types.ContextValidationError, match=r"^Invalid operation_depth: 11 \(must be 0-10\)$"):
        make(operation_depth=10).create_child_context()


def test_another_users_data_is_refused() -> None:
    with pytest.raises(types.IsolationViolationError, match="agent_context names user 'user_2'"):
        make(agent_context={"user_id": "user_2"})


def test_children_and_former_names() -> None:
    parent = make(websocket_client_id="ws_1", agent_context={"a": 1}, audit_metadata={"a": 2})
    assert parent.websocket_id == parent.websocket_connection_id == "ws_1"
    assert parent.metadata == {"a": 2}
    child = parent.create_child_context()
    assert (child.operation_depth, child.parent_request_id) == (1, "req_1")
    assert str(uuid.UUID(child.request_id)) == child.request_id
    assert parent.create_child_context("req_9").request_id == "req_9"
    with pytest.raises(AttributeError):
        parent.user_id = "x"  # type: ignore[misc]


def test_contexts_are_upgraded_and_downgraded() -> None:
    old = UserExecutionContext(user_id="user_1", thread_id="thread_1", run_id="run_1", agent_context={"a": 1})
    typed = types.upgrade_legacy_context(old)
    assert (typed.user_id, typed.request_id, typed.agent_context) == ("user_1", old.request_id, {"a": 1})
    assert types.upgrade_legacy_context(typed) is typed
    plain = types.downgrade_to_legacy_context(typed)
    assert list(plain) == [
        "user_id",
        "thread_id",
        "run_id",
        "request_id",
        "websocket_client_id",
        "db_session",
        "agent_context",
        "audit_metadata",
        "operation_depth",
        "parent_request_id",
        "created_at",
    ]
    assert types.upgrade_legacy_context(plain) == typed
    for legacy in (None, {"thread_id": "thread_1"}):
        with pytest.raises(ValueError, match="^Invalid user_id: None$"):
            types.upgrade_legacy_context(legacy)
    with pytest.raises(ValueError, match="^Invalid run_id format: alice$"):
        types.upgrade_legacy_context({"user_id": "user_1", "thread_id": "thread_1", "run_id": "alice"})
    with pytest.raises(AttributeError):
        types.downgrade_to_legacy_context(None)  # type: ignore[arg-type]


def test_counts() -> None:
    metrics = types.AgentExecutionMetrics("e", "triage", NOW)
    assert (metrics.duration_seconds, metrics.success_rate) == (None, 1.0)
    metrics.end_time = NOW + timedelta(seconds=2)
    metrics.total_tool_calls, metrics.successful_tool_calls = 4, 3
    assert (metrics.duration_seconds, metrics.success_rate) == (2.0, 0.75)


def test_events_as_plain_values() -> None:
    pytest.importorskip("pydantic", reason="the server extra is not installed")
    event = types.StronglyTypedWebSocketEvent(
        event_type="agent_started", user_id="user_1", thread_id="t", request_id="r", timestamp=NOW
    )
    values = event.to_legacy_dict()
    assert values["event_id"].startswith("evt_")
    assert (
        types.StronglyTypedWebSocketEvent(
            event_type="x", user_id="user_1", thread_id="t", request_id="r", websocket_id="conn_1"
        ).websocket_id
        == "conn_1"
    )
    with pytest.raises(ValueError, match="Invalid websocket_id format: w"):
        types.StronglyTypedWebSocketEvent(event_type="x", user_id="user_1", thread_id="t", request_id="r", websocket_id="w")
    assert (values["type"], values["priority"], values["timestamp"]) == ("agent_started", "normal", NOW.isoformat())


def test_tools() -> None:
    pytest.importorskip("pydantic", reason="the server extra is not installed")
    request = types.ToolExecutionRequest(tool_name="search", execution_id="e", user_context=make())
    assert request.retry_on_failure
    result = types.ToolExecutionResult(
        tool_name="search", execution_id="e", state="completed", start_time=NOW, end_time=NOW + timedelta(seconds=1)
    )
    assert result.is_success
    assert result.duration_seconds == 1.0


def test_agents_to_make_have_names_and_time() -> None:
    assert types.AgentCreationRequest("triage", "agent_1", make()).websocket_enabled
    with pytest.raises(ValueError, match="agent_name cannot be empty"):
        types.AgentCreationRequest(" ", "agent_1", make())
    with pytest.raises(ValueError, match="tool_timeout_seconds must be positive, got: 0"):
        types.AgentCreationRequest("triage", "agent_1", make(), tool_timeout_seconds=0)


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        types.Nothing
