"""Keep what could not be delivered, per user, until it can be: bounded, with the reason, and counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

_BOOKKEEPING = ("failure_reason", "failed_at", "recovery_attempts")


class Kept(dict):  # type: ignore[type-arg]
    """A message that is kept, and the places where the core has it as well; none once it is here alone."""

    def __init__(self, message: Mapping[str, Any], places: tuple[tuple[str, int], ...] = ()) -> None:
        super().__init__(message)
        self.places = places


class UndeliveredMessages:
    """Messages that found no open connection, oldest first, and how often that happened to whom.

    Parameters
    ----------
    per_user:
        How many messages are kept for one user; the oldest go first.
    users:
        For how many users messages are kept, and failures counted; who failed longest ago is forgotten.
    attempts:
        How often a message is tried again before it is given up.
    """

    def __init__(self, *, per_user: int = 50, users: int = 10_000, attempts: int = 3) -> None:
        self.enabled = True
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.error_counts: dict[str, int] = {}
        self.last_errors: dict[str, datetime] = {}
        self.per_user = per_user
        self.users = users
        self.attempts = attempts

    def keep(self, user_id: str, message: dict[str, Any], reason: str) -> None:
        """Keep one message for ``user_id`` and count the failure."""
        now = datetime.now(timezone.utc)
        failure = {"failure_reason": reason, "failed_at": now.isoformat(), "recovery_attempts": 0}
        entry = Kept({**message, **failure}, getattr(message, "places", ()))
        self.messages[user_id] = [*self.messages.get(user_id, []), entry][-self.per_user :]
        self.count(user_id)

    def count(self, user_id: str) -> None:
        """Count a failure of a message that is kept elsewhere."""
        now = datetime.now(timezone.utc)
        self.error_counts[user_id] = self.error_counts.get(user_id, 0) + 1
        self.last_errors.pop(user_id, None)
        self.last_errors[user_id] = now
        if len(self.last_errors) > self.users:
            oldest = next(iter(self.last_errors))
            for held in (self.last_errors, self.error_counts, self.messages):
                held.pop(oldest, None)

    def forget_delivered(self, user_id: str, waiting: set[tuple[str, int]]) -> None:
        """Forget the messages that the core had as well and has no longer; ``waiting`` are the places of those it has."""
        kept = self.messages.get(user_id)
        if kept and any(getattr(message, "places", ()) for message in kept):
            left = [one for one in kept if not (places := getattr(one, "places", ())) or not waiting.isdisjoint(places)]
            if left:
                self.messages[user_id] = left
            else:
                del self.messages[user_id]

    def claim(self, user_id: str) -> set[tuple[str, int]]:
        """Say that a user's messages are here alone from now on; return the places where the core had them."""
        places: set[tuple[str, int]] = set()
        for message in self.messages.get(user_id, ()):
            if isinstance(message, Kept):
                places.update(message.places)
                message.places = ()
        return places

    def take(self, user_id: str) -> list[dict[str, Any]]:
        """Return, and forget, what can be tried again; messages past their attempts are given up.

        Put back what failed again with :meth:`put_back`.
        """
        kept = self.messages.pop(user_id, [])
        return [message for message in kept if message.get("recovery_attempts", 0) < self.attempts]

    def put_back(self, user_id: str, messages: list[dict[str, Any]]) -> None:
        """Keep messages whose new attempt failed, before those that came in meanwhile."""
        if messages:
            tried = [Kept({**message, "recovery_attempts": message.get("recovery_attempts", 0) + 1}) for message in messages]
            self.messages[user_id] = [*tried, *self.messages.get(user_id, [])][-self.per_user :]

    def statistics(self) -> dict[str, Any]:
        """Return totals and one entry per user with errors."""
        recent = datetime.now(timezone.utc) - timedelta(minutes=5)
        return {
            "total_users_with_errors": len(self.error_counts),
            "total_error_count": sum(self.error_counts.values()),
            "total_queued_messages": sum(map(len, self.messages.values())),
            "recent_errors_5min": sum(when > recent for when in self.last_errors.values()),
            "error_recovery_enabled": self.enabled,
            "users_with_queued_messages": len(self.messages),
            "error_details": {
                user: {
                    "error_count": count,
                    "last_error": self.last_errors[user].isoformat() if user in self.last_errors else None,
                    "queued_messages": len(self.messages.get(user, [])),
                }
                for user, count in self.error_counts.items()
            },
        }

    def forget(self, older_than_hours: float = 24) -> dict[str, int]:
        """Drop errors and messages of users whose last error is older, and empty queues; how many users went and stay."""
        oldest = datetime.now(timezone.utc) - timedelta(hours=older_than_hours)
        old = [user for user, when in self.last_errors.items() if when < oldest]
        queues = [user for user, kept in self.messages.items() if user in old or not kept]
        for user in queues:
            del self.messages[user]
        for user in old:
            self.error_counts.pop(user, None)
            del self.last_errors[user]
        return {
            "cleaned_error_users": len(old),
            "cleaned_queue_users": len(queues),
            "remaining_error_users": len(self.error_counts),
            "remaining_queue_users": len(self.messages),
        }


def recovered(message: dict[str, Any], *, why: bool = False) -> dict[str, Any]:
    """Return a kept message as it is sent at last: marked, without the bookkeeping, and with its failure where ``why``."""
    plain = {name: value for name, value in message.items() if name not in _BOOKKEEPING}
    failure = {"original_failure": message.get("failure_reason", "unknown")} if why else {}
    return {**plain, "recovered": True, **failure}
