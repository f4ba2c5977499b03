"""Names that tests replace in modules of old. Nothing of this system asks them for anything."""

from __future__ import annotations

import logging
import os as os
import subprocess as subprocess
from collections.abc import Sequence
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


async def coordinate_state(*unused: Any, **ignored: Any) -> None:
    """Nothing: a connection's own machine knows its state at once."""


def get_logger() -> logging.Logger:
    """The logger of the docker manager."""
    return logging.getLogger("compat.netra.components.docker.docker_manager")


def run_subprocess_safe(command: Sequence[str], timeout: float = 30, **options: Any) -> subprocess.CompletedProcess[Any]:
    """What a program answers within ``timeout`` seconds, as text; never through a shell."""
    if isinstance(command, (str, bytes)) or options.get("shell"):
        raise ValueError("give the program and its arguments as a list: no shell is run")
    form = {"capture_output": True, "text": True, "encoding": "utf-8", "errors": "replace"}
    return subprocess.run(command, timeout=timeout, check=False, **{**form, **options})


def __getattr__(name: str) -> Any:
    """Packages that legacy modules had imported, loaded when they are asked for."""
    try:
        if name == "redis":
            import redis

            return redis
        if name == "jwt":
            import jwt

            return jwt
        if name == "WebSocketState":
            from starlette.websockets import WebSocketState

            return WebSocketState
    except ModuleNotFoundError as error:
        raise ImportError(f"{name} of {__name__} needs {error.name}: pip install 'netra-compat[server]'") from error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
