"""The pydantic models among the shared types; the ``server`` extra installs pydantic."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Optional

try:
    from pydantic import BaseModel, Field, field_serializer
except ImportError as error:
    raise ImportError("the models of compat.netra.components.types need pydantic: pip install 'netra-compat[server]'") from error

from .core import ExecutionContextState, WebSocketEventType
from .names import AgentID, ExecutionID, RequestID, RunID, SessionID, ThreadID, TokenString, UserID, WebSocketID


def _now() -> datetime:
    return datetime.now(timezone.utc)


class AuthValidationResult(BaseModel):
    """What checking a token gave."""

    valid: bool
    user_id: Optional[UserID] = None
    email: Optional[str] = None
    permissions: list[str] = Field(default_factory=list)
    error_message: Optional[str] = None
    expires_at: Optional[datetime] = None
    auth_method: Optional[str] = None

    @property
    def is_valid(self) -> bool:
        """The same as ``valid``."""
        return self.valid


class SessionValidationResult(BaseModel):
    """What checking a session gave."""

    valid: bool
    user_id: Optional[UserID] = None
    session_id: Optional[SessionID] = None
    permissions: list[str] = Field(default_factory=list)
    expires_at: Optional[datetime] = None


class TokenResponse(BaseModel):
    """Tokens handed to a client; ``expires_in`` is in seconds."""

    access_token: TokenString
    refresh_token: Optional[TokenString] = None
    token_type: str = "bearer"
    expires_in: Optional[int] = None
    user_id: Optional[UserID] = None


class WebSocketMessage(BaseModel):
    """One event for one user's client."""

    event_type: WebSocketEventType
    user_id: UserID
    thread_id: ThreadID
    request_id: RequestID
    data: dict[str, Any] = Field(default_factory=dict)
    timestamp: datetime = Field(default_factory=_now)

    @field_serializer("event_type")
    def serialize_event_type(self, value: WebSocketEventType) -> str:
        """The event type travels as its plain value."""
        return value.value


class WebSocketAuthContext(BaseModel):
    """Who is behind a connection, and what they may do."""

    user_id: UserID
    websocket_client_id: WebSocketID
    permissions: list[str]
    auth_timestamp: datetime = Field(default_factory=_now)
    session_data: dict[str, Any] = Field(default_factory=dict)


class AgentExecutionContext(BaseModel):
    """The identifiers and limits under which an agent runs; ``timeout`` is in seconds."""

    execution_id: ExecutionID
    agent_id: AgentID
    user_id: UserID
    thread_id: ThreadID
    run_id: RunID
    request_id: RequestID
    websocket_id: Optional[WebSocketID] = None
    state: ExecutionContextState = ExecutionContextState.CREATED
    created_at: datetime = Field(default_factory=_now)
    metadata: dict[str, Any] = Field(default_factory=dict)
    retry_count: int = 0
    max_retries: int = 3
    timeout: Optional[int] = None
    correlation_id: Optional[str] = None
    pipeline_step_num: Optional[int] = None
