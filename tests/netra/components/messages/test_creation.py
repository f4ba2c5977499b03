"""The vocabulary of messages, and the functions that make well-formed ones."""

from __future__ import annotations

import re
import subprocess
import sys
import time

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
from compat.netra.components.messages.payload_checks import check_payload

pydantic = pytest.importorskip("pydantic", reason="pydantic is in the server extra")


def test_the_vocabulary_is_complete():
    assert len(MessageType) == 46
    assert {member.value for member in MessageType} < set(LEGACY_MESSAGE_TYPE_MAP)
    assert MessageType("agent_started") is MessageType.AGENT_STARTED
    assert MessageType.PING == "ping"
    assert WebSocketConnectionState.ACTIVE is WebSocketConnectionState.CONNECTED
    assert WebSocketConnectionState.FAILED is WebSocketConnectionState.ERROR
    assert creation.ConnectionState is WebSocketConnectionState


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("ping", MessageType.PING),
        ("agent", MessageType.AGENT_REQUEST),
        ("agent_update", MessageType.AGENT_STATUS_UPDATE),
        ("agent_failed", MessageType.AGENT_ERROR),
        ("agent_fallback", MessageType.AGENT_ERROR),
        ("chat_message", MessageType.USER_MESSAGE),
        ("user_input", MessageType.USER_MESSAGE),
        ("connected", MessageType.CONNECT),
        ("execute_agent", MessageType.START_AGENT),
        ("EXECUTE_AGENT", MessageType.START_AGENT),
        ("factory_connection_established", MessageType.CONNECTION_ESTABLISHED),
        ("isolated_connection_established", MessageType.CONNECTION_ESTABLISHED),
        ("legacy_connection_established", MessageType.CONNECTION_ESTABLISHED),
        ("legacy_response", MessageType.AGENT_RESPONSE),
        ("legacy_heartbeat", MessageType.HEARTBEAT),
        ("thread", MessageType.THREAD_UPDATE),
        ("thread_updated", MessageType.THREAD_UPDATE),
        ("error", MessageType.ERROR_MESSAGE),
        (MessageType.CHAT, MessageType.CHAT),
    ],
)
def test_words_are_normalized(word, kind):
    assert normalize_message_type(word) is kind


@pytest.mark.parametrize("word", ["", "no_such_type", "PING"])
def test_unknown_words_are_refused(word):
    with pytest.raises(ValueError) as caught:
        normalize_message_type(word)
    said = str(caught.value)
    assert said.startswith(f"Unknown message type: '{word}'. Valid types: ['connect', 'disconnect', ")
    assert "] or legacy types: ['error', " in said
    with pytest.raises(ValueError, match="^Unknown message type: "):
        get_frontend_message_type(word)


@pytest.mark.parametrize("word", [None, 7])
def test_what_is_no_word_is_refused(word):
    with pytest.raises(ValueError, match=f"^Message type must be string or MessageType enum, got {type(word).__name__}$"):
        normalize_message_type(word)


def test_the_frontends_words():
    assert get_frontend_message_type("agent_response") == "agent_completed"
    assert get_frontend_message_type(MessageType.AGENT_PROGRESS) == "agent_update"
    assert get_frontend_message_type("ping") == "ping"
    assert get_frontend_message_type(MessageType.AGENT_STARTED) is MessageType.AGENT_STARTED
    words = ("agent_thinking", "agent", "chat_message", "agent_update", "thread")
    assert [get_frontend_message_type(word) for word in words] == [
        "agent_thinking",
        "agent_request",
        "user_message",
        "agent_status_update",
        "thread_updated",
    ]
    assert set(FRONTEND_MESSAGE_TYPE_MAP.values()) == {"agent_completed", "agent_update", "thread_updated", "error"}


