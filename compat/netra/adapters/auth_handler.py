"""The legacy authentication classes, over the canonical authenticator and authentication service."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

from compat.canonical.auth.subprotocol import strip_bearer
from compat.canonical.core.logged import get_logger
from compat.canonical.factory import get_websocket_manager, get_websocket_manager_factory
from compat.netra.advice.serving import AUTHENTICATE
from compat.netra.advice.traffic import SEND
from compat.netra.components.auth import websocket_auth as canonical
from compat.netra.components.auth.process import process_sessions
from compat.netra.components.auth.results import AuthResult, WebSocketAuthResult
from compat.netra.components.connections.connection_utils import safe_websocket_close, safe_websocket_send
from compat.netra.components.process_wide import only
from compat.shim import Adapter, legacy_method

logger = get_logger(__name__)


class AuthHandler(
    Adapter,
    of="compat.canonical.auth:Authenticator",
    built_by="compat.netra.components.auth.process:process_authenticator",
):
    """Clients by ID: each is a session of the authenticator, and is reached through its user's own manager."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Defined, so that each construction makes an object of its own, as of old.
        super().__init__(*args, **kwargs)

    @legacy_method(instead="await get_websocket_manager(context).connect(websocket)")
    async def connect(self, client_id: str, user_id: str | None = None) -> str | None:
        """Open the client's session; the legacy connection ID, ``auth_conn_<client_id>``."""
        process_sessions().open(client_id, user_id)
        return f"auth_conn_{client_id}"

    @legacy_method(instead="await get_websocket_manager(context).disconnect(connection_id)")
    async def disconnect(self, client_id: str) -> None:
        """Close the client's session; a client that has none is no error."""
        process_sessions().close(client_id)

    @legacy_method(instead="Authenticator.authenticate_message(text)")
    async def process_message(self, message: dict[str, Any]) -> dict[str, Any]:
        """Judge a message: ``authenticate`` verifies its token and opens the client's session under the token's user."""
        if not isinstance(message, dict):
            return {"status": "error", "message": "Invalid message format"}
        kind = message.get("type")
        if not kind:
            return {"status": "error", "message": "Missing message type"}
        client_id = message.get("client_id")
        if kind in ("authenticate", "auth"):
            result = await _service_of(self.canonical).authenticate_token(message.get("token"))
            if not result.success:
                return {"status": "error", "message": result.error, "message_type": kind, "error_code": result.error_code}
            known = process_sessions().get(client_id) if client_id else None
            if known is not None and known.user_id not in (None, result.user_id):
                return {"status": "error", "message": "the client ID is another user's", "message_type": kind}
            if client_id:
                process_sessions().open(client_id, result.user_id)
            return {"status": "processed", "message_type": kind, "user_id": result.user_id}
        if kind == "disconnect" and client_id:
            process_sessions().close(client_id)
        return {"status": "processed", "message_type": kind}

    @legacy_method(instead="get_websocket_manager(context).emit(event, data) for each user")
    async def broadcast(self, event: str, data: dict[str, Any]) -> None:
        """Send an event to every user with a session; who is not connected now receives it on reconnection."""
        for user_id in sorted(process_sessions().users()):
            for manager in _managers_of(user_id):
                await manager.emit(event, data)


def _managers_of(user_id: str) -> list[Any]:
    known = get_websocket_manager_factory().managers_of(user_id)
    return known or [get_websocket_manager(SimpleNamespace(user_id=user_id, thread_id=None))]


def _service_of(authenticator: Any) -> Any:
    from compat.netra.components.auth.authentication_service import AuthenticationService

    return AuthenticationService(authenticator)


