"""What callers write that no release served, where it can mean one thing only: other words for methods and arguments."""

from __future__ import annotations

from compat.ledger import Argument, Method, Move, names

from ..advice.serving import AUTHENTICATE, OWN

WHEN = {"since": "1.0", "removal": "3.0"}
C = "compat.netra.components"
W = "netra_backend.app.websocket_core"
T = "compat.netra.testing"

_METHODS = f"""\
{T}.mock_factory:SSotMockFactory | create_mock_websocket=create_websocket_mock
{T}.mock_factory:SSotMockFactory | create_mock_websocket_manager=create_websocket_manager_mock
{T}.mocks:MockFactory | create_mock_websocket=create_websocket_connection_mock
{T}.mocks:MockFactory | create_mock_websocket_manager=create_websocket_manager_mock
{C}.agents.emitters.factory:WebSocketEmitterFactory | create_user_emitter=create_emitter_for"""

# Class, argument, what it is called, and in which shape the value goes there ("-" as it is).
_ARGUMENTS = f"""\
{C}.context.user:UserExecutionContext | organization_id | audit_metadata | organization_id
{C}.agents.execution_types:StronglyTypedUserExecutionContext | session_id | audit_metadata | session_id
{C}.messages.rate_limits:RateLimitConfig | max_connections_per_user | max_connections_per_ip | -
{C}.connections.reconnecting.handler:ReconnectionConfig | max_retry_attempts | max_retries | -
{C}.events.recovery_types:ReconnectionConfig | max_retry_attempts | max_attempts | -
{C}.messages.setting_models:ReconnectionConfig | max_retry_attempts | max_attempts | -
{C}.events.message_buffer:WebSocketMessageBuffer | max_buffer_size | config | buffer_config"""

# Names that callers replace: where, and which.
_REPLACED = {
    "unified_websocket_auth": ("auth_client", AUTHENTICATE),
    "events": ("auth_client", AUTHENTICATE),
    "manager": ("auth_client", AUTHENTICATE),
    "auth": ("auth_client", AUTHENTICATE),
    "state_coordinator": (
        "get_websocket_state_coordinator coordinate_authentication_state=coordinate_state "
        "coordinate_factory_state=coordinate_state",
        OWN,
    ),
}

ROWS: list[Move] = [
    *(
        row
        for module, (word, advice) in _REPLACED.items()
        for row in names(f"{W}.{module}", "compat.netra.adapters.replaceable", word, instead=advice, **WHEN)
    ),
    *(
        Method(f"{owner}.{old}", f"{owner}.{new}", instead=None, **WHEN)
        for owner, words in (line.split(" | ") for line in _METHODS.split("\n"))
        for old, new in [words.split("=")]
    ),
    *(
        Argument(
            f"{owner}.__init__",
            argument,
            became=new,
            convert="" if shape == "-" else f"compat.netra.adapters.other_words:{shape}",
            instead=None,
            since=WHEN["since"],
            removal=WHEN["removal"],
        )
        for owner, argument, new, shape in (line.split(" | ") for line in _ARGUMENTS.split("\n"))
    ),
]
