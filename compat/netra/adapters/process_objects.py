"""Functions of legacy modules that hand out one object for the whole process: trackers, buffers, breakers, validators."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from compat.netra.components.agents.agent_bridge import AgentWebSocketBridge
from compat.netra.components.agents.emitters.unified import UnifiedWebSocketEmitter
from compat.netra.components.connections.breaker import CircuitBreaker, CircuitBreakerConfig
from compat.netra.components.events.delivery_tracker import get_event_delivery_tracker as get_event_delivery_tracker
from compat.netra.components.events.message_buffer import BufferConfig, BufferPriority, WebSocketMessageBuffer
from compat.shim import dual

from .manager_factory import create_websocket_manager_sync

CRITICAL_EVENTS = UnifiedWebSocketEmitter.CRITICAL_EVENTS


@cache
def _buffer() -> WebSocketMessageBuffer:
    return WebSocketMessageBuffer()


def get_message_buffer(config: BufferConfig | None = None) -> WebSocketMessageBuffer:
    """The message buffer of this process; ``config`` replaces its settings."""
    buffer = _buffer()
    if config is not None:
        buffer.config = config
    return buffer


async def buffer_user_message(user_id: str, message: Any, priority: BufferPriority = BufferPriority.NORMAL) -> bool:
    """Keep a message for a user in the process's buffer."""
    return await get_message_buffer().buffer_message(user_id, message, priority)


async def deliver_user_messages(user_id: str, delivery_callback: Any) -> int:
    """Deliver what the process's buffer keeps for a user."""
    return await get_message_buffer().deliver_buffered_messages(user_id, delivery_callback)


def get_websocket_circuit_breaker_config() -> CircuitBreakerConfig:
    """The breaker settings of this process's environment."""
    return CircuitBreakerConfig.of_environment(os.environ.get("ENVIRONMENT", "development").lower())


@cache
def get_websocket_circuit_breaker() -> CircuitBreaker:
    """The circuit breaker of this process."""
    return CircuitBreaker(get_websocket_circuit_breaker_config())


async def websocket_connect_with_circuit_breaker(connection_func: Any, *args: Any, **kwargs: Any) -> Any:
    """Connect through the process's breaker."""
    return await get_websocket_circuit_breaker().call(connection_func, *args, connection_type="websocket_connect", **kwargs)


async def websocket_send_with_circuit_breaker(send_func: Any, *args: Any, **kwargs: Any) -> Any:
    """Send through the process's breaker."""
    return await get_websocket_circuit_breaker().call(send_func, *args, connection_type="websocket_send", **kwargs)


@dual
def get_agent_websocket_bridge(user_context: Any = None) -> AgentWebSocketBridge:
    """A bridge for one user; there is no bridge for all."""
    return AgentWebSocketBridge(user_context)


@dual
def get_reconnection_handler(user_id: Any = None) -> Any:
    """The manager that a user reconnects to; None without a user."""
    from types import SimpleNamespace

    if user_id is None:
        return None
    return create_websocket_manager_sync(SimpleNamespace(user_id=str(user_id), thread_id=None, request_id=None))
