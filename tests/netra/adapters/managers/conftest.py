"""Legacy code as it is written: the shipped ledger is served, and the process says that it runs tests."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from typing import Any, Callable
from unittest.mock import AsyncMock

import pytest

import compat
from compat.netra import testing_mode
from compat.netra.ledger import LEDGER


@pytest.fixture(autouse=True)
def served(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COMPAT_TESTING", "1")
    monkeypatch.delenv("ENVIRONMENT", raising=False)
    monkeypatch.setattr(testing_mode, "_enabled", True)
    with compat.install(LEDGER):
        yield


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process says that it runs in production: no testing mode."""
    monkeypatch.setattr(testing_mode, "_enabled", False)
    monkeypatch.setenv("COMPAT_TESTING", "1")
    monkeypatch.setenv("ENVIRONMENT", "production")


@pytest.fixture
def manager() -> Any:
    from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager

    return UnifiedWebSocketManager()


@pytest.fixture
def connection() -> Callable[..., Any]:
    """``connection(user, number)``: a record whose socket is an AsyncMock."""

    def make(user_id: str = "user_1", number: int = 1, **more: Any) -> Any:
        from netra_backend.app.websocket_core.unified_manager import WebSocketConnection

        return WebSocketConnection(
            connection_id=more.pop("connection_id", f"conn_{number}"),
            user_id=user_id,
            websocket=more.pop("websocket", None) or AsyncMock(),
            connected_at=more.pop("connected_at", datetime.now(timezone.utc)),
            **more,
        )

    return make


@pytest.fixture
def run() -> Callable[[Any], Any]:
    return asyncio.run
