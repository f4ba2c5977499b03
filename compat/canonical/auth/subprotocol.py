"""Tokens in the WebSocket handshake: which subprotocols carry one, and which of them the server answers with.

A browser cannot set headers on a WebSocket, so the token travels as a subprotocol, ``jwt.<token>``. Two forms of the
part after the dot are in use: the JWT itself, and its base64url encoding without padding.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

#: Subprotocols that carry a token after their dot.
TOKEN_PREFIXES = ("jwt.", "jwt-auth.", "bearer.", "staging-auth.")
#: Subprotocols that are echoed to the client exactly as it sent them.
ECHOED_PREFIXES = ("jwt.", "jwt-auth.", "bearer.")
#: Plain subprotocols a server of this system speaks, in order of preference.
PLAIN_SUBPROTOCOLS = ("jwt-auth", "jwt", "bearer", "e2e-testing", "staging-auth")
#: Shorter than this is no token.
MIN_TOKEN_LENGTH = 10


def split_protocols(value: str | Iterable[str] | None) -> list[str]:
    """Return the subprotocols of one ``Sec-WebSocket-Protocol`` header or of an already split list, stripped."""
    if not value:
        return []
    offered = value.split(",") if isinstance(value, str) else value
    return [item.strip() for item in offered if isinstance(item, str) and item.strip()]


def has_jwt_shape(token: str) -> bool:
    """Return whether the text has the three non-empty dot separated parts of a compact JWT."""
    parts = token.split(".")
    return len(parts) == 3 and all(parts)


def decode_token(payload: str) -> str | None:
    """Return the JWT in the part after a subprotocol's dot: raw or base64url encoded; None if it is neither."""
    if not isinstance(payload, str) or len(payload) < MIN_TOKEN_LENGTH:
        return None
    if has_jwt_shape(payload):
        return payload
    try:
        decoded = base64.b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True).decode("utf-8")
    except (binascii.Error, ValueError):  # UnicodeDecodeError is a ValueError
        return None
    return decoded if has_jwt_shape(decoded) and len(decoded) >= MIN_TOKEN_LENGTH else None


def carries_token(protocol: str) -> bool:
    """Return whether a subprotocol has the form of one that carries a token."""
    return any(protocol.startswith(prefix) and len(protocol) > len(prefix) for prefix in TOKEN_PREFIXES)


def extract_jwt_from_subprotocol(subprotocol_value: str | Iterable[str] | None) -> str | None:
    """Return the first token among the offered subprotocols, or None; a malformed one is passed over."""
    for protocol in split_protocols(subprotocol_value):
        for prefix in TOKEN_PREFIXES:
            if protocol.startswith(prefix):
                token = decode_token(protocol[len(prefix) :])
                if token is not None:
                    return token
    return None


def negotiate_websocket_subprotocol(client_protocols: Iterable[str] | None) -> str | None:
    """Return the subprotocol to answer with, or None where the client offers none that is known.

    A client requires one of its own strings back, so a token-carrying offer is answered with itself; otherwise the
    first of :data:`PLAIN_SUBPROTOCOLS` that was offered. ``staging-auth.<token>`` carries a token but is not answered.
    """
    offered = split_protocols(client_protocols)
    for protocol in offered:
        if any(protocol.startswith(prefix) and len(protocol) > len(prefix) for prefix in ECHOED_PREFIXES):
            return protocol
    for protocol in offered:
        if protocol in PLAIN_SUBPROTOCOLS:
            return protocol
    return None


def strip_bearer(value: str | None) -> str | None:
    """Return the token of an ``Authorization`` value, whatever the case of its scheme; None where there is none."""
    scheme, _, token = (value or "").strip().partition(" ")
    if scheme.lower() != "bearer":
        return None
    return token.strip() or None
