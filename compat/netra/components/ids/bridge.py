"""The bridge between identifier formats: tell a format, translate it, and find what belongs together when cleaning up."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from enum import Enum
from typing import Any, Optional

from compat.netra.components.bounded import Newest
from compat.netra.components.process_wide import only

from . import formats
from .generator import UnifiedIdGenerator


class IdFormat(Enum):
    """The formats that meet when one half of a system cleans up what the other half made."""

    SSOT = "ssot"
    LEGACY_THREAD = "legacy_thread"
    LEGACY_RUN = "legacy_run"
    WEBSOCKET_FACTORY = "websocket_factory"
    DATABASE_SESSION = "database_session"
    UNKNOWN = "unknown"


@dataclass
class IdTranslationResult:
    """An identifier before and after translation; ``confidence_score`` runs from 0 to 1."""

    original_id: str
    translated_id: str
    format_detected: IdFormat
    translation_needed: bool
    confidence_score: float


_RULES = (
    (re.compile(r"^(?:websocket_factory|websocket_manager|ws_factory)_.+$"), IdFormat.WEBSOCKET_FACTORY, 0.8),
    (re.compile(r"^(?:db_session|database_session)_.+$"), IdFormat.DATABASE_SESSION, 0.8),
    (re.compile(r"^thread_.+_\d+_[0-9a-f]{8}$"), IdFormat.LEGACY_THREAD, 0.9),
    (re.compile(r"^run_.+_\d+_[0-9a-f]{8}$"), IdFormat.LEGACY_RUN, 0.9),
)
_TIMED = re.compile(r"^.+_\d{13}_\d+_[0-9a-f]{8}$")


class IdMigrationBridge:
    """Tells formats apart and translates to the form that carries a time. Results are remembered."""

    def __init__(self) -> None:
        self._cache: Newest[tuple[str, IdFormat], IdTranslationResult] = Newest()
        self._lock = threading.Lock()
        self._requests = 0
        self._hits = 0

    def detect_id_format(self, id_string: str) -> tuple[IdFormat, float]:
        """Return (format, confidence); UUIDs and registered identifiers such as ``user_2_abcdef12`` are UNKNOWN."""
        if not isinstance(id_string, str) or not id_string:
            return IdFormat.UNKNOWN, 0.0
        if _TIMED.match(id_string):
            return IdFormat.SSOT, 1.0
        for pattern, found, confidence in _RULES:
            if pattern.match(id_string):
                return found, confidence
        return IdFormat.UNKNOWN, 0.0

    def translate_id(self, id_string: str, target_format: IdFormat = IdFormat.SSOT) -> IdTranslationResult:
        """Return the identifier in ``target_format``; one of unknown or the same format comes back unchanged."""
        key = (id_string, target_format)
        with self._lock:
            self._requests += 1
            known = self._cache.get(key)
            if known is not None:
                self._hits += 1
                return known
        found, confidence = self.detect_id_format(id_string)
        needed = found not in (target_format, IdFormat.UNKNOWN) and target_format is IdFormat.SSOT
        translated = UnifiedIdGenerator.normalize_id_format(id_string) if needed else id_string
        result = IdTranslationResult(id_string, translated, found, needed, confidence)
        with self._lock:
            found_meanwhile: IdTranslationResult = self._cache.setdefault(key, result)
            return found_meanwhile

    def find_matching_ids(self, target_id: str, candidate_ids: list[str]) -> list[str]:
        """The candidates that were made for the same thread or operation as ``target_id``, in whichever format."""
        return [one for one in candidate_ids if validate_id_compatibility(target_id, one)]

    def normalize_context_ids(self, user_id: str, thread_id: str, run_id: str) -> tuple[str, str, str]:
        """Return (user id, thread id, run id), the latter two in the form that carries a time."""
        return user_id, self.translate_id(thread_id).translated_id, self.translate_id(run_id).translated_id

    def get_cleanup_key(self, id_string: str) -> str:
        """The key under which resources of one operation meet: ``<operation>_<counter>_<random>``, or the thread of a run."""
        parsed = formats.parse(id_string)
        if parsed is None:
            return id_string
        if parsed.format == "context":
            return f"{parsed.prefix.partition('_')[2]}_{parsed.counter}_{parsed.random}"
        return parsed.thread or id_string

    def validate_migration_safety(self, legacy_ids: list[str], ssot_ids: list[str]) -> dict[str, Any]:
        """Say whether each legacy identifier can be translated, and whether a translation meets one that exists."""
        unknown = [one for one in legacy_ids if self.detect_id_format(one)[0] is IdFormat.UNKNOWN]
        translated = {one: self.translate_id(one).translated_id for one in legacy_ids}
        conflicts = sorted(set(translated.values()).intersection(ssot_ids) - set(legacy_ids))
        return {
            "is_safe": not unknown and not conflicts,
            "total_legacy_ids": len(legacy_ids),
            "total_ssot_ids": len(ssot_ids),
            "translatable_ids": len(legacy_ids) - len(unknown),
            "untranslatable_ids": unknown,
            "potential_conflicts": conflicts,
            "translations": translated,
        }

    def get_translation_stats(self) -> dict[str, Any]:
        """Counts of requests and of those answered from memory."""
        with self._lock:
            return {
                "total_translations": self._requests,
                "cache_hits": self._hits,
                "cache_size": len(self._cache),
                "cache_hit_rate": self._hits / self._requests if self._requests else 0.0,
            }

    def clear_cache(self) -> None:
        """Forget every translation."""
        with self._lock:
            self._cache.clear()


def _untimed(id_string: str) -> str:
    """Undo the time that translation put after the second word, so that both forms of one identifier are equal."""
    head, _, _ = id_string.partition("_")
    return re.sub(r"^([^_]+_[^_]+)_1\d{12}_", r"\1_", id_string) if head in ("thread", "run", "req") else id_string


_migration_bridge: Optional[IdMigrationBridge] = None


def get_migration_bridge() -> IdMigrationBridge:
    """The process's one bridge, made on first use."""
    return only(globals(), "_migration_bridge", IdMigrationBridge)


def normalize_for_cleanup(id_string: str) -> str:
    """Return the identifier in the form that carries a time."""
    return get_migration_bridge().translate_id(id_string).translated_id


def find_cleanup_matches(target_id: str, candidate_ids: list[str]) -> list[str]:
    """Return :meth:`IdMigrationBridge.find_matching_ids` of the process's bridge."""
    return get_migration_bridge().find_matching_ids(target_id, candidate_ids)


def validate_id_compatibility(id1: str, id2: str) -> bool:
    """True if two identifiers name one operation, whichever formats they are in.

    Stricter than :meth:`UnifiedIdGenerator.ids_match_for_cleanup`, which would clean up another user's operation of the
    same name.
    """
    return formats.belong_together(_untimed(id1), _untimed(id2))
