"""Sessions belong to one user, hold what was put in them, and are forgotten when closed."""

from __future__ import annotations

import asyncio

import pytest

from compat.canonical.sessions import UserSessionManager


def test_a_session_holds_its_data_and_its_owner() -> None:
    async def scenario() -> None:
        manager = UserSessionManager()
        session_id = await manager.create_session("user_1", {"device": "phone"})
        session = await manager.get_session(session_id)
        assert session is not None
        assert (session["user_id"], session["session_id"], session["device"]) == ("user_1", session_id, "phone")
        assert (session["data"], session["active"]) == ({"device": "phone"}, True)
        with pytest.raises(KeyError, match=r"'nothing'"):
            session["nothing"]
        assert await manager.update_session(session_id, {"device": "tablet", "user_id": "user_2"})
        assert (session["device"], session["user_id"]) == ("tablet", "user_1")

    asyncio.run(scenario())


def test_data_cannot_claim_another_owner() -> None:
    async def scenario() -> None:
        manager = UserSessionManager()
        session_id = await manager.create_session("user_1", {"user_id": "user_2"})
        assert (await manager.get_session(session_id))["user_id"] == "user_1"  # type: ignore[index]
        assert await manager.get_user_sessions("user_2") == set()

    asyncio.run(scenario())


def test_a_closed_session_is_forgotten_and_its_id_not_used_again() -> None:
    async def scenario() -> None:
        manager = UserSessionManager()
        first = await manager.create_session("user_1", {})
        second = await manager.create_session("user_1", {})
        assert await manager.get_user_sessions("user_1") == {first, second}
        assert await manager.close_session(first)
        assert not await manager.close_session(first)
        assert not await manager.is_session_active(first)
        assert await manager.is_session_active(second)
        assert await manager.get_session(first) is None
        assert not await manager.update_session(first, {})
        assert await manager.create_session("user_1", {}) not in (first, second)
        manager.clear_all_sessions()
        assert (manager._sessions, manager._user_sessions) == ({}, {})

    asyncio.run(scenario())
