"""Pydantic models of the payloads and reports around messages; the ``server`` extra installs pydantic."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import Any, Optional, Union

from typing_extensions import Literal, TypedDict

try:
    from pydantic import BaseModel, ConfigDict, Field, model_validator
except ImportError as error:
    raise ImportError("message schemas need pydantic: pip install 'netra-compat[server]'") from error

from .message_types import MessageType


def _now() -> datetime:
    return datetime.now(timezone.utc)


class BaseWebSocketPayload(BaseModel):
    """Every payload has a time and a correlation ID, and no field that is not declared."""

    model_config = ConfigDict(extra="forbid")

    timestamp: Optional[datetime] = Field(default_factory=_now)
    correlation_id: Optional[str] = Field(default_factory=lambda: str(uuid.uuid4()))


class StartAgentPayload(BaseWebSocketPayload):
    """A request to start an agent."""

    query: str
    user_id: str
    thread_id: Optional[str] = None
    context: Optional[dict[str, Any]] = None


class CreateThreadPayload(BaseWebSocketPayload):
    """A request for a new thread."""

    name: Optional[str] = None
    metadata: Optional[dict[str, Any]] = None


class SwitchThreadPayload(BaseWebSocketPayload):
    """A request to go to a thread."""

    thread_id: str


class DeleteThreadPayload(BaseWebSocketPayload):
    """A request to delete a thread."""

    thread_id: str


class UserMessagePayload(BaseWebSocketPayload):
    """What a user wrote."""

    content: str
    thread_id: Optional[str] = None
    metadata: Optional[dict[str, Any]] = None


class AgentUpdatePayload(BaseWebSocketPayload):
    """How far an agent's run has come; progress in percent."""

    run_id: str
    agent_id: str
    status: str
    message: Optional[str] = None
    progress: Optional[float] = Field(default=None, ge=0, le=100)
    current_task: Optional[str] = None
    metadata: Optional[dict[str, Any]] = None


class StopAgentPayload(BaseWebSocketPayload):
    """A request to stop an agent."""

    agent_id: str
    reason: Optional[str] = None


class AgentUpdate(BaseWebSocketPayload):
    """How far an agent has come."""

    agent_id: str
    status: str
    message: Optional[str] = None
    progress: Optional[float] = None


class AgentLog(BaseWebSocketPayload):
    """One line of an agent's log."""

    agent_id: str
    level: str
    message: str
    metadata: Optional[dict[str, Any]] = None


class ToolCall(BaseWebSocketPayload):
    """A call of a tool."""

    tool_name: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    call_id: str


class ToolResult(BaseWebSocketPayload):
    """What came of a tool's call."""

    call_id: str
    result: Optional[Union[str, dict[str, Any]]] = None
    error: Optional[str] = None
    execution_time_ms: Optional[float] = None


class StreamChunk(BaseWebSocketPayload):
    """A part of a stream."""

    chunk_id: str
    content: str
    is_final: bool = False


class StreamComplete(BaseWebSocketPayload):
    """The end of a stream."""

    stream_id: str
    total_chunks: int
    metadata: Optional[dict[str, Any]] = None


class StreamEvent(BaseModel):
    """An event within a stream."""

    event_type: str
    data: Optional[dict[str, Any]] = None
    timestamp: datetime = Field(default_factory=_now)


class AgentStarted(BaseWebSocketPayload):
    """The start of an agent's run."""

    agent_id: str
    agent_type: str
    run_id: str
    status: str = "active"
    message: Optional[str] = None


class SubAgentUpdate(BaseWebSocketPayload):
    """How far an agent that works for another one has come; progress in percent."""

    agent_id: str
    sub_agent_name: str
    status: str
    message: Optional[str] = None
    progress: Optional[float] = Field(default=None, ge=0, le=100)
    current_task: Optional[str] = None


class AgentCompleted(BaseWebSocketPayload):
    """The end of an agent's run, with its result in whichever form the agent gives it."""

    agent_id: str
    run_id: str
    result: Any
    status: str = "completed"
    message: Optional[str] = None


