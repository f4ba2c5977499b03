"""Who answered when, and who is taken for dead."""

from __future__ import annotations

import asyncio
import time

import pytest

from compat.netra.components.connections.heartbeat_manager import (
    HeartbeatConfig,
    WebSocketHeartbeatManager,
    get_heartbeat_manager,
)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


class Socket:
    client_state = "connected"

    def __init__(self):
        self.sent = []

    async def send_json(self, data):
        self.sent.append(data["type"])


def test_an_answering_connection_lives_and_a_silent_one_dies():
    clock = Clock()
    manager = WebSocketHeartbeatManager(HeartbeatConfig(), clock=clock)

    async def run():
        socket = Socket()
        for name in ("good", "silent"):
            await manager.register_connection(name)
        for _ in range(4):
            clock.now += 30
            for name in ("good", "silent"):
                assert await manager.send_ping(name, socket)
            await manager.record_pong("good")
        assert socket.sent == ["ping"] * 8
        assert await manager.check_connection_health("good")
        assert manager.connection_heartbeats["silent"].missed_heartbeats == 3
        assert await manager.drop_dead_connections() == ["silent"]
        assert not await manager.send_ping("silent", socket)
        assert not await manager.check_connection_health("silent")

    asyncio.run(run())
    assert manager.get_stats() == {
        "pings_sent": 8,
        "pongs_received": 4,
        "timeouts_detected": 1,
        "connections_dropped": 1,
        "active_connections": 1,
        "alive_connections": 1,
    }


def test_dead_connections_are_found_without_being_asked_for():
    clock = Clock()
    manager = WebSocketHeartbeatManager(HeartbeatConfig(cleanup_interval_seconds=0.001), clock=clock)

    async def run():
        await manager.start()
        await manager.start()
        await manager.register_connection("c1")
        clock.now += 91
        deadline = time.monotonic() + 30
        while manager.connection_heartbeats and time.monotonic() < deadline:
            await asyncio.sleep(0.002)
        assert manager.stats["connections_dropped"] == 1
        await manager.stop()
        assert manager._task is None

    asyncio.run(run())


def test_a_ping_is_small_and_the_unknown_are_ignored():
    manager = WebSocketHeartbeatManager(HeartbeatConfig())

    async def run():
        with pytest.raises(ValueError, match="a ping carries at most 125 bytes, not 126"):
            await manager.send_ping("c1", Socket(), b"x" * 126)
        await manager.record_activity("unknown")
        await manager.record_pong("unknown")
        await manager.unregister_connection("unknown")

    asyncio.run(run())
    assert manager.get_stats()["pongs_received"] == 0


def test_each_environment_has_its_times():
    assert HeartbeatConfig.for_environment("production").heartbeat_interval_seconds == 25
    assert HeartbeatConfig.for_environment("testing").heartbeat_timeout_seconds == 15
    assert HeartbeatConfig.for_environment("development") == HeartbeatConfig()
    assert get_heartbeat_manager() is get_heartbeat_manager()
