"""Typed identifiers with their checks, and the plain records of connections and executions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Optional

from ..ids import formats, id_manager
from ..ids.formats import IDType
from .names import (
    AgentID,
    ConnectionID,
    DatabaseSessionID,
    ExecutionID,
    RequestID,
    RunID,
    SessionID,
    ThreadID,
    UserID,
    WebSocketID,
)

if TYPE_CHECKING:
    from .models import AgentExecutionContext

__all__ = [
    "ConnectionState",
    "DatabaseConnectionInfo",
    "ExecutionContextState",
    "ExecutionMetrics",
    "WebSocketConnectionInfo",
    "WebSocketEventType",
    "create_execution_context_from_supervisor_style",
    "create_strongly_typed_execution_context",
    "ensure_connection_id",
    "ensure_request_id",
    "ensure_run_id",
    "ensure_session_id",
    "ensure_thread_id",
    "ensure_user_id",
    "ensure_websocket_id",
    "from_string_dict",
    "normalize_to_structured_id",
    "to_string_dict",
]


class ConnectionState(Enum):
    """Where a websocket connection stands."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    RECONNECTING = "reconnecting"
    FAILED = "failed"
    CLOSING = "closing"


@dataclass
class WebSocketConnectionInfo:
    """What is known of one connection."""

    websocket_id: WebSocketID
    user_id: UserID
    connection_state: ConnectionState
    connected_at: datetime
    last_ping: Optional[datetime] = None
    message_count: int = 0


class WebSocketEventType(Enum):
    """The events that a client is told of while an agent works."""

    AGENT_STARTED = "agent_started"
    AGENT_THINKING = "agent_thinking"
    AGENT_COMPLETED = "agent_completed"
    TOOL_EXECUTING = "tool_executing"
    TOOL_COMPLETED = "tool_completed"
    ERROR_OCCURRED = "error_occurred"
    STATUS_UPDATE = "status_update"


class ExecutionContextState(Enum):
    """Where an execution stands."""

    CREATED = "created"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass
class ExecutionMetrics:
    """Counts of one execution."""

    execution_id: ExecutionID
    start_time: datetime
    end_time: Optional[datetime] = None
    tool_calls: int = 0
    websocket_events: int = 0
    errors: int = 0
    state: ExecutionContextState = ExecutionContextState.CREATED


@dataclass
class DatabaseConnectionInfo:
    """What is known of one database session."""

    session_id: DatabaseSessionID
    user_id: UserID
    created_at: datetime
    last_activity: datetime
    connection_pool: str
    isolation_level: str = "READ_COMMITTED"


def _ensured(value: Any, field: str, *kinds: IDType) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"Invalid {field}: {value}")
    text = value.strip()
    # Through its module, so that a test that replaces the manager replaces it here.
    ids = id_manager.get_id_manager()
    if not any(ids.is_valid_id_format_compatible(text, kind) for kind in kinds or (None,)):
        raise ValueError(f"Invalid {field} format: {value}")
    return text


def ensure_user_id(value: Any) -> UserID:
    """Return ``value`` as a user id; ValueError for anything that is not one in an accepted format."""
    return UserID(_ensured(value, "user_id", IDType.USER))


def ensure_thread_id(value: Any) -> ThreadID:
    """Return ``value`` as a thread id; ValueError for anything that is not one in an accepted format."""
    # generate_thread_id() makes session_<ms>_<hex>.
    return ThreadID(_ensured(value, "thread_id", IDType.THREAD, IDType.SESSION))


def ensure_run_id(value: Any) -> RunID:
    """Return ``value`` as a run id; ValueError for anything that is not an identifier, of whichever kind."""
    return RunID(_ensured(value, "run_id"))


def ensure_request_id(value: Any) -> RequestID:
    """Return ``value`` as a request id; ValueError for anything that is not one in an accepted format."""
    return RequestID(_ensured(value, "request_id", IDType.REQUEST))


def ensure_websocket_id(value: Any) -> Optional[WebSocketID]:
    """Return ``value`` as a websocket id, None as None; ValueError for anything else."""
    return None if value is None else WebSocketID(_ensured(value, "websocket_id", IDType.WEBSOCKET))


