"""What the circuit breakers of the case have in common: three states, and how a question and a failure change them.

Each keeps its own counts and attributes, for its callers read and set them.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

State = TypeVar("State", bound=Enum)


class CircuitBreakerState(str, Enum):
    """Closed lets everything through, open nothing, half open tries."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


def when_asked(state: State, opened_at: float, timeout: float, now: float) -> State:
    """The state of a circuit now: one that has been open for ``timeout`` seconds is half open."""
    kind = type(state)
    return kind["HALF_OPEN"] if state is kind["OPEN"] and now - opened_at >= timeout else state


def when_failed(state: State, failures: int, threshold: int, *, reopens: bool) -> State:
    """The state after a failure: ``threshold`` of them open the circuit, and where it ``reopens`` one while it is half open."""
    kind = type(state)
    return kind["OPEN"] if failures >= threshold or (reopens and state is kind["HALF_OPEN"]) else state
