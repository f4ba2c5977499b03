"""Everybody comes back at once, as after a deployment: all are served, nothing is lost, and health stays green."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("redis", reason="redis is in the server extra")

from compat.canonical.core.events import Position


def test_five_hundred_who_resume_at_once_are_all_served_and_health_stays_green(redis_server, new_socket, context) -> None:
    factory = redis_server.worker(publish_timeout=20.0, ping_interval=2.0)

    async def run() -> None:
        await factory.start()
        managers = [factory.get(context(f"user{number}")) for number in range(500)]
        for manager in managers:
            await manager.send({"type": "note", "n": 1})
        places = await asyncio.gather(*(manager.position() for manager in managers))
        colours = set()

        async def come_back(manager, place) -> list[int]:
            socket = new_socket()
            await manager.connect(socket, since=Position(place.epoch, 0), greet=True)
            colours.add(factory.health()["healthy"])
            return [message["seq"] for message in socket.messages]

        heard = await asyncio.gather(*(come_back(manager, place) for manager, place in zip(managers, places)))
        assert heard == [[0, 1]] * 500
        assert colours == {True}

    redis_server.run(run())
