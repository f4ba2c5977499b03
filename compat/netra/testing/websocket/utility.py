"""Many test clients at once: made, connected, watched and closed together.

PYTEST_DONT_REWRITE: what an assertion here says is part of its behaviour.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Optional

from ...components.environment import get_env
from ..users import create_test_jwt_token
from .client import DEFAULT_URL, MockWebSocketConnection, WebSocketTestClient
from .messages import (
    CRITICAL_EVENTS,
    CommunicationMetricsCollector,
    WebSocketEventType,
    WebSocketMessage,
    WebSocketTestMetrics,
    event_name,
)

__all__ = [
    "CommunicationMetricsCollector",
    "MockWebSocketConnection",
    "WebSocketEventType",
    "WebSocketMessage",
    "WebSocketTestClient",
    "WebSocketTestMetrics",
    "WebSocketTestUtility",
    "cleanup_global_websocket_utility",
    "create_authenticated_websocket_connection",
    "create_test_websocket_manager",
    "get_websocket_test_utility",
    "validate_event_structure",
]

_EVENTS = [WebSocketEventType(name) for name in CRITICAL_EVENTS]


class WebSocketTestUtility:
    """Makes clients of one server and closes them all; ``async with`` does both.

    ``WEBSOCKET_TEST_URL`` names the server where ``base_url`` does not; with ``WEBSOCKET_MOCK_MODE`` set to true
    clients are mock ones.
    """

    __test__ = False

    def __init__(self, base_url: Optional[str] = None, env: Optional[Any] = None) -> None:
        self.env = env or get_env()
        self.base_url = base_url or self.env.get("WEBSOCKET_TEST_URL") or DEFAULT_URL
        self.test_id = f"wstest_{uuid.uuid4().hex[:8]}"
        self.metrics = WebSocketTestMetrics()
        self.active_clients: dict[str, WebSocketTestClient] = {}
        self.client_counter = 0
        self.default_timeout = 30.0
        self.connection_retry_count = 3
        self.enable_performance_monitoring = True
        self.expected_event_patterns: dict[str, list[WebSocketEventType]] = {"agent_execution": _EVENTS}
        self.global_event_handlers: dict[str, list[Callable[[WebSocketMessage], Any]]] = {}
        self._mock_mode = str(self.env.get("WEBSOCKET_MOCK_MODE") or "").lower() == "true"

    async def __aenter__(self) -> WebSocketTestUtility:
        await self.initialize()
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self.cleanup()

    async def initialize(self) -> None:
        """Begin anew with the figures."""
        self.metrics = WebSocketTestMetrics()

    async def create_test_client(
        self, user_id: Optional[str] = None, headers: Optional[Mapping[str, str]] = None
    ) -> WebSocketTestClient:
        """A client, not connected yet; it names its user in its headers unless these say otherwise."""
        self.client_counter += 1
        test_id = f"client_{self.client_counter}_{uuid.uuid4().hex[:6]}"
        named = {"X-User-ID": user_id, "Authorization": f"Bearer test_token_{user_id}"} if user_id else {}
        client = WebSocketTestClient(self.base_url, test_id, {**named, **(headers or {})}, user_id=user_id)
        for name, handlers in self.global_event_handlers.items():
            for handler in handlers:
                client.add_event_handler(name, handler)
        self.active_clients[test_id] = client
        return client

    async def create_authenticated_client(self, user_id: str, token: Optional[str] = None) -> WebSocketTestClient:
        """A client with a token of the user, signed here where none is given."""
        token = token or create_test_jwt_token(user_id)
        return await self.create_test_client(user_id, {"Authorization": f"Bearer {token}", "X-User-ID": user_id})

    async def create_multi_user_clients(self, user_count: int) -> list[WebSocketTestClient]:
        """So many clients, each of a user of its own."""
        return [await self.create_authenticated_client(f"user_{number}") for number in range(1, user_count + 1)]

    @asynccontextmanager
    async def connected_client(self, user_id: Optional[str] = None) -> AsyncGenerator[WebSocketTestClient, None]:
        """A connected client for the body. ConnectionError if it cannot connect."""
        client = await self.create_test_client(user_id)
        await self._connect(client)
        try:
            yield client
        finally:
            await client.disconnect()
            self.active_clients.pop(client.test_id, None)

    async def test_agent_event_flow(
        self, client: WebSocketTestClient, expected_events: list[WebSocketEventType], timeout: float = 30.0
    ) -> dict[Any, list[WebSocketMessage]]:
        """Wait for events and fail if their first comings are not in the expected order."""
        found = await client.wait_for_events(expected_events, timeout)
        wanted = {event_name(event) for event in expected_events}
        order = list(dict.fromkeys(event_name(m) for m in client.received_messages if event_name(m) in wanted))
        expected = list(dict.fromkeys(event_name(event) for event in expected_events))
        assert order == expected, f"Events out of order: {', '.join(order)}, expected {', '.join(expected)}"
        return found

    async def simulate_agent_execution(self, client: WebSocketTestClient, user_request: str = "Test request") -> dict[str, Any]:
        """Send the five events of a run, as an agent would, and return what was sent, with the time it took."""
        start = time.perf_counter()
        thread_id = f"thread_{uuid.uuid4().hex[:8]}"
        sent = [
            await client.send_message(kind, {"request": user_request, "agent_name": "test_agent"}, client.user_id, thread_id)
            for kind in _EVENTS
        ]
        return {
            "success": True,
            "thread_id": thread_id,
            "events_sent": [event_name(message) for message in sent],
            "duration": time.perf_counter() - start,
        }

    async def run_performance_test(
        self, client_count: int = 5, message_count: int = 10, test_duration: float = 60.0
    ) -> dict[str, Any]:
        """Have so many clients send so many messages each, for at most so many seconds."""
        clients = await self.create_multi_user_clients(client_count)
        for client in clients:
            await self._connect(client)
        start = time.perf_counter()

        async def send(client: WebSocketTestClient) -> None:
            for number in range(message_count):
                await client.send_message(WebSocketEventType.PING, {"number": number})

        await asyncio.wait_for(asyncio.gather(*map(send, clients)), test_duration)
        elapsed = time.perf_counter() - start
        total = sum(client.metrics.messages_sent for client in clients)
        return {
            "client_count": client_count,
            "total_messages_sent": total,
            "total_messages_received": sum(client.metrics.messages_received for client in clients),
            "duration": elapsed,
            "messages_per_second": total / max(elapsed, 1e-9),
            "errors": sum(client.metrics.message_errors for client in clients),
        }

    async def test_connection_resilience(self, client: WebSocketTestClient, disconnect_count: int = 3) -> dict[str, Any]:
        """Disconnect and connect a client so many times."""
        successful = 0
        for _ in range(disconnect_count):
            await client.disconnect()
            successful += await client.connect(self.default_timeout, self._mock_mode or client._mock_mode)
        return {
            "total_disconnects": disconnect_count,
            "successful_reconnects": successful,
            "success_rate": successful / disconnect_count if disconnect_count else 1.0,
        }

    async def disconnect_all_clients(self) -> None:
        """Close every client."""
        await asyncio.gather(*(client.disconnect() for client in self.active_clients.values()))

    async def cleanup(self) -> None:
        """Close and forget every client."""
        await self.disconnect_all_clients()
        self.active_clients.clear()

    def get_connection_status(self) -> dict[str, Any]:
        """How many clients there are and are connected, and what was counted."""
        connected = [client.test_id for client in self.active_clients.values() if client.is_connected]
        return {
            "test_id": self.test_id,
            "base_url": self.base_url,
            "total_clients": len(self.active_clients),
            "connected_clients": len(connected),
            "metrics": self.metrics.to_dict(),
        }

    async def _connect(self, client: WebSocketTestClient) -> None:
        for _ in range(self.connection_retry_count):
            if await client.connect(self.default_timeout, self._mock_mode):
                return
        self.metrics.record_connection_error()
        raise ConnectionError(f"Client {client.test_id} cannot connect to {client.url}: {client.last_error}")


_global_utility: Optional[WebSocketTestUtility] = None


async def get_websocket_test_utility(base_url: Optional[str] = None) -> WebSocketTestUtility:
    """The process's utility, made at first use."""
    global _global_utility
    if _global_utility is None:
        _global_utility = WebSocketTestUtility(base_url)
        await _global_utility.initialize()
    return _global_utility


