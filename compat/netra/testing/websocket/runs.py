"""Whole runs of an agent, in tests: simulated over a bridge, or watched on a server, and judged.

PYTEST_DONT_REWRITE: what an assertion here says is part of its behaviour.
"""

from __future__ import annotations

import asyncio
import inspect
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Optional

from ...components.environment import get_env
from ..users import create_test_jwt_token
from .auth_helper import WebSocketAuthHelper
from .client import DEFAULT_URL, MockWebSocketConnection, WebSocketTestClient
from .messages import CRITICAL_EVENTS, CommunicationMetricsCollector, event_name
from .utility import WebSocketTestUtility


@dataclass
class BridgeTestConfig:
    """How a bridge is tried; times in seconds."""

    mock_mode: bool = True
    timeout: float = 10.0
    event_delay: float = 0.0
    validate_events: bool = True


@dataclass
class AgentExecutionContext:
    """Whose run it is."""

    user_id: str
    thread_id: str
    run_id: str = field(default_factory=lambda: f"run_{uuid.uuid4().hex[:8]}")
    agent_name: str = "test_agent"
    request_id: str = field(default_factory=lambda: f"req_{uuid.uuid4().hex[:8]}")
    metadata: dict[str, Any] = field(default_factory=dict)


class AgentEventSimulator:
    """Tells the five events of a run to whatever can send them: a client, a manager, an emitter or a bridge."""

    def __init__(self, target: Any, config: Optional[BridgeTestConfig] = None) -> None:
        self.target = target
        self.config = config or BridgeTestConfig()
        self.sent: list[dict[str, Any]] = []

    async def simulate_execution(
        self, context: AgentExecutionContext, events: Iterable[str] = CRITICAL_EVENTS
    ) -> list[dict[str, Any]]:
        """Tell the events in order and return what was told. TypeError if the target can send nothing."""
        told = []
        for name in events:
            event = {
                "type": name,
                "agent_name": context.agent_name,
                "run_id": context.run_id,
                "thread_id": context.thread_id,
                "user_id": context.user_id,
                "timestamp": time.time(),
                **({"tool_name": "test_tool"} if name.startswith("tool_") else {}),
            }
            await self._send(name, event, context)
            told.append(event)
            await asyncio.sleep(self.config.event_delay)
        self.sent.extend(told)
        return told

    async def _send(self, name: str, event: dict[str, Any], context: AgentExecutionContext) -> None:
        target = self.target
        if hasattr(target, "emit_critical_event"):
            result = target.emit_critical_event(user_id=context.user_id, event_type=name, data=event)
        elif hasattr(target, "send_message"):
            result = target.send_message(event)
        elif hasattr(target, "send"):
            result = target.send(event)
        else:
            raise TypeError(f"{type(target).__name__} has none of emit_critical_event, send_message, send")
        if inspect.isawaitable(result):
            await result


class WebSocketBridgeTestHelper:
    """Runs an agent's events over a bridge and collects what comes out."""

    def __init__(self, config: Optional[BridgeTestConfig] = None, env: Optional[Any] = None) -> None:
        self.config = config or BridgeTestConfig()
        self.env = env or get_env()
        self.connections: dict[str, MockWebSocketConnection] = {}

    def create_agent_context(self, user_id: Optional[str] = None, **fields: Any) -> AgentExecutionContext:
        """Whose run it is; IDs that are not given are made."""
        unique = uuid.uuid4().hex[:8]
        fields.setdefault("thread_id", f"thread_{unique}")
        return AgentExecutionContext(user_id or f"user_{unique}", **fields)

    async def create_websocket_connection(self, user_id: str) -> MockWebSocketConnection:
        """A socket in memory, of the user."""
        connection = self.connections[user_id] = MockWebSocketConnection(user_id)
        return connection

    async def simulate_agent_events(self, context: AgentExecutionContext, target: Optional[Any] = None) -> list[dict[str, Any]]:
        """Tell the five events to a target, or to the user's socket, and check them where so configured."""
        if target is None:
            target = self.connections.get(context.user_id) or await self.create_websocket_connection(context.user_id)
        told = await AgentEventSimulator(target, self.config).simulate_execution(context)
        if self.config.validate_events:
            self.validate_events(told, context)
        return told

    def validate_events(self, events: Iterable[Any], context: Optional[AgentExecutionContext] = None) -> None:
        """Fail unless all five events are there, of the context's user."""
        seen = list(events)
        missing = [name for name in CRITICAL_EVENTS if name not in {event_name(event) for event in seen}]
        assert not missing, f"Events not told: {', '.join(missing)}"
        if context is not None:
            foreign = [event for event in seen if event.get("user_id") not in (None, context.user_id)]
            assert not foreign, f"{len(foreign)} events are of another user than {context.user_id}"

    async def cleanup(self) -> None:
        """Close every socket."""
        await asyncio.gather(*(connection.close() for connection in self.connections.values()))
        self.connections.clear()


@dataclass
class GoldenPathTestConfig:
    """What a run on a server must do; times in seconds."""

    websocket_url: str = DEFAULT_URL
    user_id: Optional[str] = None
    event_timeout: float = 60.0
    connection_timeout: float = 10.0
    required_events: list[str] = field(default_factory=lambda: list(CRITICAL_EVENTS))
    request_type: str = "chat"
    require_all_events: bool = True


