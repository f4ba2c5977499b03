"""One connection, or one request of it, together with the user, thread and run it works for."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from compat.canonical.core.logged import get_logger

from ..connections.connection_utils import generate_connection_id, is_websocket_connected
from ..ids.generator import UnifiedIdGenerator

__all__ = ["WebSocketContext", "WebSocketRequestContext"]

logger = get_logger(__name__)

#: Seconds without activity after which a connection takes no more messages.
STALE_AFTER = 300.0


def _utcnow() -> datetime:
    # Naive, as these fields always were: callers compare them with datetime.utcnow().
    return datetime.now(timezone.utc).replace(tzinfo=None)


def _require(owner: str, **values: Any) -> None:
    for name, value in values.items():
        if not value or (isinstance(value, str) and not value.strip()):
            raise ValueError(f"{name} is required for {owner}")


@dataclass
class WebSocketContext:
    """An open connection and what it works for; times are naive UTC. ``ValueError`` for an empty field."""

    connection_id: str
    websocket: Any
    user_id: str
    thread_id: str
    run_id: str
    connected_at: datetime = field(default_factory=_utcnow)
    last_activity: datetime = field(default_factory=_utcnow)

    def __post_init__(self) -> None:
        _require(
            "WebSocketContext",
            user_id=self.user_id,
            thread_id=self.thread_id,
            run_id=self.run_id,
            connection_id=self.connection_id,
        )
        if self.websocket is None:
            raise ValueError("websocket is required for WebSocketContext")

    @classmethod
    def create_for_user(
        cls,
        websocket: Any,
        user_id: str,
        thread_id: str,
        run_id: str | None = None,
        connection_id: str | None = None,
    ) -> WebSocketContext:
        """Return the context of a connection; the IDs that are not given are made."""
        return cls(
            connection_id=connection_id or (generate_connection_id(user_id) if user_id else ""),
            websocket=websocket,
            user_id=user_id,
            thread_id=thread_id,
            run_id=run_id or UnifiedIdGenerator.generate_base_id("run_execution"),
        )

    @property
    def is_active(self) -> bool:
        """Whether messages can be sent."""
        return is_websocket_connected(self.websocket)

    def update_activity(self) -> None:
        """Note that something happened now."""
        self.last_activity = _utcnow()

    def validate_for_message_processing(self) -> bool:
        """Return whether the connection was active within the last five minutes.

        Raises
        ------
        ValueError
            If it is closed.
        """
        if not self.is_active:
            raise ValueError(f"WebSocket context validation failed: WebSocket connection {self.connection_id} is not active")
        return (_utcnow() - self.last_activity).total_seconds() <= STALE_AFTER

    def to_isolation_key(self) -> str:
        """Return ``ws_<user>_<thread>_<run>``."""
        return f"ws_{self.user_id}_{self.thread_id}_{self.run_id}"

    def get_connection_info(self) -> dict[str, Any]:
        """Return the IDs, the times in ISO 8601, whether the connection is open, and the name of its state."""
        state = getattr(self.websocket, "client_state", None)
        return {
            "connection_id": self.connection_id,
            "user_id": self.user_id,
            "thread_id": self.thread_id,
            "run_id": self.run_id,
            "connected_at": self.connected_at.isoformat(),
            "last_activity": self.last_activity.isoformat(),
            "is_active": self.is_active,
            "client_state": getattr(state, "name", None) or (str(state) if state is not None else None),
        }


@dataclass
class WebSocketRequestContext:
    """One request of a user; unknown attributes are looked up in ``connection_info``, then in ``_attributes``."""

    user_id: str
    thread_id: str
    run_id: str
    connection_info: Any = None
    created_at: datetime = field(default_factory=_utcnow)
    last_activity: datetime = field(default_factory=_utcnow)
    _attributes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require("WebSocketRequestContext", user_id=self.user_id, thread_id=self.thread_id, run_id=self.run_id)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__"):
            known = self.__dict__
            info = known.get("connection_info")
            if info is not None and hasattr(info, name):
                return getattr(info, name)
            if name in known.get("_attributes", {}):
                return known["_attributes"][name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @classmethod
    def create_for_user(
        cls, user_id: str, thread_id: str, connection_info: Any = None, run_id: str | None = None
    ) -> WebSocketRequestContext:
        """Return the context of a request; a run ID that is not given is made."""
        return cls(user_id, thread_id, run_id or str(uuid.uuid4()), connection_info)

    def update_activity(self) -> None:
        """Note that something happened now."""
        self.last_activity = _utcnow()

    def to_isolation_key(self) -> str:
        """Return ``wsreq_<user>_<thread>_<run>``."""
        return f"wsreq_{self.user_id}_{self.thread_id}_{self.run_id}"

    def get_context_info(self) -> dict[str, Any]:
        """Return the IDs, the times in ISO 8601, and whether a connection is known."""
        return {
            "user_id": self.user_id,
            "thread_id": self.thread_id,
            "run_id": self.run_id,
            "created_at": self.created_at.isoformat(),
            "last_activity": self.last_activity.isoformat(),
            "has_connection_info": self.connection_info is not None,
            "additional_attributes": list(self._attributes),
        }
