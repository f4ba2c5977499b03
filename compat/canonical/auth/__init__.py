"""Authentication of WebSocket connections: tokens, origins, revocation, limits on failures, counts.

    authenticator = Authenticator(
        KeySet.shared_secret(secret, previous_secret),
        TokenRules(issuer="https://issuer.example", audience="netra"),
        origins=OriginPolicy(["https://app.example", "https://*.corp.example"]),
        revoked=lambda claims: claims["jti"] in revoked_ids,
    )
    identity = await authenticator.authenticate(scope)

A token comes as ``Authorization: Bearer <token>``, as subprotocol ``jwt.<token>`` (``jwt-auth.``, ``bearer.``,
``staging-auth.`` too; raw or base64url), or in the first message, ``{"type": "authenticate", "token": "..."}``.
In the URL it is refused: URLs are logged.

Close codes: 1008 for every rejection, 1011 where revocation could not be checked, 4401 when the token of an open
connection expires, 4429 for an address that failed too often. Before the connection is accepted all are HTTP 403.

keys           KeySet: what verifies, bound to its algorithms; rotation
tokens         verify_token: one token, no I/O
subprotocol    tokens in Sec-WebSocket-Protocol
handshake      Handshake: headers, query and address, read once
origin         OriginPolicy
failures       FailureLimiter
revocation     Revocations: users and tokens that are let in no more
stats          AuthStats
authenticator  Authenticator: all of these together
"""

from __future__ import annotations

from .authenticator import (
    Authenticator,
    get_authenticator,
)
from .failures import FailureLimiter
from .handshake import Handshake
from .identity import AuthenticationFailed, Identity
from .keys import Key, KeyMaterialError, KeySet
from .origin import OriginPolicy
from .revocation import Revocations
from .stats import AuthStats
from .subprotocol import extract_jwt_from_subprotocol, negotiate_websocket_subprotocol
from .tokens import TokenRejected, TokenRules, verify_token

__all__ = [
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
    "Revocations",
    "TokenRejected",
    "TokenRules",
    "extract_jwt_from_subprotocol",
    "get_authenticator",
    "negotiate_websocket_subprotocol",
    "verify_token",
]
