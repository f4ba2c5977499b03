"""Connections and requests with what they work for."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest

from compat.netra.components.context.connection_context import WebSocketContext, WebSocketRequestContext


class Socket:
    client_state = "connected"

    async def send_json(self, data):
        """Never called."""


def test_a_context_is_made_with_ids_of_its_own():
    context = WebSocketContext.create_for_user(Socket(), "user_1", "thread_1")
    assert context.connection_id.startswith("ws_conn_user_1_")
    assert context.run_id.startswith("run_execution_")
    assert context.to_isolation_key() == f"ws_user_1_thread_1_{context.run_id}"
    given = WebSocketContext.create_for_user(Socket(), "user_1", "thread_1", "run_1", "conn_1")
    assert (given.run_id, given.connection_id) == ("run_1", "conn_1")
    assert given.connected_at.tzinfo is None


def test_messages_are_processed_while_open_and_fresh():
    context = WebSocketContext.create_for_user(Socket(), "user_1", "thread_1")
    assert context.validate_for_message_processing()
    context.last_activity -= timedelta(seconds=301)
    assert not context.validate_for_message_processing()
    context.update_activity()
    assert context.validate_for_message_processing()
    context.websocket.client_state = "disconnected"
    with pytest.raises(ValueError) as refused:
        context.validate_for_message_processing()
    text = f"WebSocket context validation failed: WebSocket connection {context.connection_id} is not active"
    assert str(refused.value) == text
    info = context.get_connection_info()
    assert (info["is_active"], info["client_state"]) == (False, "disconnected")


@pytest.mark.parametrize("missing", ["user_id", "thread_id", "run_id", "connection_id"])
def test_empty_fields_are_refused(missing):
    fields = {"connection_id": "c", "user_id": "u", "thread_id": "t", "run_id": "r", missing: " "}
    with pytest.raises(ValueError, match=f"^{missing} is required for WebSocketContext$"):
        WebSocketContext(websocket=Socket(), **fields)


@pytest.mark.parametrize(
    ("user_id", "thread_id", "missing"), [("", "t", "user_id"), (None, "t", "user_id"), ("user_1", "", "thread_id")]
)
def test_making_one_names_the_empty_field_before_it_makes_ids(user_id, thread_id, missing):
    with pytest.raises(ValueError, match=f"^{missing} is required for WebSocketContext$"):
        WebSocketContext.create_for_user(Socket(), user_id, thread_id)


def test_a_socket_is_required():
    with pytest.raises(ValueError, match="^websocket is required for WebSocketContext$"):
        WebSocketContext("c", None, "u", "t", "r")


def test_a_request_reads_through_to_its_connection():
    connection = WebSocketContext.create_for_user(Socket(), "user_1", "thread_1", connection_id="conn_1")
    request = WebSocketRequestContext.create_for_user("user_1", "thread_1", connection)
    assert request.connection_id == "conn_1"
    request._attributes["tier"] = "early"
    assert request.tier == "early"
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        request.nothing
    assert copy.copy(request).user_id == "user_1"
    assert request.get_context_info()["has_connection_info"] is True
    assert request.get_context_info()["additional_attributes"] == ["tier"]
    assert request.to_isolation_key() == f"wsreq_user_1_thread_1_{request.run_id}" and len(request.run_id) == 36
    before = request.last_activity
    request.update_activity()
    assert request.last_activity >= before
    with pytest.raises(ValueError, match="^thread_id is required for WebSocketRequestContext$"):
        WebSocketRequestContext("u", "", "r")
