"""One WebSocket connection of the server, from handshake to close."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from ..close_codes import INTERNAL_ERROR, POLICY_VIOLATION, TRY_AGAIN_LATER
from ..core.connection import Connection
from ..core.events import Position
from ..core.logged import get_logger
from ..core.manager import UnifiedWebSocketManager
from ..errors import BackplaneUnavailable, ResourceLimitExceeded
from .conversation import Conversation, Refused, position, text_of, thread, unavailable
from .protocols import Identity
from .service import WebSocketService
from .session import Session, seconds_left
from .sockets import AsgiSocket, Receive, Send

logger = get_logger(__name__)


@dataclass(frozen=True)
class Visitor:
    """Whose manager a connection needs: all threads of its user."""

    user_id: str
    thread_id: str | None = None


class WebSocketEndpoint:
    """The ASGI application behind the WebSocket route.

    ``?thread=`` binds the connection to a thread; ``?epoch=&seq=`` (or a ``resume`` message) continues after the last
    event the client has seen.
    """

    def __init__(self, service: WebSocketService) -> None:
        self._service = service

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one connection. What goes wrong in it ends this connection alone."""
        socket = AsgiSocket(scope, receive, send)
        service, settings = self._service, self._service.settings
        service.capabilities.note(socket)
        if socket.configure is not None:
            socket.configure(
                settings.max_message_bytes,
                settings.heartbeat_interval,
                settings.heartbeat_timeout,
                service.begin_drain,
                service.note_refusal,
            )
        query = {name: values[-1] for name, values in parse_qs(scope.get("query_string", b"").decode("latin-1")).items()}
        await socket.receive()
        try:
            identity, address = await self._admit(socket, scope)
            connection, manager = await self._connect(socket, identity, query)
        except Refused as refusal:
            service.note_refusal(refusal.code)
            logger.info("connection refused with %d: %s", refusal.code, refusal)
            await _close_quietly(socket, refusal.code, str(refusal))
            return
        except Exception:
            logger.exception("connection failed before it was served")
            await _close_quietly(socket, INTERNAL_ERROR, "internal error")
            return
        session = Session(connection, identity, service.authenticator, address, service.control.is_revoked)
        await Conversation(service, socket, session, connection, manager).run()

    async def _admit(self, socket: AsgiSocket, scope: MutableMapping[str, Any]) -> tuple[Identity, str]:
        from ..auth import AuthenticationFailed, Handshake

        service, settings = self._service, self._service.settings
        if service.draining:
            raise Refused(TRY_AGAIN_LATER, "server is shutting down")
        handshake = Handshake.from_scope(scope, settings.trusted_proxies)
        # Servers log the URL when they accept or refuse: a token that was put there must not get into the log.
        scope["query_string"] = b""
        authenticator = service.authenticator
        try:
            by_message = (
                settings.first_message_auth
                and handshake.find_token() is None
                and handshake.token_in_url is None
                and authenticator.origins.allows(handshake.origin)
            )
            if not by_message:
                identity = self._checked(await authenticator.authenticate(handshake))
                await socket.accept(handshake.accepted_protocol)
                return identity, handshake.address
            await socket.accept(handshake.accepted_protocol)
            text = await asyncio.wait_for(_first_text(socket, settings.max_message_bytes), settings.handshake_timeout)
            identity = await authenticator.authenticate_message(text, handshake.address)
            return self._checked(identity), handshake.address
        except AuthenticationFailed as failure:
            raise Refused(failure.close_code, str(failure)) from failure
        except asyncio.TimeoutError:
            raise Refused(POLICY_VIOLATION, f"no authentication within {settings.handshake_timeout:g} s") from None

    def _checked(self, identity: Identity) -> Identity:
        if self._service.control.is_revoked(identity):
            raise Refused(POLICY_VIOLATION, "the token has been revoked")
        return identity

    async def _connect(
        self, socket: AsgiSocket, identity: Identity, query: Mapping[str, str]
    ) -> tuple[Connection, UnifiedWebSocketManager]:
        service = self._service
        try:
            thread_id = thread(query.get("thread"))
            await service.start()
            manager = service.factory.get(Visitor(identity.user_id))
            connection = await manager.connect(
                socket,
                since=_position_in_url(query),
                greet={"expires_in": seconds_left(identity)},
                thread_id=thread_id,
                abort=socket.abort,
            )
        except ResourceLimitExceeded as exc:
            raise Refused(TRY_AGAIN_LATER, str(exc)) from exc
        except BackplaneUnavailable as exc:
            raise unavailable(exc) from exc
        return connection, manager


async def _first_text(socket: AsgiSocket, most: int) -> str:
    incoming = await socket.receive()
    if incoming["type"] != "websocket.receive":
        raise Refused(POLICY_VIOLATION, "the peer left before it authenticated")
    return text_of(incoming, most)


async def _close_quietly(socket: AsgiSocket, code: int, reason: str) -> None:
    try:
        await socket.close(code, reason)
    except Exception as exc:
        logger.debug("close of a refused connection: %r", exc)


def _position_in_url(query: Mapping[str, str]) -> Position | None:
    """Return the position that a client connects with. It cannot be answered: a malformed one is a place unknown here."""
    named = position(query)
    if named is None and query.get("epoch") and query.get("seq"):
        return Position(query["epoch"], -1)
    return named
