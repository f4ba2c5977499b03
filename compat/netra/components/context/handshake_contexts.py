"""From a handshake to an execution context: extract the token, verify it, build the context of its user."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from compat.canonical.auth.identity import AuthenticationFailed, Identity
from compat.canonical.core.logged import get_logger
from compat.netra.components.process_wide import only

from ..auth.authentication_service import context_of
from ..auth.handshakes import handshake_of
from ..auth.process import process_authenticator

__all__ = [
    "UserContextExtractor",
    "WebSocketUserContextExtractor",
    "extract_websocket_user_context",
    "get_unified_auth",
    "get_user_context_extractor",
]

logger = get_logger(__name__)


def get_unified_auth() -> Any:
    """Return the authenticator of this process."""
    return process_authenticator()


class UserContextExtractor:
    """Builds execution contexts from handshakes; raises :class:`AuthenticationFailed` for who is not let in."""

    def extract_jwt_from_websocket(self, websocket: Any) -> str | None:
        """Return the token of a handshake, from ``Authorization`` or a subprotocol; None if there is none."""
        found = handshake_of(websocket).find_token()
        return found[0] if found else None

    async def validate_and_decode_jwt(self, token: str, fast_path_enabled: bool = False) -> dict[str, Any] | None:
        """Return the claims of a token that holds, else None. There is one path: ``fast_path_enabled`` changes nothing."""
        try:
            identity = await get_unified_auth().verify(token)
        except AuthenticationFailed as failure:
            logger.info("token rejected: %s", failure.reason)
            return None
        return dict(identity.claims)

    def create_user_context_from_jwt(
        self,
        jwt_payload: Mapping[str, Any],
        websocket: Any,
        additional_metadata: Mapping[str, Any] | None = None,
        preliminary_connection_id: str | None = None,
    ) -> Any:
        """Return the context of the claims' subject; ``ValueError`` if they have none."""
        user_id = jwt_payload.get("sub") or jwt_payload.get("user_id")
        if not isinstance(user_id, str) or not user_id.strip():
            raise ValueError("the token's claims name no subject ('sub')")
        context = context_of(Identity(user_id, claims=jwt_payload, source="jwt"), None, preliminary_connection_id)
        if additional_metadata:
            context.audit_metadata.update(additional_metadata)
        return context

    async def extract_user_context_from_websocket(
        self,
        websocket: Any,
        additional_metadata: Mapping[str, Any] | None = None,
        preliminary_connection_id: str | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Return the context of who opens a connection, and what is known of them."""
        token = self.extract_jwt_from_websocket(websocket)
        if token is None:
            raise AuthenticationFailed("no_token", "no token in Authorization or Sec-WebSocket-Protocol")
        claims = await self.validate_and_decode_jwt(token)
        if claims is None:
            raise AuthenticationFailed("signature", "the token does not hold")
        context = self.create_user_context_from_jwt(claims, websocket, additional_metadata, preliminary_connection_id)
        return context, {
            "user_id": context.user_id,
            "email": claims.get("email"),
            "permissions": claims.get("permissions", []),
            "authenticated_at": time.time(),
            "auth_method": "jwt",
        }

    def create_test_user_context(self, user_id: str = "test_user", additional_metadata: Mapping[str, Any] | None = None) -> Any:
        """Return a context for a test's user, marked as such."""
        context = context_of(Identity(user_id, source="test"), {"is_e2e_testing": True})
        context.audit_metadata.update(additional_metadata or {})
        return context


class WebSocketUserContextExtractor(UserContextExtractor):
    """Counts what it extracts."""

    def __init__(self) -> None:
        self.reset_stats()

    def reset_stats(self) -> None:
        """Begin again from zero."""
        self.extraction_count = self.success_count = self.failure_count = 0
        self.total_seconds = 0.0

    async def extract_context_with_metrics(self, websocket: Any) -> tuple[Any, dict[str, Any]]:
        """Extract, and count the outcome and its time."""
        begin = time.perf_counter()
        self.extraction_count += 1
        try:
            result = await self.extract_user_context_from_websocket(websocket)
        except Exception:
            self.failure_count += 1
            raise
        finally:
            self.total_seconds += time.perf_counter() - begin
        self.success_count += 1
        return result

    def get_extraction_stats(self) -> dict[str, Any]:
        """Return the counts, the success rate in percent and the mean time in seconds."""
        count = self.extraction_count
        return {
            "total_extractions": count,
            "successful_extractions": self.success_count,
            "failed_extractions": self.failure_count,
            "success_rate_percent": round(100 * self.success_count / count, 2) if count else 0.0,
            "average_seconds": self.total_seconds / count if count else 0.0,
        }


_extractor_instance: UserContextExtractor | None = None


def get_user_context_extractor() -> UserContextExtractor:
    """Return the extractor of this process; it is made when first asked for."""
    return only(globals(), "_extractor_instance", UserContextExtractor)


async def extract_websocket_user_context(
    websocket: Any,
    additional_metadata: Mapping[str, Any] | None = None,
    preliminary_connection_id: str | None = None,
) -> tuple[Any, dict[str, Any]]:
    """Extract with the extractor of this process."""
    return await get_user_context_extractor().extract_user_context_from_websocket(
        websocket, additional_metadata, preliminary_connection_id
    )
