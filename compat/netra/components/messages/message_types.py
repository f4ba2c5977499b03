"""The vocabulary of WebSocket messages: their types, the states around them, and the older words for the same."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any


class MessageType(str, Enum):
    """Every kind of message that crosses a connection; the value is what stands in its ``type`` field."""

    CONNECT = "connect"
    DISCONNECT = "disconnect"
    CONNECTION_ESTABLISHED = "connection_established"
    HEARTBEAT = "heartbeat"
    HEARTBEAT_ACK = "heartbeat_ack"
    PING = "ping"
    PONG = "pong"
    USER_MESSAGE = "user_message"
    CHAT = "chat"
    SYSTEM_MESSAGE = "system_message"
    ERROR_MESSAGE = "error_message"
    USER_TYPING = "user_typing"
    AGENT_TYPING = "agent_typing"
    TYPING_STARTED = "typing_started"
    TYPING_STOPPED = "typing_stopped"
    START_AGENT = "start_agent"
    AGENT_STARTED = "agent_started"
    AGENT_START = "agent_start"
    AGENT_COMPLETE = "agent_complete"
    AGENT_COMPLETED = "agent_completed"
    TOOL_EXECUTE = "tool_execute"
    TOOL_EXECUTING = "tool_executing"
    TOOL_COMPLETE = "tool_complete"
    TOOL_COMPLETED = "tool_completed"
    AGENT_REQUEST = "agent_request"
    AGENT_TASK = "agent_task"
    AGENT_TASK_ACK = "agent_task_ack"
    AGENT_RESPONSE = "agent_response"
    AGENT_RESPONSE_CHUNK = "agent_response_chunk"
    AGENT_RESPONSE_COMPLETE = "agent_response_complete"
    AGENT_STATUS_REQUEST = "agent_status_request"
    AGENT_STATUS_UPDATE = "agent_status_update"
    AGENT_PROGRESS = "agent_progress"
    AGENT_THINKING = "agent_thinking"
    AGENT_ERROR = "agent_error"
    THREAD_UPDATE = "thread_update"
    THREAD_MESSAGE = "thread_message"
    BROADCAST = "broadcast"
    BROADCAST_TEST = "broadcast_test"
    DIRECT_MESSAGE = "direct_message"
    ROOM_MESSAGE = "room_message"
    JSONRPC_REQUEST = "jsonrpc_request"
    JSONRPC_RESPONSE = "jsonrpc_response"
    JSONRPC_NOTIFICATION = "jsonrpc_notification"
    RESILIENCE_TEST = "resilience_test"
    RECOVERY_TEST = "recovery_test"


class WebSocketConnectionState(str, Enum):
    """What a connection's transport does; the last four names are aliases."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTING = "disconnecting"
    DISCONNECTED = "disconnected"
    ERROR = "error"
    ACTIVE = "connected"  # noqa: PIE796
    CLOSING = "disconnecting"  # noqa: PIE796
    CLOSED = "disconnected"  # noqa: PIE796
    FAILED = "error"  # noqa: PIE796


class ReconnectionState(str, Enum):
    """How far a reconnection has come."""

    IDLE = "idle"
    ATTEMPTING = "attempting"
    CONNECTED = "connected"
    FAILED = "failed"
    DISABLED = "disabled"


class MessageState(str, Enum):
    """How far a queued message has come."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class BatchingStrategy(str, Enum):
    """When a batch of messages is sent."""

    SIZE_BASED = "size_based"
    TIME_BASED = "time_based"
    ADAPTIVE = "adaptive"
    PRIORITY_BASED = "priority_based"


ConnectionState = WebSocketConnectionState

MessagePayload = dict[str, Any]
ConnectionId = str
UserId = str
RoomId = str
ThreadId = str
MessageId = str

#: Every word that a client may write in ``type``: the values themselves, and older words for them.
LEGACY_MESSAGE_TYPE_MAP: dict[str, MessageType] = {
    **{member.value: member for member in MessageType},
    "error": MessageType.ERROR_MESSAGE,
    "system": MessageType.SYSTEM_MESSAGE,
    "user": MessageType.USER_MESSAGE,
    "message": MessageType.USER_MESSAGE,
    "user_input": MessageType.USER_MESSAGE,
    "chat_message": MessageType.USER_MESSAGE,
    "connected": MessageType.CONNECT,
    "agent": MessageType.AGENT_REQUEST,
    "execute_agent": MessageType.START_AGENT,
    "EXECUTE_AGENT": MessageType.START_AGENT,
    "agent_update": MessageType.AGENT_STATUS_UPDATE,
    "agent_failed": MessageType.AGENT_ERROR,
    "agent_fallback": MessageType.AGENT_ERROR,
    "agent_status": MessageType.AGENT_STATUS_UPDATE,
    "tool_started": MessageType.TOOL_EXECUTING,
    "tool_result": MessageType.TOOL_COMPLETED,
    "thread": MessageType.THREAD_UPDATE,
    "thread_updated": MessageType.THREAD_UPDATE,
    "factory_connection_established": MessageType.CONNECTION_ESTABLISHED,
    "isolated_connection_established": MessageType.CONNECTION_ESTABLISHED,
    "legacy_connection_established": MessageType.CONNECTION_ESTABLISHED,
    "legacy_response": MessageType.AGENT_RESPONSE,
    "legacy_heartbeat": MessageType.HEARTBEAT,
    "typing": MessageType.USER_TYPING,
}

#: The words that the frontend knows these types by; all others go by their value.
FRONTEND_MESSAGE_TYPE_MAP: dict[MessageType, str] = {
    MessageType.AGENT_RESPONSE: "agent_completed",
    MessageType.AGENT_PROGRESS: "agent_update",
    MessageType.THREAD_UPDATE: "thread_updated",
    MessageType.ERROR_MESSAGE: "error",
}


#: Events that the frontend knows by these very words.
_AGENT_EVENTS = frozenset(
    {
        MessageType.AGENT_STARTED,
        MessageType.AGENT_THINKING,
        MessageType.TOOL_EXECUTING,
        MessageType.TOOL_COMPLETED,
        MessageType.AGENT_COMPLETED,
    }
)


def normalize_message_type(message_type: str | MessageType) -> MessageType:
    """Return the type that a word stands for; ValueError where it stands for none."""
    if isinstance(message_type, MessageType):
        return message_type
    if not isinstance(message_type, str):
        raise ValueError(f"Message type must be string or MessageType enum, got {type(message_type).__name__}")
    known = LEGACY_MESSAGE_TYPE_MAP.get(message_type)
    if known is not None:
        return known
    values = [member.value for member in MessageType]
    older = [word for word in LEGACY_MESSAGE_TYPE_MAP if word not in values]
    raise ValueError(f"Unknown message type: '{message_type}'. Valid types: {values} or legacy types: {older}")


def get_frontend_message_type(message_type: str | MessageType) -> str:
    """Return the word the frontend knows a type by, an event of an agent as it is; ValueError for an unknown word."""
    known = normalize_message_type(message_type)
    if message_type in _AGENT_EVENTS:
        return message_type
    return FRONTEND_MESSAGE_TYPE_MAP.get(known, known.value)


def is_jsonrpc_message(message: Any) -> bool:
    """Return whether the message says that it is JSON-RPC 2.0, and calls something or answers."""
    if not isinstance(message, Mapping) or message.get("jsonrpc") != "2.0":
        return False
    return any(member in message for member in ("method", "result", "error"))
