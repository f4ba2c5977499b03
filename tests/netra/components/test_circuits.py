"""How a circuit changes: by time, and by failures."""

from __future__ import annotations

import pytest

from compat.netra.components.circuits import CircuitBreakerState, when_asked, when_failed
from compat.netra.components.connections.breaker import CircuitState


@pytest.mark.parametrize("kind", [CircuitBreakerState, CircuitState])
def test_an_open_circuit_is_half_open_once_its_time_is_up(kind: type[CircuitState]) -> None:
    assert when_asked(kind.OPEN, 10.0, 5.0, 14.9) is kind.OPEN
    assert when_asked(kind.OPEN, 10.0, 5.0, 15.0) is kind.HALF_OPEN
    assert when_asked(kind.CLOSED, 10.0, 5.0, 99.0) is kind.CLOSED


@pytest.mark.parametrize("reopens", [True, False])
def test_failures_open_a_circuit_and_one_reopens_it_where_it_is_so(reopens: bool) -> None:
    kind = CircuitBreakerState
    assert when_failed(kind.CLOSED, 2, 3, reopens=reopens) is kind.CLOSED
    assert when_failed(kind.CLOSED, 3, 3, reopens=reopens) is kind.OPEN
    assert when_failed(kind.HALF_OPEN, 1, 3, reopens=reopens) is (kind.OPEN if reopens else kind.HALF_OPEN)
