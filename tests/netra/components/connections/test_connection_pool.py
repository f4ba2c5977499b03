"""The connection pool holds sockets by user, and gives nobody another user's."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from compat.netra.components.connections import connection_pool
from compat.netra.components.connections.connection_pool import WebSocketConnectionPool, get_websocket_connection_pool


@pytest.fixture
def pool() -> Any:
    asyncio.run(connection_pool.cleanup_connection_pool())
    yield get_websocket_connection_pool()
    asyncio.run(connection_pool.cleanup_connection_pool())


def socket(state: str = "CONNECTED") -> Any:
    return SimpleNamespace(client_state=SimpleNamespace(name=state), send_json=AsyncMock(), close=AsyncMock())


def test_there_is_one_pool_in_a_process_until_it_is_cleaned_up(pool: Any) -> None:
    assert WebSocketConnectionPool() is pool is get_websocket_connection_pool()
    asyncio.run(connection_pool.cleanup_connection_pool())
    assert get_websocket_connection_pool() is not pool
    assert Mock(spec=WebSocketConnectionPool).add_connection


@pytest.mark.parametrize(
    ("connection", "user", "given", "text"),
    [
        ("", "user_1", "socket", "connection_id and user_id cannot be empty"),
        ("conn_1", "", "socket", "connection_id and user_id cannot be empty"),
        ("conn_1", "user_1", None, "websocket must be a WebSocket instance"),
        ("conn_1", "user_1", "text", "websocket must be a WebSocket instance"),
    ],
)
def test_what_is_no_connection_is_refused(pool: Any, connection: str, user: str, given: Any, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        asyncio.run(pool.add_connection(connection, user, socket() if given == "socket" else given))


def test_nobody_is_given_or_removes_another_users_connection(pool: Any) -> None:
    async def run() -> None:
        mine, too = socket(), socket()
        await pool.add_connection("conn_1", "user_1", mine, {"x": 1})
        await pool.add_connection("conn_1", "user_2", too)
        found = await pool.get_connection("conn_1", "user_1")
        assert (found.websocket, found.metadata) == (mine, {"x": 1})
        assert (await pool.get_connection("conn_1", "user_2")).websocket is too
        assert await pool.get_connection("conn_1", "user_3") is None
        assert await pool.remove_connection("conn_1", "user_3") is False
        assert await pool.remove_connection("conn_1", "user_2") is True
        assert [info.websocket for info in await pool.get_user_connections("user_1")] == [mine]
        assert await pool.get_user_connections("user_2") == []

    asyncio.run(run())


def test_closed_sockets_are_cleaned_up_and_living_ones_stay(pool: Any) -> None:
    async def run() -> None:
        living = socket()
        await pool.add_connection("conn_1", "user_1", living)
        await pool.add_connection("conn_2", "user_1", socket("DISCONNECTED"))
        stats = await pool.get_stats()
        assert (stats.total_connections, stats.connections_by_user, stats.dead_connections) == (2, {"user_1": 2}, 1)
        assert (stats.last_cleanup, stats.cleanup_count) == (None, 0)
        assert await pool.cleanup_stale_connections() == 1
        stats = await pool.get_stats()
        assert (stats.total_connections, stats.cleanup_count, stats.last_cleanup is not None) == (1, 1, True)
        assert [entry["event"] for entry in await pool.get_audit_trail()] == ["added", "added", "removed"]
        assert [entry["connection_id"] for entry in await pool.get_audit_trail(1)] == ["conn_2"]
        await pool.shutdown()
        living.close.assert_awaited_once()
        assert (await pool.get_stats()).total_connections == 0

    asyncio.run(run())
