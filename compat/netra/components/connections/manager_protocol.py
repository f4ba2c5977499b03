"""The interface that managers share, checked by shape: what is missing, what has the wrong arguments."""

from __future__ import annotations

import inspect
from typing import Any

__all__ = [
    "REQUIRED_METHODS",
    "WebSocketProtocol",
    "WebSocketProtocolValidator",
    "adapt_manager_for_legacy_code",
    "ensure_connection_id_type",
    "ensure_thread_id_type",
    "ensure_user_id_type",
    "ensure_websocket_id_type",
    "get_protocol_documentation",
    "validate_migration_compatibility",
]

#: Method, whether it is async, its parameters in order, what it does.
REQUIRED_METHODS: dict[str, tuple[bool, tuple[str, ...], str]] = {
    "add_connection": (True, ("connection",), "take a connection of a user"),
    "remove_connection": (True, ("connection_id",), "let a connection go"),
    "get_connection": (False, ("connection_id",), "return a connection, None if unknown"),
    "get_user_connections": (False, ("user_id",), "return the IDs of a user's connections"),
    "is_connection_active": (False, ("user_id",), "return whether a user is connected"),
    "get_connection_id_by_websocket": (False, ("websocket",), "return the ID of a socket's connection"),
    "update_connection_thread": (False, ("connection_id", "thread_id"), "move a connection to a thread"),
    "send_to_user": (True, ("user_id", "message"), "send a message to all connections of a user"),
    "emit_critical_event": (True, ("user_id", "event_type", "data"), "send an event that must not be lost"),
    "get_connection_health": (False, ("user_id",), "return the state of a user's connections"),
    "send_to_thread": (True, ("thread_id", "message"), "send a message to the connections of a thread"),
}


class WebSocketProtocol:
    """One socket with the IDs it goes by."""

    def __init__(self, websocket: Any = None, connection_id: str | None = None, user_id: str | None = None) -> None:
        self.websocket = websocket
        self.connection_id = connection_id
        self.user_id = user_id
        self.is_connected = websocket is not None

    async def send_message(self, message: dict[str, Any]) -> bool:
        """Send a message as JSON; return whether it went out."""
        from .connection_utils import safe_websocket_send

        if self.websocket is None or not self.is_connected:
            return False
        return await safe_websocket_send(self.websocket, message)

    async def close(self) -> None:
        """Close the socket if there is one."""
        from .connection_utils import safe_websocket_close

        self.is_connected = False
        if self.websocket is not None:
            await safe_websocket_close(self.websocket)


class WebSocketProtocolValidator:
    """Says in which ways an object is not a manager."""

    @staticmethod
    def validate_manager_protocol(manager: Any) -> dict[str, Any]:
        """Return ``compliant``, ``missing_methods``, ``invalid_signatures``, ``method_details`` and a ``summary``."""
        missing, invalid, details = [], [], {}
        for name, (is_async, parameters, _) in REQUIRED_METHODS.items():
            method = getattr(manager, name, None)
            if not callable(method):
                missing.append(name)
                continue
            details[name] = {"async": inspect.iscoroutinefunction(method), "expected_async": is_async}
            if not _accepts(method, parameters):
                invalid.append(f"{name}({', '.join(parameters)})")
        present = len(REQUIRED_METHODS) - len(missing)
        return {
            "compliant": not missing and not invalid,
            "manager_type": type(manager).__name__,
            "missing_methods": missing,
            "invalid_signatures": invalid,
            "method_details": details,
            "summary": {
                "total_methods_required": len(REQUIRED_METHODS),
                "methods_present": present,
                "compliance_percentage": round(100 * present / len(REQUIRED_METHODS), 1),
            },
        }

    @staticmethod
    def require_protocol_compliance(manager: Any, error_context: str = "WebSocket Manager") -> None:
        """Raise ``RuntimeError`` with everything that is wrong, if anything is."""
        result = WebSocketProtocolValidator.validate_manager_protocol(manager)
        if not result["compliant"]:
            faults = [f"missing {name}" for name in result["missing_methods"]]
            faults += [f"wrong arguments in {name}" for name in result["invalid_signatures"]]
            raise RuntimeError(f"{error_context} does not follow the manager protocol: {'; '.join(faults)}")


def _accepts(method: Any, parameters: tuple[str, ...]) -> bool:
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(*parameters)
    except TypeError:
        return False
    return True


def get_protocol_documentation() -> str:
    """Return the interface as text, one line per method."""
    lines = [
        f"{'async ' if is_async else ''}{name}({', '.join(parameters)}): {meaning}"
        for name, (is_async, parameters, meaning) in REQUIRED_METHODS.items()
    ]
    return "WebSocket manager protocol\n\n" + "\n".join(lines) + "\n"


def validate_migration_compatibility(manager: Any) -> dict[str, Any]:
    """Return :meth:`WebSocketProtocolValidator.validate_manager_protocol` and ``migration_ready`` with what to do."""
    result = WebSocketProtocolValidator.validate_manager_protocol(manager)
    steps = [f"implement {name}()" for name in result["missing_methods"]]
    steps += [f"accept the arguments {name}" for name in result["invalid_signatures"]]
    return {**result, "migration_ready": result["compliant"], "recommendations": steps}


def adapt_manager_for_legacy_code(manager: Any) -> Any:
    """Return the manager, which serves both; ``RuntimeError`` if it is none."""
    WebSocketProtocolValidator.require_protocol_compliance(manager, type(manager).__name__)
    return manager


def ensure_connection_id_type(connection_id: Any) -> str:
    """Return the ID as text; ``ValueError`` for an empty one."""
    return _text("connection_id", connection_id)


def ensure_user_id_type(user_id: Any) -> str:
    """Return the ID as text; ``ValueError`` for an empty one."""
    return _text("user_id", user_id)


def ensure_thread_id_type(thread_id: Any) -> str:
    """Return the ID as text; ``ValueError`` for an empty one."""
    return _text("thread_id", thread_id)


def ensure_websocket_id_type(websocket_id: Any) -> str | None:
    """Return the ID as text, None for None; ``ValueError`` for an empty one."""
    return None if websocket_id is None else _text("websocket_id", websocket_id)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} must be a non-empty string, got {value!r}")
    return value
