"""Handlers of client messages, and the router that finds them."""

from __future__ import annotations

import asyncio
import time

import pytest

pytest.importorskip("pydantic", reason="pydantic is in the server extra")

from compat.netra.components.messages import handlers, probes, router
from compat.netra.components.messages.creation import BatchConfig, WebSocketMessage
from compat.netra.components.messages.message_types import MessageType


class Socket:
    """A connected socket that records what is sent."""

    client_state = "connected"

    def __init__(self, broken=False):
        self.sent, self.broken = [], broken

    async def send_json(self, data):
        if self.broken:
            raise RuntimeError("broken pipe")
        self.sent.append(data)


def handle(handler, kind, payload=None, socket=None, **fields):
    """Let a handler handle one message; return (result, what was sent)."""
    socket = socket or Socket()
    message = WebSocketMessage(type=kind, payload=payload or {}, **fields)
    return asyncio.run(handler.handle_message("user_1", socket, message)), socket.sent


def route(subject, message, socket=None):
    """Route one raw message; return (result, what was sent)."""
    socket = socket or Socket()
    return asyncio.run(subject.route_message("user_1", socket, message)), socket.sent


@pytest.mark.parametrize(
    ("make", "kind", "payload", "answer", "data"),
    [
        (handlers.ConnectionHandler, "connect", {}, "system_message", {"status": "connected", "user_id": "user_1"}),
        (handlers.ConnectionHandler, "disconnect", {}, "system_message", {"status": "disconnect_acknowledged"}),
        (handlers.TypingHandler, "user_typing", {}, "system_message", {"status": "typing_acknowledged", "type": "user_typing"}),
        (handlers.HeartbeatHandler, "ping", {}, "pong", {"user_id": "user_1"}),
        (handlers.HeartbeatHandler, "heartbeat", {}, "heartbeat_ack", {"status": "healthy"}),
        (
            handlers.AgentRequestHandler,
            "agent_request",
            {"message": "do it", "turn_id": "t1"},
            "agent_response",
            {"status": "received", "message": "do it", "turn_id": "t1"},
        ),
        (handlers.AgentHandler, "agent_task", {"task_id": "t1"}, "agent_task_ack", {"task_id": "t1", "status": "acknowledged"}),
        (handlers.AgentHandler, "agent_status_request", {"agent_id": "a"}, "agent_status_update", {"agent_id": "a"}),
        (
            handlers.AgentHandler,
            "agent_error",
            {},
            "system_message",
            {"status": "agent_message_acknowledged", "original_type": "MessageType.AGENT_ERROR", "user_id": "user_1"},
        ),
        (
            handlers.AgentHandler,
            "agent_task_ack",
            {},
            "system_message",
            {"status": "agent_message_acknowledged", "original_type": "MessageType.AGENT_TASK_ACK", "user_id": "user_1"},
        ),
        (probes.E2EAgentHandler, "broadcast_test", {"n": 1}, "broadcast_test", {"echo": {"n": 1}}),
        (handlers.UserMessageHandler, "user_message", {"content": "hi"}, "system_message", {"status": "message_received"}),
        (
            handlers.ErrorHandler,
            "error_message",
            {"error_code": "E1"},
            "system_message",
            {"content": "Error received and logged", "error_code": "E1", "status": "acknowledged"},
        ),
    ],
)
def test_each_handler_answers(make, kind, payload, answer, data):
    done, sent = handle(make(), kind, payload)
    assert done is True
    assert sent[0]["type"] == answer
    assert {key: sent[0]["data"][key] for key in data} == data


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (handlers.HeartbeatHandler, "pong"),
        (handlers.HeartbeatHandler, "heartbeat_ack"),
        (handlers.UserMessageHandler, "agent_progress"),
        (handlers.HeartbeatHandler, "chat"),
        (handlers.JsonRpcHandler, "jsonrpc_notification"),
    ],
)
def test_some_messages_need_no_answer(make, kind):
    assert handle(make(), kind) == (True, [])


@pytest.mark.parametrize(
    "make", [handlers.ConnectionHandler, handlers.TypingHandler, probes.E2EAgentHandler, handlers.JsonRpcHandler]
)
def test_a_message_for_another_handler_is_not_handled(make):
    assert handle(make(), "chat") == (False, [])


