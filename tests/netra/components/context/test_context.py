"""The user execution context: checked, frozen, verified, its own copies, its children, its dependencies."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import logging
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from compat.netra.components.context import (
    ContextIsolationError,
    InvalidContextError,
    UserExecutionContext,
    clear_shared_object_registry,
    register_shared_object,
)
from compat.netra.components.ids import UnifiedIdGenerator, UnifiedIDManager


def make(**fields: Any) -> UserExecutionContext:
    return UserExecutionContext(**{"user_id": "user_1", "thread_id": "thread_1", "run_id": "run_1", **fields})


@pytest.fixture(autouse=True)
def no_shared_objects() -> Iterator[None]:
    clear_shared_object_registry()
    yield
    clear_shared_object_registry()


def test_request_id_and_time_are_made() -> None:
    context = make()
    assert context.request_id.startswith("user_request_")
    assert context.created_at.tzinfo is not None
    assert (context.operation_depth, context.parent_request_id, context.db_session) == (0, None, None)


def test_it_is_frozen_and_hashable() -> None:
    context = make()
    with pytest.raises(dataclasses.FrozenInstanceError):
        context.user_id = "user_2"  # type: ignore[misc]
    assert {context: 1}[context] == 1


@pytest.mark.parametrize("field", ["user_id", "thread_id", "run_id", "request_id"])
@pytest.mark.parametrize("value", ["", "   ", None, 17])
def test_identifiers_are_non_empty_strings(field: str, value: object) -> None:
    with pytest.raises(InvalidContextError) as caught:
        make(**{field: value})
    assert str(caught.value) == f"Required field '{field}' must be a non-empty string, got: {value!r}"


@pytest.mark.parametrize("value", ["placeholder", "Default", "NONE", "0", "xxx", "test", "dummy"])
def test_placeholders_are_refused(value: str) -> None:
    with pytest.raises(InvalidContextError) as caught:
        make(user_id=value)
    prevents = "This prevents proper request isolation."
    assert str(caught.value) == f"Field 'user_id' contains forbidden placeholder value: '{value}'. {prevents}"


@pytest.mark.parametrize("word", ["placeholder", "temp", "registry", "example", "demo", "sample", "template", "mock", "fake"])
def test_defaults_that_stand_for_nothing_are_refused(word: str) -> None:
    with pytest.raises(InvalidContextError) as caught:
        make(run_id=f"default_{word}")
    assert str(caught.value) == (
        f"Field 'run_id' contains forbidden default placeholder pattern: 'default_{word}'. "
        "This prevents proper request isolation."
    )


@pytest.mark.parametrize("value", ["placeholder_1", "registry_x", "Temp_9", "mock_user", "default_x"])
def test_short_values_that_begin_like_placeholders_are_refused(value: str) -> None:
    with pytest.raises(InvalidContextError) as caught:
        make(thread_id=value)
    indicates = "This indicates improper context initialization."
    assert str(caught.value) == f"Field 'thread_id' appears to contain placeholder pattern: '{value}'. {indicates}"


@pytest.mark.parametrize("value", ["default_user", "default_admin", "mock_of_a_long_real_name", "test_user_1"])
def test_named_defaults_long_names_and_test_names_in_tests_are_accepted(value: str) -> None:
    assert make(user_id=value).user_id == value


def test_test_names_are_refused_outside_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTEST_CURRENT_TEST", "TESTING", "TEST_MODE", "ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InvalidContextError, match="appears to contain placeholder pattern: 'test_user_1'"):
        make(user_id="test_user_1")


def test_mappings_are_copied_deeply() -> None:
    given = {"nested": {"a": 1}}
    context = make(agent_context=given)
    given["nested"]["a"] = 2
    assert context.agent_context == {"nested": {"a": 1}}


def test_what_cannot_be_copied_is_kept() -> None:
    lock = threading.Lock()
    assert make(agent_context={"lock": lock}).agent_context["lock"] is lock


@pytest.mark.parametrize("field", ["agent_context", "audit_metadata"])
def test_mappings_are_dictionaries_without_reserved_keys(field: str) -> None:
    with pytest.raises(InvalidContextError, match=f"{field} must be a dictionary, got: <class 'str'>"):
        make(**{field: "x"})
    with pytest.raises(InvalidContextError, match=rf"^{field} contains reserved keys: {{'run_id', 'user_id'}}\."):
        make(**{field: {"user_id": "u", "run_id": "r"}})


def test_audit_data_is_the_contexts_own_over_what_is_given() -> None:
    context = make(
        audit_metadata={"source": "api", "context_version": "7", "isolation_verified": False},
        operation_depth=2,
        parent_request_id="req_0",
    )
    assert context.audit_metadata == {
        "source": "api",
        "context_created_at": context.created_at.isoformat(),
        "context_version": "1.0",
        "isolation_verified": True,
        "operation_depth": 2,
        "parent_request_id": "req_0",
    }
    assert "parent_request_id" not in make().audit_metadata


def test_errors_of_contexts_are_value_errors() -> None:
    assert issubclass(InvalidContextError, ValueError)
    with pytest.raises(ValueError, match="^Component name cannot be empty$"):
        make().get_scoped_key("")
    for name in ("", None, 7):
        with pytest.raises(ValueError, match="^dependency_name must be a non-empty string$"):
            make().set_dependency(name, object())  # type: ignore[arg-type]
    make().set_dependency(" ", object())


def test_a_context_remembers_how_it_was_made() -> None:
    context = make()
    (memory,) = context._memory_refs
    assert sorted(memory) == ["creation_stack_summary", "creation_time", "fingerprint", "gc_count", "weak_ref"]
    assert memory["weak_ref"]() is context
    # Where the drop-in is active its forwarder is a caller, too.
    assert any(line.startswith(__file__) for line in memory["creation_stack_summary"])
    text = f"user_1:thread_1:{context.request_id}:{context._isolation_token}"
    assert memory["fingerprint"] == context._validation_fingerprint == hashlib.sha256(text.encode()).hexdigest()[:16]
    for other in (copy.deepcopy(context), pickle.loads(pickle.dumps(context)), context.create_child_context("x")):
        assert len(other._memory_refs) == 1 and other._memory_refs[0]["weak_ref"]() is other
        assert other.verify_isolation()


def test_a_client_of_another_user_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    make(websocket_client_id="ws_client_user_1_17")
    make(websocket_client_id="ws_17")
    for user_id in ("user-123456789", "user_123456789"):
        make(user_id=user_id, websocket_client_id=UnifiedIdGenerator.generate_websocket_client_id(user_id))
    assert caplog.text == ""
    make(websocket_client_id="ws_user2_17")
    assert "POTENTIAL ISOLATION ISSUE" in caplog.text


def test_a_run_of_another_thread_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        make(run_id=UnifiedIDManager.generate_run_id("thread_2"))
    assert "for thread 'thread_2', the context is for thread 'thread_1'" in caplog.text
    caplog.clear()
    make(run_id=UnifiedIDManager.generate_run_id("thread_1"))
    assert caplog.text == ""


def test_another_users_object_is_refused() -> None:
    with pytest.raises(
        ContextIsolationError,
        match=(r"^Cross-user contamination detected in agent_context\['other'\]: expected user_id user_1, found user_2$"),
    ):
        make(agent_context={"other": make(user_id="user_2")})
    assert make(agent_context={"mine": make()}).verify_isolation()


def test_shared_objects_fail_verification() -> None:
    context = make(agent_context={"list": [1]})
    assert context.verify_isolation()
    register_shared_object(context.agent_context["list"])
    with pytest.raises(ContextIsolationError, match=r"agent_context\['list'\] is shared between contexts"):
        context.verify_isolation()
    clear_shared_object_registry()
    assert context.verify_isolation()


def test_a_shared_session_fails_verification() -> None:
    context = make(db_session=object())
    register_shared_object(context.db_session)
    try:
        with pytest.raises(ContextIsolationError, match="^Database session is shared between contexts$"):
            context.verify_isolation()
    finally:
        clear_shared_object_registry()


def test_forced_changes_of_identifiers_are_found() -> None:
    context = make()
    object.__setattr__(context, "user_id", "user_2")
    with pytest.raises(ContextIsolationError, match="identifiers of this context were changed"):
        context.verify_isolation()


def test_child_contexts_go_one_level_deeper() -> None:
    parent = make(agent_context={"a": 1}, websocket_client_id="ws_1", db_session=object())
    child = parent.create_child_context("analyze", {"b": 2}, {"c": 3})
    assert (child.user_id, child.thread_id, child.run_id) == (parent.user_id, parent.thread_id, parent.run_id)
    assert child.request_id != parent.request_id
    assert (child.parent_request_id, child.operation_depth) == (parent.request_id, 1)
    assert child.db_session is parent.db_session
    assert child.websocket_client_id == "ws_1"
    assert child.agent_context["operation_name"] == "analyze"
    assert child.agent_context["parent_operation"] == "root"
    assert (child.agent_context["a"], child.agent_context["b"], child.audit_metadata["c"]) == (1, 2, 3)
    assert "b" not in parent.agent_context
    assert child.create_child_context("deeper").agent_context["parent_operation"] == "analyze"
    mine = parent.create_child_context("analyze", {"operation_name": "mine", "operation_depth": 9}, {"operation_name": "audit"})
    assert (mine.agent_context["operation_name"], mine.agent_context["operation_depth"]) == ("mine", 9)
    assert mine.audit_metadata["operation_name"] == "audit"
    assert mine.request_id.startswith("user_request_")
    assert child.verify_isolation()


def test_children_end_at_depth_ten() -> None:
    context = make()
    for _ in range(10):
        context = context.create_child_context("step")
    with pytest.raises(InvalidContextError, match=r"Maximum operation depth \(10\) exceeded\. Current depth: 10"):
        context.create_child_context("step")
    with pytest.raises(InvalidContextError, match="operation_name must be a non-empty string"):
        make().create_child_context(" ")


def test_session_and_connection_are_added_to_a_copy() -> None:
    context = make()
    session = object()
    assert context.with_db_session(session).db_session is session
    assert context.with_websocket_connection("ws_1").websocket_connection_id == "ws_1"
    assert context.db_session is None
    with pytest.raises(InvalidContextError, match="db_session cannot be None"):
        context.with_db_session(None)
    with pytest.raises(InvalidContextError, match="connection_id must be a non-empty string"):
        context.with_websocket_connection("")


def test_plain_values() -> None:
    context = make(agent_context={"a": 1, "x": "agent"}, audit_metadata={"x": "audit"}, db_session=object())
    values = context.to_dict()
    assert list(values) == [
        "user_id",
        "thread_id",
        "run_id",
        "request_id",
        "created_at",
        "operation_depth",
        "parent_request_id",
        "has_db_session",
        "websocket_client_id",
        "agent_context",
        "audit_metadata",
        "websocket_connection_id",
        "metadata",
        "implementation",
        "compatibility_layer_active",
    ]
    assert values["has_db_session"] is True
    assert "db_session" not in values
    assert values["metadata"]["x"] == "audit"
    assert values["implementation"] == "services_with_supervisor_compatibility"
    assert values["compatibility_layer_active"] is True
    values["agent_context"]["a"] = 2
    assert context.agent_context["a"] == 1
    assert context.get_correlation_id() == "user_1:thread_1:run_1:user_req"
    assert context.get_scoped_key("cache") == f"cache:user_1:{context.request_id}"
    trail = context.get_audit_trail()
    assert (trail["correlation_id"], trail["has_websocket"]) == (context.get_correlation_id(), False)
    assert trail["context_age_seconds"] >= 0


def test_dependencies_are_held_and_follow() -> None:
    context = make()
    assert context.get_llm_manager() is None
    context.set_dependency("llm_manager", "llm")
    assert context.get_llm_manager() == "llm"
    assert context.create_child_context("x").has_dependency("llm_manager")
    context.set_dependency("my_bridge", "bridge")
    context.set_dependency("websocket_emitter", "emitter")
    context.set_dependency("redis_client", "redis")
    assert context.get_available_dependencies() == ["llm_manager", "my_bridge", "redis_client"]
    assert context.remove_dependency("llm_manager")
    assert not context.remove_dependency("llm_manager")
    assert context.to_execution_context().run_id == "run_1"


def test_copies_and_pickles_are_equal() -> None:
    context = make(agent_context={"a": [1]})
    assert copy.deepcopy(context) == context
    assert pickle.loads(pickle.dumps(context)) == context
