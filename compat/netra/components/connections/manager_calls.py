"""Calls on whatever is given as a manager: a canonical one works for one user and is not told for whom, all others are."""

from __future__ import annotations

import inspect
from typing import Any

from compat.canonical.core.manager import UnifiedWebSocketManager
from compat.canonical.core.serialization import serialize_message
from compat.canonical.errors import UserIsolationViolation
from compat.shim import Adapter


def is_canonical(manager: Any) -> bool:
    """Whether a manager is the core's own; legacy managers are instances of its class to isinstance()."""
    return type(manager) is UnifiedWebSocketManager


def is_mock(value: Any) -> bool:
    """Whether this is a test's: what is read off such an object says nothing of it."""
    return any(base.__module__.startswith("unittest.mock") for base in type(value).__mro__)


async def is_connected(manager: Any, user_id: str) -> bool:
    """Whether a user has a connection."""
    if is_canonical(manager):
        return bool(_of_user(manager, user_id).is_connected)
    return bool(await settled(manager.is_connection_active(user_id)))


async def emit_critical(manager: Any, user_id: str, event_type: str, data: dict[str, Any]) -> Any:
    """Send a user an event that must not be dropped."""
    if is_canonical(manager):
        return await _of_user(manager, user_id).emit(event_type, serialize_message(data), critical=True)
    return await settled(manager.emit_critical_event(user_id=user_id, event_type=event_type, data=data))


async def send_to_user(manager: Any, user_id: str, message: Any) -> Any:
    """Send a user a message."""
    if is_canonical(manager):
        return await _of_user(manager, user_id).send(message)
    return await settled(manager.send_to_user(user_id, message))


async def notify_user(manager: Any, user_id: str | None, thread_id: Any, message: dict[str, Any], *, named: bool = False) -> Any:
    """Send an agent's notification as its bridge does: ``send_to_thread``, and what that answered.

    A manager of this package reaches the sockets of a known user, whichever thread they show, and answers True.
    """
    if is_canonical(manager):
        await (_of_user(manager, user_id) if user_id is not None else manager).send(message, critical=True)
        return True
    if user_id is not None and _is_served(manager, "send_to_thread"):
        await manager.send_to_user(user_id, message)
        return True
    if named:
        return await settled(manager.send_to_thread(thread_id=thread_id, message=message))
    return await settled(manager.send_to_thread(thread_id, message))


async def settled(result: Any) -> Any:
    """Return what a function answered, or what its coroutine returns."""
    return await result if inspect.isawaitable(result) else result


def _of_user(manager: UnifiedWebSocketManager, user_id: str) -> UnifiedWebSocketManager:
    if manager.user_id != user_id:
        raise UserIsolationViolation(f"this manager works for user {manager.user_id!r}, not {user_id!r}")
    return manager


def _is_served(manager: Any, name: str) -> bool:
    """Whether a method is this package's own, of a legacy manager: neither a test's nor a subclass's."""
    kind = type(manager)
    if not issubclass(kind, Adapter) or name in vars(manager):
        return False
    definer = next((base for base in kind.__mro__ if name in vars(base)), kind)
    return definer.__module__.startswith("compat.")
