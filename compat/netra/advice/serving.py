"""Managers, agents, authentication."""

from __future__ import annotations

from .people import BOTH_IDS, CHECKED, CONTEXT, LOGGER
from .traffic import BREAKER, READY, RECEIVE, REPLAY, RETRY, STATS

SUPERVISOR = "the application's own function that makes a supervisor for one request"
OWN = "Use get_websocket_manager(context) of compat.canonical instead: each user has a manager of their own."
GET = "from compat.canonical import get_websocket_manager"
EMIT = (
    "Use await get_websocket_manager(context).emit('agent_started', data) instead, with 'from compat.canonical import "
    "get_websocket_manager'."
)
AUTHENTICATE = (
    "Use identity = await get_authenticator().authenticate(Handshake.from_scope(websocket.scope)) instead, with 'from "
    "compat.canonical.auth import Handshake, get_authenticator'; it raises AuthenticationFailed."
)
SIGN = "Sign a token as any client has to, jwt.encode(claims, secret) of PyJWT: no mode and no header opens the door without one."
ORIGINS = (
    "Use OriginPolicy([...]) of compat.canonical.auth for WebSockets, and "
    "starlette.middleware.cors.CORSMiddleware for other requests."
)
DELIVERED = "the compat.canonical.Delivery that send() and emit() of a manager return"
HANDSHAKE = "Use Handshake.from_scope(websocket.scope).find_token() instead, with 'from compat.canonical.auth import Handshake'."

_BRIDGE, _AUTH, _SHARED = "components.agents.agent_bridge", "components.auth.websocket_auth", "adapters.process_objects"
_BREAKERS = (
    "get_websocket_circuit_breaker_config get_websocket_circuit_breaker websocket_connect_with_circuit_breaker "
    "websocket_send_with_circuit_breaker"
)


def _all(module: str, words: str, advice: str) -> dict[str, str]:
    return {f"{module}:{word}": advice for word in words.split()}


TABLE = {
    # Managers.
    "adapters.manager_factory": GET,
    "adapters.manager_factory:create_test_user_context": CONTEXT,
    "adapters.manager_factory:validate_ssot_user_context": CHECKED,
    **_all("adapters.manager_factory", "FactoryMetrics ManagerMetrics", STATS),
    "adapters.manager_factory:validate_websocket_component_health": READY,
    "adapters.manager_factory:check_websocket_service_available": READY,
    "adapters.managers": GET,
    "adapters.managers.manager_types:ConnectionInfo": (
        "Use the compat.canonical.Connection objects that get_websocket_manager(context).connections holds."
    ),
    "adapters.managers.manager_types:RegistryCompat": (
        "Leave it out: an agent reaches its user through get_websocket_manager(context)."
    ),
    "adapters.managers.manager_types:WebSocketConnection": (
        "Pass the socket itself: get_websocket_manager(context).connect(websocket) of compat.canonical returns its Connection."
    ),
    "adapters.managers.manager_types:WebSocketManagerMode": "Leave it out: a manager has one mode, and belongs to one user.",
    "adapters.migration": GET,
    "adapters.lifecycle": GET,
    **_all(_SHARED, "get_agent_websocket_bridge", EMIT),
    f"{_SHARED}:get_event_delivery_tracker": DELIVERED,
    f"{_SHARED}:CRITICAL_EVENTS": "from compat.canonical import CRITICAL_EVENTS",
    **_all(_SHARED, "get_message_buffer buffer_user_message deliver_user_messages", REPLAY),
    **_all(_SHARED, _BREAKERS, BREAKER),
    f"{_SHARED}:get_reconnection_handler": RETRY,
    # Agents.
    "components.agents": EMIT,
    _BRIDGE: EMIT,
    f"{_BRIDGE}:RequestScopedOrchestrator": "the application's own code that runs its agents",
    f"{_BRIDGE}:logger": LOGGER,
    **_all("components.agents.delivery", "get_event_delivery_tracker EVENT_TRACKER_AVAILABLE", DELIVERED),
    "components.agents.run_threads": "Leave it out: an event carries the thread_id of its user's context.",
    "components.agents.run_threads:UnifiedIDManager": BOTH_IDS,
    "components.bounded": "collections.deque(maxlen=n), or cachetools.LRUCache(maxsize=n)",
    "components.circuits": "the pybreaker or aiobreaker library",
    "components.locks": "asyncio.Lock()",
    "components.process_wide": "functools.cache on the function that makes the object",
    "components.agents.bridge_types": (
        "Leave it out: there is no bridge to be set up; get_websocket_manager(context).health() tells of the manager."
    ),
    "components.agents.execution_types": "Declare the fields you use in a dataclass or pydantic model of your own.",
    **_all(
        "components.agents.execution_types",
        "StronglyTypedUserExecutionContext upgrade_legacy_context downgrade_to_legacy_context",
        CONTEXT,
    ),
    **_all(
        "components.agents.execution_types",
        "ContextValidationError IsolationViolationError",
        "from compat.canonical import UserIsolationViolation",
    ),
    **_all("components.agents.execution_types", "StronglyTypedWebSocketEvent WebSocketEventPriority", EMIT),
    "components.agents.execution_types:UserID": "Annotate with str, or with a typing.NewType of your own.",
    "components.agents.agent_messages": RECEIVE,
    "components.agents.agent_messages:get_request_scoped_db_session": (
        "Open the session in a dependency of the request, such as FastAPI's Depends(get_session)."
    ),
    "components.agents.agent_messages:get_user_execution_context": CONTEXT,
    "components.agents.agent_messages:get_websocket_scoped_supervisor": SUPERVISOR,
    "components.agents.agent_messages:get_websocket_manager": GET,
    "components.agents.agent_messages:logger": LOGGER,
    "components.agents.service_registry": SUPERVISOR,
    "components.agents.emitters.sign_in:AuthenticationWebSocketError": "from compat.canonical.auth import AuthenticationFailed",
    (
        "components.agents.emitters.sign_in:AuthenticationConnectionMonitor"
    ): "Authenticator.get_websocket_auth_stats() of compat.canonical.auth",
    "components.agents.emitters.state": STATS,
    # Authentication.
    "components.auth": AUTHENTICATE,
    _AUTH: AUTHENTICATE,
    f"{_AUTH}:get_unified_auth_service": "from compat.canonical.auth import get_authenticator",
    f"{_AUTH}:WebSocketAuthResult": (
        "Use compat.canonical.auth.Identity, which Authenticator.authenticate() returns; a rejection is an AuthenticationFailed."
    ),
    **_all(_AUTH, "extract_e2e_context_from_websocket extract_e2e_context_from_variables", SIGN),
    f"{_AUTH}:validate_environment": "Use compat.canonical.Settings.from_environ(): it raises SettingsError with every fault.",
    f"{_AUTH}:_extract_token_from_websocket": HANDSHAKE,
    f"{_AUTH}:create_authenticated_user_context": CONTEXT,
    f"{_AUTH}:logger": LOGGER,
    "components.auth.cors": ORIGINS,
    "components.auth.cors:logger": LOGGER,
    "adapters.auth_handler": AUTHENTICATE,
    "adapters.handshake_tokens": HANDSHAKE,
}
