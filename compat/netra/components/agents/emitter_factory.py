"""Where emitters come from and what watches them: the factory, the pool, and the two that serve a sign-in."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from typing import Any

from compat.canonical.core.logged import get_logger

from ..connections.manager_calls import is_connected
from .unified_emitter import UnifiedWebSocketEmitter

logger = get_logger(__name__)


class AuthenticationWebSocketError(Exception):
    """A sign-in cannot be told to its user: no connection is open."""


class AuthenticationWebSocketEmitter(UnifiedWebSocketEmitter):
    """An emitter for the four sign-in events: every retry is used, and the result is known."""

    def __init__(self, manager: Any, user_id: str, context: Any = None) -> None:
        super().__init__(manager=manager, user_id=user_id, context=context, performance_mode=False)
        self.metrics.critical_events.update(dict.fromkeys(self.AUTHENTICATION_CRITICAL_EVENTS, 0))
        self._auth_failures = 0

    async def emit_auth_event(self, event_type: str, data: dict[str, Any]) -> bool:
        """Send one of ``AUTHENTICATION_CRITICAL_EVENTS``; whether it went out.

        Raises
        ------
        ValueError
            For any other event type.
        """
        if event_type not in self.AUTHENTICATION_CRITICAL_EVENTS:
            known = ", ".join(self.AUTHENTICATION_CRITICAL_EVENTS)
            raise ValueError(f"Invalid authentication event type: {event_type}; use one of {known}")
        sent = await self.emit(event_type, {**data, "auth_event": True})
        self._auth_failures += not sent
        return sent

    async def ensure_auth_connection_health(self) -> None:
        """Return when the user is connected.

        Raises
        ------
        AuthenticationWebSocketError
            If no connection is open.
        """
        await AuthenticationConnectionMonitor(self.manager).ensure_auth_connection_health(self.user_id)

    def get_auth_stats(self) -> dict[str, Any]:
        """Return counts of the sign-in events, sent and failed."""
        events = {name: self.metrics.critical_events.get(name, 0) for name in self.AUTHENTICATION_CRITICAL_EVENTS}
        sent = sum(events.values())
        tried = sent + self._auth_failures
        return {
            **self.get_stats(),
            "auth_events": events,
            "authentication_events": events,
            "total_auth_events": sent,
            "auth_failures": self._auth_failures,
            "auth_success_rate": sent / tried if tried else 1.0,
        }


class AuthenticationConnectionMonitor:
    """Checks that a user who signs in can be reached, once or over a span of time."""

    CHECK_INTERVAL_SECONDS = 0.05

    def __init__(self, manager: Any) -> None:
        if manager is None:
            raise ValueError("manager is required")
        self.manager = manager
        self._checks = 0
        self._failures = 0
        self._sessions: dict[str, dict[str, Any]] = {}

    async def ensure_auth_connection_health(self, user_id: str) -> None:
        """Return when ``user_id`` is connected.

        Raises
        ------
        AuthenticationWebSocketError
            If no connection is open.
        """
        if not await self._is_connected(user_id):
            raise AuthenticationWebSocketError(f"No active WebSocket connection for user {user_id}")

    async def monitor_auth_session(self, user_id: str, session_duration_ms: int = 30000) -> dict[str, Any]:
        """Watch one user's connection for ``session_duration_ms`` and return what was seen."""
        started = time.monotonic()
        ends = started + session_duration_ms / 1000
        checks = drops = 0
        connected = True
        while True:
            now_connected = await self._is_connected(user_id)
            checks += 1
            drops += connected and not now_connected
            connected = now_connected
            left = ends - time.monotonic()
            if left <= 0:
                break
            await asyncio.sleep(min(self.CHECK_INTERVAL_SECONDS, left))
        report = {
            "user_id": user_id,
            "session_duration_ms": session_duration_ms,
            "monitored_ms": (time.monotonic() - started) * 1000,
            "health_checks": checks,
            "connection_drops": drops,
            "connection_stable": drops == 0,
            "connected": connected,
        }
        self._sessions[user_id] = report
        return report

    def get_monitoring_stats(self) -> dict[str, Any]:
        """Return counts of checks, failures and sessions watched."""
        return {
            "total_checks": self._checks,
            "failed_checks": self._failures,
            "success_rate": 1 - self._failures / self._checks if self._checks else 1.0,
            "monitored_sessions": len(self._sessions),
            "sessions": dict(self._sessions),
        }

    async def _is_connected(self, user_id: str) -> bool:
        self._checks += 1
        connected = await is_connected(self.manager, user_id)
        self._failures += not connected
        return connected