def ensure_session_id(value: Any) -> SessionID:
    """Return ``value`` as a session id, which is a UUID; ValueError for anything else."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"Invalid session_id: {value}")
    if not formats.is_uuid(value.strip()):
        raise ValueError(f"Invalid session_id format (must be UUID): {value}")
    return SessionID(value.strip())


def ensure_connection_id(value: Any) -> ConnectionID:
    """Return ``value`` as a connection id; ValueError for anything that is not one in an accepted format."""
    return ConnectionID(_ensured(value, "connection_id", IDType.WEBSOCKET))


def normalize_to_structured_id(id_value: str, id_type_enum: Any) -> str:
    """Return the structured form of an identifier of the given kind; ValueError if it is not valid."""
    valid, normalized = id_manager.get_id_manager().validate_and_normalize_id(id_value, id_type_enum)
    if not valid or normalized is None:
        raise ValueError(f"Invalid ID format for normalization: {id_value}")
    return normalized


def create_strongly_typed_execution_context(
    execution_id: str,
    agent_id: str,
    user_id: str,
    thread_id: str,
    run_id: str,
    request_id: str,
    websocket_id: Optional[str] = None,
    normalize_ids: bool = False,
    retry_count: int = 0,
    max_retries: int = 3,
    timeout: Optional[int] = None,
    correlation_id: Optional[str] = None,
    pipeline_step_num: Optional[int] = None,
    **metadata: Any,
) -> AgentExecutionContext:
    """Return an execution context; further keywords become its metadata.

    With ``normalize_ids`` the identifiers are checked, and UUIDs are replaced by their structured form.
    """
    from .models import AgentExecutionContext

    def read(value: str, kind: IDType) -> Any:
        return normalize_to_structured_id(value, kind) if normalize_ids else value

    return AgentExecutionContext(
        execution_id=ExecutionID(execution_id),
        agent_id=AgentID(agent_id),
        user_id=read(user_id, IDType.USER),
        thread_id=read(thread_id, IDType.THREAD),
        run_id=read(run_id, IDType.RUN),
        request_id=read(request_id, IDType.REQUEST),
        websocket_id=None if websocket_id is None else WebSocketID(websocket_id),
        retry_count=retry_count,
        max_retries=max_retries,
        timeout=timeout,
        correlation_id=correlation_id,
        pipeline_step_num=pipeline_step_num,
        metadata=metadata,
    )


def create_execution_context_from_supervisor_style(
    run_id: str,
    thread_id: str,
    user_id: str,
    agent_name: str,
    request_id: Optional[str] = None,
    retry_count: int = 0,
    max_retries: int = 3,
    timeout: Optional[int] = None,
    correlation_id: Optional[str] = None,
    pipeline_step_num: Optional[int] = None,
    **metadata: Any,
) -> AgentExecutionContext:
    """Return an execution context for an agent known by name; execution, agent and request ids are made as needed."""
    ids = id_manager.get_id_manager()
    return create_strongly_typed_execution_context(
        execution_id=ids.generate_id(IDType.EXECUTION),
        agent_id=ids.generate_id(IDType.AGENT, prefix=agent_name),
        user_id=user_id,
        thread_id=thread_id,
        run_id=run_id,
        request_id=request_id or ids.generate_id(IDType.REQUEST),
        retry_count=retry_count,
        max_retries=max_retries,
        timeout=timeout,
        correlation_id=correlation_id,
        pipeline_step_num=pipeline_step_num,
        agent_name=agent_name,
        **metadata,
    )


def to_string_dict(typed_data: dict[Any, Any]) -> dict[str, str]:
    """Return the mapping with keys and values as strings."""
    return {str(key): str(value) for key, value in typed_data.items()}


def from_string_dict(string_data: dict[str, str], expected_types: dict[str, type]) -> dict[str, Any]:
    """Return the mapping with each value put through its expected type; keys without one stay strings."""
    return {key: expected_types[key](value) if key in expected_types else value for key, value in string_data.items()}
