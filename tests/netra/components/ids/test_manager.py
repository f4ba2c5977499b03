"""Registered identifiers: made by kind, remembered, released; UUIDs converted; users' resources kept apart."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from compat.netra.components.ids import IDMetadata, IDType, UnifiedIDManager, get_id_manager, id_manager


@pytest.fixture
def ids() -> UnifiedIDManager:
    return UnifiedIDManager()


def test_identifiers_are_made_by_kind_and_count_by_kind(ids: UnifiedIDManager) -> None:
    assert re.fullmatch(r"user_1_[0-9a-f]{8}", ids.generate_id(IDType.USER))
    assert re.fullmatch(r"user_2_[0-9a-f]{8}", ids.generate_id(IDType.USER))
    assert re.fullmatch(r"conn_websocket_1_[0-9a-f]{8}", ids.generate_id(IDType.WEBSOCKET, prefix="conn"))
    stats = ids.get_stats()
    assert re.fullmatch(r"user_test_[0-9a-f]{8}", ids.generate_id("user_test"))
    assert ids.get_stats() == stats
    with pytest.raises(TypeError, match=r"^id_type must be an IDType or a text, not int$"):
        ids.generate_id(3)


def test_metadata_is_kept(ids: UnifiedIDManager) -> None:
    made = ids.generate_id(IDType.AGENT, prefix="triage", context={"a": 1})
    known = ids.get_id_metadata(made)
    assert known is not None
    assert (known.id_value, known.id_type, known.prefix, known.context) == (made, IDType.AGENT, "triage", {"a": 1})
    assert ids.get_id_metadata("other") is None
    assert IDMetadata("x", IDType.USER, 0.0).context == {}


def test_only_registered_identifiers_are_valid(ids: UnifiedIDManager) -> None:
    made = ids.generate_id(IDType.USER)
    assert ids.is_valid_id(made)
    assert ids.is_valid_id(made, IDType.USER)
    assert not ids.is_valid_id(made, IDType.RUN)
    assert not ids.is_valid_id("user_1_00000000")
    assert ids.register_existing_id("legacy", IDType.USER)
    assert not ids.register_existing_id("legacy", IDType.USER)
    assert ids.is_valid_id_format_compatible("legacy", IDType.USER)


def test_release_and_cleanup(ids: UnifiedIDManager) -> None:
    made = ids.generate_id(IDType.USER)
    assert ids.get_active_ids(IDType.USER) == {made}
    assert ids.release_id(made)
    assert not ids.release_id("unknown")
    assert ids.count_active_ids(IDType.USER) == 0
    assert ids.is_valid_id(made)
    assert ids.cleanup_released_ids() == 0
    assert ids.cleanup_released_ids(-1) == 1
    assert not ids.is_valid_id(made)


def test_statistics_and_reset(ids: UnifiedIDManager) -> None:
    ids.generate_id(IDType.USER)
    ids.generate_id(IDType.RUN)
    stats = ids.get_stats()
    assert (stats["total_registered"], stats["total_active"]) == (2, 2)
    assert stats["active_by_type"]["user"] == stats["counters_by_type"]["run"] == 1
    ids.clear_all()
    assert ids.get_stats()["total_registered"] == 0
    assert ids.generate_id(IDType.USER).startswith("user_1_")


def test_the_class_makes_identifiers_with_the_one_manager() -> None:
    assert str(uuid.UUID(UnifiedIDManager.generate_id())) != ""
    assert get_id_manager().is_valid_id(UnifiedIDManager.generate_id(IDType.USER), IDType.USER)
    with pytest.raises(TypeError):
        UnifiedIDManager().generate_id()


def test_runs_name_their_thread() -> None:
    run = UnifiedIDManager.generate_run_id("thread_1")
    assert re.fullmatch(r"run_thread_1_\d{1,5}_[0-9a-f]{8}", run)
    assert UnifiedIDManager.extract_thread_id(run) == "thread_1"
    assert UnifiedIDManager.extract_thread_id("thread_abc_run_1700000_abcdef12") == "abc"
    assert UnifiedIDManager.validate_run_id(run)
    assert not UnifiedIDManager.validate_run_id("run_1")
    assert not UnifiedIDManager.validate_run_id("")
    assert not UnifiedIDManager.validate_run_id("run_thread_1_abc")
    assert UnifiedIDManager.parse_run_id("run_thread_1_123_abcdef12") == {
        "thread_id": "thread_1", "timestamp": "123", "uuid_part": "abcdef12", "valid": True,
    }  # fmt: skip
    nothing = {"thread_id": "", "timestamp": "", "uuid_part": "", "valid": False}
    assert UnifiedIDManager.parse_run_id("x") == UnifiedIDManager.parse_run_id("run_t_1_abc") == nothing
    assert re.fullmatch(r"session_\d{1,5}_[0-9a-f]{8}", UnifiedIDManager.generate_thread_id())


@pytest.mark.parametrize(
    ("run_id", "thread_id"),
    [
        ("nothing", "nothing"),
        ("user_1_thread_2", "user_1_thread_2"),
        ("run_1", "run_1"),
        ("run_1_2", ""),
        ("run_abc_1_0123abcd", "abc"),
        ("websocket_factory_1_abc", "thread_websocket_factory_1_abc"),
        ("context_1", "thread_context_1"),
        ("agent_1", "thread_agent_1"),
        ("", ""),
        (None, ""),
        (5, ""),
    ],
)
def test_what_is_no_run_id_is_its_own_thread_but_for_contexts_and_agents(run_id: Any, thread_id: str) -> None:
    assert UnifiedIDManager.extract_thread_id(run_id) == thread_id


def test_uuids_and_structured_identifiers_convert(ids: UnifiedIDManager) -> None:
    text = "12345678-1234-4234-8234-123456789abc"
    structured = ids.convert_uuid_to_structured(text, IDType.USER)
    assert structured == "user_414708_12345678"
    assert ids.convert_uuid_to_structured(text, IDType.USER, "a").startswith("a_user_")
    back = ids.convert_structured_to_uuid(structured)
    assert back == "12345678-0000-4000-8000-000000000000"
    assert ids.convert_structured_to_uuid(text) is None
    assert ids.convert_structured_to_uuid("alice") is None
    assert ids.convert_structured_to_uuid("user_1") is None
    with pytest.raises(ValueError, match="Invalid UUID format: x"):
        ids.convert_uuid_to_structured("x", IDType.USER)


def test_a_registered_uuid_remembers_its_origin(ids: UnifiedIDManager) -> None:
    text = str(uuid.uuid4())
    structured = ids.register_uuid_as_structured(text, IDType.USER, {"note": 1})
    known = ids.get_id_metadata(structured)
    assert known is not None
    assert (known.context["original_uuid"], known.context["note"]) == (text, 1)


def test_normalizing(ids: UnifiedIDManager) -> None:
    text = str(uuid.uuid4())
    assert ids.validate_and_normalize_id(text, IDType.USER) == (True, ids.convert_uuid_to_structured(text, IDType.USER))
    assert ids.validate_and_normalize_id(text) == (True, text)
    assert ids.validate_and_normalize_id("user_1_abcdef12", IDType.USER) == (True, "user_1_abcdef12")
    assert ids.validate_and_normalize_id("user_1_abcdef12", IDType.RUN) == (False, None)
    assert ids.validate_and_normalize_id("alice") == (False, None)


def test_one_users_cleanup_never_touches_another_users_identifiers(ids: UnifiedIDManager, caplog) -> None:
    mine = ids.generate_websocket_connection_id("user_1")
    ids.generate_user_context_ids_compatible("user_1", "chat")
    theirs = ids.generate_websocket_connection_id("user_10")
    assert mine in ids.get_websocket_cleanup_ids_fast("user_1")
    assert ids.get_websocket_cleanup_ids_fast("user_1") == ids.find_resources_by_user_pattern_safe("user_1")
    assert ids.get_id_metadata(mine).prefix == "user_1" and ids.count_active_ids(IDType.EXECUTION) == 1
    assert len(ids.find_resources_by_user_pattern_safe("user_1")) == 4
    assert ids.find_resources_by_user_pattern_safe("user_1", ["ws_conn"]) == [mine]
    assert ids.cleanup_websocket_resources_secure("user_1", [theirs]) == 0
    assert caplog.messages == [f"ID {theirs} is not in use by user user_1: it is left"]
    assert ids.cleanup_websocket_resources_secure("user_1", [mine]) == 1
    assert ids.cleanup_user_resources("user_1") == 3
    assert theirs in ids.get_active_ids(IDType.WEBSOCKET)
    assert ids.get_dual_ssot_performance_stats() == {
        "dual_ssot_bridge_ids": 5, "total_bridge_ids": 5, "bridge_usage_percent": 100.0, "total_registered_ids": 5,
        "performance_mode": "compatibility_bridge",
    }  # fmt: skip


def test_module_functions_use_the_one_manager() -> None:
    made = [
        id_manager.generate_user_id(), id_manager.generate_session_id(), id_manager.generate_request_id(),
        id_manager.generate_agent_id(), id_manager.generate_websocket_id(), id_manager.generate_execution_id(),
        id_manager.generate_id(IDType.TOOL, prefix="x"),
    ]  # fmt: skip
    assert all(id_manager.is_valid_id(one) for one in made)
    thread = id_manager.generate_thread_id()
    assert re.fullmatch(r"thread_\d+_[0-9a-f]{8}", thread) and id_manager.is_valid_id(thread, IDType.THREAD)
    assert id_manager.is_valid_id_format_compatible("user_1")


def test_forgetting_released_identifiers_forgets_their_owners_too(ids: UnifiedIDManager) -> None:
    made = [ids.generate_websocket_connection_id("user_1"), ids.generate_websocket_connection_id("user_1")]
    assert ids.cleanup_user_resources("user_1") == 2
    assert ids.cleanup_released_ids(-1) == 2
    assert ids.find_resources_by_user_pattern_safe("user_1") == []
    assert ids.get_id_metadata(made[0]) is None
    ids.optimize_for_websocket_performance()
    assert ids._by_user == {}


@pytest.mark.parametrize(
    ("text", "structured", "kind"),
    [
        ("user_1_abcdef12", True, IDType.USER),
        ("conn_websocket_7_abcdef12", True, IDType.WEBSOCKET),
        ("req_x_1_abcdef12", True, None),
        ("websocket_manager_1_abcdef12", True, IDType.WEBSOCKET),
        ("agent_executor_1_abcdef12", True, IDType.AGENT),
        ("word_1_abcdef12", False, None),
        ("user_x_abcdef12", False, None),
        ("user_1_abcdef1", False, IDType.USER),
        ("12345678-1234-4234-8234-123456789abc", False, None),
    ],
)
def test_the_form_of_a_structured_identifier(text: str, structured: bool, kind: Any) -> None:
    assert UnifiedIDManager._is_structured_id_format(text) is structured
    assert UnifiedIDManager._is_uuid_format(text) is (text[0] == "1")
    if structured:
        assert UnifiedIDManager._extract_id_type_from_structured(text) is kind