PROBES = [
    (
        "agent_task",
        {"task_id": "t1"},
        [
            ("agent_task_ack", {"task_id": "t1", "status": "acknowledged"}),
            ("agent_response_chunk", {"task_id": "t1", "chunk": "Hello, this is a test response chunk", "chunk_index": 0}),
            ("agent_response_complete", {"task_id": "t1", "status": "completed", "total_chunks": 1}),
        ],
    ),
    (
        "agent_task",
        {},
        [
            ("agent_task_ack", {"task_id": "unknown", "status": "acknowledged"}),
            ("agent_response_chunk", {"task_id": "unknown", "chunk": "Hello, this is a test response chunk", "chunk_index": 0}),
            ("agent_response_complete", {"task_id": "unknown", "status": "completed", "total_chunks": 1}),
        ],
    ),
    ("agent_status_request", {}, [("agent_status_update", {"active_agents": [], "total_agents": 0})]),
    (
        "resilience_test",
        {},
        [("system_message", {"content": "Resilience test acknowledged", "original_type": "MessageType.RESILIENCE_TEST"})],
    ),
    (
        "recovery_test",
        {},
        [("system_message", {"content": "Resilience test acknowledged", "original_type": "MessageType.RECOVERY_TEST"})],
    ),
    ("broadcast_test", {"n": 1}, [("broadcast_test", {"status": "received", "echo": {"n": 1}})]),
    ("direct_message", {"n": 1}, [("direct_message", {"status": "received", "echo": {"n": 1}})]),
]


@pytest.mark.parametrize(("kind", "payload", "answers"), PROBES)
def test_a_probe_is_answered(kind, payload, answers):
    done, sent = handle(probes.E2EAgentHandler(), kind, payload)
    assert done is True
    assert [(message["type"], {k: v for k, v in message["data"].items() if k != "timestamp"}) for message in sent] == answers


@pytest.mark.parametrize("kind", ["agent_request", "start_agent"])
def test_a_request_for_an_agent_is_not_a_probe(kind):
    assert handle(probes.E2EAgentHandler(), kind, {"message": "x"}) == (False, [])


def test_a_json_rpc_ping_is_processed():
    assert handle(handlers.JsonRpcHandler(), "jsonrpc_request", {"jsonrpc": "2.0", "id": 1, "method": "ping"})[1] == [
        {"jsonrpc": "2.0", "id": 1, "result": {"status": "processed", "method": "ping"}}
    ]


def test_the_module_has_the_model_and_a_handler_of_nothing():
    assert handlers.WebSocketMessage is WebSocketMessage
    assert handlers.BaseMessageHandler(None).can_handle(MessageType.PING) is False


def test_a_broken_socket_costs_a_false_and_a_count():
    handler = handlers.UserMessageHandler()
    assert handle(handler, "chat", socket=Socket(broken=True))[0] is False
    stats = handler.get_stats()
    assert (stats["processed"], stats["errors"]) == (1, 1)
    assert stats["last_message_time"] <= time.time()


def test_json_rpc_answers_requests_and_counts():
    handler = handlers.JsonRpcHandler()
    handler.methods["add"] = lambda params: params["a"] + params["b"]
    assert handle(handler, "jsonrpc_request", {"jsonrpc": "2.0", "id": 1, "method": "add", "params": {"a": 1, "b": 2}})[1] == [
        {"jsonrpc": "2.0", "id": 1, "result": 3}
    ]
    assert handle(handler, "jsonrpc_request", {"id": 2, "method": "gone"})[1][0]["error"]["code"] == -32601
    assert handle(handler, "jsonrpc_request", {"id": 3, "method": "add"})[1][0]["error"]["code"] == -32603
    handle(handler, "jsonrpc_response")
    assert handler.get_stats() == {"requests": 3, "responses": 1, "notifications": 0, "errors": 2}


def test_errors_are_counted_by_type():
    handler = handlers.ErrorHandler()
    for code in ("E1", "E1", "E2"):
        handle(handler, "error_message", {"error_code": code})

    async def old_interface():
        assert await handler.connect("c1") == "error_conn_c1"
        assert await handler.process_message({"type": "E3"}) == {"status": "processed", "message_type": "E3"}
        assert (await handler.process_message("text"))["status"] == "error"
        await handler.broadcast("E4", {"a": 1})
        await handler.disconnect("c1")

    asyncio.run(old_interface())
    stats = handler.get_stats()
    assert stats["error_types"] == {"E1": 2, "E2": 1, "E3": 1, "E4": 1}
    assert stats["total_errors"] == 5
    assert sorted(stats) == ["error_types", "last_error_time", "total_errors"]
    assert stats["last_error_time"] <= time.time() and handlers.ErrorHandler().get_stats()["last_error_time"] is None


