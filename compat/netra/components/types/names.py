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

    def _named(name: str, what: str, kind: str = "") -> type:
        body = {"__module__": __name__, "__qualname__": name, "__doc__": what, "__slots__": (), "_kind": kind}
        return _StringType(name, (_StringName,), body)

    UserID = _named("UserID", "A user.", "user")
    SessionID = _named("SessionID", "A user's session.")
    TokenString = _named("TokenString", "An access or refresh token.")
    ThreadID = _named("ThreadID", "A conversation.", "thread")
    RunID = _named("RunID", "One run of an agent in a conversation.", "run")
    RequestID = _named("RequestID", "One request.", "request")
    ServiceName = _named("ServiceName", "A service.")
    EnvironmentName = _named("EnvironmentName", "An environment such as ``staging``.")
    WebSocketID = _named("WebSocketID", "A websocket client.", "websocket")
    ConnectionID = _named("ConnectionID", "A websocket connection.", "websocket")
    AgentID = _named("AgentID", "An agent.", "agent")
    ExecutionID = _named("ExecutionID", "One execution of an agent.", "execution")
    ContextID = _named("ContextID", "An execution context.")
    MessageID = _named("MessageID", "A message.")
    DatabaseSessionID = _named("DatabaseSessionID", "A database session.")
    OrganizationID = _named("OrganizationID", "An organization.")
