"""A WebSocket client for tests, over a real connection or a mock one."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Optional, Union

from ...components.ids.generator import UnifiedIdGenerator
from .messages import WebSocketEventType, WebSocketMessage, WebSocketTestMetrics, event_name

logger = logging.getLogger(__name__)

DEFAULT_URL = "ws://localhost:8000/ws"

#: What a mock client receives that was fed nothing.
_MADE_UP: dict[str, dict[str, Any]] = {
    "agent_started": {"agent": "triage", "status": "starting"},
    "agent_thinking": {"agent": "triage", "status": "thinking"},
    "tool_executing": {"tool": "search", "status": "executing"},
    "tool_completed": {"tool": "search", "status": "completed"},
    "agent_completed": {"agent": "triage", "status": "completed"},
}


class MockWebSocketConnection:
    """A socket in memory: what is sent is kept in ``sent_messages``; :meth:`feed` gives :meth:`recv` its messages.

    With ``acknowledge`` :meth:`recv` also gives an acknowledgement of each message sent.
    """

    def __init__(
        self,
        user_id: Optional[str] = None,
        connection_id: Optional[str] = None,
        *,
        acknowledge: bool = True,
        **_ignored: Any,
    ) -> None:
        self.user_id = user_id or f"mock_user_{uuid.uuid4().hex[:8]}"
        self.connection_id = connection_id or UnifiedIdGenerator.generate_websocket_connection_id(self.user_id)
        self.acknowledge = acknowledge
        self.sent_messages: list[Any] = []
        self._sent_messages: list[str] = []
        self.received_messages: list[Any] = []
        self.closed = False
        self.close_code: Optional[int] = None
        self.close_reason = ""
        self.client_state = "connected"
        self.accepted = False
        self._incoming: deque[Any] = deque()
        # Made by the first who waits: before 3.10 an event belongs to the loop that runs when it is made.
        self._arrival: Optional[asyncio.Event] = None

    async def accept(self, *_: Any, **__: Any) -> None:
        """Accept the connection."""
        self.accepted = True

    async def send(self, message: Any) -> None:
        """Keep a sent message, after :meth:`close` too, and acknowledge it where that is wanted."""
        self.sent_messages.append(message)
        text = message.decode() if isinstance(message, bytes) else message
        self._sent_messages.append(text if isinstance(text, str) else json.dumps(text, default=str))
        if self.acknowledge and not self.closed:
            self.feed(self._acknowledgement(self._sent_messages[-1]))

    def _acknowledgement(self, text: str) -> str:
        try:
            sent = json.loads(text)
        except ValueError:
            sent = None
        acknowledgement = {
            "type": "ack",
            "original_type": sent.get("type", "unknown") if isinstance(sent, dict) else "unknown",
            "message": "Message processed successfully",
            "sequence_num": len(self._sent_messages),
            "user_id": self.user_id,
            "connection_id": self.connection_id,
            "timestamp": time.time(),
        }
        return json.dumps(acknowledgement)

    send_text = send_json = send_bytes = send

    async def recv(self) -> Any:
        """The next fed message; ConnectionError after :meth:`close`, once all have been read."""
        self._arrival = self._arrival or asyncio.Event()
        while not self._incoming:
            if self.closed:
                raise ConnectionError("the mock connection is closed")
            self._arrival.clear()
            await self._arrival.wait()
        message = self._incoming.popleft()
        self.received_messages.append(message)
        return message

    async def receive_text(self) -> str:
        """The next fed message, as text."""
        message = await self.recv()
        return message if isinstance(message, str) else json.dumps(message)

    async def receive_json(self) -> Any:
        """The next fed message, as data."""
        message = await self.recv()
        return json.loads(message) if isinstance(message, (str, bytes)) else message

    def feed(self, message: Any) -> None:
        """Give :meth:`recv` a message."""
        self._incoming.append(message)
        if self._arrival is not None:
            self._arrival.set()

    add_message = feed

    async def ping(self) -> None:
        """Answered as long as the connection is open."""
        if self.closed:
            raise ConnectionError("the mock connection is closed")

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close; whoever waits in :meth:`recv` gets ConnectionError."""
        if not self.closed:
            self.closed, self.close_code, self.close_reason = True, code, reason
            self.client_state = "disconnected"
            if self._arrival is not None:
                self._arrival.set()

    @property
    def closed_property(self) -> bool:
        """Whether the connection is closed."""
        return self.closed


