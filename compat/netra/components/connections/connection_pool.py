"""A pool of sockets by connection ID, each of one user: nobody is given another user's."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from compat.canonical.core.logged import get_logger

from .connection_utils import is_websocket_disconnected, safe_websocket_close

logger = get_logger(__name__)

AUDITED = 1000


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class ConnectionInfo:
    """One connection of the pool."""

    connection_id: str
    user_id: str
    websocket: Any
    created_at: datetime = field(default_factory=_now)
    last_activity: datetime = field(default_factory=_now)
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass
class ConnectionPoolStats:
    """How many connections there are, whose, and what was cleaned up."""

    total_connections: int = 0
    connections_by_user: dict[str, int] = field(default_factory=dict)
    stale_connections: int = 0
    dead_connections: int = 0
    last_cleanup: datetime | None = None
    cleanup_count: int = 0


class WebSocketConnectionPool:
    """Connections of many users; the class gives one object for the process."""

    STALE_AFTER_SECONDS = 1800

    _instance: WebSocketConnectionPool | None = None

    def __new__(cls, *args: Any, **kwargs: Any) -> WebSocketConnectionPool:
        """Return the process's pool, made at first use."""
        if cls._instance is None:
            made = super().__new__(cls)
            made._connections: dict[tuple[str, str], ConnectionInfo] = {}  # type: ignore[misc]
            made._audit: deque[dict[str, Any]] = deque(maxlen=AUDITED)  # type: ignore[misc]
            made._last_cleanup, made._cleanups = None, 0
            cls._instance = made
        return cls._instance

    _connections: dict[tuple[str, str], ConnectionInfo]
    _audit: deque[dict[str, Any]]
    _last_cleanup: datetime | None
    _cleanups: int

    async def add_connection(
        self, connection_id: str, user_id: str, websocket: Any, metadata: dict[str, Any] | None = None
    ) -> ConnectionInfo:
        """Add a socket; return what is known of it.

        Raises
        ------
        ValueError
            If an id is empty, or what is given is no socket.
        """
        if not connection_id or not user_id:
            raise ValueError("connection_id and user_id cannot be empty")
        if not any(hasattr(websocket, name) for name in ("send_json", "send_text", "send")):
            raise ValueError("websocket must be a WebSocket instance")
        info = ConnectionInfo(str(connection_id), str(user_id), websocket, metadata=dict(metadata or {}))
        self._connections[(info.user_id, info.connection_id)] = info
        self._note("added", info.connection_id, info.user_id)
        return info

    async def remove_connection(self, connection_id: str, user_id: str) -> bool:
        """Forget one user's connection; False where the user has none of that ID."""
        found = self._connections.pop((str(user_id), str(connection_id)), None)
        self._note("removed" if found is not None else "not_removed", connection_id, user_id)
        return found is not None

    async def get_connection(self, connection_id: str, user_id: str) -> ConnectionInfo | None:
        """Return one user's connection; None where it is another's, or there is none."""
        found = self._connections.get((str(user_id), str(connection_id)))
        if found is None:
            self._note("not_found", connection_id, user_id)
            return None
        found.last_activity = _now()
        return found

    async def get_user_connections(self, user_id: str) -> list[ConnectionInfo]:
        """Return one user's connections, oldest first."""
        return [info for (owner, _), info in self._connections.items() if owner == str(user_id)]

    async def get_stats(self) -> ConnectionPoolStats:
        """Return counts."""
        by_user: dict[str, int] = {}
        for user_id, _ in self._connections:
            by_user[user_id] = by_user.get(user_id, 0) + 1
        kept = list(self._connections.values())
        return ConnectionPoolStats(
            total_connections=len(kept),
            connections_by_user=by_user,
            stale_connections=sum(map(self._is_stale, kept)),
            dead_connections=sum(is_websocket_disconnected(info.websocket) for info in kept),
            last_cleanup=self._last_cleanup,
            cleanup_count=self._cleanups,
        )

    async def cleanup_stale_connections(self) -> int:
        """Forget connections whose socket is closed; how many. One that lives stays, however long it was silent."""
        dead = [info for info in self._connections.values() if is_websocket_disconnected(info.websocket)]
        for info in dead:
            await self.remove_connection(info.connection_id, info.user_id)
        self._last_cleanup, self._cleanups = _now(), self._cleanups + 1
        return len(dead)

    async def get_audit_trail(self, limit: int = 100) -> list[dict[str, Any]]:
        """Return the last things that happened, oldest first."""
        return list(self._audit)[-limit:] if limit > 0 else []

    async def shutdown(self) -> None:
        """Close every socket and forget all connections."""
        for info in list(self._connections.values()):
            await safe_websocket_close(info.websocket, 1001, "connection pool is shut down")
        self._connections.clear()

    def _is_stale(self, info: ConnectionInfo) -> bool:
        return (_now() - info.last_activity).total_seconds() > self.STALE_AFTER_SECONDS

    def _note(self, event: str, connection_id: Any, user_id: Any) -> None:
        entry = {"event": event, "connection_id": str(connection_id), "user_id": str(user_id), "timestamp": _now().isoformat()}
        self._audit.append(entry)


def get_websocket_connection_pool() -> WebSocketConnectionPool:
    """Return the pool of this process."""
    return WebSocketConnectionPool()


async def cleanup_connection_pool() -> None:
    """Shut the process's pool down; the next use makes a new one."""
    pool, WebSocketConnectionPool._instance = WebSocketConnectionPool._instance, None
    if pool is not None:
        await pool.shutdown()
