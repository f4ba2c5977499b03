"""Follow single events from creation to the client's confirmation: sent, confirmed, failed, to be retried, timed out."""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from functools import cache
from typing import Any


class EventDeliveryStatus(Enum):
    """Where an event is."""

    PENDING = "pending"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    RETRYING = "retrying"
    TIMEOUT = "timeout"


class EventPriority(Enum):
    """How much an event matters."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


_OPEN = (EventDeliveryStatus.PENDING, EventDeliveryStatus.SENT, EventDeliveryStatus.RETRYING)


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class EventDeliveryRecord:
    """One event and what became of it. Times are UTC, ``retry_delay_ms`` doubles with each attempt."""

    event_id: str
    event_type: str
    user_id: str
    run_id: str
    thread_id: str | None
    priority: EventPriority
    data: dict[str, Any]
    status: EventDeliveryStatus = EventDeliveryStatus.PENDING
    created_at: datetime = field(default_factory=_now)
    sent_at: datetime | None = None
    confirmed_at: datetime | None = None
    failed_at: datetime | None = None
    attempt_count: int = 0
    max_retries: int = 3
    retry_delay_ms: int = 1000
    timeout_s: float = 30.0
    last_error: str | None = None
    error_count: int = 0
    total_delivery_time_ms: float | None = None

    def is_expired(self) -> bool:
        """Whether the event is still open after its timeout."""
        return self.status in _OPEN and (_now() - self.created_at).total_seconds() > self.timeout_s

    def should_retry(self) -> bool:
        """Whether a failed event has attempts left and is not too old."""
        waiting = self.status in (EventDeliveryStatus.FAILED, EventDeliveryStatus.RETRYING)
        return waiting and self.attempt_count < self.max_retries and not self.is_expired()

    def get_next_retry_delay(self) -> float:
        """Seconds until the next attempt."""
        return float(self.retry_delay_ms) / 1000 * 2.0 ** max(0, self.attempt_count - 1)


class EventDeliveryTracker:
    """The events of one owner; the oldest are forgotten beyond ``limit``."""

    def __init__(self, limit: int = 10_000) -> None:
        self._records: OrderedDict[str, EventDeliveryRecord] = OrderedDict()
        self._limit = limit

    def track_event(
        self,
        event_type: str,
        user_id: str,
        run_id: str,
        thread_id: str | None,
        data: dict[str, Any],
        priority: EventPriority = EventPriority.NORMAL,
        timeout_s: float = 30.0,
        max_retries: int = 3,
    ) -> str:
        """Follow a new event; return its id."""
        event_id = f"evt_{uuid.uuid4().hex}"
        self._records[event_id] = EventDeliveryRecord(
            event_id, event_type, user_id, run_id, thread_id, priority, data, timeout_s=timeout_s, max_retries=max_retries
        )
        while len(self._records) > self._limit:
            self._records.popitem(last=False)
        return event_id

    def mark_event_sent(self, event_id: str) -> bool:
        """Note an attempt; False for an unknown event."""
        record = self._records.get(event_id)
        if record is None:
            return False
        record.status, record.sent_at = EventDeliveryStatus.SENT, _now()
        record.attempt_count += 1
        return True

    def mark_event_confirmed(self, event_id: str) -> bool:
        """Note the client's confirmation; False for an unknown event."""
        record = self._records.get(event_id)
        if record is None:
            return False
        record.status, record.confirmed_at = EventDeliveryStatus.CONFIRMED, _now()
        record.total_delivery_time_ms = (record.confirmed_at - record.created_at).total_seconds() * 1000
        return True

    def mark_event_failed(self, event_id: str, error: str) -> bool:
        """Note a failure: ``RETRYING`` while attempts are left, then ``FAILED``; False for an unknown event."""
        record = self._records.get(event_id)
        if record is None:
            return False
        record.failed_at, record.last_error = _now(), error
        record.error_count += 1
        left = record.attempt_count < record.max_retries
        record.status = EventDeliveryStatus.RETRYING if left else EventDeliveryStatus.FAILED
        return True

    def get_event_status(self, event_id: str) -> EventDeliveryStatus | None:
        """Where an event is; None for an unknown one."""
        record = self.get_event_record(event_id)
        return record.status if record else None

    def get_event_record(self, event_id: str) -> EventDeliveryRecord | None:
        """The record of an event; one that is open too long has timed out."""
        record = self._records.get(event_id)
        if record is not None and record.is_expired():
            record.status = EventDeliveryStatus.TIMEOUT
        return record

    def get_user_events(self, user_id: str) -> list[EventDeliveryRecord]:
        """One user's records, oldest first."""
        return [record for record in self._records.values() if record.user_id == user_id]

    def get_pending_events(self) -> list[EventDeliveryRecord]:
        """Records that are neither confirmed nor given up."""
        return [record for record in list(self._records.values()) if self.get_event_status(record.event_id) in _OPEN]

    def forget_user(self, user_id: str) -> int:
        """Forget one user's events; how many."""
        return self._forget(record.event_id for record in self.get_user_events(user_id))

    def forget_older(self, seconds: float) -> int:
        """Forget events made longer ago than ``seconds``; how many."""
        oldest = _now() - timedelta(seconds=seconds)
        return self._forget(record.event_id for record in list(self._records.values()) if record.created_at < oldest)

    def _forget(self, event_ids: Iterable[str]) -> int:
        return sum(self._records.pop(event_id, None) is not None for event_id in list(event_ids))

    def get_metrics(self) -> dict[str, Any]:
        """Return counts by status, the share confirmed and the mean time to confirmation in milliseconds."""
        by_status = dict.fromkeys((status.value for status in EventDeliveryStatus), 0)
        for event_id in self._records:
            status = self.get_event_status(event_id)
            by_status[status.value if status else "pending"] += 1
        times = [record.total_delivery_time_ms for record in self._records.values() if record.total_delivery_time_ms is not None]
        total = len(self._records)
        return {
            "total_events": total,
            "total_events_tracked": total,
            "active_events": sum(by_status[status.value] for status in _OPEN),
            "events_by_status": by_status,
            "events_confirmed": by_status["confirmed"],
            "events_failed": by_status["failed"] + by_status["timeout"],
            "success_rate": by_status["confirmed"] / total if total else 0.0,
            "average_delivery_time_ms": sum(times) / len(times) if times else 0.0,
        }


@cache
def get_event_delivery_tracker() -> EventDeliveryTracker:
    """The tracker of this process."""
    return EventDeliveryTracker()