class WebSocketTestClient:
    """A client that keeps what it sends and receives, and can wait for events.

    ``test_id`` names it in logs (in older tests the second argument is the user). A connection that fails is False,
    counted in ``metrics``, not an exception.
    """

    __test__ = False

    def __init__(
        self,
        url: str = DEFAULT_URL,
        test_id: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
        *,
        user_id: Optional[str] = None,
        token: Optional[str] = None,
    ) -> None:
        self.url = url
        self.test_id = test_id or uuid.uuid4().hex[:8]
        self.user_id: Optional[str] = user_id or test_id
        self.headers = dict(headers or {})
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
        self.websocket: Any = None
        self.is_connected = False
        self.sent_messages: list[Any] = []
        self.received_messages: list[WebSocketMessage] = []
        self.received_events: list[WebSocketMessage] = []
        self.expected_events: list[Any] = []
        self.event_handlers: dict[str, list[Callable[[WebSocketMessage], Any]]] = {}
        self.event_timeouts: dict[str, float] = {}
        self.metrics = WebSocketTestMetrics()
        self.last_error: Optional[BaseException] = None
        self.connection_start_time: Optional[float] = None
        self.listener_task: Optional[asyncio.Task[None]] = None
        self.heartbeat_task: Optional[asyncio.Task[None]] = None
        self.message_queue: Any = None
        self._mock_mode = False
        self._mock_websocket: Optional[MockWebSocketConnection] = None
        self._made_up = 0

    async def connect(
        self,
        timeout: Any = 30.0,
        mock_mode: bool = False,
        subprotocols: Optional[list[str]] = None,
        *,
        token: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
    ) -> bool:
        """Connect within so many seconds. False, with the reason in ``last_error``, if that fails.

        A string as the first argument is the token, as in older tests.
        """
        if isinstance(timeout, str):
            timeout, token = 30.0, timeout
        self.headers.update(headers or {})
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
        start = time.perf_counter()
        self.message_queue = asyncio.Queue()
        self._mock_mode = mock_mode
        try:
            if mock_mode:
                self.websocket = self._mock_websocket = MockWebSocketConnection("mock_user", acknowledge=False)
            else:
                self.websocket = await asyncio.wait_for(_dial(self.url, self.headers, subprotocols), timeout)
        except Exception as error:
            self.last_error = error
            self.metrics.record_connection_error()
            logger.warning(f"Client {self.test_id} cannot connect to {self.url}: {error}")
            return False
        self.connection_start_time = time.time()
        self.metrics.record_connection(time.perf_counter() - start)
        self.is_connected = True
        self.listener_task = asyncio.get_running_loop().create_task(self._listen())
        return True

    async def disconnect(self) -> None:
        """Close and wait until nothing listens any more."""
        if self.connection_start_time is not None:
            self.metrics.connection_duration = time.time() - self.connection_start_time
            self.connection_start_time = None
        self.is_connected = False
        if self.websocket is not None:
            await self.websocket.close()
        if self.listener_task is not None:
            self.listener_task.cancel()
            await asyncio.gather(self.listener_task, return_exceptions=True)
        self.websocket = self.listener_task = None

    close = disconnect

    async def send_message(
        self,
        event_type: Union[WebSocketEventType, str, Mapping[str, Any]],
        data: Optional[dict[str, Any]] = None,
        user_id: Optional[str] = None,
        thread_id: Optional[str] = None,
    ) -> WebSocketMessage:
        """Send a message and return it; a dictionary in place of the type is sent as it is."""
        if isinstance(event_type, Mapping):
            message = WebSocketMessage.from_dict(event_type)
            await self.send_raw_message(json.dumps(dict(event_type), default=str))
        else:
            message = WebSocketMessage(event_type, data or {}, user_id=user_id, thread_id=thread_id)
            await self.send_raw_message(json.dumps(message.to_dict(), default=str))
        self.sent_messages.append(message)
        self.metrics.record_event_emitted(event_name(message))
        return message

    async def send_raw_message(self, data: Union[str, bytes]) -> None:
        """Send a frame as it is. RuntimeError without a connection."""
        if not self.is_connected or self.websocket is None:
            self.metrics.record_message_error()
            raise RuntimeError(f"WebSocket client {self.test_id} not connected")
        await self.websocket.send(data)
        self.metrics.record_message_sent(len(data))

    async def send_json(self, data: Mapping[str, Any]) -> None:
        """Send data as it is."""
        await self.send_message(data)

    send = send_json

    async def wait_for_message(
        self, event_type: Optional[Union[WebSocketEventType, str]] = None, timeout: float = 10.0
    ) -> WebSocketMessage:
        """The next message (of that type), taking it from the queue; others stay in ``received_messages``.

        asyncio.TimeoutError after so many seconds. A mock client that was fed nothing makes messages up: a run of an agent.
        """
        wanted = None if event_type is None else event_name(event_type)
        if self._mock_mode and not await self._was_fed():
            await self._make_up(wanted)

        async def take() -> WebSocketMessage:
            while True:
                message: WebSocketMessage = await self.message_queue.get()
                if wanted is None or event_name(message) == wanted:
                    return message

        return await asyncio.wait_for(take(), timeout)

    async def _was_fed(self) -> bool:
        for _ in range(3):  # what was fed goes through the task that listens
            if not self.message_queue.empty():
                return True
            await asyncio.sleep(0)
        return not self.message_queue.empty()

    async def _make_up(self, wanted: Optional[str]) -> None:
        kinds = list(_MADE_UP)
        kind = wanted or kinds[self._made_up % len(kinds)]
        if self._made_up >= len(kinds):
            await asyncio.sleep(0.01)  # who waits for what never comes must not spin
        self._made_up += 1
        message = {"type": kind, "data": _MADE_UP.get(kind, {}), "timestamp": time.time()}
        await self._take({**message, "user_id": "mock_user", "thread_id": "mock_thread"})

    async def receive_json(self, timeout: float = 10.0) -> dict[str, Any]:
        """The next message, as plain data."""
        return (await self.wait_for_message(timeout=timeout)).to_dict()

    receive = receive_json

    async def wait_for_events(
        self, expected_events: Iterable[Union[WebSocketEventType, str]], timeout: float = 30.0
    ) -> dict[Any, list[WebSocketMessage]]:
        """Wait until each expected event has come, and return them by type.

        asyncio.TimeoutError, naming what has not come, after so many seconds.
        """
        expected = list(expected_events)
        self.expected_events = expected
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            found = {each: self.get_messages_by_type(each) for each in expected}
            missing = [event_name(each) for each, messages in found.items() if not messages]
            if not missing:
                return found
            try:
                if loop.time() >= deadline:  # A mock client makes up messages without end.
                    raise asyncio.TimeoutError
                await self.wait_for_message(timeout=max(deadline - loop.time(), 0.001))
            except asyncio.TimeoutError:
                raise asyncio.TimeoutError(f"Missing expected events: {missing}") from None

    def add_event_handler(self, event_type: Union[WebSocketEventType, str], handler: Callable[[WebSocketMessage], Any]) -> None:
        """Have a handler, sync or async, called with every message of a type."""
        self.event_handlers.setdefault(event_name(event_type), []).append(handler)

    def get_messages_by_type(self, event_type: Union[WebSocketEventType, str]) -> list[WebSocketMessage]:
        """The received messages of a type."""
        wanted = event_name(event_type)
        return [message for message in self.received_messages if event_name(message) == wanted]

    async def _listen(self) -> None:
        try:
            while True:
                await self._take(await self.websocket.recv())
        except asyncio.CancelledError:
            raise
        except Exception as error:  # The connection has ended, in whatever way its library says so.
            self.is_connected = False
            logger.debug(f"Client {self.test_id} stopped listening: {error}")

    async def _take(self, frame: Any) -> None:
        message = WebSocketMessage.from_dict(frame) if isinstance(frame, Mapping) else WebSocketMessage.from_text(frame)
        self.metrics.record_message_received(len(frame))
        self.received_messages.append(message)
        if event_name(message) in WebSocketEventType._value2member_map_:
            self.received_events.append(message)
        self.message_queue.put_nowait(message)
        for handler in self.event_handlers.get(event_name(message), ()):
            try:
                result = handler(message)
                if inspect.isawaitable(result):
                    await result
            except Exception as error:
                self.metrics.add_error(str(error))

    async def __aenter__(self) -> WebSocketTestClient:
        if not await self.connect():
            raise ConnectionError(f"Client {self.test_id} cannot connect to {self.url}: {self.last_error}")
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        value: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self.disconnect()


async def _dial(url: str, headers: Mapping[str, str], subprotocols: Optional[list[str]]) -> Any:
    try:
        from websockets.asyncio.client import connect
    except ImportError as error:
        raise ImportError("a real WebSocket client needs websockets: pip install 'netra-compat[server]'") from error
    return await connect(url, additional_headers=dict(headers), subprotocols=subprotocols)  # type: ignore[arg-type]
