"""Identifiers: one generator, every format in use told apart, and the bridge between the formats."""

from __future__ import annotations

from .bridge import (
    IdFormat,
    IdMigrationBridge,
    IdTranslationResult,
    find_cleanup_matches,
    get_migration_bridge,
    normalize_for_cleanup,
    validate_id_compatibility,
)
from .formats import IDType, ParsedId, belong_together, is_valid_id_format, kind_of, owner_of, parse
from .generator import IdComponents, UnifiedIdGenerator
from .id_manager import IDMetadata, UnifiedIDManager, get_id_manager

__all__ = [
    "IDMetadata",
    "IDType",
    "IdComponents",
    "IdFormat",
    "IdMigrationBridge",
    "IdTranslationResult",
    "ParsedId",
    "UnifiedIDManager",
    "UnifiedIdGenerator",
    "belong_together",
    "find_cleanup_matches",
    "get_id_manager",
    "get_migration_bridge",
    "is_valid_id_format",
    "kind_of",
    "normalize_for_cleanup",
    "owner_of",
    "parse",
    "validate_id_compatibility",
]
