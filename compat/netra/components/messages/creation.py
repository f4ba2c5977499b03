"""Messages: their vocabulary, their models, and the functions that make well-formed ones.

The models need pydantic and are loaded when one is first named; everything else works without it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..ids import generator
from .message_types import (
    FRONTEND_MESSAGE_TYPE_MAP,
    LEGACY_MESSAGE_TYPE_MAP,
    BatchingStrategy,
    ConnectionId,
    ConnectionState,
    MessageId,
    MessagePayload,
    MessageState,
    MessageType,
    ReconnectionState,
    RoomId,
    ThreadId,
    UserId,
    WebSocketConnectionState,
    get_frontend_message_type,
    is_jsonrpc_message,
    normalize_message_type,
)
from .payload_checks import check_payload

if TYPE_CHECKING:
    from .message_models import (
        AgentEvent,
        AuthInfo,
        BatchConfig,
        BroadcastMessage,
        ConnectionInfo,
        ConnectionMetadata,
        ConnectionMetrics,
        ErrorMessage,
        JsonRpcMessage,
        MessageBatch,
        PendingMessage,
        RateLimitInfo,
        ReconnectionConfig,
        RoomInfo,
        ServerMessage,
        TypingIndicator,
        TypingMessage,
        WebSocketConfig,
        WebSocketMessage,
        WebSocketStats,
        WebSocketValidationError,
    )

__all__ = [
    "FRONTEND_MESSAGE_TYPE_MAP",
    "LEGACY_MESSAGE_TYPE_MAP",
    "AgentEvent",
    "AuthInfo",
    "BatchConfig",
    "BatchingStrategy",
    "BroadcastMessage",
    "ConnectionId",
    "ConnectionInfo",
    "ConnectionMetadata",
    "ConnectionMetrics",
    "ConnectionState",
    "ErrorMessage",
    "JsonRpcMessage",
    "MessageBatch",
    "MessageId",
    "MessagePayload",
    "MessageState",
    "MessageType",
    "PendingMessage",
    "RateLimitInfo",
    "ReconnectionConfig",
    "ReconnectionState",
    "RoomId",
    "RoomInfo",
    "ServerMessage",
    "ThreadId",
    "TypingIndicator",
    "TypingMessage",
    "UserId",
    "WebSocketConfig",
    "WebSocketConnectionState",
    "WebSocketMessage",
    "WebSocketStats",
    "WebSocketValidationError",
    "convert_jsonrpc_to_websocket_message",
    "create_error_message",
    "create_server_message",
    "create_standard_message",
    "generate_default_message",
    "get_frontend_message_type",
    "is_jsonrpc_message",
    "normalize_message_type",
]

_MODELS = frozenset(__all__) - frozenset(globals())


def __getattr__(name: str) -> Any:
    if name in _MODELS:
        from . import message_models

        value = globals()[name] = getattr(message_models, name)
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODELS})


def create_standard_message(
    msg_type: str | MessageType | None = None,
    payload: dict[str, Any] | None = None,
    user_id: str | None = None,
    thread_id: str | None = None,
    message_type: str | MessageType | None = None,
    content: dict[str, Any] | None = None,
    **kwargs: Any,
) -> WebSocketMessage:
    """Return a message with an identity and the present time.

    ``message_type`` and ``content`` are other words for ``msg_type`` and ``payload``. Of further keywords ``message_id``
    and ``timestamp`` are taken, all others are left out.

    Raises ``ValueError`` for both words of a pair, an unknown type, refused payload keys, an empty payload where the
    type needs one, and numbers that JSON cannot carry; ``TypeError`` for a payload that is no dict, or has keys that JSON
    cannot write; ``RecursionError`` for one that contains itself.
    """
    from .message_models import WebSocketMessage

    named = _either("msg_type", msg_type, "message_type", message_type)
    if named is None:
        raise ValueError("msg_type (or message_type) is required")
    kind = normalize_message_type(named)
    body = _either("payload", payload, "content", content)
    body = {} if body is None else body
    check_payload(kind, body)
    given: dict[str, Any] = {name: kwargs[name] for name in ("message_id", "timestamp") if name in kwargs}
    fields: dict[str, Any] = {"timestamp": time.time(), "message_id": _message_id(kind), **given}
    return WebSocketMessage(type=kind, payload=body, user_id=user_id, thread_id=thread_id, **fields)


def create_server_message(
    msg_type_or_dict: str | MessageType | Mapping[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    correlation_id: str | None = None,
    content: dict[str, Any] | None = None,
    **kwargs: Any,
) -> ServerMessage:
    """Return a message of the server, from ``(type, data)``, from one dict with a ``type``, or from ``content=`` alone.

    Beside ``data``, ``content`` is left out. Further keywords become part of the data; ``server_id`` and ``timestamp`` are
    fields. Raises ``TypeError`` for data
    that is no dict, ``ValueError`` for a missing or unknown type.
    """
    from .message_models import ServerMessage

    fields = {name: kwargs.pop(name) for name in ("server_id", "timestamp") if name in kwargs}
    kind: str | MessageType | None
    if isinstance(msg_type_or_dict, Mapping):
        whole = dict(msg_type_or_dict)
        if "type" not in whole:
            raise ValueError(f"Legacy pattern requires 'type' field in dictionary. Got dictionary keys: {list(whole)}")
        kind = whole.pop("type")
        correlation_id = correlation_id or whole.pop("correlation_id", None)
        fields.update({name: whole.pop(name) for name in ("server_id", "timestamp") if whole.get(name) is not None})
        inner = whole.pop("data", None)
        body = {**whole, **_as_dict(inner), **_as_dict(content if data is None else data)}
    else:
        kind = kwargs.pop("msg_type", None) or kwargs.pop("message_type", None) if msg_type_or_dict is None else msg_type_or_dict
        if kind is None:
            if content is None:
                raise ValueError("a message needs a type; write create_server_message(MessageType.X, {...})")
            kind = MessageType.SYSTEM_MESSAGE
        body = _as_dict(content if data is None else data)
    fields.setdefault("timestamp", time.time())
    return ServerMessage(type=_server_type(kind), data={**body, **kwargs}, correlation_id=correlation_id, **fields)


def _server_type(kind: str | MessageType | None) -> MessageType:
    try:
        return normalize_message_type(kind)  # type: ignore[arg-type]
    except ValueError as error:
        raise ValueError(f"Invalid message type '{kind}': {error}. Use MessageType enum values or valid string types.") from error


def create_error_message(
    error_code: str,
    error_message: str,
    details: dict[str, Any] | None = None,
    suggestions: list[str] | None = None,
) -> ErrorMessage:
    """Return an error as it is told to a client, with the present time.

    Raises ``ValueError`` for a code or text that is empty or no string, ``TypeError`` for details and suggestions of other
    types.
    """
    from .message_models import ErrorMessage

    for name, value in (("code", error_code), ("message", error_message)):
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"Error {name} must be a non-empty string, got {type(value).__name__}: {value}")
    if details is not None and not isinstance(details, dict):
        raise TypeError(f"Error details must be a dictionary, got {type(details).__name__}")
    if suggestions is not None and not isinstance(suggestions, list):
        raise TypeError(f"Recovery suggestions must be a list, got {type(suggestions).__name__}")
    for index, suggestion in enumerate(suggestions or ()):
        if not isinstance(suggestion, str):
            raise TypeError(f"Recovery suggestion {index} must be a string, got {type(suggestion).__name__}")
    return ErrorMessage(
        error_code=error_code,
        error_message=error_message,
        details={} if details is None else details,
        timestamp=time.time(),
        recovery_suggestions=suggestions,
    )


def convert_jsonrpc_to_websocket_message(jsonrpc_msg: dict[str, Any]) -> WebSocketMessage:
    """Return the message that carries a JSON-RPC message as its payload; the kind follows from its members."""
    from .message_models import WebSocketMessage

    if "method" in jsonrpc_msg:
        kind = MessageType.JSONRPC_REQUEST if "id" in jsonrpc_msg else MessageType.JSONRPC_NOTIFICATION
    elif "result" in jsonrpc_msg or "error" in jsonrpc_msg:
        kind = MessageType.JSONRPC_RESPONSE
    else:
        kind = MessageType.JSONRPC_NOTIFICATION
    identity = jsonrpc_msg.get("id")
    return WebSocketMessage(
        type=kind,
        payload=jsonrpc_msg,
        timestamp=time.time(),
        message_id=None if identity is None else str(identity),
    )


def generate_default_message(
    message_type: str | MessageType,
    user_id: str,
    thread_id: str,
    data: dict[str, Any] | None = None,
) -> WebSocketMessage:
    """Return a message of a user and thread, whose payload may be empty whatever its type."""
    from .message_models import WebSocketMessage

    kind = normalize_message_type(message_type)
    return WebSocketMessage(
        type=kind,
        payload=dict(data or {}),
        user_id=user_id,
        thread_id=thread_id,
        timestamp=time.time(),
        message_id=_message_id(kind),
    )


def _message_id(kind: MessageType) -> str:
    return generator.UnifiedIdGenerator.generate_base_id(f"msg_{kind.value}")


def _either(first: str, one: Any, second: str, other: Any) -> Any:
    if one is not None and other is not None:
        raise ValueError(f"Cannot specify both {first} and {second} parameters")
    return other if one is None else one


def _as_dict(data: Any) -> dict[str, Any]:
    if data is None:
        return {}
    if not isinstance(data, Mapping):
        raise TypeError(f"Standard pattern requires data to be a dictionary. Got {type(data).__name__}: {data}")
    return dict(data)
