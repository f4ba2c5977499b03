"""Authentication: the rows of tokens, handshakes, origins and execution contexts."""

from __future__ import annotations

from compat.ledger import Class, Module, Move, Name, names, removed

from ..advice.serving import AUTHENTICATE, HANDSHAKE, ORIGINS

CORE = "netra_backend.app.websocket_core"
CORS = "netra_backend.app.core.websocket_cors"
WEBSOCKET = "compat.netra.components.auth.websocket_auth"
LEGACY = "compat.netra.adapters.auth_handler"
TOKENS = "compat.netra.adapters.handshake_tokens"
WHEN = {"since": "1.0", "removal": "3.0"}
AUTHENTICATOR = "from compat.canonical.auth import Authenticator"


def _class(path: str, adapter: str, canonical: str, instead: str | None) -> Move:
    return Class(f"{CORE}.{path}", canonical, adapter=f"{LEGACY}:{adapter}", instead=instead, **WHEN)


_UNIFIED = "compat.netra.components.auth.authentication_service:AuthenticationService"
_CLIENTS = "compat.canonical.auth:Authenticator"
_AUTHENTICATOR = f"{LEGACY}:WebSocketAuthenticator"

ROWS: list[Move] = [
    # One connection, one call.
    *names(
        f"{CORE}.unified_websocket_auth",
        WEBSOCKET,
        "authenticate_websocket_ssot=authenticate_websocket get_unified_auth_service WebSocketAuthResult "
        "extract_e2e_context_from_websocket extract_e2e_context_from_env=extract_e2e_context_from_variables "
        "_validate_critical_environment_configuration=validate_environment create_authenticated_user_context "
        "consolidated_websocket_auth_with_e2e_context=authenticate_websocket _extract_token_from_websocket "
        "_validate_auth_service_health=validate_environment logger",
        instead=None,
        **WHEN,
    ),
    Name(
        f"{CORE}.unified_websocket_auth:_safe_websocket_state_for_logging",
        "compat.netra.components.connections.connection_utils:_safe_websocket_state_for_logging",
        instead=None,
        **WHEN,
    ),
    Name(
        f"{CORE}.unified_websocket_auth:UserExecutionContext",
        "compat.netra.components.context:UserExecutionContext",
        instead=None,
        **WHEN,
    ),
    Name(f"{CORE}.unified_websocket_auth:get_env", "compat.netra.components.environment:get_env", instead=None, **WHEN),
    *names(
        f"{CORE}.unified_websocket_auth",
        LEGACY,
        "get_websocket_authenticator authenticate_websocket_connection validate_websocket_token_business_logic",
        instead=AUTHENTICATE,
        **WHEN,
    ),
    Name(
        f"{CORE}.unified_websocket_auth:_websocket_authenticator",
        f"{LEGACY}:_websocket_authenticator",
        instead=AUTHENTICATE,
        **WHEN,
    ),
    *(
        _class(f"unified_websocket_auth:{name}", "UnifiedWebSocketAuthenticator", _UNIFIED, AUTHENTICATE)
        for name in ("UnifiedWebSocketAuthenticator", "UnifiedWebSocketAuth", "WebSocketAuthenticator")
    ),
    Name(
        f"{CORE}.auth_remediation:authenticate_websocket_with_remediation",
        f"{WEBSOCKET}:authenticate_websocket",
        instead=None,
        **WHEN,
    ),
    *names(
        f"{CORE}.unified_websocket_auth",
        LEGACY,
        "_validate_token_with_auth_service=validate_websocket_token_business_logic",
        instead="identity = await get_authenticator().verify(token) of compat.canonical.auth",
        **WHEN,
    ),
    # Clients and their sessions.
    *(_class(f"auth:{name}", "AuthHandler", _CLIENTS, AUTHENTICATOR) for name in ("AuthHandler", "WebSocketAuthHandler")),
    *(
        _class(f"auth:{name}", "WebSocketAuthenticator", _CLIENTS, AUTHENTICATOR)
        for name in ("WebSocketAuthenticator", "WebSocketAuth")
    ),
    *(
        Class(
            f"{path}:WebSocketAuthenticator", _CLIENTS, adapter=f"{LEGACY}:WebSocketAuthenticator", instead=AUTHENTICATOR, **WHEN
        )
        for path in (
            CORE,
            "netra_backend.app.websocket",
            "netra_backend.app.auth.websocket_auth",
            "netra_backend.app.routes.websocket",
            "netra_backend.app.routes.websocket_isolated",
            "netra_backend.app.routes.websocket_unified",
        )
    ),
    *names(f"{CORE}.auth", LEGACY, "create_websocket_authenticator", instead=AUTHENTICATOR, **WHEN),
    *names(
        f"{CORE}.auth",
        LEGACY,
        "authenticate_websocket_connection=authenticate_client_token get_websocket_authenticator",
        instead=AUTHENTICATE,
        **WHEN,
    ),
    *names(
        f"{CORE}.auth",
        WEBSOCKET,
        "authenticate=authenticate_websocket validate_websocket_auth=authenticate_websocket "
        "authenticate_websocket_ssot=authenticate_websocket",
        instead=None,
        **WHEN,
    ),
    *names(
        f"{CORE}.auth",
        "compat.canonical.auth",
        "extract_jwt_from_subprotocol negotiate_websocket_subprotocol",
        instead=None,
        **WHEN,
    ),
    *names(f"{CORE}.auth", "compat.netra.components.auth.cors", "_validate_cors=check_websocket_cors", instead=None, **WHEN),
    *names(
        f"{CORE}.auth",
        "compat.netra.components.context.handshake_contexts",
        "extract_user_context=extract_websocket_user_context",
        instead=None,
        **WHEN,
    ),
    *names(f"{CORE}.auth", "compat.netra.components.messages.rate_limits", "RateLimiter", instead=None, **WHEN),
    Name(f"{CORE}:get_websocket_authenticator", f"{LEGACY}:get_websocket_authenticator", instead=AUTHENTICATE, **WHEN),
    # Tokens in the handshake.
    *names(
        f"{CORE}.unified_jwt_protocol_handler",
        "compat.canonical.auth",
        "negotiate_websocket_subprotocol extract_jwt_from_subprotocol",
        instead=None,
        **WHEN,
    ),
    *names(
        f"{CORE}.unified_jwt_protocol_handler", TOKENS, "UnifiedJWTProtocolHandler extract_jwt_token", instead=HANDSHAKE, **WHEN
    ),
    *names(f"{CORE}.unified_jwt_protocol_handler", TOKENS, "normalize_jwt_token", instead=None, **WHEN),
    *names(CORE, TOKENS, "normalize_jwt_token", instead=None, **WHEN),
    *names(
        CORE,
        "compat.canonical.auth",
        "negotiate_websocket_subprotocol extract_jwt_from_subprotocol",
        instead=None,
        **WHEN,
    ),
    Name(f"{CORE}:extract_jwt_token", f"{TOKENS}:extract_jwt_token", instead=HANDSHAKE, **WHEN),
    # From a handshake to an execution context.
    *names(
        f"{CORE}.user_context_extractor",
        "compat.netra.components.context.handshake_contexts",
        "WebSocketUserContextExtractor UserContextExtractor get_unified_auth extract_websocket_user_context "
        "get_user_context_extractor",
        instead=None,
        **WHEN,
    ),
    # Origins.
    *names(
        CORS,
        "compat.netra.components.auth.cors",
        "SECURITY_CONFIG SUSPICIOUS_PATTERNS WebSocketCORS WebSocketCORSHandler WebSocketCORSMiddleware check_websocket_cors "
        "configure_websocket_cors get_environment_origins get_environment_origins_for_environment get_security_config "
        "get_websocket_cors_handler get_websocket_cors_headers validate_websocket_origin _extract_origin_from_websocket logger",
        instead=None,
        **WHEN,
    ),
    # What else was in these modules under the same name.
    Module(f"{CORE}.unified_websocket_auth", WEBSOCKET, instead=None, **WHEN),
    Module(f"{CORE}.user_context_extractor", "compat.netra.components.context.handshake_contexts", instead=None, **WHEN),
    Module(CORS, "compat.netra.components.auth.cors", instead=None, **WHEN),
    # Nothing stands behind these.
    *removed(
        CORS,
        "CORSConfigurationBuilder",
        since="1.0",
        instead=ORIGINS,
    ),
    *names(CORS, "compat.netra.components.configuration.base", "get_unified_config", instead=ORIGINS, **WHEN),
    *removed(f"{CORE}.auth", "secure_websocket_context WebSocketAuthValidator", since="1.0", instead=AUTHENTICATE),
    *removed(
        CORE,
        "secure_websocket_context websocket_context ConnectionSecurityManager get_connection_security_manager",
        since="1.0",
        instead=AUTHENTICATE,
    ),
    *removed(
        f"{CORE}.auth_permissiveness",
        "detect_auth_validation_level AuthDegradationHandler AuthModeDetector DemoAuthValidator EmergencyAuthValidator "
        "RelaxedAuthValidator detect_auth_mode_from_headers",
        since="1.0",
        instead=f"{AUTHENTICATE} There is one level of authentication, and no header lowers it.",
    ),
    *removed(
        f"{CORE}.auth_remediation", "WebSocketAuthIntegration get_websocket_auth_integration", since="1.0", instead=AUTHENTICATE
    ),
    *removed(
        f"{CORE}.token_lifecycle_manager",
        "TokenLifecycleManager TokenLifecycleState ConnectionTokenState TokenLifecycleMetrics "
        "create_token_lifecycle_manager_for_connection get_token_lifecycle_manager",
        since="1.0",
        instead=(
            "Leave it out: the server closes a connection with 4401 when its token expires (Identity.expires_at "
            "of compat.canonical.auth)."
        ),
    ),
    *removed(
        f"{CORE}.unified_websocket_auth",
        "create_token_lifecycle_manager_for_connection",
        since="1.0",
        instead=(
            "Leave it out: the server closes a connection with 4401 when its token expires (Identity.expires_at "
            "of compat.canonical.auth)."
        ),
    ),
]
