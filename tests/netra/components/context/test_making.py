"""User execution contexts made from requests, sockets and mappings, looked up, held for a block, and cleaned up."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, Optional

import pytest

from compat.netra.components.agents.execution_types import StronglyTypedUserExecutionContext
from compat.netra.components.context import (
    InvalidContextError,
    UserContextFactory,
    UserExecutionContext,
    create_defensive_user_execution_context,
    create_isolated_execution_context,
    managed_user_context,
    validate_user_context,
)
from compat.netra.components.context.context_factory import create_user_execution_context
from compat.netra.components.ids import UnifiedIDManager


def make(**fields: Any) -> UserExecutionContext:
    return UserExecutionContext(**{"user_id": "user_1", "thread_id": "thread_1", "run_id": "run_1", **fields})


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


@pytest.mark.parametrize("request_id", [None, ""])
def test_a_request_id_is_made_where_none_is_given(request_id: Any) -> None:
    context = UserExecutionContext.from_request("user_1", "thread_1", "run_1", request_id=request_id)
    assert context.request_id.startswith("user_request_")


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
