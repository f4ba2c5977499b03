"""Tools around one WebSocket object."""

from __future__ import annotations

import asyncio
import enum
import json
import re
from types import SimpleNamespace
from unittest.mock import MagicMock, patch

import pytest

from compat.netra.components.connections import connection_utils as utils
from compat.netra.components.connections.heartbeats import (
    WebSocketConnectionMonitor,
    WebSocketHeartbeat,
    get_connection_monitor,
    websocket_heartbeat_context,
)
from compat.netra.components.messages.send_queue import WebSocketMessageQueue, websocket_message_queue_context


class State(enum.Enum):
    """Starlette's states, by name and value."""

    CONNECTING = 0
    CONNECTED = 1
    DISCONNECTED = 2


class Socket:
    """A socket that records what it is asked for."""

    def __init__(self, state=State.CONNECTED, fail=0):
        self.client_state = state
        self.sent, self.closed, self.fail = [], [], fail

    async def send_json(self, data):
        if self.fail:
            self.fail -= 1
            raise RuntimeError("broken pipe")
        self.sent.append(data)

    async def send_text(self, data):
        await self.send_json(data)

    async def close(self, code, reason):
        if self.fail:
            raise RuntimeError("already closed")
        self.closed.append((code, reason))
        self.client_state = State.DISCONNECTED


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """Retries without their delay."""
    monkeypatch.setattr(utils, "SEND_RETRY_DELAY", 0.0)


@pytest.mark.parametrize(
    ("state", "connected"),
    [
        (State.CONNECTED, True),
        (State.CONNECTING, False),
        (State.DISCONNECTED, False),
        ("connected", True),
        (1, True),
        (2, False),
        (object(), False),
        (None, False),
    ],
)
def test_connected_as_far_as_the_object_says(state, connected):
    assert utils.is_websocket_connected(Socket(state)) is connected


def test_the_client_s_state_decides_then_the_application_s():
    socket = Socket()
    socket.application_state = State.DISCONNECTED
    assert utils.is_websocket_connected(socket)
    assert not utils.is_websocket_connected(SimpleNamespace(application_state=State.DISCONNECTED))
    assert utils.is_websocket_connected(SimpleNamespace(application_state=State.CONNECTED))
    assert not utils.is_websocket_connected(MagicMock())
    assert not utils.is_websocket_connected(None)


@pytest.mark.parametrize(
    ("environment", "parts", "connected"),
    [
        ("testing", {}, False),
        ("testing", {"receive": 1}, True),
        ("", {"receive": 1}, True),
        ("staging", {"receive": 1}, False),
        ("staging", {"receive": 1, "send_json": print}, True),
        ("production", {"receive": 1, "_receive_queue": 1}, True),
        ("production", {"receive": 1, "scope": {"type": "websocket"}}, True),
        ("production", {"receive": 1, "scope": {"type": "http"}}, False),
    ],
)
def test_an_object_that_says_nothing(monkeypatch, environment, parts, connected):
    monkeypatch.setenv("ENVIRONMENT", environment)
    assert utils.is_websocket_connected(SimpleNamespace(**parts)) is connected


def test_states_are_worded_for_loggers():
    class Awkward:
        def __str__(self):
            raise ValueError("no")

    assert utils._safe_websocket_state_for_logging(State.CONNECTED) == "connected"
    assert utils._safe_websocket_state_for_logging("open") == "open"
    assert utils._safe_websocket_state_for_logging(None) == "None"
    assert utils._safe_websocket_state_for_logging(Awkward()) == "<serialization_error>"


def test_sending_tries_again_and_never_raises():
    assert asyncio.run(utils.safe_websocket_send(Socket(), {"a": 1})) is True
    twice = Socket(fail=2)
    assert asyncio.run(utils.safe_websocket_send(twice, "text")) is True
    assert twice.sent == ["text"]
    assert asyncio.run(utils.safe_websocket_send(Socket(fail=3), {})) is False
    assert asyncio.run(utils.safe_websocket_send(Socket(State.DISCONNECTED), {})) is False


def test_closing_never_raises_and_only_closes_what_is_open():
    socket = Socket()
    asyncio.run(utils.safe_websocket_close(socket))
    asyncio.run(utils.safe_websocket_close(socket, 1001, "gone"))
    assert socket.closed == [(1000, "Normal closure")]
    asyncio.run(utils.safe_websocket_close(Socket(fail=1)))


def test_a_handshake_is_waited_for():
    async def connect_soon():
        socket = Socket(State.CONNECTING)
        asyncio.get_running_loop().call_later(0.02, setattr, socket, "client_state", State.CONNECTED)
        return await utils.validate_websocket_handshake_completion(socket, 30)

    assert asyncio.run(connect_soon()) is True
    assert asyncio.run(utils.validate_websocket_handshake_completion(Socket(State.CONNECTING), 0.02)) is False
    assert asyncio.run(utils.validate_websocket_handshake_completion(Socket(State.DISCONNECTED), 30)) is False


