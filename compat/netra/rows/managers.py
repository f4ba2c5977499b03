"""Managers, their factories, emitters and helpers: every path they were ever imported by."""

from __future__ import annotations

from compat.ledger import Class, Move, Name, names, removed

from ..advice.people import ANY_ID
from ..advice.serving import EMIT, OWN
from ..advice.traffic import EVENTS, REPLAY

SINCE, REMOVAL = "1.0", "3.0"
W = "netra_backend.app.websocket_core"
MANAGER = "compat.canonical.core.manager:UnifiedWebSocketManager"
GET = "from compat.canonical import get_websocket_manager"
CALL = "get_websocket_manager(context) returns the one manager of the context's user."


def moved(module: str, canonical: str, words: str, instead: str | None = None, note: str = "") -> list[Move]:
    """One row per word, versions and all."""
    return names(module, canonical, words, since=SINCE, removal=REMOVAL, instead=instead, note=note)


def classes(adapter: str, paths: str) -> list[Move]:
    """Class rows to the one canonical manager: per line a module and its names for it."""
    rows: list[Move] = []
    for line in paths.split("\n"):
        module, *words = line.replace("~", W).split()
        for word in words:
            rows.append(
                Class(
                    f"{module}:{word}",
                    MANAGER,
                    adapter=f"compat.netra.adapters.managers.websocket_manager:{adapter}",
                    since=SINCE,
                    removal=REMOVAL,
                    instead=GET,
                    note=CALL,
                )
            )
    return rows


# The class by its own name: made by the factory function, or with a context.
BY_FACTORY = """\
~.unified_manager UnifiedWebSocketManager _UnifiedWebSocketManagerImplementation
~.websocket_manager UnifiedWebSocketManager WebSocketConnectionManager _UnifiedWebSocketManagerImplementation
~ UnifiedWebSocketManager WebSocketConnectionManager
~.manager UnifiedWebSocketManager
~.canonical_imports UnifiedWebSocketManager
~.canonical_import_patterns UnifiedWebSocketManager
~.connection_manager UnifiedWebSocketManager WebSocketConnectionManager ConnectionManager
~.connection_executor ConnectionExecutor
~.broadcast_core BroadcastManager BroadcastCore
~.recovery WebSocketRecoveryManager ErrorRecoveryHandler
~.reconnection_handler WebSocketRecoveryManager ReconnectionHandler WebSocketReconnectionHandler UnifiedWebSocketManager
~.migration_adapter UnifiedWebSocketManager
~.state_synchronization_manager StateSynchronizationManager
~.unified_init UnifiedWebSocketManager
netra_backend.app.websocket.connection_manager ConnectionManager WebSocketConnectionManager
netra_backend.app.services.user_scoped_websocket_event_router UnifiedWebSocketManager
netra_backend.app.services.websocket_bridge_factory UnifiedWebSocketManager
netra_backend.app.services.token_optimization.integration_service UnifiedWebSocketManager
~.error_recovery_handler ErrorRecoveryHandler UnifiedWebSocketManager"""

# The class as the singleton was: without a context one object reaches each user by the call's user_id.
BY_USER = """\
~.websocket_manager WebSocketManager
~ WebSocketManager IsolatedWebSocketManager
~.manager WebSocketManager BroadcastManager
~.unified_manager WebSocketManager
~.websocket_manager_factory WebSocketManager IsolatedWebSocketManager
~.canonical_imports WebSocketManager
~.canonical_import_patterns WebSocketManager
~.handlers WebSocketManager
~.connection_executor WebSocketManager
~.broadcast_core WebSocketManager
~.state_synchronization_manager WebSocketManager
app.ws_manager WebSocketManager
netra_backend.app.routes.websocket WebSocketManager
netra_backend.app.services.agent_websocket_bridge WebSocketManager
netra_backend.app.services.websocket_manager WebSocketManager
netra_backend.app.services.websocket.websocket_manager WebSocketManager
netra_backend.app.services.websocket_broadcast_service WebSocketManager
netra_backend.app.services.token_optimization.integration_service WebSocketManager
netra_backend.app.agents.supervisor.agent_instance_factory WebSocketManager
netra_backend.app.factories.websocket_bridge_factory WebSocketManager
netra_backend.app.websocket.connection_manager WebSocketManager
netra_backend.app.websocket.websocket_manager WebSocketManager
netra_backend.app.websocket_manager WebSocketManager
netra_backend.app.websockets.websocket_manager WebSocketManager
auth_service.websocket.manager WebSocketManager
shared.websocket.manager WebSocketManager"""

