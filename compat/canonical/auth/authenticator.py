"""Who is on the other end: the asyncio shell around origins, tokens, revocation, failure limits and counts."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Union

from ..close_codes import INTERNAL_ERROR, POLICY_VIOLATION, TOO_MANY_FAILURES
from .failures import FailureLimiter
from .handshake import Handshake
from .identity import AuthenticationFailed, Identity
from .keys import KeySet
from .origin import OriginPolicy
from .stats import AuthStats
from .tokens import TokenRejected, TokenRules, verify_token

#: Rejections that are not counted against an address: foreign pages can cause them in a victim's browser, and clients
#: whose token has run out cause them in good faith. Counting them would lock the wrong people out.
NOT_GUESSES = frozenset({"origin", "token_in_url", "expired", "not_yet_valid", "revoked"})

#: Called with a token's claims; True (now, or awaited) rejects it.
Revoked = Callable[[Mapping[str, Any]], Union[bool, Awaitable[bool]]]


class Authenticator:
    """Authenticates handshakes and tokens, and counts what it does.

    Parameters
    ----------
    keys:
        The keys that verify tokens; replace them at run time with assignment, which takes effect at the next
        token; list the previous keys until their tokens have expired. With none, no token holds.
    rules:
        What a token must satisfy.
    origins:
        Which web origins may connect. The default lets no browser in that says where it comes from.
    revoked:
        Asked for every token that holds otherwise. If it raises, the token is rejected.
    failures:
        The bound on failures per address.
    """

    def __init__(
        self,
        keys: KeySet | None = None,
        rules: TokenRules | None = None,
        *,
        origins: OriginPolicy | None = None,
        revoked: Revoked | None = None,
        failures: FailureLimiter | None = None,
    ) -> None:
        self.keys = keys if keys is not None else KeySet()
        self.rules = rules or TokenRules()
        self.origins = origins or OriginPolicy()
        self.revoked = revoked
        self.failures = FailureLimiter() if failures is None else failures
        self.stats = AuthStats()

    async def authenticate(self, handshake: Handshake | Mapping[str, Any]) -> Identity:
        """Return who opens the connection, or raise :class:`AuthenticationFailed`; counts one attempt.

        Takes a :class:`Handshake` or an ASGI scope. The token comes from the ``Authorization`` header or from a
        subprotocol; one in the URL is refused, because URLs are logged.
        """
        shake = handshake if isinstance(handshake, Handshake) else Handshake.from_scope(handshake)
        if not self.origins.allows(shake.origin):
            raise self._failure("origin", "this origin may not connect", shake.address)
        parameter = shake.token_in_url
        if parameter is not None:
            raise self._failure(
                "token_in_url",
                f"a token in the URL ({parameter!r}) is refused; send it as subprotocol 'jwt.<token>' or in Authorization",
                shake.address,
            )
        found = shake.find_token()
        return await self._identify(found[0] if found else None, found[1] if found else "handshake", shake.address)

    async def authenticate_message(self, text: str | bytes, address: str = "") -> Identity:
        """Return who sent this first message, ``{"type": "authenticate", "token": "..."}``; counts one attempt."""
        try:
            if len(text) > self.rules.max_bytes + 1024:
                raise ValueError("too long")
            message = json.loads(text)
        except (ValueError, RecursionError):
            raise self._failure("malformed", "the first message is not JSON", address) from None
        token = message.get("token") if isinstance(message, dict) and message.get("type") in ("authenticate", "auth") else None
        return await self._identify(token if isinstance(token, str) else None, "message", address)

    async def verify(self, token: str | bytes | None, address: str = "") -> Identity:
        """Return whom a token is for, or raise :class:`AuthenticationFailed`; counts one attempt."""
        return await self._identify(token, "token", address)

    async def _identify(self, token: str | bytes | None, source: str, address: str) -> Identity:
        try:
            claims = verify_token(token, self.keys, self.rules)
        except TokenRejected as error:
            raise self._failure(error.reason, str(error), address) from error
        if self.revoked is not None:
            try:
                answer = self.revoked(claims)
                revoked = bool(await answer) if inspect.isawaitable(answer) else bool(answer)
            except Exception as error:
                raise self._failure("revocation_unavailable", "revocation could not be checked", "", INTERNAL_ERROR) from error
            if revoked:
                raise self._failure("revoked", "the token has been revoked", address)
        self.stats.accept()
        return Identity(user_id=claims["sub"], claims=claims, expires_at=float(claims["exp"]), source=source)

    def _failure(self, reason: str, message: str, address: str, close_code: int = POLICY_VIOLATION) -> AuthenticationFailed:
        # Only who fails is held up: behind one address may be a whole office, and a token that holds is no guess.
        wait = self.failures.retry_after(address) if address and reason not in NOT_GUESSES else 0.0
        if wait > 0:
            self.stats.reject("rate_limited")
            text = f"too many failures; try again in {wait:.0f} s"
            return AuthenticationFailed("rate_limited", text, close_code=TOO_MANY_FAILURES)
        self.stats.reject(reason)
        if address and reason not in NOT_GUESSES:
            self.failures.record(address)
        return AuthenticationFailed(reason, message, close_code=close_code)


def get_authenticator(environ: Mapping[str, str] | None = None, **changes: Any) -> Authenticator:
    """Return a new authenticator, configured by variables; keyword arguments are those of :class:`Authenticator`.

    ``environ`` is ``os.environ`` unless given. The variables are
    ``JWT_SECRET_KEY`` (and ``JWT_SECRET_KEY_PREVIOUS`` while it is being rotated out) or ``JWT_JWKS`` (a JSON document),
    ``JWT_ALGORITHMS`` (comma separated), ``JWT_ISSUER``, ``JWT_AUDIENCE``, ``ALLOWED_ORIGINS`` (comma separated).
    """
    variables = os.environ if environ is None else environ

    def read(name: str) -> str:
        return (variables.get(name) or "").strip()

    algorithms = tuple(_listed(read("JWT_ALGORITHMS"))) or (("RS256", "ES256") if read("JWT_JWKS") else ("HS256",))
    if "keys" not in changes:
        keys = KeySet()
        if read("JWT_JWKS"):
            keys += KeySet.jwks(read("JWT_JWKS"))
        if read("JWT_SECRET_KEY"):
            secrets = [read("JWT_SECRET_KEY"), *_listed(read("JWT_SECRET_KEY_PREVIOUS"))]
            for algorithm in algorithms:
                if algorithm.startswith("HS"):
                    keys += KeySet.shared_secret(*secrets, algorithm=algorithm)
        changes["keys"] = keys
    changes.setdefault("rules", TokenRules(algorithms, issuer=read("JWT_ISSUER") or None, audience=read("JWT_AUDIENCE") or None))
    changes.setdefault("origins", OriginPolicy(_listed(read("ALLOWED_ORIGINS"))))
    return Authenticator(**changes)


def _listed(value: str | None) -> list[str]:
    return [item.strip() for item in (value or "").split(",") if item.strip()]
