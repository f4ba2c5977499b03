"""One WebSocket connection of the server, from handshake to close."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from ..core.codec import loads
from ..core.connection import INTERNAL_ERROR, POLICY_VIOLATION, TOKEN_EXPIRED, TRY_AGAIN_LATER, Connection
from ..core.events import GREATEST_SEQ, Position
from ..core.logged import get_logger
from ..core.manager import UnifiedWebSocketManager
from ..core.sockets import AsgiSocket, Receive, Send
from ..errors import BackplaneUnavailable, ResourceLimitExceeded
from .protocols import Identity
from .service import WebSocketService

logger = get_logger(__name__)

UNSUPPORTED_DATA = 1003
LONGEST_THREAD_ID = 1000  # kept for each connection, and looked at for each event


@dataclass(frozen=True)
class Visitor:
    """Whose manager a connection needs: all threads of its user."""

    user_id: str
    thread_id: str | None = None


class Refused(Exception):
    """The connection is to be closed with ``code``; the text may be shown to the peer."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        super().__init__(reason)


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
        query = {name: values[-1] for name, values in parse_qs(scope.get("query_string", b"").decode("latin-1")).items()}
        await socket.receive()
        identity = None
        try:
            identity = await self._admit(socket, scope)
            connection, manager = await self._connect(socket, identity, query)
        except Refused as refusal:
            logger.info("connection refused with %d: %s", refusal.code, refusal)
            await _close_quietly(socket, refusal.code, str(refusal))
            return
        except Exception:
            logger.exception("connection failed before it was served")
            await _close_quietly(socket, INTERNAL_ERROR, "internal error")
            return
        await self._serve(socket, identity, connection, manager)

    async def _admit(self, socket: AsgiSocket, scope: MutableMapping[str, Any]) -> Identity:
        from ..auth import AuthenticationFailed, Handshake

        service, settings = self._service, self._service.settings
        if service.draining:
            raise Refused(TRY_AGAIN_LATER, "server is shutting down")
        handshake = Handshake.from_scope(scope)
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
                identity = await authenticator.authenticate(handshake)
                await socket.accept(handshake.accepted_protocol)
                return identity
            await socket.accept(handshake.accepted_protocol)
            text = await asyncio.wait_for(_first_text(socket), settings.handshake_timeout)
            return await authenticator.authenticate_message(text, handshake.address)
        except AuthenticationFailed as failure:
            raise Refused(failure.close_code, str(failure)) from failure
        except asyncio.TimeoutError:
            raise Refused(POLICY_VIOLATION, f"no authentication within {settings.handshake_timeout:g} s") from None

    async def _connect(
        self, socket: AsgiSocket, identity: Identity, query: Mapping[str, str]
    ) -> tuple[Connection, UnifiedWebSocketManager]:
        service = self._service
        try:
            thread_id = _thread(query.get("thread"))
            await service.start()
            manager = service.factory.get(Visitor(identity.user_id))
            connection = await manager.connect(
                socket,
                since=_position_in_url(query),
                greet=True,
                thread_id=thread_id,
                abort=socket.abort,
            )
        except ResourceLimitExceeded as exc:
            raise Refused(TRY_AGAIN_LATER, str(exc)) from exc
        except BackplaneUnavailable as exc:
            raise _unavailable(exc) from exc
        return connection, manager

    async def _serve(
        self, socket: AsgiSocket, identity: Identity, connection: Connection, manager: UnifiedWebSocketManager
    ) -> None:
        loop = asyncio.get_running_loop()
        timer = None
        if identity.expires_at is not None:
            left = max(0.0, identity.expires_at - time.time())
            timer = loop.call_later(left, connection.condemn, TOKEN_EXPIRED, "token has expired; authenticate again")
        try:
            await self._receive_all(socket, connection, manager)
        except Refused as refusal:
            await connection.close(refusal.code, str(refusal))
        except Exception:
            logger.exception("handler failed; connection %s is closed", connection.connection_id)
            await connection.close(INTERNAL_ERROR, "internal error")
        finally:
            if timer is not None:
                timer.cancel()
            connection.retire()

    async def _receive_all(self, socket: AsgiSocket, connection: Connection, manager: UnifiedWebSocketManager) -> None:
        settings, clock = self._service.settings, self._service.factory.clock
        allowance = float(settings.messages_per_minute)
        rate, before, malformed = allowance / 60, clock(), 0
        while True:
            incoming = await socket.receive()
            if incoming["type"] != "websocket.receive":
                return
            now = clock()
            connection.last_seen = now
            allowance = min(settings.messages_per_minute, allowance + (now - before) * rate) - 1
            before = now
            if allowance < 0:
                raise Refused(POLICY_VIOLATION, f"more than {settings.messages_per_minute} messages in a minute")
            text = incoming.get("text")
            if text is None:
                raise Refused(UNSUPPORTED_DATA, "only text messages are understood")
            message = _parse(text)
            if message is None:
                malformed += 1
                if malformed >= settings.malformed_limit:
                    raise Refused(POLICY_VIOLATION, f"{malformed} malformed messages")
                await connection.send_direct(_error("malformed", "send a JSON object with a string 'type'"))
                continue
            await self._answer(connection, manager, message)

    async def _answer(self, connection: Connection, manager: UnifiedWebSocketManager, message: Mapping[str, Any]) -> None:
        kind = message["type"]
        if kind == "ping":
            await connection.send_direct({"type": "pong", "timestamp": time.time()})
        elif kind == "pong":
            pass
        elif kind == "resume":
            since = _position(message)
            if since is None:
                await connection.send_direct(_error("malformed", "resume needs 'epoch' (string) and 'seq' (number)"))
                return
            try:
                await manager.resume(connection, since)
            except BackplaneUnavailable as exc:
                raise _unavailable(exc) from exc
        elif kind == "select_thread":
            manager.associate_thread(connection.connection_id, _thread(message.get("thread_id")))
        elif self._service.on_message is not None:
            await self._service.on_message(manager, connection, message)
        else:
            await connection.send_direct(_error("unknown_type", f"nothing handles messages of type {kind!r}"))


