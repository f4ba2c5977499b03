"""The agent bridge, its reports and notifiers, under every path they were imported by."""

from __future__ import annotations

from compat.ledger import Move, removed

from ..advice.people import CONTEXT
from ..advice.serving import EMIT
from .managers import GET, SINCE, W, moved

B = "netra_backend.app.services.agent_websocket_bridge"
TYPES = "IntegrationState IntegrationConfig HealthStatus IntegrationResult IntegrationMetrics"

ROWS: list[Move] = [
    *moved(
        B,
        "compat.netra.components.agents.agent_bridge",
        "AgentWebSocketBridge create_agent_websocket_bridge RequestScopedOrchestrator WebSocketNotifier",
    ),
    *moved(
        B,
        "compat.netra.components.agents.agent_bridge",
        "get_agent_execution_registry",
        "the registry of the application's own agents",
    ),
    *moved(B, "compat.netra.components.agents.bridge_types", TYPES),
    *moved(B, "compat.netra.adapters.process_objects", "get_agent_websocket_bridge"),
    # What callers patch there stands where the bridge looks it up.
    *moved(B, "compat.netra.components.agents.delivery", "get_event_delivery_tracker EVENT_TRACKER_AVAILABLE logger"),
    *moved(B, "compat.netra.components.agents.delivery", "asyncio", "import asyncio"),
    *moved(B, "compat.netra.components.agents.run_threads", "UnifiedIDManager get_thread_run_registry"),
    *moved(B, "compat.netra.components.agents.emitters.factory", "WebSocketEmitterFactory"),
    *moved(
        B, "compat.netra.components.agents.delivery", "get_websocket_manager create_websocket_manager=get_websocket_manager", GET
    ),
    *moved(
        "netra_backend.app.agents.supervisor.websocket_notifier",
        "compat.netra.components.agents.agent_notifier",
        "WebSocketNotifier",
    ),
    *moved(f"{W}.agent_websocket_bridge", "compat.netra.components.agents.agent_bridge", "AgentWebSocketBridge"),
    *moved(
        "netra_backend.app.websocket.agent_websocket_bridge",
        "compat.netra.components.agents.agent_bridge",
        "AgentWebSocketBridge",
    ),
    *moved(f"{W}.websocket_notifier", "compat.netra.components.agents.agent_notifier", "WebSocketNotifier"),
    *removed(
        f"{W}.bridge",
        "WebSocketBridgeFactory create_websocket_bridge",
        since=SINCE,
        instead=EMIT,
    ),
    *removed(f"{W}.bridge", "create_websocket_context", since=SINCE, instead=CONTEXT),
    *removed(f"{W}.websocket_bridge_factory", "WebSocketBridgeFactory", since=SINCE, instead=EMIT),
]

PASSED_ON: list[tuple[str, str, str]] = [
    (B, "netra_backend.app.services.user_execution_context", "UserExecutionContext validate_user_context"),
    (B, "netra_backend.app.core.configuration.base", "get_config"),
    (B, f"{W}.event_monitor", "chat_event_monitor"),
]
