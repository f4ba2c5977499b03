"""Messages: the rows of message types, handlers, the router, socket tools, limits and their small neighbours."""

from __future__ import annotations

from compat.ledger import Module, Move, Name, names, removed

from ..advice.serving import OWN, SUPERVISOR
from ..advice.traffic import ANNOTATE, RECEIVE, STATS

CORE = "netra_backend.app.websocket_core"
APP = "netra_backend.app"
WHEN = {"since": "1.0", "removal": "3.0"}

_MODELS = (
    "WebSocketMessage ConnectionInfo ServerMessage ErrorMessage WebSocketConfig ConnectionMetadata AuthInfo BatchConfig "
    "BroadcastMessage ReconnectionConfig JsonRpcMessage MessageBatch PendingMessage WebSocketStats AgentEvent "
    "WebSocketValidationError RateLimitInfo ConnectionMetrics RoomInfo TypingIndicator TypingMessage"
)
_VOCABULARY = (
    "MessageType WebSocketConnectionState ReconnectionState MessageState BatchingStrategy ConnectionState "
    "LEGACY_MESSAGE_TYPE_MAP FRONTEND_MESSAGE_TYPE_MAP MessagePayload ConnectionId UserId RoomId ThreadId MessageId"
)
_FUNCTIONS = (
    "create_server_message create_standard_message create_error_message normalize_message_type get_frontend_message_type "
    "generate_default_message convert_jsonrpc_to_websocket_message is_jsonrpc_message"
)
_HANDLERS = (
    "BaseMessageHandler ConnectionHandler UserMessageHandler ErrorHandler AgentRequestHandler HeartbeatHandler MessageHandler "
    "TypingHandler AgentHandler JsonRpcHandler BatchMessageHandler WebSocketHandler WebSocketMessageHandler "
    "is_websocket_connected safe_websocket_send send_error_to_websocket send_system_message MessageType logger"
)
_ROUTER = "MessageRouter get_message_router get_router_handler_count list_registered_handlers"
_SOCKET_TOOLS = (
    "is_websocket_connected is_websocket_connected_and_ready _safe_websocket_state_for_logging safe_websocket_send "
    "safe_websocket_close validate_websocket_handshake_completion validate_connection_with_race_detection "
    "generate_connection_id generate_message_id get_current_timestamp get_current_iso_timestamp parse_websocket_message "
    "validate_message_structure extract_user_info_from_message broadcast_to_websockets format_websocket_error_response "
    "create_connection_info check_rate_limit compress decompress get_progressive_delay find_matching_resources "
    "cleanup_resources_by_pattern normalize_connection_id validate_resource_compatibility get_cleanup_priority "
    "MessageType create_server_message create_error_message logger"
)
_MONITORING = (
    "HEARTBEAT_TIMEOUT_SECONDS WebSocketHeartbeat WebSocketConnectionMonitor get_connection_monitor websocket_heartbeat_context"
)
_QUEUE = "WebSocketMessageQueue websocket_message_queue_context"
_LIMITS = (
    "WebSocketRateLimiter AdaptiveRateLimiter RateLimiter RateLimitConfig RateLimitExceededException UserRateLimitState "
    "get_rate_limiter check_connection_rate_limit check_rate_limit"
)
_PROTOCOL = (
    "WebSocketProtocol WebSocketManagerProtocol=WebSocketProtocol WebSocketProtocolHandler=WebSocketProtocol "
    "WebSocketProtocolValidator WebSocketManagerProtocolValidator=WebSocketProtocolValidator "
    "get_protocol_documentation ensure_connection_id_type ensure_user_id_type ensure_thread_id_type ensure_websocket_id_type "
    "adapt_manager_for_legacy_code validate_migration_compatibility"
)
_SERVICES = "compat.netra.components.agents.service_registry"

