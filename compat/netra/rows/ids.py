"""Generators and managers of identifiers, and the bridge between their formats."""

from __future__ import annotations

from compat.ledger import Move, names, removed

from ..advice.people import BOTH_IDS

WHEN = {"since": "1.0", "removal": "3.0"}
HOME = "compat.netra.components.ids"
MANAGER = "netra_backend.app.core.unified_id_manager"
OLDER = "compat.netra.adapters.identity_runs"

_MANAGER = (
    "UnifiedIDManager IDMetadata IDType get_id_manager generate_id generate_user_id generate_session_id generate_request_id "
    "generate_agent_id generate_websocket_id generate_execution_id generate_thread_id is_valid_id "
    "is_valid_id_format_compatible convert_uuid_to_structured convert_structured_to_uuid validate_and_normalize_id "
    "is_valid_id_format logger _id_manager generate_run_id=UnifiedIDManager.generate_run_id "
    "extract_thread_id_from_run_id=UnifiedIDManager.extract_thread_id"
)
_GENERATOR = (
    "UnifiedIdGenerator IdComponents TestIdUtils generate_uuid_replacement create_user_execution_context_factory "
    "reset_global_counter _get_next_counter _global_counter _global_counter_lock"
)
_BRIDGE = (
    "IdMigrationBridge IdFormat IdTranslationResult get_migration_bridge normalize_for_cleanup find_cleanup_matches "
    "validate_id_compatibility _migration_bridge"
)
_RUNS = (
    "generate_run_id extract_thread_id_from_run_id validate_run_id_format is_legacy_run_id "
    "migrate_legacy_run_id_to_standard RUN_ID_PREFIX RUN_ID_SEPARATOR UNIQUE_ID_LENGTH"
)

ROWS: list[Move] = [
    *names(MANAGER, f"{HOME}.id_manager", _MANAGER, instead=None, **WHEN),
    *removed(
        MANAGER,
        "IDFormat ParsedRunID",
        instead=BOTH_IDS,
        **WHEN,
    ),
    *names("shared.id_generation.unified_id_generator", f"{HOME}.generator", _GENERATOR, instead=None, **WHEN),
    *names("shared.id_generation", f"{HOME}.generator", _GENERATOR, instead=None, **WHEN),
    *names("netra_backend.app.core.id_migration_bridge", f"{HOME}.bridge", _BRIDGE, instead=None, **WHEN),
    *names(
        "netra_backend.app.core.id_manager",
        f"{HOME}.id_manager",
        "IDManager=UnifiedIDManager",
        instead=None,
        **WHEN,
    ),
    *names("netra_backend.app.core.id_manager", OLDER, "IDPair", instead=None, **WHEN),
    *names(
        "netra_backend.app.utils.run_id_generator",
        OLDER,
        _RUNS,
        instead=None,
        **WHEN,
    ),
]
