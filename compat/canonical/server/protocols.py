"""What the server asks of its surroundings: authenticators and message handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Callable, Protocol


class Identity(Protocol):
    """Who was authenticated; ``expires_at`` in seconds since the epoch, None for never."""

    @property
    def user_id(self) -> str:
        """The user the credential speaks for."""

    @property
    def expires_at(self) -> float | None:
        """When the connection must end."""

    @property
    def claims(self) -> Mapping[str, Any]:
        """What else the credential says."""


class AuthenticatorProtocol(Protocol):
    """Decides who a connection belongs to.

    ``origins.allows(origin)`` judges a web origin.
    Both methods raise an exception with ``reason`` (a word), ``close_code`` (int), and a message safe to show, for who
    is not let in.
    """

    @property
    def origins(self) -> Any:
        """The allow-list of web origins."""

    async def authenticate(self, handshake: Any) -> Identity:
        """Judge an ASGI scope: headers, subprotocols, origin, address."""

    async def authenticate_message(self, text: str | bytes, address: str = "") -> Identity:
        """Judge the first message of a connection that carried no token in its handshake."""


MessageHandler = Callable[[Any, Any, Mapping[str, Any]], Awaitable[None]]
"""``await handler(manager, connection, message)`` for each client message that the server does not answer itself."""