class WebSocketErrorModel(BaseModel):
    """An error with its severity."""

    message: str
    error_type: Optional[str] = None
    code: Optional[str] = None
    severity: Literal["low", "medium", "high", "critical"] = "medium"
    details: Optional[dict[str, Any]] = None
    trace_id: Optional[str] = None
    timestamp: datetime = Field(default_factory=_now)


class WebSocketMessage(BaseModel):
    """A message with its sender and its time; ``type`` is kept as text."""

    model_config = ConfigDict(use_enum_values=True)

    type: MessageType
    payload: Union[dict[str, Any], UserMessagePayload, AgentUpdatePayload, BaseWebSocketPayload]
    sender: Optional[str] = None
    timestamp: datetime = Field(default_factory=_now)
    message_id: Optional[str] = None
    user_id: Optional[str] = None
    thread_id: Optional[str] = None

    @model_validator(mode="before")
    @classmethod
    def _accept_the_older_word(cls, data: Any) -> Any:
        if isinstance(data, dict) and "type" not in data and "message_type" in data:
            data = {**data, "type": data["message_type"]}
        return data


class WebSocketMessageIn(TypedDict):
    """A message as it is received."""

    type: str
    payload: Optional[dict[str, Any]]


class QueueMessage(BaseModel):
    """A message that waits for its time."""

    message_id: str
    thread_id: str
    user_id: str
    content: str
    message_type: str = "user"
    priority: int = 0
    created_at: datetime = Field(default_factory=_now)
    scheduled_for: Optional[datetime] = None
    retry_count: int = 0
    metadata: dict[str, Any] = Field(default_factory=dict)


class MessageData(BaseModel):
    """One message of a thread's history."""

    id: str
    role: Literal["user", "assistant", "system", "tool"]
    content: str
    timestamp: datetime
    metadata: dict[str, Union[str, int, float, bool]] = Field(default_factory=dict)


class ThreadHistoryResponse(TypedDict):
    """A thread's history."""

    thread_id: str
    messages: list[MessageData]


class AgentResponseData(BaseModel):
    """What an agent answers."""

    success: bool
    message: str
    data: Optional[Union[str, dict[str, Any], list[Any]]] = None
    metrics: dict[str, Union[int, float]] = Field(default_factory=dict)


class AgentCompletedPayload(TypedDict):
    """The end of an agent's run."""

    response: AgentResponseData
    thread_id: Optional[str]
    run_id: Optional[str]


class AgentStoppedPayload(TypedDict):
    """The stop of an agent."""

    status: Literal["stopped"]


class ServerMessage(BaseModel):
    """A message of the server with any further fields."""

    model_config = ConfigDict(extra="allow")

    type: str
    payload: dict[str, Any] = Field(default_factory=dict)
    timestamp: datetime = Field(default_factory=_now)
    server_id: Optional[str] = None
    correlation_id: Optional[str] = None


class RateLimitInfo(BaseModel):
    """The limits that hold."""

    max_connections_per_user: int = 5
    max_messages_per_minute: int = 60
    max_message_size: int = 10240
    window_seconds: int = 60


class WebSocketStats(BaseModel):
    """Totals of one server."""

    total_connections: int = 0
    active_connections: int = 0
    active_users: int = 0
    total_messages_sent: int = 0
    total_messages_received: int = 0
    total_errors: int = 0
    connection_failures: int = 0
    rate_limited_requests: int = 0
    rate_limit_settings: RateLimitInfo = Field(default_factory=RateLimitInfo)


class BroadcastResult(BaseModel):
    """Whom a broadcast reached."""

    successful: int
    failed: int
    total_connections: int
    message_type: str


class WebSocketValidationError(BaseModel):
    """Why a received message is not valid."""

    error_type: Literal["format_error", "type_error", "validation_error", "security_error"]
    message: str
    field: Optional[str] = None
    received_data: Optional[dict[str, Any]] = None
