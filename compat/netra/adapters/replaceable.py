"""Names that tests replace in modules of old. Nothing of this system asks them for anything."""

from __future__ import annotations

import os as os
import subprocess as subprocess
from typing import Any


class AuthClient:
    """Answers as the client of the authentication service did, from this process's own authenticator."""

    async def validate_token(self, token: str | None) -> dict[str, Any]:
        """Whether a token holds, and whose it is."""
        from ..components.auth.authentication_service import AuthenticationService

        result = await AuthenticationService().authenticate_token(token)
        return {"valid": result.success, "user_id": result.user_id, "error": result.error}

    validate_token_jwt = validate_token


auth_client = AuthClient()

#: Contexts are always checked.
DEEP_AGENT_STATE_SECURITY_CHECK = True


def get_websocket_state_coordinator() -> None:
    """None: the states of connections are kept by :mod:`compat.netra.components.connections.state_machine`, one machine each."""


def __getattr__(name: str) -> Any:
    """Packages that legacy modules had imported, loaded when they are asked for."""
    if name == "redis":
        import redis

        return redis
    if name == "WebSocketState":
        from starlette.websockets import WebSocketState

        return WebSocketState
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
