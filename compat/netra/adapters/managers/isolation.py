"""How a legacy manager keeps users apart, and what it reports of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from compat.canonical.core import serialization
from compat.canonical.errors import UserIsolationViolation
from compat.netra.components.connections import manager_validation
from compat.shim import legacy_method

from . import looked_up
from .manager_types import OTHERWISE
from .user_managers import is_open

QUEUE_LIMIT = 1000


class IsolationMethods:
    """Methods that check whose an event or a connection is; ``self._scope`` holds the users' canonical managers."""

    _scope: Any
    _undelivered: Any
    _delivery: Any
    _event_queue_stats: dict[str, int]
    _cross_user_detection: dict[str, int]
    _event_isolation_tokens: dict[str, str]
    _user_event_queues: dict[str, Any]
    user_context: Any
    is_connection_active: Callable[..., bool]

    def _violated(self, user: str, times: int = 1) -> None:
        self._cross_user_detection[user] = self._cross_user_detection.get(user, 0) + times

    @legacy_method(instead=OTHERWISE)
    def get_contamination_stats(self) -> dict[str, Any]:
        """How often an event or a question concerned another user, and what is followed."""
        queues = {user: queue.qsize() if queue is not None else 0 for user, queue in self._user_event_queues.items()}
        return {
            **self._event_queue_stats,
            "cross_user_violations": dict(self._cross_user_detection),
            "active_isolation_tokens": len(self._event_isolation_tokens),
            "user_event_queues": queues,
            "total_users_monitored": len(queues),
        }

    @legacy_method(instead=OTHERWISE)
    async def validate_event_isolation(self, user_id: str, connection_id: str) -> bool:
        """Whether the connection is the user's own; if not, that is counted for who asked."""
        own = self._scope.ids_of(str(user_id))
        if str(connection_id) in own and connection_id in self._event_isolation_tokens:
            return True
        self._violated(str(user_id))
        return False

    def _validate_user_isolation(self, user_id: Any, operation: str = "unknown") -> bool:
        """Ask the process's validator whether this manager may serve a user."""
        return bool(manager_validation.validate_user_isolation(self, user_id, operation))

    def _prevent_cross_user_event_bleeding(self, event: dict[str, Any], user_id: Any) -> dict[str, Any]:
        """Return the event marked as one user's.

        Raises
        ------
        UserIsolationViolation
            If it names another user.
        """
        user, named = str(user_id), event.get("user_id")
        if named is not None and str(named) != user:
            self._violated(user)
            self._event_queue_stats["contamination_prevented"] += 1
            raise UserIsolationViolation(f"Event targeting different user: {named} != {user}")
        mark = {
            "target_user_id": user,
            "manager_user_id": getattr(self.user_context, "user_id", None),
            "isolation_token": secrets.token_hex(16),
            "timestamp": _now(),
        }
        return {**event, "_user_isolation": mark}

    def _get_connection_diagnostics(self, connection: Any) -> dict[str, Any]:
        """What is known of a connection, of whatever kind."""
        websocket = getattr(connection, "websocket", None)
        connected_at = getattr(connection, "connected_at", None)
        age = None
        if isinstance(connected_at, datetime):
            now = datetime.now(timezone.utc) if connected_at.tzinfo else datetime.now()
            age = (now - connected_at).total_seconds()
        state = getattr(websocket, "client_state", None)
        return {
            "has_websocket": websocket is not None,
            "websocket_type": type(websocket).__name__ if websocket is not None else None,
            "connection_age_seconds": age,
            "metadata_present": bool(getattr(connection, "metadata", None)),
            "websocket_state": getattr(state, "name", None) or ("open" if is_open(connection) else "closed"),
        }

    @legacy_method(instead=OTHERWISE)
    async def cleanup_expired_event_tracking(self, max_age_hours: float = 24) -> int:
        """Forget events that were made longer ago; how many."""
        return int(self._delivery.forget_older(max_age_hours * 3600))

    @legacy_method(instead=OTHERWISE)
    async def force_cleanup_user_events(self, user_id: str) -> None:
        """Forget everything that is followed or kept for a user."""
        user = str(user_id)
        self._cross_user_detection.pop(user, None)
        self._user_event_queues.pop(user, None)
        self._undelivered.messages.pop(user, None)
        self._delivery.forget_user(user)
        for connection_id in self._scope.ids_of(user):
            if not self._scope.is_shared(connection_id):
                self._event_isolation_tokens.pop(connection_id, None)

    @legacy_method(instead=OTHERWISE)
    def detect_queue_overflow(self, user_id: str) -> bool:
        """Whether four fifths of what may wait for the user is waiting."""
        return bool(self._scope.waiting(str(user_id)) >= 0.8 * QUEUE_LIMIT)


def user_or_none(user_id: Any) -> str | None:
    """The user that an id names; None, and a line in the log, where it names none."""
    try:
        return looked_up.ensure_user_id(user_id)
    except ValueError as error:
        serialization.logger.warning("%s", error)
        return None


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()
