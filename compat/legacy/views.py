"""Dictionaries and locks that legacy code reads off a manager: copies of the canonical state that write through to it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

QUEUE_LIMIT = 1000


class View(dict):  # type: ignore[type-arg]
    """A snapshot; setting and deleting items goes to ``put(key, value)`` and ``drop(key)`` too."""

    def __init__(self, items: dict[Any, Any], put: Callable[[Any, Any], None], drop: Callable[[Any], None]) -> None:
        super().__init__(items)
        self._put, self._drop = put, drop

    def __setitem__(self, key: Any, value: Any) -> None:
        self._put(key, value)
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        super().__delitem__(key)
        self._drop(key)

    def pop(self, key: Any, *default: Any) -> Any:
        """As ``dict.pop``, written through."""
        if key in self:
            self._drop(key)
        return super().pop(key, *default)

    def clear(self) -> None:
        """As ``dict.clear``, written through."""
        for key in list(self):
            self._drop(key)
        super().clear()

    def update(self, *others: Any, **named: Any) -> None:
        """As ``dict.update``, written through."""
        for key, value in dict(*others, **named).items():
            self[key] = value

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """As ``dict.setdefault``, written through."""
        if key not in self:
            self[key] = default
        return self[key]

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


def make_lock() -> asyncio.Lock:
    """An asyncio lock that may be made where no loop runs."""
    return asyncio.Lock() if sys.version_info >= (3, 10) else LateLock()  # type: ignore[return-value]


class LateLock:
    """A lock that is made on the loop that first uses it: before 3.10 it belongs to the loop it is made on."""

    @property
    def __class__(self) -> type:  # type: ignore[override]
        return asyncio.Lock

    def __init__(self) -> None:
        self._lock: asyncio.Lock | None = None

    def _real(self) -> asyncio.Lock:
        if self._lock is None:
            self._lock = asyncio.Lock()
        return self._lock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    async def __aenter__(self) -> None:
        await self._real().acquire()

    async def __aexit__(self, *error: object) -> None:
        self._real().release()


class UserQueues(dict):  # type: ignore[type-arg]
    """A user's event queue, made when it is asked for."""

    def __getitem__(self, user: str) -> Any:
        found = super().__getitem__(user)
        if found is None:
            found = self[user] = asyncio.Queue(maxsize=QUEUE_LIMIT)
        return found
