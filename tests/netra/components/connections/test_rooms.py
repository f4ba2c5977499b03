"""Rooms know their members; an empty room is gone."""

from __future__ import annotations

from compat.netra.components.connections.rooms import Rooms


def test_joining_and_leaving() -> None:
    rooms = Rooms()
    assert rooms.join("a", "conn_1") is True
    assert rooms.join("a", "conn_1") is False
    rooms.join("a", "conn_2")
    rooms.join("b", "conn_1")
    assert rooms.members("a") == {"conn_1", "conn_2"}
    assert rooms.get_stats() == {
        "total_rooms": 2,
        "total_connections": 3,
        "room_connections": {"a": ["conn_1", "conn_2"], "b": ["conn_1"]},
    }
    rooms.leave_all("conn_1")
    assert rooms.leave("a", "conn_1") is False
    assert rooms.rooms == {"a": {"conn_2"}}
