"""Limits on connecting and sending."""

from __future__ import annotations

import asyncio

import pytest

from compat.netra.components.messages.rate_limits import (
    AdaptiveRateLimiter,
    RateLimitConfig,
    RateLimiter,
    RateLimitExceededException,
    UserRateLimitState,
    WebSocketRateLimiter,
    check_connection_rate_limit,
    get_rate_limiter,
)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_a_window_slides():
    clock = Clock()
    limiter = RateLimiter(2, 10, clock=clock)
    assert [limiter.is_allowed("a") for _ in range(3)] == [True, True, False]
    assert (limiter.get_remaining_quota("a"), limiter.get_remaining_quota("b")) == (0, 2)
    clock.now += 4
    assert (limiter.retry_after("a"), limiter.retry_after("b")) == (6.0, 0.0)
    clock.now += 6
    assert limiter.is_allowed("a")
    limiter.reset("a")
    assert limiter.get_remaining_quota("a") == 2


def test_the_longest_idle_client_is_forgotten_first():
    limiter = RateLimiter(1, 10, max_clients=2)
    for client in "abc":
        assert limiter.is_allowed(client)
    assert limiter.is_allowed("a")
    assert not limiter.is_allowed("c")
    limiter.reset()
    assert limiter.is_allowed("c")


@pytest.mark.parametrize(("load", "allowed"), [(None, 100), (0.6, 100), (0.7, 75), (0.8, 75), (0.9, 50)])
def test_load_shrinks_the_limit(load, allowed):
    limiter = AdaptiveRateLimiter()
    assert sum(limiter.is_allowed("a", load) for _ in range(200)) == allowed
    assert limiter.get_remaining_quota("a") == 0


def test_a_failed_connection_makes_its_address_wait():
    clock = Clock()
    limiter = WebSocketRateLimiter(RateLimitConfig(max_connections_per_ip=2), clock=clock)

    async def run():
        assert await limiter.check_rate_limit("1.2.3.4") == (True, None)
        await limiter.record_connection_attempt("1.2.3.4")
        await limiter.record_connection_complete("1.2.3.4", False)
        assert await limiter.check_rate_limit("1.2.3.4") == (False, 5.0)
        clock.now += 5
        assert await limiter.check_rate_limit("1.2.3.4") == (True, None)
        for _ in range(2):
            await limiter.record_connection_attempt("1.2.3.4")
        assert (await limiter.check_rate_limit("1.2.3.4"))[0] is False
        await limiter.record_connection_complete("1.2.3.4", True)
        assert (await limiter.check_rate_limit("1.2.3.4"))[0] is True

    asyncio.run(run())
    assert (list(limiter.connection_times), limiter.backoff_times) == (["1.2.3.4"], {})
    assert limiter.get_stats() == {
        "tracked_ips": 1,
        "active_backoffs": 0,
        "total_attempts": 3,
        "failed_connections": 1,
        "rate_limited": 2,
        "active_ips": 1,
        "ips_in_backoff": 0,
    }


def test_the_limiter_of_the_process():
    assert get_rate_limiter() is get_rate_limiter()
    assert asyncio.run(check_connection_rate_limit("192.0.2.1")) == (True, None)


def test_the_exception_and_the_records():
    error = RateLimitExceededException("too fast", 2.5)
    assert (str(error), error.retry_after) == ("too fast", 2.5)
    assert RateLimitExceededException("x").retry_after is None
    assert RateLimitConfig().connection_backoff_seconds == 5.0
    assert UserRateLimitState("user_1").is_rate_limited is False
