"""Tokens of handshakes by their legacy names."""

from __future__ import annotations

from typing import Any

from compat.canonical.auth.subprotocol import extract_jwt_from_subprotocol, strip_bearer
from compat.netra.components.auth.handshakes import handshake_of


class UnifiedJWTProtocolHandler:
    """Tokens of handshakes, as static methods."""

    @staticmethod
    def extract_jwt_from_websocket(websocket: Any) -> str | None:
        """Return the token of a handshake, the ``Authorization`` header first; None if there is none."""
        return extract_jwt_token(websocket)

    @staticmethod
    def normalize_jwt_for_validation(jwt_token: str) -> str:
        """Return the token without a ``Bearer`` in front."""
        return normalize_jwt_token(jwt_token)

    @staticmethod
    def get_authentication_info(websocket: Any) -> dict[str, Any]:
        """Return where a handshake carries a token, and the token."""
        shake = handshake_of(websocket)
        found = shake.find_token()
        return {
            "has_authorization_header": "authorization" in shake.headers,
            "has_subprotocol": bool(shake.protocols),
            "subprotocols": shake.protocols,
            "jwt_source": found[1] if found else None,
            "has_jwt": found is not None,
            "jwt_token": found[0] if found else None,
            "negotiated_subprotocol": shake.accepted_protocol,
        }


def extract_jwt_token(websocket: Any) -> str | None:
    """Return the token of a handshake, the ``Authorization`` header first; None if there is none."""
    found = handshake_of(websocket).find_token()
    if found:
        return found[0]
    offered = getattr(websocket, "subprotocols", None)
    return extract_jwt_from_subprotocol(offered) if isinstance(offered, (str, list, tuple)) else None


def normalize_jwt_token(jwt_token: str) -> str:
    """Return the bare token, as verifiers take it: without ``Bearer `` and space around."""
    return strip_bearer(jwt_token) or (jwt_token or "").strip()