def test_batches_go_out_when_full_when_old_and_when_flushed():
    async def run():
        socket, handler = Socket(), handlers.BatchMessageHandler(BatchConfig(max_batch_size=2, max_wait_time=0.01))
        message = WebSocketMessage(type="broadcast", payload={"n": 1})
        for _ in range(3):
            assert await handler.handle_message("user_1", socket, message)
        assert [batch["count"] for batch in socket.sent] == [2]
        assert (handler.get_stats()["pending_message_count"], handler.get_stats()["active_timers"]) == (1, 1)
        deadline = time.monotonic() + 30
        while len(socket.sent) < 2 and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
        await handler.handle_message("user_1", socket, message)
        await handler.flush_all_batches()
        assert [batch["count"] for batch in socket.sent] == [2, 1, 1]
        assert handler.get_stats() == {
            "batches_created": 3,
            "messages_batched": 4,
            "batch_send_successes": 3,
            "batch_send_failures": 0,
            "pending_message_count": 0,
            "active_timers": 0,
        }

    asyncio.run(run())
    assert handlers.BatchMessageHandler().config.max_batch_size == 10


def test_a_closed_socket_gets_nothing():
    closed = Socket()
    closed.client_state = "disconnected"
    for make, kind in ((handlers.HeartbeatHandler, "ping"), (handlers.HeartbeatHandler, "heartbeat")):
        assert handle(make(), kind, socket=closed) == (False, [])
    assert handle(handlers.ConnectionHandler(), "connect", socket=closed) == (False, [])
    assert handle(handlers.HeartbeatHandler(), "pong", socket=closed) == (True, [])
    assert asyncio.run(handlers.send_error_to_websocket(closed, "E", "m")) is False
    assert asyncio.run(handlers.send_system_message(closed, "hi")) is False


def test_errors_and_system_messages_are_sent():
    socket = Socket()
    assert asyncio.run(handlers.send_error_to_websocket(socket, "E1", "broken", {"a": 1})) is True
    assert asyncio.run(handlers.send_system_message(socket, "hello", {"b": 2})) is True
    assert (socket.sent[0]["type"], socket.sent[0]["error_code"]) == ("error_message", "E1")
    bare = Socket()
    assert asyncio.run(handlers.send_error_to_websocket(bare, "E1", "broken")) is True
    assert bare.sent[0]["details"] == {}
    assert socket.sent[1]["data"] == {"content": "hello", "b": 2}
    assert asyncio.run(handlers.send_system_message(Socket(broken=True), "hello")) is False


def test_the_built_in_handlers_and_their_order():
    assert router.MessageRouter().get_handler_order() == [
        "ConnectionHandler",
        "TypingHandler",
        "HeartbeatHandler",
        "AgentHandler",
        "AgentRequestHandler",
        "UserMessageHandler",
        "JsonRpcHandler",
        "ErrorHandler",
        "BatchMessageHandler",
    ]
    assert router.get_router_handler_count() == 9
    assert router.list_registered_handlers()[0] == "ConnectionHandler"
    assert router.get_message_router() is router.get_message_router()


def test_routing_prepares_counts_and_answers():
    subject = router.MessageRouter()
    done, sent = route(subject, {"type": "ping"})
    assert (done, sent[0]["type"]) == (True, "pong")
    assert route(subject, {"type": "user_message", "payload": {"content": "hi"}, "timestamp": 5})[0]
    assert route(subject, {"jsonrpc": "2.0", "id": 1, "method": "echo", "params": [1]})[1] == [
        {"jsonrpc": "2.0", "id": 1, "result": [1]}
    ]
    stats = subject.get_stats()
    assert (stats["messages_routed"], stats["unhandled_messages"], stats["handler_errors"]) == (3, 0, 0)
    assert stats["message_types"]["MessageType.PING"] == 1
    assert stats["handler_stats"]["UserMessageHandler"]["processed"] == 1
    assert stats["handler_count"] == 9
    assert stats["handler_order"][:2] == ["[0] ConnectionHandler", "[1] TypingHandler"]
    statistics = subject.get_statistics()
    assert statistics.pop("production_stats")["messages_routed"] == 3
    assert statistics == {"total_messages": 3, "active_routes": 0, "middleware_count": 0, "active": True}


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(0, 0.0), (5, 5.0), ("2025-01-01T00:00:00+00:00", 1735689600.0), ("1735689600", 1735689600.0), ("soon", None), (None, None)],
)
def test_timestamps_become_seconds(given, seconds):
    before = time.time()
    prepared = asyncio.run(router.MessageRouter()._prepare_message({"type": "chat", "timestamp": given}))
    if seconds is None:
        assert before <= prepared.timestamp <= time.time()
    else:
        assert prepared.timestamp == seconds


def test_unknown_types_are_acknowledged():
    subject = router.MessageRouter()
    done, sent = route(subject, {"type": "quantum"})
    assert done is True
    assert {key: sent[0][key] for key in ("type", "received_type", "user_id", "status")} == {
        "type": "ack",
        "received_type": "quantum",
        "user_id": "user_1",
        "status": "acknowledged",
    }
    assert subject.routing_stats["unhandled_messages"] == 1
    assert route(subject, {})[1][0]["received_type"] == "unknown"


