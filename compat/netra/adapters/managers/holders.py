"""Which users have had an id that is unique within one user alone: of a connection, of a thread."""

from __future__ import annotations

from typing import Any

from compat.netra.components.bounded import Newest

LIMIT = 100_000


class Holders:
    """Users by id, also those who have it no longer: a late call for the first must not reach the second.

    Bounded: the ids that were noted longest ago go.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._users: Newest[str, tuple[str, ...]] = Newest(limit)

    def note(self, name: str, user_id: str) -> None:
        """Remember that ``user_id`` has ``name``; two users are enough to know that it is ambiguous."""
        users = self._users.get(name, ())
        self._users[name] = users if user_id in users else (*users, user_id)[:2]

    def users(self, name: str) -> tuple[str, ...]:
        """Who has had ``name``: nobody known, one user, or two."""
        return self._users.get(name, ())


def name_of(identifier: Any) -> str:
    """The plain text of an id."""
    return str(identifier)
