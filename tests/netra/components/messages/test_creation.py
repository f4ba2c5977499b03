"""The vocabulary of messages, and the functions that make well-formed ones."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid

import pytest

from compat.netra.components.messages import creation
from compat.netra.components.messages.message_types import (
    FRONTEND_MESSAGE_TYPE_MAP,
    LEGACY_MESSAGE_TYPE_MAP,
    MessageType,
    WebSocketConnectionState,
    get_frontend_message_type,
    is_jsonrpc_message,
    normalize_message_type,
)

pydantic = pytest.importorskip("pydantic", reason="pydantic is in the server extra")


def test_the_vocabulary_is_complete():
    assert len(MessageType) == 46
    assert len(LEGACY_MESSAGE_TYPE_MAP) == 57
    assert MessageType("agent_started") is MessageType.AGENT_STARTED
    assert MessageType.PING == "ping"
    assert WebSocketConnectionState.ACTIVE is WebSocketConnectionState.CONNECTED
    assert WebSocketConnectionState.FAILED is WebSocketConnectionState.ERROR
    assert creation.ConnectionState is WebSocketConnectionState


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("ping", MessageType.PING),
        ("agent_update", MessageType.AGENT_PROGRESS),
        ("thread_updated", MessageType.THREAD_UPDATE),
        ("error", MessageType.ERROR_MESSAGE),
        (MessageType.CHAT, MessageType.CHAT),
    ],
)
def test_words_are_normalized(word, kind):
    assert normalize_message_type(word) is kind


@pytest.mark.parametrize("word", ["", "no_such_type", None, 7])
def test_unknown_words_are_refused(word):
    with pytest.raises(ValueError, match="Unknown message type"):
        normalize_message_type(word)


def test_the_frontends_words():
    assert get_frontend_message_type("agent_response") == "agent_completed"
    assert get_frontend_message_type(MessageType.AGENT_PROGRESS) == "agent_update"
    assert get_frontend_message_type("ping") == "ping"
    assert get_frontend_message_type("no_such_type") == "no_such_type"
    assert set(FRONTEND_MESSAGE_TYPE_MAP.values()) == {"agent_completed", "agent_update", "thread_updated", "error"}


def test_a_standard_message_has_identity_and_time():
    before = time.time()
    message = creation.create_standard_message("user_message", {"content": "hi"}, "user_1", "thread_1")
    assert (message.type, message.payload) == (MessageType.USER_MESSAGE, {"content": "hi"})
    assert (message.user_id, message.thread_id) == ("user_1", "thread_1")
    assert before <= message.timestamp <= time.time()
    assert uuid.UUID(message.message_id).version == 4
    other = creation.create_standard_message(message_type=MessageType.CHAT, content={"a": 1}, message_id="m1")
    assert (other.type, other.payload, other.message_id) == (MessageType.CHAT, {"a": 1}, "m1")
    assert creation.create_standard_message("ping").payload == {}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"msg_type": "ping", "message_type": "ping"}, "Cannot specify both 'msg_type' and 'message_type'"),
        ({"msg_type": "chat", "payload": {}, "content": {}}, "Cannot specify both 'payload' and 'content'"),
        ({"payload": {}}, "Either 'msg_type' or 'message_type' must be provided"),
        ({"msg_type": "nothing"}, "Unknown message type: nothing"),
        ({"msg_type": "chat", "payload": {"forbidden_field": 1}}, "Invalid payload fields: forbidden_field"),
        ({"msg_type": "chat", "payload": {"another_violation": 1}}, "another_violation"),
        ({"msg_type": "chat", "payload": {"invalid_field": 1}}, "invalid_field"),
        ({"msg_type": "agent_request"}, "agent_request messages require a non-empty payload"),
        ({"msg_type": "start_agent", "payload": {}}, "start_agent messages require a non-empty payload"),
        ({"msg_type": "chat", "payload": {"a": [{"b": float("inf")}]}}, r"payload\['a'\]\[0\]\['b'\] is not a finite"),
        ({"msg_type": "chat", "payload": {"a": float("nan")}}, "is not a finite number"),
    ],
)
def test_what_makes_no_standard_message(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        creation.create_standard_message(**arguments)


def test_a_cyclic_payload_is_looked_through_once():
    payload = {"a": 1.5}
    payload["self"] = payload
    with pytest.raises((ValueError, RecursionError)):
        creation.create_standard_message("chat", {**payload, "bad": float("inf")})
    with pytest.raises(TypeError, match="payload must be a dictionary, got list"):
        creation.create_standard_message("chat", [1])


def test_server_messages_come_from_every_form():
    plain = creation.create_server_message(MessageType.PONG, {"a": 1}, "corr")
    assert (plain.type, plain.data, plain.correlation_id) == (MessageType.PONG, {"a": 1}, "corr")
    assert creation.create_server_message("pong", a=1).data == {"a": 1}
    assert creation.create_server_message({"type": "pong", "data": {"a": 1}}).data == {"a": 1}
    assert creation.create_server_message({"type": "pong", "a": 1, "correlation_id": "c"}).correlation_id == "c"
    assert creation.create_server_message(content={"text": "hi"}).type is MessageType.SYSTEM_MESSAGE
    assert creation.create_server_message("pong", server_id="s1", timestamp=5.0).timestamp == 5.0


def test_what_makes_no_server_message():
    with pytest.raises(TypeError, match="data must be a dictionary, got str"):
        creation.create_server_message("pong", "text")
    with pytest.raises(ValueError, match="Unknown message type: nothing"):
        creation.create_server_message("nothing", {})
    with pytest.raises(ValueError, match="needs a 'type' key"):
        creation.create_server_message({"data": {}})
    with pytest.raises(ValueError, match="a message needs a type"):
        creation.create_server_message()


def test_error_messages():
    error = creation.create_error_message("E1", "broken", {"a": 1}, ["try again"])
    assert (error.type, error.error_code, error.error_message) == (MessageType.ERROR_MESSAGE, "E1", "broken")
    assert (error.details, error.recovery_suggestions) == ({"a": 1}, ["try again"])
    assert creation.create_error_message("E1", "broken").details is None


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ({"jsonrpc": "2.0", "method": "m", "id": 1}, MessageType.JSONRPC_REQUEST),
        ({"jsonrpc": "2.0", "method": "m"}, MessageType.JSONRPC_NOTIFICATION),
        ({"jsonrpc": "2.0", "result": 3, "id": 1}, MessageType.JSONRPC_RESPONSE),
        ({"jsonrpc": "2.0", "error": {"code": 1}, "id": 1}, MessageType.JSONRPC_RESPONSE),
    ],
)
def test_jsonrpc_messages_are_wrapped_whole(call, kind):
    assert is_jsonrpc_message(call)
    message = creation.convert_jsonrpc_to_websocket_message(call)
    assert (message.type, message.payload) == (kind, call)
    if "id" in call:
        assert message.message_id == "1"


def test_what_is_no_jsonrpc():
    for message in ({"type": "ping"}, {"jsonrpc": "1.0", "method": "m"}, "text", None):
        assert not is_jsonrpc_message(message)


def test_connections_are_given_an_id_and_change_state():
    info = creation.ConnectionInfo(user_id="user_1")
    assert info.connection_id.startswith("ws_conn_user_1_")
    assert (info.state, info.is_healthy) == (WebSocketConnectionState.CONNECTED, True)
    info.transition_to_failed()
    assert (info.state, info.failure_count, info.is_healthy) == (WebSocketConnectionState.FAILED, 1, False)
    info.transition_to_closing()
    assert (info.state, info.is_closing) == (WebSocketConnectionState.CLOSING, True)
    info.transition_to_closed()
    assert info.state is WebSocketConnectionState.CLOSED
    assert creation.ConnectionInfo(user_id="u", connection_id="c").connection_id == "c"
    assert creation.ConnectionMetadata(user_id="user_1").connection_id.startswith("ws_conn_")
    assert creation.AgentEvent(event_type="agent_started").event_id
    with pytest.raises(pydantic.ValidationError):
        creation.ConnectionInfo()


def test_defaults_of_the_settings():
    config = creation.WebSocketConfig()
    assert (config.max_connections_per_user, config.max_message_rate_per_minute) == (3, 30)
    assert (config.max_message_size_bytes, config.heartbeat_interval_seconds) == (8192, 25)
    assert creation.WebSocketConfig.get_cloud_run_optimized_config().heartbeat_interval_seconds == 20


@pytest.mark.parametrize(
    ("variables", "interval"),
    [({}, 25), ({"ENVIRONMENT": "staging"}, 20), ({"K_SERVICE": "backend"}, 20), ({"ENVIRONMENT": "development"}, 25)],
)
def test_settings_follow_the_environment(monkeypatch, variables, interval):
    for name in ("ENVIRONMENT", "K_SERVICE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert creation.WebSocketConfig.detect_and_configure_for_environment().heartbeat_interval_seconds == interval


def test_reconnection_delays_grow_to_their_bound():
    config = creation.ReconnectionConfig(jitter_enabled=False)
    assert [config.calculate_delay(attempt) for attempt in (0, 1, 2, 3, 5, 6, 5000)] == [0, 1, 2, 4, 16, 30, 30]
    assert 1 <= creation.ReconnectionConfig().calculate_delay(1) <= 3


def test_typing_expires():
    indicator = creation.TypingIndicator(user_id="u", thread_id="t", is_typing=True, timeout_seconds=1000)
    assert indicator.is_expired()
    indicator.update_activity()
    assert not indicator.is_expired()


def test_messages_accept_the_older_keyword_and_refuse_unknown_types():
    assert creation.WebSocketMessage(message_type="ping", payload={}).type is MessageType.PING
    for bad in ({}, {"type": "nothing"}, {"type": "ping", "payload": "text"}):
        with pytest.raises(pydantic.ValidationError):
            creation.WebSocketMessage(**bad)


def test_every_public_name_resolves():
    assert [name for name in creation.__all__ if not hasattr(creation, name)] == []
    assert set(creation.__all__) <= set(dir(creation))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        creation.nothing


def test_without_pydantic_only_models_fail_and_name_the_extra():
    program = (
        "import sys; sys.modules['pydantic'] = None\n"
        "from compat.netra.components.messages import creation as messages, handlers\nfrom compat.netra.components.connections import connection_utils, heartbeats\n"
        "assert messages.normalize_message_type('ping') is messages.MessageType.PING\n"
        "try: messages.WebSocketMessage\n"
        "except ImportError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "message models need pydantic: pip install 'netra-compat[server]'\n"
