"""The shape of a manager."""

from __future__ import annotations

import asyncio

import pytest

from compat.netra.components.connections import manager_protocol as protocols


class Whole:
    """Has every method."""

    async def add_connection(self, connection): ...
    async def remove_connection(self, connection_id): ...
    def get_connection(self, connection_id): ...
    def get_user_connections(self, user_id): ...
    def is_connection_active(self, user_id): ...
    def get_connection_id_by_websocket(self, websocket): ...
    def update_connection_thread(self, connection_id, thread_id): ...
    async def send_to_user(self, user_id, message): ...
    async def emit_critical_event(self, user_id, event_type, data): ...
    def get_connection_health(self, user_id): ...
    async def send_to_thread(self, thread_id, message): ...


class Partial(Whole):
    send_to_thread = None

    def get_connection(self): ...


def test_a_whole_manager_is_compliant():
    result = protocols.WebSocketProtocolValidator.validate_manager_protocol(Whole())
    assert result["compliant"] is True
    assert result["summary"] == {"total_methods_required": 11, "methods_present": 11, "compliance_percentage": 100.0}
    assert protocols.validate_migration_compatibility(Whole())["migration_ready"] is True
    manager = Whole()
    assert protocols.adapt_manager_for_legacy_code(manager) is manager


def test_everything_that_is_wrong_is_named_at_once():
    result = protocols.WebSocketProtocolValidator.validate_manager_protocol(Partial())
    assert (result["missing_methods"], result["invalid_signatures"]) == (["send_to_thread"], ["get_connection(connection_id)"])
    with pytest.raises(RuntimeError, match=r"Core does not follow .*missing send_to_thread; wrong arguments in get_connection"):
        protocols.WebSocketProtocolValidator.require_protocol_compliance(Partial(), "Core")
    assert protocols.validate_migration_compatibility(Partial())["recommendations"] == [
        "implement send_to_thread()",
        "accept the arguments get_connection(connection_id)",
    ]


def test_one_socket_with_its_ids():
    class Socket:
        client_state = "connected"
        sent = []

        async def send_json(self, data):
            self.sent.append(data)

        async def close(self, code, reason):
            self.client_state = "disconnected"

    async def run():
        socket = Socket()
        one = protocols.WebSocketProtocol(socket, "conn_1", "user_1")
        assert await one.send_message({"a": 1})
        await one.close()
        assert not await one.send_message({"a": 2})
        assert (socket.sent, socket.client_state) == ([{"a": 1}], "disconnected")
        assert not await protocols.WebSocketProtocol().send_message({})

    asyncio.run(run())


def test_ids_are_non_empty_texts():
    assert protocols.ensure_user_id_type("user_1") == "user_1"
    assert protocols.ensure_thread_id_type("thread_1") == "thread_1"
    assert protocols.ensure_connection_id_type("conn_1") == "conn_1"
    assert protocols.ensure_websocket_id_type(None) is None
    with pytest.raises(ValueError, match="websocket_id must be a non-empty string, got ''"):
        protocols.ensure_websocket_id_type("")
    assert "async send_to_user(user_id, message)" in protocols.get_protocol_documentation()
