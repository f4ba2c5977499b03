"""What cannot be delivered is kept, bounded, tried again and counted."""

from __future__ import annotations

from datetime import timedelta

from compat.netra.components.events.undelivered import UndeliveredMessages, recovered


def test_a_kept_message_carries_its_reason() -> None:
    kept = UndeliveredMessages()
    kept.keep("user_1", {"type": "x"}, "no_connections")
    (message,) = kept.messages["user_1"]
    assert (message["type"], message["failure_reason"], message["recovery_attempts"]) == ("x", "no_connections", 0)
    assert recovered(message) == {"type": "x", "recovered": True}
    assert recovered(message, why=True) == {"type": "x", "recovered": True, "original_failure": "no_connections"}


def test_only_the_latest_fifty_are_kept() -> None:
    kept = UndeliveredMessages()
    for number in range(60):
        kept.keep("user_1", {"n": number}, "no_connections")
    assert [message["n"] for message in kept.messages["user_1"]] == list(range(10, 60))


def test_a_message_is_given_up_after_three_attempts() -> None:
    kept = UndeliveredMessages()
    kept.keep("user_1", {"n": 1}, "no_connections")
    for attempt in (1, 2, 3):
        taken = kept.take("user_1")
        assert len(taken) == 1
        kept.put_back("user_1", taken)
        assert kept.messages["user_1"][0]["recovery_attempts"] == attempt
    assert kept.take("user_1") == []


def test_statistics_and_forgetting() -> None:
    kept = UndeliveredMessages()
    kept.keep("user_1", {}, "no_connections")
    kept.keep("user_1", {}, "no_connections")
    kept.keep("user_2", {}, "all_connections_failed")
    kept.last_errors["user_2"] -= timedelta(hours=30)
    statistics = kept.statistics()
    assert statistics["error_details"]["user_1"]["queued_messages"] == 2
    del statistics["error_details"]
    assert statistics == {
        "total_users_with_errors": 2,
        "total_error_count": 3,
        "total_queued_messages": 3,
        "recent_errors_5min": 1,
        "error_recovery_enabled": True,
        "users_with_queued_messages": 2,
    }
    kept.messages["user_3"] = []
    assert kept.forget(24) == {
        "cleaned_error_users": 1,
        "cleaned_queue_users": 2,
        "remaining_error_users": 1,
        "remaining_queue_users": 1,
    }
    assert kept.statistics()["total_queued_messages"] == 2
