"""The parts around a connection: state machine, queue, sessions, readiness, recovery, compression, event checks."""

from __future__ import annotations

from compat.ledger import Module, Move, Name, names, removed

CORE = "netra_backend.app.websocket_core"
WHEN = {"since": "1.0", "removal": "3.0"}

# Whole modules, name by name the same: what is left of the sign under the legacy package, what is right under compat.canonical.
_WHOLE = """\
connection_state_machine = state_machine
message_queue = message_queue
user_session_manager = sessions
timestamp_utils = timestamps
compression = compression
error_recovery_handler = error_recovery
event_validation_framework = event_validation
event_validator = event_validator
event_monitor = event_monitor
service_readiness_validator = service_readiness
gcp_initialization_validator = gcp_readiness
race_condition_prevention = race_conditions
race_condition_prevention.types = race_conditions
race_condition_prevention.handshake_coordinator = race_conditions
race_condition_prevention.race_condition_detector = race_conditions"""

_LOGGER = "a logger of your own: logging.getLogger(__name__)"

ROWS: list[Move] = [
    Module("netra_backend.app.core.websocket_message_handler", "compat.canonical.message_handler", instead=None, **WHEN),
    Module("netra_backend.app.core.websocket_recovery_types", "compat.canonical.recovery_types", instead=None, **WHEN),
    *(
        Module(f"{CORE}.{legacy}", f"compat.canonical.{canonical}", instead=None, **WHEN)
        for legacy, canonical in (line.split(" = ") for line in _WHOLE.split("\n"))
    ),
    # Names of those modules that were called otherwise, or never were.
    Name(
        f"{CORE}.connection_state_machine:create_connection_state_machine",
        "compat.canonical.state_machine:ConnectionStateMachine",
        instead=None,
        note="It was imported but never defined; the class takes the same arguments",
        **WHEN,
    ),
    Name(
        f"{CORE}.event_validator:EventValidator",
        "compat.canonical.event_validator:UnifiedEventValidator",
        instead=None,
        **WHEN,
    ),
    *names(f"{CORE}.connection_info", "compat.canonical.recovery_types", "ConnectionState", instead=None, **WHEN),
    *names(f"{CORE}.batch_message_handler", "compat.canonical.handlers", "BatchMessageHandler", instead=None, **WHEN),
    *names(f"{CORE}.batch_message_handler", "compat.canonical.batching", "BatchConfig", instead=None, **WHEN),
    *removed(f"{CORE}.gcp_initialization_validator", "central_logger", instead=_LOGGER, **WHEN),
    *removed(
        f"{CORE}.gcp_initialization_validator",
        "REDIS_TIMEOUT",
        instead="validator.readiness_checks['redis'].timeout_seconds",
        **WHEN,
    ),
]
