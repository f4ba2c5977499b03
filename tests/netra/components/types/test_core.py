"""Typed identifiers are plain strings with checks; models need pydantic and say so."""

from __future__ import annotations

import subprocess
import sys
import uuid
from typing import Any

import pytest

from compat.netra.components import types
from compat.netra.components.ids import IDType, UnifiedIdGenerator


def test_a_typed_identifier_is_the_string_itself() -> None:
    text = "user_1"
    assert types.UserID(text) is text
    assert isinstance(text, types.UserID)
    assert not isinstance(7, types.UserID)
    assert types.UserID.__supertype__ is str
    assert types.UserID.__name__ == "UserID"


def test_typed_identifiers_make_new_ones() -> None:
    assert types.ensure_user_id(types.UserID.generate())
    assert types.ensure_thread_id(types.ThreadID.generate())
    assert types.ensure_run_id(types.RunID.generate())
    assert uuid.UUID(types.MessageID.generate())


def test_ensured_identifiers_come_back_stripped() -> None:
    assert types.ensure_user_id("  user_1 ") == "user_1"
    assert types.ensure_thread_id("user_1") == "user_1"
    assert types.ensure_websocket_id(None) is None


@pytest.mark.parametrize("value", ["test_user", "alice", "", "   ", None, 17, "run_thread_1_88830_1a14b873"])
def test_what_is_no_user_id_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="Invalid user_id"):
        types.ensure_user_id(value)


def test_the_refusal_names_field_and_value() -> None:
    with pytest.raises(ValueError) as caught:
        types.ensure_request_id("user_1_abcdef12")
    assert str(caught.value) == "Invalid request_id format: user_1_abcdef12"


@pytest.mark.parametrize(
    "text", ["user_1_abcdef12", "thread_1_1_abcdef12", "conn_websocket_1_abcdef12", "agent_1_abcdef12", "req_1_abcdef12", "run_1"]
)
def test_a_run_may_be_an_identifier_of_any_kind(text: str) -> None:
    assert types.ensure_run_id(text) == text


ENSURED = [types.ensure_user_id, types.ensure_thread_id, types.ensure_run_id, types.ensure_request_id, types.ensure_websocket_id]


@pytest.mark.parametrize("ensure", ENSURED)
@pytest.mark.parametrize("text", ["req_12345_abcdef12", "ABC-1-x", "test-user-protocol-validation", "sample_x", "fake_a_b"])
def test_identifiers_without_a_kind_are_of_every_kind(ensure: Any, text: str) -> None:
    assert ensure(text) == text


def test_a_request_that_names_a_kind_is_of_that_kind_or_a_request() -> None:
    text = "req_websocket_session_2_84e02bcc"
    assert types.ensure_request_id(text) == types.ensure_websocket_id(text) == text
    with pytest.raises(ValueError, match=f"^Invalid user_id format: {text}$"):
        types.ensure_user_id(text)


def test_what_the_generator_makes_is_accepted() -> None:
    made = UnifiedIdGenerator
    assert types.ensure_connection_id(made.generate_websocket_connection_id("user_1"))
    assert types.ensure_websocket_id(made.generate_websocket_client_id("user_1"))
    assert types.ensure_request_id(made.generate_user_context_ids("u", "websocket_session")[2])
    assert types.ensure_request_id(made.generate_base_id("user_request"))


def test_session_ids_are_uuids() -> None:
    text = str(uuid.uuid4())
    assert types.ensure_session_id(f" {text}") == text
    for bad in ("user_1", "session_1_abcdef12"):
        with pytest.raises(ValueError, match=rf"^Invalid session_id format \(must be UUID\): {bad}$"):
            types.ensure_session_id(bad)
    with pytest.raises(ValueError, match="^Invalid session_id: None$"):
        types.ensure_session_id(None)


def test_structured_form() -> None:
    assert types.normalize_to_structured_id("12345678-1234-4234-8234-123456789abc", IDType.USER).startswith("user_")
    with pytest.raises(ValueError, match="^Invalid ID format for normalization: alice$"):
        types.normalize_to_structured_id("alice", IDType.USER)


def test_dictionaries_of_typed_identifiers() -> None:
    assert types.to_string_dict({"a": types.UserID("user_1"), "b": 7, "c": None}) == {"a": "user_1", "b": "7", "c": "None"}
    assert types.from_string_dict({"a": "user_1", "n": "7"}, {"a": types.UserID, "n": int}) == {"a": "user_1", "n": 7}


def test_models_carry_typed_identifiers() -> None:
    pytest.importorskip("pydantic", reason="the server extra is not installed")
    message = types.WebSocketMessage(event_type="agent_started", user_id="user_1", thread_id="t", request_id="r")
    assert message.event_type is types.WebSocketEventType.AGENT_STARTED
    assert message.model_dump()["event_type"] == "agent_started"
    with pytest.raises(ValueError):
        types.WebSocketMessage(event_type="agent_started", user_id=7, thread_id="t", request_id="r")
    assert types.AuthValidationResult(valid=True).is_valid


def test_execution_contexts_check_and_normalize() -> None:
    pytest.importorskip("pydantic", reason="the server extra is not installed")
    made = types.create_execution_context_from_supervisor_style("run_1", "thread_1", "user_1", "triage", topic="x")
    assert (made.user_id, made.metadata) == ("user_1", {"agent_name": "triage", "topic": "x"})
    normal = types.create_strongly_typed_execution_context(
        "e", "a", str(uuid.uuid4()), "thread_1", "run_1", "req_1", normalize_ids=True
    )
    assert normal.user_id.startswith("user_")
    plain = types.create_strongly_typed_execution_context("e", "a", "alice", "t", "r", "q", websocket_id="w")
    assert (plain.user_id, plain.thread_id, plain.websocket_id) == ("alice", "t", "w")
    with pytest.raises(ValueError, match="^Invalid ID format for normalization: alice$"):
        types.create_strongly_typed_execution_context("e", "a", "alice", "thread_1", "run_1", "req_1", normalize_ids=True)


def test_without_pydantic_the_plain_part_works_and_models_name_the_extra() -> None:
    script = """
import sys
sys.modules["pydantic"] = None
from compat.netra.components import types
types.ensure_user_id("user_1")
try:
    types.WebSocketMessage
except ImportError as error:
    print(error)
"""
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.strip().endswith("need pydantic: pip install 'netra-compat[server]'")


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match=r"module 'compat\.netra\.components\.types' has no attribute 'Nothing'"):
        types.Nothing
