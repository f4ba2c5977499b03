"""Messages are queued, sent, received once and acknowledged."""

from __future__ import annotations

import asyncio
import json
from unittest.mock import AsyncMock

import pytest

from compat.netra.components.messages import acknowledged
from compat.netra.components.messages.acknowledged import WebSocketMessageHandler


@pytest.fixture
def handler() -> WebSocketMessageHandler:
    return WebSocketMessageHandler()


def test_a_message_is_sent_as_an_envelope_and_remembered_until_acknowledged(handler: WebSocketMessageHandler) -> None:
    socket = AsyncMock()
    state = handler.create_message_state({"text": "hello"}, "m1", require_ack=True)
    assert asyncio.run(handler.execute_message_send(socket, state)) is True
    sent = json.loads(socket.send.call_args.args[0])
    assert sent == {
        "id": "m1",
        "message_id": "m1",
        "timestamp": state.timestamp.isoformat(),
        "content": {"text": "hello"},
        "ack_required": True,
    }
    assert handler.get_unacked_count() == 1
    asyncio.run(handler.process_received_message({"type": "ack", "message_id": "m1"}, "c1"))
    assert (state.acknowledged, handler.sent_messages, handler.get_unacked_count()) == (True, {"m1": state}, 0)


def test_a_refused_send_counts_a_retry_and_is_logged(handler: WebSocketMessageHandler, caplog) -> None:
    socket = AsyncMock()
    socket.send.side_effect = ConnectionError("gone")
    state = handler.create_message_state({}, "m1", require_ack=True)
    assert asyncio.run(handler.execute_message_send(socket, state)) is False
    assert (state.retry_count, handler.sent_messages) == (1, {})
    assert caplog.messages == ["Failed to send message m1: gone"]


def test_a_message_without_acknowledgement_is_not_remembered(handler: WebSocketMessageHandler) -> None:
    asyncio.run(handler.execute_message_send(AsyncMock(), handler.create_message_state({}, "m1", require_ack=False)))
    assert handler.sent_messages == {}


def test_the_queue_refuses_what_is_over_its_limit(handler: WebSocketMessageHandler) -> None:
    states = [handler.create_message_state({}, f"m{n}", require_ack=False) for n in range(3)]
    assert [handler.queue_pending_message(state, 2) for state in states] == [True, True, False]
    copy = handler.get_pending_messages_copy()
    copy.clear()
    assert handler.get_pending_count() == 2
    handler.clear_pending_messages()
    assert handler.pending_messages == []


def test_a_message_reaches_the_callback_once(handler: WebSocketMessageHandler) -> None:
    handler.on_message = AsyncMock()
    message = {"id": "m1", "type": "chat"}
    asyncio.run(handler.process_received_message(message, "c1"))
    asyncio.run(handler.process_received_message(message, "c1"))
    handler.on_message.assert_awaited_once_with("c1", message)
    assert list(handler.received_messages) == ["m1"]


def test_a_failing_callback_is_logged(handler: WebSocketMessageHandler, caplog) -> None:
    def fail(connection_id: str, message: dict) -> None:
        raise RuntimeError("broken")

    handler.on_message = fail
    asyncio.run(handler.process_received_message({"id": "m1"}, "c1"))
    assert caplog.messages == ["Error in message callback for c1: broken"]


def test_received_ids_are_forgotten_oldest_first(handler: WebSocketMessageHandler, monkeypatch) -> None:
    monkeypatch.setattr(acknowledged, "REMEMBERED_IDS", 2)
    for number in range(3):
        asyncio.run(handler.process_received_message({"id": f"m{number}"}, "c1"))
    assert list(handler.received_messages) == ["m1", "m2"]


def test_acknowledged_messages_are_forgotten_when_they_are_too_many(handler, monkeypatch) -> None:
    monkeypatch.setattr(acknowledged, "REMEMBERED_IDS", 2)
    for number in range(3):
        state = handler.create_message_state({}, f"m{number}", require_ack=True)
        asyncio.run(handler.execute_message_send(AsyncMock(), state))
        if number == 0:
            handler.handle_acknowledgment("m0")
    assert list(handler.sent_messages) == ["m1", "m2"]


def test_an_acknowledgement_is_sent_and_its_failure_logged(handler: WebSocketMessageHandler, caplog) -> None:
    socket = AsyncMock()
    asyncio.run(handler.send_acknowledgment(socket, "m1"))
    sent = json.loads(socket.send.call_args.args[0])
    assert (sent["type"], sent["message_id"]) == ("ack", "m1")
    socket.send.side_effect = OSError("closed")
    asyncio.run(handler.send_acknowledgment(socket, "m1"))
    assert caplog.messages == ["Failed to send acknowledgment for m1: closed"]


def test_message_ids_differ(handler: WebSocketMessageHandler) -> None:
    assert handler.generate_message_id() != handler.generate_message_id()
