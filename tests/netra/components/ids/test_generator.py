"""Generated identifiers: their form, their parts, and the sessions that keep them together."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from compat.netra.components.ids import UnifiedIdGenerator, generator

made = UnifiedIdGenerator


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    UnifiedIdGenerator.reset_global_counter()
    yield
    UnifiedIdGenerator.reset_global_counter()


@pytest.mark.parametrize(
    ("make", "pattern"),
    [
        (lambda: made.generate_base_id("req"), r"req_\d{13}_1_[0-9a-f]{8}"),
        (lambda: made.generate_base_id(), r"id_\d{13}_1_[0-9a-f]{8}"),
        (lambda: made.generate_base_id("x", include_random=False), r"x_\d{13}_1"),
        (lambda: made.generate_base_id("x", random_length=5), r"x_\d{13}_1_[0-9a-f]{5}"),
        (lambda: made.generate_id("user_test"), r"user_test_[0-9a-f]{8}"),
        (lambda: made.generate_websocket_client_id("u1"), r"ws_client_u1_\d{13}_1_[0-9a-f]{8}"),
        (lambda: made.generate_websocket_connection_id("google-oauth"), r"ws_conn_google-o_\d{13}_1_[0-9a-f]{8}"),
        (lambda: made.generate_websocket_connection_id("u", 12.5), r"ws_conn_u_12500_1_[0-9a-f]{8}"),
        (lambda: made.generate_agent_execution_id("triage", "user-12345"), r"agent_triage_user-123_\d{13}_1_[0-9a-f]{8}"),
        (lambda: made.generate_tool_execution_id("search"), r"tool_search_\d{13}_1_[0-9a-f]{8}"),
        (lambda: made.generate_tool_execution_id("search", "agent_triage"), r"tool_search_triage_\d{13}_1_[0-9a-f]{8}"),
        (lambda: made.generate_message_id("chat", "u1", "thread_a_bcdefghijk"), r"msg_chat_u1_bcdefghi_\d{13}_1_[0-9a-f]{8}"),
        (lambda: made.generate_session_id("u1"), r"session_web_u1_\d{13}_1_[0-9a-f]{8}"),
        (lambda: made.generate_error_context_id("timeout", "u1"), r"error_timeout_u1_\d{13}_1_[0-9a-f]{8}"),
        (lambda: made.generate_user_id(), r"user_\d{13}_1_[0-9a-f]{8}"),
        (lambda: made.generate_thread_id(), r"thread_\d{13}_1_[0-9a-f]{8}"),
        (lambda: made.generate_run_id("thread_1"), r"run_thread_1_\d{13}_1_[0-9a-f]{8}"),
        (lambda: generator.generate_uuid_replacement(), r"[0-9a-f]{8}"),
    ],
)  # fmt: skip
def test_forms(make: object, pattern: str) -> None:
    assert re.fullmatch(pattern, make())  # type: ignore[operator]


def test_thread_and_run_of_one_context_share_counter_and_random_part() -> None:
    thread, run, request = UnifiedIdGenerator.generate_user_context_ids("u", "chat")
    assert re.fullmatch(r"thread_chat_1_[0-9a-f]{8}", thread)
    assert run == thread.replace("thread_", "run_")
    assert re.fullmatch(r"req_chat_2_[0-9a-f]{8}", request)


def test_parts_come_back() -> None:
    text = "ws_conn_user_42_1795228688830_4_49049bd0"
    parts = UnifiedIdGenerator.parse_id(text)
    assert parts == generator.IdComponents("ws_conn_user_42", 1795228688830, 4, "49049bd0", text)


def test_milliseconds_decide_between_two_readings() -> None:
    parts = UnifiedIdGenerator.parse_id("user_12_1795228688830_4")
    assert parts is not None
    assert (parts.prefix, parts.timestamp, parts.counter, parts.random) == ("user_12", 1795228688830, 4, "")


def test_numbers_may_be_negative_or_padded() -> None:
    parts = UnifiedIdGenerator.parse_id("user_-5_007_ab")
    assert parts is not None and (parts.prefix, parts.timestamp, parts.counter, parts.random) == ("user", -5, 7, "ab")


@pytest.mark.parametrize("text", ["", "plain", "a_b", "user_x_y_z", None, "_1_2", "a_1_2", "__1_2"])
def test_what_was_not_generated_is_not_parsed(text: str) -> None:
    assert UnifiedIdGenerator.parse_id(text) is None
    assert not UnifiedIdGenerator.is_valid_id(text)


def test_validity_with_an_expected_prefix() -> None:
    text = UnifiedIdGenerator.generate_base_id("req_chat")
    assert UnifiedIdGenerator.is_valid_id(text)
    assert UnifiedIdGenerator.is_valid_id(text, "req")
    assert UnifiedIdGenerator.is_valid_id(text, "req_chat")
    assert not UnifiedIdGenerator.is_valid_id(text, "run")
    assert UnifiedIdGenerator.is_valid_id(UnifiedIdGenerator.generate_user_context_ids("u", "chat")[0], "thread")
    assert not UnifiedIdGenerator.is_valid_id(UnifiedIdGenerator.generate_id("req"))


@pytest.mark.parametrize(("days", "valid"), [(-366, False), (-364, True), (1 / 25, True), (1 / 23, False)])
def test_times_of_over_a_year_ago_or_an_hour_ahead_are_not_valid(days: float, valid: bool) -> None:
    when = int((time.time() + days * 86_400) * 1000)
    assert UnifiedIdGenerator.is_valid_id(f"req_{when}_1_abcdef12") is valid


def test_age() -> None:
    assert 0 <= UnifiedIdGenerator.get_id_age(UnifiedIdGenerator.generate_base_id()) < 60_000
    assert UnifiedIdGenerator.get_id_age("alice") == -1


def test_a_batch_has_one_time_and_rising_counters() -> None:
    batch = [UnifiedIdGenerator.parse_id(one) for one in UnifiedIdGenerator.generate_batch_ids("b", 5)]
    assert [one.counter for one in batch if one] == [1, 2, 3, 4, 5]
    assert len({one.timestamp for one in batch if one}) == 1


def test_identifiers_made_by_many_threads_all_differ() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: UnifiedIdGenerator.generate_base_id("x", include_random=False), range(2000)))
    assert len(set(made)) == 2000


def test_a_session_keeps_thread_and_run_and_renews_the_request() -> None:
    first = UnifiedIdGenerator.get_or_create_user_session("u1", "thread_1")
    second = UnifiedIdGenerator.get_or_create_user_session("u1", "thread_1")
    assert first["thread_id"] == second["thread_id"] == "thread_1"
    assert first["run_id"] == second["run_id"]
    assert first["request_id"] != second["request_id"]
    known = UnifiedIdGenerator.get_existing_session("u1", "thread_1")
    assert known is not None and (known["thread_id"], known["run_id"]) == ("thread_1", first["run_id"])
    assert UnifiedIdGenerator.get_existing_session("u2", "thread_1") is None
    assert UnifiedIdGenerator.get_or_create_user_session("u1", "thread_1", "run_9")["run_id"] == "run_9"
    assert UnifiedIdGenerator.get_or_create_user_session("u1", "thread_1")["run_id"] == "run_9"


def test_a_user_has_one_session_without_a_thread_whatever_the_operation() -> None:
    first = UnifiedIdGenerator.get_or_create_user_session("u1", operation="chat")
    assert re.fullmatch(r"thread_chat_\d{13}_\d+_[0-9a-f]{8}", first["thread_id"])
    assert re.fullmatch(r"run_chat_\d{13}_\d+_[0-9a-f]{8}", first["run_id"])
    assert re.fullmatch(r"req_\d{13}_\d+_[0-9a-f]{8}", first["request_id"])
    again = UnifiedIdGenerator.get_or_create_user_session("u1", operation="mail")
    assert (again["thread_id"], again["run_id"]) == (first["thread_id"], first["run_id"])
    assert again["request_id"] != first["request_id"]
    assert UnifiedIdGenerator.get_existing_session("u1", None)["run_id"] == first["run_id"]  # type: ignore[arg-type, index]


def test_what_is_remembered_of_a_session() -> None:
    before = int(time.time() * 1000)
    UnifiedIdGenerator.get_or_create_user_session("u1", "thread_1", "run_1", "chat")
    UnifiedIdGenerator.get_or_create_user_session("u2")
    assert sorted(UnifiedIdGenerator._active_sessions) == ["u1:thread_1", "u2:default"]
    entry = UnifiedIdGenerator._active_sessions["u1:thread_1"]
    assert before <= entry["created_at"] <= entry["last_activity"] <= time.time() * 1000
    assert {key: value for key, value in entry.items() if key not in ("created_at", "last_activity")} == {
        "user_id": "u1",
        "thread_id": "thread_1",
        "run_id": "run_1",
        "operation": "chat",
    }
    UnifiedIdGenerator.get_or_create_user_session("u1", "thread_1", "run_1", "mail")
    assert entry["operation"] == "chat"
    UnifiedIdGenerator.get_or_create_user_session("u1", "thread_1", "run_2", "mail")
    assert (entry["run_id"], entry["operation"]) == ("run_2", "mail_new_run")


def test_sessions_are_counted_invalidated_and_expire() -> None:
    UnifiedIdGenerator.get_or_create_user_session("u1")
    UnifiedIdGenerator.get_or_create_user_session("u1", "thread_1")
    UnifiedIdGenerator.get_or_create_user_session("u2", "thread_2")
    assert UnifiedIdGenerator.get_active_sessions_count() == 3
    assert UnifiedIdGenerator.invalidate_user_sessions("u1") == 2
    assert UnifiedIdGenerator.cleanup_expired_sessions() == 0
    UnifiedIdGenerator._active_sessions["u2:thread_2"]["last_activity"] -= 25 * 3_600_000
    assert UnifiedIdGenerator.cleanup_expired_sessions() == 1
    assert UnifiedIdGenerator.get_active_sessions_count() == 0


def test_normalizing_puts_a_time_after_the_second_part_once() -> None:
    normal = UnifiedIdGenerator.normalize_id_format("thread_chat_1_dcf1123d")
    assert re.fullmatch(r"thread_chat_\d{13}_1_dcf1123d", normal)
    assert UnifiedIdGenerator.normalize_id_format(normal) == normal
    for text in ("alice", "a_b", "req_op_1234567_ab", "thread_websocket_factory_1_ab", "thread_a_b_c", None, 7):
        assert UnifiedIdGenerator.normalize_id_format(text) == text  # type: ignore[arg-type]


def test_cleanup_matching_looks_at_kind_and_operation() -> None:
    match = UnifiedIdGenerator.ids_match_for_cleanup
    assert match("thread_chat_1_dcf1123d", "thread_chat_1795228688830_9_84e02bcc")
    assert not match("thread_chat_1_dcf1123d", "thread_mail_1_dcf1123d")
    assert not match("", "thread_chat_1_dcf1123d")
    assert match("ws_websocket_factory_1_a", "ws_websocket_factory_2_b") and match("plain", "plain")
    assert not match("req_1795228688830_1_a", "req_1795228688831_2_b")
    assert not match("one", "two")


def test_a_patched_counter_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "_get_next_counter", lambda: 77)
    assert "_77_" in UnifiedIdGenerator.generate_base_id()


def test_predictable_identifiers_for_tests() -> None:
    made = generator.TestIdUtils.create_test_id("run", 10)
    assert made == "run_test_10"
    assert generator.TestIdUtils.create_test_context_ids("u", 1) == {
        "user_id": "u",
        "thread_id": "thread_test_1",
        "run_id": "run_test_1",
        "request_id": "req_test_1",
    }
    assert generator.TestIdUtils.validate_uniqueness_in_list(["a", "b"])
    assert not generator.TestIdUtils.validate_uniqueness_in_list(["a", "a"])


def test_the_arguments_of_a_context() -> None:
    made = generator.create_user_execution_context_factory("user_1", "chat")
    assert sorted(made) == ["request_id", "run_id", "thread_id", "user_id", "websocket_client_id"]


def test_pattern_information_of_both_forms() -> None:
    text = "req_chat_1795228688830_4_49049bd0"
    assert UnifiedIdGenerator.extract_pattern_info(text) == {
        "id_type": "req",
        "operation": "chat",
        "user_context": "req_chat",
        "timestamp": "1795228688830",
        "format": "ssot",
        "normalized_id": text,
    }
    info = UnifiedIdGenerator.extract_pattern_info("thread_chat_1_dcf1123d")
    assert (info["id_type"], info["operation"], info["user_context"], info["format"]) == (
        "thread",
        "chat",
        "thread_chat",
        "legacy",
    )
    assert re.fullmatch(r"thread_chat_\d{13}_1_dcf1123d", info["normalized_id"])
    assert UnifiedIdGenerator.extract_pattern_info("ws_websocket_factory_1_a")["user_context"] == "websocket_factory"
    assert UnifiedIdGenerator.extract_pattern_info("alice") == {"format": "unknown", "normalized_id": "alice"}
    for nothing in ("", None, 7):
        assert UnifiedIdGenerator.extract_pattern_info(nothing) == {}  # type: ignore[arg-type]


def test_translated_context_ids_carry_a_time() -> None:
    thread, run, request = UnifiedIdGenerator.translate_legacy_context_ids("u", "thread_a_1_dcf1123d", "run_a_1_dcf1123d")
    assert UnifiedIdGenerator.parse_id(thread)
    assert UnifiedIdGenerator.parse_id(run)
    assert request.startswith("req_compatibility_")
    assert UnifiedIdGenerator.generate_request_id().startswith("req_")
