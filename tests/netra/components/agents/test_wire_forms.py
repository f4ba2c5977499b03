"""The messages of an agent bridge as they go over the wire, to a given manager and over a real socket."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

pytest.importorskip("websockets", reason="websockets is in the test group")

from compat.canonical.factory import WebSocketManagerFactory, set_websocket_manager_factory
from compat.netra.adapters.managers.websocket_manager import SharedWebSocketManager
from compat.netra.components.agents.agent_bridge import AgentWebSocketBridge, create_agent_websocket_bridge

from .test_sanitising import CONTEXT, received

RUN = "run_chat_7_0123abcd"


@pytest.fixture(autouse=True)
def own_factory() -> Any:
    before = set_websocket_manager_factory(WebSocketManagerFactory())
    yield
    set_websocket_manager_factory(before)


def told(answer: Any = True) -> Mock:
    """A manager that has ``send_to_thread`` and nothing else."""
    return Mock(spec_set=["send_to_thread"], send_to_thread=AsyncMock(return_value=answer))


FORMS = [
    (
        lambda b: b.notify_agent_started(RUN, "ann", {"q": 1}, {"trace_id": "t"}),
        {
            "type": "agent_started",
            "run_id": RUN,
            "user_id": "user_1",
            "agent_name": "ann",
            "data": {"status": "started", "context": {"q": 1}, "message": "ann has started processing your request"},
            "trace": {"trace_id": "t"},
        },
        "thread_1",
    ),
    (
        lambda b: b.notify_agent_started(RUN, None),
        {
            "type": "agent_started",
            "run_id": RUN,
            "user_id": "user_1",
            "agent_name": None,
            "data": {"status": "started", "context": {}, "message": "None has started processing your request"},
        },
        "thread_1",
    ),
    (
        lambda b: b.notify_agent_thinking(RUN, "ann", "hm", 2, 40.0),
        {
            "type": "agent_thinking",
            "run_id": RUN,
            "user_id": "user_1",
            "agent_name": "ann",
            "data": {"reasoning": "hm", "step_number": 2, "progress_percentage": 40.0, "status": "thinking"},
        },
        "thread_1",
    ),
    (
        lambda b: b.notify_tool_executing(RUN, "search", parameters={"q": "x", "api_key": "hunter2"}),
        {
            "type": "tool_executing",
            "run_id": RUN,
            "user_id": "user_1",
            "agent_name": "Agent",
            "data": {
                "tool_name": "search",
                "parameters": {"q": "x", "api_key": "[REDACTED]"},
                "status": "executing",
                "message": "Agent is using search",
            },
        },
        "thread_chat",
    ),
    (
        lambda b: b.notify_tool_completed(RUN, "search", agent_name="ann"),
        {
            "type": "tool_completed",
            "run_id": RUN,
            "user_id": "user_1",
            "agent_name": "ann",
            "data": {
                "tool_name": "search",
                "result": {},
                "execution_time_ms": None,
                "status": "completed",
                "message": "ann completed search",
            },
        },
        "thread_chat",
    ),
    (
        lambda b: b.notify_agent_completed(RUN, "ann", {"answer": 42}, 12.5, {"trace_id": "t"}),
        {
            "type": "agent_completed",
            "run_id": RUN,
            "user_id": "user_1",
            "agent_name": "ann",
            "data": {
                "status": "completed",
                "result": {"answer": 42},
                "execution_time_ms": 12.5,
                "message": "ann has completed processing your request",
            },
            "trace": {"trace_id": "t"},
        },
        "thread_1",
    ),
    (
        lambda b: b.notify_agent_error(RUN, "ann", "no /home/x", {"error_type": "OSError"}, {"trace_id": "t"}),
        {
            "type": "agent_error",
            "run_id": RUN,
            "agent_name": "ann",
            "data": {
                "status": "error",
                "error_message": "no [PATH]/x",
                "error_context": {"error_type": "OSError", "agent_step": "unknown", "user_facing": True},
                "message": "ann encountered an issue processing your request",
            },
            "trace": {"trace_id": "t"},
        },
        "thread_chat",
    ),
    (
        lambda b: b.notify_progress_update(RUN, "ann", {"percentage": 50, "prompt": "internal"}),
        {
            "type": "progress_update",
            "run_id": RUN,
            "agent_name": "ann",
            "data": {"status": "progress", "progress_data": {"percentage": 50}, "message": "ann is making progress"},
        },
        "thread_chat",
    ),
    (
        lambda b: b.notify_progress_update(RUN, "ann", {"message": "half"}),
        {
            "type": "progress_update",
            "run_id": RUN,
            "agent_name": "ann",
            "data": {"status": "progress", "progress_data": {"message": "half"}, "message": "half"},
        },
        "thread_chat",
    ),
    (
        lambda b: b.notify_custom(RUN, "ann", "chart_ready", {"url": "/c", "parts": {"n": 1}}),
        {"type": "chart_ready", "run_id": RUN, "agent_name": "ann", "data": {"url": "/c", "parts": {"n": 1}}},
        "thread_chat",
    ),
    (
        lambda b: b.emit_agent_event("chart_ready", {"parameters": {"token": "x"}}, run_id=RUN, agent_name="ann"),
        {
            "type": "chart_ready",
            "run_id": RUN,
            "user_id": "user_1",
            "agent_name": "ann",
            "data": {"parameters": {"token": "[REDACTED]"}},
        },
        "thread_1",
    ),
]


@pytest.mark.parametrize(("call", "message", "thread_id"), FORMS)
def test_a_given_manager_is_told_by_thread_and_message_and_by_nothing_else(call: Any, message: Any, thread_id: str) -> None:
    manager = told()
    assert asyncio.run(call(create_agent_websocket_bridge(CONTEXT, manager))) is True
    ((positional, keywords),) = manager.send_to_thread.await_args_list
    assert keywords == {} and positional[0] == thread_id
    stamp = positional[1].pop("timestamp")
    assert stamp.endswith("+00:00") and positional[1] == message


@pytest.mark.parametrize(("call", "message", "thread_id"), FORMS)
def test_without_one_the_users_socket_gets_the_same_message(call: Any, message: Any, thread_id: str) -> None:
    answers, got = received(call)
    assert answers == [True]
    assert json.loads(json.dumps({**message, "timestamp": got[0]["timestamp"]})) == got[0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_legacy_manager_of_this_package_reaches_the_users_own_sockets_whatever_thread_the_run_names() -> None:
    async def run() -> list[Any]:
        manager, socket, other = SharedWebSocketManager(), AsyncMock(), AsyncMock()
        await manager.connect_user("user_1", socket)
        await manager.connect_user("user_2", other, thread_id="thread_chat")
        bridge = create_agent_websocket_bridge(CONTEXT, manager)
        assert await bridge.notify_tool_executing(RUN, "search") is True
        assert await bridge.notify_agent_error(RUN, "ann", "bad") is True
        assert other.send_json.await_count == 0
        return [call.args[0]["type"] for call in socket.send_json.await_args_list]

    assert asyncio.run(run()) == ["tool_executing", "agent_error"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_a_test_puts_on_a_legacy_manager_is_called() -> None:
    manager = SharedWebSocketManager()
    manager.send_to_thread = AsyncMock(return_value=True)
    assert asyncio.run(create_agent_websocket_bridge(CONTEXT, manager).notify_agent_started(RUN, "ann")) is True
    assert manager.send_to_thread.await_args.args[0] == "thread_1"


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ("timeout", "The ann agent took too long to respond and has been stopped. Please try again."),
        ("no_heartbeat", "Lost connection with the ann agent. Please refresh and try again."),
        ("silent_failure", "The ann agent stopped unexpectedly. Please refresh the page."),
        ("memory_limit", "The ann agent ran out of resources. Please try with a simpler request."),
        ("cancelled", "The ann agent was cancelled. You can start a new request."),
        ("other", "The ann agent encountered a critical error. Please refresh and try again."),
        (None, "The ann agent encountered a critical error. Please refresh and try again."),
    ],
)
def test_a_death_is_told_by_keywords_in_the_users_words(cause: Any, message: str) -> None:
    manager = told()
    assert asyncio.run(create_agent_websocket_bridge(CONTEXT, manager).notify_agent_death(RUN, "ann", cause, {"n": 1})) is True
    sent = manager.send_to_thread.await_args.kwargs
    assert sorted(sent) == ["message", "thread_id"] and sent["thread_id"] == "thread_chat"
    del sent["message"]["timestamp"]
    assert sent["message"] == {
        "type": "agent_death",
        "run_id": RUN,
        "agent_name": "ann",
        "data": {
            "status": "dead",
            "death_cause": cause,
            "death_context": {"n": 1},
            "message": message,
            "recovery_action": "refresh_required",
        },
    }
    assert AgentWebSocketBridge()._get_user_friendly_death_message(cause, "ann") == message


@pytest.mark.parametrize("data", [{"x": 1}, None])
def test_an_event_goes_to_the_thread_of_its_context(data: Any) -> None:
    manager = told()
    assert asyncio.run(create_agent_websocket_bridge(None, manager).emit_event(CONTEXT, "own", data)) is True
    thread_id, message = manager.send_to_thread.await_args.args
    assert message.pop("timestamp").endswith("+00:00")
    assert float(message.pop("message_id")[len("msg_") :]) > 0
    assert thread_id == "thread_1"
    assert message == {"type": "own", "data": data, "thread_id": "thread_1", "user_id": "user_1"}


@pytest.mark.parametrize(
    "context", [Mock(user_id="user_1", thread_id="thread_1"), Mock(user_id="user_1", thread_id="thread_1", run_id=None)]
)
def test_an_event_hangs_on_the_thread_of_its_context_not_on_a_run_it_does_not_name(context: Any) -> None:
    manager = told()
    assert asyncio.run(create_agent_websocket_bridge(None, manager).emit_event(context, "own", {})) is True
    assert manager.send_to_thread.await_args.args[0] == "thread_1"
    for run_id in ("", "registry", "  "):
        context.run_id = run_id
        assert asyncio.run(create_agent_websocket_bridge(None, manager).emit_event(context, "own", {})) is False
    assert manager.send_to_thread.await_count == 1


def test_an_event_without_user_or_thread_or_with_a_manager_that_raises_is_not_sent() -> None:
    manager, failing = told(), told()
    failing.send_to_thread.side_effect = OSError("gone")
    bridge = create_agent_websocket_bridge(CONTEXT, manager)
    for context in (None, object(), Mock(spec_set=["user_id"], user_id="user_1"), Mock(spec_set=["thread_id"], thread_id="t")):
        assert asyncio.run(bridge.emit_event(context, "own", {})) is False
    assert manager.send_to_thread.await_count == 0
    assert asyncio.run(create_agent_websocket_bridge(CONTEXT, failing).emit_event(CONTEXT, "own", {})) is False
    assert asyncio.run(AgentWebSocketBridge().emit_event(None, "own", {})) is False
