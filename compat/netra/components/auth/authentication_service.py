"""Authentication as one call per question: is this token good, and who opens this connection."""

from __future__ import annotations

from typing import Any

from compat.canonical.auth.authenticator import Authenticator
from compat.canonical.auth.identity import AuthenticationFailed, Identity

from .handshakes import handshake_of
from .process import process_authenticator, process_sessions
from .results import AuthResult


class AuthenticationService:
    """Answers with :class:`AuthResult` values; the authenticator does the work and the counting."""

    def __init__(self, authenticator: Authenticator | None = None) -> None:
        self.authenticator = process_authenticator() if authenticator is None else authenticator

    async def authenticate_token(self, token: str | None, *args: Any, **kwargs: Any) -> AuthResult:
        """Return whether a token holds, and whose it is. Further arguments only describe the caller."""
        try:
            return AuthResult.of_identity(await self.authenticator.verify(token))
        except AuthenticationFailed as failure:
            return AuthResult.of_failure(failure)

    async def authenticate_websocket(
        self,
        websocket: Any,
        e2e_context: dict[str, Any] | None = None,
        preliminary_connection_id: str | None = None,
    ) -> tuple[AuthResult, Any]:
        """Return who opens a connection and the execution context made for it, None where it is not let in.

        ``e2e_context`` marks the context as a test's; it opens nothing that a token does not open.
        """
        try:
            identity = await self.authenticator.authenticate(handshake_of(websocket))
        except AuthenticationFailed as failure:
            return AuthResult.of_failure(failure), None
        return AuthResult.of_identity(identity), context_of(identity, e2e_context, preliminary_connection_id)

    def get_stats(self) -> dict[str, Any]:
        """Return the authenticator's counts, and how many sessions are open."""
        return {**self.authenticator.stats.snapshot(), "active_sessions": len(process_sessions())}


def context_of(identity: Identity, e2e_context: dict[str, Any] | None = None, connection_id: str | None = None) -> Any:
    """Return a new execution context for an identity's connection."""
    from ..connections.connection_utils import generate_connection_id
    from ..context import UserExecutionContext
    from ..ids.generator import UnifiedIdGenerator

    thread_id, run_id, request_id = UnifiedIdGenerator.generate_user_context_ids(identity.user_id, "websocket_session")
    return UserExecutionContext(
        user_id=identity.user_id,
        thread_id=thread_id,
        run_id=run_id,
        request_id=request_id,
        websocket_client_id=connection_id or generate_connection_id(identity.user_id),
        agent_context={"email": identity.claims["email"]} if identity.claims.get("email") else {},
        audit_metadata={"auth_source": identity.source, "e2e_testing": bool(e2e_context)},
    )
