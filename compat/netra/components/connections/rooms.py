"""Named rooms of connections: who is in which."""

from __future__ import annotations

from typing import Any


class Rooms:
    """Connection ids by room; an empty room is gone."""

    def __init__(self) -> None:
        self.rooms: dict[str, set[str]] = {}

    def join(self, room_id: str, connection_id: str) -> bool:
        """Put a connection into a room; False if it was there."""
        members = self.rooms.setdefault(room_id, set())
        new = connection_id not in members
        members.add(connection_id)
        return new

    def leave(self, room_id: str, connection_id: str) -> bool:
        """Take a connection out of a room; False if it was not there."""
        members = self.rooms.get(room_id, set())
        was = connection_id in members
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

    def get_stats(self) -> dict[str, Any]:
        """Return counts and the members by room."""
        return {
            "total_rooms": len(self.rooms),
            "total_connections": sum(map(len, self.rooms.values())),
            "room_connections": {room: sorted(members) for room, members in self.rooms.items()},
        }
