"""A WebSocket core: one manager per user from a factory, ordered events, replay after a reconnection.

    settings, limits, deployment   what can be set          server/   the ASGI application, and serve()
    errors                         every exception          auth/     tokens, origins, failures
    context                        a user's unit of work    redis/    the backplane of several processes
    client/                        for Python and for JavaScript
    factory                        get_websocket_manager()  metrics   Prometheus
    core/                          events, replay, outbox, connection, stream, manager, backplane

The one process-wide object is the default factory: get_websocket_manager_factory() makes it at its first call,
set_websocket_manager_factory() replaces it, isolated_websocket_managers() gives a test one of its own. Names load on first
access, so that importing one part does not import the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .context import UserExecutionContext
    from .core.connection import Connection
    from .core.events import CRITICAL_EVENTS, Delivery, Event, Position
    from .core.manager import UnifiedWebSocketManager
    from .errors import (
        BackplaneUnavailable,
        CanonicalError,
        FactoryBypassDetected,
        FactoryInitializationError,
        ManagerClosed,
        ResourceLimitExceeded,
        SettingsError,
        SSotValidationError,
        Undelivered,
        UserIsolationViolation,
        WebSocketComponentError,
    )
    from .factory import (
        WebSocketManagerFactory,
        get_websocket_manager,
        get_websocket_manager_factory,
        isolated_websocket_managers,
        set_websocket_manager_factory,
    )
    from .limits import Limits, OverflowPolicy
    from .redis.outside import Publisher
    from .server.app import create_app
    from .settings import Settings

_HOMES = {
    "core.connection": ("Connection",),
    "context": ("UserExecutionContext",),
    "errors": (
        "BackplaneUnavailable",
        "CanonicalError",
        "FactoryBypassDetected",
        "FactoryInitializationError",
        "ManagerClosed",
        "ResourceLimitExceeded",
        "SSotValidationError",
        "SettingsError",
        "Undelivered",
        "UserIsolationViolation",
        "WebSocketComponentError",
    ),
    "core.events": ("CRITICAL_EVENTS", "Delivery", "Event", "Position"),
    "factory": (
        "WebSocketManagerFactory",
        "get_websocket_manager",
        "get_websocket_manager_factory",
        "isolated_websocket_managers",
        "set_websocket_manager_factory",
    ),
    "limits": ("Limits", "OverflowPolicy"),
    "core.manager": ("UnifiedWebSocketManager",),
    "redis.outside": ("Publisher",),
    "server.app": ("create_app",),
    "settings": ("Settings",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "CRITICAL_EVENTS",
    "BackplaneUnavailable",
    "CanonicalError",
    "Connection",
    "Delivery",
    "Event",
    "FactoryBypassDetected",
    "FactoryInitializationError",
    "Limits",
    "ManagerClosed",
    "OverflowPolicy",
    "Position",
    "Publisher",
    "ResourceLimitExceeded",
    "SSotValidationError",
    "Settings",
    "SettingsError",
    "Undelivered",
    "UnifiedWebSocketManager",
    "UserExecutionContext",
    "UserIsolationViolation",
    "WebSocketComponentError",
    "WebSocketManagerFactory",
    "create_app",
    "get_websocket_manager",
    "get_websocket_manager_factory",
    "isolated_websocket_managers",
    "set_websocket_manager_factory",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