def test_a_standard_message_has_identity_and_time():
    before = time.time()
    message = creation.create_standard_message("user_message", {"content": "hi"}, "user_1", "thread_1")
    assert (message.type, message.payload) == (MessageType.USER_MESSAGE, {"content": "hi"})
    assert (message.user_id, message.thread_id) == ("user_1", "thread_1")
    assert before <= message.timestamp <= time.time()
    assert re.fullmatch(r"msg_user_message_\d{13}_\d+_[0-9a-f]{8}", message.message_id)
    made = creation.generate_default_message("chat", "user_1", "thread_1")
    assert re.fullmatch(r"msg_chat_\d{13}_\d+_[0-9a-f]{8}", made.message_id)
    other = creation.create_standard_message(message_type=MessageType.CHAT, content={"a": 1}, message_id="m1", colour="red")
    assert (other.type, other.payload, other.message_id) == (MessageType.CHAT, {"a": 1}, "m1")
    assert creation.create_standard_message("ping").payload == {}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"msg_type": "ping", "message_type": "ping"}, "Cannot specify both msg_type and message_type parameters"),
        ({"msg_type": "chat", "payload": {}, "content": {}}, "Cannot specify both payload and content parameters"),
        ({"payload": {}}, "msg_type (or message_type) is required"),
        (
            {"msg_type": "chat", "payload": {"forbidden_field": 1}},
            "Payload contains forbidden fields that violate SSOT: {'forbidden_field'}",
        ),
        (
            {"msg_type": "chat", "payload": {"invalid_field": 1, "another_violation": 1}},
            "Payload contains forbidden fields that violate SSOT: {'another_violation', 'invalid_field'}",
        ),
        ({"msg_type": "agent_request"}, "Agent message type 'MessageType.AGENT_REQUEST' requires non-empty payload"),
        ({"msg_type": "start_agent", "payload": {}}, "Agent message type 'MessageType.START_AGENT' requires non-empty payload"),
        ({"msg_type": "chat", "payload": {"a": [{"b": float("inf")}]}}, "Payload contains infinity values that violate SSOT"),
        ({"msg_type": "chat", "payload": {"a": float("nan")}}, "Payload contains NaN values that violate SSOT"),
    ],
)
def test_what_makes_no_standard_message(arguments, sentence):
    with pytest.raises(ValueError) as caught:
        creation.create_standard_message(**arguments)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("chat", [1]), "Payload must be a dictionary, got <class 'list'>"),
        (("start_agent", {"request": 7}), "Agent message 'request' field must be dict or string, got int"),
        (("agent_request", {"request": None}), "Agent message 'request' field must be dict or string, got NoneType"),
        (("chat", {"a": {(1, 2): 3}}), "keys must be str, int, float, bool or None, not tuple"),
    ],
)
def test_what_has_the_wrong_type_for_a_standard_message(arguments, sentence):
    with pytest.raises(TypeError) as caught:
        creation.create_standard_message(*arguments)
    assert str(caught.value) == sentence


def test_requests_are_texts_and_dictionaries():
    assert creation.create_standard_message("agent_request", {"request": "hi"}).payload == {"request": "hi"}
    assert creation.create_standard_message("chat", {"request": 7}).payload == {"request": 7}


def test_a_payload_that_contains_itself_is_refused_and_one_that_repeats_a_part_is_not():
    payload = {"a": 1.5}
    payload["self"] = [payload]
    with pytest.raises(RecursionError):
        creation.create_standard_message("chat", payload)
    shared = [1]
    assert creation.create_standard_message("chat", {"a": shared, "b": {"c": shared}}).payload["a"] == [1]


def test_the_time_that_a_deep_payload_takes_grows_with_its_depth():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="^Payload contains NaN"):
        check_payload(MessageType.CHAT, {"nan": float("nan"), "deep": deep})
    # Emptied level by level: the interpreter frees a nested list by recursion.
    while deep:
        deep = deep.pop()


def test_server_messages_come_from_every_form():
    plain = creation.create_server_message(MessageType.PONG, {"a": 1}, "corr")
    assert (plain.type, plain.data, plain.correlation_id) == (MessageType.PONG, {"a": 1}, "corr")
    assert creation.create_server_message("pong", a=1).data == {"a": 1}
    assert creation.create_server_message({"type": "pong", "data": {"a": 1}}).data == {"a": 1}
    assert creation.create_server_message({"type": "pong", "a": 1, "correlation_id": "c"}).correlation_id == "c"
    assert creation.create_server_message(content={"text": "hi"}).type is MessageType.SYSTEM_MESSAGE
    assert creation.create_server_message("pong", server_id="s1", timestamp=5.0).timestamp == 5.0
    assert creation.create_server_message("pong", {"a": 1}, content={"b": 2}).data == {"a": 1}


def test_what_makes_no_server_message():
    with pytest.raises(TypeError, match="^Standard pattern requires data to be a dictionary. Got str: text$"):
        creation.create_server_message("pong", "text")
    with pytest.raises(ValueError) as caught:
        creation.create_server_message("nothing", {})
    assert str(caught.value).startswith("Invalid message type 'nothing': Unknown message type: 'nothing'. Valid types: [")
    assert str(caught.value).endswith("]. Use MessageType enum values or valid string types.")
    with pytest.raises(ValueError) as caught:
        creation.create_server_message({"data": {}})
    assert str(caught.value) == "Legacy pattern requires 'type' field in dictionary. Got dictionary keys: ['data']"
    with pytest.raises(ValueError, match="a message needs a type"):
        creation.create_server_message()