class WebSocketEmitterFactory:
    """Makes emitters; an instance also counts the ones it made."""

    def __init__(self) -> None:
        self._made: list[UnifiedWebSocketEmitter] = []

    @staticmethod
    def create_emitter(
        manager: Any, user_id: str, context: Any = None, performance_mode: bool = False
    ) -> UnifiedWebSocketEmitter:
        """Return an emitter for ``user_id``."""
        return UnifiedWebSocketEmitter(manager, user_id, context, performance_mode)

    @staticmethod
    def create_scoped_emitter(manager: Any, context: Any) -> UnifiedWebSocketEmitter:
        """Return an emitter for the user of ``context``."""
        return UnifiedWebSocketEmitter(manager, context.user_id, context, performance_mode=False)

    @staticmethod
    def create_performance_emitter(manager: Any, user_id: str, context: Any = None) -> UnifiedWebSocketEmitter:
        """Return an emitter that retries once, quickly."""
        return UnifiedWebSocketEmitter(manager, user_id, context, performance_mode=True)

    @staticmethod
    def create_auth_emitter(manager: Any, user_id: str, context: Any = None) -> AuthenticationWebSocketEmitter:
        """Return an emitter for the sign-in events."""
        return AuthenticationWebSocketEmitter(manager, user_id, context)

    def make(self, manager: Any, user_id: str, context: Any = None) -> UnifiedWebSocketEmitter:
        """Return an emitter that this factory's statistics include."""
        emitter = self.create_emitter(manager, user_id, context)
        self._made.append(emitter)
        return emitter

    def get_stats(self) -> dict[str, Any]:
        """Return totals over the emitters made here."""
        return {
            "emitters_created": len(self._made),
            "total_events": sum(emitter.metrics.total_events for emitter in self._made),
            "error_count": sum(emitter.metrics.error_count for emitter in self._made),
        }

    def get_performance_stats(self) -> dict[str, Any]:
        """Return totals and how many emitters run in performance mode."""
        return {**self.get_stats(), "performance_mode_emitters": sum(emitter.performance_mode for emitter in self._made)}

    def get_error_handling_stats(self) -> dict[str, Any]:
        """Return errors and retries over the emitters made here."""
        return {
            "error_count": sum(emitter.metrics.error_count for emitter in self._made),
            "retry_count": sum(emitter.metrics.retry_count for emitter in self._made),
        }

    async def cleanup(self) -> None:
        """Clean up every emitter made here."""
        for emitter in self._made:
            await emitter.cleanup()
        self._made.clear()


class WebSocketEmitterPool:
    """Keeps up to ``max_size`` emitters, one per user and run; the longest unused goes first."""

    def __init__(self, manager: Any, max_size: int = 100) -> None:
        if max_size < 1:
            raise ValueError(f"max_size must be at least 1, not {max_size}")
        self.manager = manager
        self.max_size = max_size
        self._pool: OrderedDict[tuple[str, str], UnifiedWebSocketEmitter] = OrderedDict()
        self._counts = {"acquired": 0, "created": 0, "reused": 0, "evicted": 0, "released": 0}
        self._closed = False

    async def acquire(self, user_id: str, context: Any = None) -> UnifiedWebSocketEmitter:
        """Return the emitter of this user (and run), made if there is none; give it back with :meth:`release`.

        Raises
        ------
        RuntimeError
            After :meth:`shutdown`.
        """
        if self._closed:
            raise RuntimeError("the emitter pool is shut down")
        key = _pool_key(user_id, context)
        emitter = self._pool.get(key)
        self._counts["acquired"] += 1
        if emitter is None:
            emitter = UnifiedWebSocketEmitter(self.manager, user_id, context)
            self._counts["created"] += 1
            await self._make_room()
            self._pool[key] = emitter
        else:
            self._counts["reused"] += 1
            if context is not None:
                emitter.set_context(context)
        self._pool.move_to_end(key)
        await emitter.acquire()
        return emitter

    async def release(self, emitter: UnifiedWebSocketEmitter) -> None:
        """Give an emitter back; it stays for the user's next event."""
        self._counts["released"] += 1
        await emitter.release()

    async def cleanup_inactive_emitters(self, max_age_seconds: float = 300) -> int:
        """Drop emitters unused for ``max_age_seconds``; how many went."""
        oldest = time.monotonic() - max_age_seconds
        stale = [key for key, emitter in self._pool.items() if not emitter.in_use and emitter.last_activity <= oldest]
        for key in stale:
            await self._pool.pop(key).cleanup()
        self._counts["evicted"] += len(stale)
        return len(stale)

    def get_statistics(self) -> dict[str, Any]:
        """Return the pool's size and what went through it."""
        counts = self._counts
        return {
            "pool_size": len(self._pool),
            "max_size": self.max_size,
            "active_emitters": sum(emitter.in_use for emitter in self._pool.values()),
            "total_acquired": counts["acquired"],
            "total_created": counts["created"],
            "total_reused": counts["reused"],
            "total_evicted": counts["evicted"],
            "total_released": counts["released"],
            "reuse_rate": counts["reused"] / counts["acquired"] if counts["acquired"] else 0.0,
        }

    async def shutdown(self) -> None:
        """Clean up every emitter and take no more requests."""
        self._closed = True
        while self._pool:
            _, emitter = self._pool.popitem()
            with contextlib.suppress(Exception):
                await emitter.cleanup()

    async def _make_room(self) -> None:
        while len(self._pool) >= self.max_size:
            idle = next((key for key, emitter in self._pool.items() if not emitter.in_use), next(iter(self._pool)))
            await self._pool.pop(idle).cleanup()
            self._counts["evicted"] += 1


def _pool_key(user_id: str, context: Any) -> tuple[str, str]:
    # Two texts, not one: "a:b" of user "a" must not be "b" of user "a:b".
    return str(user_id), str(getattr(context, "run_id", None) or "")
