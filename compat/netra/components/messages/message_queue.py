"""Messages that come before a connection can handle them: kept by priority, flushed in order when it can."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Optional

from compat.canonical.core.logged import get_logger
from compat.netra.components.process_wide import only

from ..connections.state_machine import ApplicationConnectionState, ConnectionStateMachine, StateTransitionInfo
from ..types import ensure_user_id

logger = get_logger(__name__)


class MessagePriority(str, Enum):
    """What is flushed first and dropped last."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class MessageQueueState(str, Enum):
    """What the queue does with a message now."""

    BUFFERING = "buffering"
    FLUSHING = "flushing"
    PASS_THROUGH = "pass_through"
    OVERFLOW = "overflow"
    SUSPENDED = "suspended"
    CLOSED = "closed"


_ORDER = (MessagePriority.CRITICAL, MessagePriority.HIGH, MessagePriority.NORMAL, MessagePriority.LOW)


@dataclass
class QueuedMessage:
    """One message that waits, with its attempts; durations in milliseconds."""

    message_data: dict[str, Any]
    message_type: str
    queued_at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    priority: MessagePriority = MessagePriority.NORMAL
    message_id: Optional[str] = None
    user_id: Optional[str] = None
    connection_id: Optional[str] = None
    attempts: int = 0
    max_attempts: int = 3
    last_attempt: Optional[datetime] = None
    queue_duration_ms: Optional[float] = None
    processing_started_at: Optional[datetime] = None

    def mark_attempt(self) -> None:
        """Count one attempt to process the message."""
        self.attempts += 1
        self.last_attempt = datetime.now(timezone.utc)
        if self.processing_started_at is None:
            self.processing_started_at = self.last_attempt
            self.calculate_queue_duration()

    def calculate_queue_duration(self) -> float:
        """Milliseconds from queueing to the start of processing, kept in ``queue_duration_ms``; 0.0, not kept, before that."""
        if self.processing_started_at is None:
            return 0.0
        self.queue_duration_ms = (self.processing_started_at - self.queued_at).total_seconds() * 1000
        return self.queue_duration_ms

    def is_expired(self, max_age_seconds: float = 300.0) -> bool:
        """Whether the message is older than that."""
        return (datetime.now(timezone.utc) - self.queued_at).total_seconds() > max_age_seconds

    def can_retry(self) -> bool:
        """Whether an attempt is left."""
        return self.attempts < self.max_attempts


