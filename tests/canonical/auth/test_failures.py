"""The bound on failures per address."""

from __future__ import annotations

import pytest

from compat.canonical.auth.failures import FailureLimiter


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def test_an_address_is_blocked_after_the_limit_and_freed_when_failures_age():
    clock = Clock()
    limiter = FailureLimiter(3, 60, clock=clock)
    for _ in range(3):
        assert limiter.retry_after("1.2.3.4") == 0.0
        limiter.record("1.2.3.4")
        clock.now += 10
    assert limiter.retry_after("1.2.3.4") == 30.0
    assert limiter.retry_after("5.6.7.8") == 0.0
    clock.now += 31
    assert limiter.retry_after("1.2.3.4") == 0.0


def test_memory_is_bounded_by_forgetting_the_longest_idle():
    limiter = FailureLimiter(1, 60, max_addresses=2)
    for address in "abc":
        limiter.record(address)
    assert len(limiter) == 2
    assert limiter.retry_after("a") == 0.0
    assert limiter.retry_after("c") > 0


def test_zero_turns_it_off_and_nonsense_is_refused():
    limiter = FailureLimiter(0)
    limiter.record("a")
    assert limiter.retry_after("a") == 0.0
    with pytest.raises(ValueError, match="limit -1 must be >= 0"):
        FailureLimiter(-1)
