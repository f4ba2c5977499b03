"""Messages, connections, events, readiness."""

from __future__ import annotations

from .people import LOGGER, NEW_ID, OWN_MODEL

MESSAGE = "from compat.canonical.core.events import make_message"
STATE = "from starlette.websockets import WebSocketState"
OPEN = "Use websocket.client_state == WebSocketState.CONNECTED instead, with 'from starlette.websockets import WebSocketState'."
SEND = "Use await get_websocket_manager(context).send(message), which keeps what could not be sent."
RECEIVE = (
    "Pass one function for all client messages, create_app(on_message=...) of compat.canonical, and "
    "choose in it by message['type']."
)
CONNECTION = "Use the compat.canonical.Connection objects that get_websocket_manager(context).connections holds."
ANNOTATE = "Annotate with compat.canonical.UnifiedWebSocketManager, and let mypy or pyright check it."
STATS = "get_websocket_manager(context).stats(), and the server's /metrics"
PINGS = "Leave it out: the server pings by heartbeat_interval and heartbeat_timeout of compat.canonical.Settings."
RETRY = (
    "Use the tenacity or backoff library; clients reconnect by themselves with 'async for websocket in websockets.connect(url)'."
)
REPLAY = "Leave it out: get_websocket_manager(context) keeps what a user who is away has not received, and sends it on connect()."
BREAKER = "the pybreaker or aiobreaker library"
LIMITS = (
    "Use the limits or slowapi library; the server's own bounds are messages_per_minute and limits of compat.canonical.Settings."
)
EVENTS = (
    "Compare the types of await get_websocket_manager(context).history() with "
    "compat.canonical.CRITICAL_EVENTS; the manager delivers "
    "in order, and says in the Delivery that send() and emit() return what became of each."
)
READY = "Use the server's /readyz, and one check of your own for each other service that must answer before you serve."
COPY = "Nothing takes its place: copy the few lines you need into a module of your own; it goes with 3.0."
TIME = "time.time(), or datetime.datetime.now(datetime.timezone.utc).isoformat()"

_TYPE_WORDS = "MessageType AgentEvent MessageState BatchingStrategy"
_TYPE_MAPS = "normalize_message_type get_frontend_message_type LEGACY_MESSAGE_TYPE_MAP FRONTEND_MESSAGE_TYPE_MAP"
_MAKERS = (
    "create_server_message create_error_message create_standard_message generate_default_message WebSocketMessage ServerMessage "
    "ErrorMessage BroadcastMessage AgentEvent"
)
_CONNECTIONS = "ConnectionInfo ConnectionMetadata AuthInfo"
_PLAIN_IDS = "ConnectionId UserId RoomId ThreadId MessageId MessagePayload"
_FIGURES = "WebSocketStats ConnectionMetrics"
_ASKS_STATE = (
    "is_websocket_connected is_websocket_connected_and_ready _safe_websocket_state_for_logging "
    "validate_websocket_handshake_completion validate_connection_with_race_detection"
)
_FOR_CLEANUP = (
    "find_matching_resources cleanup_resources_by_pattern normalize_connection_id "
    "validate_resource_compatibility get_cleanup_priority"
)
_UTILS, _CREATION, _HANDLERS = (
    "components.connections.connection_utils",
    "components.messages.creation",
    "components.messages.handlers",
)


def _all(module: str, words: str, advice: str) -> dict[str, str]:
    return {f"{module}:{word}": advice for word in words.split()}


