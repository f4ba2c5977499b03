"""Connect again after a loss: how often, how long to wait between, and whose connection it is."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class ReconnectionState(Enum):
    """Where one client's reconnection is."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    BACKOFF = "backoff"
    FAILED = "failed"


@dataclass
class ReconnectionConfig:
    """How often, and seconds between."""

    max_retries: int = 5
    initial_delay_seconds: float = 1.0
    max_delay_seconds: float = 30.0
    backoff_multiplier: float = 2.0
    jitter_enabled: bool = True

    def delay(self, attempt: int) -> float:
        """Seconds before ``attempt`` (from 1), at most 2 of them jitter."""
        wait = min(self.initial_delay_seconds * self.backoff_multiplier ** (attempt - 1), self.max_delay_seconds)
        return wait + (random.uniform(0, min(2.0, wait / 10)) if self.jitter_enabled else 0.0)


class MaxRetriesExceededException(Exception):
    """Every attempt failed."""


@dataclass
class ReconnectionSession:
    """One client's reconnection; ``buffered_messages`` wait for its end."""

    session_id: str
    user_id: str
    connection_id: str
    state: ReconnectionState = ReconnectionState.DISCONNECTED
    attempt_count: int = 0
    last_attempt_time: float | None = None
    next_retry_time: float | None = None
    buffered_messages: list[dict[str, Any]] = field(default_factory=list)


class ReconnectionContext:
    """Whose connection is to be brought back."""

    def __init__(self, user_id: str, connection_id: str | None = None) -> None:
        self.user_id = user_id
        self.connection_id = connection_id or f"conn_{user_id}"
        self.timestamp: float | None = None
        self.reason: Any = None
        self.state = ReconnectionState.CONNECTING
        self.created_at = time.time()
        self.attempt_count = 0
