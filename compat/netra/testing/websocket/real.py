"""Clients for tests of a real server: whose events they get, and that nobody gets those of another.

PYTEST_DONT_REWRITE: what an assertion here says is part of its behaviour.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Optional

from ...components.docker.container_types import DockerUnavailable
from ..users import create_test_jwt_token
from .client import DEFAULT_URL, WebSocketTestClient
from .messages import CRITICAL_EVENTS, WebSocketMessage, event_name

DockerUnavailableError = DockerUnavailable


class SecurityError(Exception):
    """A client has got what is another user's."""


class WebSocketConnectionState(Enum):
    """Where a client stands."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    AUTHENTICATED = "authenticated"
    DISCONNECTING = "disconnecting"
    ERROR = "error"


@dataclass
class WebSocketEvent:
    """One received event; ``timestamp`` in Unix seconds."""

    event_type: str
    data: dict[str, Any] = field(default_factory=dict)
    timestamp: float = field(default_factory=time.time)
    user_id: Optional[str] = None
    thread_id: Optional[str] = None
    connection_id: Optional[str] = None

    @classmethod
    def of(cls, message: WebSocketMessage, connection_id: Optional[str] = None) -> WebSocketEvent:
        """The event that a message tells."""
        owner = message.user_id or message.data.get("user_id")
        return cls(event_name(message), message.data, message.timestamp.timestamp(), owner, message.thread_id, connection_id)


@dataclass
class ConnectionMetrics:
    """Counts of one client; times in seconds."""

    connection_time: float = 0.0
    events_sent: int = 0
    events_received: int = 0
    errors: int = 0
    isolation_violations: int = 0


class RealWebSocketTestClient(WebSocketTestClient):
    """A client of one user that notices events of others."""

    def __init__(
        self,
        url: str = DEFAULT_URL,
        user_id: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
        *,
        backend_url: Optional[str] = None,
        token: Optional[str] = None,
        **_ignored: Any,
    ) -> None:
        address = backend_url or url
        if address.startswith("http"):
            address = "ws" + address[4:].rstrip("/") + ("" if address.rstrip("/").endswith("/ws") else "/ws")
        owner = user_id or f"user_{uuid.uuid4().hex[:8]}"
        super().__init__(address, f"client_{uuid.uuid4().hex[:8]}", headers, user_id=owner, token=token)
        self.connection_id = self.test_id
        self.isolation_violations: list[WebSocketEvent] = []
        self.expected_user_id: Optional[str] = owner

    @property
    def state(self) -> WebSocketConnectionState:
        """Where the client stands."""
        if self.is_connected:
            authenticated = "Authorization" in self.headers
            return WebSocketConnectionState.AUTHENTICATED if authenticated else WebSocketConnectionState.CONNECTED
        return WebSocketConnectionState.ERROR if self.last_error else WebSocketConnectionState.DISCONNECTED

    @property
    def events_received(self) -> list[WebSocketEvent]:
        """Every received event."""
        return [WebSocketEvent.of(message, self.connection_id) for message in self.received_messages]

    async def authenticate_with_user(self, user_id: Optional[str] = None, token: Optional[str] = None) -> str:
        """Take a token of the user, signed here where none is given, for the next :meth:`connect`."""
        self.user_id = self.expected_user_id = user_id or self.user_id
        token = token or create_test_jwt_token(str(self.user_id))
        self.headers["Authorization"] = f"Bearer {token}"
        return token

    async def send_event(self, event_type: str, data: Optional[dict[str, Any]] = None) -> WebSocketMessage:
        """Send an event of the client's user."""
        return await self.send_message(event_type, data or {}, user_id=self.user_id)

    async def wait_for_agent_events(
        self, expected: Optional[Iterable[str]] = None, timeout: float = 30.0
    ) -> list[WebSocketEvent]:
        """Wait for events (the five critical ones) and return all that came. TimeoutError names what has not."""
        await self.wait_for_events(list(CRITICAL_EVENTS if expected is None else expected), timeout)
        return self.events_received

    def assert_event_isolation(self) -> None:
        """SecurityError if an event of another user has come."""
        if self.isolation_violations:
            owners = sorted({str(event.user_id) for event in self.isolation_violations})
            raise SecurityError(f"Client of {self.expected_user_id} got events of {', '.join(owners)}")

    def assert_events_received(self, expected: Iterable[str]) -> None:
        """Fail unless each event has come."""
        got = {event.event_type for event in self.events_received}
        missing = [name for name in expected if name not in got]
        assert not missing, f"Events not received: {', '.join(missing)}"

    def get_connection_metrics(self) -> ConnectionMetrics:
        """The client's counts."""
        return ConnectionMetrics(
            self.metrics.connection_time,
            self.metrics.messages_sent,
            self.metrics.messages_received,
            self.metrics.connection_errors + self.metrics.message_errors,
            len(self.isolation_violations),
        )

    async def _take(self, frame: Any) -> None:
        await super()._take(frame)
        event = WebSocketEvent.of(self.received_messages[-1], self.connection_id)
        if event.user_id is not None and str(event.user_id) != str(self.expected_user_id):
            self.isolation_violations.append(event)


