"""Heartbeats of many connections: who answered when, and who is taken for dead. Times are injected, nothing sleeps here
but :meth:`WebSocketHeartbeatManager.start`'s own task."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from compat.canonical.core.logged import get_logger
from compat.netra.components.process_wide import only

from ..environment.reading import read_variable
from ..messages.message_types import MessageType
from .connection_utils import safe_websocket_send

logger = get_logger(__name__)


@dataclass
class HeartbeatConfig:
    """When connections are asked and when they are given up; seconds."""

    heartbeat_interval_seconds: float = 30
    heartbeat_timeout_seconds: float = 90
    max_missed_heartbeats: int = 2
    cleanup_interval_seconds: float = 60
    ping_payload_size_limit: int = 125

    @classmethod
    def for_environment(cls, environment: str | None = None) -> HeartbeatConfig:
        """Return what suits an environment; the one in force unless named."""
        name = (environment or read_variable("ENVIRONMENT", "development")).lower()
        if name in ("staging", "production"):
            return cls(heartbeat_interval_seconds=25, heartbeat_timeout_seconds=75)
        if name in ("test", "testing"):
            return cls(heartbeat_interval_seconds=5, heartbeat_timeout_seconds=15, cleanup_interval_seconds=10)
        return cls()


@dataclass
class ConnectionHeartbeat:
    """What is known of one connection; seconds since the epoch."""

    connection_id: str
    last_activity: float
    last_ping: float | None = None
    last_pong: float | None = None
    missed_heartbeats: int = 0
    is_alive: bool = True


class WebSocketHeartbeatManager:
    """Knows every registered connection's last sign of life."""

    def __init__(self, config: HeartbeatConfig | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self.config = config or HeartbeatConfig.for_environment()
        self.connection_heartbeats: dict[str, ConnectionHeartbeat] = {}
        self.stats = {"pings_sent": 0, "pongs_received": 0, "timeouts_detected": 0, "connections_dropped": 0}
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look for dead connections every ``cleanup_interval_seconds``."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._watch())

    async def stop(self) -> None:
        """Stop looking, and forget all connections."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self.connection_heartbeats.clear()

    async def register_connection(self, connection_id: str) -> None:
        """Begin to watch a connection."""
        self.connection_heartbeats[connection_id] = ConnectionHeartbeat(connection_id, self._clock())

    async def unregister_connection(self, connection_id: str) -> None:
        """Stop watching a connection."""
        self.connection_heartbeats.pop(connection_id, None)

    async def record_activity(self, connection_id: str) -> None:
        """Note a sign of life."""
        known = self.connection_heartbeats.get(connection_id)
        if known is not None:
            known.last_activity = self._clock()
            known.missed_heartbeats = 0
            known.is_alive = True

    async def record_pong(self, connection_id: str, payload: bytes = b"") -> None:
        """Note the answer to a ping."""
        known = self.connection_heartbeats.get(connection_id)
        if known is not None:
            known.last_pong = self._clock()
            self.stats["pongs_received"] += 1
            await self.record_activity(connection_id)

    async def send_ping(self, connection_id: str, websocket: Any, payload: bytes = b"") -> bool:
        """Ask a connection for a sign of life; return whether the question went out.

        A question that follows an unanswered one counts a missed heartbeat. ``ValueError`` for a payload over the limit.
        """
        if len(payload) > self.config.ping_payload_size_limit:
            raise ValueError(f"a ping carries at most {self.config.ping_payload_size_limit} bytes, not {len(payload)}")
        known = self.connection_heartbeats.get(connection_id)
        if known is None:
            return False
        now = self._clock()
        if known.last_ping is not None and (known.last_pong or 0.0) < known.last_ping and known.last_activity < known.last_ping:
            known.missed_heartbeats += 1
        sent = await safe_websocket_send(websocket, {"type": MessageType.PING.value, "timestamp": now}, retry_count=0)
        if sent:
            known.last_ping = now
            self.stats["pings_sent"] += 1
        return sent

    async def check_connection_health(self, connection_id: str) -> bool:
        """Return whether a connection counts as alive: it answered lately, and has not missed too much."""
        known = self.connection_heartbeats.get(connection_id)
        if known is None or not known.is_alive:
            return False
        silent = self._clock() - known.last_activity > self.config.heartbeat_timeout_seconds
        if silent or known.missed_heartbeats > self.config.max_missed_heartbeats:
            known.is_alive = False
            self.stats["timeouts_detected"] += 1
        return known.is_alive

    async def drop_dead_connections(self) -> list[str]:
        """Forget the connections that are no longer alive; return their IDs."""
        dead = [name for name in list(self.connection_heartbeats) if not await self.check_connection_health(name)]
        for name in dead:
            await self.unregister_connection(name)
        self.stats["connections_dropped"] += len(dead)
        return dead

    def get_stats(self) -> dict[str, Any]:
        """Return the counts and how many connections are watched and alive."""
        alive = sum(1 for known in self.connection_heartbeats.values() if known.is_alive)
        return {**self.stats, "active_connections": len(self.connection_heartbeats), "alive_connections": alive}

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self.config.cleanup_interval_seconds)
            for connection_id in await self.drop_dead_connections():
                logger.info("no sign of life from %s", connection_id)


_heartbeat_manager: WebSocketHeartbeatManager | None = None


def get_heartbeat_manager(config: HeartbeatConfig | None = None) -> WebSocketHeartbeatManager:
    """Return the heartbeat manager of this process; it is made when first asked for, with this configuration."""
    return only(globals(), "_heartbeat_manager", lambda: WebSocketHeartbeatManager(config))