# The functions that return a manager: per line a legacy module, then Name=name in compat.netra.adapters.manager_factory.
FUNCTIONS = """\
~.websocket_manager get_websocket_manager create_websocket_manager create_test_user_context create_test_fallback_manager
~.websocket_manager check_websocket_service_available
~ get_websocket_manager=get_package_websocket_manager create_websocket_manager get_websocket_manager_factory
~ WebSocketManagerFactory
~.manager get_websocket_manager=get_shared_websocket_manager get_manager=get_shared_websocket_manager
~.manager create_websocket_manager create_test_user_context
~.unified_manager get_websocket_manager create_websocket_manager get_websocket_manager_singleton=get_shared_websocket_manager
~.websocket_manager_factory create_websocket_manager=create_isolated_websocket_manager create_websocket_manager_sync
~.websocket_manager_factory get_websocket_manager_factory
~.websocket_manager_factory WebSocketManagerFactory
~.websocket_manager_factory _factory_instance _factory_lock
~.canonical_imports _factory_instance
~.websocket_manager_factory FactoryMetrics ManagerMetrics validate_websocket_component_health
~.websocket_manager_factory create_test_user_context
~.websocket_manager_factory _validate_ssot_user_context=validate_ssot_user_context
~.websocket_manager_factory _validate_ssot_user_context_staging_safe=validate_ssot_user_context
~.canonical_imports create_websocket_manager=create_isolated_websocket_manager create_websocket_manager_sync
~.canonical_imports get_websocket_manager_factory
~.canonical_imports WebSocketManagerFactory get_websocket_manager
~.canonical_import_patterns get_websocket_manager create_websocket_manager=create_isolated_websocket_manager
~.canonical_import_patterns create_websocket_manager_sync
~.canonical_import_patterns WebSocketManagerFactory get_websocket_manager_factory
~.migration_adapter WebSocketManagerFactory
~.simple_websocket_creation create_websocket_manager
~.ssot_agent_message_handler create_websocket_manager
~.unified_init create_websocket_manager WebSocketManagerFactory get_unified_websocket_manager=get_websocket_manager
~.websocket_manager_factory_compat create_websocket_manager=create_isolated_websocket_manager WebSocketManagerFactory
netra_backend.app.dependencies create_websocket_manager get_websocket_manager
netra_backend.app.routes.websocket get_websocket_manager
netra_backend.app.routes.websocket_ssot get_websocket_manager
netra_backend.app.services.agent_service_core get_websocket_manager
netra_backend.app.services.message_handlers get_websocket_manager
netra_backend.app.services.message_processing get_websocket_manager
netra_backend.app.services.thread_service get_websocket_manager
netra_backend.app.services.websocket.message_handler create_websocket_manager get_websocket_manager
netra_backend.app.services.websocket.quality_alert_handler create_websocket_manager
netra_backend.app.services.websocket.quality_manager create_websocket_manager
netra_backend.app.services.websocket.quality_message_router create_websocket_manager
netra_backend.app.services.websocket.quality_metrics_handler create_websocket_manager
netra_backend.app.services.websocket.quality_report_handler create_websocket_manager
netra_backend.app.services.websocket.quality_validation_handler create_websocket_manager get_websocket_manager
netra_backend.app.websocket.connection_manager get_connection_manager=get_shared_websocket_manager"""


