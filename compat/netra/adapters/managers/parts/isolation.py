"""How a legacy manager keeps users apart, and what it reports of it."""

from __future__ import annotations

import secrets
from datetime import datetime, timezone
from typing import Any

from compat.canonical.errors import UserIsolationViolation
from compat.netra.components.bounded import Newest
from compat.netra.components.connections import manager_validation
from compat.netra.components.events.delivery_tracker import EventDeliveryTracker
from compat.shim import legacy_method

from ..delivery import is_open
from ..live_dicts import QUEUE_LIMIT, UserQueues
from ..manager_types import OTHERWISE
from ..user_managers import Scope
from .part import Face, ManagerPart

COUNTERS = ("total_events_sent", "events_delivered", "contamination_prevented", "queue_overflows", "auth_token_reuse_detected")


class Isolation(ManagerPart):
    """What checks whose an event or a connection is, and counts what went wrong."""

    def __init__(self, manager: Face, scope: Scope, delivery: EventDeliveryTracker) -> None:
        super().__init__(manager, scope)
        self.delivery = delivery
        self.stats = dict.fromkeys(COUNTERS, 0)
        self.violations: dict[str, int] = Newest()
        self.tokens: dict[str, str] = {}
        self.queues: dict[str, Any] = UserQueues()

    def attached(self, record: Any) -> None:
        """Begin to follow a connection."""
        self.tokens[record.connection_id] = secrets.token_hex(16)
        self.queues.setdefault(record.user_id, None)

    def detached(self, record: Any) -> None:
        """Stop to follow a connection that is gone, and its user with the last."""
        if not self.scope.is_shared(record.connection_id):
            self.tokens.pop(record.connection_id, None)
        if not self.scope.records_of(record.user_id):
            self.queues.pop(record.user_id, None)

    def sent(self, count: int) -> None:
        """Count what connections took."""
        self.stats["total_events_sent"] += count
        self.stats["events_delivered"] += count

    def of_user(self, user: str, message: dict[str, Any]) -> dict[str, Any]:
        """The message with foreign users' ids in ``*_user_id`` fields replaced by the receiver's own."""
        foreign = [key for key, value in message.items() if key.endswith("_user_id") and value != user]
        if not foreign:
            return message
        self._violated(user, len(foreign))
        self.stats["contamination_prevented"] += len(foreign)
        return {**message, **dict.fromkeys(foreign, user)}

    def _violated(self, user: str, times: int = 1) -> None:
        self.violations[user] = self.violations.get(user, 0) + times

    @legacy_method(instead=OTHERWISE)
    def get_contamination_stats(self) -> dict[str, Any]:
        """How often an event or a question concerned another user, and what is followed."""
        queues = {user: queue.qsize() if queue is not None else 0 for user, queue in self.queues.items()}
        return {
            **self.stats,
            "cross_user_violations": dict(self.violations),
            "active_isolation_tokens": len(self.tokens),
            "user_event_queues": queues,
            "total_users_monitored": len(queues),
        }

    @legacy_method(instead=OTHERWISE)
    async def validate_event_isolation(self, user_id: str, connection_id: str) -> bool:
        """Whether the connection is the user's own; if not, that is counted for who asked."""
        own = self.scope.ids_of(str(user_id))
        if str(connection_id) in own and connection_id in self.tokens:
            return True
        self._violated(str(user_id))
        return False

    def validate_user(self, user_id: Any, operation: str = "unknown") -> bool:
        """Ask the process's validator whether this manager may serve a user."""
        return bool(manager_validation.validate_user_isolation(self.manager, user_id, operation))

    def marked(self, event: dict[str, Any], user_id: Any) -> dict[str, Any]:
        """Return the event marked as one user's.

        Raises
        ------
        UserIsolationViolation
            If it names another user.
        """
        user, named = str(user_id), event.get("user_id")
        if named is not None and str(named) != user:
            self._violated(user)
            self.stats["contamination_prevented"] += 1
            raise UserIsolationViolation(f"Event targeting different user: {named} != {user}")
        mark = {
            "target_user_id": user,
            "manager_user_id": self.own_user,
            "isolation_token": secrets.token_hex(16),
            "timestamp": _now(),
        }
        return {**event, "_user_isolation": mark}

    def diagnostics(self, connection: Any) -> dict[str, Any]:
        """What is known of a connection, of whatever kind."""
        websocket = getattr(connection, "websocket", None)
        connected_at = getattr(connection, "connected_at", None)
        age = None
        if isinstance(connected_at, datetime):
            now = datetime.now(timezone.utc) if connected_at.tzinfo else datetime.now()
            age = (now - connected_at).total_seconds()
        state = getattr(websocket, "client_state", None)
        if state is None:
            state = getattr(websocket, "state", None)
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
        return int(self.delivery.forget_older(max_age_hours * 3600))

    @legacy_method(instead=OTHERWISE)
    async def force_cleanup_user_events(self, user_id: str) -> None:
        """Forget everything that is followed or kept for a user."""
        user = str(user_id)
        self.violations.pop(user, None)
        self.queues.pop(user, None)
        self.scope.undelivered.messages.pop(user, None)
        self.delivery.forget_user(user)
        for connection_id in self.scope.ids_of(user):
            if not self.scope.is_shared(connection_id):
                self.tokens.pop(connection_id, None)

    @legacy_method(instead=OTHERWISE)
    def detect_queue_overflow(self, user_id: str) -> bool:
        """Whether four fifths of what may wait for the user is waiting."""
        return bool(self.scope.waiting(str(user_id)) >= 0.8 * QUEUE_LIMIT)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()
