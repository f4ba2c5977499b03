"""Test clients, utilities and assertions, over a real server on a free port and over mock sockets."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

import pytest

from compat.netra.testing.websocket.auth_helper import (
    AuthenticationScenario,
    CachedToken,
    JWTTokenCache,
    WebSocketAuthenticationTester,
    WebSocketAuthHelper,
    WebSocketConnectionPool,
)
from compat.netra.testing.websocket.client import MockWebSocketConnection, WebSocketTestClient
from compat.netra.testing.websocket.helpers import (
    WebSocketPerformanceMonitor,
    WebSocketTestHelpers,
    assert_websocket_events,
    assert_websocket_events_sent,
    assert_websocket_response_time,
    create_test_connection_pool,
    ensure_websocket_service_ready,
    establish_minimum_websocket_connections,
    validate_websocket_message,
    wait_for_agent_completion,
)
from compat.netra.testing.websocket.messages import CRITICAL_EVENTS, WebSocketEventType, WebSocketMessage, WebSocketTestMetrics
from compat.netra.testing.websocket.real import (
    RealWebSocketConnectionManager,
    RealWebSocketTestClient,
    SecurityError,
    WebSocketConnectionState,
    create_authenticated_websocket_client,
)
from compat.netra.testing.websocket.runs import (
    GoldenPathTestConfig,
    WebSocketBridgeTestHelper,
    WebSocketGoldenPathHelper,
    WebSocketTestInfrastructureFactory,
    assert_golden_path_success,
)
from compat.netra.testing.websocket.utility import WebSocketTestUtility, create_test_websocket_manager

websockets = pytest.importorskip("websockets.asyncio.server", reason="websockets is not installed")
jwt = pytest.importorskip("jwt", reason="PyJWT is not installed")
SECRET = "test-only-secret-that-signs-nothing-of-value"


@asynccontextmanager
async def server(shout: bool = False, **options: Any):
    """A server that tells a run for each ``chat``, echoes the rest, and with ``shout`` echoes to everybody."""
    everybody = set()

    async def handle(socket: Any) -> None:
        everybody.add(socket)
        async for text in socket:
            message = json.loads(text)
            if message.get("type") == "chat":
                for name in CRITICAL_EVENTS:
                    await socket.send(json.dumps({"type": name, "user_id": message["user_id"], "data": {}}))
                continue
            for receiver in everybody if shout else [socket]:
                await receiver.send(text)

    async with websockets.serve(handle, "127.0.0.1", 0, **options) as running:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/ws"


def only_signed_in(connection: Any, request: Any) -> Any:
    """Refuse whoever has no token that holds."""
    token = request.headers.get("Authorization", "").partition(" ")[2]
    try:
        jwt.decode(token, SECRET, algorithms=["HS256"], issuer="netra-auth-service")
    except jwt.InvalidTokenError:
        return connection.respond(403, "no\n")
    return None


@pytest.fixture(autouse=True)
def secret(monkeypatch) -> None:
    monkeypatch.setenv("JWT_SECRET_KEY", SECRET)
    monkeypatch.delenv("WEBSOCKET_MOCK_MODE", raising=False)


def test_a_client_sends_receives_and_waits() -> None:
    async def scenario() -> None:
        seen = []
        async with server() as url, WebSocketTestClient(url, "t1") as client:
            client.add_event_handler(WebSocketEventType.PING, seen.append)
            sent = await client.send_message(WebSocketEventType.PING, {"n": 1}, user_id="user_1")
            received = await client.wait_for_message(WebSocketEventType.PING, timeout=5)
            assert (received.data, received.user_id, received.message_id) == ({"n": 1}, "user_1", sent.message_id)
            assert seen == [received] == client.get_messages_by_type("ping")
            await client.send_json({"type": "status_update", "data": {}})
            await client.wait_for_events([WebSocketEventType.STATUS_UPDATE], timeout=5)
            await client.send_raw_message('"no object"')
            with pytest.raises(asyncio.TimeoutError, match=r"^Missing expected events: \['agent_started'\]$"):
                await client.wait_for_events(["agent_started"], timeout=0.05)
            metrics = client.metrics.to_dict()
            assert metrics["events_by_type"] == {"ping": 1, "status_update": 1}
        assert not client.is_connected
        with pytest.raises(RuntimeError, match=r"^WebSocket client t1 not connected$"):
            await client.send_message("ping")

    asyncio.run(scenario())


def test_a_client_that_cannot_connect_says_why() -> None:
    async def scenario() -> None:
        client = WebSocketTestClient("ws://127.0.0.1:1/ws", "t1")
        assert not await client.connect(timeout=5)
        assert isinstance(client.last_error, OSError) and client.metrics.connection_errors == 1
        with pytest.raises(ConnectionError, match=r"^Cannot connect to ws://127.0.0.1:1/ws after 2 attempts"):
            await WebSocketTestHelpers.create_test_websocket_connection("ws://127.0.0.1:1/ws", max_retries=2)
        assert not await ensure_websocket_service_ready("http://127.0.0.1:1", max_wait=0)

    asyncio.run(scenario())


def test_a_mock_client_needs_no_server() -> None:
    async def scenario() -> None:
        client = WebSocketTestClient("ws://nowhere", "t1")
        assert await client.connect(mock_mode=True)
        client._mock_websocket.feed({"type": "agent_started", "payload": {"agent_name": "a"}})
        message = await client.wait_for_message(timeout=5)
        assert (message.event_type, message.data) == (WebSocketEventType.AGENT_STARTED, {"agent_name": "a"})
        made_up = [await client.wait_for_message(timeout=5) for _ in range(2)]
        assert [event.event_type.value for event in made_up] == ["agent_started", "agent_thinking"]
        assert (made_up[0].data, made_up[0].user_id, made_up[0].thread_id) == (
            {"agent": "triage", "status": "starting"},
            "mock_user",
            "mock_thread",
        )
        assert (await client.wait_for_message("tool_completed", timeout=5)).data["tool"] == "search"
        await client.send_message("ping")
        assert json.loads(client._mock_websocket.sent_messages[0])["type"] == "ping"
        await client.disconnect()

    asyncio.run(scenario())


@pytest.mark.parametrize(("expected", "missing"), [(["error"], ["error"]), (["agent_started", "error", "own"], ["error", "own"])])
def test_a_mock_client_waits_no_longer_than_it_was_told(expected: list[str], missing: list[str]) -> None:
    async def run() -> None:
        client = WebSocketTestClient()
        await client.connect(mock_mode=True)
        with pytest.raises(asyncio.TimeoutError) as late:
            await asyncio.wait_for(client.wait_for_events(expected, timeout=0.05), 5)
        assert str(late.value) == f"Missing expected events: {missing}"
        assert len(client.received_messages) < 30

    asyncio.run(run())


def test_a_mock_client_comes_back_as_one() -> None:
    async def run() -> None:
        client = WebSocketTestClient()
        await client.connect(mock_mode=True)
        assert (await WebSocketTestUtility().test_connection_resilience(client, 2))["success_rate"] == 1.0
        assert (await client.wait_for_message()).user_id == "mock_user"

    asyncio.run(run())


def test_a_mock_socket_ends_for_whoever_waits() -> None:
    async def scenario() -> None:
        socket = MockWebSocketConnection("user_1")
        socket.feed('{"a": 1}')
        assert await socket.receive_json() == {"a": 1}
        waiting = asyncio.ensure_future(socket.recv())
        await asyncio.sleep(0)
        await socket.close(1001, "bye")
        with pytest.raises(ConnectionError):
            await waiting
        await socket.send("late")
        assert socket._sent_messages == ["late"]
        assert (socket.closed, socket.close_code, socket.close_reason) == (True, 1001, "bye")

    asyncio.run(scenario())


def test_a_mock_socket_acknowledges_what_it_is_sent() -> None:
    async def scenario() -> None:
        socket = MockWebSocketConnection("user_1")
        await WebSocketTestHelpers.send_test_message(socket, {"type": "chat"})
        await WebSocketTestHelpers.send_raw_test_message(socket, raw_message="no json")
        first, second = [await WebSocketTestHelpers.receive_test_message(socket) for _ in range(2)]
        assert first.pop("timestamp") > 0 and second["original_type"] == "unknown"
        assert first == {
            "type": "ack",
            "original_type": "chat",
            "message": "Message processed successfully",
            "sequence_num": 1,
            "user_id": "user_1",
            "connection_id": socket.connection_id,
        }
        assert socket._sent_messages == ['{"type": "chat"}', "no json"] and socket.connection_id.startswith("ws_conn_user_1_")
        assert MockWebSocketConnection().user_id.startswith("mock_user_")

    asyncio.run(scenario())


def test_helpers_over_a_real_socket() -> None:
    async def scenario() -> None:
        async with server() as url:
            assert await ensure_websocket_service_ready(url, max_wait=5)
            socket = await WebSocketTestHelpers.create_test_websocket_connection(url)
            await WebSocketTestHelpers.send_test_message(socket, {"type": "chat", "user_id": "user_1"})
            events = await wait_for_agent_completion(socket, timeout=5)
            assert_websocket_events(events)
            with pytest.raises(AssertionError, match=r"^Events not received in 0.05s: \['ping'\]$"):
                await WebSocketTestHelpers.wait_for_events(socket, ["ping"], timeout=0.05)
            await WebSocketTestHelpers.close_test_connection(socket)
            pool = await create_test_connection_pool(url, 2)
            pool += await establish_minimum_websocket_connections(url, 2)
            assert len(pool) == 4
            await asyncio.gather(*(each.close() for each in pool))

    asyncio.run(scenario())


def test_assertions_name_what_is_missing() -> None:
    with pytest.raises(
        AssertionError, match=r"^Missing expected WebSocket event type: tool_completed. Actual events: \['agent_started'\]$"
    ):
        assert_websocket_events([{"type": "agent_started"}], ["agent_started", "tool_completed"])
    socket = MockWebSocketConnection()
    asyncio.run(socket.send('{"type": "agent_started"}'))
    assert_websocket_events_sent(socket, [WebSocketEventType.AGENT_STARTED])
    assert_websocket_response_time(0.5)
    with pytest.raises(AssertionError, match=r"^WebSocket response took 2.000s, more than 1.0s$"):
        assert_websocket_response_time(2)
    assert validate_websocket_message('{"type": "a"}') and not validate_websocket_message("[]")
    assert not validate_websocket_message("{", ["type"]) and validate_websocket_message({"a": 1}, ["a"])


def test_the_monitor_keeps_durations_by_name() -> None:
    monitor = WebSocketPerformanceMonitor()
    key = monitor.start_timer("send")
    assert monitor.stop_timer(key) >= 0
    monitor.record("read", 3.0)
    monitor.record("read", 1.0)
    assert monitor.get_statistics("read") == {"count": 2, "average": 2.0, "min": 1.0, "max": 3.0, "p95": 3.0}
    assert monitor.get_summary()["send"]["count"] == 1
    with pytest.raises(AssertionError, match=r"^read takes 2.000s, more than 1s$"):
        monitor.assert_performance_threshold("read", 1)


def test_messages_go_there_and_back() -> None:
    message = WebSocketMessage(WebSocketEventType.AGENT_STARTED, {"a": 1}, user_id="user_1", thread_id="t")
    assert WebSocketMessage.from_dict(message.to_dict()) == message and message.timestamp.tzinfo is None
    assert WebSocketMessage.from_dict({"type": "x", "timestamp": "2025-01-01T00:00:00+00:00"}).timestamp.tzinfo is None
    assert WebSocketMessage.from_dict({"event_type": "other", "x": 1, "timestamp": 5}).data == {"x": 1}
    metrics = WebSocketTestMetrics()
    for latency in (1.0, 3.0):
        metrics.record_message_latency(latency)
    metrics.add_error("e")
    metrics.add_warning("w")
    assert (metrics.avg_message_latency, metrics.max_message_latency) == (2.0, 3.0)
    assert (metrics.to_dict()["errors"], metrics.to_dict()["warnings"]) == (["e"], ["w"])


def test_the_utility_closes_what_it_made() -> None:
    async def scenario() -> None:
        async with server() as url:
            async with WebSocketTestUtility(url) as utility:
                async with utility.connected_client("user_1") as client:
                    run = await utility.simulate_agent_execution(client)
                    assert run["events_sent"] == list(CRITICAL_EVENTS)
                    flow = await utility.test_agent_event_flow(
                        client, [WebSocketEventType(name) for name in CRITICAL_EVENTS], timeout=5
                    )
                    assert len(flow) == 5
                    resilience = await utility.test_connection_resilience(client, 2)
                    assert resilience["success_rate"] == 1.0
                report = await utility.run_performance_test(client_count=2, message_count=3)
                assert (report["total_messages_sent"], report["errors"]) == (6, 0)
                status = utility.get_connection_status()
                assert sorted(status) == ["base_url", "connected_clients", "metrics", "test_id", "total_clients"]
                assert (status["connected_clients"], status["metrics"]["connection_errors"]) == (2, 0)
                assert status["test_id"].startswith("wstest_")
                named = await utility.create_test_client("user_9", {"X-Own": "1"})
                assert named.headers == {
                    "X-User-ID": "user_9",
                    "Authorization": "Bearer test_token_user_9",
                    "X-Own": "1",
                }
                assert named.test_id.startswith("client_4_") and utility.active_clients[named.test_id] is named
            assert utility.active_clients == {}

    asyncio.run(scenario())


def test_isolation_violations_are_noticed() -> None:
    async def scenario() -> None:
        async with server() as url, RealWebSocketConnectionManager(url) as manager:
            await manager.create_multiple_connections(2)
            result = await manager.test_user_isolation()
            assert result.passed and result.events_exchanged == 10
        async with server(shout=True) as url, RealWebSocketConnectionManager(url) as manager:
            first, second = await manager.create_multiple_connections(2)
            assert first.state is WebSocketConnectionState.AUTHENTICATED
            result = await manager.test_user_isolation()
            assert not result.passed
            with pytest.raises(SecurityError, match=f"^Client of {first.user_id} got events of {second.user_id}$"):
                first.assert_event_isolation()

    asyncio.run(scenario())


def test_a_real_client_waits_for_the_run() -> None:
    async def scenario() -> None:
        async with server() as url, create_authenticated_websocket_client("user_1", url) as client:
            await client.send_event("chat")
            await client.wait_for_agent_events(timeout=5)
            client.assert_events_received(CRITICAL_EVENTS)
            client.assert_event_isolation()
            assert client.get_connection_metrics().events_received == 5
        assert RealWebSocketTestClient(backend_url="http://localhost:8000").url == "ws://localhost:8000/ws"

    asyncio.run(scenario())


def test_every_sign_in_scenario() -> None:
    async def scenario() -> None:
        async with server(process_request=only_signed_in) as url:
            tester = WebSocketAuthenticationTester(url)
            results = await tester.run_all_scenarios()
            assert {each["scenario"]: each["accepted"] for each in results} == {
                scenario.value: scenario is AuthenticationScenario.VALID_TOKEN for scenario in AuthenticationScenario
            }
            tester.assert_secure()
            pool = WebSocketConnectionPool(url, max_connections=1)
            client = await pool.get_connection("user_1")
            assert await pool.get_connection("user_1") is client
            with pytest.raises(RuntimeError, match=r"^The pool holds 1 connections"):
                await pool.get_connection("user_2")
            await pool.close_all()
        async with server() as url:
            tester = WebSocketAuthenticationTester(url)
            await tester.run_scenario(AuthenticationScenario.EXPIRED_TOKEN)
            with pytest.raises(SecurityError, match=r"^The server accepts: expired_token$"):
                tester.assert_secure()

    asyncio.run(scenario())


def test_tokens_are_cached_until_they_expire() -> None:
    cache = JWTTokenCache()
    assert cache.get_token("user_1") == cache.get_token("user_1")
    cache._tokens["user_1"] = CachedToken("old", 0)
    assert cache.get_token("user_1") != "old"
    assert cache.get_stats() == {"size": 1, "hits": 1, "misses": 2}
    headers = WebSocketAuthHelper().get_websocket_headers(user_id="user_1")
    assert headers["X-User-ID"] == "user_1" and headers["Authorization"].startswith("Bearer ey")
    assert WebSocketAuthHelper().get_subprotocols("abc") == ["jwt-auth", "jwt.YWJj"]


def test_a_run_on_a_server_is_judged() -> None:
    async def scenario() -> None:
        async with server() as url:
            result = await WebSocketGoldenPathHelper(GoldenPathTestConfig(url, event_timeout=5)).test_golden_path()
            assert result.success and result.business_value_score == 100.0 and result.first_event_time is not None
            await assert_golden_path_success(result)
            poor = GoldenPathTestConfig(url, event_timeout=0.05, request_type="ping")
            result = await WebSocketGoldenPathHelper(poor).test_golden_path()
            assert not result.success and result.missing_events == list(CRITICAL_EVENTS)
            with pytest.raises(AssertionError, match=r"^The run failed; missing events: agent_started, "):
                await assert_golden_path_success(result)

    asyncio.run(scenario())


def test_a_bridge_tells_the_events_of_a_run() -> None:
    async def scenario() -> None:
        factory = WebSocketTestInfrastructureFactory()
        made = await factory.create_test_infrastructure()
        helper = made.bridge_helper
        assert isinstance(helper, WebSocketBridgeTestHelper)
        context = helper.create_agent_context("user_1")
        told = await helper.simulate_agent_events(context)
        assert [event["type"] for event in helper.connections["user_1"].sent_messages] == list(CRITICAL_EVENTS)
        with pytest.raises(AssertionError, match=r"^5 events are of another user than user_2"):
            helper.validate_events(told, helper.create_agent_context("user_2"))
        await factory.cleanup_all()
        assert helper.connections == {}

    asyncio.run(scenario())


def test_a_manager_for_tests_comes_from_the_factory() -> None:
    async def scenario() -> None:
        manager = await create_test_websocket_manager()
        other = await create_test_websocket_manager()
        assert manager is not other
        await asyncio.gather(manager.close(), other.close())

    asyncio.run(scenario())
