"""The legacy manager classes: many users' connections through one object, each user behind a canonical manager of their own."""

from __future__ import annotations

import inspect
from typing import Any

from compat.shim import Adapter, legacy_method

from ...testing_mode import is_testing
from .manager_base import ManagerMethods
from .manager_types import WebSocketManagerMode

CANONICAL = "compat.canonical.core.manager:UnifiedWebSocketManager"
OTHERWISE = "the methods of the user's own manager, get_websocket_manager(context)"

#: What to write instead of each legacy method; the rest of the public methods say "the canonical manager's own methods".
INSTEAD = {
    "add_connection": "get_websocket_manager(context).connect(websocket)",
    "remove_connection": "manager.remove_connection(connection_id) of the user's own manager",
    "register_connection": "get_websocket_manager(context).add_connection(websocket)",
    "unregister_connection": "manager.remove_connection(connection_id)",
    "connect_user": "await get_websocket_manager(context).connect(websocket)",
    "disconnect_user": "await manager.disconnect(connection_id, code, reason)",
    "send_to_user": "await get_websocket_manager(context).send(message)",
    "send_to_thread": "await manager.send_to_thread(thread_id, message)",
    "send_message": "await manager.send_to_connection(connection_id, message)",
    "send_event": "await manager.emit(event_type, data)",
    "send_agent_event": "await manager.emit(event_type, data)",
    "emit_critical_event": "await get_websocket_manager(context).emit(event_type, data)",
    "broadcast": "await get_websocket_manager_factory().broadcast(message)",
    "broadcast_to_all": "await get_websocket_manager_factory().broadcast(message, exclude=users)",
    "is_connection_active": "manager.is_connected",
    "get_user_connections": "manager.connections",
    "update_connection_thread": "manager.associate_thread(connection_id, thread_id)",
    "get_connection_id_by_websocket": "next(c for c in manager.connections.values() if c.websocket is websocket)",
    "get_stats": "manager.stats()",
    "get_health_status": "manager.health()",
    "get_connection_health": "manager.health()",
    "shutdown": "await manager.close()",
    "cleanup_all_connections": "await manager.close()",
}


def _counted() -> dict[str, Any]:
    """Every public legacy method, marked with what to write instead."""
    found = {}
    for base in reversed(ManagerMethods.__mro__):
        for name, value in vars(base).items():
            if not name.startswith("_") and inspect.isfunction(value):
                found[name] = legacy_method(instead=INSTEAD.get(name, OTHERWISE))(value)
    return found


class UnifiedWebSocketManager(ManagerMethods, Adapter, of=CANONICAL):
    """A manager by its class: with a context, or in tests; the factory function is the way otherwise."""

    locals().update(_counted())

    def __init__(
        self,
        mode: Any = WebSocketManagerMode.UNIFIED,
        user_context: Any = None,
        config: Any = None,
        _ssot_authorization_token: Any = None,
        **unused: Any,
    ) -> None:
        self._begin(True, mode, user_context, {**(config or {}), **unused}, _ssot_authorization_token)


class SharedWebSocketManager(ManagerMethods, Adapter, of=CANONICAL):
    """A manager as it was before there were contexts: one object for everybody, each user's connections apart."""

    __qualname__ = "WebSocketManager"

    locals().update(_counted())

    def __init__(
        self,
        mode: Any = WebSocketManagerMode.UNIFIED,
        user_context: Any = None,
        config: Any = None,
        _ssot_authorization_token: Any = None,
        **unused: Any,
    ) -> None:
        self._begin(False, mode, user_context, {**(config or {}), **unused}, _ssot_authorization_token)


# Where managers may be made without a user the two differ in nothing, and tests ask whether they are one class.
WebSocketManager = UnifiedWebSocketManager if is_testing() else SharedWebSocketManager
