"""Legacy managers of two workers over one Redis: sockets that legacy code attaches, and messages from the other worker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket as sockets
import subprocess
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("redis", reason="redis is in the server extra")

from compat.canonical.factory import WebSocketManagerFactory, set_websocket_manager_factory
from compat.canonical.redis.redis_backplane import RedisBackplane
from compat.netra.adapters.managers.websocket_manager import SharedWebSocketManager

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def redis_url(tmp_path: Any) -> Iterator[str]:
    binary = shutil.which("redis-server")
    if binary is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is not on PATH")
        pytest.skip("redis-server is not on PATH")
    with sockets.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen([binary, *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "Ready to accept connections" in line:
            break
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.communicate(timeout=20)


class Socket:
    def __init__(self) -> None:
        self.received: asyncio.Queue[Any] = asyncio.Queue()

    async def send_json(self, message: Any) -> None:
        self.received.put_nowait(message)


def test_a_socket_that_legacy_code_attaches_gets_what_either_worker_sends(redis_url: str, run: Any) -> None:
    async def scenario() -> None:
        one, two = (WebSocketManagerFactory(backplane=RedisBackplane(redis_url)) for _ in range(2))
        async with contextlib.AsyncExitStack() as stack:
            for factory in (one, two):
                stack.push_async_callback(factory.close)
                await factory.backplane.start()
            set_websocket_manager_factory(one)
            here, wire = SharedWebSocketManager(), Socket()
            await here.connect_user("user_1", wire, "conn_1")
            await here.connect_user("user_1", wire, "conn_1")  # again, in place of the first
            await two.get(SimpleNamespace(user_id="user_1")).emit("from the other", {})
            set_websocket_manager_factory(two)
            there = SharedWebSocketManager()
            await there.send_to_user("user_1", {"type": "sent"})
            await there.emit_critical_event("user_1", "agent_started", {})
            await here.emit_critical_event("user_1", "agent_completed", {})
            got = [await asyncio.wait_for(wire.received.get(), 20) for _ in range(4)]
            assert sorted(message["type"] for message in got) == ["agent_completed", "agent_started", "from the other", "sent"]
            assert not any("seq" in message for message in got)
            await there.send_to_user("user_2", {"type": "away"})
            assert (there._message_recovery_queue, there.get_error_statistics()["total_error_count"]) == ({}, 1)

    run(scenario())
