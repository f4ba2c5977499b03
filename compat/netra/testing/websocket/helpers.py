"""Connecting, sending, receiving and asserting, for tests that hold the socket themselves.

PYTEST_DONT_REWRITE: what an assertion here says is part of its behaviour.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Optional, Union

from .client import DEFAULT_URL, MockWebSocketConnection, WebSocketTestClient, _dial
from .messages import CRITICAL_EVENTS, event_name

__all__ = [
    "MockWebSocket",
    "MockWebSocketConnection",
    "WebSocketClientAbstraction",
    "WebSocketMonitor",
    "WebSocketPerformanceMonitor",
    "WebSocketTestClient",
    "WebSocketTestHelpers",
    "assert_websocket_events",
    "assert_websocket_events_sent",
    "assert_websocket_response_time",
    "create_mock_websocket",
    "create_test_connection_pool",
    "create_test_websocket_connection",
    "ensure_websocket_service_ready",
    "establish_minimum_websocket_connections",
    "is_docker_available_for_websocket",
    "validate_websocket_message",
    "wait_for_agent_completion",
]

MockWebSocket = MockWebSocketConnection
WebSocketClientAbstraction = WebSocketTestClient


def create_mock_websocket(user_id: Optional[str] = None, **options: Any) -> MockWebSocketConnection:
    """A socket in memory."""
    return MockWebSocketConnection(user_id, **options)


def _names(events: Any) -> list[str]:
    """The names of events: of a list, or of what a client, a mock connection or a mock has sent."""
    if hasattr(events, "sent_messages"):
        events = events.sent_messages
    elif hasattr(events, "call_args_list"):
        events = [call.args[0] if call.args else call.kwargs for call in events.call_args_list]
    read = [json.loads(event) if isinstance(event, (str, bytes)) and event[:1] in ("{", b"{") else event for event in events]
    return [event_name(event) for event in read]


def assert_websocket_events(events: Any, expected_events: Optional[Iterable[Any]] = None) -> None:
    """Fail at the first expected event (the five critical ones) that is not among the events."""
    got = _names(events)
    left = Counter(got)
    for wanted in map(event_name, CRITICAL_EVENTS if expected_events is None else expected_events):
        assert left[wanted] > 0, f"Missing expected WebSocket event type: {wanted}. Actual events: {got}"
        left[wanted] -= 1


def assert_websocket_events_sent(sent: Any, expected_events: Optional[Iterable[Any]] = None) -> None:
    """As :func:`assert_websocket_events`, of what a client, a mock connection or a mock method has sent."""
    assert_websocket_events(sent, expected_events)


def validate_websocket_message(message: Any, required_fields: Optional[Iterable[str]] = None) -> bool:
    """Whether a message is a dictionary, or JSON text of one, with those fields (``type``)."""
    if isinstance(message, (str, bytes)):
        try:
            message = json.loads(message)
        except ValueError:
            return False
    return isinstance(message, Mapping) and all(name in message for name in (required_fields or ("type",)))


def assert_websocket_response_time(response_time: float, max_time: float = 1.0) -> None:
    """Fail if a response took more seconds than that."""
    assert response_time <= max_time, f"WebSocket response took {response_time:.3f}s, more than {max_time}s"


class WebSocketTestHelpers:
    """Sockets of the websockets library (or mock ones): made, used, closed."""

    @staticmethod
    async def create_test_websocket_connection(
        url: str = DEFAULT_URL,
        headers: Optional[Mapping[str, str]] = None,
        timeout: float = 10.0,
        max_retries: int = 3,
        user_id: Optional[str] = None,
        subprotocols: Optional[list[str]] = None,
    ) -> Any:
        """Connect, trying again at most so many times. ConnectionError when that is in vain."""
        last: Optional[Exception] = None
        for attempt in range(max(max_retries, 1)):
            try:
                return await asyncio.wait_for(_dial(url, headers or {}, subprotocols), timeout)
            except ImportError:
                raise
            except Exception as error:
                last = error
                await asyncio.sleep(min(0.05 * 2**attempt, 1.0))
        raise ConnectionError(f"Cannot connect to {url} after {max_retries} attempts: {last}")

    @staticmethod
    async def send_test_message(websocket: Any, message: Union[str, Mapping[str, Any]], timeout: float = 5.0) -> None:
        """Send a message, a dictionary as JSON, within so many seconds."""
        text = message if isinstance(message, str) else json.dumps(message, default=str)
        await asyncio.wait_for(websocket.send(text), timeout)

    @staticmethod
    async def send_raw_test_message(websocket: Any, raw_message: Union[str, bytes], timeout: float = 5.0) -> None:
        """Send a frame as it is."""
        await asyncio.wait_for(websocket.send(raw_message), timeout)

    @staticmethod
    async def receive_test_message(websocket: Any, timeout: float = 5.0) -> Any:
        """The next message, JSON as data. asyncio.TimeoutError after so many seconds."""
        text = await asyncio.wait_for(websocket.recv(), timeout)
        try:
            return json.loads(text) if isinstance(text, (str, bytes)) else text
        except ValueError:
            return text

    @staticmethod
    async def close_test_connection(websocket: Any) -> None:
        """Close; None is nothing to close."""
        if websocket is not None:
            await websocket.close()

    @staticmethod
    def create_mock_websocket(user_id: Optional[str] = None, **options: Any) -> MockWebSocketConnection:
        """A socket in memory."""
        return MockWebSocketConnection(user_id, **options)

    @staticmethod
    async def wait_for_events(websocket: Any, expected_events: Iterable[Any], timeout: float = 30.0) -> list[Any]:
        """Receive until every expected event has come, and return all that came.

        AssertionError, naming what has not come, after so many seconds.
        """
        missing = Counter(event_name(event) for event in expected_events)
        received: list[Any] = []
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while +missing:
            try:
                remaining = max(deadline - loop.time(), 0.001)
                message = await WebSocketTestHelpers.receive_test_message(websocket, remaining)
            except asyncio.TimeoutError:
                raise AssertionError(f"Events not received in {timeout}s: {sorted(+missing)}") from None
            received.append(message)
            missing[event_name(message)] -= 1
        return received

    validate_message_structure = staticmethod(validate_websocket_message)
    assert_events = staticmethod(assert_websocket_events)


create_test_websocket_connection = WebSocketTestHelpers.create_test_websocket_connection


async def wait_for_agent_completion(websocket: Any, timeout: float = 30.0) -> list[Any]:
    """Receive until ``agent_completed`` has come, and return all that came. AssertionError after so many seconds."""
    return await WebSocketTestHelpers.wait_for_events(websocket, ["agent_completed"], timeout)


async def ensure_websocket_service_ready(base_url: str = DEFAULT_URL, max_wait: float = 30.0, **_ignored: Any) -> bool:
    """Whether a server accepts connections within so many seconds."""
    url = base_url.replace("http", "ws", 1) if base_url.startswith("http") else base_url
    loop = asyncio.get_running_loop()
    deadline = loop.time() + max_wait
    while True:
        try:
            socket = await WebSocketTestHelpers.create_test_websocket_connection(url, timeout=5.0, max_retries=1)
        except ConnectionError:
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(0.1)
        else:
            await socket.close()
            return True


async def create_test_connection_pool(
    url: str = DEFAULT_URL, count: int = 5, headers: Optional[Mapping[str, str]] = None, timeout: float = 10.0
) -> list[Any]:
    """So many connections; when one fails all are closed, and ConnectionError."""
    made: list[Any] = []
    try:
        for _ in range(count):
            made.append(await create_test_websocket_connection(url, headers, timeout))
    except BaseException:
        await asyncio.gather(*(socket.close() for socket in made))
        raise
    return made


async def establish_minimum_websocket_connections(
    url: str = DEFAULT_URL, min_connections: int = 1, max_attempts: int = 10, headers: Optional[Mapping[str, str]] = None
) -> list[Any]:
    """At least so many connections out of so many attempts; ConnectionError otherwise, with none left open."""
    made: list[Any] = []
    for _ in range(max_attempts):
        if len(made) >= min_connections:
            break
        try:
            made.append(await create_test_websocket_connection(url, headers, max_retries=1))
        except ConnectionError:
            continue
    if len(made) < min_connections:
        await asyncio.gather(*(socket.close() for socket in made))
        raise ConnectionError(f"Only {len(made)} of {min_connections} connections to {url} in {max_attempts} attempts")
    return made


def is_docker_available_for_websocket() -> bool:
    """Whether a Docker engine answers, for tests whose server runs in a container."""
    from ...components.docker.docker_manager import UnifiedDockerManager

    return UnifiedDockerManager().is_docker_available()


class WebSocketPerformanceMonitor:
    """Times what a test does, in seconds."""

    def __init__(self) -> None:
        self.metrics: dict[str, list[float]] = {}
        self._running: dict[str, float] = {}

    def start_timer(self, name: str = "operation") -> str:
        """Begin to time; the returned key ends it."""
        key = f"{name}#{uuid.uuid4().hex[:8]}"
        self._running[key] = time.perf_counter()
        return key

    def stop_timer(self, key: str) -> float:
        """Seconds since its start; a name ends the last timer of that name. KeyError if there is none."""
        if key not in self._running:
            key = next((each for each in reversed(self._running) if each.partition("#")[0] == key), key)
        elapsed = time.perf_counter() - self._running.pop(key)
        self.record(key.partition("#")[0], elapsed)
        return elapsed

    start_monitoring = start_timer
    stop_monitoring = stop_timer

    def record(self, name: str, seconds: float) -> None:
        """Add a duration."""
        self.metrics.setdefault(name, []).append(seconds)

    def get_statistics(self, name: str = "operation") -> dict[str, float]:
        """Count, mean, extremes and 95th percentile of the durations of a name."""
        times = sorted(self.metrics.get(name, ()))
        if not times:
            return {"count": 0, "average": 0.0, "min": 0.0, "max": 0.0, "p95": 0.0}
        return {
            "count": len(times),
            "average": sum(times) / len(times),
            "min": times[0],
            "max": times[-1],
            "p95": times[min(int(len(times) * 0.95), len(times) - 1)],
        }

    def get_summary(self) -> dict[str, dict[str, float]]:
        """The figures of every name."""
        return {name: self.get_statistics(name) for name in self.metrics}

    def assert_performance_threshold(self, name: str, max_seconds: float) -> None:
        """Fail if the mean duration of a name is longer."""
        average = self.get_statistics(name)["average"]
        assert average <= max_seconds, f"{name} takes {average:.3f}s, more than {max_seconds}s"


WebSocketMonitor = WebSocketPerformanceMonitor
