"""Contexts held by key: bounded, expiring, and never handed to another user."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from compat.netra.components.context import (
    ContextIsolationError,
    InvalidContextError,
    UserContextManager,
    UserExecutionContext,
    register_shared_object,
)
from compat.netra.components.context.isolation import clear_shared_object_registry


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def make(user_id: str = "user_1", **fields: Any) -> UserExecutionContext:
    return UserExecutionContext(user_id=user_id, thread_id="thread_1", run_id="run_1", **fields)


def test_a_context_is_held_until_it_is_cleared() -> None:
    held = UserContextManager()
    context = make()
    held.set_context("key", context)
    assert held.get_context("key") is context
    assert held.validate_isolation("key")
    assert held.clear_context("key")
    assert not held.clear_context("key")
    with pytest.raises(KeyError) as caught:
        held.get_context("key")
    assert isinstance(caught.value, InvalidContextError)
    assert str(caught.value) == "Context not found: key"


def test_a_key_is_one_users() -> None:
    held = UserContextManager()
    held.set_context("key", make("user_1"))
    with pytest.raises(ContextIsolationError, match="key 'key' holds a context of user 'user_1', not of 'user_2'"):
        held.set_context("key", make("user_2"))
    held.set_context("key", make("user_1"))


def test_contexts_expire() -> None:
    clock = Clock()
    held = UserContextManager(clock=clock)
    held.set_context("short", make(), ttl_seconds=10)
    held.set_context("long", make())
    clock.now = 11
    assert sorted(held.get_active_contexts()) == ["long"]
    with pytest.raises(KeyError) as caught:
        held.get_context("short")
    assert str(caught.value) == "Context expired: short"
    clock.now = 4000
    assert held.cleanup_all_expired() == 1


def test_a_user_has_so_many_contexts_and_other_users_keep_theirs() -> None:
    clock = Clock()
    held = UserContextManager(clock=clock)
    for number in range(held.MAX_CONTEXTS_PER_USER):
        held.set_context(f"key {number}", make(), ttl_seconds=10)
    with pytest.raises(RuntimeError, match="^User context limit exceeded for user_1: 100$"):
        held.set_context("one more", make())
    held.set_context("other", make("user_2"))
    held.set_context("key 0", make(), ttl_seconds=20)
    clock.now = 11
    held.set_context("one more", make())
    assert sorted(held.get_active_contexts()) == ["key 0", "one more", "other"]


def test_the_total_is_bounded() -> None:
    held = UserContextManager()
    held.MAX_TOTAL_CONTEXTS = 2
    held.set_context("a", make("user_1"))
    held.set_context("b", make("user_2"))
    with pytest.raises(RuntimeError, match="^System-wide context limit exceeded: 2$"):
        held.set_context("c", make("user_3"))
    assert held.cleanup_all_contexts() == 2


def test_health_is_fewer_than_a_tenth_of_errors() -> None:
    held = UserContextManager()
    assert held.is_healthy()
    with pytest.raises(KeyError):
        held.get_context("none")
    assert not held.is_healthy()
    for _ in range(10):
        held.set_context("key", make())
    assert held.is_healthy()


def test_active_contexts_are_described() -> None:
    clock = Clock()
    held = UserContextManager(clock=clock)
    before = time.time()
    held.set_context("key", make(websocket_client_id="ws_1"), ttl_seconds=60)
    clock.now = 5
    (described,) = held.get_active_contexts().values()
    assert before <= described.pop("created_at") <= time.time()
    assert described == {
        "user_id": "user_1",
        "ttl_seconds": 60,
        "age_seconds": 5,
        "has_db_session": False,
        "has_websocket": True,
    }


def test_a_context_that_became_shared_is_found() -> None:
    held = UserContextManager()
    context = make(agent_context={"list": []})
    held.set_context("key", context)
    register_shared_object(context.agent_context["list"])
    try:
        assert not held.is_healthy()
        with pytest.raises(ContextIsolationError):
            held.validate_isolation("key")
    finally:
        clear_shared_object_registry()


def test_the_trail_outlives_the_context() -> None:
    held = UserContextManager()
    held.set_context("key", make())
    held.clear_context("key")
    trail = held.get_audit_trail("key")
    assert trail is not None
    assert [event["event"] for event in trail["events"]] == ["set", "cleared"]
    assert {key: value for key, value in trail.items() if key not in ("events", "context_set_at", "request_id")} == {
        "context_key": "key",
        "context_source": "user_context_manager",
        "isolation_verified": True,
        "compliance_version": "1.0",
        "total_events": 2,
        "user_id": "user_1",
        "thread_id": "thread_1",
        "ttl_seconds": 3600,
        "has_db_session": False,
        "has_websocket": False,
    }
    assert trail["context_set_at"] == trail["events"][0]["timestamp"]
    assert held.get_audit_trail("unknown") is None


def test_contexts_are_made_and_held() -> None:
    held = UserContextManager()
    assert held.create_isolated_context("user_1", "req_1", thread_id="thread_9").thread_id == "thread_9"
    assert held.create_context_with_unified_ids("user_1").request_id.startswith("req_managed_")
    context = held.create_managed_context("user_1", "req_1")
    assert held.get_context("user_1:req_1") is context


def test_work_is_done_in_the_users_latest_context() -> None:
    seen: list[Any] = []

    async def run(context: UserExecutionContext, name: str, parameters: dict[str, Any]) -> str:
        seen.append((context.user_id, name, parameters))
        return "done"

    held = UserContextManager(run_agent=run)
    held.set_context("key", make())
    assert asyncio.run(held.execute_with_agent("user_1", "triage", {"a": 1})) == "done"
    assert seen == [("user_1", "triage", {"a": 1})]
    with pytest.raises(InvalidContextError, match="No context of user 'user_2' is held"):
        asyncio.run(held.execute_with_agent("user_2", "triage", {}))
    with pytest.raises(RuntimeError, match="no agents to run"):
        bare = UserContextManager()
        bare.set_context("key", make())
        asyncio.run(bare.execute_with_agent("user_1", "triage", {}))


class Session:
    def __init__(self) -> None:
        self.log: list[str] = []

    async def execute(self, query: str) -> str:
        self.log.append(query)
        if query == "broken":
            raise ValueError(query)
        return "rows"

    async def commit(self) -> None:
        self.log.append("commit")

    async def rollback(self) -> None:
        self.log.append("rollback")


def test_queries_are_committed_or_rolled_back() -> None:
    held, session = UserContextManager(), Session()
    held.set_context("key", make(db_session=session))
    assert asyncio.run(held.execute_in_transaction("user_1", "select")) == "rows"
    with pytest.raises(ValueError, match="broken"):
        asyncio.run(held.execute_in_transaction("user_1", "broken"))
    assert session.log == ["select", "commit", "broken", "rollback"]
    held.create_context_with_transaction("user_2")
    with pytest.raises(InvalidContextError, match="has no database session"):
        asyncio.run(held.execute_in_transaction("user_2", "select"))


def test_cleaning_up_runs_the_callbacks() -> None:
    done: list[int] = []
    held = UserContextManager()
    held.set_context("key", make(cleanup_callbacks=[lambda: done.append(1)]))
    asyncio.run(held.cleanup_context("key"))
    asyncio.run(held.cleanup_context("key"))
    assert done == [1]


def test_events_reach_the_users_own_manager() -> None:
    from compat.canonical.factory import WebSocketManagerFactory, set_websocket_manager_factory

    async def run() -> list[str]:
        before = set_websocket_manager_factory(WebSocketManagerFactory())
        try:
            held = UserContextManager()
            held.set_context("key", make())
            await held.notify_context_change("user_1", "updated")
            from compat.canonical.factory import get_websocket_manager

            return [event.type for event in await get_websocket_manager(make()).history()]
        finally:
            set_websocket_manager_factory(before)

    assert asyncio.run(run()) == ["context_changed"]


def test_expired_contexts_make_room_by_themselves() -> None:
    clock = Clock()
    held = UserContextManager(clock=clock)
    held.MAX_TOTAL_CONTEXTS = 1
    held.set_context("old", make(), ttl_seconds=1)
    clock.now = 2
    held.set_context("new", make("user_2"))
    assert sorted(held.get_active_contexts()) == ["new"]
    clock.now = 400
    held.clear_context("new")
    held.set_context("newer", make())
    assert sorted(held.get_active_contexts()) == ["newer"]


def test_only_contexts_are_held() -> None:
    with pytest.raises(InvalidContextError, match="Expected UserExecutionContext, got: <class 'str'>"):
        UserContextManager().set_context("key", "no context")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="^context cannot be None$"):
        UserContextManager().set_context("key", None)  # type: ignore[arg-type]
    for bad in ("", None, 7):
        for call in (UserContextManager().get_context, UserContextManager().clear_context):
            with pytest.raises(ValueError, match="^context_key must be a non-empty string$"):
                call(bad)  # type: ignore[arg-type, operator]
        with pytest.raises(ValueError, match="^context_key must be a non-empty string$"):
            UserContextManager().set_context(bad, make())  # type: ignore[arg-type]
    UserContextManager().set_context(" ", make())
    silent = UserContextManager(enable_audit_trail=False)
    silent.set_context("key", make())
    assert silent.get_audit_trail("key") is None