def test_error_messages():
    error = creation.create_error_message("E1", "broken", {"a": 1}, ["try again"])
    assert (error.type, error.error_code, error.error_message) == (MessageType.ERROR_MESSAGE, "E1", "broken")
    assert (error.details, error.recovery_suggestions) == ({"a": 1}, ["try again"])
    assert creation.create_error_message("E1", "broken").details == {}


@pytest.mark.parametrize(
    ("arguments", "kind", "sentence"),
    [
        (("", "m"), ValueError, "Error code must be a non-empty string, got str: "),
        ((7, "m"), ValueError, "Error code must be a non-empty string, got int: 7"),
        (("E1", None), ValueError, "Error message must be a non-empty string, got NoneType: None"),
        (("E1", "m", [1]), TypeError, "Error details must be a dictionary, got list"),
        (("E1", "m", None, "again"), TypeError, "Recovery suggestions must be a list, got str"),
        (("E1", "m", None, ["again", 7]), TypeError, "Recovery suggestion 1 must be a string, got int"),
    ],
)
def test_what_makes_no_error_message(arguments, kind, sentence):
    with pytest.raises(kind) as caught:
        creation.create_error_message(*arguments)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ({"jsonrpc": "2.0", "method": "m", "id": 1}, MessageType.JSONRPC_REQUEST),
        ({"jsonrpc": "2.0", "method": "m"}, MessageType.JSONRPC_NOTIFICATION),
        ({"jsonrpc": "2.0", "result": 3, "id": 1}, MessageType.JSONRPC_RESPONSE),
        ({"jsonrpc": "2.0", "error": {"code": 1}, "id": 1}, MessageType.JSONRPC_RESPONSE),
        ({"jsonrpc": "2.0", "id": 1}, MessageType.JSONRPC_NOTIFICATION),
    ],
)
def test_jsonrpc_messages_are_wrapped_whole(call, kind):
    assert is_jsonrpc_message(call) is bool(call.keys() - {"jsonrpc", "id"})
    message = creation.convert_jsonrpc_to_websocket_message(call)
    assert (message.type, message.payload) == (kind, call)
    if "id" in call:
        assert message.message_id == "1"


def test_what_is_no_jsonrpc():
    for message in ({"jsonrpc": "2.0", "id": 1}, {"type": "ping"}, {"jsonrpc": "1.0", "method": "m"}, "text", None):
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
    assert creation.ConnectionMetadata(user_id="user_1", connection_id="").connection_id.startswith("ws_conn_")
    event = creation.AgentEvent(event_type="agent_started")
    assert re.fullmatch(r"evt_agent_started_\d{13}_\d+_[0-9a-f]{8}", event.event_id)
    assert creation.AgentEvent(event_type="x", event_id="mine").event_id == "mine"
    with pytest.raises(pydantic.ValidationError):
        creation.ConnectionInfo()


def test_defaults_of_the_settings():
    config = creation.WebSocketConfig()
    assert (config.max_connections_per_user, config.max_message_rate_per_minute) == (3, 30)
    assert (config.max_message_size_bytes, config.heartbeat_interval_seconds) == (8192, 25)
    plain = config.model_dump()
    cloud = creation.WebSocketConfig.get_cloud_run_optimized_config().model_dump()
    assert {name: value for name, value in cloud.items() if plain[name] != value} == {
        "heartbeat_interval_seconds": 20,
        "accept_completion_timeout_seconds": 10.0,
        "accept_validation_interval_ms": 50,
        "cloud_run_accept_delay_ms": 75,
        "cloud_run_stabilization_delay_ms": 50,
        "cloud_run_progressive_backoff_ms": [50, 100, 150, 200],
        "execution_timeout_seconds": 360.0,
    }


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
    assert [config.calculate_delay(attempt) for attempt in (-1, 0, 1, 2, 3, 5, 6, 5000)] == [1, 1, 1, 2, 4, 16, 30, 30]
    for attempt, least, most in ((1, 1.0, 1.1), (3, 4.0, 4.4), (9, 30.0, 32.0)):
        assert all(least <= creation.ReconnectionConfig().calculate_delay(attempt) <= most for _ in range(50))


def test_typing_expires():
    indicator = creation.TypingIndicator(user_id="u", thread_id="t", is_typing=True, timeout_seconds=1000)
    assert not indicator.is_expired()
    indicator.update_activity()
    assert not indicator.is_expired()
    indicator.last_activity -= 1001
    assert indicator.is_expired()
    indicator.is_typing = False
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
