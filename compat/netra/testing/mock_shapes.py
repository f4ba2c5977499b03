"""The mocks of services that a :class:`MockFactory` makes and registers: each with the answers that tests count on."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any, Optional
from unittest.mock import AsyncMock, Mock

from compat.canonical.core.events import CRITICAL_EVENTS


def _async(mock: Any, **results: Any) -> Any:
    for name, value in results.items():
        setattr(mock, name, AsyncMock(return_value=value))
    return mock


def _plain(mock: Any, **results: Any) -> Any:
    for name, value in results.items():
        setattr(mock, name, Mock(return_value=value))
    return mock


def database_session() -> AsyncMock:
    """A session whose every method is awaited, ``add`` too."""
    session = AsyncMock()
    for name in ("add", "add_all", "commit", "rollback", "refresh", "flush", "delete", "close", "execute", "scalar"):
        setattr(session, name, AsyncMock())
    session.__aenter__.return_value = session
    session.__aexit__.return_value = None
    return session


def repository(model_class: Optional[type] = None) -> AsyncMock:
    """A repository without rows, that takes what it is given."""
    mock = AsyncMock(model_class=model_class)
    made = {"create": Mock(id=str(uuid.uuid4())), "update": Mock(), "delete": True}
    return _async(  # type: ignore[no-any-return]
        mock, get_by_id=None, get_all=[], find_by=[], find_one_by=None, search=[], exists=False, count=0, **made
    )


def auth_service() -> AsyncMock:
    """An auth service that knows one user, and lets everybody in."""
    name = f"user_{uuid.uuid4().hex[:8]}"
    user = {
        "id": name,
        "email": f"{name}@test.com",
        "username": f"testuser_{name}",
        "created_at": datetime.now(timezone.utc),
        "is_active": True,
        "is_verified": True,
    }
    mock = _async(
        AsyncMock(),
        **dict.fromkeys(("authenticate_user", "create_user", "get_user", "update_user"), user),
        **dict.fromkeys(("verify_token", "logout_user", "delete_user", "change_password"), True),
        generate_token="test_token_123",
        refresh_token="refreshed_token_123",
    )
    return _plain(mock, validate_email=True, validate_password=(True, "Password is valid"))  # type: ignore[no-any-return]


def websocket_manager() -> AsyncMock:
    """A manager that says that it is connected, and takes everything."""
    mock = AsyncMock()
    names = "connect disconnect get_connection send_message broadcast_message send_to_user send_to_thread emit_event"
    for name in (*names.split(), "emit_agent_event", "emit_status_update", *(f"notify_{one}" for one in CRITICAL_EVENTS)):
        setattr(mock, name, AsyncMock())
    return _plain(mock, is_connected=True)  # type: ignore[no-any-return]


def websocket_connection() -> AsyncMock:
    """A connected socket of nobody yet, that can be entered with ``async with``; no method has a result of its own."""
    mock = AsyncMock(connected=True, closed=False, user_id=None, thread_id=None, connection_id=f"ws_{uuid.uuid4().hex[:8]}")
    names = "connect disconnect close ping pong send send_text send_json receive receive_text receive_json recv"
    for name in names.split():
        setattr(mock, name, AsyncMock())
    mock.client_state = "connected"
    mock.__aenter__.return_value = mock
    mock.__aexit__.return_value = None
    return mock


def websocket_server() -> AsyncMock:
    """A running server on port 8765 without connections."""
    mock = AsyncMock(connections={}, message_queue=[], is_running=True, port=8765, host="localhost")
    for name in ["start", "stop", "broadcast", "send_to_connection", "get_connection", "add_connection", "remove_connection"]:
        setattr(mock, name, AsyncMock())
    return mock


def redis_client() -> Mock:
    """A Redis client that is empty, and answers at once."""
    return _plain(  # type: ignore[no-any-return]
        Mock(), get=None, set=True, delete=1, exists=0, expire=True, ttl=-1, hget=None, hset=1, hgetall={}, hdel=1,
        lpush=1, rpush=1, lpop=None, rpop=None, lrange=[], sadd=1, srem=1, smembers=set(), sismember=False, ping=True,
    )  # fmt: skip


def llm_client() -> AsyncMock:
    """A language model that always answers the same."""
    metadata = {"model": "test-model", "tokens_used": 25, "finish_reason": "stop"}
    completion = {"text": "This is a test response.", "metadata": metadata}
    chat = {"message": "This is a test chat response.", "metadata": metadata}
    mock = _async(
        AsyncMock(),
        create_completion=completion,
        create_chat_completion=chat,
        create_stream=["This is ", "a test ", "response."],
        list_models=["test-model"],
        get_model_info={"id": "test-model", "context_length": 4096},
        generate=completion,
        chat=chat,
        complete=completion["text"],
        ask_llm=completion["text"],
    )
    return _plain(mock, count_tokens=100, estimate_cost=0.001)  # type: ignore[no-any-return]


def agent(agent_type: str, agent_id: Optional[str], user_id: Optional[str]) -> AsyncMock:
    """An agent of a user, that is ready and answers."""
    answer = {
        "response": "Test agent response",
        "status": "completed",
        "execution_time": 1.5,
        "tools_used": ["tool1"],
        "metadata": {"agent_type": "test", "version": "1.0"},
    }
    mock = AsyncMock(
        agent_type=agent_type,
        agent_id=agent_id or f"test_agent_{uuid.uuid4().hex[:8]}",
        user_id=user_id or f"test_user_{uuid.uuid4().hex[:8]}",
        thread_id=None,
        db_session=None,
        is_busy=False,
        last_activity=datetime.now(timezone.utc),
        error_count=0,
        last_error=None,
        should_fail=False,
        failure_message="Test failure",
        execution_time=0.1,
        AgentState=SimpleNamespace(IDLE="idle", BUSY="busy", ERROR="error", STOPPED="stopped"),
    )
    return _async(  # type: ignore[no-any-return]
        mock, process_request=answer, run=answer, recover=True, get_state={}, execute_tool={"result": "tool_executed"},
        list_tools=["tool1", "tool2"], initialize=True, cleanup=True,
    )  # fmt: skip


def tool_executor() -> AsyncMock:
    """A tool executor that succeeds."""
    stats = {"total_executions": 0, "successful_executions": 0, "failed_executions": 0}
    done = {"success": True, "result": "executed"}
    return _async(  # type: ignore[no-any-return]
        AsyncMock(), execute=done, execute_tool=done, validate_tool=True, get_tool_schema={},
        list_available_tools=["tool1", "tool2"], get_execution_history=[], get_execution_stats=stats,
    )  # fmt: skip


def http_client() -> AsyncMock:
    """An HTTP client that is answered 200 with ``{"status": "success"}``."""
    response = Mock(status_code=200, status=200, text="Success", headers={}, ok=True)
    response.json.return_value = {"status": "success"}
    mock = AsyncMock()
    mock.__aenter__.return_value = mock
    return _async(mock, **dict.fromkeys(("get", "post", "put", "patch", "delete", "request"), response))  # type: ignore[no-any-return]


def service_manager() -> AsyncMock:
    """A service manager whose services run and are healthy."""
    names = ("start", "stop", "restart", "start_service", "stop_service", "restart_service")
    return _async(  # type: ignore[no-any-return]
        AsyncMock(), **dict.fromkeys(names, True), get_service_status="running", list_services=[],
        health_check={"status": "healthy"}, get_service_endpoint="http://localhost:8000",
    )  # fmt: skip


def keeps(mock: Any, name: str, values: dict[str, Any]) -> Any:
    """Let a mock read and write a real dict, which it has as attribute ``name``, as texts, flags and numbers."""

    def as_flag(key: str, default: bool = False) -> bool:
        value = values.get(key, default)
        return value.strip().lower() in ("true", "1", "yes", "on") if isinstance(value, str) else bool(value)

    def as_kind(kind: type, otherwise: Any) -> Any:
        return lambda key, default=otherwise: kind(values[key]) if key in values else default

    setattr(mock, name, values)
    mock.get.side_effect = values.get
    mock.set.side_effect = lambda key, value, *_, **__: values.__setitem__(key, value)
    mock.get_all.side_effect = lambda: dict(values)
    mock.get_bool.side_effect = as_flag
    mock.get_int.side_effect, mock.get_float.side_effect = as_kind(int, 0), as_kind(float, 0.0)
    return mock
