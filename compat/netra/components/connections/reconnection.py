"""Connect again after a loss: how often, how long to wait between, and what became of each connection."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import random
import time
import uuid
from collections.abc import Callable
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


class ManagerState(str, Enum):
    """Where one followed connection is."""

    IDLE = "idle"
    ATTEMPTING = "attempting"
    CONNECTED = "connected"
    FAILED = "failed"
    DISABLED = "disabled"


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
        self.connection_id = connection_id or f"conn_{uuid.uuid4().hex[:8]}"
        self.created_at = time.time()
        self.attempt_count = 0


@dataclass
class ReconnectionAttempt:
    """One attempt; ``timestamp`` in seconds since the epoch."""

    attempt_number: int
    timestamp: float
    delay_seconds: float
    success: bool = False
    error_message: str | None = None


class ReconnectionManager:
    """Calls each lost connection's callback (sync or async) until it succeeds or the attempts are used up."""

    def __init__(self, config: ReconnectionConfig | None = None) -> None:
        self.config = config or ReconnectionConfig()
        self._callbacks: dict[str, Callable[[], Any]] = {}
        self._states: dict[str, ManagerState] = {}
        self._attempts: dict[str, list[ReconnectionAttempt]] = {}
        self._tasks: dict[str, asyncio.Task[bool]] = {}

    def register_connection(self, connection_id: str, connection_callback: Callable[[], Any]) -> None:
        """Follow a connection."""
        self._callbacks[connection_id] = connection_callback
        self._states[connection_id] = ManagerState.IDLE
        self._attempts[connection_id] = []

    def unregister_connection(self, connection_id: str) -> None:
        """Stop following it, and trying."""
        task = self._tasks.pop(connection_id, None)
        if task is not None:
            task.cancel()
        for known in (self._callbacks, self._states, self._attempts):
            known.pop(connection_id, None)

    async def handle_connection_lost(self, connection_id: str) -> None:
        """Begin to reconnect in the background."""
        if self._states.get(connection_id) in (None, ManagerState.DISABLED) or self.is_reconnecting(connection_id):
            return
        self._tasks[connection_id] = asyncio.create_task(self._reconnect(connection_id))

    async def force_reconnect(self, connection_id: str) -> bool:
        """Try now, until it is decided; whether it succeeded."""
        await self.handle_connection_lost(connection_id)
        task = self._tasks.get(connection_id)
        return bool(await task) if task is not None else False

    def get_connection_state(self, connection_id: str) -> ManagerState | None:
        """Where a connection is; None for one that is not followed."""
        return self._states.get(connection_id)

    def is_reconnecting(self, connection_id: str) -> bool:
        """Whether it is being tried."""
        task = self._tasks.get(connection_id)
        return task is not None and not task.done()

    def get_attempt_history(self, connection_id: str) -> list[ReconnectionAttempt]:
        """Every attempt, in order."""
        return list(self._attempts.get(connection_id, []))

    def disable_reconnection(self, connection_id: str) -> None:
        """Do not try any more."""
        task = self._tasks.pop(connection_id, None)
        if task is not None:
            task.cancel()
        self._states[connection_id] = ManagerState.DISABLED

    def enable_reconnection(self, connection_id: str) -> None:
        """Try again at the next loss."""
        self._states[connection_id] = ManagerState.IDLE

    def get_stats(self) -> dict[str, Any]:
        """Counts by state, and of attempts."""
        attempts = [attempt for history in self._attempts.values() for attempt in history]
        states = [state.value for state in self._states.values()]
        return {
            "total_connections": len(self._states),
            "states": {state: states.count(state) for state in set(states)},
            "total_attempts": len(attempts),
            "successful_attempts": sum(attempt.success for attempt in attempts),
            "active_reconnections": sum(map(self.is_reconnecting, self._tasks)),
        }

    async def cleanup(self) -> None:
        """Stop everything."""
        for connection_id in list(self._callbacks):
            task = self._tasks.get(connection_id)
            self.unregister_connection(connection_id)
            if task is not None:
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _reconnect(self, connection_id: str) -> bool:
        self._states[connection_id] = ManagerState.ATTEMPTING
        for number in range(1, self.config.max_retries + 1):
            attempt = ReconnectionAttempt(number, time.time(), self.config.delay(number))
            self._attempts[connection_id].append(attempt)
            try:
                answer = self._callbacks[connection_id]()
                if (await answer if inspect.isawaitable(answer) else answer) is not False:
                    attempt.success = True
                    self._states[connection_id] = ManagerState.CONNECTED
                    return True
            except Exception as error:
                attempt.error_message = str(error)
            if number < self.config.max_retries:
                await asyncio.sleep(attempt.delay_seconds)
        self._states[connection_id] = ManagerState.FAILED
        return False
