"""What a bridge tells a client on a real socket: no secret, no internals, nothing endless, and nothing of no run."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

websockets = pytest.importorskip("websockets", reason="websockets is in the test group")

# ruff: noqa: E402
from compat.canonical.factory import WebSocketManagerFactory, get_websocket_manager, set_websocket_manager_factory
from compat.netra.components.agents.agent_bridge import AgentWebSocketBridge, create_agent_websocket_bridge

CONTEXT = SimpleNamespace(user_id="user_1", thread_id="thread_1", run_id="run_1", request_id="req_1")
RUN = "run_chat_7_0123abcd"


@pytest.fixture(autouse=True)
def own_factory() -> Any:
    before = set_websocket_manager_factory(WebSocketManagerFactory())
    yield
    set_websocket_manager_factory(before)


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[Any]:
    """A client of the user's, over a real socket to the process's factory."""

    async def serve(socket: Any) -> None:
        await get_websocket_manager(CONTEXT).connect(socket, stamped=False)
        await socket.wait_closed()

    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        async with websockets.connect(url) as client:
            yield client


def received(*calls: Any) -> tuple[list[bool], list[dict[str, Any]]]:
    """What the bridge answered, and what came over the wire before the end."""

    async def run() -> tuple[list[bool], list[dict[str, Any]]]:
        async with connected() as client:
            bridge = AgentWebSocketBridge(CONTEXT)
            answers = [await call(bridge) for call in calls]
            await get_websocket_manager(CONTEXT).send({"type": "end"})
            got = []
            while not got or got[-1]["type"] != "end":
                got.append(json.loads(await asyncio.wait_for(client.recv(), 20)))
            return answers, got[:-1]

    return asyncio.run(run())


@dataclass
class Login:
    password: str
    user: str


SECRETS = {
    "password": "hunter2",
    "DB_PASSWORD": "hunter2",
    "apiKey": "hunter2",
    "access_token": {"value": "hunter2"},
    "Authorization": ["hunter2"],
    "client_secret": 5,
    "credentials": None,
    "query": {"inner": {"x_api_key": "hunter2", "rows": 3}},
    "many": [{"secret": "hunter2"}, ("plain", {"token": "hunter2"})],
    "model": Login("hunter2", "ann"),
    "text": "a" * 201,
    "short": "a" * 200,
}


def test_parameters_come_without_secrets_however_deep_and_in_whatever_form() -> None:
    answers, got = received(
        lambda b: b.notify_tool_executing("run_1", "t", parameters=SECRETS),
        lambda b: b.emit_agent_event("tool_executing", {"tool_name": "t", "parameters": SECRETS}, run_id="run_1"),
        lambda b: b.notify_tool_executing("run_1", "t"),
    )
    assert answers == [True, True, True]
    assert "hunter2" not in json.dumps(got)
    hidden = "[REDACTED]"
    for message in got[:2]:
        assert message["data"]["parameters"] == {
            **dict.fromkeys(("password", "DB_PASSWORD", "apiKey", "access_token", "Authorization"), hidden),
            **dict.fromkeys(("client_secret", "credentials"), hidden),
            "query": {"inner": {"x_api_key": hidden, "rows": 3}},
            "many": [{"secret": hidden}, ["plain", {"token": hidden}]],
            "model": {"password": hidden, "user": "ann"},
            "text": "a" * 200 + "...",
            "short": "a" * 200,
        }
    assert got[2]["data"]["parameters"] == {}
    assert SECRETS["password"] == "hunter2"


def test_results_are_cut_and_long_lists_end() -> None:
    result = {"text": "a" * 501, "inner": {"text": "b" * 500}, "rows": list(range(11)), "ten": list(range(10))}
    shown = {
        "text": "a" * 500 + "...",
        "inner": {"text": "b" * 500},
        "rows": [*range(10), "...(truncated)"],
        "ten": list(range(10)),
    }
    answers, got = received(
        lambda b: b.notify_tool_completed("run_1", "t", result),
        lambda b: b.notify_agent_completed("run_1", "a", result),
        lambda b: b.emit_agent_event("agent_completed", {"result": result}, run_id="run_1"),
        lambda b: b.notify_tool_completed("run_1", "t", "c" * 501),
    )
    assert answers == [True] * 4
    assert [message["data"]["result"] for message in got] == [shown, shown, shown, "c" * 500 + "..."]


def test_errors_tell_neither_paths_nor_their_context() -> None:
    internals = {"error_type": "ValueError", "agent_step": "plan", "traceback": "/home/ann/app.py", "token": "hunter2"}
    answers, got = received(
        lambda b: b.notify_agent_error("run_1", "a", "no /home/ann/x.py, no /Users/ann/y.py", internals),
        lambda b: b.notify_agent_error("run_1", "a", "e" * 301, {"traceback": "x"}),
        lambda b: b.notify_agent_error("run_1", "a", ""),
        lambda b: b.notify_agent_error("run_1", "a", ValueError("no /home/ann/z.py")),
    )
    assert answers == [True] * 4
    assert [message["data"]["error_message"] for message in got] == [
        "no [PATH]/ann/x.py, no [PATH]/ann/y.py",
        "e" * 300 + "...",
        "An error occurred",
        "no [PATH]/ann/z.py",
    ]
    assert got[0]["data"]["error_context"] == {"error_type": "ValueError", "agent_step": "plan", "user_facing": True}
    assert got[1]["data"]["error_context"] == {"error_type": "unknown", "agent_step": "unknown", "user_facing": True}
    assert got[2]["data"]["error_context"] == {} and "hunter2" not in json.dumps(got)


def test_progress_has_the_fields_that_are_for_clients() -> None:
    allowed = {
        "percentage": 50,
        "current_step": 1,
        "total_steps": 2,
        "message": "half",
        "status": "busy",
        "estimated_remaining": 3,
        "progress_type": "steps",
    }
    answers, got = received(
        lambda b: b.notify_progress_update("run_1", "a", {**allowed, "prompt": "internal", "api_key": "hunter2"}),
        lambda b: b.notify_progress_update("run_1", "a", {"percentage": 1}),
        lambda b: b.notify_progress_update("run_1", "a", ["internal"]),
    )
    assert answers == [True] * 3
    assert [message["data"]["progress_data"] for message in got] == [allowed, {"percentage": 1}, {}]


def test_a_callers_own_data_is_cut_and_otherwise_as_it_is() -> None:
    data = {"text": "a" * 1001, "inner": {"text": "b" * 1000}, "rows": list(range(20)), "token_count": 7}
    answers, got = received(lambda b: b.notify_custom("run_1", "a", "own", data))
    assert answers == [True]
    assert got[0]["data"] == {**data, "text": "a" * 1000 + "..."}


def test_what_cannot_be_sanitised_is_not_sent() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    answers, got = received(
        lambda b: b.notify_tool_executing("run_1", "t", parameters=endless),
        lambda b: b.notify_tool_completed("run_1", "t", endless),
        lambda b: b.notify_custom("run_1", "a", "own", endless),
    )
    assert (answers, got) == ([False, False, False], [])


NOTIFICATIONS = {
    "started": lambda b, run: b.notify_agent_started(run, "a"),
    "thinking": lambda b, run: b.notify_agent_thinking(run, "a", "hm"),
    "executing": lambda b, run: b.notify_tool_executing(run, "t"),
    "tool done": lambda b, run: b.notify_tool_completed(run, "t", {}),
    "completed": lambda b, run: b.notify_agent_completed(run, "a"),
    "error": lambda b, run: b.notify_agent_error(run, "a", "bad"),
    "death": lambda b, run: b.notify_agent_death(run, "a", "timeout"),
    "progress": lambda b, run: b.notify_progress_update(run, "a", {"percentage": 1}),
    "custom": lambda b, run: b.notify_custom(run, "a", "own", {"x": 1}),
    "by context": lambda b, run: b.emit_event(SimpleNamespace(**{**vars(CONTEXT), "run_id": run or "registry"}), "own", {}),
}


@pytest.mark.parametrize("run_id", [None, "", " ", "registry", 5])
def test_nothing_is_sent_of_a_run_that_is_none(run_id: Any) -> None:
    answers, got = received(*((lambda b, call=call: call(b, run_id)) for call in NOTIFICATIONS.values()))
    assert (answers, got) == ([False] * len(NOTIFICATIONS), [])
    assert AgentWebSocketBridge._validate_event_context(run_id, "agent_started") is False

    through = Mock(
        spec_set=["send_to_thread", "emit_critical_event"], send_to_thread=AsyncMock(), emit_critical_event=AsyncMock()
    )
    bridge = AgentWebSocketBridge()
    bridge.websocket_manager = through
    for call in NOTIFICATIONS.values():
        assert asyncio.run(call(bridge, run_id)) is False
    assert through.mock_calls == []


def test_an_event_of_a_context_without_a_run_names_none_and_the_ids_beside_the_data_are_the_contexts() -> None:
    foreign = {"run_id": "run_2", "thread_id": "thread_2", "user_id": "user_2"}
    runless = SimpleNamespace(user_id="user_1", thread_id="thread_1")
    answers, got = received(
        lambda b: b.emit_event(runless, "own", {"x": 1, **foreign}),
        lambda b: b.notify_custom("run_1", "a", "own", foreign),
    )
    assert answers == [True, True]
    assert (got[0]["user_id"], got[0]["thread_id"], "run_id" in got[0]) == ("user_1", "thread_1", False)
    assert (got[1]["run_id"], "thread_id" in got[1], "user_id" in got[1]) == ("run_1", False, False)


def test_an_emitter_over_the_users_own_manager_sends_the_ids_of_its_context() -> None:
    foreign = {"user_id": "user_2", "thread_id": "thread_2", "run_id": "run_2", "request_id": "req_2"}

    async def emit(bridge: Any, event_type: str) -> bool:
        emitter = await bridge.create_user_emitter(CONTEXT)
        return bool(await emitter.emit(event_type, {**foreign, "agent_name": "a"}))

    kinds = ["agent_started", "tool_completed", "own"]
    answers, got = received(*((lambda b, kind=kind: emit(b, kind)) for kind in kinds))
    assert (answers, [message["type"] for message in got]) == ([True] * 3, kinds)
    for message in got:
        assert {name: message[name] for name in foreign} == vars(CONTEXT)


@pytest.mark.parametrize(
    ("name", "call", "field"),
    [
        ("_sanitize_parameters", lambda b: b.notify_tool_executing(RUN, "t", parameters={"a": 1}), "parameters"),
        ("_sanitize_result", lambda b: b.notify_tool_completed(RUN, "t", {"a": 1}), "result"),
        ("_sanitize_result", lambda b: b.notify_agent_completed(RUN, "ann", {"a": 1}), "result"),
        ("_sanitize_error_message", lambda b: b.notify_agent_error(RUN, "ann", "bad"), "error_message"),
        ("_sanitize_error_context", lambda b: b.notify_agent_error(RUN, "ann", "bad", {"a": 1}), "error_context"),
        ("_get_user_friendly_death_message", lambda b: b.notify_agent_death(RUN, "ann", "timeout"), "message"),
        ("_sanitize_progress_data", lambda b: b.notify_progress_update(RUN, "ann", {"a": 1}), "progress_data"),
    ],
)
def test_a_replaced_sanitiser_is_asked(name: str, call: Any, field: str) -> None:
    manager = Mock(spec_set=["send_to_thread"], send_to_thread=AsyncMock(return_value=True))
    bridge = create_agent_websocket_bridge(CONTEXT, manager)
    setattr(bridge, name, Mock(return_value={"own": 1}))
    assert asyncio.run(call(bridge)) is True
    sent = manager.send_to_thread.await_args
    assert (sent.kwargs.get("message") or sent.args[1])["data"][field] == {"own": 1}


def test_the_sanitisers_have_the_names_that_callers_reach_for() -> None:
    bridge = AgentWebSocketBridge
    assert (bridge._sanitize_parameters(None), bridge._sanitize_result({}), bridge._sanitize_error_context(None)) == ({}, {}, {})
    assert bridge._sanitize_error_message(None) == "An error occurred"
    assert bridge._sanitize_progress_data({"percentage": 1, "x": 2}) == {"percentage": 1}
    assert bridge._sanitize_custom_data({"x": "a" * 1001}) == {"x": "a" * 1000 + "..."}
    with pytest.raises(AttributeError):
        bridge._sanitize_result(["no dict"])
