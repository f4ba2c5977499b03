"""Run an awaitable up to its first suspension on the caller's stack, and let a task finish what did not end there."""

from __future__ import annotations

from collections.abc import Generator
from types import CoroutineType
from typing import Any


class Suspended:
    """An awaitable that was begun and waits for something; awaiting it goes on from there."""

    __slots__ = ("_awaited", "_steps")

    def __init__(self, steps: Any, awaited: Any) -> None:
        self._steps, self._awaited = steps, awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        steps, awaited = self._steps, self._awaited
        while True:
            try:
                try:
                    answer = yield awaited
                except BaseException as exc:
                    awaited = steps.throw(exc)
                else:
                    awaited = steps.send(answer)
            except StopIteration as stop:
                return stop.value


def is_awaitable(value: object) -> bool:
    """Say whether ``value`` can be awaited; its class decides, since mocks answer to every attribute."""
    return hasattr(type(value), "__await__")


def begin(awaitable: Any) -> Suspended | None:
    """Run ``awaitable`` until it ends (None) or first waits (what is left of it).

    A send whose socket has room ends at once, and so needs no task and no turn of the loop. What is not awaitable (the
    result of a plain function) counts as ended.
    """
    if awaitable is None:
        return None
    if type(awaitable) is CoroutineType:
        steps: Any = awaitable
    elif is_awaitable(awaitable):
        steps = awaitable.__await__()
    else:
        return None
    try:
        return Suspended(steps, steps.send(None) if hasattr(steps, "send") else next(steps))
    except StopIteration:
        return None
