"""Routes client messages to handlers: registered ones first, then the built-in ones, in order."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from compat.netra.components.bounded import Newest
from compat.netra.components.process_wide import only

from . import handlers as _handlers
from .creation import convert_jsonrpc_to_websocket_message
from .handlers import BaseMessageHandler, MessageHandler
from .message_types import MessageType, is_jsonrpc_message, normalize_message_type

if TYPE_CHECKING:
    from .message_models import WebSocketMessage

#: Fields of the envelope; a message without ``payload`` has everything else as its payload.
_ENVELOPE = frozenset({"type", "payload", "data", "timestamp", "message_id", "user_id", "thread_id"})
#: What agents and tools report is shown to users as progress.
_AGENT_EVENTS = frozenset(_handlers.CRITICAL_TYPES)
Deliver = Callable[[str, "dict[str, Any]"], Awaitable[Any]]


class MessageRouter:
    """Finds the handler of a message and counts what becomes of it; a failing handler never raises through it."""

    #: Seconds after the start in which having no handlers is not yet an error.
    startup_grace_period_seconds = 10.0

    def __init__(self, deliver: Deliver | None = None) -> None:
        self.custom_handlers: list[MessageHandler] = []
        self.builtin_handlers: list[MessageHandler] = [
            _handlers.ConnectionHandler(),
            _handlers.TypingHandler(),
            _handlers.HeartbeatHandler(),
            _handlers.AgentHandler(),
            _handlers.AgentRequestHandler(),
            _handlers.UserMessageHandler(),
            _handlers.JsonRpcHandler(),
            _handlers.ErrorHandler(),
            _handlers.BatchMessageHandler(),
        ]
        self.fallback_handler = BaseMessageHandler([])
        self.routing_stats: dict[str, Any] = {
            "messages_routed": 0,
            "unhandled_messages": 0,
            "handler_errors": 0,
            "message_types": {},
        }
        self.startup_time = time.time()
        self.active = True
        self.routes: dict[str, Any] = {}
        self.middleware: list[Any] = []
        self.quality_subscribers: dict[str, dict[str, Any]] = Newest()
        self._deliver = deliver

    @property
    def handlers(self) -> list[MessageHandler]:
        """All handlers in the order in which they are asked."""
        return [*self.custom_handlers, *self.builtin_handlers]

    def add_handler(self, handler: MessageHandler) -> None:
        """Ask this handler after the other added ones and before the built-in ones."""
        self.custom_handlers.append(_checked(handler))

    def insert_handler(self, handler: MessageHandler, index: int = 0) -> None:
        """Ask this handler at a position among the added ones."""
        self.custom_handlers.insert(index, _checked(handler))

    def remove_handler(self, handler: MessageHandler) -> None:
        """Forget a handler, added or built in; one that is not there is no error."""
        for known in (self.custom_handlers, self.builtin_handlers):
            if handler in known:
                known.remove(handler)
                return
        _handlers.logger.debug("%s is not registered", type(handler).__name__)

    def get_handler_order(self) -> list[str]:
        """Return the class names of all handlers, in order."""
        return [type(handler).__name__ for handler in self.handlers]

    async def route_message(self, user_id: str, websocket: Any, raw_message: dict[str, Any]) -> bool:
        """Handle one message as it was received; return whether it was handled. Never raises.

        A message of an unknown type is acknowledged with ``{"type": "ack", "received_type": ..., ...}``.
        """
        try:
            for step in self.middleware:
                changed = step(raw_message)
                changed = await changed if inspect.isawaitable(changed) else changed
                raw_message = changed if isinstance(changed, dict) else raw_message
            self.routing_stats["messages_routed"] += 1
            raw_type = raw_message.get("type", "unknown")
            route = self.routes.get(raw_type) if isinstance(raw_type, str) else None
            if route is not None:
                return await _call_route(route, user_id, websocket, raw_message)
            if not is_jsonrpc_message(raw_message) and self._is_unknown_message_type(raw_type):
                self.routing_stats["unhandled_messages"] += 1
                return await self._send_unknown_message_ack(user_id, websocket, raw_type)
            message = await self._prepare_message(raw_message)
            counts = self.routing_stats["message_types"]
            counts[str(message.type)] = counts.get(str(message.type), 0) + 1
            handler = self._find_handler(message.type)
            if handler is None:
                self.routing_stats["unhandled_messages"] += 1
                return await self.fallback_handler.handle_message(user_id, websocket, message)
            success = await handler.handle_message(user_id, websocket, message)
            if not success:
                self.routing_stats["handler_errors"] += 1
            return success
        except Exception as error:
            self.routing_stats["handler_errors"] += 1
            _handlers.logger.error("message of %s could not be routed: %s", user_id, error)
            return False

    def _is_unknown_message_type(self, message_type: Any) -> bool:
        try:
            normalize_message_type(message_type)
        except ValueError:
            return True
        return False

    async def _send_unknown_message_ack(self, user_id: str, websocket: Any, message_type: Any) -> bool:
        ack = {
            "type": "ack",
            "received_type": message_type,
            "timestamp": time.time(),
            "user_id": user_id,
            "status": "acknowledged",
        }
        if _handlers.is_websocket_connected(websocket):
            await websocket.send_json(ack)
        return True

    async def _prepare_message(self, raw_message: dict[str, Any]) -> WebSocketMessage:
        """Return the model of a received message. What agents report becomes progress, its own type in the payload."""
        from .message_models import WebSocketMessage

        if is_jsonrpc_message(raw_message):
            return convert_jsonrpc_to_websocket_message(raw_message)
        raw_type = raw_message.get("type", "unknown")
        payload = raw_message.get("payload", raw_message.get("data"))
        if not isinstance(payload, dict):
            payload = {key: value for key, value in raw_message.items() if key not in _ENVELOPE}
        kind = normalize_message_type(raw_type)
        if kind in _AGENT_EVENTS:
            payload = {**payload, "original_agent_event_type": kind.value}
            kind = MessageType.AGENT_PROGRESS
        return WebSocketMessage(
            type=kind,
            payload=payload,
            timestamp=_seconds(raw_message.get("timestamp")),
            message_id=raw_message.get("message_id"),
            user_id=raw_message.get("user_id"),
            thread_id=raw_message.get("thread_id"),
        )

    def _find_handler(self, message_type: MessageType) -> MessageHandler | None:
        for handler in self.handlers:
            if handler.can_handle(message_type):
                return handler
        return None

    def check_handler_status_with_grace_period(self) -> dict[str, Any]:
        """Return ``status`` (initializing at first, then ready, or error without handlers), message, handlers and times."""
        elapsed = time.time() - self.startup_time
        in_grace = elapsed < self.startup_grace_period_seconds
        names = self.get_handler_order()
        count = len(names)
        if in_grace:
            status = "initializing"
            message = f"Startup in progress ({elapsed:.1f}s of {self.startup_grace_period_seconds}s grace period)"
            if count:
                message = f"Handlers registered during startup ({elapsed:.1f}s)"
        elif count:
            status, message = "ready", f"Handler registration complete ({count} handlers)"
        else:
            status, message = "error", f"No handlers registered after {self.startup_grace_period_seconds}s grace period"
        return {
            "status": status,
            "message": message,
            "handler_count": count,
            "handlers": names,
            "elapsed_seconds": elapsed,
            "grace_period_active": in_grace,
        }

    def get_stats(self) -> dict[str, Any]:
        """Return the routing counts, and of the handlers: their number, order, status and own counts."""
        return {
            **self.routing_stats,
            "message_types": dict(self.routing_stats["message_types"]),
            "handler_stats": {
                type(handler).__name__: handler.get_stats() if hasattr(handler, "get_stats") else {"status": "active"}
                for handler in self.handlers
            },
            "handler_count": len(self.handlers),
            "handler_order": [f"[{place}] {name}" for place, name in enumerate(self.get_handler_order())],
            "handler_status": self.check_handler_status_with_grace_period(),
        }

    def get_statistics(self) -> dict[str, Any]:
        """Return totals, and :meth:`get_stats` as ``production_stats``."""
        stats = self.get_stats()
        return {
            "total_messages": stats["messages_routed"],
            "active_routes": len(self.routes),
            "middleware_count": len(self.middleware),
            "active": self.active,
            "production_stats": stats,
        }

    def add_route(self, pattern: str, handler: Any) -> None:
        """Hand messages whose ``type`` is exactly this text to a handler, or to a function of the message."""
        self.routes[pattern] = handler

    def add_middleware(self, middleware: Any) -> None:
        """Let a function see every message first; a dict it returns (or awaits to) takes the message's place."""
        self.middleware.append(middleware)

    def start(self) -> None:
        """Begin; the grace period begins again."""
        self.active = True
        self.startup_time = time.time()

    def stop(self) -> None:
        """Note that the router is out of use; messages that still come are routed."""
        self.active = False

    async def handle_quality_message(self, user_id: str, message: dict[str, Any]) -> None:
        """Subscribe a user to quality alerts, or end that: payload ``action`` is subscribe (the default) or unsubscribe."""
        payload = message.get("payload")
        payload = payload if isinstance(payload, Mapping) else {}
        if payload.get("action", "subscribe") == "unsubscribe" or str(message.get("type", "")).startswith("unsubscribe"):
            self.quality_subscribers.pop(user_id, None)
        else:
            self.quality_subscribers[user_id] = dict(payload)

    async def broadcast_quality_update(self, update: dict[str, Any]) -> None:
        """Send an update to every subscribed user."""
        await self._tell_subscribers({"type": "quality_update", "payload": update, "timestamp": time.time()})

    async def broadcast_quality_alert(self, alert: dict[str, Any]) -> None:
        """Send an alert to every subscribed user."""
        severity = alert.get("severity", "info")
        await self._tell_subscribers(
            {"type": "quality_alert", "payload": {**alert, "severity": severity}, "timestamp": time.time()}
        )

    async def _tell_subscribers(self, message: dict[str, Any]) -> None:
        for user_id in list(self.quality_subscribers):
            try:
                if self._deliver is None:
                    raise RuntimeError("MessageRouter(deliver=...) was given no way to reach users")
                await self._deliver(user_id, message)
            except Exception as error:
                _handlers.logger.error("%s could not be sent to %s: %s", message["type"], user_id, error)


