"""Events are followed from creation to confirmation."""

from __future__ import annotations

from datetime import timedelta

from compat.netra.components.events.delivery_tracker import EventDeliveryStatus, EventDeliveryTracker


def test_the_way_of_an_event() -> None:
    tracker = EventDeliveryTracker()
    event = tracker.track_event("agent_started", "user_1", "run_1", "thread_1", {"x": 1})
    assert tracker.get_event_status(event) is EventDeliveryStatus.PENDING
    assert tracker.mark_event_sent(event)
    assert [record.event_id for record in tracker.get_pending_events()] == [event]
    assert tracker.mark_event_confirmed(event)
    assert tracker.get_pending_events() == []
    metrics = tracker.get_metrics()
    assert (metrics["total_events"], metrics["events_confirmed"], metrics["success_rate"]) == (1, 1, 1.0)


def test_failures_are_retried_until_the_attempts_are_used_up() -> None:
    tracker = EventDeliveryTracker()
    event = tracker.track_event("own", "user_1", "run_1", None, {}, max_retries=2)
    tracker.mark_event_sent(event)
    tracker.mark_event_failed(event, "down")
    record = tracker.get_event_record(event)
    assert record is not None
    assert (record.status, record.should_retry(), record.get_next_retry_delay()) == (EventDeliveryStatus.RETRYING, True, 1.0)
    tracker.mark_event_sent(event)
    assert record.get_next_retry_delay() == 2.0
    tracker.mark_event_failed(event, "down")
    assert (record.status, record.should_retry(), record.error_count) == (EventDeliveryStatus.FAILED, False, 2)


def test_an_event_that_is_open_too_long_has_timed_out() -> None:
    tracker = EventDeliveryTracker()
    event = tracker.track_event("own", "user_1", "run_1", None, {}, timeout_s=-1)
    assert tracker.get_event_status(event) is EventDeliveryStatus.TIMEOUT
    assert tracker.get_metrics()["events_failed"] == 1


def test_unknown_events_and_forgetting() -> None:
    tracker = EventDeliveryTracker(limit=2)
    assert tracker.get_event_status("no") is None
    assert (tracker.mark_event_sent("no"), tracker.mark_event_confirmed("no"), tracker.mark_event_failed("no", "")) == (
        False,
    ) * 3
    first = tracker.track_event("own", "user_1", "run_1", None, {})
    tracker.track_event("own", "user_2", "run_1", None, {})
    third = tracker.track_event("own", "user_2", "run_1", None, {})
    assert tracker.get_event_record(first) is None
    tracker._records[third].created_at -= timedelta(hours=2)
    assert tracker.forget_older(3600) == 1
    assert len(tracker.get_user_events("user_2")) == 1
    assert tracker.forget_user("user_2") == 1
