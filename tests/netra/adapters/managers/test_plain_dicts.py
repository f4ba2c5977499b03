"""The dictionaries of a manager take anything, its messages keep their old form, and its parts are what callers read."""

from __future__ import annotations

import enum
import gc
import logging
import weakref
from typing import Any

import pytest

pytestmark = pytest.mark.filterwarnings("ignore::compat.errors.LegacyUseWarning")


class WebSocketState(enum.Enum):
    CONNECTING = 0
    CONNECTED = 1
    OTHER = 2


class MyWebsocketConnState(enum.Enum):
    OPEN = "o"
    UNKNOWN = "u"


class Gone:
    pass


class Kind(enum.Enum):
    ZERO = 0
    BELOW = -1
    TEXT = "text"


@pytest.mark.parametrize(
    "name", ["_connections", "_user_connections", "active_connections", "connection_registry", "connections"]
)
def test_what_is_no_connection_is_kept_beside(manager: Any, name: str) -> None:
    kept = getattr(manager, name)
    for value in ({"websocket": None, "status": "active"}, "text", {"conn_1"}, None):
        kept["user_1"] = value
        assert getattr(manager, name)["user_1"] == value and "user_1" in getattr(manager, name)
    del getattr(manager, name)["user_1"]
    assert dict(getattr(manager, name)) == {}


async def _connected(manager: Any, connection: Any) -> Any:
    record = connection("user_1", 1)
    await manager.add_connection(record)
    return record


def test_what_is_kept_beside_neither_hides_nor_follows_a_connection(manager: Any, connection: Any) -> None:
    import asyncio

    manager._user_connections["user_1"] = {"conn_9"}
    assert manager.get_user_connections("user_1") == {"conn_9"}
    record = asyncio.run(_connected(manager, connection))
    assert manager.get_user_connections("user_1") == {"conn_1"} and manager._user_connections == {"user_1": {"conn_1"}}
    manager._connections["conn_1"] = "text"
    assert manager.get_connection("conn_1") == "text" and not manager.is_connection_active("user_1")
    manager._connections["conn_1"] = record
    assert manager.get_connection("conn_1") is record
    manager.clear_all_connections()
    assert (dict(manager._connections), dict(manager._user_connections)) == ({}, {})


def test_a_set_of_a_user_s_ids_may_be_made_and_filled(manager: Any) -> None:
    manager._user_connections.setdefault("user_1", set()).add("conn_1")
    assert manager._user_connections["user_1"] == {"conn_1"}
    manager._user_connections = {"user_2": {"conn_2"}}
    assert dict(manager._user_connections) == {"user_2": {"conn_2"}}


@pytest.mark.parametrize("name", ["_connections", "_user_connections", "active_connections", "connections"])
def test_a_dictionary_may_be_replaced_by_one_of_anything(manager: Any, name: str) -> None:
    for wanted in ({"user_1": "text"}, {"user_2": {"websocket": None}}, {"user_3": None}, {}):
        setattr(manager, name, wanted)
        assert dict(getattr(manager, name)) == wanted


def test_a_list_of_a_user_s_records_may_be_made_and_filled(manager: Any, connection: Any) -> None:
    manager.active_connections.setdefault("user_1", []).append("text")
    assert manager.active_connections["user_1"] == ["text"]
    record = connection("user_2", 2)
    manager.active_connections = {"user_2": [record]}
    assert manager.get_user_connections("user_2") == {"conn_2"} and list(manager.active_connections) == ["user_2"]
    manager.active_connections = {}
    assert manager.get_connection("conn_2") is None


def test_socket_states_are_told_by_their_names_and_other_keys_by_their_numbers() -> None:
    from netra_backend.app.websocket_core.unified_manager import _get_enum_key_representation, _serialize_message_safely

    assert [_get_enum_key_representation(one) for one in (*WebSocketState, *MyWebsocketConnState, *Kind)] == [
        "connecting", "connected", "2", "open", "unknown", "0", "-1", "text",
    ]  # fmt: skip
    values = [_serialize_message_safely(one) for one in (*WebSocketState, *MyWebsocketConnState, *Kind)]
    assert values == ["connecting", "connected", 2, "open", "u", 0, -1, "text"]
    assert _serialize_message_safely({Kind.ZERO: {1: (2,)}, 3: None}) == {"0": {1: [2]}, 3: None}


def test_what_has_no_form_falls_back_to_its_text(caplog: pytest.LogCaptureFixture) -> None:
    from netra_backend.app.websocket_core.unified_manager import _serialize_message_safely

    with caplog.at_level(logging.WARNING):
        assert _serialize_message_safely({"x": 1j}) == {"x": "1j"}
    assert caplog.messages == ["complex at message['x'] has no JSON form: string fallback"]
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(ValueError, match=r"^Circular reference detected at message\[0\]"):
        _serialize_message_safely(circle)


@pytest.mark.usefixtures("testing")
def test_what_a_manager_is_made_of() -> None:
    from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager

    made = UnifiedWebSocketManager(config={"a": 1})
    assert (made.mode.value, made.config, made.on_event_emitted, made._event_listeners) == ("unified", {"a": 1}, None, [])
    assert isinstance(made._connection_pool, weakref.WeakValueDictionary)
    assert list(made._event_queue_stats) == [
        "total_events_sent", "events_delivered", "contamination_prevented", "queue_overflows", "auth_token_reuse_detected",
    ]  # fmt: skip
    registry = made.registry
    assert registry._manager_ref() is made and registry.manager is made
    registry._manager_ref = weakref.ref(Gone())
    gc.collect()
    with pytest.raises(RuntimeError, match=r"^WebSocket manager has been garbage collected$"):
        _ = registry.manager


def test_a_module_of_rows_says_what_it_is() -> None:
    from netra_backend.app.websocket_core import websocket_manager

    assert websocket_manager.__doc__ == (
        "What old code imports from netra_backend.app.websocket_core.websocket_manager: names that have moved, or are gone."
    )


@pytest.mark.usefixtures("testing")
def test_a_manager_made_with_a_token_is_judged_through_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    from unittest.mock import patch

    from netra_backend.app.websocket_core.unified_manager import UnifiedWebSocketManager

    with patch("netra_backend.app.websocket_core.ssot_validation_enhancer.validate_websocket_manager_creation") as judge:
        UnifiedWebSocketManager()
        judge.assert_not_called()
        made = UnifiedWebSocketManager(_ssot_authorization_token="x" * 16)
    judge.assert_called_once_with(manager_instance=made, user_context=made.user_context, creation_method="factory_authorized")
