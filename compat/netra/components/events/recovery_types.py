"""What is known of a connection that is lost and found again: its states, its measures, its unsent messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Optional


class ConnectionState(Enum):
    """Where a reconnecting connection stands."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    RECONNECTING = "reconnecting"
    FAILED = "failed"
    CLOSING = "closing"


class ReconnectionReason(Enum):
    """Why a connection has to be made again."""

    CONNECTION_LOST = "connection_lost"
    NETWORK_ERROR = "network_error"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    MANUAL = "manual"


@dataclass
class ConnectionMetrics:
    """Counters of one connection; ``latency_ms`` is the last measured round trip."""

    connection_id: str
    connect_time: datetime
    disconnect_time: Optional[datetime] = None
    message_count: int = 0
    error_count: int = 0
    reconnect_count: int = 0
    last_ping: Optional[datetime] = None
    last_pong: Optional[datetime] = None
    latency_ms: float = 0.0


@dataclass
class MessageState:
    """One message on its way, and whether the peer has acknowledged it."""

    message_id: str
    content: dict[str, Any]
    timestamp: datetime
    ack_required: bool = False
    acknowledged: bool = False
    retry_count: int = 0


@dataclass
class ReconnectionConfig:
    """How often, how fast and how long to reconnect; delays and the timeout in seconds."""

    max_attempts: int = 10
    initial_delay: float = 1.0
    max_delay: float = 60.0
    backoff_multiplier: float = 2.0
    jitter: bool = True
    timeout_seconds: int = 30
    preserve_pending_messages: bool = True
    max_pending_messages: int = 1000
    message_retention_hours: int = 24
