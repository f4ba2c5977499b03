"""The bounded outbox: what waits, what gives way, what the client is told."""

from __future__ import annotations

import pytest

from compat.canonical.core.events import Draft, Event
from compat.canonical.core.outbox import Outbox, OverflowPolicy


def event(seq: int, *, critical: bool = False, size: int = 10) -> Event:
    return Event(Draft.from_record(("x" * size, "t", critical, None)), "e", seq)


def drain(outbox: Outbox) -> list[object]:
    taken: list[object] = []
    while True:
        item = outbox.pop()
        if item is None:
            return taken
        taken.append(item.seq or item.message())


def test_events_leave_in_the_order_they_came() -> None:
    outbox = Outbox(10, 1000, OverflowPolicy.DROP_OLDEST)
    assert all(outbox.put(event(n)) for n in (1, 2, 3))
    assert (len(outbox), outbox.size) == (3, 30)
    assert drain(outbox) == [1, 2, 3]
    assert (len(outbox), outbox.size) == (0, 0)


def test_the_oldest_event_that_is_not_critical_gives_way_and_the_client_is_told() -> None:
    outbox = Outbox(3, 1000, OverflowPolicy.DROP_OLDEST)
    for item in (event(1, critical=True), event(2), event(3), event(4)):
        assert outbox.put(item)
    assert drain(outbox) == [{"type": "gap", "missing": 1, "reason": "slow_consumer"}, 1, 3, 4]
    assert outbox.dropped == 1


def test_a_full_outbox_of_critical_events_refuses_another_one() -> None:
    outbox = Outbox(2, 1000, OverflowPolicy.DROP_OLDEST)
    assert outbox.put(event(1, critical=True))
    assert outbox.put(event(2, critical=True))
    assert not outbox.put(event(3, critical=True))


def test_in_a_full_outbox_of_critical_events_a_newcomer_that_is_not_critical_is_dropped() -> None:
    outbox = Outbox(2, 1000, OverflowPolicy.DROP_OLDEST)
    for item in (event(1, critical=True), event(2, critical=True), event(3)):
        assert outbox.put(item)
    assert drain(outbox) == [{"type": "gap", "missing": 1, "reason": "slow_consumer"}, 1, 2]


def test_missed_events_queue_behind_what_waits_and_its_gap_and_bound_nothing() -> None:
    outbox = Outbox(2, 1000, OverflowPolicy.DROP_OLDEST)
    for n in (1, 2, 3):
        outbox.put(event(n))
    outbox.put_missed(event(n) for n in range(4, 10))
    assert (len(outbox), outbox.size, outbox.dropped) == (9, 0, 1)
    assert outbox.put(event(10))
    assert drain(outbox) == [{"type": "gap", "missing": 1, "reason": "slow_consumer"}, *range(2, 11)]


def test_the_other_policy_refuses_at_once() -> None:
    outbox = Outbox(1, 1000, OverflowPolicy.CLOSE)
    assert outbox.put(event(1))
    assert not outbox.put(event(2))


def test_bytes_are_bounded_as_well_and_one_event_always_fits() -> None:
    outbox = Outbox(100, 25, OverflowPolicy.DROP_OLDEST)
    assert outbox.put(event(1, size=40))
    assert outbox.put(event(2, size=20))
    assert drain(outbox)[1:] == [2]


def test_replayed_events_wait_in_front_and_are_not_counted() -> None:
    outbox = Outbox(2, 1000, OverflowPolicy.CLOSE)
    outbox.put(event(9))
    outbox.preload(event(n) for n in range(1, 6))
    outbox.preload([event(6)])
    outbox.put_first([Event(Draft({"type": "hello"}), "", 0)])
    assert outbox.put(event(10))
    assert drain(outbox) == [{"type": "hello"}, 1, 2, 3, 4, 5, 6, 9, 10]


@pytest.mark.parametrize("policy", list(OverflowPolicy))
def test_clearing_returns_what_waited(policy: OverflowPolicy) -> None:
    outbox = Outbox(10, 1000, policy)
    outbox.put(event(3))
    outbox.preload([event(1), event(2)])
    assert [e.seq for e in outbox.clear()] == [1, 2, 3]
    assert len(outbox) == 0


def said(kind: str) -> Event:
    return Event(Draft({"type": kind}, True), "", 0)


def test_what_a_replay_does_not_bring_again_is_kept_behind_it_and_a_greeting_before() -> None:
    outbox = Outbox(4, 1000, OverflowPolicy.DROP_OLDEST)
    outbox.preload([said("connection_established"), event(1), said("resync")])
    for item in (event(2), said("ack"), event(3), said("error"), event(4)):
        assert outbox.put(item)
    outbox.forget_events()
    outbox.preload([event(1), event(2)])
    left = [outbox.pop() for _ in range(len(outbox))]
    assert [item.seq or item.type for item in left] == ["connection_established", 1, 2, "ack", "error"]
    assert (outbox.size, outbox.missing) == (0, 0)