@dataclass
class GoldenPathTestResult:
    """What a run on a server has done; times in seconds."""

    success: bool
    events_received: list[Any] = field(default_factory=list)
    missing_events: list[str] = field(default_factory=list)
    total_time: float = 0.0
    first_event_time: Optional[float] = None
    connected: bool = False
    errors: list[str] = field(default_factory=list)
    user_id: Optional[str] = None

    @property
    def business_value_score(self) -> float:
        """The share of the required events that came, from 0 to 100."""
        came = {event_name(event) for event in self.events_received}
        total = len(came | set(self.missing_events))
        return 100.0 * (total - len(self.missing_events)) / total if total else 0.0


class WebSocketGoldenPathHelper:
    """Signs in, sends a request, and waits for the events of its run."""

    def __init__(self, config: Optional[GoldenPathTestConfig] = None, **_ignored: Any) -> None:
        self.config = config or GoldenPathTestConfig()
        self.client: Optional[WebSocketTestClient] = None

    async def test_golden_path(self, user_message: str = "Hello", user_id: Optional[str] = None) -> GoldenPathTestResult:
        """Do all of it; what goes wrong is in the result."""
        owner = user_id or self.config.user_id or str(uuid.uuid4())
        start = time.perf_counter()
        result = GoldenPathTestResult(False, missing_events=list(self.config.required_events), user_id=owner)
        client = self.client = WebSocketTestClient(
            self.config.websocket_url, owner, token=create_test_jwt_token(owner), user_id=owner
        )
        try:
            result.connected = await client.connect(self.config.connection_timeout)
            if not result.connected:
                result.errors.append(f"Cannot connect: {client.last_error}")
                return result
            client.add_event_handler(
                self.config.required_events[0] if self.config.required_events else "agent_started",
                lambda _: setattr(result, "first_event_time", time.perf_counter() - start),
            )
            await client.send_message(self.config.request_type, {"message": user_message, "content": user_message}, owner)
            await client.wait_for_events(self.config.required_events, self.config.event_timeout)
        except (asyncio.TimeoutError, ConnectionError) as error:
            result.errors.append(str(error))
        finally:
            result.events_received = list(client.received_messages)
            came = {event_name(event) for event in result.events_received}
            result.missing_events = [name for name in self.config.required_events if name not in came]
            result.total_time = time.perf_counter() - start
            result.success = result.connected and not (self.config.require_all_events and result.missing_events)
            await client.disconnect()
        return result

    execute_golden_path_flow = execute_golden_path = run_golden_path_test = test_golden_path

    async def cleanup(self) -> None:
        """Close the client."""
        if self.client is not None:
            await self.client.disconnect()

    async def __aenter__(self) -> WebSocketGoldenPathHelper:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cleanup()


WebSocketGoldenPathValidator = WebSocketGoldenPathHelpers = WebSocketGoldenPathHelper


async def assert_golden_path_success(result: GoldenPathTestResult, error_message: str = "The run failed") -> None:
    """Fail, with what was missing and what went wrong, unless the run has succeeded."""
    details = [f"missing events: {', '.join(result.missing_events)}"] if result.missing_events else []
    assert result.success, "; ".join([error_message, *details, *result.errors])


async def test_websocket_golden_path(
    user_message: str = "Hello", config: Optional[GoldenPathTestConfig] = None
) -> GoldenPathTestResult:
    """Do one run on a server and say what it did."""
    return await WebSocketGoldenPathHelper(config).test_golden_path(user_message)


test_websocket_golden_path.__test__ = False  # type: ignore[attr-defined]


@dataclass
class InfrastructureConfig:
    """What an infrastructure has."""

    websocket_url: str = DEFAULT_URL
    mock_mode: bool = True
    enable_auth: bool = True
    enable_bridge: bool = True


@dataclass
class TestInfrastructure:
    """Everything that a test of WebSockets needs, in one place."""

    __test__ = False

    websocket_utility: WebSocketTestUtility
    auth_helper: Optional[WebSocketAuthHelper]
    bridge_helper: Optional[WebSocketBridgeTestHelper]
    metrics_collector: CommunicationMetricsCollector = field(default_factory=CommunicationMetricsCollector)
    infrastructure_id: str = field(default_factory=lambda: f"infra_{uuid.uuid4().hex[:8]}")

    async def cleanup(self) -> None:
        """Close everything."""
        await self.websocket_utility.cleanup()
        if self.bridge_helper is not None:
            await self.bridge_helper.cleanup()


class WebSocketTestInfrastructureFactory:
    """Makes infrastructures and closes them all."""

    def __init__(self) -> None:
        self.infrastructures: dict[str, TestInfrastructure] = {}

    async def create_test_infrastructure(self, config: Optional[InfrastructureConfig] = None) -> TestInfrastructure:
        """An infrastructure of its own."""
        settings = config or InfrastructureConfig()
        made = TestInfrastructure(
            WebSocketTestUtility(settings.websocket_url),
            WebSocketAuthHelper() if settings.enable_auth else None,
            WebSocketBridgeTestHelper(BridgeTestConfig(settings.mock_mode)) if settings.enable_bridge else None,
        )
        await made.websocket_utility.initialize()
        self.infrastructures[made.infrastructure_id] = made
        return made

    create_infrastructure = create_test_infrastructure

    async def cleanup_all(self) -> None:
        """Close and forget every infrastructure."""
        for made in self.infrastructures.values():
            await made.cleanup()
        self.infrastructures.clear()
