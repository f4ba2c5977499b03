"""Sessions belong to one user, hold what was put in them, and are open until they are closed."""

from __future__ import annotations

import asyncio

import pytest

from compat.netra.components.connections import user_sessions
from compat.netra.components.connections.user_sessions import UserSessionManager


def test_a_session_holds_its_data_and_its_owner() -> None:
    async def scenario() -> None:
        manager, given = UserSessionManager(), {"device": "phone"}
        session_id = await manager.create_session("user_1", given)
        session = await manager.get_session(session_id)
        assert session == {"user_id": "user_1", "data": {"device": "phone"}, "active": True}
        assert (session["session_id"], session["device"], session.get("device")) == (session_id, "phone", "phone")
        assert "device" in session and "nothing" not in session and session.get("nothing", 1) == 1
        with pytest.raises(KeyError, match=r"'nothing'"):
            session["nothing"]
        assert await manager.update_session(session_id, {"device": "tablet"})
        assert (session["data"]["device"], given["device"]) == ("tablet", "phone")
        assert not await manager.update_session("session_none", {})

    asyncio.run(scenario())


def test_data_cannot_claim_another_owner() -> None:
    async def scenario() -> None:
        manager = UserSessionManager()
        session_id = await manager.create_session("user_1", {"user_id": "user_2"})
        assert (await manager.get_session(session_id))["user_id"] == "user_1"  # type: ignore[index]
        assert await manager.get_user_sessions("user_2") == set()

    asyncio.run(scenario())


def test_a_closed_session_stays_readable_and_its_id_is_not_used_again() -> None:
    async def scenario() -> None:
        manager = UserSessionManager()
        first, second = [await manager.create_session("user_1", {}) for _ in range(2)]
        assert await manager.get_user_sessions("user_1") == {first, second}
        assert await manager.close_session(first) and not await manager.close_session(first)
        assert not await manager.is_session_active(first) and await manager.is_session_active(second)
        assert (await manager.get_session(first))["active"] is False  # type: ignore[index]
        assert await manager.get_user_sessions("user_1") == {second}
        assert await manager.create_session("user_1", {}) not in (first, second)
        manager.clear_all_sessions()
        assert (manager._sessions, manager._user_sessions) == ({}, {})

    asyncio.run(scenario())


def test_old_closed_sessions_are_forgotten(monkeypatch) -> None:
    async def scenario() -> None:
        manager = UserSessionManager()
        made = [await manager.create_session(f"user_{n}", {}) for n in range(3)]
        for session_id in made:
            await manager.close_session(session_id)
        assert list(manager._sessions) == made[1:] and not manager._user_sessions

    monkeypatch.setattr(user_sessions, "CLOSED_KEPT", 2)
    asyncio.run(scenario())
