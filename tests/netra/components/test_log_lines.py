"""Managers, emitters and bridges log one line for one record, whatever users call themselves."""

from __future__ import annotations

import asyncio
from unittest.mock import AsyncMock, Mock

import pytest

from compat.canonical.factory import WebSocketManagerFactory, set_websocket_manager_factory
from compat.netra.adapters.managers.websocket_manager import SharedWebSocketManager
from compat.netra.components.agents.agent_bridge import AgentWebSocketBridge
from compat.netra.components.agents.emitters.unified import UnifiedWebSocketEmitter

FORGED = "user_1\nCRITICAL root: all is lost"
SHOWN = "user_1\\nCRITICAL root: all is lost"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_user_id_with_a_newline_forges_no_line(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        await SharedWebSocketManager().disconnect_user(FORGED)
        away = Mock(is_connection_active=Mock(return_value=False))
        await UnifiedWebSocketEmitter(away, FORGED).emit("auth_failed", {})
        refused = AsyncMock(side_effect=OSError(f"for {FORGED}"))
        failing = Mock(is_connection_active=Mock(return_value=True), emit_critical_event=refused)
        await UnifiedWebSocketEmitter(failing, FORGED).emit("agent_started", {})
        await UnifiedWebSocketEmitter(failing, FORGED).notify_agent_error("bad\nCRITICAL x")
        assert await AgentWebSocketBridge().notify_agent_started(f"run_{FORGED}", "a") is False

    before = set_websocket_manager_factory(WebSocketManagerFactory())
    try:
        asyncio.run(run())
    finally:
        set_websocket_manager_factory(before)
    assert [record.getMessage() for record in caplog.records if record.name.startswith("compat")] == [
        f"user {SHOWN} has no such connection",
        f"user {SHOWN} has no active connection; auth_failed not sent",
        f"agent_started for user {SHOWN} failed after 2 tries: for {SHOWN}",
        f"agent_error for user {SHOWN} failed: for {SHOWN}",
        f"no manager for run run_{SHOWN}; agent_started not sent",
    ]
