"""What a context says of itself as plain values, and the plain values that contexts are made from."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Optional

from . import isolation
from .isolation import InvalidContextError

if TYPE_CHECKING:
    from collections.abc import Mapping

_AUDIT_WORDS = (
    "audit",
    "compliance",
    "trace",
    "log",
    "created_at",
    "context_",
    "client_ip",
    "user_agent",
    "method",
    "url",
    "content_type",
)
_PASSED_ON = ("x-request-id", "x-correlation-id", "x-trace-id")


class ContextViews:
    """The part of a context that only reads it."""

    user_id: str
    thread_id: str
    run_id: str
    request_id: str
    db_session: Optional[Any]
    websocket_client_id: Optional[str]
    created_at: datetime
    agent_context: dict[str, Any]
    audit_metadata: dict[str, Any]
    operation_depth: int
    parent_request_id: Optional[str]

    def to_dict(self) -> dict[str, Any]:
        """Return the context as plain values, without the session and the callbacks; times in ISO 8601."""
        return {
            "user_id": self.user_id,
            "thread_id": self.thread_id,
            "run_id": self.run_id,
            "request_id": self.request_id,
            "created_at": self.created_at.isoformat(),
            "operation_depth": self.operation_depth,
            "parent_request_id": self.parent_request_id,
            "has_db_session": self.db_session is not None,
            "websocket_client_id": self.websocket_client_id,
            "agent_context": isolation.detached(self.agent_context),
            "audit_metadata": isolation.detached(self.audit_metadata),
            "websocket_connection_id": self.websocket_client_id,
            "metadata": isolation.detached(self.metadata),
            "implementation": "services_with_supervisor_compatibility",
            "compatibility_layer_active": True,
        }

    def get_correlation_id(self) -> str:
        """Return the first eight characters of user, thread, run and request id, joined by colons."""
        return ":".join(one[:8] for one in (self.user_id, self.thread_id, self.run_id, self.request_id))

    def get_scoped_key(self, component: str) -> str:
        """Return ``component:user_id:request_id``, a key under which nobody else stores."""
        if not isinstance(component, str) or not component.strip():
            raise InvalidContextError("Component name cannot be empty")
        return f"{component}:{self.user_id}:{self.request_id}"

    def get_audit_trail(self) -> dict[str, Any]:
        """Return who did what and since when, as plain values; ``context_age_seconds`` is measured now."""
        return {
            "correlation_id": self.get_correlation_id(),
            "user_id": self.user_id,
            "thread_id": self.thread_id,
            "run_id": self.run_id,
            "request_id": self.request_id,
            "created_at": self.created_at.isoformat(),
            "operation_depth": self.operation_depth,
            "parent_request_id": self.parent_request_id,
            "has_db_session": self.db_session is not None,
            "has_websocket": self.websocket_client_id is not None,
            "audit_metadata": isolation.detached(self.audit_metadata),
            "context_age_seconds": (datetime.now(timezone.utc) - _aware(self.created_at)).total_seconds(),
        }

    @property
    def websocket_connection_id(self) -> Optional[str]:
        """``websocket_client_id`` under its former name."""
        return self.websocket_client_id

    @property
    def metadata(self) -> dict[str, Any]:
        """Agent context and audit data in one new dictionary; audit data wins."""
        return {**self.agent_context, **self.audit_metadata}

    @property
    def session_id(self) -> Optional[str]:
        """The session that the agent context names."""
        return self.agent_context.get("session_id")

    @property
    def workspace_id(self) -> Optional[str]:
        """The workspace that the agent context names."""
        return self.agent_context.get("workspace_id")

    @property
    def organization_id(self) -> Optional[str]:
        """The organisation that the constructor was given; None without one."""
        return self.audit_metadata.get("organization_id")


def told_apart(metadata: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return agent context and audit data of one mapping, told apart by their keys."""
    audit = {key: value for key, value in metadata.items() if any(word in str(key).lower() for word in _AUDIT_WORDS)}
    return {key: value for key, value in metadata.items() if key not in audit}, audit


def described(request: Any) -> dict[str, Any]:
    """Return the audit data of an HTTP request."""
    headers = getattr(request, "headers", None) or {}
    client = getattr(request, "client", None)
    found = {
        "client_ip": str(getattr(client, "host", "unknown")) if client else "unknown",
        "user_agent": str(headers.get("user-agent", "unknown")),
        "method": str(getattr(request, "method", "unknown")),
        "url": str(getattr(request, "url", "unknown")),
        "content_type": str(headers.get("content-type", "unknown")),
    }
    sent = {name: headers.get(name) for name in _PASSED_ON}
    return {**found, **{name.replace("-", "_"): value for name, value in sent.items() if value}}


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
