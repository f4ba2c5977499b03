"""Lost connections are tried again, with growing delays, until they succeed or the attempts are used up."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("pydantic", reason="pydantic is in the server extra")

from compat.netra.components.connections.reconnecting import manager as reconnection_manager
from compat.netra.components.connections.reconnecting.handler import (
    ReconnectionConfig,
    ReconnectionContext,
    ReconnectionSession,
    ReconnectionState,
)
from compat.netra.components.connections.reconnecting.manager import ReconnectionManager
from compat.netra.components.connections.reconnecting.manager import ReconnectionState as ManagerState
from compat.netra.components.messages.setting_models import ReconnectionConfig as Settings

QUICK = ReconnectionConfig(max_retries=3, initial_delay_seconds=0, jitter_enabled=False)


def test_delays_double_up_to_the_longest() -> None:
    config = ReconnectionConfig(jitter_enabled=False)
    assert [config.delay(attempt) for attempt in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
    assert 1 <= ReconnectionConfig().delay(1) <= 1.1


def test_it_tries_until_it_succeeds() -> None:
    async def scenario() -> None:
        answers: list[Any] = [OSError("down"), False, True]

        async def connect() -> Any:
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        manager = ReconnectionManager(QUICK)
        manager.register_connection("conn_1", connect)
        assert await manager.force_reconnect("conn_1") is True
        assert manager.get_connection_state("conn_1") is ManagerState.CONNECTED
        assert [attempt.success for attempt in manager.get_attempt_history("conn_1")] == [False, False, True]
        assert manager.get_stats()["successful_reconnections"] == 1
        await manager.cleanup()
        assert manager.get_connection_state("conn_1") is None
        assert manager.get_stats()["total_attempts"] == 3

    asyncio.run(scenario())


def test_it_gives_up_and_can_be_disabled() -> None:
    async def scenario() -> None:
        manager = ReconnectionManager(QUICK)
        manager.register_connection("conn_1", lambda: False)
        assert await manager.force_reconnect("conn_1") is False
        assert manager.get_connection_state("conn_1") is ManagerState.FAILED
        manager.disable_reconnection("conn_1")
        await manager.handle_connection_lost("conn_1")
        assert manager.is_reconnecting("conn_1") is False
        manager.enable_reconnection("conn_1")
        assert manager.get_connection_state("conn_1") is ManagerState.IDLE
        await manager.cleanup()

    asyncio.run(scenario())


@pytest.mark.parametrize("config", [Settings(max_attempts=3, initial_delay_seconds=0, jitter_enabled=False), QUICK])
def test_the_settings_of_the_types_and_of_the_handler_both_say_how_often(config: Any) -> None:
    async def scenario() -> None:
        calls: list[int] = []

        def connect() -> bool:
            calls.append(1)
            raise OSError("down")

        manager = ReconnectionManager(config)
        manager.register_connection("conn_1", connect)
        assert manager.get_connection_state("conn_1") is ManagerState.CONNECTED
        await manager.handle_connection_lost("conn_1")
        assert manager.get_connection_state("conn_1") is ManagerState.ATTEMPTING
        await manager.reconnection_tasks["conn_1"]
        assert (len(calls), manager.get_connection_state("conn_1")) == (3, ManagerState.FAILED)
        stats = manager.get_stats()
        assert stats.pop("config")["initial_delay_seconds"] == 0
        assert stats == {
            "total_attempts": 3,
            "successful_reconnections": 0,
            "failed_reconnections": 1,
            "active_reconnections": 0,
            "managed_connections": 1,
            "connection_states": {"conn_1": "failed"},
        }
        assert manager.stats["total_attempts"] == 3

    asyncio.run(scenario())


def test_the_manager_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnection_manager, "_reconnection_manager", None)
    settings = Settings(jitter_enabled=False)
    made = asyncio.run(reconnection_manager.setup_connection_with_reconnection("conn_1", lambda: True, settings))
    assert reconnection_manager.get_reconnection_manager() is made and made.config is settings
    assert [reconnection_manager.calculate_next_reconnect_delay(attempt, settings) for attempt in (1, 2, 3)] == [1, 2, 4]
    assert ReconnectionManager().config.max_attempts == 5


def test_records() -> None:
    assert ReconnectionSession("s", "user_1", "conn_1").buffered_messages == []
    context = ReconnectionContext("user_1")
    assert (context.connection_id, context.timestamp, context.reason) == ("conn_user_1", None, None)
    assert context.state is ReconnectionState.CONNECTING
