"""Authentication of framework WebSocket objects: one function that answers with a value and never raises."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from compat.canonical.auth.identity import Identity
from compat.canonical.core.logged import get_logger

from ..connections.connection_utils import _safe_websocket_state_for_logging, is_websocket_disconnected
from ..context import UserExecutionContext
from ..environment.reading import read_variable
from ..ids.generator import UnifiedIdGenerator
from .authentication_service import AuthenticationService, context_of
from .handshakes import handshake_of
from .marks import extract_e2e_context_from_variables, extract_e2e_context_from_websocket
from .process import process_authenticator
from .results import AuthResult, WebSocketAuthResult

__all__ = [
    "AuthResult",
    "AuthenticationContext",
    "WebSocketAuthResult",
    "authenticate_websocket",
    "create_authenticated_user_context",
    "extract_e2e_context_from_variables",
    "extract_e2e_context_from_websocket",
    "get_unified_auth_service",
    "validate_environment",
]

logger = get_logger(__name__)

#: What the result of a success says of the connection's tokens.
LIFECYCLE = {
    "phase2_lifecycle_enabled": True,
    "token_lifecycle_manager": "registered",
    "connection_duration_expected": "5+ minutes",
    "token_refresh_interval": "45 seconds",
}


class AuthenticationContext(Enum):
    """By which way somebody comes in."""

    REST_API = "rest_api"
    WEBSOCKET = "websocket"
    GRAPHQL = "graphql"
    GRPC = "grpc"
    INTERNAL_SERVICE = "internal_service"


_service: AuthenticationService | None = None


def get_unified_auth_service() -> AuthenticationService:
    """Return the authentication service of this process, over its one authenticator."""
    global _service
    authenticator = process_authenticator()
    # What a test has put in its place stays.
    stale = isinstance(_service, AuthenticationService) and _service.authenticator is not authenticator
    if _service is None or stale:
        _service = AuthenticationService(authenticator)
    return _service


async def authenticate_websocket(
    websocket: Any,
    e2e_context: dict[str, Any] | None = None,
    preliminary_connection_id: str | None = None,
) -> WebSocketAuthResult:
    """Return whether a connection is let in, with the execution context made for it.

    A handshake without a token is refused before any service is asked. The connection keeps
    ``preliminary_connection_id`` where it was given one before. ``error_code`` is one of
    NO_TOKEN, INVALID_FORMAT, TOKEN_EXPIRED, VALIDATION_FAILED, MISSING_USER_ID, INVALID_WEBSOCKET_STATE,
    AUTH_SERVICE_ERROR, RATE_LIMITED, ORIGIN_NOT_ALLOWED, TOKEN_IN_URL, SSOT_AUTH_EXCEPTION.
    """
    if _extract_token_from_websocket(websocket) is None:
        return without_token(websocket)
    if is_websocket_disconnected(websocket):
        state = _safe_websocket_state_for_logging(getattr(websocket, "client_state", None))
        return WebSocketAuthResult(
            success=False,
            error_message=f"WebSocket is in an invalid state: {state}",
            error_code="INVALID_WEBSOCKET_STATE",
        )
    if e2e_context is None:
        e2e_context = extract_e2e_context_from_websocket(websocket)
    try:
        service = get_unified_auth_service()
        auth_result, _ = await service.authenticate_websocket(
            websocket,
            e2e_context=e2e_context,
            preliminary_connection_id=preliminary_connection_id or UnifiedIdGenerator.generate_base_id("ws_conn_prelim"),
        )
        if not auth_result.success:
            return WebSocketAuthResult(False, error_message=auth_result.error, error_code=auth_result.error_code)
        return let_in(auth_result, preliminary_connection_id)
    except Exception as error:
        logger.exception("WebSocket authentication failed")
        return WebSocketAuthResult(
            success=False, error_message=f"SSOT authentication error: {error}", error_code="SSOT_AUTH_EXCEPTION"
        )


def let_in(auth_result: Any, client_id: str | None = None) -> WebSocketAuthResult:
    """Return the success that a service tells of, with a new context; a failure where it does not say of whom."""
    user_id: Any = getattr(auth_result, "user_id", None)
    if not is_named(user_id):
        return WebSocketAuthResult(
            success=False, error_message="Authentication successful but user ID missing", error_code="MISSING_USER_ID"
        )
    context = UserExecutionContext(
        user_id=user_id,
        thread_id=UnifiedIdGenerator.generate_base_id("thread_ws"),
        run_id=UnifiedIdGenerator.generate_base_id("run_ws"),
        request_id=UnifiedIdGenerator.generate_base_id("ws_req"),
        websocket_client_id=client_id or UnifiedIdGenerator.generate_websocket_client_id(user_id),
    )
    metadata = getattr(auth_result, "metadata", None)
    if isinstance(metadata, dict):
        metadata.update(LIFECYCLE)
    return WebSocketAuthResult(success=True, user_context=context, auth_result=auth_result)


def is_named(user_id: Any) -> bool:
    """Return whether this names a user."""
    return isinstance(user_id, str) and bool(user_id.strip())


def without_token(websocket: Any = None) -> WebSocketAuthResult:
    """Return the failure of whoever brings no token, where tokens are looked for."""
    message = "No authentication token found in WebSocket headers or subprotocols"
    try:
        in_url = handshake_of(websocket).token_in_url is not None
    except Exception:
        in_url = False
    if in_url:
        message += "; one in the URL is refused, because URLs are logged"
    return WebSocketAuthResult(success=False, error_message=message, error_code="NO_TOKEN")


def create_authenticated_user_context(auth_result: Any, websocket: Any, thread_id: str | None = None, **kwargs: Any) -> Any:
    """Return an execution context for an authenticated user; keyword arguments take the place of what would be made.

    Raises ``ValueError`` if the result names no user.
    """
    user_id = getattr(auth_result, "user_id", None) or (auth_result.get("user_id") if isinstance(auth_result, Mapping) else None)
    if not user_id:
        raise ValueError("auth_result names no user; authenticate first")
    context = context_of(Identity(str(user_id), source="auth_result"))
    changes: dict[str, Any] = {
        "user_id": context.user_id,
        "thread_id": thread_id or context.thread_id,
        "run_id": context.run_id,
        "request_id": context.request_id,
        "websocket_client_id": context.websocket_client_id,
    }
    changes.update(kwargs)
    return type(context)(**changes)


def validate_environment() -> dict[str, Any]:
    """Return whether the variables allow authentication: ``valid``, ``errors``, ``warnings``, ``environment``."""
    environment = read_variable("ENVIRONMENT", "development").lower()
    errors: list[str] = []
    warnings: list[str] = []
    if not (read_variable("JWT_SECRET_KEY") or read_variable("JWT_JWKS")):
        (errors if environment in ("staging", "production") else warnings).append(
            "no key verifies tokens; set JWT_SECRET_KEY or JWT_JWKS"
        )
    if environment == "production" and read_variable("E2E_TESTING").lower() in ("1", "true", "yes"):
        errors.append("E2E_TESTING is set in production; unset it")
    if environment == "production" and "*" in read_variable("ALLOWED_ORIGINS").split(","):
        errors.append("ALLOWED_ORIGINS lets every origin in; list them")
    return {"valid": not errors, "errors": errors, "warnings": warnings, "environment": environment}


def _extract_token_from_websocket(websocket: Any) -> str | None:
    try:
        found = handshake_of(websocket).find_token()
    except Exception as error:
        logger.warning("no token can be read from a handshake: %r", error)
        return None
    return found[0] if found else None


def __getattr__(name: str) -> Any:
    if name == "WebSocketState":
        # Not at import: Starlette is an extra.
        from starlette.websockets import WebSocketState

        return WebSocketState
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
