"""For whom work is done: the user execution context, its factories, and the managers that keep contexts apart."""

from __future__ import annotations

from .context_factory import (
    UserContextFactory,
    create_defensive_user_execution_context,
    create_isolated_execution_context,
    managed_user_context,
    validate_user_context,
)
from .context_manager import UserContextManager
from .isolation import clear_shared_object_registry, register_shared_object
from .user import ContextIsolationError, InvalidContextError, UserExecutionContext

__all__ = [
    "ContextIsolationError",
    "InvalidContextError",
    "UserContextFactory",
    "UserContextManager",
    "UserExecutionContext",
    "clear_shared_object_registry",
    "create_defensive_user_execution_context",
    "create_isolated_execution_context",
    "managed_user_context",
    "register_shared_object",
    "validate_user_context",
]
