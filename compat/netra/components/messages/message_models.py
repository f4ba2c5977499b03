"""The pydantic models of messages, connections and their settings; the ``server`` extra installs pydantic."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any, Optional, Union

try:
    from pydantic import BaseModel, ConfigDict, Field, model_validator
except ImportError as error:
    raise ImportError("message models need pydantic: pip install 'netra-compat[server]'") from error

from ..ids import generator
from ..timestamps import convert_to_unix_timestamp
from .message_types import MessageState, MessageType, WebSocketConnectionState
from .setting_models import BatchConfig as BatchConfig
from .setting_models import RateLimitInfo as RateLimitInfo
from .setting_models import ReconnectionConfig as ReconnectionConfig
from .setting_models import WebSocketConfig as WebSocketConfig


def _now() -> datetime:
    return datetime.now(timezone.utc)


class ConnectionInfo(BaseModel):
    """What is known of one connection; without a ``connection_id`` it is given one of its user."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    connection_id: Optional[str] = None
    user_id: str
    websocket: Optional[Any] = None
    thread_id: Optional[str] = None
    connected_at: datetime = Field(default_factory=_now)
    last_activity: datetime = Field(default_factory=_now)
    message_count: int = 0
    error_count: int = 0
    last_ping: Optional[datetime] = None
    is_healthy: bool = True
    is_closing: bool = False
    client_info: Optional[dict[str, Any]] = None
    state: WebSocketConnectionState = WebSocketConnectionState.ACTIVE
    failure_count: int = 0

    def __init__(self, **data: Any) -> None:
        super().__init__(**_with_connection_id(data))

    def transition_to_failed(self) -> bool:
        """Mark the connection failed: unhealthy, one failure more. Always True."""
        self.state = WebSocketConnectionState.FAILED
        self.is_healthy = False
        self.failure_count += 1
        return True

    def transition_to_closing(self) -> bool:
        """Mark the connection as closing. False if it is closed already."""
        if self.state is WebSocketConnectionState.CLOSED:
            return False
        self.state = WebSocketConnectionState.CLOSING
        self.is_closing = True
        return True

    def transition_to_closed(self) -> bool:
        """Mark the connection as closed. Always True."""
        self.state = WebSocketConnectionState.CLOSED
        self.is_closing = False
        self.is_healthy = False
        return True


class WebSocketMessage(BaseModel):
    """One message of a client or to a client."""

    type: MessageType
    payload: dict[str, Any] = Field(default_factory=dict)
    timestamp: Optional[float] = None
    message_id: Optional[str] = None
    user_id: Optional[str] = None
    thread_id: Optional[str] = None

    @model_validator(mode="before")
    @classmethod
    def _accept_older_keywords(cls, data: Any) -> Any:
        if isinstance(data, dict) and "type" not in data and "message_type" in data:
            data = {**data, "type": data["message_type"]}
        if isinstance(data, dict) and isinstance(data.get("timestamp"), (str, datetime)):
            data = {**data, "timestamp": convert_to_unix_timestamp(data["timestamp"])}
        return data


class ServerMessage(BaseModel):
    """One message of the server."""

    type: MessageType
    data: dict[str, Any] = Field(default_factory=dict)
    timestamp: float
    server_id: Optional[str] = None
    correlation_id: Optional[str] = None


class ErrorMessage(BaseModel):
    """An error, as it is told to a client."""

    type: MessageType = MessageType.ERROR_MESSAGE
    error_code: str
    error_message: str
    details: Optional[dict[str, Any]] = None
    timestamp: float
    recovery_suggestions: Optional[list[str]] = None


class BroadcastMessage(BaseModel):
    """A message to many."""

    type: MessageType = MessageType.BROADCAST
    content: dict[str, Any]
    target_room: Optional[str] = None
    exclude_users: Optional[list[str]] = None
    priority: str = "normal"


class JsonRpcMessage(BaseModel):
    """A JSON-RPC 2.0 request, notification or response."""

    jsonrpc: str = "2.0"
    method: Optional[str] = None
    params: Optional[Union[dict[str, Any], list[Any]]] = None
    id: Optional[Union[str, int]] = None
    result: Optional[Any] = None
    error: Optional[dict[str, Any]] = None


