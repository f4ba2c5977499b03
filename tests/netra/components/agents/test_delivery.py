"""Which thread an agent bridge sends to, how often it tries, and what it remembers of it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock, call, patch

import pytest

from compat.canonical.factory import WebSocketManagerFactory, get_websocket_manager, set_websocket_manager_factory
from compat.netra.components.agents import delivery
from compat.netra.components.agents.agent_bridge import AgentWebSocketBridge, WebSocketNotifier, create_agent_websocket_bridge
from compat.netra.components.events.delivery_tracker import EventDeliveryTracker

CONTEXT = SimpleNamespace(user_id="user_1", thread_id="thread_1", run_id="run_1", request_id="req_1")
pytestmark = pytest.mark.usefixtures("served")
RUN = "run_chat_7_0123abcd"


@pytest.fixture(autouse=True)
def own_factory() -> Any:
    before = set_websocket_manager_factory(WebSocketManagerFactory())
    yield
    set_websocket_manager_factory(before)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> AsyncMock:
    sleep = AsyncMock()
    monkeypatch.setattr(delivery, "asyncio", Mock(sleep=sleep))
    return sleep


def told(*answers: Any) -> Mock:
    return Mock(spec_set=["send_to_thread"], send_to_thread=AsyncMock(side_effect=answers))


def bridge_over(*answers: Any, context: Any = CONTEXT) -> AgentWebSocketBridge:
    return create_agent_websocket_bridge(context, told(*answers))


# -- which thread


@pytest.mark.parametrize(
    ("run_id", "thread_id"),
    [
        ("run_thread_x_1_0123abcd", "thread_x"),
        ("run_abc_1_0123abcd", "thread_abc"),
        ("abc", "thread_abc"),
        ("thread_abc", "thread_abc"),
        ("websocket_factory_1_abc", "thread_websocket_factory_1_abc"),
        ("user_1_thread_2", "thread_user_1_thread_2"),
        ("run_1_2", None),
        ("a-b", None),
        ("", None),
        (None, None),
    ],
)
def test_a_run_id_names_its_thread(run_id: Any, thread_id: Any) -> None:
    async def run() -> None:
        bridge = AgentWebSocketBridge()
        assert bridge._extract_thread_from_standardized_run_id(run_id) == thread_id
        if thread_id is not None:
            assert await bridge._resolve_thread_id_from_run_id(run_id) == thread_id
            assert (await bridge.get_thread_registry_status())["active_mappings"] == 1
            return
        with pytest.raises(ValueError) as refused:
            await bridge._resolve_thread_id_from_run_id(run_id)
        assert str(refused.value).startswith(
            f"Thread resolution failed for run_id={run_id}: All 5 priority sources failed. Business impact: "
        )

    asyncio.run(run())


def test_a_registered_thread_goes_before_what_the_id_says_and_the_public_method_gives_the_bare_one() -> None:
    async def run() -> None:
        bridge = bridge_over(True, True, context=None)
        assert await bridge.register_run_thread_mapping(RUN, "thread_other") is True
        await bridge.ensure_integration()
        assert await bridge.notify_agent_started(RUN, "ann") is True
        assert await bridge.unregister_run_mapping(RUN) is True
        assert await bridge.notify_tool_executing(RUN, "search") is True
        threads = [sent.args[0] for sent in bridge.websocket_manager.send_to_thread.await_args_list]
        assert threads == ["thread_other", "thread_chat"]
        user_ids = [sent.args[1]["user_id"] for sent in bridge.websocket_manager.send_to_thread.await_args_list]
        assert user_ids == threads
        assert (bridge.extract_thread_id(RUN), bridge.extract_thread_id(None)) == ("chat", "")

    asyncio.run(run())


def test_a_start_goes_to_the_thread_of_the_context_of_the_call_then_of_the_bridge() -> None:
    other = SimpleNamespace(user_id="user_2", thread_id="thread_2")
    bridge = bridge_over(True, True)
    assert asyncio.run(bridge.notify_agent_started(RUN, "ann", user_context=other)) is True
    assert asyncio.run(bridge.notify_agent_started(RUN, "ann")) is True
    sent = [(one.args[0], one.args[1]["user_id"]) for one in bridge.websocket_manager.send_to_thread.await_args_list]
    assert sent == [("thread_2", "user_2"), ("thread_1", "user_1")]


def test_an_unresolvable_run_is_an_undelivered_event() -> None:
    bridge = bridge_over()
    calls = (
        bridge.notify_tool_executing("a-b", "search"),
        bridge.notify_tool_completed("a-b", "search"),
        bridge.notify_agent_error("a-b", "ann", "bad"),
        bridge.notify_agent_death("a-b", "ann", "timeout"),
        bridge.notify_progress_update("a-b", "ann", {}),
        bridge.notify_custom("a-b", "ann", "own", {}),
    )
    assert [asyncio.run(one) for one in calls] == [False] * 6
    assert bridge.websocket_manager.mock_calls == [] and bridge._event_history == []


@pytest.mark.parametrize(
    ("text", "valid"),
    [("thread_a", True), ("thread_a_1", True), ("thread_", False), ("thread", False), ("thread_a_", False)]
    + [("thread_a__b", False), ("thread_a-b", False), ("xthread_a", False), (None, False), (5, False)],
)
def test_the_form_of_a_thread_id(text: Any, valid: bool) -> None:
    assert AgentWebSocketBridge()._is_valid_thread_format(text) is valid


@pytest.mark.parametrize("text", ["", None, 5, "ab", "system", "run_test_1", "a-mock-b", "RUN_ADMIN", "sys_x", "global_x"])
def test_a_suspicious_run_id_is_logged_and_goes_on(text: Any) -> None:
    assert AgentWebSocketBridge()._is_suspicious_run_id(text) is True
    assert AgentWebSocketBridge()._is_suspicious_run_id("run_testing_1") is False
    assert asyncio.run(bridge_over(True).notify_agent_started("run_test_1", "ann")) is True


def test_how_threads_were_found_is_counted() -> None:
    async def run() -> None:
        bridge = AgentWebSocketBridge()
        assert bridge.get_resolution_metrics() == {
            "total_resolutions": 0,
            "successful_resolutions": 0,
            "failed_resolutions": 0,
            "success_rate": 1.0,
            "avg_resolution_time_ms": 0.0,
            "resolution_sources": {},
            "failure_sources": {},
            "metrics_available": False,
        }
        for run_id in ("thread_1", "thread_1", RUN):
            await bridge._resolve_thread_id_from_run_id(run_id)
        with pytest.raises(ValueError):
            await bridge._resolve_thread_id_from_run_id("a-b")
        found = bridge.get_resolution_metrics()
        assert (found["total_resolutions"], found["successful_resolutions"], found["success_rate"]) == (4, 3, 0.75)
        assert found["resolution_sources"] == {"run_id_is_thread": 1, "registry": 1, "run_id_extraction": 1}
        assert (found["failure_sources"], found["metrics_available"]) == ({"unresolvable": 1}, True)

    asyncio.run(run())


def test_a_replaced_registry_and_id_manager_are_asked_in_place() -> None:
    async def run() -> None:
        registry = Mock(get_thread=AsyncMock(return_value="thread_9"), register=AsyncMock(return_value=True))
        made = AsyncMock(return_value=registry)
        with patch("netra_backend.app.services.agent_websocket_bridge.get_thread_run_registry", made):
            bridge = bridge_over(True)
            await bridge._initialize_thread_registry()
            assert await bridge.notify_tool_executing(RUN, "search") is True
        assert bridge._thread_registry is registry
        assert bridge.websocket_manager.send_to_thread.await_args.args[0] == "thread_9"
        with patch("netra_backend.app.services.agent_websocket_bridge.UnifiedIDManager") as ids:
            ids.extract_thread_id.return_value = "8"
            assert await AgentWebSocketBridge()._resolve_thread_id_from_run_id("run_5_5_0123abcd") == "thread_8"

    asyncio.run(run())


@pytest.mark.parametrize("fault", [{"get_thread": OSError("down")}, {"register": OSError("down")}, {"get_thread": KeyError("x")}])
def test_a_registry_that_fails_leaves_the_run_to_its_own_id(fault: dict[str, Exception]) -> None:
    parts = {"get_thread": None, "register": None, **fault}
    methods = {name: AsyncMock(side_effect=error, return_value=None) for name, error in parts.items()}
    bridge = bridge_over(True)
    bridge._thread_registry = Mock(**methods)
    assert asyncio.run(bridge.notify_tool_executing(RUN, "search")) is True
    assert bridge.websocket_manager.send_to_thread.await_args.args[0] == "thread_chat"


# -- nobody to send to


def test_without_a_manager_nothing_is_sent_unless_the_bridge_has_a_user() -> None:
    async def run() -> None:
        bridge = AgentWebSocketBridge()
        assert await bridge.notify_agent_started(RUN, "ann") is False
        assert await bridge.notify_progress_update(RUN, "ann", {}) is False
        assert await AgentWebSocketBridge(CONTEXT).notify_agent_started(RUN, "ann") is True
        assert [event.type for event in get_websocket_manager(CONTEXT).undelivered()] == ["agent_started"]

    asyncio.run(run())


# -- again


CRITICAL = [
    (lambda b: b.notify_agent_started(RUN, "ann"), f"agent_started delivery failed after 3 attempts (run_id={RUN}, agent=ann)"),
    (lambda b: b.notify_tool_executing(RUN, "t"), f"tool_executing delivery failed after 3 attempts (run_id={RUN})"),
    (lambda b: b.notify_tool_completed(RUN, "t"), f"tool_completed delivery failed after 3 attempts (run_id={RUN})"),
]


@pytest.mark.parametrize(("send", "text"), CRITICAL)
@pytest.mark.parametrize(
    ("answers", "last"),
    [
        ((False, None, 0), "WebSocket send_to_thread returned False"),
        ((OSError("gone"), OSError("away"), OSError("lost")), "lost"),
        ((OSError("gone"), False, False), "WebSocket send_to_thread returned False"),
    ],
)
def test_three_attempts_then_an_error_that_says_so(slept: AsyncMock, send: Any, text: str, answers: Any, last: str) -> None:
    bridge = bridge_over(*answers)
    with pytest.raises(RuntimeError) as failed:
        asyncio.run(send(bridge))
    assert str(failed.value) == f"CRITICAL event delivery failure:  ALERT:  CRITICAL: {text}. Last error: {last}"
    assert slept.await_args_list == [call(1.0), call(2.0)]
    assert bridge._event_history == []


@pytest.mark.parametrize(("send", "text"), CRITICAL)
def test_an_attempt_that_succeeds_is_the_last(slept: AsyncMock, send: Any, text: str) -> None:
    bridge = bridge_over(OSError("gone"), True)
    assert asyncio.run(send(bridge)) is True
    assert slept.await_args_list == [call(1.0)] and len(bridge._event_history) == 1


def test_any_notification_can_be_sent_with_the_same_attempts(slept: AsyncMock) -> None:
    bridge = bridge_over(False, True)
    assert asyncio.run(bridge._send_with_retry("user_1", {"type": "own"}, "own", RUN)) is True
    assert bridge.websocket_manager.send_to_thread.await_args == call("thread_chat", {"type": "own"})
    with pytest.raises(RuntimeError, match=r"own delivery failed after 2 attempts \(run_id=run_chat_7_0123abcd\)"):
        asyncio.run(bridge_over(False, False)._send_with_retry("user_1", {}, "own", RUN, max_retries=2))
    assert asyncio.run(AgentWebSocketBridge()._send_with_retry("user_1", {}, "own", RUN)) is False


@pytest.mark.parametrize(
    "send",
    [
        lambda b: b.notify_agent_error(RUN, "ann", "bad"),
        lambda b: b.notify_agent_death(RUN, "ann", "timeout"),
        lambda b: b.notify_progress_update(RUN, "ann", {}),
        lambda b: b.notify_custom(RUN, "ann", "own", {}),
    ],
)
def test_other_notices_are_tried_once_and_answer_what_the_manager_answers(slept: AsyncMock, send: Any) -> None:
    answer = object()
    for given in (False, None, answer):
        assert asyncio.run(send(bridge_over(given))) is given
    assert asyncio.run(send(bridge_over(OSError("gone")))) is False
    assert slept.await_count == 0


@pytest.mark.parametrize(
    "send", [lambda b: b.notify_agent_thinking(RUN, "ann", "hm"), lambda b: b.notify_agent_completed(RUN, "ann")]
)
def test_thinking_and_completion_are_tried_once(slept: AsyncMock, send: Any) -> None:
    assert [asyncio.run(send(bridge_over(given))) for given in (True, False, OSError("gone"))] == [True, False, False]
    assert slept.await_count == 0


# -- what is remembered


def test_the_history_has_the_events_as_they_were_given() -> None:
    async def run() -> None:
        bridge = bridge_over(*[True] * 6)
        secret = {"password": "hunter2"}
        await bridge.notify_agent_started(RUN, "ann", {"q": 1})
        await bridge.notify_agent_thinking(RUN, "ann", "hm", 1, 10.0)
        await bridge.notify_tool_executing(RUN, "t", parameters=secret)
        await bridge.notify_tool_completed(RUN, "t", secret)
        await bridge.notify_agent_completed(RUN, "ann", {"r": 1}, 5.0)
        await bridge.notify_custom(RUN, "ann", "own", {})
        bridge._track_event_for_tests("own", {"any": "thing"})
        own = {"run_id": RUN, "user_id": "user_1", "success": True}
        ann, agent = {**own, "agent_name": "ann"}, {**own, "agent_name": "Agent"}
        seen = [{name: value for name, value in entry.items() if name != "timestamp"} for entry in bridge._event_history]
        assert seen == [
            {"event_type": "agent_started", "type": "agent_started", **ann, "context": {"q": 1}},
            {
                "event_type": "agent_thinking",
                "type": "agent_thinking",
                **ann,
                "reasoning": "hm",
                "step_number": 1,
                "progress_percentage": 10.0,
            },
            {"event_type": "tool_executing", "type": "tool_executing", **agent, "tool_name": "t", "parameters": secret},
            {"event_type": "tool_completed", "type": "tool_completed", **agent, "tool_name": "t", "result": secret},
            {
                "event_type": "agent_completed",
                "type": "agent_completed",
                **ann,
                "result": {"r": 1},
                "execution_time_ms": 5.0,
            },
            {"any": "thing"},
        ]
        assert all(entry["timestamp"].endswith("+00:00") for entry in bridge._event_history[:-1])

    asyncio.run(run())


def test_the_delivery_tracker_hears_of_success_and_failure(slept: AsyncMock) -> None:
    tracker = EventDeliveryTracker()
    with patch("netra_backend.app.services.agent_websocket_bridge.get_event_delivery_tracker", lambda: tracker):
        asyncio.run(bridge_over(True).notify_agent_started(RUN, "ann"))
        with pytest.raises(RuntimeError):
            asyncio.run(bridge_over(False, False, False).notify_tool_executing(RUN, "t"))
    sent, failed = tracker.get_user_events("user_1")
    assert (sent.event_type, sent.run_id, sent.thread_id, sent.sent_at is not None) == ("agent_started", RUN, "thread_1", True)
    assert (failed.event_type, failed.thread_id, failed.failed_at is not None) == ("tool_executing", "thread_chat", True)
    assert "delivery failed after 3 attempts" in str(failed.last_error)
    with patch("netra_backend.app.services.agent_websocket_bridge.EVENT_TRACKER_AVAILABLE", False):
        assert asyncio.run(bridge_over(True).notify_agent_started(RUN, "ann")) is True


@pytest.mark.parametrize(
    ("act", "level"),
    [
        (lambda b: b.notify_agent_started(None, "ann"), "error"),
        (lambda b: b.notify_agent_started(RUN, "ann"), "warning"),
        (lambda b: b._resolve_thread_id_from_run_id("thread_test"), "warning"),
        (lambda b: b.emit_event(None, "own", {}), "warning"),
        (lambda b: WebSocketNotifier(None, None).send_agent_started(None), "error"),
    ],
)
def test_every_part_writes_to_the_log_of_the_legacy_module(act: Any, level: str) -> None:
    with patch("netra_backend.app.services.agent_websocket_bridge.logger") as log:
        asyncio.run(act(AgentWebSocketBridge()))
    getattr(log, level).assert_called()


def test_waiting_between_attempts_can_be_replaced_by_the_legacy_path() -> None:
    slept = AsyncMock()
    with patch("netra_backend.app.services.agent_websocket_bridge.asyncio.sleep", slept):
        assert asyncio.run(bridge_over(False, True).notify_agent_started(RUN, "ann")) is True
    assert slept.await_args_list == [call(1.0)]
