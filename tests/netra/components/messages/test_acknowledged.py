"""Messages are queued, sent, received once and acknowledged, in the form that peers of the old protocol read."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import datetime
from typing import Any
from unittest.mock import AsyncMock

import pytest

from compat.netra.components.messages import acknowledged
from compat.netra.components.messages.acknowledged import WebSocketMessageHandler


@pytest.fixture
def handler() -> WebSocketMessageHandler:
    return WebSocketMessageHandler()


@pytest.fixture(autouse=True)
def every_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger=acknowledged.logger.name)


def receive(handler: WebSocketMessageHandler, message: dict[str, Any]) -> None:
    asyncio.run(handler.process_received_message(message, "c1"))


def test_the_content_alone_is_sent_and_remembered_until_acknowledged(handler, caplog) -> None:
    socket = AsyncMock()
    state = handler.create_message_state({"text": "hello"}, "m1", require_ack=True)
    assert state.timestamp.tzinfo is None and abs((datetime.now() - state.timestamp).total_seconds()) < 60
    assert asyncio.run(handler.execute_message_send(socket, state)) is True
    socket.send.assert_awaited_once_with('{"text": "hello"}')
    assert (handler.sent_messages, handler.get_unacked_count()) == ({"m1": state}, 1)
    receive(handler, {"type": "ack", "id": "m1"})
    receive(handler, {"type": "ack", "id": "unknown"})
    assert (state.acknowledged, handler.sent_messages, handler.get_unacked_count()) == (True, {}, 0)
    assert caplog.messages == ["Message sent: m1", "Message acknowledged: m1"]


def test_what_the_socket_or_the_encoder_raises_goes_through(handler) -> None:
    socket = AsyncMock()
    socket.send.side_effect = ConnectionError("gone")
    state = handler.create_message_state({}, "m1", require_ack=True)
    with pytest.raises(ConnectionError, match=r"^gone$"):
        asyncio.run(handler.execute_message_send(socket, state))
    assert (state.retry_count, handler.sent_messages) == (0, {})
    with pytest.raises(TypeError):
        asyncio.run(handler.execute_message_send(AsyncMock(), handler.create_message_state({"x": object()}, "m2", True)))


def test_a_message_without_acknowledgement_is_not_remembered(handler) -> None:
    asyncio.run(handler.execute_message_send(AsyncMock(), handler.create_message_state({}, "m1", require_ack=False)))
    assert handler.sent_messages == {}


def test_queueing_is_not_sending_whether_there_is_room_or_not(handler, caplog) -> None:
    states = [handler.create_message_state({}, f"m{n}", require_ack=False) for n in range(3)]
    assert [handler.queue_pending_message(state, 2) for state in states] == [False, False, False]
    assert caplog.messages == ["Message queued: m0", "Message queued: m1", "Pending message queue full, dropping: m2"]
    copy = handler.get_pending_messages_copy()
    copy.clear()
    assert handler.get_pending_count() == 2
    handler.clear_pending_messages()
    assert handler.pending_messages == []


def test_a_message_reaches_the_callback_once(handler, caplog) -> None:
    handler.on_message = AsyncMock()
    message = {"id": "m1", "type": "chat"}
    receive(handler, message)
    receive(handler, message)
    handler.on_message.assert_awaited_once_with("c1", message)
    assert handler.received_messages == {"m1"} and isinstance(handler.received_messages, set)
    assert caplog.messages == ["Duplicate message ignored: m1"]


@pytest.mark.parametrize("message", [{"type": "pong", "id": "m1"}, {"type": "ack", "id": "m1"}])
def test_pongs_and_acknowledgements_reach_nobody(handler, message) -> None:
    handler.on_message = AsyncMock()
    receive(handler, message)
    assert handler.received_messages == set() and not handler.on_message.called


@pytest.mark.parametrize("message", [{"type": "chat"}, {"type": "ack"}, {"id": "", "message_id": "m1"}])
def test_what_has_no_id_is_no_duplicate(handler, message) -> None:
    handler.on_message = AsyncMock()
    receive(handler, message)
    receive(handler, message)
    assert handler.on_message.await_count == 2 and handler.received_messages == set()


def test_what_the_callback_raises_goes_through(handler) -> None:
    handler.on_message = AsyncMock(side_effect=RuntimeError("broken"))
    with pytest.raises(RuntimeError, match=r"^broken$"):
        receive(handler, {"id": "m1"})
    assert handler.received_messages == {"m1"}


def test_half_of_too_many_received_ids_are_forgotten(handler, monkeypatch) -> None:
    monkeypatch.setattr(acknowledged, "REMEMBERED_IDS", 10)
    for number in range(11):
        receive(handler, {"id": f"m{number}"})
    assert len(handler.received_messages) == 5 and "m10" in handler.received_messages


def test_an_acknowledgement_is_sent_and_its_failure_logged(handler, caplog) -> None:
    socket = AsyncMock()
    asyncio.run(handler.send_acknowledgment(socket, "m1"))
    sent = json.loads(socket.send.call_args.args[0])
    assert list(sent) == ["type", "id", "timestamp"] and (sent["type"], sent["id"]) == ("ack", "m1")
    assert datetime.fromisoformat(sent["timestamp"]).tzinfo is None
    socket.send.side_effect = OSError("closed")
    asyncio.run(handler.send_acknowledgment(socket, "m1"))
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [("WARNING", "Failed to send acknowledgment: closed")]


def test_message_ids_are_the_generator_s(handler) -> None:
    first, second = handler.generate_message_id(), handler.generate_message_id()
    assert first != second and first.startswith("websocket_message_") and len(first.rpartition("_")[2]) == 8
