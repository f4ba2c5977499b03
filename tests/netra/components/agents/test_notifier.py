"""The notifier of one agent run: what it needs, how it calls its emitter, and that it never raises."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock, call

import pytest

from compat.netra.components.agents.agent_notifier import WebSocketNotifier
from compat.netra.components.agents.emitters.unified import UnifiedWebSocketEmitter

RUN = SimpleNamespace(user_id="user_1", run_id="run_1", thread_id="thread_1", agent_name="ann")


class Deaf:
    """An emitter without the five methods."""

    def notify_agent_started(self) -> None: ...


@pytest.mark.parametrize(
    ("emitter", "run", "text"),
    [
        (None, None, "WebSocketNotifier requires valid execution context"),
        (Deaf(), SimpleNamespace(user_id=None), "WebSocketNotifier requires user_id in execution context"),
        (None, SimpleNamespace(), "WebSocketNotifier requires user_id in execution context"),
        (
            Deaf(),
            RUN,
            "WebSocket emitter missing required methods for Golden Path: ['notify_agent_thinking', "
            "'notify_tool_executing', 'notify_tool_completed', 'notify_agent_completed']",
        ),
    ],
)
def test_a_notifier_needs_a_context_a_user_and_an_emitter_that_can_notify(emitter: Any, run: Any, text: str) -> None:
    for make in (WebSocketNotifier.create_for_user, WebSocketNotifier.create_websocket_notifier):
        with pytest.raises(ValueError) as refused:
            make(emitter, run)
        assert str(refused.value) == text
    assert WebSocketNotifier(emitter, run).emitter is emitter


def test_without_an_emitter_a_notifier_tells_nobody_and_mocks_need_no_methods() -> None:
    silent = WebSocketNotifier.create_for_user(None, RUN)
    assert asyncio.run(silent.send_agent_started(RUN)) is True
    assert WebSocketNotifier.create_for_user(Mock(spec_set=[]), RUN)._user_id == "user_1"
    made = WebSocketNotifier.create_websocket_notifier(emitter=None, user_context=SimpleNamespace(), validate_context=False)
    assert made._user_id is None


def test_a_notifier_stays_with_its_user() -> None:
    notifier = WebSocketNotifier.create_for_user(Mock(), RUN)
    notifier._validate_user_isolation()
    notifier.exec_context = SimpleNamespace(user_id="user_2")
    with pytest.raises(ValueError, match="^User isolation violation detected: expected user_1, got user_2$"):
        notifier._validate_user_isolation()


@pytest.mark.parametrize(
    ("send", "method", "called"),
    [
        (lambda n: n.send_agent_thinking(RUN, "hm"), "notify_agent_thinking", call("ann", "hm", step_number=1)),
        (lambda n: n.send_agent_started(RUN), "notify_agent_started", call("ann", run_id="run_1", thread_id="thread_1")),
        (
            lambda n: n.send_agent_started(RUN, "bob"),
            "notify_agent_started",
            call("bob", run_id="run_1", thread_id="thread_1"),
        ),
        (
            lambda n: n.send_agent_started(SimpleNamespace(run_id="r", thread_id="t")),
            "notify_agent_started",
            call("UnknownAgent", run_id="r", thread_id="t"),
        ),
        (
            lambda n: n.send_tool_executing(RUN, "search", "to find", 5, "q"),
            "notify_tool_executing",
            call(
                tool_name="search",
                tool_purpose="to find",
                run_id="run_1",
                thread_id="thread_1",
                agent_name="ann",
                estimated_duration_ms=5,
                parameters_summary="q",
            ),
        ),
        (
            lambda n: n.send_tool_completed(RUN, "search", {"x": 1}),
            "notify_tool_completed",
            call(tool_name="search", result={"x": 1}, run_id="run_1", thread_id="thread_1", agent_name="ann"),
        ),
        (
            lambda n: n.send_agent_completed(RUN, {"x": 1}, 2.5),
            "notify_agent_completed",
            call(agent_name="ann", result={"x": 1}, run_id="run_1", thread_id="thread_1", execution_time_ms=2.5),
        ),
    ],
)
def test_each_report_is_one_call_of_the_emitter_and_a_failure_is_false(send: Any, method: str, called: Any) -> None:
    emitter = AsyncMock()
    notifier = WebSocketNotifier(emitter, RUN)
    assert asyncio.run(send(notifier)) is True
    assert getattr(emitter, method).await_args_list == [called] and len(emitter.mock_calls) == 1
    getattr(emitter, method).side_effect = OSError("gone")
    assert asyncio.run(send(notifier)) is False
    assert asyncio.run(send(WebSocketNotifier(object(), RUN))) is False


def test_without_a_context_nothing_is_sent() -> None:
    emitter = AsyncMock()
    notifier = WebSocketNotifier(emitter, RUN)
    assert asyncio.run(notifier.send_agent_started(None)) is False
    assert asyncio.run(notifier.send_agent_thinking(None, "hm")) is False
    assert emitter.mock_calls == []


def test_deliveries_are_counted_where_the_emitter_knows_of_them() -> None:
    zero = {
        "total_events": 0,
        "successful_events": 0,
        "failed_events": 0,
        "success_rate": 0.0,
        "events_by_type": {},
        "last_tracked": None,
    }

    async def run() -> None:
        plain = WebSocketNotifier(AsyncMock(), RUN)
        await plain.send_agent_started(RUN)
        assert plain.get_event_delivery_stats() == zero
        through = Mock(is_connection_active=Mock(side_effect=[True, True, False]), emit_critical_event=AsyncMock())
        notifier = WebSocketNotifier(UnifiedWebSocketEmitter(through, context=RUN), RUN)
        assert notifier.get_event_delivery_stats() == zero
        assert await notifier.send_agent_started(RUN) is True
        assert await notifier.send_tool_executing(RUN, "search", "to find") is True
        assert await notifier.send_agent_completed(RUN, {"x": 1}) is False
        stats = notifier.get_event_delivery_stats()
        assert stats.pop("last_tracked").endswith("+00:00")
        assert stats == {
            "total_events": 3,
            "successful_events": 2,
            "failed_events": 1,
            "success_rate": 2 / 3,
            "events_by_type": {"agent_started": 1, "tool_executing": 1},
        }
        started = through.emit_critical_event.await_args_list[0].kwargs["data"]
        assert (started["agent_name"], started["run_id"], started["thread_id"]) == ("ann", "run_1", "thread_1")

    asyncio.run(run())
