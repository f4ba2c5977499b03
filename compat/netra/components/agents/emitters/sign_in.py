"""Emitters of a sign-in, and what watches that its user can be reached."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ...connections.manager_calls import is_connected, settled
from . import unified
from .unified import UnifiedWebSocketEmitter

_METRICS = (
    "total_auth_events",
    "successful_auth_deliveries",
    "failed_auth_deliveries",
    "connection_health_checks",
    "fallback_escalations",
)


class AuthenticationWebSocketError(Exception):
    """A sign-in cannot be told to its user: no connection is open."""


class AuthenticationWebSocketEmitter(UnifiedWebSocketEmitter):
    """An emitter for the four sign-in events: every retry is used, and the result is known."""

    def __init__(self, manager: Any, user_id: str, context: Any = None) -> None:
        super().__init__(manager=manager, user_id=user_id, context=context, performance_mode=True)
        self.metrics.critical_events.update(dict.fromkeys(self.AUTHENTICATION_CRITICAL_EVENTS, 0))
        self.auth_metrics = dict.fromkeys(_METRICS, 0)

    async def emit_auth_event(self, event_type: str, data: dict[str, Any]) -> bool:
        """Send an event of a sign-in; whether it went out. One that is none of the four goes as a critical event.

        Raises
        ------
        AuthenticationWebSocketError
            If no connection of the user is open.
        """
        if event_type not in self.AUTHENTICATION_CRITICAL_EVENTS:
            unified.logger.warning("%s is no event of a sign-in; sent as any critical event", event_type)
            return await self._send(event_type, data)
        self.auth_metrics["total_auth_events"] += 1
        try:
            await self.ensure_auth_connection_health()
        except AuthenticationWebSocketError:
            self.auth_metrics["failed_auth_deliveries"] += 1
            raise
        sent = await self._send(event_type, {**data, "auth_event": True})
        self.auth_metrics["successful_auth_deliveries" if sent else "failed_auth_deliveries"] += 1
        return sent

    async def ensure_auth_connection_health(self) -> None:
        """Return when the user is connected.

        Raises
        ------
        AuthenticationWebSocketError
            If no connection is open.
        """
        self.auth_metrics["connection_health_checks"] += 1
        health = await _health(self.manager, self.user_id)
        if not await is_connected(self.manager, self.user_id) or _says_no(health):
            raise AuthenticationWebSocketError(f"{_unhealthy(self.user_id)} Health: {health}")

    def get_auth_stats(self) -> dict[str, Any]:
        """Return the statistics with counts of the sign-in events, and the percentage delivered."""
        total, delivered = self.auth_metrics["total_auth_events"], self.auth_metrics["successful_auth_deliveries"]
        return {
            **self.get_stats(),
            "auth_metrics": dict(self.auth_metrics),
            "auth_delivery_rate": 100.0 * delivered / total if total else 100.0,
        }


class AuthenticationConnectionMonitor:
    """Checks that a user who signs in can be reached, once or over a span of time."""

    CHECK_INTERVAL_SECONDS = 1.0

    def __init__(self, manager: Any) -> None:
        if manager is None:
            raise ValueError("manager is required")
        self.manager = manager
        self._checks = self._unhealthy = 0

    async def ensure_auth_connection_health(self, user_id: str) -> None:
        """Return when ``user_id`` is connected.

        Raises
        ------
        AuthenticationWebSocketError
            If no connection is open.
        """
        if not await self._is_connected(user_id):
            raise AuthenticationWebSocketError(f"{_unhealthy(user_id)} Health check failed.")

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
        return {
            "user_id": user_id,
            "session_duration_actual": (time.monotonic() - started) * 1000,
            "health_snapshots_count": checks,
            "connection_drops": drops,
            "recovery_attempts": 0,
            "final_health": connected,
            "monitoring_successful": drops == 0,
        }

    def get_monitoring_stats(self) -> dict[str, Any]:
        """Return counts of checks and of what they found, and the percentage that found a connection."""
        return {
            "health_checks_performed": self._checks,
            "unhealthy_connections_detected": self._unhealthy,
            "recovery_attempts": 0,
            "health_check_success_rate": 100.0 * (1 - self._unhealthy / self._checks) if self._checks else 100.0,
        }

    async def _is_connected(self, user_id: str) -> bool:
        self._checks += 1
        connected = await is_connected(self.manager, user_id) and not _says_no(await _health(self.manager, user_id))
        self._unhealthy += not connected
        return connected


def _unhealthy(user_id: Any) -> str:
    return f"WebSocket connection unhealthy for user {user_id} - authentication cannot proceed safely."


def _says_no(health: Any) -> bool:
    """Whether a manager says that a user whom it has cannot be reached."""
    return isinstance(health, dict) and health.get("has_active_connections") is False


async def _health(manager: Any, user_id: Any) -> Any:
    """What a manager says of one user's connections, if it says anything."""
    ask = getattr(manager, "get_connection_health", None)
    try:
        return await settled(ask(user_id)) if ask is not None else {}
    except Exception as error:
        return {"error": str(error)}