def test_what_agents_report_is_routed_as_progress():
    seen = []

    class Progress(handlers.BaseMessageHandler):
        async def handle_message(self, user_id, websocket, message):
            seen.append((message.type, message.payload))
            return True

    subject = router.MessageRouter()
    subject.add_handler(Progress([MessageType.AGENT_PROGRESS]))
    for kind in ("agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"):
        assert route(subject, {"type": kind, "payload": {"a": 1}})[0]
        assert seen.pop() == (MessageType.AGENT_PROGRESS, {"a": 1, "original_agent_event_type": kind})


def test_added_handlers_come_first_in_their_order():
    first, second, third = (handlers.BaseMessageHandler([MessageType.CHAT]) for _ in range(3))
    subject = router.MessageRouter()
    subject.add_handler(second)
    subject.add_handler(third)
    subject.insert_handler(first)
    assert subject.handlers[:3] == [first, second, third]
    assert subject._find_handler(MessageType.CHAT) is first
    subject.remove_handler(first)
    subject.remove_handler(first)
    subject.remove_handler(subject.builtin_handlers[0])
    assert len(subject.handlers) == 10


@pytest.mark.parametrize("bad", [object(), lambda message: None, None])
def test_what_is_no_handler_is_refused(bad):
    with pytest.raises(TypeError) as refused:
        router.MessageRouter().add_handler(bad)
    assert str(refused.value) == (
        f"Handler {type(bad).__name__} does not implement MessageHandler protocol. Handler must have 'can_handle' and "
        "'handle_message' methods. Raw functions are not supported - use a proper handler class instead."
    )
    assert isinstance(handlers.ErrorHandler(), handlers.MessageHandler)


def test_a_failing_handler_costs_a_false():
    class Failing(handlers.BaseMessageHandler):
        async def handle_message(self, user_id, websocket, message):
            raise RuntimeError("no")

    subject = router.MessageRouter()
    subject.add_handler(Failing([MessageType.PING]))
    assert route(subject, {"type": "ping"}) == (False, [])
    assert route(subject, {"type": "ping", "timestamp": {}})[0] is False
    assert route(subject, None)[0] is False
    assert subject.routing_stats["handler_errors"] == 3


def test_status_within_and_after_the_grace_period():
    subject = router.MessageRouter()
    status = subject.check_handler_status_with_grace_period()
    assert (status["status"], status["handlers"]) == ("initializing", subject.get_handler_order())
    assert status["message"] == f"Handlers registered during startup ({status['elapsed_seconds']:.1f}s)"
    subject.startup_time -= 11
    status = subject.check_handler_status_with_grace_period()
    assert (status["status"], status["message"]) == ("ready", "Handler registration complete (9 handlers)")
    subject.builtin_handlers.clear()
    status = subject.check_handler_status_with_grace_period()
    assert (status["status"], status["message"]) == ("error", "No handlers registered after 10.0s grace period")
    assert (status["grace_period_active"], status["handler_count"], status["handlers"]) == (False, 0, [])
    subject.stop()
    assert subject.active is False
    subject.start()
    status = subject.check_handler_status_with_grace_period()
    assert (status["status"], status["message"]) == ("initializing", "Startup in progress (0.0s of 10.0s grace period)")


def test_routes_and_middleware():
    subject, seen = router.MessageRouter(), []
    subject.add_route("custom", seen.append)

    async def mark(message):
        return {**message, "marked": True}

    subject.add_middleware(mark)
    subject.add_middleware(lambda message: None)
    assert route(subject, {"type": "custom"})[0] is True
    assert seen == [{"type": "custom", "marked": True}]
    statistics = subject.get_statistics()
    assert (statistics["active_routes"], statistics["middleware_count"]) == (1, 2)


def test_quality_alerts_reach_subscribers_only():
    delivered = []

    async def deliver(user_id, message):
        if user_id == "user_3":
            raise ConnectionError("gone")
        delivered.append((user_id, message["type"], message["payload"]))

    async def run():
        subject = router.MessageRouter(deliver)
        for user in ("user_1", "user_2", "user_3"):
            await subject.handle_quality_message(user, {"type": "subscribe_quality_alerts", "payload": {}})
        await subject.handle_quality_message("user_2", {"payload": {"action": "unsubscribe"}})
        await subject.broadcast_quality_alert({"text": "slow"})
        await subject.broadcast_quality_update({"score": 1})

    asyncio.run(run())
    assert delivered == [
        ("user_1", "quality_alert", {"text": "slow", "severity": "info"}),
        ("user_1", "quality_update", {"score": 1}),
    ]
