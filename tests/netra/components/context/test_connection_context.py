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
    assert context.run_id.startswith("run_")
    assert context.to_isolation_key() == f"user_1:thread_1:{context.run_id}:{context.connection_id}"
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
    assert not context.validate_for_message_processing()
    assert context.get_connection_info()["is_active"] is False


@pytest.mark.parametrize("missing", ["user_id", "thread_id", "run_id", "connection_id"])
def test_empty_fields_are_refused(missing):
    fields = {"connection_id": "c", "user_id": "u", "thread_id": "t", "run_id": "r", missing: " "}
    with pytest.raises(ValueError, match=f"WebSocketContext requires a non-empty {missing}, got ' '"):
        WebSocketContext(websocket=Socket(), **fields)


def test_a_socket_is_required():
    with pytest.raises(ValueError, match="requires a websocket"):
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
    assert request.to_isolation_key() == f"user_1:thread_1:{request.run_id}"
    before = request.last_activity
    request.update_activity()
    assert request.last_activity >= before
    with pytest.raises(ValueError, match="requires a non-empty thread_id"):
        WebSocketRequestContext("u", "", "r")
