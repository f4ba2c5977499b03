"""The parts around a connection: state machine, queue, sessions, readiness, recovery, compression, event checks."""

from __future__ import annotations

from compat.ledger import Module, Move, Name, names, removed

from ..advice.traffic import READY

CORE = "netra_backend.app.websocket_core"
WHEN = {"since": "1.0", "removal": "3.0"}

# Modules that moved whole: <submodule of the legacy package> = <submodule of compat.netra.components>.
_WHOLE = """\
connection_state_machine = connections.state_machine
message_queue = messages.message_queue
user_session_manager = connections.user_sessions
timestamp_utils = timestamps
compression = messages.compression
error_recovery_handler = connections.error_recovery
event_validation_framework = events.event_sequences
event_validator = events.critical_events
event_monitor = events.event_monitor
service_readiness_validator = readiness.service_readiness
gcp_initialization_validator = readiness.gcp_readiness
race_condition_prevention = connections.race_conditions
race_condition_prevention.types = connections.race_conditions
race_condition_prevention.handshake_coordinator = connections.race_conditions
race_condition_prevention.race_condition_detector = connections.race_conditions"""


ROWS: list[Move] = [
    Module(
        "netra_backend.app.core.websocket_message_handler", "compat.netra.components.messages.acknowledged", instead=None, **WHEN
    ),
    Module(
        "netra_backend.app.core.websocket_recovery_types", "compat.netra.components.events.recovery_types", instead=None, **WHEN
    ),
    *(
        Module(f"{CORE}.{legacy}", f"compat.netra.components.{canonical}", instead=None, **WHEN)
        for legacy, canonical in (line.split(" = ") for line in _WHOLE.split("\n"))
    ),
    # Names of those modules that were called otherwise, or never were.
    Name(
        f"{CORE}.connection_state_machine:create_connection_state_machine",
        "compat.netra.components.connections.state_machine:ConnectionStateMachine",
        instead=None,
        note="It was imported but never defined; the class takes the same arguments",
        **WHEN,
    ),
    Name(
        f"{CORE}.event_validator:EventValidator",
        "compat.netra.components.events.critical_events:UnifiedEventValidator",
        instead=None,
        **WHEN,
    ),
    *names(f"{CORE}.connection_info", "compat.netra.components.events.recovery_types", "ConnectionState", instead=None, **WHEN),
    *names(
        f"{CORE}.batch_message_handler", "compat.netra.components.messages.handlers", "BatchMessageHandler", instead=None, **WHEN
    ),
    *names(f"{CORE}.batch_message_handler", "compat.netra.components.messages.batching", "BatchConfig", instead=None, **WHEN),
    *removed(
        f"{CORE}.gcp_initialization_validator",
        "REDIS_TIMEOUT",
        instead=READY,
        **WHEN,
    ),
]