def functions(table: str) -> list[Move]:
    """Name rows of the factory functions."""
    rows: list[Move] = []
    for line in table.split("\n"):
        module, _, words = line.replace("~", W).partition(" ")
        for word in words.split():
            makes_manager = "manager" in word.lower() and "Metrics" not in word and not word.startswith("_")
            rows += moved(module, "compat.netra.adapters.manager_factory", word, GET if makes_manager else None)
    return rows


SERIALIZE = "from compat.canonical.core.serialization import serialize_message"
EMITTERS = "UnifiedWebSocketEmitter WebSocketEventEmitter=UnifiedWebSocketEmitter UserWebSocketEmitter=UnifiedWebSocketEmitter"
AUTH_EMITTERS = "AuthenticationWebSocketEmitter AuthenticationConnectionMonitor AuthenticationWebSocketError"

ROWS: list[Move] = [
    *classes("UnifiedWebSocketManager", BY_FACTORY),
    *classes("WebSocketManager", BY_USER),
    *functions(FUNCTIONS),
    *moved(f"{W}.websocket_manager_factory", "compat.netra.adapters.lifecycle", "ConnectionLifecycleManager", GET),
    Name(
        "app.ws_manager:manager", "compat.netra.adapters.managers.singletons:manager", since=SINCE, removal=REMOVAL, instead=GET
    ),
    Name(
        "app.ws_manager:ws_manager",
        "compat.netra.adapters.managers.singletons:manager",
        since=SINCE,
        removal=REMOVAL,
        instead=GET,
    ),
    *moved(
        f"{W}.manager", "compat.netra.adapters.managers.singletons", "websocket_manager=manager _websocket_manager=manager", GET
    ),
    *moved(
        "netra_backend.app.websockets.websocket_manager",
        "compat.netra.adapters.managers.singletons",
        "websocket_manager=manager",
        GET,
    ),
    # What managers are made of.
    *moved(
        f"{W}.unified_manager",
        "compat.netra.components.messages.serializing",
        "_serialize_message_safely=serialize_message_safely _get_enum_key_representation=get_enum_key_representation",
        SERIALIZE,
    ),
    *moved(f"{W}.unified_manager", "compat.netra.adapters.managers.looked_up", "ensure_user_id", ANY_ID),
    *moved(f"{W}.unified_manager", "compat.netra.adapters.managers.looked_up", "asyncio", "import asyncio"),
    *moved(f"{W}.unified_manager", "compat.netra.adapters.managers.looked_up", "time", "import time"),
    *moved(
        f"{W}.unified_manager",
        "compat.netra.adapters.managers.manager_types",
        "RegistryCompat WebSocketConnection WebSocketManagerMode",
        GET,
    ),
    *moved(f"{W}.unified_manager", "compat.canonical.core.serialization", "logger", "logging.getLogger(__name__)"),
    *moved(
        f"{W}.websocket_manager",
        "compat.netra.components.messages.serializing",
        "_serialize_message_safely=serialize_message_safely",
        SERIALIZE,
    ),
    *moved(
        f"{W}.websocket_manager",
        "compat.netra.adapters.managers.manager_types",
        "WebSocketConnection WebSocketManagerMode RegistryCompat",
        GET,
    ),
    *moved(f"{W}.websocket_manager", "compat.canonical.core.serialization", "logger", "logging.getLogger(__name__)"),
    *(
        row
        for module in (f"{W}.manager", f"{W}.websocket_manager_factory", "app.ws_manager")
        for row in moved(module, "compat.canonical.core.serialization", "logger", "logging.getLogger(__name__)")
    ),
    *moved(f"{W}.websocket_manager", "compat.netra.adapters.replaceable", "redis", "import redis"),
    *moved(
        f"{W}.unified_manager",
        "compat.netra.adapters.replaceable",
        "StarletteWebSocketState=WebSocketState FastAPIWebSocketState=WebSocketState",
        "from starlette.websockets import WebSocketState",
    ),
    *moved(f"{W}.unified_websocket_auth", "compat.netra.adapters.replaceable", "jwt", "import jwt"),
    *moved(
        f"{W}.websocket_manager_factory",
        "compat.netra.adapters.replaceable",
        "WebSocketState",
        "from starlette.websockets import WebSocketState",
    ),
    *moved(f"{W}.websocket_manager", "compat.netra.components.agents.emitters.unified", EMITTERS),
    *moved(W, "compat.netra.adapters.managers.manager_types", "WebSocketConnection WebSocketManagerMode", GET),
    *moved(f"{W}.manager", "compat.netra.adapters.managers.manager_types", "WebSocketConnection WebSocketManagerMode", GET),
    *moved(
        f"{W}.canonical_imports", "compat.netra.adapters.managers.manager_types", "WebSocketConnection WebSocketManagerMode", GET
    ),
    *moved(
        f"{W}.canonical_import_patterns",
        "compat.netra.adapters.managers.manager_types",
        "WebSocketConnection WebSocketManagerMode",
        GET,
    ),
    *moved(f"{W}.migration_adapter", "compat.netra.adapters.managers.manager_types", "WebSocketConnection", GET),
    *moved(
        f"{W}.websocket_manager_factory",
        "compat.netra.adapters.managers.manager_types",
        "WebSocketConnection WebSocketManagerMode",
        GET,
    ),
    *moved(f"{W}.connection_manager", "compat.netra.adapters.managers.manager_types", "ConnectionInfo"),
    *moved("netra_backend.app.websocket.connection_manager", "compat.netra.adapters.managers.manager_types", "ConnectionInfo"),
    *moved(
        "netra_backend.app.models.websocket_connection",
        "compat.netra.adapters.managers.manager_types",
        "WebSocketConnection",
        GET,
    ),
    *moved(f"{W}.canonical_imports", "compat.canonical.errors", "FactoryInitializationError WebSocketComponentError"),
    *moved(f"{W}.websocket_manager_factory", "compat.canonical.errors", "FactoryInitializationError WebSocketComponentError"),
    # Emitters.
    *moved(
        W, "compat.netra.components.agents.emitters.unified", EMITTERS + " IsolatedWebSocketEventEmitter=UnifiedWebSocketEmitter"
    ),
    *moved(W, "compat.netra.components.agents.emitters.factory", "WebSocketEmitterFactory WebSocketEmitterPool"),
    *moved(W, "compat.netra.adapters.process_objects", "CRITICAL_EVENTS", "from compat.canonical import CRITICAL_EVENTS"),
    *moved(f"{W}.unified_emitter", "compat.netra.components.agents.emitters.unified", EMITTERS),
    *moved(f"{W}.unified_emitter", "compat.netra.components.agents.emitters.state", "EmitterMetrics"),
    *moved(f"{W}.unified_emitter", "compat.netra.components.agents.emitters.sign_in", AUTH_EMITTERS),
    *moved(
        f"{W}.unified_emitter", "compat.netra.components.agents.emitters.factory", "WebSocketEmitterFactory WebSocketEmitterPool"
    ),
    *moved(f"{W}.unified_emitter", "compat.netra.components.agents.emitters.unified", "logger", "logging.getLogger(__name__)"),
    *moved(f"{W}.unified_emitter", "compat.netra.components.agents.emitters.unified", "asyncio", "import asyncio"),
    # Validation, migration, delivery, buffers, breakers, reconnection, tokens.
    *moved(
        f"{W}.ssot_validation_enhancer",
        "compat.canonical.errors",
        "SSotValidationError UserIsolationViolation FactoryBypassDetected",
    ),
    *moved(
        f"{W}.ssot_validation_enhancer",
        "compat.netra.components.connections.manager_validation",
        "validate_websocket_manager_creation validate_user_isolation enable_strict_validation get_ssot_validation_summary"
        " _ssot_validator",
    ),
    *moved(
        f"{W}.ssot_validation_enhancer",
        "compat.netra.components.connections.manager_validation",
        "WebSocketManagerSSotValidator=ManagerValidator logger",
    ),
    *moved(
        f"{W}.migration_adapter",
        "compat.netra.adapters.migration",
        "WebSocketManagerAdapter _LegacyWebSocketManagerAdapter=WebSocketManagerAdapter get_legacy_websocket_manager"
        " migrate_singleton_usage",
        GET,
    ),
    *moved(
        f"{W}.event_delivery_tracker",
        "compat.netra.components.events.delivery_tracker",
        "EventDeliveryTracker EventDeliveryStatus EventPriority EventDeliveryRecord",
    ),
    *moved(f"{W}.event_delivery_tracker", "compat.netra.adapters.process_objects", "get_event_delivery_tracker"),
    *moved(
        f"{W}.message_buffer",
        "compat.netra.components.events.message_buffer",
        "BufferPriority BufferConfig BufferedMessage WebSocketMessageBuffer MessageBuffer=WebSocketMessageBuffer",
    ),
    *moved(
        f"{W}.message_buffer",
        "compat.netra.adapters.process_objects",
        "get_message_buffer buffer_user_message deliver_user_messages",
    ),
    *moved(
        f"{W}.circuit_breaker",
        "compat.netra.components.connections.breaker",
        "CircuitState CircuitBreakerConfig WebSocketCircuitBreaker=CircuitBreaker CircuitBreakerOpenError",
    ),
    *moved(
        f"{W}.circuit_breaker",
        "compat.netra.adapters.process_objects",
        "get_websocket_circuit_breaker_config get_websocket_circuit_breaker websocket_connect_with_circuit_breaker"
        " websocket_send_with_circuit_breaker",
    ),
    *moved(
        f"{W}.reconnection_handler",
        "compat.netra.components.connections.reconnecting.handler",
        "ReconnectionContext ReconnectionState ReconnectionConfig ReconnectionSession MaxRetriesExceededException",
    ),
    *moved(f"{W}.reconnection_handler", "compat.netra.adapters.process_objects", "get_reconnection_handler", GET),
    *moved(
        "netra_backend.app.services.websocket_connection_pool",
        "compat.netra.components.connections.connection_pool",
        "WebSocketConnectionPool ConnectionInfo ConnectionPoolStats get_websocket_connection_pool cleanup_connection_pool",
        OWN,
    ),
    *moved(
        f"{W}.reconnection_manager",
        "compat.netra.components.connections.reconnecting.manager",
        "ReconnectionManager ReconnectionState ReconnectionAttempt get_reconnection_manager setup_connection_with_reconnection"
        " calculate_next_reconnect_delay _reconnection_manager",
    ),
    # Gone, and what to write instead.
    *removed(f"{W}.manager", "get_websocket_recovery_manager sync_state", since=SINCE, instead=REPLAY),
    *removed(
        f"{W}.manager",
        "broadcast_message",
        since=SINCE,
        instead="await get_websocket_manager_factory().broadcast(message) of compat.canonical.factory",
    ),
    *removed(f"{W}.unified_manager", "get_database_manager", since=SINCE, instead="the database layer's own session factory"),
    *removed(
        W,
        "agent_registry notifier",
        since=SINCE,
        instead=EMIT,
    ),
    *removed(f"{W}.connection_executor", "ConnectionOperationBuilder", since=SINCE, instead=OWN),
    *removed(
        f"{W}.user_scoped_event_validator",
        "EventValidatorFactory UserScopedEventValidator get_event_validator_factory",
        since=SINCE,
        instead=EVENTS,
    ),
    *removed(
        f"{W}.state_synchronizer",
        "ConnectionStateSynchronizer",
        since=SINCE,
        instead="await manager.connect(websocket, since=position), with the last position that the client has seen",
    ),
    *removed(
        f"{W}.event_resilience", "EventDeliveryFallback", since=SINCE, instead="get_websocket_manager(context).undelivered()"
    ),
    *removed(
        f"{W}.ssot_service_initializer",
        "initialize_service_ssot",
        since=SINCE,
        instead="create_app(settings) of compat.canonical",
    ),
]