UnifiedWebSocketTestClient = RealWebSocketTestClient


@asynccontextmanager
async def create_authenticated_websocket_client(
    user_id: Optional[str] = None, backend_url: str = DEFAULT_URL, token: Optional[str] = None
) -> AsyncGenerator[RealWebSocketTestClient, None]:
    """A connected client with a token of the user, for the body. ConnectionError if it cannot connect."""
    client = RealWebSocketTestClient(backend_url, user_id)
    await client.authenticate_with_user(token=token)
    if not await client.connect():
        raise ConnectionError(f"Client {client.test_id} cannot connect to {client.url}: {client.last_error}")
    try:
        yield client
    finally:
        await client.disconnect()


async def test_websocket_events_isolation(
    clients: Iterable[RealWebSocketTestClient], events: Iterable[str] = CRITICAL_EVENTS, settle: float = 0.1
) -> dict[str, Any]:
    """Have every client send events and wait; SecurityError if one has got those of another."""
    connected = list(clients)
    for client in connected:
        for name in events:
            await client.send_event(name)
    await asyncio.sleep(settle)
    for client in connected:
        client.assert_event_isolation()
    return {"clients": len(connected), "violations": 0, "isolated": True}


test_websocket_events_isolation.__test__ = False  # type: ignore[attr-defined]


class IsolationTestType(Enum):
    """What is tried, to see whether users stay apart."""

    EVENT_DELIVERY = "event_delivery"
    USER_CONTEXT = "user_context"
    CONCURRENT_USERS = "concurrent_users"
    CONNECTION_STATE = "connection_state"
    MESSAGE_ROUTING = "message_routing"


@dataclass
class IsolationTestResult:
    """What was seen; the duration in seconds."""

    test_type: IsolationTestType
    success: bool
    users_tested: int = 0
    events_exchanged: int = 0
    isolation_violations: list[str] = field(default_factory=list)
    duration: float = 0.0
    error_message: Optional[str] = None

    @property
    def passed(self) -> bool:
        """Whether users stayed apart."""
        return self.success and not self.isolation_violations


class RealWebSocketConnectionManager:
    """Holds clients of several users and tries whether they stay apart."""

    def __init__(self, backend_url: str = DEFAULT_URL, **_ignored: Any) -> None:
        self.backend_url = backend_url
        self.connections: dict[str, RealWebSocketTestClient] = {}

    async def create_authenticated_connection(
        self, user_id: Optional[str] = None, connect: bool = True
    ) -> RealWebSocketTestClient:
        """A client of the user, connected unless told otherwise. ConnectionError if it cannot connect."""
        client = RealWebSocketTestClient(self.backend_url, user_id)
        await client.authenticate_with_user()
        if connect and not await client.connect():
            raise ConnectionError(f"Client {client.test_id} cannot connect to {client.url}: {client.last_error}")
        self.connections[client.connection_id] = client
        return client

    async def create_multiple_connections(self, count: int) -> list[RealWebSocketTestClient]:
        """So many clients, each of a user of its own."""
        return [await self.create_authenticated_connection() for _ in range(count)]

    async def test_user_isolation(
        self, test_type: IsolationTestType = IsolationTestType.EVENT_DELIVERY, settle: float = 0.1
    ) -> IsolationTestResult:
        """Have every client send the five events, and say who got those of another."""
        start = time.perf_counter()
        clients = list(self.connections.values())
        result = IsolationTestResult(test_type, True, len(clients))
        try:
            await test_websocket_events_isolation(clients, settle=settle)
        except SecurityError as error:
            result.success = False
            result.isolation_violations.append(str(error))
        except ConnectionError as error:
            result.success, result.error_message = False, str(error)
        result.events_exchanged = sum(client.metrics.messages_sent for client in clients)
        result.duration = time.perf_counter() - start
        return result

    run_isolation_test = test_user_isolation

    async def close_all(self) -> None:
        """Close and forget every client."""
        await asyncio.gather(*(client.disconnect() for client in self.connections.values()))
        self.connections.clear()

    cleanup = cleanup_all_connections = close_all

    def get_statistics(self) -> dict[str, int]:
        """How many clients there are, are connected, and have seen what is not theirs."""
        clients = self.connections.values()
        return {
            "total_connections": len(clients),
            "active_connections": sum(client.is_connected for client in clients),
            "isolation_violations": sum(len(client.isolation_violations) for client in clients),
        }

    async def __aenter__(self) -> RealWebSocketConnectionManager:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close_all()
