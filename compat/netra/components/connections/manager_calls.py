"""Calls on whatever is given as a manager: a canonical one works for one user and is not told for whom, all others are."""

from __future__ import annotations

import inspect
from typing import Any

from compat.canonical.core.manager import UnifiedWebSocketManager
from compat.canonical.errors import UserIsolationViolation


def is_canonical(manager: Any) -> bool:
    """Whether a manager is the core's own; legacy managers are instances of its class to isinstance()."""
    return type(manager) is UnifiedWebSocketManager


async def is_connected(manager: Any, user_id: str) -> bool:
    """Whether a user has a connection."""
    if is_canonical(manager):
        return bool(_of_user(manager, user_id).is_connected)
    return bool(await settled(manager.is_connection_active(user_id)))


async def emit_critical(manager: Any, user_id: str, event_type: str, data: dict[str, Any]) -> Any:
    """Send a user an event that must not be dropped."""
    if is_canonical(manager):
        return await _of_user(manager, user_id).emit(event_type, data, critical=True)
    return await settled(manager.emit_critical_event(user_id=user_id, event_type=event_type, data=data))


async def send_to_user(manager: Any, user_id: str, message: Any) -> Any:
    """Send a user a message."""
    if is_canonical(manager):
        return await _of_user(manager, user_id).send(message)
    return await settled(manager.send_to_user(user_id, message))


async def settled(result: Any) -> Any:
    """Return what a function answered, or what its coroutine returns."""
    return await result if inspect.isawaitable(result) else result


def _of_user(manager: UnifiedWebSocketManager, user_id: str) -> UnifiedWebSocketManager:
    if manager.user_id != user_id:
        raise UserIsolationViolation(f"this manager works for user {manager.user_id!r}, not {user_id!r}")
    return manager
