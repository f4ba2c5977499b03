"""The token that a live connection stands on: it ends the connection, unless a newer one of the same user comes in time."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Callable

from ..close_codes import INTERNAL_ERROR, TOKEN_EXPIRED, TOO_MANY_FAILURES
from ..core.codec import dumps
from ..core.connection import Connection
from .protocols import AuthenticatorProtocol, Identity

_WRONG_USER = "the token is another user's; open another connection with it"


class TokenRefused(Exception):
    """A newer token is not taken, and the present one stays; ``code`` is an error of the protocol."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


class Session:
    """Who a connection belongs to, and for how long."""

    __slots__ = ("_address", "_authenticator", "_is_revoked", "_timer", "connection", "identity")

    def __init__(
        self,
        connection: Connection,
        identity: Identity,
        authenticator: AuthenticatorProtocol,
        address: str,
        is_revoked: Callable[[Identity], bool],
    ) -> None:
        self.connection, self.identity = connection, identity
        self._authenticator, self._address, self._is_revoked = authenticator, address, is_revoked
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Close the connection with 4401 when its token expires."""
        self.end()
        left = expires_in(self.identity)
        if left is not None:
            why = "token has expired; authenticate again"
            self._timer = asyncio.get_running_loop().call_later(left, self.connection.condemn, TOKEN_EXPIRED, why)

    def end(self) -> None:
        """Close nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def renew(self, token: str) -> dict[str, Any] | None:
        """Stand on ``token`` from now on, also where it expires earlier; return the answer, None for a connection that has ended.

        Raises TokenRefused.
        """
        from ..auth import AuthenticationFailed

        try:
            text = dumps({"type": "authenticate", "token": token})
            identity = await self._authenticator.authenticate_message(text, self._address)
        except AuthenticationFailed as failure:
            raise TokenRefused(_code_of(failure.close_code), str(failure)) from failure
        if not self.connection.active:
            return None
        if identity.user_id != self.identity.user_id:
            raise TokenRefused("wrong_user", _WRONG_USER)
        if self._is_revoked(identity):
            raise TokenRefused("unauthorized", "the token has been revoked")
        self.identity = identity
        self.begin()
        return {"type": "authenticated", "user_id": identity.user_id, "expires_in": seconds_left(identity)}


def expires_in(identity: Identity) -> float | None:
    """Return the seconds until an identity expires, at least 0; None for never."""
    return None if identity.expires_at is None else max(0.0, identity.expires_at - time.time())


def seconds_left(identity: Identity) -> int | None:
    """As :func:`expires_in`, in whole seconds, for a client that may have another clock."""
    left = expires_in(identity)
    return None if left is None else int(left)


def _code_of(close_code: int) -> str:
    return {TOO_MANY_FAILURES: "rate_limited", INTERNAL_ERROR: "unavailable"}.get(close_code, "unauthorized")