TABLE = {
    # Messages.
    "components.messages": OWN_MODEL,
    _CREATION: OWN_MODEL,
    **_all(
        _CREATION,
        _TYPE_WORDS,
        "Write the message's type as a string, such as 'agent_started', or declare an enum.Enum of your own.",
    ),
    **_all(_CREATION, _TYPE_MAPS, "Send and accept one spelling of each message type; nothing then has to be translated."),
    **_all(_CREATION, _MAKERS, MESSAGE),
    **_all(_CREATION, "WebSocketConnectionState ConnectionState", STATE),
    **_all(_CREATION, _CONNECTIONS, CONNECTION),
    **_all(_CREATION, _PLAIN_IDS, "Annotate with str, and with dict for a payload."),
    **_all(_CREATION, _FIGURES, STATS),
    **_all(_CREATION, "WebSocketConfig RateLimitInfo", "compat.canonical.Settings and compat.canonical.Limits"),
    **_all(_CREATION, "ReconnectionConfig ReconnectionState", RETRY),
    **_all(_CREATION, "convert_jsonrpc_to_websocket_message is_jsonrpc_message JsonRpcMessage", "the jsonrpcserver library"),
    _HANDLERS: RECEIVE,
    f"{_HANDLERS}:is_websocket_connected": OPEN,
    **_all(_HANDLERS, "safe_websocket_send send_system_message send_error_to_websocket", SEND),
    f"{_HANDLERS}:MessageType": (
        "Write the message's type as a string, such as 'agent_started', or declare an enum.Enum of your own."
    ),
    f"{_HANDLERS}:logger": LOGGER,
    "components.messages.router": RECEIVE,
    "components.messages.message_queue": "a bounded asyncio.Queue(maxsize) or asyncio.PriorityQueue(maxsize)",
    "components.messages.send_queue": SEND,
    "components.messages.acknowledged": (
        "Let the client name the last position it has seen, connect(websocket, since=Position(epoch, seq)): "
        "the core sends what followed."
    ),
    "components.messages.batching": "Leave it out: the core sends each message by itself, and the socket buffers.",
    "components.messages.compression": "Leave it out: permessage-deflate is negotiated by uvicorn and by the websockets library.",
    "components.messages.rate_limits": LIMITS,
    "components.messages.payload_models": OWN_MODEL,
    # Connections.
    "components.connections": COPY,
    "components.connections.background_tasks": "asyncio.TaskGroup, or anyio.create_task_group() before Python 3.11",
    "components.connections.error_types": RETRY,
    _UTILS: COPY,
    **_all(_UTILS, _ASKS_STATE, OPEN),
    f"{_UTILS}:safe_websocket_send": SEND,
    f"{_UTILS}:broadcast_to_websockets": "await get_websocket_manager_factory().broadcast(message) of compat.canonical.factory",
    f"{_UTILS}:safe_websocket_close": "await get_websocket_manager(context).disconnect(connection_id, code, reason)",
    **_all(_UTILS, "generate_connection_id generate_message_id", NEW_ID),
    **_all(_UTILS, "get_current_timestamp get_current_iso_timestamp", TIME),
    **_all(_UTILS, "create_server_message create_error_message format_websocket_error_response", MESSAGE),
    **_all(
        _UTILS,
        "parse_websocket_message validate_message_structure",
        "json.loads(text), and model_validate_json(text) of a pydantic model",
    ),
    f"{_UTILS}:extract_user_info_from_message": (
        "Use the user of the connection: what a message says of its user is not to be trusted."
    ),
    f"{_UTILS}:create_connection_info": CONNECTION,
    f"{_UTILS}:check_rate_limit": LIMITS,
    **_all(_UTILS, "compress decompress", "zlib.compress() and zlib.decompress()"),
    f"{_UTILS}:get_progressive_delay": RETRY,
    **_all(_UTILS, _FOR_CLEANUP, "Leave it out: get_websocket_manager(context) lets go of a connection that has closed."),
    f"{_UTILS}:MessageType": (
        "Write the message's type as a string, such as 'agent_started', or declare an enum.Enum of your own."
    ),
    f"{_UTILS}:logger": LOGGER,
    "components.connections.state_machine": (
        "Ask websocket.client_state (starlette.websockets.WebSocketState) and "
        "get_websocket_manager(context).is_connected; a connection "
        "that connect(websocket) has returned is ready for messages."
    ),
    "components.connections.race_conditions": (
        "Leave it out: await get_websocket_manager(context).connect(websocket) returns when the connection "
        "is ready, and keeps the order."
    ),
    "components.connections.heartbeats": PINGS,
    "components.connections.heartbeat_manager": PINGS,
    "components.connections.reconnecting": RETRY,
    "components.connections.error_recovery": RETRY,
    "components.connections.breaker": BREAKER,
    "components.connections.manager_protocol": ANNOTATE,
    "components.connections.manager_validation": (
        "Leave it out: a manager comes from get_websocket_manager(context) alone, and raises "
        "FactoryBypassDetected or UserIsolationViolation "
        "of compat.canonical otherwise."
    ),
    "components.connections.manager_validation:logger": LOGGER,
    "components.connections.user_sessions": (
        "Authenticator.open_session(client_id, user_id) and SessionBook of compat.canonical.auth"
    ),
    # Events.
    "components.events": EVENTS,
    "components.events.delivery_tracker": "the compat.canonical.Delivery that send() and emit() of a manager return",
    "components.events.message_buffer": REPLAY,
    "components.events.recovery_types": RETRY,
    # Readiness.
    "components.readiness": READY,
    "components.timestamps": "float(value), or datetime.datetime.fromisoformat(value).timestamp()",
}