#: Names that a module passed on from the module that owns them: legacy module, home, names. Their rows are the home's.
PASSED_ON: list[tuple[str, str, str]] = [
    (
        W,
        f"{W}.connection_state_machine",
        "ApplicationConnectionState ConnectionStateMachine ConnectionStateMachineRegistry"
        " get_connection_state_registry get_connection_state_machine is_connection_ready_for_messages StateTransitionInfo",
    ),
    (
        W,
        f"{W}.message_queue",
        "MessageQueue MessageQueueRegistry MessageQueueState MessagePriority QueuedMessage"
        " get_message_queue_registry get_message_queue_for_connection",
    ),
    (W, f"{W}.protocols", "WebSocketManagerProtocol WebSocketProtocol WebSocketManagerProtocolValidator"),
    (W, f"{W}.connection_state_machine", "ApplicationConnectionStateMachine=ConnectionStateMachine"),
    (W, f"{W}.types", "AuthInfo WebSocketStats"),
    (
        W,
        f"{W}.race_condition_prevention",
        "HandshakeCoordinator RaceConditionDetector RaceConditionPattern"
        " RaceConditionApplicationConnectionState=ApplicationConnectionState",
    ),
    (W, f"{W}.user_context_extractor", "UserContextExtractor extract_websocket_user_context get_user_context_extractor"),
    (W, f"{W}.handlers", "UserMessageHandler"),
    (W, f"{W}.rate_limiter", "WebSocketRateLimiter"),
    (W, f"{W}.migration_adapter", "get_legacy_websocket_manager migrate_singleton_usage"),
    (
        W,
        f"{W}.utils",
        "create_handshake_coordinator create_race_condition_detector is_websocket_connected_and_ready"
        " validate_connection_with_race_detection validate_websocket_handshake_completion",
    ),
    (W, f"{W}.unified_jwt_protocol_handler", "extract_jwt_from_subprotocol extract_jwt_token normalize_jwt_token"),
    (f"{W}.websocket_manager", f"{W}.protocols", "WebSocketManagerProtocol"),
    (f"{W}.websocket_manager", "netra_backend.app.core.unified_id_manager", "UnifiedIDManager"),
    (f"{W}.canonical_imports", f"{W}.protocols", "WebSocketManagerProtocol WebSocketManagerProtocolValidator"),
    (f"{W}.websocket_manager_factory", "netra_backend.app.core.configuration.base", "get_config"),
    (
        f"{W}.websocket_manager_factory",
        "netra_backend.app.services.user_execution_context",
        "create_defensive_user_execution_context",
    ),
    (f"{W}.connection_info", f"{W}.types", "ConnectionInfo"),
    (f"{W}.connection_info", "netra_backend.app.core.websocket_recovery_types", "ConnectionState"),
    (f"{W}.enhanced_rate_limiter", f"{W}.rate_limiter", "EnhancedRateLimiter=AdaptiveRateLimiter"),
    ("netra_backend.app.websocket.connection_manager", f"{W}.utils", "get_connection_monitor"),
    (
        "netra_backend.app.services.websocket_bridge_factory",
        "netra_backend.app.services.websocket_connection_pool",
        "WebSocketConnectionPool",
    ),
    (f"{W}.reconnection_handler", "netra_backend.app.core.websocket_recovery_types", "ConnectionState ReconnectionReason"),
    # Callers patch these.
    (
        f"{W}.ssot_agent_message_handler",
        f"{W}.agent_handler",
        "get_user_execution_context get_request_scoped_db_session get_websocket_scoped_supervisor MessageHandlerService"
        " WebSocketContext",
    ),
    (f"{W}.websocket_manager_factory", f"{W}.agent_handler", "get_request_scoped_db_session"),
    (f"{W}.auth", "netra_backend.app.core.websocket_cors", "check_websocket_cors"),
    (f"{W}.websocket_manager", "netra_backend.app.core.configuration.base", "get_config"),
    (
        "netra_backend.app.core.configuration.database",
        "netra_backend.app.core.configuration.secrets",
        "SecretManager",
    ),
    (f"{W}.unified_websocket_auth", f"{W}.utils", "_is_websocket_connected=is_websocket_connected"),
]
