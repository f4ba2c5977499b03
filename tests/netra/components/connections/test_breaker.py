"""A circuit opens after failures, lets one through after a while, and closes when it works."""

from __future__ import annotations

import asyncio

import pytest

from compat.netra.components.connections.breaker import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerOpenError,
    CircuitState,
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def fails() -> None:
    raise OSError("down")


async def works() -> str:
    return "done"


def test_the_way_of_a_circuit() -> None:
    async def scenario() -> None:
        clock = Clock()
        breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=2, recovery_timeout=10, success_threshold=2), clock)
        for _ in range(2):
            with pytest.raises(OSError, match="down"):
                await breaker.call(fails)
        assert breaker.state is CircuitState.OPEN
        with pytest.raises(CircuitBreakerOpenError, match="Circuit breaker is open after 2 failures; try again in 10 s"):
            await breaker.call(works)
        clock.now = 10
        assert await breaker.call(works) == "done"
        assert breaker.state is CircuitState.HALF_OPEN
        assert await breaker.call_with_circuit_breaker(works) == "done"
        assert breaker.state is CircuitState.CLOSED
        assert breaker.get_statistics() == {
            "state": "closed",
            "failure_count": 0,
            "success_count": 2,
            "total_calls": 4,
            "total_failures": 2,
            "refused_calls": 1,
            "times_opened": 1,
            "failures_by_type": {"websocket": 2},
        }

    asyncio.run(scenario())


def test_a_failure_while_half_open_opens_again() -> None:
    clock = Clock()
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=1, recovery_timeout=1), clock)
    breaker.record_failure()
    clock.now = 1
    assert breaker.is_call_allowed()
    breaker.record_failure()
    assert breaker.state is CircuitState.OPEN


@pytest.mark.parametrize(
    ("environment", "values"), [("development", (10, 5, 1)), ("staging", (3, 15, 2)), ("production", (5, 60, 3))]
)
def test_settings_by_environment(environment: str, values: tuple[int, int, int]) -> None:
    config = CircuitBreakerConfig.of_environment(environment)
    assert (config.failure_threshold, config.recovery_timeout, config.success_threshold) == values
