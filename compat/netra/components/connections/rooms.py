"""Named rooms of connections: who is in which."""

from __future__ import annotations

from typing import Any


class Rooms:
    """Connection ids by room; an empty room is gone."""

    #: How many memberships there are; beyond, those that were joined longest ago end. Clients choose rooms.
    LIMIT = 100_000

    def __init__(self) -> None:
        self.rooms: dict[str, set[str]] = {}
        # Connection ids are unique within one user alone: whose are in the room.
        self._users: dict[tuple[str, str], set[str | None]] = {}

    def join(self, room_id: str, connection_id: str, user_id: str | None = None) -> bool:
        """Put a connection, of ``user_id`` where that is known, into a room; False if it was there."""
        users = self._users.setdefault((room_id, connection_id), set())
        new = user_id not in users
        users.add(user_id)
        if len(self._users) > self.LIMIT:
            self.leave(*next(iter(self._users)))
        self.rooms.setdefault(room_id, set()).add(connection_id)
        return new

    def leave(self, room_id: str, connection_id: str, user_id: str | None = None) -> bool:
        """Take a connection out of a room, whosoever it is without ``user_id``; False if it was not there."""
        users = self._users.get((room_id, connection_id), set())
        was = bool(users) if user_id is None else user_id in users
        users.discard(user_id)
        if user_id is None or not users:
            self._users.pop((room_id, connection_id), None)
            members = self.rooms.get(room_id, set())
            members.discard(connection_id)
            if room_id in self.rooms and not members:
                del self.rooms[room_id]
        return was

    def leave_all(self, connection_id: str) -> None:
        """Take a connection out of every room."""
        for room_id in list(self.rooms):
            self.leave(room_id, connection_id)

    def members(self, room_id: str) -> set[str]:
        """The connections in a room."""
        return set(self.rooms.get(room_id, ()))

    def users(self, room_id: str, connection_id: str) -> list[str | None]:
        """Whose connections of this id are in a room; None where that was not said."""
        return sorted(self._users.get((room_id, connection_id), {None}), key=str)

    def get_stats(self) -> dict[str, Any]:
        """Return counts and the members by room."""
        return {
            "total_rooms": len(self.rooms),
            "total_connections": sum(map(len, self.rooms.values())),
            "room_connections": {room: sorted(members) for room, members in self.rooms.items()},
        }
