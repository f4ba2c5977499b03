"""Bring lost connections back in the background: each is tried until it succeeds or its attempts are used up."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from compat.canonical.core.logged import get_logger
from compat.netra.components.process_wide import only

logger = get_logger(__name__)


class ReconnectionState(str, Enum):
    """Where one followed connection is."""

    IDLE = "idle"
    ATTEMPTING = "attempting"
    CONNECTED = "connected"
    FAILED = "failed"
    DISABLED = "disabled"


@dataclass
class ReconnectionAttempt:
    """One attempt; ``timestamp`` in seconds since the epoch."""

    attempt_number: int
    timestamp: float
    delay_seconds: float
    success: bool = False
    error_message: str | None = None


class ReconnectionManager:
    """Calls each lost connection's callback (sync or async) until it succeeds or the attempts are used up.

    ``config`` is a ``ReconnectionConfig`` of the message types (``max_attempts`` ...), or one of the reconnection handler's
    (``max_retries`` ...).
    """

    def __init__(self, config: Any = None) -> None:
        if config is None:
            from ...messages.setting_models import ReconnectionConfig

            config = ReconnectionConfig()
        self.config = config
        self.reconnection_tasks: dict[str, asyncio.Task[bool]] = {}
        self.stats = {"total_attempts": 0, "successful_reconnections": 0, "failed_reconnections": 0}
        self._callbacks: dict[str, Callable[[], Any]] = {}
        self._states: dict[str, ReconnectionState] = {}
        self._attempts: dict[str, list[ReconnectionAttempt]] = {}

    def register_connection(self, connection_id: str, connection_callback: Callable[[], Any]) -> None:
        """Follow a connection, which is there now."""
        self._callbacks[connection_id] = connection_callback
        self._states[connection_id] = ReconnectionState.CONNECTED
        self._attempts[connection_id] = []

    def unregister_connection(self, connection_id: str) -> None:
        """Stop following it, and trying."""
        task = self.reconnection_tasks.pop(connection_id, None)
        if task is not None:
            task.cancel()
        for known in (self._callbacks, self._states, self._attempts):
            known.pop(connection_id, None)

    async def handle_connection_lost(self, connection_id: str) -> None:
        """Begin to reconnect in the background."""
        off = self._states.get(connection_id) in (None, ReconnectionState.DISABLED) or not getattr(self.config, "enabled", True)
        if off or self.is_reconnecting(connection_id):
            return
        self._states[connection_id] = ReconnectionState.ATTEMPTING
        self.reconnection_tasks[connection_id] = asyncio.create_task(self._reconnect(connection_id))

    async def force_reconnect(self, connection_id: str) -> bool:
        """Try now, until it is decided; whether it succeeded."""
        await self.handle_connection_lost(connection_id)
        task = self.reconnection_tasks.get(connection_id)
        return bool(await task) if task is not None else False

    def get_connection_state(self, connection_id: str) -> ReconnectionState | None:
        """Where a connection is; None for one that is not followed."""
        return self._states.get(connection_id)

    def is_reconnecting(self, connection_id: str) -> bool:
        """Whether it is being tried."""
        task = self.reconnection_tasks.get(connection_id)
        return task is not None and not task.done()

    def get_attempt_history(self, connection_id: str) -> list[ReconnectionAttempt]:
        """Every attempt, in order."""
        return list(self._attempts.get(connection_id, []))

    def disable_reconnection(self, connection_id: str) -> None:
        """Do not try any more."""
        task = self.reconnection_tasks.pop(connection_id, None)
        if task is not None:
            task.cancel()
        self._states[connection_id] = ReconnectionState.DISABLED

    def enable_reconnection(self, connection_id: str) -> None:
        """Try again at the next loss."""
        self._states[connection_id] = ReconnectionState.IDLE

    def get_stats(self) -> dict[str, Any]:
        """Return totals, which survive what is no longer followed, the settings, and each connection's state."""
        settings = self.config.model_dump() if hasattr(self.config, "model_dump") else dict(vars(self.config))
        return {
            **self.stats,
            "active_reconnections": sum(map(self.is_reconnecting, self.reconnection_tasks)),
            "managed_connections": len(self._states),
            "config": settings,
            "connection_states": {name: state.value for name, state in self._states.items()},
        }

    async def cleanup(self) -> None:
        """Stop everything."""
        for connection_id in list(self._callbacks):
            task = self.reconnection_tasks.get(connection_id)
            self.unregister_connection(connection_id)
            if task is not None:
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _reconnect(self, connection_id: str) -> bool:
        attempts: int = self.config.max_attempts if hasattr(self.config, "max_attempts") else self.config.max_retries
        for number in range(1, attempts + 1):
            attempt = ReconnectionAttempt(number, time.time(), calculate_next_reconnect_delay(number, self.config))
            self._attempts[connection_id].append(attempt)
            self.stats["total_attempts"] += 1
            try:
                answer = self._callbacks[connection_id]()
                if (await answer if inspect.isawaitable(answer) else answer) is not False:
                    attempt.success = True
                    self._states[connection_id] = ReconnectionState.CONNECTED
                    self.stats["successful_reconnections"] += 1
                    return True
            except Exception as error:
                attempt.error_message = str(error)
            if number < attempts:
                await asyncio.sleep(attempt.delay_seconds)
        self._states[connection_id] = ReconnectionState.FAILED
        self.stats["failed_reconnections"] += 1
        logger.warning("connection %s is lost after %d attempts", connection_id, attempts)
        return False


def calculate_next_reconnect_delay(attempt: int, config: Any) -> float:
    """Return the seconds to wait after an attempt, counted from 1."""
    delay = getattr(config, "calculate_delay", None) or config.delay
    return float(delay(attempt))


_reconnection_manager: ReconnectionManager | None = None


def get_reconnection_manager(config: Any = None) -> ReconnectionManager:
    """Return the manager of this process; ``config`` counts when it is made."""
    return only(globals(), "_reconnection_manager", lambda: ReconnectionManager(config))


async def setup_connection_with_reconnection(
    connection_id: str, connection_factory: Callable[[], Any], config: Any = None
) -> ReconnectionManager:
    """Have the process's manager follow a connection; return that manager."""
    manager = get_reconnection_manager(config)
    manager.register_connection(connection_id, connection_factory)
    return manager