class UnifiedWebSocketAuthenticator(
    Adapter,
    of="compat.netra.components.auth.authentication_service:AuthenticationService",
    built_by="compat.netra.components.auth.websocket_auth:get_unified_auth_service",
):
    """Authenticates connections and tokens, and counts what this object did."""

    _websocket_auth_attempts = 0
    _websocket_auth_successes = 0
    _websocket_auth_failures = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Defined, so that each construction makes an object of its own, as of old.
        super().__init__(*args, **kwargs)

    @property
    def _auth_service(self) -> Any:
        """The service that is asked; tests replace its methods."""
        return canonical.get_unified_auth_service()

    def _count(self, result: WebSocketAuthResult) -> WebSocketAuthResult:
        self._websocket_auth_attempts += 1
        if result.success:
            self._websocket_auth_successes += 1
        else:
            self._websocket_auth_failures += 1
        return result

    @legacy_method(instead=AUTHENTICATE)
    async def authenticate_websocket_connection(
        self, websocket: Any, e2e_context: dict[str, Any] | None = None, preliminary_connection_id: str | None = None
    ) -> WebSocketAuthResult:
        """Authenticate a connection."""
        return self._count(await canonical.authenticate_websocket(websocket, e2e_context, preliminary_connection_id))

    @legacy_method(instead=AUTHENTICATE)
    async def authenticate_request(
        self, websocket: Any, token: str | None = None, e2e_context: dict[str, Any] | None = None
    ) -> WebSocketAuthResult:
        """Authenticate a connection, by the token where one is given."""
        if _is_token(token):
            return self._count(await _by_token(self.canonical, token, websocket))
        return self._count(await canonical.authenticate_websocket(websocket, e2e_context))

    @legacy_method(instead="await Authenticator.verify(token)")
    async def authenticate_token(self, token: str, websocket: Any = None) -> WebSocketAuthResult:
        """Authenticate a token."""
        return self._count(await _by_token(self.canonical, token, websocket))

    @legacy_method(instead="Authenticator.get_websocket_auth_stats()")
    def get_websocket_auth_stats(self) -> dict[str, Any]:
        """The counts of this object, in the legacy form."""
        return {
            "deprecated_warning": "This class is deprecated - use authenticate_websocket_ssot()",
            "websocket_auth_statistics": _legacy_counts(self._websocket_auth_attempts, self._websocket_auth_successes),
            "migration_required": True,
            "ssot_function": "authenticate_websocket_ssot",
            "timestamp": datetime.now(timezone.utc).isoformat(),
        }

    @legacy_method(instead=SEND)
    async def create_auth_error_response(self, websocket: Any, auth_result: WebSocketAuthResult) -> None:
        """Tell a client that it was not let in."""
        await safe_websocket_send(
            websocket,
            {
                "type": "authentication_error",
                "event": "auth_failed",
                "error": auth_result.error_message,
                "error_code": auth_result.error_code,
                "timestamp": datetime.now(timezone.utc).isoformat(),
            },
        )

    @legacy_method(instead=SEND)
    async def create_auth_success_response(self, websocket: Any, auth_result: WebSocketAuthResult) -> None:
        """Tell a client that it was let in."""
        await safe_websocket_send(
            websocket,
            {
                "type": "authentication_success",
                "event": "auth_success",
                "user_id": auth_result.user_id,
                "timestamp": datetime.now(timezone.utc).isoformat(),
            },
        )

    @legacy_method(instead="await websocket.close(1008, reason)")
    async def handle_authentication_failure(
        self, websocket: Any, auth_result: WebSocketAuthResult, close_connection: bool = True
    ) -> None:
        """Tell a client that it was not let in, and close its connection with 1008."""
        await UnifiedWebSocketAuthenticator.create_auth_error_response.__wrapped__(self, websocket, auth_result)  # type: ignore[attr-defined]
        if close_connection:
            await safe_websocket_close(websocket, 1008, auth_result.error_message or "Authentication failed")


def _legacy_counts(attempts: int, successes: int) -> dict[str, Any]:
    return {
        "total_attempts": attempts,
        "successful_authentications": successes,
        "failed_authentications": attempts - successes,
        "success_rate_percent": round(100 * successes / max(1, attempts), 2),
    }


def _is_token(token: Any) -> bool:
    """Whether there is anything that a service could be asked about."""
    return isinstance(token, (str, bytes)) and bool(token.strip()) and token.strip().lower() not in ("bearer", b"bearer")


async def _by_token(service: Any, token: str | None, websocket: Any = None) -> WebSocketAuthResult:
    if not _is_token(token):
        return canonical.without_token(websocket)
    try:
        bare = strip_bearer(token) if isinstance(token, str) else None
        result: AuthResult = await service.authenticate_token(bare or token)
    except Exception as error:
        logger.exception("token authentication failed")
        return WebSocketAuthResult(False, error_message=f"Token authentication error: {error}", error_code="TOKEN_AUTH_ERROR")
    if not result.success:
        return WebSocketAuthResult(False, error_message=result.error, error_code=result.error_code)
    return canonical.let_in(result)


