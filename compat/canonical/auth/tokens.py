"""Verification of one token: size, shape, algorithm, key, signature, times, audience, issuer, subject. No I/O."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from .keys import KeyMaterialError, KeySet, import_jwt

_LAST_SECOND = 2**53  # beyond it a float does not count seconds any more


class TokenRejected(Exception):
    """A token does not hold; ``reason`` is a stable word, a key of ``AuthStats.rejections``; the message is safe to send."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class TokenRules:
    """What a token must satisfy.

    Parameters
    ----------
    algorithms:
        The allow-list; a token with any other ``alg`` is rejected before its signature is looked at.
    issuer, audience:
        Required values of ``iss`` and ``aud``; None accepts any issuer, and only tokens without ``aud``.
    leeway:
        Seconds of clock difference forgiven in ``exp``, ``nbf`` and ``iat``.
    require:
        Claims that must be present. ``exp`` and ``sub`` always are.
    max_bytes:
        A longer token is rejected unread.
    """

    algorithms: tuple[str, ...] = ("HS256",)
    issuer: str | None = None
    audience: str | tuple[str, ...] | None = None
    leeway: float = 0.0
    require: tuple[str, ...] = ("exp", "sub")
    max_bytes: int = 8192

    def __post_init__(self) -> None:
        if not self.algorithms or any(name.lower() == "none" for name in self.algorithms):
            raise ValueError(f"algorithms {self.algorithms!r} must be named, and 'none' is refused")
        if self.leeway < 0 or self.max_bytes < 1:
            raise ValueError(f"leeway {self.leeway!r} must be >= 0 and max_bytes {self.max_bytes!r} >= 1")
        object.__setattr__(self, "require", tuple(dict.fromkeys(("exp", "sub", *self.require))))


def verify_token(token: str | bytes | None, keys: KeySet, rules: TokenRules) -> dict[str, Any]:
    """Return the claims of a token that holds, or raise :class:`TokenRejected` with the first reason why it does not."""
    text = _as_text(token, rules.max_bytes)
    jwt = import_jwt()
    algorithm, kid = _read_header(jwt, text)
    if algorithm not in rules.algorithms:
        raise TokenRejected("algorithm", f"algorithm {algorithm!r} is not one of {', '.join(rules.algorithms)}")
    candidates = keys.candidates(algorithm, kid)
    if not candidates:
        raise TokenRejected("unknown_key", f"no key verifies {algorithm} tokens" + (f" of key {kid!r}" if kid else ""))
    for key in candidates:
        try:
            claims: dict[str, Any] = jwt.decode(
                text,
                key.resolved,
                algorithms=[algorithm],
                issuer=rules.issuer,
                audience=rules.audience,
                leeway=rules.leeway,
                options={"require": list(rules.require)},
            )
        except jwt.InvalidSignatureError:
            continue
        except KeyMaterialError as error:
            raise TokenRejected("unknown_key", str(error)) from error
        except jwt.PyJWTError as error:
            raise _rejection(jwt, error) from error
        except (ValueError, TypeError, RecursionError, OverflowError) as error:
            raise TokenRejected("malformed", "the token cannot be read") from error
        _check_times(claims)
        subject = claims.get("sub")
        if not isinstance(subject, str) or not subject.strip():
            raise TokenRejected("subject", "the token names no subject")
        return claims
    raise TokenRejected("signature", "the signature does not match")


def _check_times(claims: dict[str, Any]) -> None:
    """Times are numbers (RFC 7519): PyJWT takes text, true and false as well, and numbers no clock has."""
    for name in ("exp", "nbf", "iat"):
        value = claims.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= _LAST_SECOND:
            raise TokenRejected("claims", f"the token's {name!r} claim is not a time in seconds")


def _as_text(token: str | bytes | None, max_bytes: int) -> str:
    if not token:
        raise TokenRejected("no_token", "no token was given")
    if len(token) > max_bytes:
        raise TokenRejected("too_large", f"the token has {len(token)} bytes, more than {max_bytes}")
    try:
        text = token.decode("utf-8") if isinstance(token, bytes) else token
        text.encode("ascii")
    except UnicodeError as error:
        raise TokenRejected("malformed", "the token is not ASCII text") from error
    if text.count(".") != 2:
        raise TokenRejected("malformed", "the token has not three parts")
    return text


def _read_header(jwt: Any, text: str) -> tuple[str, str | None]:
    try:
        head = text.partition(".")[0]
        # Read here first: PyPy 3.9's JSON error about text beyond ASCII cannot even be formatted, and PyJWT would try to.
        json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)).decode("utf-8"))
        header = jwt.get_unverified_header(text)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise TokenRejected("malformed", "the token's header cannot be read") from None
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str):
        raise TokenRejected("algorithm", "the token's header names no algorithm")
    return algorithm, kid if isinstance(kid, str) else None


def _rejection(jwt: Any, error: Exception) -> TokenRejected:
    """Word PyJWT's exception; the claim's value is never repeated, only its name."""
    if isinstance(error, jwt.MissingRequiredClaimError):
        claim = str(error.claim)
        reason = {"sub": "subject", "aud": "audience", "iss": "issuer"}.get(claim, "claims")
        return TokenRejected(reason, f"the token has no {claim!r} claim")
    for name, reason, message in (
        ("ExpiredSignatureError", "expired", "the token has expired"),
        ("ImmatureSignatureError", "not_yet_valid", "the token is not yet valid"),
        ("InvalidAudienceError", "audience", "the token is for another audience"),
        ("InvalidIssuerError", "issuer", "the token is from another issuer"),
        ("InvalidSubjectError", "subject", "the token's subject is not text"),
        ("InvalidAlgorithmError", "algorithm", "the token's algorithm is not allowed"),
        ("InvalidKeyError", "unknown_key", "the key does not fit the token's algorithm"),
        ("DecodeError", "malformed", "the token cannot be read"),
    ):
        kind = getattr(jwt, name, None) or getattr(jwt.exceptions, name, None)
        if kind is not None and isinstance(error, kind):
            return TokenRejected(reason, message)
    return TokenRejected("claims", "a claim of the token does not hold")
