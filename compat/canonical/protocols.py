"""What the core asks of its surroundings: contexts, sockets, authenticators, backplanes."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Callable, Protocol

from .core.events import Delivery, Draft, Event, Position
from .core.replay import Replay


class Context(Protocol):
    """Whose work it is; ``thread_id``, ``run_id``, ``request_id``, ``websocket_client_id`` are read where present."""

    @property
    def user_id(self) -> str:
        """The user; never empty."""


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


Deliver = Callable[[str, Sequence[Event]], int]
"""``deliver(user_id, events) -> how many connections here took the last``; writes nothing, and so runs no foreign code.

One event is live, and bounded by the outboxes. Several at once were missed as they came (a subscription was cut): like
replayed ones they are bounded by the history alone.
"""


class Backplane(Protocol):
    """Keeps every user's stream, and hands its events to the workers that hold the user's connections."""

    local: bool  # True: one process, nothing to await

    async def start(self) -> None:
        """Connect; called once, on the loop that will serve."""

    async def close(self) -> None:
        """Release everything; nothing runs afterwards."""

    def bind(self, deliver: Deliver, pump: Callable[[str], None]) -> None:
        """Name the functions that take a user's events, in order, and that write them to the sockets afterwards.

        The caller of ``publish`` pumps its own user; events from outside are pumped by the backplane.
        """

    async def publish(self, user_id: str, draft: Draft) -> Delivery:
        """Give ``draft`` its place, keep it, hand it on. Raises BackplaneUnavailable if it was not accepted."""

    async def replay(self, user_id: str, since: Position | None) -> Replay:
        """Return what follows ``since``; None is the beginning of what is kept."""

    async def position(self, user_id: str) -> Position:
        """Return the end of the user's stream."""

    async def join(self, user_id: str) -> None:
        """From now on this worker has connections of the user."""

    def leave(self, user_id: str) -> None:
        """This worker has no more connections of the user; never waits."""

    def forget(self, user_id: str) -> None:
        """The user is idle here: free what this process keeps."""

    def health(self) -> dict[str, Any]:
        """Return ``healthy`` (bool) and what else is worth knowing."""


MessageHandler = Callable[[Any, Any, Mapping[str, Any]], Awaitable[None]]
"""``await handler(manager, connection, message)`` for each client message that the server does not answer itself."""
