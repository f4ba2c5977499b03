"""Managers that legacy modules held as module attributes. Each user's connections are behind a manager of their own."""

from __future__ import annotations

from typing import Any

from .websocket_manager import SharedWebSocketManager


def __getattr__(name: str) -> Any:
    # Made at first use, for a process that only imports this must not make one.
    if name != "manager":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()["manager"] = SharedWebSocketManager()
    return found