async def cleanup_global_websocket_utility() -> None:
    """Close and forget the process's utility."""
    global _global_utility
    if _global_utility is not None:
        await _global_utility.cleanup()
        _global_utility = None


async def create_authenticated_websocket_connection(
    user_id: Optional[str] = None, url: str = DEFAULT_URL, token: Optional[str] = None
) -> WebSocketTestClient:
    """A connected client with a token of the user. ConnectionError if it cannot connect."""
    owner = user_id or f"user_{uuid.uuid4().hex[:8]}"
    client = WebSocketTestClient(url, owner, token=token or create_test_jwt_token(owner))
    if not await client.connect():
        raise ConnectionError(f"Client {client.test_id} cannot connect to {url}: {client.last_error}")
    return client


async def create_test_websocket_manager() -> Any:
    """A manager of a user of its own, made by the factory."""
    from ...adapters.manager_factory import create_websocket_manager_sync
    from ...components.context import UserExecutionContext

    unique = uuid.uuid4().hex[:8]
    context = UserExecutionContext(user_id=str(uuid.uuid4()), thread_id=f"thread_test_1_{unique}", run_id=f"run_test_1_{unique}")
    return create_websocket_manager_sync(context)


def validate_event_structure(event: Mapping[str, Any], event_type: Optional[str] = None) -> bool:
    """Whether an event has a type (that one), a timestamp and data."""
    name = event_name(event)
    return bool(name) and (event_type is None or name == event_type) and "timestamp" in event
