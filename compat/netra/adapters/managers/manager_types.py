"""The small types that legacy manager modules export: mode, connection record, registry view, connection information."""

from __future__ import annotations

import time
import uuid
import weakref
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Optional

from compat.netra.components.types import ensure_user_id

#: What a legacy method says where no single method takes its place.
OTHERWISE = "the methods of the user's own manager, get_websocket_manager(context)"


class WebSocketManagerMode(Enum):
    """Once four modes; all mean the one."""

    UNIFIED = "unified"
    ISOLATED = "unified"  # noqa: PIE796 - aliases on purpose
    EMERGENCY = "unified"  # noqa: PIE796
    DEGRADED = "unified"  # noqa: PIE796


@dataclass
class WebSocketConnection:
    """One connection of one user, as legacy code makes and reads it, connected now where nothing is said of it.

    A malformed user id is a ValueError.
    """

    connection_id: str
    user_id: str
    websocket: Any
    connected_at: datetime = None  # type: ignore[assignment]
    metadata: dict[str, Any] = None  # type: ignore[assignment]
    thread_id: Optional[str] = None

    def __post_init__(self) -> None:
        if self.user_id:
            self.user_id = ensure_user_id(self.user_id)
        if self.connected_at is None:
            self.connected_at = datetime.now(timezone.utc)

    @classmethod
    def of_user(
        cls, connection_id: str, user_id: str, websocket: Any, connected_at: datetime, metadata: Any = None, thread_id: Any = None
    ) -> WebSocketConnection:
        """A record of a user whose id has been checked."""
        made = cls(connection_id, "", websocket, connected_at, metadata, thread_id)
        made.user_id = user_id
        return made


class ConnectionID(str):
    """The id that ``connect_user`` returns, with what the connection object of other releases carried."""

    record: WebSocketConnection

    @classmethod
    def of(cls, record: WebSocketConnection) -> ConnectionID:
        """The id of ``record``."""
        made = cls(record.connection_id)
        made.record = record
        return made

    connection_id = property(lambda self: str(self))
    user_id = property(lambda self: self.record.user_id)
    websocket = property(lambda self: self.record.websocket)
    thread_id = property(lambda self: self.record.thread_id)
    connected_at = property(lambda self: self.record.connected_at)


class ConnectionIDs(set):  # type: ignore[type-arg]
    """A set of connection ids that may be awaited, for the callers that await a method which is sync."""

    def __await__(self) -> Generator[Any, Any, ConnectionIDs]:
        return self
        yield


class RegistryCompat:
    """A manager's connections under the registry's method names."""

    def __init__(self, manager: Any) -> None:
        self._manager_ref = weakref.ref(manager)

    @property
    def manager(self) -> Any:
        """The manager, while it lives.

        Raises
        ------
        RuntimeError
            When it is gone.
        """
        manager = self._manager_ref()
        if manager is None:
            raise RuntimeError("WebSocket manager has been garbage collected")
        return manager

    async def register_connection(self, user_id: str, connection_info: Any) -> None:
        """Add the connection that ``connection_info`` describes."""
        manager = self.manager
        record = WebSocketConnection.of_user(
            connection_info.connection_id,
            manager._parts.user_of(user_id),
            connection_info.websocket,
            getattr(connection_info, "connected_at", None) or datetime.now(timezone.utc),
            {"connection_info": connection_info},
        )
        await manager.add_connection(record)
        manager.connection_registry[connection_info.connection_id] = connection_info

    def get_user_connections(self, user_id: str) -> list[Any]:
        """The ``connection_info`` objects of one user's open connections."""
        manager = self.manager
        found = []
        for record in manager._scope.records_of(str(user_id)):
            info = (record.metadata or {}).get("connection_info")
            # By its id alone only where that means this very connection: another user may have one of the same id.
            if info is None and manager._scope.get(record.connection_id) is record:
                info = manager.connection_registry.get(record.connection_id)
            if info is not None and record.connection_id in manager.connection_registry:
                found.append(info)
        return found


class ConnectionInfo:
    """What a connection was told about itself: any keyword is an attribute, an unknown attribute is None."""

    def __init__(
        self,
        connection_id: Optional[str] = None,
        user_id: Optional[str] = None,
        metadata: Optional[dict[str, Any]] = None,
        **details: Any,
    ) -> None:
        # The times are of two kinds, both of old: seconds since the epoch, and local ones without an offset.
        now = datetime.now()
        self.connection_id = connection_id
        self.user_id = user_id or f"test_user_{uuid.uuid4().hex[:8]}"
        self.metadata = metadata or {}
        self.connected_at = time.time()
        self.created_at = now
        self.last_activity = now
        self.is_active = True
        self.status = "connected"
        self.__dict__.update(details)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.__dict__.get("metadata", {}).get(name)

    def update_activity(self) -> None:
        """Note that something came in."""
        self.last_activity = datetime.now()

    def disconnect(self) -> None:
        """Note that the connection is closed."""
        self.is_active = False
        self.status = "disconnected"
        self.disconnected_at = datetime.now()

    def to_dict(self) -> dict[str, Any]:
        """The ids, the metadata, whether it is open, and the times: as ISO 8601 text, or in seconds."""
        names = ("connection_id", "user_id", "metadata", "created_at", "last_activity", "connected_at", "is_active")
        values = {name: self.__dict__[name] for name in names}
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