ROWS: list[Move] = [
    # The vocabulary and the models of messages.
    *names(
        f"{CORE}.types",
        "compat.netra.components.messages.creation",
        f"{_VOCABULARY} {_MODELS} {_FUNCTIONS}",
        instead=None,
        **WHEN,
    ),
    *names(f"{CORE}.types", "compat.netra.components.messages.creation", "AgentMessage=AgentEvent", instead=None, **WHEN),
    *names(f"{CORE}.types", "compat.netra.components.messages.creation", "AgentEventType=MessageType", instead=None, **WHEN),
    *names(
        CORE,
        "compat.netra.components.messages.creation",
        "create_server_message create_error_message create_standard_message MessageType WebSocketConfig WebSocketMessage "
        "ConnectionInfo ServerMessage ErrorMessage",
        instead=None,
        **WHEN,
    ),
    *names(f"{CORE}.connection_info", "compat.netra.components.messages.creation", "ConnectionInfo", instead=None, **WHEN),
    *names(
        f"{CORE}.reconnection_types",
        "compat.netra.components.messages.creation",
        "ReconnectionConfig ReconnectionState",
        instead=None,
        **WHEN,
    ),
    Module(f"{APP}.schemas.websocket_models", "compat.netra.components.messages.payload_models", instead=None, **WHEN),
    *names(
        f"{APP}.schemas.websocket_models",
        "compat.netra.components.messages.payload_models",
        "WebSocketValidationError WebSocketStats RateLimitInfo BroadcastResult ServerMessage WebSocketMessage AgentStarted "
        "SubAgentUpdate AgentCompleted",
        instead=None,
        **WHEN,
    ),
    # Handlers and the router.
    *names(f"{CORE}.handlers", "compat.netra.components.messages.handlers", _HANDLERS, instead=None, **WHEN),
    *names(f"{CORE}.handlers", "compat.netra.components.messages.probes", "E2EAgentHandler", instead=None, **WHEN),
    *names(f"{CORE}.handlers", "compat.netra.components.messages.router", f"{_ROUTER} _message_router", instead=None, **WHEN),
    *names(CORE, "compat.netra.components.messages.router", "MessageRouter get_message_router", instead=None, **WHEN),
    *names(f"{CORE}.message_router", "compat.netra.components.messages.router", "MessageRouter", instead=None, **WHEN),
    *names(
        f"{CORE}.routing", "compat.netra.components.messages.router", "WebSocketMessageRouter=MessageRouter", instead=None, **WHEN
    ),
    *names(
        f"{CORE}.events",
        "compat.netra.components.messages.handlers",
        "WebSocketEventHandler=BaseMessageHandler",
        instead=None,
        **WHEN,
    ),
    # Agents' messages, and what one request needs.
    *names(
        f"{CORE}.agent_handler",
        "compat.netra.components.agents.agent_messages",
        "get_request_scoped_db_session get_user_execution_context get_websocket_scoped_supervisor AgentMessageHandler "
        "AgentHandler=AgentMessageHandler AgentWebSocketHandler=AgentMessageHandler WebSocketAgentHandler=AgentMessageHandler "
        "WebSocketAgentEventHandler=AgentMessageHandler MessageHandlerService create_websocket_manager=get_websocket_manager "
        "get_websocket_manager create_user_execution_context=get_user_execution_context "
        "get_request_scoped_supervisor=get_websocket_scoped_supervisor logger",
        instead=None,
        **WHEN,
    ),
    *names(
        f"{CORE}.agent_handler", "compat.netra.components.context.connection_context", "WebSocketContext", instead=None, **WHEN
    ),
    *names(
        f"{CORE}.supervisor_factory",
        _SERVICES,
        "get_websocket_scoped_supervisor create_websocket_supervisor=get_websocket_scoped_supervisor create_supervisor_core "
        "_get_websocket_supervisor_components=get_websocket_supervisor_components",
        instead=None,
        **WHEN,
    ),
    # One socket.
    *names(f"{CORE}.utils", "compat.netra.components.connections.connection_utils", _SOCKET_TOOLS, instead=None, **WHEN),
    *names(
        f"{CORE}.utils",
        "compat.netra.components.connections.heartbeats",
        f"{_MONITORING} _connection_monitor",
        instead=None,
        **WHEN,
    ),
    *names(
        f"{CORE}.utils",
        "compat.netra.components.messages.rate_limits",
        "_get_rate_limit_for_environment=get_rate_limit_for_environment"
        " _get_staging_optimized_timeouts=get_staging_optimized_timeouts",
        instead="Use compat.canonical.Settings and compat.canonical.Limits instead.",
        **WHEN,
    ),
    *names(f"{CORE}.utils", "compat.netra.components.messages.send_queue", _QUEUE, instead=None, **WHEN),
    *names(f"{CORE}.utils", "compat.netra.components.messages.creation", "WebSocketConfig", instead=None, **WHEN),
    *names(
        f"{CORE}.utils",
        "compat.netra.components.connections.race_conditions",
        "create_handshake_coordinator=HandshakeCoordinator create_race_condition_detector=RaceConditionDetector",
        instead=None,
        **WHEN,
    ),
    Name(
        f"{CORE}.utils:create_websocket_manager",
        "compat.netra.adapters.manager_factory:create_websocket_manager",
        instead="from compat.canonical import get_websocket_manager",
        **WHEN,
    ),
    *names(f"{CORE}.utils", "compat.netra.components.environment", "get_env", instead=None, **WHEN),
    *names(
        CORE,
        "compat.netra.components.connections.connection_utils",
        "safe_websocket_send safe_websocket_close is_websocket_connected",
        instead=None,
        **WHEN,
    ),
    *names(
        CORE, "compat.netra.components.connections.heartbeats", "get_connection_monitor WebSocketHeartbeat", instead=None, **WHEN
    ),
    *names(
        f"{CORE}.graceful_degradation_manager",
        "compat.netra.components.connections.connection_utils",
        "safe_websocket_send",
        instead=None,
        **WHEN,
    ),
    *names(
        f"{CORE}.manager",
        "compat.netra.components.connections.heartbeat_manager",
        "HeartbeatConfig WebSocketHeartbeatManager get_heartbeat_manager",
        instead=None,
        **WHEN,
    ),
    *names(
        f"{CORE}.heartbeat_manager",
        "compat.netra.components.connections.heartbeat_manager",
        "HeartbeatConfig WebSocketHeartbeatManager ConnectionHeartbeat get_heartbeat_manager _heartbeat_manager",
        instead=None,
        **WHEN,
    ),
    # One connection with what it works for.
    *names(
        f"{CORE}.context",
        "compat.netra.components.context.connection_context",
        "WebSocketContext WebSocketRequestContext logger",
        instead=None,
        **WHEN,
    ),
    *names(
        CORE,
        "compat.netra.components.context.connection_context",
        "WebSocketContext WebSocketRequestContext",
        instead=None,
        **WHEN,
    ),
    # Limits, and the shape of a manager.
    *names(f"{CORE}.rate_limiter", "compat.netra.components.messages.rate_limits", _LIMITS, instead=None, **WHEN),
    *names(
        f"{CORE}.enhanced_rate_limiter",
        "compat.netra.components.messages.rate_limits",
        "EnhancedRateLimiter=AdaptiveRateLimiter",
        instead=None,
        **WHEN,
    ),
    *names(CORE, "compat.netra.components.messages.rate_limits", "RateLimiter", instead=None, **WHEN),
    *names(f"{CORE}.protocols", "compat.netra.components.connections.manager_protocol", _PROTOCOL, instead=None, **WHEN),
    *names(
        f"{CORE}.protocol_validator",
        "compat.netra.components.connections.manager_protocol",
        "create_protocol_compliance_report=validate_migration_compatibility "
        "validate_websocket_manager_on_startup=adapt_manager_for_legacy_code",
        instead=None,
        **WHEN,
    ),
    # What else was in these modules under the same name.
    Module(f"{CORE}.types", "compat.netra.components.messages.creation", instead=None, **WHEN),
    Module(f"{CORE}.handlers", "compat.netra.components.messages.handlers", instead=None, **WHEN),
    Module(f"{CORE}.agent_handler", "compat.netra.components.agents.agent_messages", instead=None, **WHEN),
    Module(f"{CORE}.utils", "compat.netra.components.connections.connection_utils", instead=None, **WHEN),
    Module(f"{CORE}.context", "compat.netra.components.context.connection_context", instead=None, **WHEN),
    Module(f"{CORE}.rate_limiter", "compat.netra.components.messages.rate_limits", instead=None, **WHEN),
    Module(f"{CORE}.protocols", "compat.netra.components.connections.manager_protocol", instead=None, **WHEN),
    # Nothing stands behind these.
    *removed(
        f"{CORE}.handlers",
        "handle_agent_message process_agent_event validate_agent_request",
        since="1.0",
        instead=RECEIVE,
    ),
    *removed(f"{CORE}.protocols", "LegacyWebSocketManagerAdapter", since="1.0", instead=OWN),
    *removed(
        f"{CORE}.protocols", "WebSocketEventProtocol", since="1.0", instead="from compat.canonical import UnifiedWebSocketManager"
    ),
    *removed(
        f"{CORE}.protocol_validator",
        "test_critical_method_functionality",
        since="1.0",
        instead=ANNOTATE,
    ),
    *removed(
        f"{CORE}.supervisor_factory",
        "create_websocket_supervisor_with_validation cleanup_websocket_registries get_registry_cleanup_status",
        since="1.0",
        instead=SUPERVISOR,
    ),
    *removed(
        f"{CORE}.graceful_degradation_manager",
        "DegradationLevel GracefulDegradationManager ServiceStatus DegradationContext FallbackChatHandler ServiceHealth "
        "create_graceful_degradation_manager",
        since="1.0",
        instead=(
            "Use get_websocket_manager(context).health() and the server's /readyz: a service that is down is "
            "reported, not imitated."
        ),
    ),
    *removed(
        f"{CORE}.performance_monitor_core",
        "PerformanceThresholds WebSocketPerformanceMonitor LatencyMeasurement PerformanceAlert PerformanceMetrics "
        "PerformanceMonitorCore PerformanceMonitor ThroughputMetrics",
        since="1.0",
        instead=STATS,
    ),
    *removed(f"{CORE}.sync_types", "CriticalCallbackFailure", since="1.0", instead="from compat.canonical import Undelivered"),
    *removed(
        f"{CORE}.isolation",
        "WebSocketUserIsolation",
        since="1.0",
        instead=OWN,
    ),
    *removed(f"{CORE}.sessions", "WebSocketSessionManager", since="1.0", instead=OWN),
    *removed(f"{CORE}.audit_logger", "WebSocketAuditLogger", since="1.0", instead="logging.getLogger('compat.canonical')"),
    *removed(
        f"{APP}.websocket.connection_handler",
        "ConnectionHandler ConnectionContext WebSocketEventRouter connection_scope",
        since="1.0",
        instead="await get_websocket_manager(context).connect(websocket) of compat.canonical",
    ),
]