class MessageQueue:
    """The queue of one connection: buffers until flushed, then passes messages through to the processor.

    A malformed user id is a ValueError.
    With a state machine it flushes as soon as the connection can handle messages, and suspends while it cannot.
    When ``max_size`` messages wait, the oldest of the lowest priority below the new one makes room; where there is
    none the new message is refused.
    """

    def __init__(
        self,
        connection_id: str,
        user_id: str,
        max_size: int = 1000,
        max_message_age_seconds: float = 300.0,
        state_machine: Optional[ConnectionStateMachine] = None,
    ) -> None:
        self.connection_id = connection_id
        self.user_id = ensure_user_id(user_id)
        self.max_size = max_size
        self.max_message_age_seconds = max_message_age_seconds
        self.state_machine = state_machine
        self._state = MessageQueueState.BUFFERING
        self._queues: dict[MessagePriority, deque[QueuedMessage]] = {priority: deque() for priority in _ORDER}
        self._message_processor: Optional[Callable[[QueuedMessage], Any]] = None
        self._flush_complete_callbacks: list[Callable[[], None]] = []
        self._flush_lock: Optional[asyncio.Lock] = None
        self._flush_task: Optional[asyncio.Task[bool]] = None
        self._metrics = {
            "messages_queued": 0,
            "messages_flushed": 0,
            "messages_dropped": 0,
            "messages_expired": 0,
            "flush_operations": 0,
            "overflow_events": 0,
        }
        self._failed = 0
        self._queue_time_ms = 0.0
        self._peak = 0
        self._created_at = datetime.now(timezone.utc)
        if state_machine is not None:
            state_machine.add_state_change_callback(self._on_state_change)

    @property
    def current_state(self) -> MessageQueueState:
        """What the queue does with a message now."""
        return self._state

    @property
    def is_buffering(self) -> bool:
        """Whether messages are kept for later."""
        return self._state in (MessageQueueState.BUFFERING, MessageQueueState.OVERFLOW, MessageQueueState.SUSPENDED)

    @property
    def is_operational(self) -> bool:
        """Whether messages are on their way; not while they are kept for later, or refused."""
        buffering = (MessageQueueState.BUFFERING, MessageQueueState.SUSPENDED)
        return self._state not in (MessageQueueState.CLOSED, *buffering)

    def set_message_processor(self, processor: Callable[[QueuedMessage], Any]) -> None:
        """Set what handles a message, sync or async; False as its result means it has failed."""
        self._message_processor = processor

    def add_flush_complete_callback(self, callback: Callable[[], None]) -> None:
        """Have a callback called after each flush."""
        self._flush_complete_callbacks.append(callback)

    async def enqueue_message(
        self,
        message_data: dict[str, Any],
        message_type: str = "unknown",
        priority: MessagePriority = MessagePriority.NORMAL,
        message_id: Optional[str] = None,
    ) -> bool:
        """Keep a message, or process it at once in pass-through. False if it was refused or failed."""
        if self._state is MessageQueueState.CLOSED:
            logger.warning(f"Queue of {self.connection_id} is closed, {message_type} message refused")
            return False
        message = QueuedMessage(
            message_data=message_data,
            message_type=message_type,
            priority=priority,
            message_id=message_id or f"msg_{self.connection_id}_{time.time_ns()}",
            user_id=str(self.user_id),
            connection_id=str(self.connection_id),
        )
        if self._state is MessageQueueState.PASS_THROUGH:
            if await self._process(message):
                self._metrics["messages_flushed"] += 1
                return True
            return message.can_retry() and self._keep(message)
        return self._keep(message)

    async def flush_queue(self, force: bool = False) -> bool:
        """Process what waits, by priority and age, then pass messages through.

        ``force`` flushes although the connection is not ready. False if there is no processor, the queue is closed,
        the connection is not ready, or a message has failed for good.
        """
        if self._state is MessageQueueState.CLOSED or self._message_processor is None:
            return False
        if not force and self.state_machine is not None and not self.state_machine.can_process_messages():
            return False
        if self._flush_lock is None:
            self._flush_lock = asyncio.Lock()
        async with self._flush_lock:
            return await self._flush()

    async def clear_queue(self, priority: Optional[MessagePriority] = None) -> int:
        """Drop what waits, of one priority or all, and return how many messages that were."""
        dropped = 0
        for level in _ORDER if priority is None else (priority,):
            dropped += len(self._queues[level])
            self._queues[level].clear()
        self._metrics["messages_dropped"] += dropped
        if self._state is MessageQueueState.OVERFLOW and self._size() < self.max_size:
            self._state = MessageQueueState.BUFFERING
        return dropped

    def get_queue_stats(self) -> dict[str, Any]:
        """State, sizes and counters; durations in milliseconds, ages in seconds."""
        flushed = self._metrics["messages_flushed"]
        return {
            "connection_id": str(self.connection_id),
            "user_id": str(self.user_id),
            "state": self._state.value,
            "is_flushing": self._state is MessageQueueState.FLUSHING,
            "total_size": self._size(),
            "queue_sizes_by_priority": {level.value: len(queue) for level, queue in self._queues.items()},
            "metrics": {
                **self._metrics,
                "average_queue_duration_ms": self._queue_time_ms / flushed if flushed else 0.0,
                "peak_queue_size": self._peak,
                "created_at": self._created_at.isoformat(),
            },
            "max_size": self.max_size,
            "max_message_age_seconds": self.max_message_age_seconds,
            "uptime_seconds": (datetime.now(timezone.utc) - self._created_at).total_seconds(),
        }

    async def close(self) -> None:
        """Take no more messages and drop what waits."""
        if self._state is MessageQueueState.CLOSED:
            return
        self._state = MessageQueueState.CLOSED
        if self.state_machine is not None:
            self.state_machine.remove_state_change_callback(self._on_state_change)
        if self._flush_task is not None and not self._flush_task.done():
            self._flush_task.cancel()
            await asyncio.gather(self._flush_task, return_exceptions=True)
        await self.clear_queue()

    def _size(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def _keep(self, message: QueuedMessage) -> bool:
        if self._size() >= self.max_size:
            self._metrics["overflow_events"] += 1
            if self._state is MessageQueueState.BUFFERING:
                self._state = MessageQueueState.OVERFLOW
            if not self._make_room(message.priority):
                self._metrics["messages_dropped"] += 1
                logger.warning(f"Queue of {self.connection_id} is full, {message.message_type} message refused")
                return False
        self._queues[message.priority].append(message)
        self._metrics["messages_queued"] += 1
        self._peak = max(self._peak, self._size())
        return True

    def _make_room(self, priority: MessagePriority) -> bool:
        for level in reversed(_ORDER[_ORDER.index(priority) + 1 :]):
            if self._queues[level]:
                self._queues[level].popleft()
                self._metrics["messages_dropped"] += 1
                return True
        return False

    async def _flush(self) -> bool:
        self._state = MessageQueueState.FLUSHING
        self._metrics["flush_operations"] += 1
        failed: QueuedMessage | None = None
        lost = 0
        while (message := self._next()) is not None:
            if message.is_expired(self.max_message_age_seconds):
                self._metrics["messages_expired"] += 1
                continue
            if await self._process(message):
                self._metrics["messages_flushed"] += 1
                continue
            if message.can_retry():
                failed = message
            else:
                lost += 1
                self._failed += 1
            break
        if self._state is MessageQueueState.FLUSHING:
            # What may be tried again keeps its place; the queue goes on buffering so that order holds.
            if failed is not None:
                self._queues[failed.priority].appendleft(failed)
            self._state = MessageQueueState.BUFFERING if failed or self._size() else MessageQueueState.PASS_THROUGH
        for callback in tuple(self._flush_complete_callbacks):
            try:
                callback()
            except Exception as error:
                logger.error(f"Flush callback failed for {self.connection_id}: {error}")
        return failed is None and not lost

    def _next(self) -> Optional[QueuedMessage]:
        if self._state is not MessageQueueState.FLUSHING:
            return None
        return next((queue.popleft() for queue in self._queues.values() if queue), None)

    async def _process(self, message: QueuedMessage) -> bool:
        message.mark_attempt()
        if self._message_processor is None:
            return False
        try:
            result = self._message_processor(message)
            if inspect.isawaitable(result):
                result = await result
        except Exception as error:
            logger.error(f"Processing {message.message_id} failed: {error}")
            return False
        if result is False:
            return False
        self._queue_time_ms += message.queue_duration_ms or 0.0
        return True

    def _on_state_change(self, info: StateTransitionInfo) -> None:
        if self._state is MessageQueueState.CLOSED:
            return
        if ApplicationConnectionState.is_operational(info.to_state):
            if self._state is MessageQueueState.SUSPENDED:
                self._state = MessageQueueState.BUFFERING
            if self.is_buffering and self._message_processor is not None:
                self._flush_soon()
        elif info.to_state in (
            ApplicationConnectionState.CLOSING,
            ApplicationConnectionState.CLOSED,
            ApplicationConnectionState.FAILED,
            ApplicationConnectionState.RECONNECTING,
        ):
            self._state = MessageQueueState.SUSPENDED

    def _flush_soon(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # No loop here: the owner flushes.
        self._flush_task = loop.create_task(self.flush_queue())


class MessageQueueRegistry:
    """The queues of many connections, by connection ID. Thread-safe."""

    def __init__(self) -> None:
        self._queues: dict[str, MessageQueue] = {}
        self._lock = threading.RLock()

    def create_message_queue(
        self,
        connection_id: str,
        user_id: str,
        state_machine: Optional[ConnectionStateMachine] = None,
        max_size: int = 1000,
    ) -> MessageQueue:
        """Make the queue of a connection, or return the one it has."""
        key = str(connection_id)
        with self._lock:
            queue = self._queues.get(key)
            if queue is None:
                queue = MessageQueue(connection_id, user_id, max_size, state_machine=state_machine)
                self._queues[key] = queue
            return queue

    def get_message_queue(self, connection_id: str) -> Optional[MessageQueue]:
        """The queue of a connection, or None."""
        with self._lock:
            return self._queues.get(str(connection_id))

    async def remove_message_queue(self, connection_id: str) -> bool:
        """Close and forget the queue of a connection. False if it has none."""
        with self._lock:
            queue = self._queues.pop(str(connection_id), None)
        if queue is None:
            return False
        await queue.close()
        return True

    def get_all_active_queues(self) -> dict[str, MessageQueue]:
        """Queues that are not closed."""
        with self._lock:
            return {key: queue for key, queue in self._queues.items() if queue.current_state is not MessageQueueState.CLOSED}

    def get_registry_stats(self) -> dict[str, Any]:
        """Counts over all queues, and how many are in each state."""
        with self._lock:
            queues = list(self._queues.values())
        distribution: dict[str, int] = {}
        for queue in queues:
            distribution[queue.current_state.value] = distribution.get(queue.current_state.value, 0) + 1
        stats = [queue.get_queue_stats() for queue in queues]
        return {
            "total_queues": len(queues),
            "active_queues": sum(queue.is_operational for queue in queues),
            "state_distribution": distribution,
            "total_queued_messages": sum(each["total_size"] for each in stats),
            "total_messages_queued": sum(each["metrics"]["messages_queued"] for each in stats),
            "total_messages_dropped": sum(each["metrics"]["messages_dropped"] for each in stats),
        }


_message_queue_registry: Optional[MessageQueueRegistry] = None


def get_message_queue_registry() -> MessageQueueRegistry:
    """The process's registry, made at first use."""
    return only(globals(), "_message_queue_registry", MessageQueueRegistry)


def get_message_queue_for_connection(connection_id: str) -> Optional[MessageQueue]:
    """The queue of a connection in the process's registry, or None."""
    return get_message_queue_registry().get_message_queue(connection_id)
