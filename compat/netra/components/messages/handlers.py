"""Handlers of client messages: one small class per family of message types."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from compat.canonical.core.logged import get_logger
from compat.netra.components.bounded import Newest

from ..connections.connection_utils import is_websocket_connected, safe_websocket_send
from .creation import create_error_message, create_server_message
from .message_types import MessageType

if TYPE_CHECKING:
    from .message_models import BatchConfig, WebSocketMessage

__all__ = [
    "AgentHandler",
    "AgentRequestHandler",
    "BaseMessageHandler",
    "BatchMessageHandler",
    "ConnectionHandler",
    "ErrorHandler",
    "HeartbeatHandler",
    "JsonRpcHandler",
    "MessageHandler",
    "MessageType",
    "TypingHandler",
    "UserMessageHandler",
    "WebSocketHandler",
    "WebSocketMessageHandler",
    "is_websocket_connected",
    "safe_websocket_send",
    "send_error_to_websocket",
    "send_response",
    "send_system_message",
]

logger = get_logger(__name__)


@runtime_checkable
class MessageHandler(Protocol):
    """What a router needs of a handler."""

    async def handle_message(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        """Handle one message of a user; return whether it was."""

    def can_handle(self, message_type: MessageType) -> bool:
        """Return whether messages of this type are for this handler."""


async def send_response(websocket: Any, kind: MessageType, data: Mapping[str, Any]) -> bool:
    """Send a server message if the socket is connected; return whether it was. A failing socket raises."""
    if not is_websocket_connected(websocket):
        return False
    await websocket.send_json(create_server_message(kind, dict(data)).model_dump(mode="json"))
    return True


class BaseMessageHandler:
    """Handles the types it is given, by acknowledging in the log; subclasses override :meth:`handle_message`."""

    def __init__(self, supported_types: Iterable[MessageType] | None) -> None:
        self.supported_types = list(supported_types or ())

    def can_handle(self, message_type: MessageType) -> bool:
        """Return whether the type is one of :attr:`supported_types`."""
        return message_type in self.supported_types

    async def handle_message(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        """Take note of the message."""
        logger.debug("%s message of %s", message.type.value, user_id)
        return True


class RespondingHandler(BaseMessageHandler):
    """Turns an exception of :meth:`respond` into False, so that one bad message never ends a connection."""

    async def handle_message(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        """Respond to the message; False where it is not for this handler or responding failed."""
        try:
            return await self.respond(user_id, websocket, message)
        except Exception as error:
            logger.error("%s of %s failed in %s: %s", message.type, user_id, type(self).__name__, error)
            self.note_error()
            return False

    async def respond(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        """Do the work; may raise."""
        raise NotImplementedError

    def note_error(self) -> None:
        """Count a failure, where the handler counts."""


class ConnectionHandler(RespondingHandler):
    """Acknowledges connecting and disconnecting; False where the socket is closed."""

    def __init__(self) -> None:
        super().__init__([MessageType.CONNECT, MessageType.DISCONNECT])

    async def respond(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        status = {MessageType.CONNECT: "connected", MessageType.DISCONNECT: "disconnect_acknowledged"}.get(message.type)
        if status is None:
            return False
        return await send_response(
            websocket, MessageType.SYSTEM_MESSAGE, {"status": status, "user_id": user_id, "timestamp": time.time()}
        )


class TypingHandler(RespondingHandler):
    """Acknowledges typing indicators."""

    def __init__(self) -> None:
        super().__init__(
            [MessageType.USER_TYPING, MessageType.AGENT_TYPING, MessageType.TYPING_STARTED, MessageType.TYPING_STOPPED]
        )

    async def respond(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        if not self.can_handle(message.type):
            return False
        await send_response(
            websocket,
            MessageType.SYSTEM_MESSAGE,
            {
                "status": "typing_acknowledged",
                "type": message.type.value,
                "user_id": user_id,
                "thread_id": message.thread_id,
                "timestamp": time.time(),
            },
        )
        return True


class HeartbeatHandler(RespondingHandler):
    """Answers ``ping`` with ``pong`` and ``heartbeat`` with ``heartbeat_ack``; False where the socket is closed."""

    def __init__(self) -> None:
        super().__init__([MessageType.PING, MessageType.PONG, MessageType.HEARTBEAT, MessageType.HEARTBEAT_ACK])

    async def respond(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        now = time.time()
        if message.type is MessageType.PING:
            return await send_response(websocket, MessageType.PONG, {"timestamp": now, "user_id": user_id})
        if message.type is MessageType.HEARTBEAT:
            return await send_response(websocket, MessageType.HEARTBEAT_ACK, {"timestamp": now, "status": "healthy"})
        return True


class AgentRequestHandler(RespondingHandler):
    """Tells the client that a request for an agent has arrived; an agent's own handler goes before this one."""

    def __init__(self) -> None:
        super().__init__([MessageType.AGENT_REQUEST, MessageType.START_AGENT])

    async def respond(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        payload = message.payload
        request = payload.get("message") or payload.get("user_request") or payload.get("query") or payload.get("content") or ""
        await send_response(
            websocket,
            MessageType.AGENT_RESPONSE,
            {
                "status": "received",
                "message": request,
                "turn_id": payload.get("turn_id") or str(uuid.uuid4()),
                "user_id": user_id,
                "thread_id": message.thread_id,
                "timestamp": time.time(),
            },
        )
        return True


CRITICAL_TYPES = (
    MessageType.AGENT_STARTED,
    MessageType.AGENT_THINKING,
    MessageType.TOOL_EXECUTING,
    MessageType.TOOL_COMPLETED,
    MessageType.AGENT_COMPLETED,
)


def shown(kind: MessageType) -> str:
    """Return how the old protocol writes a type where it quotes one."""
    return f"MessageType.{kind.name}"


class AgentHandler(RespondingHandler):
    """Acknowledges what agents and their tools report, tasks, and questions for an agent's status."""

    def __init__(self) -> None:
        super().__init__(
            [
                MessageType.AGENT_TASK,
                MessageType.AGENT_TASK_ACK,
                MessageType.AGENT_STATUS_REQUEST,
                MessageType.AGENT_STATUS_UPDATE,
                MessageType.AGENT_RESPONSE_CHUNK,
                MessageType.AGENT_RESPONSE_COMPLETE,
                MessageType.AGENT_STARTED,
                MessageType.AGENT_COMPLETED,
                MessageType.AGENT_THINKING,
                MessageType.AGENT_ERROR,
                MessageType.TOOL_EXECUTING,
                MessageType.TOOL_COMPLETED,
            ]
        )

    async def respond(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        if not self.can_handle(message.type):
            return False
        payload, answer = message.payload, {"user_id": user_id, "timestamp": time.time()}
        if message.type is MessageType.AGENT_TASK:
            task = payload.get("task_id") or message.message_id or str(uuid.uuid4())
            await send_response(websocket, MessageType.AGENT_TASK_ACK, {"task_id": task, "status": "acknowledged", **answer})
        elif message.type is MessageType.AGENT_STATUS_REQUEST:
            status = {"agent_id": payload.get("agent_id"), "status": "idle"}
            await send_response(websocket, MessageType.AGENT_STATUS_UPDATE, {**status, **answer})
        else:
            said = {"status": "agent_message_acknowledged", "original_type": shown(message.type)}
            await send_response(websocket, MessageType.SYSTEM_MESSAGE, {**said, **answer})
        return True


class UserMessageHandler(RespondingHandler):
    """Acknowledges what users write, and counts it."""

    def __init__(self) -> None:
        super().__init__(
            [
                MessageType.USER_MESSAGE,
                MessageType.CHAT,
                MessageType.SYSTEM_MESSAGE,
                MessageType.AGENT_RESPONSE,
                MessageType.AGENT_PROGRESS,
                MessageType.THREAD_UPDATE,
                MessageType.THREAD_MESSAGE,
            ]
        )
        self.message_stats: dict[str, Any] = {"processed": 0, "errors": 0, "last_message_time": None}

    async def respond(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        self.message_stats["processed"] += 1
        self.message_stats["last_message_time"] = time.time()
        if message.type in (MessageType.USER_MESSAGE, MessageType.CHAT):
            await send_response(
                websocket,
                MessageType.SYSTEM_MESSAGE,
                {
                    "status": "message_received",
                    "message_id": message.message_id,
                    "user_id": user_id,
                    "thread_id": message.thread_id,
                    "timestamp": time.time(),
                },
            )
        return True

    def note_error(self) -> None:
        self.message_stats["errors"] += 1

    def get_stats(self) -> dict[str, Any]:
        """Return processed, errors and last_message_time (seconds since the epoch, None before the first)."""
        return dict(self.message_stats)


class JsonRpcHandler(RespondingHandler):
    """Answers JSON-RPC requests; :attr:`methods` holds the functions, ``params -> result``."""

    def __init__(self) -> None:
        super().__init__([MessageType.JSONRPC_REQUEST, MessageType.JSONRPC_RESPONSE, MessageType.JSONRPC_NOTIFICATION])
        self.rpc_stats = {"requests": 0, "responses": 0, "notifications": 0, "errors": 0}
        self.methods: dict[str, Any] = {
            "ping": lambda params: {"status": "processed", "method": "ping"},
            "echo": lambda params: params,
            "get_status": lambda params: {"status": "ok", "timestamp": time.time()},
        }

    async def respond(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        if message.type is MessageType.JSONRPC_RESPONSE:
            self.rpc_stats["responses"] += 1
        elif message.type is MessageType.JSONRPC_NOTIFICATION:
            self.rpc_stats["notifications"] += 1
        elif message.type is MessageType.JSONRPC_REQUEST:
            self.rpc_stats["requests"] += 1
            answer = self._answer(message.payload)
            if is_websocket_connected(websocket):
                await websocket.send_json(answer)
        else:
            return False
        return True

    def _answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {"jsonrpc": "2.0", "id": request.get("id")}
        method = self.methods.get(str(request.get("method")))
        if method is None:
            self.rpc_stats["errors"] += 1
            return {**answer, "error": {"code": -32601, "message": f"Method not found: {request.get('method')}"}}
        try:
            return {**answer, "result": method(request.get("params", {}))}
        except Exception as error:
            self.rpc_stats["errors"] += 1
            return {**answer, "error": {"code": -32603, "message": str(error)}}

    def note_error(self) -> None:
        self.rpc_stats["errors"] += 1

    def get_stats(self) -> dict[str, Any]:
        """Return requests, responses, notifications and errors."""
        return dict(self.rpc_stats)


#: Clients choose the codes of their errors.
LONGEST_CODE = 200


class ErrorHandler(RespondingHandler):
    """Counts the errors that clients report, and acknowledges them."""

    def __init__(self) -> None:
        super().__init__([MessageType.ERROR_MESSAGE])
        self.error_stats: dict[str, Any] = {"total_errors": 0, "error_types": Newest(1000), "last_error_time": None}
        self._clients: dict[str, float] = Newest()

    async def respond(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        payload = message.payload
        code = str(payload.get("error_code") or payload.get("error_type") or "UNKNOWN")
        self._count(code[:LONGEST_CODE])
        logger.warning("client of %s reports %s", user_id, code)
        data = {"content": "Error received and logged", "error_code": code, "status": "acknowledged"}
        await send_response(websocket, MessageType.SYSTEM_MESSAGE, data)
        return True

    def _count(self, code: str) -> None:
        self.error_stats["total_errors"] += 1
        self.error_stats["error_types"][code] = self.error_stats["error_types"].get(code, 0) + 1
        self.error_stats["last_error_time"] = time.time()

    async def connect(self, client_id: str) -> str | None:
        """Begin to take errors of a client; return its connection ID here."""
        self._clients[client_id] = time.time()
        return f"error_conn_{client_id}"

    async def disconnect(self, client_id: str) -> None:
        """Forget a client."""
        self._clients.pop(client_id, None)

    async def process_message(self, message: dict[str, Any]) -> dict[str, Any]:
        """Count an error given as a plain dict; return its status."""
        if not isinstance(message, dict):
            return {"status": "error", "message": "Invalid message format"}
        self._count(str(message.get("error_code") or message.get("type") or "UNKNOWN")[:LONGEST_CODE])
        return {"status": "processed", "message_type": message.get("type")}

    async def broadcast(self, event: str, data: dict[str, Any]) -> None:
        """Count an error that concerns every client that is connected here."""
        self._count(event)
        logger.warning("%s concerns %d clients", event, len(self._clients))

    def get_stats(self) -> dict[str, Any]:
        """Return total_errors, error_types and last_error_time (seconds since the epoch, None before the first)."""
        return {**self.error_stats, "error_types": dict(self.error_stats["error_types"])}


class BatchMessageHandler(RespondingHandler):
    """Gathers messages per user and sends them together: when enough have come, or the first has waited long enough."""

    def __init__(self, config: BatchConfig | None = None) -> None:
        super().__init__([MessageType.BROADCAST, MessageType.ROOM_MESSAGE])
        self._config = config
        self._pending: dict[str, list[dict[str, Any]]] = {}
        self._sockets: dict[str, Any] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._stats = {"batches_created": 0, "messages_batched": 0, "batch_send_successes": 0, "batch_send_failures": 0}

    @property
    def config(self) -> BatchConfig:
        """The limits; the defaults unless given."""
        if self._config is None:
            from .message_models import BatchConfig

            self._config = BatchConfig()
        return self._config

    @config.setter
    def config(self, config: BatchConfig) -> None:
        self._config = config

    async def respond(self, user_id: str, websocket: Any, message: WebSocketMessage) -> bool:
        self._pending.setdefault(user_id, []).append(message.model_dump(mode="json"))
        self._sockets[user_id] = websocket
        self._stats["messages_batched"] += 1
        if len(self._pending[user_id]) >= self.config.max_batch_size:
            await self._flush(user_id)
        elif user_id not in self._timers:
            self._timers[user_id] = asyncio.ensure_future(self._flush_later(user_id))
        return True

    async def _flush_later(self, user_id: str) -> None:
        await asyncio.sleep(self.config.max_wait_time)
        self._timers.pop(user_id, None)
        with contextlib.suppress(Exception):
            await self._flush(user_id)

    async def _flush(self, user_id: str) -> None:
        timer = self._timers.pop(user_id, None)
        if timer is not None:
            timer.cancel()
        messages, websocket = self._pending.pop(user_id, []), self._sockets.pop(user_id, None)
        if not messages:
            return
        self._stats["batches_created"] += 1
        batch = {"type": "batch", "messages": messages, "count": len(messages), "user_id": user_id, "timestamp": time.time()}
        for attempt in range(self.config.retry_attempts + 1):
            if attempt:
                await asyncio.sleep(self.config.retry_delay_seconds)
            if await safe_websocket_send(websocket, batch, retry_count=0):
                self._stats["batch_send_successes"] += 1
                return
        self._stats["batch_send_failures"] += 1

    async def flush_all_batches(self) -> None:
        """Send what waits, for every user."""
        for user_id in list(self._pending):
            await self._flush(user_id)

    def get_stats(self) -> dict[str, Any]:
        """Return what was batched and sent, and what is pending."""
        return {
            **self._stats,
            "pending_message_count": sum(len(messages) for messages in self._pending.values()),
            "active_timers": len(self._timers),
        }


WebSocketHandler = BaseMessageHandler
WebSocketMessageHandler = BaseMessageHandler


async def send_error_to_websocket(
    websocket: Any, error_code: str, error_message: str, details: dict[str, Any] | None = None
) -> bool:
    """Send an error message; return whether it went out."""
    if not is_websocket_connected(websocket):
        return False
    try:
        await websocket.send_json(create_error_message(error_code, error_message, details or {}).model_dump(mode="json"))
    except Exception as error:
        logger.error("error message could not be sent: %s", error)
        return False
    return True


async def send_system_message(websocket: Any, content: str, additional_data: dict[str, Any] | None = None) -> bool:
    """Send a system message whose data holds ``content`` and the additional data; return whether it went out."""
    try:
        return await send_response(websocket, MessageType.SYSTEM_MESSAGE, {"content": content, **(additional_data or {})})
    except Exception as error:
        logger.error("system message could not be sent: %s", error)
        return False


def __getattr__(name: str) -> Any:
    if name == "WebSocketMessage":
        # Not at import: the models need pydantic, an extra.
        from .message_models import WebSocketMessage

        return WebSocketMessage
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
