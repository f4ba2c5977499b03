"""Asyncio locks that may be made where no loop runs, and be used on whichever loop comes first."""

from __future__ import annotations

import asyncio
import sys
from typing import Any


def make_lock() -> asyncio.Lock:
    """An asyncio lock that may be made where no loop runs."""
    return asyncio.Lock() if sys.version_info >= (3, 10) else LateLock()  # type: ignore[return-value]


class LateLock:
    """A lock that is made on the loop that first uses it: before 3.10 it belongs to the loop it is made on."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
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
