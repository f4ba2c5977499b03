"""Hold messages for users who are away: bounded per user and in all, by priority, delivered in order when they return."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any

from compat.canonical.core.events import CRITICAL_EVENTS
from compat.canonical.core.serialization import serialize_message
from compat.netra.components.bounded import append


class BufferPriority(Enum):
    """Which message goes first when room is short: the lowest."""

    LOW = 1
    NORMAL = 2
    HIGH = 3
    CRITICAL = 4


@dataclass
class BufferConfig:
    """Limits in messages, bytes and seconds."""

    max_buffer_size_per_user: int = 200
    max_buffer_size_global: int = 1000
    max_message_size_bytes: int = 32 * 1024
    buffer_timeout_seconds: int = 120
    overflow_strategy: str = "drop_low_priority"
    retry_intervals: list[float] = field(default_factory=lambda: [0.5, 1.0, 2.0, 5.0])
    max_retry_attempts: int = 4
    critical_message_types: list[str] = field(default_factory=lambda: list(CRITICAL_EVENTS))
    never_drop_critical: bool = True


@dataclass
class BufferedMessage:
    """One message that waits; ``size_bytes`` is that of its JSON form."""

    id: str
    user_id: str
    message: Any
    priority: BufferPriority = BufferPriority.NORMAL
    created_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    retry_count: int = 0
    next_retry_time: datetime | None = None
    size_bytes: int = 0

    def __post_init__(self) -> None:
        if not self.size_bytes:
            self.size_bytes = len(json.dumps(serialize_message(self.message), separators=(",", ":")).encode())

    def is_critical(self, config: BufferConfig) -> bool:
        """Whether it is of a critical type, or was declared critical."""
        kind = self.message.get("type") if isinstance(self.message, dict) else getattr(self.message, "type", None)
        kind = kind.value if isinstance(kind, Enum) else kind
        return self.priority is BufferPriority.CRITICAL or kind in config.critical_message_types


class WebSocketMessageBuffer:
    """Messages by user, oldest first."""

    def __init__(self, config: BufferConfig | None = None) -> None:
        self.config = config or BufferConfig()
        self._waiting: dict[str, list[BufferedMessage]] = {}
        self._retrying: list[BufferedMessage] = []
        self._counts = {"buffered": 0, "delivered": 0, "dropped": 0, "overflow": 0, "retries": 0}
        self._made = self._largest = 0
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Drop expired messages from now on, in the background."""
        if self._sweeper is None or self._sweeper.done():
            self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """End the background sweep; messages stay."""
        sweeper, self._sweeper = self._sweeper, None
        if sweeper is not None:
            sweeper.cancel()
            await asyncio.wait([sweeper])

    async def buffer_message(self, user_id: str, message: Any, priority: BufferPriority = BufferPriority.NORMAL) -> bool:
        """Keep one message; False if it is too large, or less important than everything that fills the buffer."""
        self._made += 1
        entry = BufferedMessage(f"{user_id}_{time.time()}_{self._made}", user_id, message, priority)
        if entry.size_bytes > self.config.max_message_size_bytes:
            self._counts["dropped"] += 1
            return False
        mine = self._waiting.get(user_id, [])
        full = len(mine) >= self.config.max_buffer_size_per_user
        candidates = mine if full else [other for kept in self._waiting.values() for other in kept]
        if full or len(candidates) >= self.config.max_buffer_size_global:
            self._counts["overflow"] += 1
            victim = self._least_important(candidates, entry)
            if victim is None:
                self._counts["dropped"] += 1
                return False
            self._remove(victim)
            self._counts["dropped"] += 1
        mine = self._waiting.setdefault(user_id, mine)
        mine.append(entry)
        self._counts["buffered"] += 1
        self._largest = max(self._largest, len(mine))
        return True

    async def get_buffered_messages(self, user_id: str, limit: int | None = None) -> list[BufferedMessage]:
        """One user's messages, oldest first; expired ones are dropped."""
        self._drop_expired()
        return list(self._waiting.get(user_id, []))[:limit]

    async def deliver_buffered_messages(self, user_id: str, delivery_callback: Callable[[Any], Any]) -> int:
        """Hand what waits, and what is due to be tried again, to ``delivery_callback`` (sync or async); how many went.

        One that fails leaves the buffer for the retry queue, and ends the delivery.
        """
        delivered = 0
        for entry in [*self._due(user_id), *await self.get_buffered_messages(user_id)]:
            again = entry in self._retrying
            self._counts["retries"] += again
            try:
                result = delivery_callback(entry.message)
                if (await result if inspect.isawaitable(result) else result) is False:
                    raise ConnectionError("the delivery callback returned False")
            except Exception:
                self._postpone(entry, again)
                break
            if again:
                self._retrying.remove(entry)
            else:
                self._remove(entry)
            delivered += 1
        self._counts["delivered"] += delivered
        return delivered

    def _remove(self, entry: BufferedMessage) -> None:
        waiting = self._waiting[entry.user_id]
        waiting.remove(entry)
        if not waiting:
            del self._waiting[entry.user_id]

    def _due(self, user_id: str) -> list[BufferedMessage]:
        now = datetime.now(timezone.utc)
        mine = [entry for entry in self._retrying if entry.user_id == user_id]
        return [entry for entry in mine if entry.next_retry_time is None or entry.next_retry_time <= now]

    def _postpone(self, entry: BufferedMessage, again: bool) -> None:
        entry.retry_count += 1
        wait = self.config.retry_intervals[min(entry.retry_count, len(self.config.retry_intervals)) - 1]
        entry.next_retry_time = datetime.now(timezone.utc) + timedelta(seconds=wait)
        if not again:
            self._remove(entry)
            append(self._retrying, entry, self.config.max_buffer_size_global)
        elif entry.retry_count >= self.config.max_retry_attempts and not self._is_kept(entry):
            self._retrying.remove(entry)
            self._counts["dropped"] += 1

    async def clear_user_buffer(self, user_id: str) -> int:
        """Drop one user's messages; how many there were."""
        again = [entry for entry in self._retrying if entry.user_id == user_id]
        self._retrying = [entry for entry in self._retrying if entry.user_id != user_id]
        return len(self._waiting.pop(user_id, [])) + len(again)

    def get_buffer_stats(self) -> dict[str, Any]:
        """Return totals, and how many messages each user has."""
        sizes = {user: len(kept) for user, kept in self._waiting.items() if kept}
        return {
            "total_users_with_buffers": len(sizes),
            "total_buffered_messages": sum(sizes.values()),
            "retry_queue_size": len(self._retrying),
            "user_buffer_sizes": sizes,
            "largest_user_buffer": max(sizes.values(), default=0),
            "messages_buffered": self._counts["buffered"],
            "messages_delivered": self._counts["delivered"],
            "messages_dropped": self._counts["dropped"],
            "overflow_events": self._counts["overflow"],
            "retry_attempts": self._counts["retries"],
            "buffer_size_bytes": sum(entry.size_bytes for kept in self._waiting.values() for entry in kept),
            "max_buffer_size_reached": self._largest,
        }

    def get_user_buffer_info(self, user_id: str) -> dict[str, Any]:
        """Return what waits for one user."""
        waiting = self._waiting.get(user_id, [])
        return {
            "buffer_size": len(waiting),
            "messages": [
                {
                    "id": entry.id,
                    "priority": entry.priority.name,
                    "created_at": entry.created_at.isoformat(),
                    "retry_count": entry.retry_count,
                    "size_bytes": entry.size_bytes,
                }
                for entry in waiting
            ],
        }

    def _is_kept(self, entry: BufferedMessage) -> bool:
        return self.config.never_drop_critical and entry.is_critical(self.config)

    def _least_important(self, candidates: list[BufferedMessage], newcomer: BufferedMessage) -> BufferedMessage | None:
        """What makes room for ``newcomer``: the lowest priority, then the oldest; nothing above it, never a critical one."""
        rank = BufferPriority.CRITICAL.value if newcomer.is_critical(self.config) else newcomer.priority.value
        droppable = [entry for entry in candidates if not self._is_kept(entry) and entry.priority.value <= rank]
        return min(droppable, key=lambda entry: (entry.priority.value, entry.created_at), default=None)

    def _drop_expired(self) -> None:
        oldest = datetime.now(timezone.utc) - timedelta(seconds=self.config.buffer_timeout_seconds)
        self._retrying = [entry for entry in self._retrying if entry.created_at > oldest]
        for user_id, kept in list(self._waiting.items()):
            fresh = [entry for entry in kept if entry.created_at > oldest]
            self._counts["dropped"] += len(kept) - len(fresh)
            if fresh:
                self._waiting[user_id] = fresh
            else:
                del self._waiting[user_id]

    async def _sweep(self) -> None:
        while True:
            self._drop_expired()
            await asyncio.sleep(max(1.0, self.config.buffer_timeout_seconds / 10))