class WebSocketStats(BaseModel):
    """Totals of one server."""

    active_connections: int
    total_connections: int
    messages_sent: int
    messages_received: int
    errors_handled: int
    uptime_seconds: float
    rooms_active: int
    broadcasts_sent: int


class WebSocketValidationError(BaseModel):
    """Why a received message is not valid."""

    error_type: str
    message: str
    field: str
    received_data: dict[str, Any] = Field(default_factory=dict)


class ConnectionMetrics(BaseModel):
    """Counts of one connection."""

    connection_id: str
    user_id: str
    connect_time: datetime
    last_message_time: Optional[datetime] = None
    total_messages_sent: int = 0
    total_messages_received: int = 0
    total_errors: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    average_response_time_ms: Optional[float] = None


class RoomInfo(BaseModel):
    """One room."""

    room_id: str
    member_count: int
    created_at: datetime
    last_activity: Optional[datetime] = None
    room_type: str = "general"
    metadata: Optional[dict[str, Any]] = None


class TypingIndicator(BaseModel):
    """Who is typing, and until when that is believed."""

    user_id: str
    thread_id: str
    is_typing: bool
    started_at: Optional[float] = None
    last_activity: Optional[float] = None
    timeout_seconds: float = 5.0

    def is_expired(self) -> bool:
        """Return whether somebody who types has typed nothing for ``timeout_seconds``."""
        if self.last_activity is None or not self.is_typing:
            return False
        return time.time() - self.last_activity > self.timeout_seconds

    def update_activity(self) -> None:
        """Note that something was typed now."""
        self.last_activity = time.time()


class TypingMessage(BaseModel):
    """One change of a typing indicator."""

    type: MessageType
    user_id: str
    thread_id: str
    is_typing: bool
    timestamp: float = Field(default_factory=time.time)


class AuthInfo(BaseModel):
    """Who a connection belongs to, and how that was found out."""

    user_id: str
    email: Optional[str] = None
    permissions: list[str] = Field(default_factory=list)
    auth_method: str
    token_expires: Optional[datetime] = None
    authenticated_at: datetime


class PendingMessage(BaseModel):
    """One message that waits in a batch."""

    content: dict[str, Any]
    connection_id: str
    user_id: str
    thread_id: Optional[str] = None
    priority: int = 0
    created_at: float = Field(default_factory=time.time)
    state: MessageState = MessageState.PENDING
    retry_count: int = 0
    max_retries: int = 3
    last_retry_time: float = Field(default_factory=time.time)
    message_id: Optional[str] = None


class MessageBatch(BaseModel):
    """Messages that are sent together."""

    messages: list[PendingMessage]
    connection_id: str
    user_id: str
    batch_id: str
    created_at: float = Field(default_factory=time.time)
    total_size_bytes: int = 0
    compression_enabled: bool = False


class ConnectionMetadata(BaseModel):
    """What is stored beside a connection; without a ``connection_id`` it is given one of its user."""

    connection_id: str
    user_id: str
    thread_id: Optional[str] = None
    connected_at: datetime = Field(default_factory=_now)
    client_info: Optional[dict[str, Any]] = None
    session_data: Optional[dict[str, Any]] = None

    def __init__(self, **data: Any) -> None:
        super().__init__(**_with_connection_id(data))


class AgentEvent(BaseModel):
    """One event of an agent; without an ``event_id`` it is given one."""

    event_type: str
    agent_id: Optional[str] = None
    user_id: Optional[str] = None
    thread_id: Optional[str] = None
    data: dict[str, Any] = Field(default_factory=dict)
    timestamp: datetime = Field(default_factory=_now)
    event_id: Optional[str] = None

    def __init__(self, **data: Any) -> None:
        if not data.get("event_id") and isinstance(data.get("event_type"), str):
            data["event_id"] = generator.UnifiedIdGenerator.generate_base_id(f"evt_{data['event_type']}")
        super().__init__(**data)


def _with_connection_id(data: dict[str, Any]) -> dict[str, Any]:
    if not data.get("connection_id") and isinstance(data.get("user_id"), str):
        from ..connections.connection_utils import generate_connection_id

        data["connection_id"] = generate_connection_id(data["user_id"])
    return data


#: The names that :mod:`compat.netra.components.messages.creation` hands out from here.
MODELS = tuple(
    sorted(
        name
        for name, value in vars().items()
        if isinstance(value, type) and issubclass(value, BaseModel) and value is not BaseModel
    )
)
