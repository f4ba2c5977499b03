"""Heartbeats over one socket, and a monitor that knows when each connection was last heard of."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from compat.canonical.core.logged import get_logger
from compat.netra.components.process_wide import only

from ..messages.message_types import MessageType
from . import connection_utils

logger = get_logger(__name__)

HEARTBEAT_TIMEOUT_SECONDS = 45


class WebSocketHeartbeat:
    """Sends a ``ping`` message every ``interval`` seconds and notices when no ``pong`` comes within ``timeout``.

    ``missed_heartbeats`` counts pings without an answer; after :attr:`max_missed` in a row the heartbeat stops and
    ``is_alive`` is False.
    """

    max_missed = 2

    def __init__(self, interval: float = 45.0, timeout: float = 10.0) -> None:
        self.interval = interval
        self.timeout = timeout
        self.last_ping: float | None = None
        self.last_pong: float | None = None
        self.missed_heartbeats = 0
        self._pong: asyncio.Event | None = None  # made in start(): before 3.10 an Event binds to the loop it is made in
        self._task: asyncio.Task[None] | None = None
        self._running = False

    @property
    def is_alive(self) -> bool:
        """Whether the peer has answered, as far as was asked."""
        return self.missed_heartbeats < self.max_missed

    async def start(self, websocket: Any) -> None:
        """Begin to send pings to the socket; a running heartbeat goes on."""
        if self._running:
            return
        self._running = True
        self.missed_heartbeats = 0
        self._pong = asyncio.Event()
        self._task = asyncio.ensure_future(self._beat(websocket, self._pong))

    async def stop(self) -> None:
        """Stop, and wait until nothing runs any more."""
        self._running = False
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def on_pong_received(self) -> None:
        """Note that the peer has answered."""
        self.last_pong = time.time()
        self.missed_heartbeats = 0
        if self._pong is not None:
            self._pong.set()

    async def _beat(self, websocket: Any, pong: asyncio.Event) -> None:
        try:
            while self._running and connection_utils.is_websocket_connected(websocket):
                pong.clear()
                self.last_ping = time.time()
                ping = {"type": MessageType.PING.value, "data": {"timestamp": self.last_ping}, "timestamp": self.last_ping}
                if not await connection_utils.safe_websocket_send(websocket, ping, retry_count=0):
                    break
                try:
                    await asyncio.wait_for(pong.wait(), self.timeout)
                except asyncio.TimeoutError:
                    self.missed_heartbeats += 1
                    if not self.is_alive:
                        logger.info("no answer to %d heartbeats", self.missed_heartbeats)
                        break
                await asyncio.sleep(self.interval)
        finally:
            self._running = False


@asynccontextmanager
async def websocket_heartbeat_context(websocket: Any, interval: float = 45.0) -> AsyncIterator[WebSocketHeartbeat]:
    """Keep a heartbeat going for the time of the block."""
    heartbeat = WebSocketHeartbeat(interval)
    await heartbeat.start(websocket)
    try:
        yield heartbeat
    finally:
        await heartbeat.stop()


class WebSocketConnectionMonitor:
    """Counts per connection; sockets are held weakly where they allow it."""

    #: Seconds without activity after which a connection no longer counts as healthy.
    idle_after = 300.0

    def __init__(self) -> None:
        self._connections: dict[str, dict[str, Any]] = {}
        self.reset_metrics()

    def register_connection(self, connection_id: str, user_id: str, websocket: Any) -> None:
        """Begin to watch a connection."""
        now = time.time()
        self._connections[str(connection_id)] = {
            "user_id": str(user_id),
            "websocket": _weak(websocket),
            "connected_at": now,
            "last_activity": now,
            "messages_sent": 0,
            "messages_received": 0,
            "error_count": 0,
        }
        self._total_registered += 1

    def unregister_connection(self, connection_id: str) -> None:
        """Stop watching a connection; one that is not watched is no error."""
        self._connections.pop(str(connection_id), None)

    def update_activity(self, connection_id: str, activity_type: str = "message") -> None:
        """Note what happened on a connection: ``"message"`` (received), ``"message_sent"``, ``"error"``, or anything else."""
        known = self._connections.get(str(connection_id))
        if known is None:
            return
        known["last_activity"] = time.time()
        if activity_type == "error":
            known["error_count"] += 1
            self._total_errors += 1
        elif activity_type.startswith("message"):
            known["messages_sent" if activity_type.endswith("sent") else "messages_received"] += 1
            self._total_messages += 1

    def get_connection_health(self, connection_id: str) -> dict[str, Any]:
        """Return counts and times of one connection; of an unknown one ``{"status": "not_found"}``."""
        known = self._connections.get(str(connection_id))
        if known is None:
            return {"status": "not_found"}
        now = time.time()
        inactive = now - known["last_activity"]
        return {
            "connection_id": str(connection_id),
            "user_id": known["user_id"],
            "is_connected": connection_utils.is_websocket_connected(known["websocket"]()),
            "is_stale": inactive > self.idle_after,
            "inactive_seconds": inactive,
            "messages_sent": known["messages_sent"],
            "messages_received": known["messages_received"],
            "error_count": known["error_count"],
            "connected_duration": now - known["connected_at"],
        }

    def get_global_stats(self) -> dict[str, Any]:
        """Return the totals over all connections since the start or the last reset."""
        health = [self.get_connection_health(connection_id) for connection_id in self._connections]
        by_user: dict[str, int] = {}
        for one in health:
            by_user[one["user_id"]] = by_user.get(one["user_id"], 0) + 1
        return {
            "total_connections": self._total_registered,
            "active_connections": len(self._connections),
            "messages_processed": self._total_messages,
            "errors_occurred": self._total_errors,
            "start_time": self._since,
            "uptime_seconds": time.time() - self._since,
            "connections_by_user": by_user,
            "health_summary": {
                "healthy_connections": sum(one["is_connected"] and not one["is_stale"] for one in health),
                "stale_connections": sum(one["is_stale"] for one in health),
                "total_monitored": len(health),
            },
        }

    def get_current_performance_summary(self) -> dict[str, Any]:
        """Return the totals, and how much of what there is is watched."""
        stats = self.get_global_stats()
        # Every connection that is registered is watched.
        coverage = {"coverage_percentage": 100.0, "recent_failures": self._total_errors}
        return {**stats, "monitoring_coverage": coverage}

    def reset_metrics(self) -> None:
        """Begin the totals again; the connections stay watched."""
        self._since = time.time()
        self._total_registered = len(self._connections)
        self._total_messages = 0
        self._total_errors = 0


_connection_monitor: WebSocketConnectionMonitor | None = None


def get_connection_monitor() -> WebSocketConnectionMonitor:
    """Return the monitor of this process; it is made when first asked for."""
    return only(globals(), "_connection_monitor", WebSocketConnectionMonitor)


def _weak(websocket: Any) -> Any:
    try:
        return weakref.ref(websocket)
    except TypeError:
        return lambda: websocket