def test_ids_are_unique_and_name_their_user():
    made = {utils.generate_connection_id("user_123456") for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(r"ws_conn_user_123_\d+_\d+_[0-9a-f]{8}", item) for item in made)
    assert utils.generate_connection_id("user_1", "conn").startswith("ws_conn_user_1_")
    with pytest.raises(ValueError, match=r"^Invalid user_id: $"):
        utils.generate_connection_id("")
    first, second = utils.generate_message_id(), utils.generate_message_id()
    assert first != second and re.fullmatch(r"uid_\d+_\d+_[0-9a-f]{8}", first)


def test_parsing_and_structure():
    assert utils.parse_websocket_message('{"type": "ping"}') == {"type": "ping"}
    assert utils.parse_websocket_message(b'{"type": "ping"}') == {"type": "ping"}
    for bad in ("", "[1]", "nonsense", b"\xff\xfe\x00", "[" * 100_000, None):
        assert utils.parse_websocket_message(bad) is None
    assert utils.validate_message_structure({"type": "ping"})
    for bad in ({}, {"type": ""}, {"type": 7}, [], None):
        assert not utils.validate_message_structure(bad)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ({"user_id": "u", "thread_id": "t"}, {"user_id": "u", "thread_id": "t"}),
        ({"payload": {"user_id": "u"}, "thread_id": "t"}, {"user_id": "u", "thread_id": "t"}),
        ({"user_id": "outer", "payload": {"user_id": "inner"}}, {"user_id": "outer"}),
        ({"payload": "text"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_user_info_is_found_in_message_and_payload(message, found):
    assert utils.extract_user_info_from_message(message) == found


def test_broadcast_counts_whom_it_reached():
    good, bad, left_out = Socket(), Socket(State.DISCONNECTED), Socket()
    assert asyncio.run(utils.broadcast_to_websockets([good, bad, left_out], {"a": 1}, [left_out])) == 1
    assert (good.sent, left_out.sent) == ([{"a": 1}], [])


def test_error_responses_are_plain_dicts():
    response = utils.format_websocket_error_response("E1", "broken", "req_1")
    assert response["error"].pop("timestamp") > 0
    assert response == {"type": "error", "error": {"code": "E1", "message": "broken"}, "request_id": "req_1"}
    assert sorted(utils.format_websocket_error_response("E1", "broken")) == ["error", "type"]
    json.dumps(response)


def test_rate_limit_counts_per_client():
    utils._requests.clear()
    assert [utils.check_rate_limit("a", 2) for _ in range(3)] == [True, True, False]
    assert utils.check_rate_limit("b", 2)
    assert utils.check_rate_limit("a", 2, window_seconds=0)


def test_compression_there_and_back():
    assert utils.decompress(utils.compress("héllo" * 100)) == "héllo" * 100
    assert utils.decompress(utils.compress(b"bytes")) == "bytes"


def test_progressive_delays():
    assert utils.get_progressive_delay(3, "testing") == 0.005
    assert utils.get_progressive_delay(1, "staging") == 0.05
    assert utils.get_progressive_delay(1, "development") == 0.01


def test_a_heartbeat_pings_and_gives_a_silent_peer_up():
    async def run(answer):
        socket, heartbeat = Socket(), WebSocketHeartbeat(interval=0.001, timeout=0.005 if not answer else 30)
        await heartbeat.start(socket)
        await heartbeat.start(socket)
        for _ in range(1000):
            await asyncio.sleep(0.002)
            if answer:
                heartbeat.on_pong_received()
            if not heartbeat._running or len(socket.sent) >= 5:
                break
        state = heartbeat.is_alive, len(socket.sent), socket.sent[0]["type"]
        await heartbeat.stop()
        assert heartbeat._task is None
        return state

    alive, pings, kind = asyncio.run(run(True))
    assert (alive, kind) == (True, "ping")
    assert pings >= 5
    assert asyncio.run(run(False)) == (False, 2, "ping")


def test_a_heartbeat_lasts_as_long_as_its_block():
    async def run():
        socket = Socket()
        async with websocket_heartbeat_context(socket, 30) as heartbeat:
            while not socket.sent:
                await asyncio.sleep(0)
            assert heartbeat._running
        assert not heartbeat._running

    asyncio.run(run())


def test_the_monitor_tells_healthy_from_lost():
    monitor, socket = WebSocketConnectionMonitor(), Socket()
    monitor.register_connection("c1", "user_1", socket)
    monitor.update_activity("c1")
    monitor.update_activity("c1", "message_sent")
    monitor.update_activity("c1", "error")
    monitor.update_activity("unknown")
    health = monitor.get_connection_health("c1")
    assert health.pop("inactive_seconds") >= 0 and health.pop("connected_duration") >= 0
    assert health == {
        "connection_id": "c1",
        "user_id": "user_1",
        "is_connected": True,
        "is_stale": False,
        "messages_sent": 1,
        "messages_received": 1,
        "error_count": 1,
    }
    stats = monitor.get_global_stats()
    assert stats.pop("uptime_seconds") >= 0 and stats.pop("start_time") > 0
    assert stats == {
        "total_connections": 1,
        "active_connections": 1,
        "messages_processed": 2,
        "errors_occurred": 1,
        "connections_by_user": {"user_1": 1},
        "health_summary": {"healthy_connections": 1, "stale_connections": 0, "total_monitored": 1},
    }
    assert monitor.get_current_performance_summary()["monitoring_coverage"] == {
        "coverage_percentage": 100.0,
        "recent_failures": 1,
    }
    monitor._connections["c1"]["last_activity"] -= 301
    assert monitor.get_connection_health("c1")["is_stale"] is True
    socket.client_state = State.DISCONNECTED
    assert monitor.get_connection_health("c1")["is_connected"] is False
    assert monitor.get_global_stats()["health_summary"]["healthy_connections"] == 0
    assert monitor.get_connection_health("c2") == {"status": "not_found"}
    monitor.unregister_connection("c1")
    monitor.reset_metrics()
    assert monitor.get_global_stats()["total_connections"] == 0
    assert get_connection_monitor() is get_connection_monitor()


def test_the_monitor_does_not_keep_a_socket_alive():
    monitor = WebSocketConnectionMonitor()
    monitor.register_connection("c1", "user_1", Socket())
    import gc

    gc.collect()
    assert monitor.get_connection_health("c1")["is_connected"] is False


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("connected", [True, False])
def test_what_is_put_in_the_place_of_the_legacy_question_is_asked(connected):
    asked = "netra_backend.app.websocket_core.utils.is_websocket_connected"

    async def run():
        socket, monitor = Socket(), WebSocketConnectionMonitor()
        monitor.register_connection("c1", "user_1", socket)
        async with websocket_heartbeat_context(socket, 30) as heartbeat:
            while heartbeat._running and not socket.sent:
                await asyncio.sleep(0)
            pings = len(socket.sent)
        sent = await utils.safe_websocket_send(socket, {"type": "own"})
        return pings, sent, monitor.get_connection_health("c1")["is_connected"]

    with patch(asked, return_value=connected):
        assert asyncio.run(run()) == (int(connected), connected, connected)


def test_a_queue_refuses_what_it_cannot_hold():
    queue = WebSocketMessageQueue(2)  # made outside of any loop

    async def run():
        assert [await queue.enqueue({"n": n}) for n in range(3)] == [True, True, False]
        assert await queue.dequeue() == {"n": 0}
        assert queue.size() == 1
        assert await queue.dequeue(1) == {"n": 1}
        assert await queue.dequeue(0.001) is None
        waiting = asyncio.ensure_future(queue.dequeue(30))
        await asyncio.sleep(0)
        await queue.enqueue({"n": 4})
        assert await waiting == {"n": 4}

    asyncio.run(run())
    assert queue.get_stats() == {
        "enqueued": 3,
        "dequeued": 3,
        "dropped": 1,
        "errors": 0,
        "current_size": 0,
        "max_size": 2,
    }
    assert queue.is_empty()

    async def block():
        async with websocket_message_queue_context(5) as inner:
            await inner.enqueue({"n": 1})
        assert inner.is_empty()

    asyncio.run(block())


def test_resources_are_found_and_removed_by_id():
    pools = {"managers": {"thread_1_abc": 1, "other": 2}, "sockets": {"thread_1_abc": 3}}
    assert utils.find_matching_resources("thread_1_abc", pools["managers"]) == ["thread_1_abc"]
    assert utils.cleanup_resources_by_pattern("thread_1_abc", pools) == 2
    assert pools == {"managers": {"other": 2}, "sockets": {}}
    assert utils.validate_resource_compatibility("a_1", ["b", "a_1"])
    assert not utils.validate_resource_compatibility("a_1", [])


def test_cleanup_order_and_connection_ids():
    assert [utils.get_cleanup_priority(name) for name in ("ws_conn_1", "run_1", "thread_1", "x")] == [1, 2, 3, 4]
    assert utils.normalize_connection_id(" conn_1 ", "u") == "conn_1"
    assert utils.normalize_connection_id("", "user_1").startswith("ws_conn_user_1_")


def test_limits_and_timeouts_are_those_of_the_environment():
    from compat.netra.components.messages import rate_limits

    assert rate_limits.get_rate_limit_for_environment() == {
        "max_requests_per_minute": 1000,
        "max_concurrent_connections": 100,
        "rate_limit_window_seconds": 60,
    }
    names = [f"{kind}_timeout_seconds" for kind in ("connection", "heartbeat", "message", "handshake", "close")]
    assert rate_limits.get_staging_optimized_timeouts("staging") == dict(zip(names, (300, 90, 60, 30, 10)))
    assert rate_limits.get_staging_optimized_timeouts("production") == dict(zip(names, (30, 10, 5, 2, 1)))
