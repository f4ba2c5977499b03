"""The events and messages of WebSocket tests, and what a test counts of them."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Optional, Union

from compat.canonical.core.events import CRITICAL_EVENTS as CRITICAL_EVENTS


class WebSocketEventType(Enum):
    """The events that tests wait for."""

    __test__ = False

    AGENT_STARTED = "agent_started"
    AGENT_THINKING = "agent_thinking"
    AGENT_COMPLETED = "agent_completed"
    TOOL_EXECUTING = "tool_executing"
    TOOL_COMPLETED = "tool_completed"
    STATUS_UPDATE = "status_update"
    ERROR = "error"
    PING = "ping"
    PONG = "pong"
    THREAD_UPDATE = "thread_update"
    MESSAGE_CREATED = "message_created"
    USER_CONNECTED = "user_connected"
    USER_DISCONNECTED = "user_disconnected"


def event_name(event: Any) -> str:
    """The name of an event: of an enum member, a string, a message, or a dictionary's ``type`` or ``event_type``."""
    if isinstance(event, Mapping):
        event = event.get("type") or event.get("event_type") or event.get("event") or ""
    event = getattr(event, "event_type", event)
    return str(getattr(event, "value", event))


@dataclass
class WebSocketMessage:
    """One message; ``event_type`` is a plain string where it is none of :class:`WebSocketEventType`. Times are local ones."""

    event_type: Union[WebSocketEventType, str]
    data: dict[str, Any]
    timestamp: datetime = field(default_factory=datetime.now)
    message_id: str = field(default_factory=lambda: f"msg_{uuid.uuid4().hex[:8]}")
    user_id: Optional[str] = None
    thread_id: Optional[str] = None

    def to_dict(self) -> dict[str, Any]:
        """The message as it is sent."""
        return {
            "type": event_name(self.event_type),
            "data": self.data,
            "timestamp": self.timestamp.isoformat(),
            "message_id": self.message_id,
            "user_id": self.user_id,
            "thread_id": self.thread_id,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> WebSocketMessage:
        """Read a received message."""
        name = event_name(data)
        kind: Union[WebSocketEventType, str] = name
        if name in WebSocketEventType._value2member_map_:
            kind = WebSocketEventType(name)
        moment = data.get("timestamp")
        if isinstance(moment, (int, float)):
            when = datetime.fromtimestamp(moment)
        elif isinstance(moment, str):
            when = _moment(moment)
        else:
            when = datetime.now()
        own = {"type", "event_type", "timestamp", "message_id", "user_id", "thread_id"}
        inner = data.get("data", data.get("payload"))
        return cls(
            event_type=kind,
            data=dict(inner) if isinstance(inner, Mapping) else {k: v for k, v in data.items() if k not in own},
            timestamp=when,
            message_id=data.get("message_id") or f"msg_{uuid.uuid4().hex[:8]}",
            user_id=data.get("user_id"),
            thread_id=data.get("thread_id"),
        )

    @classmethod
    def from_text(cls, text: Union[str, bytes]) -> WebSocketMessage:
        """Read a received frame; what is no JSON object becomes a message of type ``raw``."""
        try:
            data = json.loads(text)
        except ValueError:
            data = None
        return cls.from_dict(data) if isinstance(data, dict) else cls("raw", {"raw": text})


def _moment(text: str) -> datetime:
    from ...components.timestamps import safe_convert_timestamp

    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromtimestamp(safe_convert_timestamp(text) or time.time())
    return when if when.tzinfo is None else when.astimezone().replace(tzinfo=None)


class WebSocketTestMetrics:
    """Counts of connections and messages; durations and latencies in seconds."""

    __test__ = False

    def __init__(self) -> None:
        self.connection_time = 0.0
        self.connection_duration = 0.0
        self.messages_sent = 0
        self.messages_received = 0
        self.total_bytes_sent = 0
        self.total_bytes_received = 0
        self.events_emitted = 0
        self.events_by_type: dict[str, int] = {}
        self.connection_errors = 0
        self.message_errors = 0
        self.avg_message_latency = 0.0
        self.max_message_latency = 0.0
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self._latencies = 0

    def record_connection(self, duration: float) -> None:
        """Note how long connecting took."""
        self.connection_time = duration

    def record_message_sent(self, size: int = 0) -> None:
        """Count a sent message of so many bytes."""
        self.messages_sent += 1
        self.total_bytes_sent += size

    def record_message_received(self, size: int = 0) -> None:
        """Count a received message of so many bytes."""
        self.messages_received += 1
        self.total_bytes_received += size

    def record_event_emitted(self, event_type: str) -> None:
        """Count an event."""
        self.events_emitted += 1
        self.events_by_type[event_type] = self.events_by_type.get(event_type, 0) + 1

    def record_connection_error(self) -> None:
        """Count a failed connection."""
        self.connection_errors += 1

    def record_message_error(self) -> None:
        """Count a message that could not be sent or read."""
        self.message_errors += 1

    def record_message_latency(self, latency: float) -> None:
        """Note how long a message took."""
        self._latencies += 1
        self.avg_message_latency += (latency - self.avg_message_latency) / self._latencies
        self.max_message_latency = max(self.max_message_latency, latency)

    def add_error(self, error: str) -> None:
        """Note an error."""
        self.errors.append(error)

    def add_warning(self, warning: str) -> None:
        """Note a warning."""
        self.warnings.append(warning)

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain data."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


CommunicationMetricsCollector = WebSocketTestMetrics
