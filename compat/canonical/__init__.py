"""The canonical WebSocket core: factory-built managers, one per user, nothing lost on reconnect.

    errors       every exception              settings, environment, limits    what is set
    events       drafts, events, positions    auth                             who is let in
    outbox       what may wait                types, ids, context              whose work it is
    replay       what was missed              backplane, backplane_redis       one process or several
    connection   one socket                   server, serve                    the Starlette application
    stream, manager, factory                  one user's connections and how to get them

Names are loaded on demand, so that importing one part does not import the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .context import UserExecutionContext
    from .core.connection import Connection
    from .core.events import CRITICAL_EVENTS, Delivery, Event, Position
    from .core.manager import UnifiedWebSocketManager
    from .core.outbox import OverflowPolicy
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
    from .factory import WebSocketManagerFactory, get_websocket_manager
    from .limits import Limits
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
    "factory": ("WebSocketManagerFactory", "get_websocket_manager"),
    "limits": ("Limits",),
    "core.manager": ("UnifiedWebSocketManager",),
    "core.outbox": ("OverflowPolicy",),
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
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