class WebSocketAuthenticator(
    Adapter,
    of="compat.canonical.auth:Authenticator",
    built_by="compat.netra.components.auth.process:process_authenticator",
):
    """Clients by ID and tokens by connection ID, of one user where ``user_id`` is set."""

    user_id: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Defined, so that each construction makes an object of its own, as of old.
        super().__init__(*args, **kwargs)

    @legacy_method(instead="await get_websocket_manager(context).connect(websocket)")
    async def connect(self, client_id: str, user_id: str | None = None) -> str | None:
        """Open the client's session; the legacy connection ID, ``ws_conn_<client_id>``."""
        self.user_id = user_id or self.user_id
        process_sessions().open(client_id, user_id)
        return f"ws_conn_{client_id}"

    @legacy_method(instead="await get_websocket_manager(context).disconnect(connection_id)")
    async def disconnect(self, client_id: str) -> None:
        """Close the client's session; a client that has none is no error."""
        process_sessions().close(client_id)
        self.user_id = None

    @legacy_method(instead="identity = await Authenticator.verify(token)")
    async def authenticate_connection(self, token: str | None, connection_id: str) -> tuple[bool, Any, str | None]:
        """Return ``(True, context, None)`` for a token that holds, ``(False, None, why)`` for one that does not."""
        ask: Any = canonical.authenticate_websocket
        if getattr(ask, "__module__", None) != canonical.__name__:
            # A test has put its own in its place, and looks for its answer.
            answer: tuple[bool, Any, str | None] = await ask(token, connection_id)
            return answer
        result = await _by_token(_service_of(self.canonical), token)
        if result.success:
            process_sessions().open(connection_id, result.user_id)
        return result.success, result.user_context, result.error_message

    @legacy_method(instead="Authenticator.stats.snapshot()")
    async def get_health_status(self) -> dict[str, Any]:
        """What this class can do; always healthy."""
        return dict(_HEALTH)

    @legacy_method(instead="Authenticator.stats.snapshot()")
    def get_health_status_sync(self) -> dict[str, Any]:
        """As :meth:`get_health_status`, and whether there is an authenticator."""
        return {**_HEALTH, "ssot_authenticator": "available"}

    @legacy_method(instead="Authenticator.stats.snapshot()")
    def get_auth_stats(self) -> dict[str, Any]:
        """The counts, in the legacy form."""
        return _stats(self.canonical)

    @legacy_method(instead="Authenticator.stats.snapshot(), whose keys are shorter")
    def get_websocket_auth_stats(self) -> dict[str, Any]:
        """The counts, in the legacy form."""
        return _stats(self.canonical)


def _stats(authenticator: Any) -> dict[str, Any]:
    counts = authenticator.stats.snapshot()
    return {
        "deprecated_warning": "WebSocketAuthenticator is deprecated; use Authenticator",
        "websocket_auth_statistics": {
            **_legacy_counts(counts["attempts"], counts["successes"]),
            "rejections": counts["rejections"],
            "active_sessions": len(process_sessions()),
        },
        "migration_required": True,
        "ssot_function": "authenticate_websocket_ssot",
        "timestamp": datetime.now(timezone.utc).isoformat(),
    }


_HEALTH = {"status": "healthy", "compatibility_layer": "active", "user_id_support": True, "async_methods": True}


_websocket_authenticator: UnifiedWebSocketAuthenticator | None = None


def get_websocket_authenticator() -> UnifiedWebSocketAuthenticator:
    """Return the authenticator of this process; it is made when first asked for."""
    return only(globals(), "_websocket_authenticator", UnifiedWebSocketAuthenticator)


def create_websocket_authenticator() -> WebSocketAuthenticator:
    """Return a new authenticator of clients."""
    return WebSocketAuthenticator()


async def authenticate_websocket_connection(
    websocket: Any, token: str | None = None, e2e_context: dict[str, Any] | None = None
) -> WebSocketAuthResult:
    """Authenticate a connection by its handshake; ``token`` was never looked at."""
    return await canonical.authenticate_websocket(websocket, e2e_context)


async def authenticate_client_token(token: str | None, connection_id: str) -> tuple[bool, Any, str | None]:
    """Return ``(True, context, None)`` for a token that holds, ``(False, None, why)`` for one that does not."""
    result = await _by_token(canonical.get_unified_auth_service(), token)
    return result.success, result.user_context, result.error_message


async def validate_websocket_token_business_logic(token: str) -> dict[str, Any] | None:
    """Return what is known of a token that holds, None for one that does not."""
    if not _is_token(token) or not isinstance(token, str):
        return None
    result = await canonical.get_unified_auth_service().authenticate_token(strip_bearer(token) or token)
    if not result.success or not canonical.is_named(result.user_id):
        return None
    return {
        "valid": True,
        "user_id": result.user_id,
        "email": result.email,
        "permissions": list(result.permissions),
        "validated_at": result.validated_at,
    }