async def _first_text(socket: AsgiSocket) -> str:
    incoming = await socket.receive()
    if incoming["type"] != "websocket.receive":
        raise Refused(POLICY_VIOLATION, "the peer left before it authenticated")
    return incoming.get("text") or ""


async def _close_quietly(socket: AsgiSocket, code: int, reason: str) -> None:
    try:
        await socket.close(code, reason)
    except Exception as exc:
        logger.debug("close of a refused connection: %r", exc)


def _parse(text: str) -> dict[str, Any] | None:
    try:
        message = loads(text)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and isinstance(message.get("type"), str) else None


def _thread(named: Any) -> str | None:
    """Return the thread that a client names; None for all of them."""
    if not isinstance(named, str) or not named:
        return None
    if len(named) > LONGEST_THREAD_ID:
        raise Refused(POLICY_VIOLATION, f"a thread ID has more than {LONGEST_THREAD_ID} characters")
    return named


def _position(source: Mapping[str, Any]) -> Position | None:
    """Return the position that a client names, None where it is malformed: a ``seq`` is a decimal number from 0."""
    epoch, seq = source.get("epoch"), source.get("seq")
    if not isinstance(epoch, str) or not epoch:
        return None
    # Not int() alone: it takes the digits of every script, signs, blanks and underscores, and floats.
    if isinstance(seq, str) and seq.isascii() and seq.isdigit() and len(seq) <= len(str(GREATEST_SEQ)):
        seq = int(seq)
    if type(seq) is not int or not 0 <= seq <= GREATEST_SEQ:
        return None
    return Position(epoch, seq)


def _position_in_url(query: Mapping[str, str]) -> Position | None:
    """Return the position that a client connects with. It cannot be answered: a malformed one is a place unknown here."""
    position = _position(query)
    if position is None and query.get("epoch") and query.get("seq"):
        return Position(query["epoch"], -1)
    return position


def _unavailable(exc: BackplaneUnavailable) -> Refused:
    # What exactly is away, and where it is, is for the log: the peer sees the reason of the close frame.
    logger.warning("a client is asked to come back later: %s", exc)
    return Refused(TRY_AGAIN_LATER, "events are unavailable; connect again later")


def _error(code: str, text: str) -> dict[str, Any]:
    return {"type": "error", "code": code, "message": text}
