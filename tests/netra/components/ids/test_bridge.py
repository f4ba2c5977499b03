"""Translation between identifier formats, and matching for cleanup."""

from __future__ import annotations

import re

import pytest

from compat.netra.components.ids import (
    IdFormat,
    IdMigrationBridge,
    UnifiedIdGenerator,
    UnifiedIDManager,
    find_cleanup_matches,
    get_migration_bridge,
    normalize_for_cleanup,
    validate_id_compatibility,
)


@pytest.mark.parametrize(
    ("text", "format", "confidence"),
    [
        ("req_1795228688830_2_84e02bcc", IdFormat.SSOT, 1.0),
        ("thread_chat_1_dcf1123d", IdFormat.LEGACY_THREAD, 0.9),
        ("run_chat_1_dcf1123d", IdFormat.LEGACY_RUN, 0.9),
        ("websocket_factory_17", IdFormat.WEBSOCKET_FACTORY, 0.8),
        ("user_2_abcdef12", IdFormat.UNKNOWN, 0.0),
        ("12345678-1234-4234-8234-123456789abc", IdFormat.UNKNOWN, 0.0),
        ("", IdFormat.UNKNOWN, 0.0),
    ],
)
def test_formats_and_confidence(text: str, format: IdFormat, confidence: float) -> None:
    assert IdMigrationBridge().detect_id_format(text) == (format, confidence)


def test_translation_gives_a_time_once_and_is_remembered() -> None:
    bridge = IdMigrationBridge()
    result = bridge.translate_id("thread_chat_1_dcf1123d")
    assert re.fullmatch(r"thread_chat_\d{13}_1_dcf1123d", result.translated_id)
    assert result.translation_needed
    assert bridge.translate_id("thread_chat_1_dcf1123d") is result
    assert bridge.get_translation_stats()["cache_hits"] == 1
    bridge.clear_cache()
    assert bridge.get_translation_stats()["cache_size"] == 0
    assert not bridge.translate_id("user_2_abcdef12").translation_needed


def test_a_run_and_a_thread_find_each_other_in_either_format_and_nobody_elses() -> None:
    thread, run, _ = UnifiedIdGenerator.generate_user_context_ids("user_1", "chat")
    other, other_run, _ = UnifiedIdGenerator.generate_user_context_ids("user_2", "chat")
    managed = UnifiedIDManager.generate_run_id("thread_7")
    candidates = [thread, other, other_run, "thread_7", managed]
    assert find_cleanup_matches(run, candidates) == [thread]
    assert find_cleanup_matches(normalize_for_cleanup(run), candidates) == [thread]
    assert find_cleanup_matches(managed, candidates) == ["thread_7", managed]


def test_context_ids_keep_the_user() -> None:
    user, thread, run = get_migration_bridge().normalize_context_ids("u", "thread_chat_1_dcf1123d", "run_chat_1_dcf1123d")
    assert user == "u"
    assert validate_id_compatibility(thread, run)
    assert validate_id_compatibility(thread, "thread_chat_1_dcf1123d")
    assert not validate_id_compatibility(thread, "thread_chat_9_00000000")
    assert run.startswith("run_chat_")


def test_cleanup_keys_meet() -> None:
    key = get_migration_bridge().get_cleanup_key
    assert key("thread_chat_1_dcf1123d") == key("run_chat_1_dcf1123d") == "chat_1_dcf1123d"
    assert key(UnifiedIDManager.generate_run_id("thread_1")) == "thread_1"
    assert key("alice") == "alice"


def test_safety_names_what_cannot_be_translated() -> None:
    report = IdMigrationBridge().validate_migration_safety(["thread_chat_1_dcf1123d", "alice"], [])
    assert (report["is_safe"], report["untranslatable_ids"]) == (False, ["alice"])
    assert IdMigrationBridge().validate_migration_safety(["thread_chat_1_dcf1123d"], [])["is_safe"]
