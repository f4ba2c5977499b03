"""Generated identifiers: their form, their parts, and the sessions that keep them together."""

from __future__ import annotations

import re
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
        (lambda: made.generate_tool_execution_id("search", "agent_triage"), r"tool_search_agent_tr_\d{13}_1_[0-9a-f]{8}"),
        (lambda: made.generate_message_id("chat", "u1", "thread_123"), r"msg_chat_u1_thread_1_\d{13}_1_[0-9a-f]{8}"),
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


@pytest.mark.parametrize("text", ["", "plain", "a_b", "user_x_y_z", None, "_1_2"])
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
    assert UnifiedIdGenerator.get_existing_session("u1", "thread_1") == second
    assert UnifiedIdGenerator.get_existing_session("u2", "thread_1") is None
    assert UnifiedIdGenerator.get_or_create_user_session("u1", "thread_1", "run_9")["run_id"] == "run_9"


def test_sessions_are_counted_invalidated_and_expire() -> None:
    UnifiedIdGenerator.get_or_create_user_session("u1")
    UnifiedIdGenerator.get_or_create_user_session("u1")
    UnifiedIdGenerator.get_or_create_user_session("u2", "thread_2")
    assert UnifiedIdGenerator.get_active_sessions_count() == 3
    assert UnifiedIdGenerator.invalidate_user_sessions("u1") == 2
    assert UnifiedIdGenerator.cleanup_expired_sessions() == 0
    assert UnifiedIdGenerator.cleanup_expired_sessions(max_age_hours=-1) == 1
    assert UnifiedIdGenerator.get_active_sessions_count() == 0


def test_normalizing_puts_a_time_after_the_second_part_once() -> None:
    normal = UnifiedIdGenerator.normalize_id_format("thread_chat_1_dcf1123d")
    assert re.fullmatch(r"thread_chat_\d{13}_1_dcf1123d", normal)
    assert UnifiedIdGenerator.normalize_id_format(normal) == normal
    assert UnifiedIdGenerator.normalize_id_format("alice") == "alice"


def test_cleanup_matching_looks_at_kind_and_operation() -> None:
    match = UnifiedIdGenerator.ids_match_for_cleanup
    assert match("thread_chat_1_dcf1123d", "thread_chat_1795228688830_9_84e02bcc")
    assert not match("thread_chat_1_dcf1123d", "thread_mail_1_dcf1123d")
    assert not match("", "thread_chat_1_dcf1123d")


def test_a_patched_counter_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "_get_next_counter", lambda: 77)
    assert "_77_" in UnifiedIdGenerator.generate_base_id()


def test_predictable_identifiers_for_tests() -> None:
    made = generator.TestIdUtils.create_test_id("run", 10)
    assert made == "run_1640995200000_10_0000000a"
    assert generator.TestIdUtils.create_test_context_ids("u", 1) == generator.TestIdUtils.create_test_context_ids("u", 1)
    assert generator.TestIdUtils.validate_uniqueness_in_list(["a", "b"])
    assert not generator.TestIdUtils.validate_uniqueness_in_list(["a", "a"])


def test_the_arguments_of_a_context() -> None:
    made = generator.create_user_execution_context_factory("user_1", "chat")
    assert sorted(made) == ["request_id", "run_id", "thread_id", "user_id", "websocket_client_id"]


def test_pattern_information_of_both_forms() -> None:
    info = UnifiedIdGenerator.extract_pattern_info("ws_conn_u1_1795228688830_4_49049bd0")
    assert (info["format"], info["prefix"], info["timestamp"], info["counter"]) == ("ssot", "ws_conn_u1", "1795228688830", "4")
    info = UnifiedIdGenerator.extract_pattern_info("thread_chat_1_dcf1123d")
    assert (info["format"], info["operation"], info["counter"], info["random"]) == ("legacy", "chat", "1", "dcf1123d")
    assert UnifiedIdGenerator.extract_pattern_info("") == {}
    assert UnifiedIdGenerator.extract_pattern_info("alice")["prefix"] == "alice"


def test_translated_context_ids_carry_a_time() -> None:
    thread, run, request = UnifiedIdGenerator.translate_legacy_context_ids("u", "thread_a_1_dcf1123d", "run_a_1_dcf1123d")
    assert UnifiedIdGenerator.parse_id(thread)
    assert UnifiedIdGenerator.parse_id(run)
    assert request.startswith("req_compatibility_")
    assert UnifiedIdGenerator.generate_request_id().startswith("req_")
