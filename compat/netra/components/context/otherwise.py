"""User execution contexts made from a web socket, an HTTP request, one mapping of everything, or next to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from ..ids import generator
from . import isolation
from .isolation import InvalidContextError
from .views import described, told_apart

if TYPE_CHECKING:
    from typing_extensions import Self


class MadeOtherwise:
    """The part of a context's class that makes contexts from what is at hand; fields that are None are made."""

    @classmethod
    def _make(cls, **fields: Any) -> Self:
        constructor: Any = cls
        required = isolation.IDENTIFIERS[:-1]
        made: Self = constructor(**{name: value for name, value in fields.items() if value is not None or name in required})
        return made

    @classmethod
    def from_agent_execution_context(
        cls,
        user_id: str,
        thread_id: str,
        run_id: str,
        request_id: Optional[str] = None,
        agent_context: Optional[dict[str, Any]] = None,
        audit_metadata: Optional[dict[str, Any]] = None,
    ) -> Self:
        """Return the context in which an agent runs."""
        return cls._make(
            user_id=user_id,
            thread_id=thread_id,
            run_id=run_id,
            request_id=request_id,
            agent_context=agent_context,
            audit_metadata=audit_metadata,
        )

    @classmethod
    def from_request_supervisor(
        cls,
        user_id: str,
        thread_id: str,
        run_id: str,
        request_id: Optional[str] = None,
        db_session: Optional[Any] = None,
        websocket_connection_id: Optional[str] = None,
        metadata: Optional[dict[str, Any]] = None,
    ) -> Self:
        """Return the context of one request from one mapping of everything: audit data is told apart by its key."""
        if metadata is not None and not isinstance(metadata, dict):
            raise InvalidContextError(f"metadata must be a dictionary, got: {type(metadata)}")
        rest = dict(metadata or {})
        depth, parent_request_id = rest.pop("operation_depth", 0), rest.pop("parent_request_id", None)
        agent_context, audit_metadata = told_apart(rest)
        return cls._make(
            user_id=user_id,
            thread_id=thread_id,
            run_id=run_id,
            request_id=request_id,
            db_session=db_session,
            websocket_client_id=websocket_connection_id,
            agent_context=agent_context,
            audit_metadata=audit_metadata,
            operation_depth=depth,
            parent_request_id=parent_request_id,
        )

    @classmethod
    def from_websocket_request(
        cls, user_id: str, websocket_client_id: Optional[str] = None, operation: str = "websocket_session"
    ) -> Self:
        """Return the context of one websocket session, with new thread, run, request and client ids."""
        _require_user(user_id, "WebSocket")
        ids = generator.UnifiedIdGenerator
        thread_id, run_id, request_id = ids.generate_user_context_ids(user_id, operation)
        return cls._make(
            user_id=user_id,
            thread_id=thread_id,
            run_id=run_id,
            request_id=request_id,
            websocket_client_id=websocket_client_id or ids.generate_websocket_client_id(user_id),
            agent_context={"source": "websocket_ssot", "operation": operation, "created_via": "from_websocket_request"},
            audit_metadata={
                "context_source": "websocket_ssot",
                "id_generation_method": "UnifiedIdGenerator",
                "operation_type": operation,
                "isolation_key_compatible": True,
            },
        )

    @classmethod
    def create_defensive_user_execution_context(
        cls,
        user_id: str,
        websocket_client_id: Optional[str] = None,
        fallback_context: Optional[dict[str, Any]] = None,
    ) -> Self:
        """Return a context however little is known: identifiers are taken from ``fallback_context`` or made."""
        _require_user(user_id, "defensive")
        fallback = dict(fallback_context or {})
        thread_id, run_id, _ = generator.UnifiedIdGenerator.generate_user_context_ids(user_id, "defensive")
        return cls._make(
            user_id=user_id,
            thread_id=fallback.get("thread_id") or thread_id,
            run_id=fallback.get("run_id") or run_id,
            request_id=f"defensive_auth_{user_id}_{websocket_client_id or 'no_ws'}",
            websocket_client_id=websocket_client_id,
            agent_context={key: value for key, value in fallback.items() if key not in isolation.RESERVED_KEYS},
            audit_metadata={
                "context_source": "defensive_creation",
                "creation_method": "create_defensive_user_execution_context",
                "migrated_from": "websocket_manager_factory",
                "ssot_compliant": True,
            },
        )

    @classmethod
    def from_fastapi_request(
        cls,
        request: Any,
        user_id: str,
        thread_id: str,
        run_id: str,
        db_session: Optional[Any] = None,
        websocket_client_id: Optional[str] = None,
    ) -> Self:
        """Return the context of an HTTP request; its method, URL, client and user agent go into the audit data."""
        return cls._make(
            user_id=user_id,
            thread_id=thread_id,
            run_id=run_id,
            db_session=db_session,
            websocket_client_id=websocket_client_id,
            audit_metadata=described(request),
        )


def _require_user(user_id: Any, kind: str) -> None:
    if not isinstance(user_id, str) or not user_id.strip():
        raise InvalidContextError(f"user_id must be a non-empty string for {kind} context, got: {user_id!r}")
