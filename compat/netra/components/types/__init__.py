"""The typed identifiers and records that all parts of the core share.

The records that are pydantic models need the ``server`` extra; everything else is in the base install.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core import (
    ConnectionState,
    DatabaseConnectionInfo,
    ExecutionContextState,
    ExecutionMetrics,
    WebSocketConnectionInfo,
    WebSocketEventType,
    create_execution_context_from_supervisor_style,
    create_strongly_typed_execution_context,
    ensure_connection_id,
    ensure_request_id,
    ensure_run_id,
    ensure_session_id,
    ensure_thread_id,
    ensure_user_id,
    ensure_websocket_id,
    from_string_dict,
    normalize_to_structured_id,
    to_string_dict,
)
from .names import (
    AgentID,
    AuditID,
    ConnectionID,
    ContextID,
    DatabaseSessionID,
    EnvironmentName,
    ExecutionID,
    MessageID,
    OrganizationID,
    RequestID,
    RunID,
    ServiceName,
    SessionID,
    ThreadID,
    TokenString,
    UserID,
    WebSocketID,
)

if TYPE_CHECKING:
    from .models import (
        AgentExecutionContext,
        AuthValidationResult,
        SessionValidationResult,
        TokenResponse,
        WebSocketAuthContext,
        WebSocketMessage,
    )

_MODELS = frozenset(
    {
        "AgentExecutionContext",
        "AuthValidationResult",
        "SessionValidationResult",
        "TokenResponse",
        "WebSocketAuthContext",
        "WebSocketMessage",
    }
)

__all__ = [
    "AgentExecutionContext",
    "AgentID",
    "AuditID",
    "AuthValidationResult",
    "ConnectionID",
    "ConnectionState",
    "ContextID",
    "DatabaseConnectionInfo",
    "DatabaseSessionID",
    "EnvironmentName",
    "ExecutionContextState",
    "ExecutionID",
    "ExecutionMetrics",
    "MessageID",
    "OrganizationID",
    "RequestID",
    "RunID",
    "ServiceName",
    "SessionID",
    "SessionValidationResult",
    "ThreadID",
    "TokenResponse",
    "TokenString",
    "UserID",
    "WebSocketAuthContext",
    "WebSocketConnectionInfo",
    "WebSocketEventType",
    "WebSocketID",
    "WebSocketMessage",
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


def __getattr__(name: str) -> object:
    if name not in _MODELS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import models

    return getattr(models, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODELS})
