"""The user execution context: checked, frozen, its own copies, and everything made from it."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import hashlib
import logging
import pickle
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Optional

import pytest

from compat.netra.components.agents.execution_types import StronglyTypedUserExecutionContext
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
    assert memory["creation_stack_summary"][0].startswith(__file__)
    text = f"user_1:thread_1:{context.request_id}:{context._isolation_token}"
    assert memory["fingerprint"] == context._validation_fingerprint == hashlib.sha256(text.encode()).hexdigest()[:16]
    for other in (copy.deepcopy(context), pickle.loads(pickle.dumps(context)), context.create_child_context("x")):
        assert len(other._memory_refs) == 1 and other._memory_refs[0]["weak_ref"]() is other
        assert other.verify_isolation()


def test_a_client_of_another_user_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    make(websocket_client_id="ws_client_user_1_17")
    make(websocket_client_id="ws_17")
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


def test_websocket_contexts_have_ids_that_belong_together() -> None:
    context = UserExecutionContext.from_websocket_request("user_1", operation="chat")
    assert context.run_id == context.thread_id.replace("thread_", "run_", 1)
    assert context.websocket_client_id is not None
    assert context.websocket_client_id.startswith("ws_client_user_1_")
    assert UserExecutionContext.from_websocket_request("user_1", "ws_9").websocket_client_id == "ws_9"
    assert context.agent_context == {"source": "websocket_ssot", "operation": "chat", "created_via": "from_websocket_request"}
    own = ("context_source", "id_generation_method", "operation_type", "isolation_key_compatible")
    assert [context.audit_metadata[key] for key in own] == ["websocket_ssot", "UnifiedIdGenerator", "chat", True]
    with pytest.raises(InvalidContextError, match="^user_id must be a non-empty string for WebSocket context, got: ''$"):
        UserExecutionContext.from_websocket_request("")


def test_defensive_contexts_take_what_is_known() -> None:
    context = create_defensive_user_execution_context("user_1", fallback_context={"thread_id": "thread_7", "a": 1})
    assert (context.thread_id, context.request_id) == ("thread_7", "defensive_auth_user_1_no_ws")
    assert context.agent_context == {"a": 1} and context.websocket_client_id is None
    assert context.run_id.startswith("run_defensive_")
    own = ("context_source", "creation_method", "migrated_from", "ssot_compliant")
    assert [context.audit_metadata[key] for key in own] == [
        "defensive_creation",
        "create_defensive_user_execution_context",
        "websocket_manager_factory",
        True,
    ]
    assert create_defensive_user_execution_context("user_1", "ws_9").request_id == "defensive_auth_user_1_ws_9"
    with pytest.raises(InvalidContextError, match="^user_id must be a non-empty string for defensive context, got: None$"):
        create_defensive_user_execution_context(None)  # type: ignore[arg-type]


def test_one_mapping_is_split_into_agent_and_audit_data() -> None:
    context = UserExecutionContext.from_request_supervisor(
        "user_1", "thread_1", "run_1", websocket_connection_id="ws_1", metadata={"a": 1, "audit_reason": "x"}
    )
    assert context.agent_context == {"a": 1}
    assert context.audit_metadata["audit_reason"] == "x"
    assert context.websocket_client_id == "ws_1"
    dealt = {"Trace_id": 1, "catalog": 2, "url": 3, "method": 4, "x_context_y": 5, "content_type": 6, "plain": 7}
    context = UserExecutionContext.from_request_supervisor(
        "user_1", "thread_1", "run_1", metadata={**dealt, "operation_depth": 3, "parent_request_id": "req_0"}
    )
    assert context.agent_context == {"plain": 7}
    assert (context.operation_depth, context.parent_request_id) == (3, "req_0")
    assert {key: context.audit_metadata[key] for key in dealt if key != "plain"} == {
        key: value for key, value in dealt.items() if key != "plain"
    }
    child = context.create_child_context_supervisor("op", {"b": 2, "trace_id": 3})
    assert child.agent_context == {"isolation_verified": True, "operation_name": "op", "b": 2, "trace_id": 3}
    assert child.audit_metadata == {
        "context_created_at": child.created_at.isoformat(),
        "context_version": "1.0",
        "isolation_verified": True,
        "operation_depth": 4,
        "parent_request_id": context.request_id,
    }
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
        headers = {"user-agent": "curl", "x-trace-id": "t1"}

    context = UserExecutionContext.from_fastapi_request(Request(), "user_1", "thread_1", "run_1")
    standard = make().audit_metadata
    assert {key: value for key, value in context.audit_metadata.items() if key not in standard} == {
        "client_ip": "10.0.0.1",
        "user_agent": "curl",
        "method": "POST",
        "url": "https://example.org/run",
        "content_type": "unknown",
        "x_trace_id": "t1",
    }


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
    expected = "UserExecutionContext or StronglyTypedUserExecutionContext"
    assert str(caught.value) == f"Expected {expected}, got: {type(wrong)}"
    assert isinstance(caught.value, InvalidContextError)
    context = make()
    assert validate_user_context(context) is context


def test_a_strongly_typed_context_becomes_a_plain_one_of_its_identifiers() -> None:
    typed = StronglyTypedUserExecutionContext("user_1", "thread_1", "run_1", "req_1", agent_context={"a": 1})  # type: ignore[arg-type]
    context = validate_user_context(typed)
    assert type(context) is UserExecutionContext
    assert (context.user_id, context.thread_id, context.run_id, context.request_id) == ("user_1", "thread_1", "run_1", "req_1")
    assert context.agent_context == {}


def test_factories() -> None:
    assert UserContextFactory.create_context("user_1", "thread_1", "run_1", "req_1").request_id == "req_1"
    session = object()
    assert UserContextFactory.create_with_session("user_1", "thread_1", "run_1", session).db_session is session
    assert create_user_execution_context("user_1").thread_id.startswith("thread_context_")
    assert UserExecutionContext.create_for_user("user_1", "thread_1", "run_1", metadata={"a": 1}).metadata["a"] == 1


class Database:
    """A database session with one answer."""

    def __init__(self, row: Any = None, error: Optional[Exception] = None) -> None:
        self.row, self.error = row, error
        self.asked: list[Any] = []

    async def execute(self, statement: Any, parameters: dict[str, Any]) -> Any:
        self.asked.append((str(statement), parameters))
        if self.error is not None:
            raise self.error
        return self

    def fetchone(self) -> Any:
        return self.row


def isolated(user_id: Any = "user_1", request_id: Any = "req_1", *args: Any, **kwargs: Any) -> UserExecutionContext:
    return asyncio.run(create_isolated_execution_context(user_id, request_id, *args, **kwargs))


def test_isolated_contexts_hold_the_emitter_and_the_session() -> None:
    emitter, session = SimpleNamespace(user_id="user_1"), Database(("user_1", True))
    context = isolated("user_1", "req_1", session, emitter, isolation_level="strict")
    assert context.get_dependency("websocket_emitter") is emitter
    assert context.db_session is session
    ((statement, parameters),) = session.asked
    assert "auth.users" in statement and " users" in statement and parameters == {"user_id": "user_1"}
    assert context.websocket_client_id == "ws_user_1"
    assert isolated(websocket_emitter=object()).websocket_client_id == "ws_user_1"
    assert context.thread_id.startswith("session_") and context.run_id.startswith(f"run_{context.thread_id}_")
    assert context.agent_context == {
        "isolation_level": "strict",
        "created_via": "create_isolated_execution_context",
        "validated_user": True,
        "has_websocket_emitter": True,
        "has_database_session": True,
    }
    own = ("context_source", "isolation_level", "validation_performed", "factory_method")
    assert [context.audit_metadata[key] for key in own] == [
        "ssot_isolated_factory",
        "strict",
        True,
        "create_isolated_execution_context",
    ]


def test_without_a_session_nobody_is_looked_up_and_nothing_else_is_said() -> None:
    context = isolated()
    assert context.agent_context["validated_user"] is False and context.audit_metadata["validation_performed"] is False
    assert context.websocket_client_id is None
    session = Database()
    assert isolated("user_1", "req_1", session, validate_user=False).audit_metadata["validation_performed"] is False
    assert session.asked == []


@pytest.mark.parametrize("bad", ["", "  ", None, 7])
def test_isolated_contexts_need_identifiers(bad: Any) -> None:
    with pytest.raises(InvalidContextError, match="^user_id must be a non-empty string$"):
        isolated(user_id=bad, validate_user=False)
    with pytest.raises(InvalidContextError, match="^request_id must be a non-empty string$"):
        isolated(request_id=bad)


def test_unknown_and_inactive_users_get_no_isolated_context() -> None:
    with pytest.raises(InvalidContextError, match="^User user_1 not found in database$"):
        isolated("user_1", "req_1", Database())
    with pytest.raises(InvalidContextError, match="^User user_1 is not active$"):
        isolated("user_1", "req_1", Database(("user_1", False)))


def test_a_look_up_that_fails_is_an_error_in_strict_isolation_alone(caplog: pytest.LogCaptureFixture) -> None:
    session = Database(error=OSError("gone"))
    isolated("user_1", "req_1", session)
    assert "User user_1 could not be validated: gone" in caplog.text
    with pytest.raises(InvalidContextError, match="^User validation required in strict isolation mode but failed: gone$"):
        isolated("user_1", "req_1", session, isolation_level="strict")


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


def test_fields_that_are_none_are_made_for_a_user() -> None:
    context = UserExecutionContext.create_for_user("user_1", "thread_1", "run_1", request_id=None, session_id="s")
    assert context.request_id.startswith("user_request_")
    assert context.session_id == "s"
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        UserExecutionContext.create_for_user("user_1", "thread_1", "run_1", colour="red")
