"""The user execution context: checked, frozen, its own copies, and everything made from it."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import logging
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from compat.netra.components.context import (
    ContextIsolationError,
    InvalidContextError,
    UserContextFactory,
    UserExecutionContext,
    clear_shared_object_registry,
    create_defensive_user_execution_context,
    create_isolated_execution_context,
    managed_user_context,
    register_shared_object,
    validate_user_context,
)
from compat.netra.components.context.context_factory import create_user_execution_context
from compat.netra.components.ids import UnifiedIDManager


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
    assert str(caught.value) == f"Field 'user_id' contains forbidden placeholder value: {value!r}"


@pytest.mark.parametrize("value", ["placeholder_1", "registry_x", "Temp_9", "mock_user", "default_x"])
def test_short_values_that_begin_like_placeholders_are_refused(value: str) -> None:
    with pytest.raises(InvalidContextError) as caught:
        make(thread_id=value)
    assert str(caught.value) == f"Field 'thread_id' appears to contain placeholder pattern: {value!r}"


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
    with pytest.raises(InvalidContextError, match=rf"{field} contains reserved keys: \['run_id', 'user_id'\]"):
        make(**{field: {"user_id": "u", "run_id": "r"}})


def test_audit_data_is_filled() -> None:
    context = make(audit_metadata={"source": "api"})
    assert context.audit_metadata == {
        "source": "api",
        "context_created_at": context.created_at.isoformat(),
        "context_version": "1.0",
        "isolation_verified": True,
        "operation_depth": 0,
    }


def test_a_run_of_another_thread_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        make(run_id=UnifiedIDManager.generate_run_id("thread_2"))
    assert "for thread 'thread_2', the context is for thread 'thread_1'" in caplog.text
    caplog.clear()
    make(run_id=UnifiedIDManager.generate_run_id("thread_1"))
    assert caplog.text == ""


def test_another_users_object_is_refused() -> None:
    with pytest.raises(ContextIsolationError, match=r"agent_context\['other'\] belongs to user 'user_2'"):
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


def test_websocket_contexts_have_ids_that_belong_together() -> None:
    context = UserExecutionContext.from_websocket_request("user_1", operation="chat")
    assert context.run_id == context.thread_id.replace("thread_", "run_", 1)
    assert context.websocket_client_id is not None
    assert context.websocket_client_id.startswith("ws_client_user_1_")
    assert UserExecutionContext.from_websocket_request("user_1", "ws_9").websocket_client_id == "ws_9"
    with pytest.raises(InvalidContextError, match="Required field 'user_id'"):
        UserExecutionContext.from_websocket_request("")


def test_defensive_contexts_take_what_is_known() -> None:
    context = create_defensive_user_execution_context("user_1", fallback_context={"thread_id": "thread_7", "a": 1})
    assert context.thread_id == "thread_7"
    assert context.agent_context["a"] == 1
    assert context.run_id.startswith("run_defensive_")


def test_one_mapping_is_split_into_agent_and_audit_data() -> None:
    context = UserExecutionContext.from_request_supervisor(
        "user_1", "thread_1", "run_1", websocket_connection_id="ws_1", metadata={"a": 1, "audit_reason": "x"}
    )
    assert context.agent_context == {"a": 1}
    assert context.audit_metadata["audit_reason"] == "x"
    assert context.websocket_client_id == "ws_1"
    child = context.create_child_context_supervisor("op", {"b": 2})
    assert child.metadata["b"] == 2
    with pytest.raises(InvalidContextError, match="metadata must be a dictionary"):
        UserExecutionContext.from_request_supervisor("user_1", "thread_1", "run_1", metadata="x")  # type: ignore[arg-type]


def test_a_context_that_names_its_session_may_leave_out_thread_and_run() -> None:
    context = UserExecutionContext(user_id="user_1", session_id="session_4", workspace_id="w")  # type: ignore[call-arg]
    assert (context.thread_id, context.session_id, context.workspace_id) == ("session_4", "session_4", "w")
    assert UnifiedIDManager.extract_thread_id(context.run_id) == "session_4"
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'run_id'"):
        UserExecutionContext("user_1", "thread_1")  # type: ignore[call-arg]


def test_http_requests_are_described() -> None:
    class Client:
        host = "10.0.0.1"

    class Request:
        method = "POST"
        url = "https://example.org/run"
        client = Client()
        headers = {"user-agent": "curl"}

    context = UserExecutionContext.from_fastapi_request(Request(), "user_1", "thread_1", "run_1")
    assert context.audit_metadata["client_ip"] == "10.0.0.1"
    assert context.audit_metadata["user_agent"] == "curl"


def test_cleanup_runs_callbacks_last_first_and_survives_failures(caplog: pytest.LogCaptureFixture) -> None:
    order: list[str] = []

    async def later() -> None:
        order.append("async")

    def broken() -> None:
        raise RuntimeError("broken")

    context = make(cleanup_callbacks=[lambda: order.append("first"), broken, later])
    asyncio.run(context.cleanup())
    assert order == ["async", "first"]
    assert "Error in cleanup callback" in caplog.text
    assert context.cleanup_callbacks == []


class Session:
    closed = 0

    async def close(self) -> None:
        self.closed += 1


def test_a_managed_context_closes_its_session_also_after_an_error() -> None:
    async def use(fail: bool, close: bool = True) -> Session:
        session = Session()
        try:
            async with managed_user_context(make(db_session=session), cleanup_db_session=close):
                if fail:
                    raise RuntimeError
        except RuntimeError:
            pass
        return session

    assert asyncio.run(use(False)).closed == 1
    assert asyncio.run(use(True)).closed == 1
    assert asyncio.run(use(False, close=False)).closed == 0


@pytest.mark.parametrize("wrong", [None, "x", {"user_id": "user_1"}])
def test_anything_else_is_no_context(wrong: object) -> None:
    with pytest.raises(TypeError) as caught:
        validate_user_context(wrong)
    assert str(caught.value) == f"Expected UserExecutionContext, got: {type(wrong)}"
    assert isinstance(caught.value, InvalidContextError)
    context = make()
    assert validate_user_context(context) is context


def test_factories() -> None:
    assert UserContextFactory.create_context("user_1", "thread_1", "run_1", "req_1").request_id == "req_1"
    session = object()
    assert UserContextFactory.create_with_session("user_1", "thread_1", "run_1", session).db_session is session
    assert create_user_execution_context("user_1").thread_id.startswith("thread_context_")
    assert UserExecutionContext.create_for_user("user_1", "thread_1", "run_1", metadata={"a": 1}).metadata["a"] == 1


def test_isolated_contexts_hold_the_emitter_and_the_session() -> None:
    emitter, session = object(), object()
    context = asyncio.run(create_isolated_execution_context("user_1", "req_1", session, emitter, isolation_level="strict"))
    assert context.get_dependency("websocket_emitter") is emitter
    assert context.db_session is session
    assert context.agent_context["isolation_level"] == "strict"
    assert context.thread_id.startswith("thread_isolated_")
    with pytest.raises(InvalidContextError, match="Required field 'user_id'"):
        asyncio.run(create_isolated_execution_context("", "req_1"))


def test_dependencies_are_held_and_follow() -> None:
    context = make()
    assert context.get_llm_manager() is None
    context.set_dependency("llm_manager", "llm")
    assert context.get_llm_manager() == "llm"
    assert context.create_child_context("x").has_dependency("llm_manager")
    assert context.get_available_dependencies() == ["llm_manager"]
    assert context.remove_dependency("llm_manager")
    assert not context.remove_dependency("llm_manager")
    assert context.to_execution_context().run_id == "run_1"


def test_copies_and_pickles_are_equal() -> None:
    context = make(agent_context={"a": [1]})
    assert copy.deepcopy(context) == context
    assert pickle.loads(pickle.dumps(context)) == context


def test_a_session_that_does_not_close_is_logged_and_the_block_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        async def close(self) -> None:
            raise OSError("gone")

    async def use() -> str:
        async with managed_user_context(make(db_session=Broken())):
            return "done"

    assert asyncio.run(use()) == "done"
    assert "Error closing the database session" in caplog.text


def test_other_ways_to_the_same() -> None:
    context = UserExecutionContext.from_agent_execution_context("user_1", "thread_1", "run_1", agent_context={"a": 1})
    assert context.agent_context == {"a": 1}
    assert context.with_websocket_connection_supervisor("ws_1").websocket_client_id == "ws_1"
    assert context.get_tool_dispatcher() is None
    assert context.get_websocket_bridge() is None
    with pytest.raises(InvalidContextError, match="dependency_name must be a non-empty string"):
        context.set_dependency("", 1)
    with pytest.raises(InvalidContextError, match="component must be a non-empty string"):
        context.get_scoped_key("")


def test_fields_that_are_none_are_made_for_a_user() -> None:
    context = UserExecutionContext.create_for_user("user_1", "thread_1", "run_1", request_id=None, session_id="s")
    assert context.request_id.startswith("user_request_")
    assert context.session_id == "s"
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        UserExecutionContext.create_for_user("user_1", "thread_1", "run_1", colour="red")
