"""Typed identifiers, generators, managers and bridges by their legacy paths."""

from __future__ import annotations

import re
from typing import Any, Callable
from unittest import mock

import pytest

CORE = "shared.types.core_types"
MANAGER = "netra_backend.app.core.unified_id_manager"
GENERATOR = "shared.id_generation.unified_id_generator"
RUNS = "netra_backend.app.utils.run_id_generator"
Read = Callable[[str], Any]


@pytest.mark.parametrize("module", [CORE, "shared.types", "shared.types.execution_types"])
def test_typed_identifiers_are_one_on_every_path(old: Read, module: str) -> None:
    assert old(f"{module}:UserID") is old(f"{CORE}:UserID")
    assert old(f"{module}:UserID")("user_1") == "user_1"


def test_typed_identifiers_stand_in_isinstance_and_make_new_ones(old: Read) -> None:
    UserID, ThreadID, RunID = (old(f"{CORE}:{name}") for name in ("UserID", "ThreadID", "RunID"))
    assert isinstance(UserID("user_1"), UserID)
    assert old(f"{CORE}:ensure_user_id")(UserID.generate()).startswith("user_")
    assert ThreadID.generate().startswith("thread_")
    assert RunID.generate().startswith("run_")


def test_checks_refuse_what_they_always_refused(old: Read) -> None:
    for text in ("test_user", "user1", "alice", "default_user", "user-123"):
        with pytest.raises(ValueError, match=f"Invalid user_id format: {text}"):
            old(f"{CORE}:ensure_user_id")(text)


def test_what_one_half_makes_the_other_accepts(old: Read) -> None:
    made = old(f"{GENERATOR}:UnifiedIdGenerator")
    assert old(f"{CORE}:ensure_connection_id")(made.generate_websocket_connection_id("user_1"))
    assert old(f"{CORE}:ensure_websocket_id")(made.generate_websocket_client_id("user_1"))
    assert old(f"{CORE}:ensure_request_id")(made.generate_user_context_ids("user_1", "websocket_session")[2])
    assert old(f"{CORE}:ensure_thread_id")(old(f"{MANAGER}:UnifiedIDManager").generate_thread_id())
    context = old("netra_backend.app.services.user_execution_context:UserExecutionContext")("user_1", "thread_1", "run_1")
    assert old(f"{CORE}:ensure_request_id")(context.request_id) == context.request_id


def test_typed_contexts_and_messages(old: Read) -> None:
    pytest.importorskip("pydantic", reason="the server extra is not installed")
    typed = old("shared.types:StronglyTypedUserExecutionContext")("user_1", "thread_1", "run_1", "req_1")
    assert old("shared.types.execution_types:downgrade_to_legacy_context")(typed)["user_id"] == "user_1"
    with pytest.raises(old("shared.types:ContextValidationError")):
        old("shared.types:StronglyTypedUserExecutionContext")("test_user", "thread_1", "run_1", "req_1")
    message = old(f"{CORE}:WebSocketMessage")(event_type="agent_started", user_id="u", thread_id="t", request_id="r")
    assert message.event_type is old("shared.types:WebSocketEventType").AGENT_STARTED


def test_managers_on_the_class_and_on_instances(old: Read) -> None:
    UnifiedIDManager, IDType = old(f"{MANAGER}:UnifiedIDManager"), old(f"{MANAGER}:IDType")
    assert old(f"{CORE}:ensure_user_id")(UnifiedIDManager.generate_id())
    assert UnifiedIDManager({"some": "config"}).generate_id(IDType.USER).startswith("user_1_")
    assert old("netra_backend.app.core.id_manager:IDManager") is UnifiedIDManager
    run = old(f"{MANAGER}:generate_run_id")("thread_1")
    assert old(f"{MANAGER}:extract_thread_id_from_run_id")(run) == "thread_1"
    double = mock.Mock(spec=UnifiedIDManager)
    double.generate_id.return_value = "x"
    assert double.generate_id(IDType.USER) == "x"


def test_patches_reach_the_generator(old: Read) -> None:
    with mock.patch(f"{GENERATOR}._get_next_counter", return_value=99):
        assert "_99_" in old("shared.id_generation:UnifiedIdGenerator").generate_base_id()
    with mock.patch(f"{MANAGER}.logger") as logger:
        manager = old(f"{MANAGER}:UnifiedIDManager")()
        manager.register_existing_id("x", old(f"{MANAGER}:IDType").USER)
        manager.register_existing_id("x", old(f"{MANAGER}:IDType").USER)
    logger.warning.assert_called_once()


def test_the_oldest_run_ids(old: Read) -> None:
    run = old(f"{RUNS}:generate_run_id")("abc", "context")
    assert re.fullmatch(r"thread_abc_run_\d{13}_[0-9a-f]{8}", run)
    assert old(f"{RUNS}:extract_thread_id_from_run_id")(run) == "abc"
    assert old(f"{RUNS}:extract_thread_id_from_run_id")("alice") is None
    assert old(f"{RUNS}:validate_run_id_format")(run, "abc")
    assert not old(f"{RUNS}:validate_run_id_format")(run, "other")
    assert not old(f"{RUNS}:is_legacy_run_id")(run)
    assert old(f"{RUNS}:migrate_legacy_run_id_to_standard")(run, "abc") == run
    assert old(f"{RUNS}:migrate_legacy_run_id_to_standard")("run_abc_12345678", "abc").startswith("thread_abc_run_")
    with pytest.raises(ValueError, match="thread_id must be a non-empty string"):
        old(f"{RUNS}:generate_run_id")("")
    assert old("netra_backend.app.core.id_manager:IDPair")("t", "r").run_id == "r"


def test_the_bridge(old: Read) -> None:
    bridge = old("netra_backend.app.core.id_migration_bridge:get_migration_bridge")()
    IdFormat = old("netra_backend.app.core.id_migration_bridge:IdFormat")
    assert bridge.detect_id_format("thread_chat_1_dcf1123d") == (IdFormat.LEGACY_THREAD, 0.9)
    assert old("netra_backend.app.core.id_migration_bridge:validate_id_compatibility")("thread_a_1_dcf1123d", "run_a_1_dcf1123d")


def test_records_that_are_gone_say_what_to_write(old: Read) -> None:
    with pytest.raises(ImportError, match="Declare the fields you use"):
        exec("from shared.types.agent_types import TypedAgentResult", {})


def test_plain_records_are_served(old: Read) -> None:
    result = old("shared.types.agent_types:AgentExecutionResult")("user_1", "thread_1", "run_1", True, {"a": 1})
    assert (result.success, result.result_data, result.error_message) == (True, {"a": 1}, None)
    assert old("shared.types.performance_metrics:PerformanceMetrics")().success_rate == 100.0
    assert old("shared.types.user_types:TestUserData")("1", "a@example.com")["plan_tier"] == "free"


def test_the_process_wide_manager_is_replaced_through_its_former_module(old: Read) -> None:
    before = old(f"{MANAGER}:get_id_manager")()
    with mock.patch(f"{MANAGER}._id_manager", None):
        assert old(f"{MANAGER}:get_id_manager")() is not before
    assert old(f"{MANAGER}:get_id_manager")() is before
