"""Identifier formats are told apart, validated, and lead back to thread and owner."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compat.netra.adapters.identity_runs import generate_run_id
from compat.netra.components.ids import (
    IDType,
    UnifiedIdGenerator,
    UnifiedIDManager,
    belong_together,
    formats,
    is_valid_id_format,
    kind_of,
    owner_of,
    parse,
)

UUID = "12345678-1234-4234-8234-123456789abc"


@pytest.mark.parametrize(
    "text",
    [
        "user_1", "test-user-123", "thread_1", "thread-9", "conn_1", UUID, UUID.replace("-", ""), "123456789012345",
        "user_2_abcdef12", "conn_websocket_1_9e866ee7", "test_user_1", "e2e-staging_pipeline-7", "pending_auth",
        "temp_auth_17", "awaiting_auth", "awaiting_auth_x", "defensive_auth_user_1", "req_1795228688830_2_84e02bcc",
        "thread_websocket_session_1_dcf1123d", "run_thread_1_88830_1a14b873", "session_88830_efae4b43",
        "ws_conn_google-o_1795228688830_4_49049bd0", "ws_client_u1_1795228688830_5_43751a64", " user_1 ",
        "netra_websocket_factory_7_9e866ee7",
    ],
)  # fmt: skip
def test_accepted_formats(text: str) -> None:
    assert is_valid_id_format(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", None, 7, "test_user", "user1", "alice", "default_user", "user-123", "demo-user", "usr_4bea0eb7",
        "conn_test_user_1", "test@example.com", "test-user", "user_a", "1234", "user_1_abcdefgh", "user_x_abcdef12",
        "thing_1_abcdef12",
    ],
)  # fmt: skip
def test_rejected_formats(text: object) -> None:
    assert not is_valid_id_format(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("user_1_9c666592", IDType.USER),
        ("conn_websocket_1_9e866ee7", IDType.WEBSOCKET),
        ("ws_conn_user_1_1795228688830_4_49049bd0", IDType.WEBSOCKET),
        ("req_websocket_session_2_84e02bcc", IDType.REQUEST),
        ("user_request_1795228688830_2_84e02bcc", IDType.REQUEST),
        ("run_thread_1_88830_1a14b873", IDType.RUN),
        ("thread_websocket_session_1_dcf1123d", IDType.THREAD),
        ("user_1", None),
        (UUID, None),
    ],
)
def test_the_kind_is_read_from_the_words(text: str, kind: IDType | None) -> None:
    assert kind_of(text) is kind


@pytest.mark.parametrize(
    ("text", "format", "thread"),
    [
        (UUID, "uuid", ""),
        ("user_1_9c666592", "managed", ""),
        ("req_1795228688830_2_84e02bcc", "generated", ""),
        ("req_1795228688830_2", "generated", ""),
        ("run_chat_2_84e02bcc", "context", ""),
        ("run_thread_1_88830_1a14b873", "run", "thread_1"),
        ("thread_abc_run_1700000_abcdef12", "early run", "abc"),
        ("thread_abc_run_1795815296538_48076251", "early run", "abc"),
        ("run_abc_abcdef12", "early run", "abc"),
        ("user_test_53b34623", "short", ""),
        ("user_1", "plain", ""),
    ],
)
def test_every_format_is_taken_apart(text: str, format: str, thread: str) -> None:
    parsed = parse(text)
    assert parsed is not None
    assert (parsed.text, parsed.format, parsed.thread) == (text, format, thread)


def test_what_is_in_no_format_is_not_parsed() -> None:
    assert parse("alice") is None
    assert parse("") is None
    assert parse(None) is None  # type: ignore[arg-type]


def test_socket_identifiers_name_their_owner() -> None:
    assert owner_of(UnifiedIdGenerator.generate_websocket_connection_id("google-oauth2|7")) == "google-o"
    assert owner_of(UnifiedIdGenerator.generate_session_id("user_1", "web")) == "user_1"
    assert owner_of(UUID) == ""


def test_a_run_belongs_to_its_thread_and_to_no_other() -> None:
    run = UnifiedIDManager.generate_run_id("thread_1")
    assert belong_together(run, "thread_1")
    assert belong_together("thread_1", run)
    assert belong_together(run, UnifiedIDManager.generate_run_id("thread_1"))
    assert not belong_together(run, "thread_2")
    assert not belong_together("", "")


def test_ids_of_one_context_belong_together_and_those_of_two_do_not() -> None:
    first = UnifiedIdGenerator.generate_user_context_ids("user_1", "chat")
    second = UnifiedIdGenerator.generate_user_context_ids("user_2", "chat")
    assert belong_together(first[0], first[1])
    assert not belong_together(first[0], second[1])


@given(st.from_regex(r"[a-z]{1,8}([_-][a-z0-9]{1,8}){0,3}", fullmatch=True))
def test_the_thread_of_a_run_comes_back_whole(thread: str) -> None:
    assert UnifiedIDManager.extract_thread_id(UnifiedIDManager.generate_run_id(thread)) == thread


@given(st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    parsed = parse(text)
    assert parsed is None or parsed.text == text.strip()
    is_valid_id_format(text)
    kind_of(text)


@pytest.mark.parametrize("ms", [0, 7, 999, 1234, 9999, 10000, 99999])
@pytest.mark.parametrize("random", ["48076251", "00000000", "84e02bcc"])
@pytest.mark.parametrize("thread", ["abc", "thread_1", "thread_chat_1_dcf1123d", "user-7"])
def test_a_run_tells_its_thread_at_any_time_and_by_any_random_part(
    monkeypatch: pytest.MonkeyPatch, ms: int, random: str, thread: str
) -> None:
    monkeypatch.setattr("time.time", lambda: (1_795_815_200_000 + ms) / 1000)
    monkeypatch.setattr("uuid.uuid4", lambda: uuid.UUID(random + "0" * 24))
    run, early = UnifiedIDManager.generate_run_id(thread), generate_run_id(thread)
    for made in (run, early):
        parsed = parse(made)
        assert parsed is not None and parsed.thread == thread, made
        assert UnifiedIDManager.extract_thread_id(made) == thread
        assert belong_together(made, thread) == (parse(thread) is not None)


def patterns() -> dict[str, re.Pattern[str]]:
    named = {name: value for name, value in vars(formats).items() if isinstance(value, re.Pattern)}
    return {**named, **{pattern.pattern: pattern for pattern in formats._PLAIN}}


ENDLESS = ["a", "a_", "_", "1", "_1", "ab1", "_run_1", "-", "f_1_", "1111111111111_", "\u00b2"]


@pytest.mark.parametrize("head", ["", "thread_", "run_", "defensive_auth_", "mock-a-", "temp_auth_", "e2e-", "a_1234567890123_"])
@pytest.mark.parametrize("piece", ENDLESS)
def test_the_time_that_a_pattern_takes_grows_with_the_text_and_not_with_its_square(head: str, piece: str) -> None:
    def cost(pattern: Any, length: int) -> float:
        text = head + piece * (length // len(piece)) + "!"
        best = float("inf")
        for _ in range(3):
            begin = time.process_time()
            pattern.match(text)
            best = min(best, time.process_time() - begin)
        return best

    for name, pattern in patterns().items():
        # A square would be 64 times; what takes next to nothing at the greater length cannot be one.
        if cost(pattern, 16_000) > 0.01:
            assert cost(pattern, 16_000) < 24 * cost(pattern, 2_000), name


@pytest.mark.parametrize("text", ["thread_" + "a" * 12_000, "defensive_auth_" + "_" * 12_000, "a_1234567890123_" + "1" * 5_000])
def test_endless_text_is_no_identifier(text: str) -> None:
    assert parse(text) is None and kind_of(text) is None and not is_valid_id_format(text)
    assert owner_of(text) == "" and not belong_together(text, "thread_1") and belong_together(text, text)


def test_what_the_patterns_say_of_operations_and_of_names_for_tests() -> None:
    parsed = parse("thread_my_op2_1_dcf1123d")
    assert parsed is not None and (parsed.format, parsed.prefix, parsed.counter) == ("context", "thread_my_op2", 1)
    assert [parse(f"thread_{operation}_1_dcf1123d").format for operation in ("a_b", "a_1", "1", "1_a", "_a")] == [  # type: ignore[union-attr]
        "context",
        "managed",
        "managed",
        "context",
        "context",
    ]
    for text, valid in (("defensive_auth_a_b", True), ("defensive_auth_a", False), ("defensive_auth_a_-", False)):
        assert is_valid_id_format(text) is valid
