"""String types that name what a string identifies: ``UserID("...")`` is the string itself, as with ``typing.NewType``.

Unlike a NewType they may stand in ``isinstance``, where any string is one, and make identifiers: ``UserID.generate()``.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, NewType

if TYPE_CHECKING:
    UserID = NewType("UserID", str)
    SessionID = NewType("SessionID", str)
    TokenString = NewType("TokenString", str)
    ThreadID = NewType("ThreadID", str)
    RunID = NewType("RunID", str)
    RequestID = NewType("RequestID", str)
    ServiceName = NewType("ServiceName", str)
    EnvironmentName = NewType("EnvironmentName", str)
    WebSocketID = NewType("WebSocketID", str)
    ConnectionID = NewType("ConnectionID", str)
    AgentID = NewType("AgentID", str)
    ExecutionID = NewType("ExecutionID", str)
    ContextID = NewType("ContextID", str)
    MessageID = NewType("MessageID", str)
    DatabaseSessionID = NewType("DatabaseSessionID", str)
    OrganizationID = NewType("OrganizationID", str)
    AuditID = NewType("AuditID", str)
else:

    class _StringType(type):
        def __call__(cls, value: Any) -> Any:
            return value

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, str)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, str)

        def __repr__(cls) -> str:
            return f"{cls.__module__}.{cls.__qualname__}"

    class _StringName(str, metaclass=_StringType):
        __slots__ = ()
        __supertype__ = str
        _kind = ""

        @classmethod
        def generate(cls) -> str:
            """Make an identifier of this kind; a UUID where the kind has no format of its own."""
            if not cls._kind:
                return str(uuid.uuid4())
            from ..ids import IDType, id_manager

            return id_manager.get_id_manager().generate_id(IDType(cls._kind))

        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
            return handler(str)

    class UserID(_StringName):
        """A user."""

        _kind = "user"

    class SessionID(_StringName):
        """A user's session."""

    class TokenString(_StringName):
        """An access or refresh token."""

    class ThreadID(_StringName):
        """A conversation."""

        _kind = "thread"

    class RunID(_StringName):
        """One run of an agent in a conversation."""

        _kind = "run"

    class RequestID(_StringName):
        """One request."""

        _kind = "request"

    class ServiceName(_StringName):
        """A service."""

    class EnvironmentName(_StringName):
        """An environment such as ``staging``."""

    class WebSocketID(_StringName):
        """A websocket client."""

        _kind = "websocket"

    class ConnectionID(_StringName):
        """A websocket connection."""

        _kind = "websocket"

    class AgentID(_StringName):
        """An agent."""

        _kind = "agent"

    class ExecutionID(_StringName):
        """One execution of an agent."""

        _kind = "execution"

    class ContextID(_StringName):
        """An execution context."""

    class MessageID(_StringName):
        """A message."""

    class DatabaseSessionID(_StringName):
        """A database session."""

    class OrganizationID(_StringName):
        """An organization."""

    class AuditID(_StringName):
        """A record of an audit."""
