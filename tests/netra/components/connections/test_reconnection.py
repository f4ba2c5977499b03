"""Lost connections are tried again, with growing delays, until they succeed or the attempts are used up."""

from __future__ import annotations

import asyncio
from typing import Any

from compat.netra.components.connections.reconnection import (
    ManagerState,
    ReconnectionConfig,
    ReconnectionContext,
    ReconnectionManager,
    ReconnectionSession,
)

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
        assert manager.get_stats()["successful_attempts"] == 1
        await manager.cleanup()
        assert manager.get_connection_state("conn_1") is None

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


def test_records() -> None:
    assert ReconnectionSession("s", "user_1", "conn_1").buffered_messages == []
    assert ReconnectionContext("user_1").connection_id.startswith("conn_")
