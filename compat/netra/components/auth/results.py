"""The outcome of an authentication as a value, for callers that do not want exceptions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from compat.canonical.auth.identity import AuthenticationFailed, Identity

#: The stable codes callers branch on, by the reason of an :class:`AuthenticationFailed`.
ERROR_CODES = {
    "no_token": "NO_TOKEN",
    "malformed": "INVALID_FORMAT",
    "too_large": "INVALID_FORMAT",
    "expired": "TOKEN_EXPIRED",
    "subject": "MISSING_USER_ID",
    "revocation_unavailable": "AUTH_SERVICE_ERROR",
    "rate_limited": "RATE_LIMITED",
    "origin": "ORIGIN_NOT_ALLOWED",
    "token_in_url": "TOKEN_IN_URL",
}


@dataclass
class AuthResult:
    """What is known of a token: its user if it holds, an error and its code if not."""

    success: bool
    user_id: str | None = None
    email: str | None = None
    permissions: list[str] = field(default_factory=list)
    error: str | None = None
    error_code: str | None = None
    validated_at: float | None = None
    metadata: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_identity(cls, identity: Identity) -> AuthResult:
        """Return the success of an identity."""
        claims = identity.claims
        permissions = claims.get("permissions") or []
        return cls(
            success=True,
            user_id=identity.user_id,
            email=claims.get("email"),
            permissions=[str(item) for item in permissions] if isinstance(permissions, (list, tuple)) else [str(permissions)],
            validated_at=datetime.now(timezone.utc).timestamp(),
            metadata={"source": identity.source, "expires_at": identity.expires_at},
        )

    @classmethod
    def of_failure(cls, failure: AuthenticationFailed) -> AuthResult:
        """Return the failure that an exception tells of."""
        return cls(
            success=False,
            error=str(failure),
            error_code=ERROR_CODES.get(failure.reason, "VALIDATION_FAILED"),
            metadata={"reason": failure.reason, "close_code": failure.close_code},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as a new dict."""
        return {
            "success": self.success,
            "user_id": self.user_id,
            "email": self.email,
            "permissions": list(self.permissions),
            "error": self.error,
            "error_code": self.error_code,
            "validated_at": self.validated_at,
            "metadata": dict(self.metadata),
        }


@dataclass
class WebSocketAuthResult:
    """The outcome for one connection: with the user's execution context if it succeeded."""

    success: bool
    user_context: Any = None
    auth_result: Any = None
    error_message: str | None = None
    error_code: str | None = None

    @property
    def is_valid(self) -> bool:
        """Whether the connection may go on."""
        return self.success

    @property
    def user_id(self) -> str | None:
        """The user of the context; None without one."""
        found = getattr(self.user_context, "user_id", None)
        return None if found is None else str(found)

    @property
    def email(self) -> str | None:
        """The user's address, where the token has one."""
        return getattr(self.auth_result, "email", None)

    @property
    def subscription_tier(self) -> str | None:
        """The user's tier, as the context's metadata or the token's has it."""
        for owner in (self.user_context, self.auth_result):
            metadata = getattr(owner, "metadata", None)
            if isinstance(metadata, dict) and metadata.get("subscription_tier"):
                return str(metadata["subscription_tier"])
        return None

    @property
    def permissions(self) -> list[str] | None:
        """What the token permits; None without a token."""
        return getattr(self.auth_result, "permissions", None)

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome, the ids of the context where there is one, and the token's facts where there are any."""
        made: dict[str, Any] = {
            "success": self.success,
            "error_message": self.error_message,
            "error_code": self.error_code,
        }
        if self.user_context is not None:
            for name in ("user_id", "websocket_client_id", "thread_id", "run_id"):
                made[name] = getattr(self.user_context, name, None)
        if self.auth_result is not None:
            for name in ("email", "permissions", "validated_at"):
                made[name] = getattr(self.auth_result, name, None)
        return made