def _seconds(timestamp: Any) -> float:
    """Return a client's timestamp (a number, or a text in ISO 8601) in seconds; the present time if it has none."""
    if timestamp is None:
        return time.time()
    from ..timestamps import safe_convert_timestamp

    seconds = safe_convert_timestamp(timestamp)
    return time.time() if seconds is None else seconds


def _checked(handler: Any) -> Any:
    if not all(callable(getattr(handler, name, None)) for name in ("can_handle", "handle_message")):
        raise TypeError(
            f"Handler {type(handler).__name__} does not implement MessageHandler protocol. Handler must have 'can_handle' "
            "and 'handle_message' methods. Raw functions are not supported - use a proper handler class instead."
        )
    return handler


async def _call_route(route: Any, user_id: str, websocket: Any, message: dict[str, Any]) -> bool:
    handle = getattr(route, "handle_message", None)
    result = handle(user_id, websocket, message) if callable(handle) else route(message)
    result = await result if inspect.isawaitable(result) else result
    return result is not False


_message_router: MessageRouter | None = None


def get_message_router() -> MessageRouter:
    """Return the router of this process; it is made when first asked for."""
    return only(globals(), "_message_router", MessageRouter)


def get_router_handler_count() -> int:
    """Return how many handlers the router of this process has."""
    return len(get_message_router().handlers)


def list_registered_handlers() -> list[str]:
    """Return the class names of the handlers of this process's router, in order."""
    return get_message_router().get_handler_order()
