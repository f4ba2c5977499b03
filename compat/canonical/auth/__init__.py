"""Authentication of WebSocket connections: tokens, origins, revocation, limits on failures, counts."""

from __future__ import annotations

from .authenticator import (
    POLICY_VIOLATION,
    TOKEN_EXPIRED,
    TOO_MANY_FAILURES,
    Authenticator,
    get_authenticator,
    seconds_left,
)
from .failures import FailureLimiter
from .handshake import Handshake
from .identity import AuthenticationFailed, Identity
from .keys import Key, KeyMaterialError, KeySet
from .origin import OriginPolicy
from .sessions import Session, SessionBook
from .stats import AuthStats
from .subprotocol import extract_jwt_from_subprotocol, negotiate_websocket_subprotocol, normalize_jwt_token
from .tokens import TokenRejected, TokenRules, verify_token

__all__ = [
    "POLICY_VIOLATION",
    "TOKEN_EXPIRED",
    "TOO_MANY_FAILURES",
    "AuthStats",
    "AuthenticationFailed",
    "Authenticator",
    "FailureLimiter",
    "Handshake",
    "Identity",
    "Key",
    "KeyMaterialError",
    "KeySet",
    "OriginPolicy",
    "Session",
    "SessionBook",
    "TokenRejected",
    "TokenRules",
    "extract_jwt_from_subprotocol",
    "get_authenticator",
    "negotiate_websocket_subprotocol",
    "normalize_jwt_token",
    "seconds_left",
    "verify_token",
]
