"""What one connected client says, read and answered until it leaves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from ..close_codes import (
    INTERNAL_ERROR,
    INVALID_TEXT,
    POLICY_VIOLATION,
    PROTOCOL_ERROR,
    TOKEN_EXPIRED,
    TOO_LARGE,
    TRY_AGAIN_LATER,
    UNSUPPORTED_DATA,
)
from ..core.codec import loads
from ..core.connection import Connection
from ..core.events import GREATEST_SEQ, Position
from ..core.logged import get_logger
from ..core.manager import UnifiedWebSocketManager
from ..errors import BackplaneUnavailable, ResourceLimitExceeded
from .control import REVOKED
from .inbox import Inbox
from .service import WebSocketService
from .session import Session, TokenRefused
from .sockets import AsgiSocket

logger = get_logger(__name__)


_OWN = ("ping", "pong", "resume", "select_thread", "authenticate")
_BY_FRAMES = (PROTOCOL_ERROR, INVALID_TEXT, TOO_LARGE)  # what servers end a connection with by themselves
LONGEST_THREAD_ID = 1000  # kept for each connection, and looked at for each event


class Refused(Exception):
    """The connection is to be closed with ``code``; the text may be shown to the peer."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        super().__init__(reason)


class Conversation:
    """Reads one client. ``ping``, ``pong``, ``resume``, ``select_thread`` and ``authenticate`` are answered here, others not.

    A message with ``ack`` (a text or a number) is answered by ``{"type": "ack", "ack": ...}`` once it has been handled.
    """

    def __init__(
        self,
        service: WebSocketService,
        socket: AsgiSocket,
        session: Session,
        connection: Connection,
        manager: UnifiedWebSocketManager,
    ) -> None:
        self._service, self._socket, self._session = service, socket, session
        self._connection, self._manager = connection, manager
        self._answers_pings = False
        self._malformed = 0
        self._allowance = float(service.settings.messages_per_minute)
        self._receive = socket.receive

    async def run(self) -> None:
        """Read until the client leaves, or is refused. What goes wrong ends this connection alone."""
        loop, connection = asyncio.get_running_loop(), self._connection
        session, control = self._session, self._service.control
        session.begin()
        control.sessions.add(session)
        if control.is_revoked(session.identity):  # since it was let in
            connection.condemn(TOKEN_EXPIRED, REVOKED)
        pings = None
        if self._socket.configure is None:
            pings = loop.create_task(self._ping())
        try:
            await self._converse()
        except Refused as refusal:
            self._service.note_refusal(refusal.code)
            await connection.close(refusal.code, str(refusal))
        except Exception:
            logger.exception("connection %s failed and is closed", connection.connection_id)
            await connection.close(INTERNAL_ERROR, "internal error")
        finally:
            session.end()
            control.sessions.discard(session)
            if pings is not None:
                pings.cancel()
            connection.retire()

    async def _converse(self) -> None:
        service, settings = self._service, self._service.settings
        if service.on_message is None:
            while (message := await self._next()) is not None:
                self._refuse(message, "unknown_type", f"nothing handles messages of type {message['type']!r}")
            return
        inbox = Inbox(
            self._next,
            self._handle,
            self._settle,
            self._refuse_as_busy,
            limit=settings.waiting_messages,
            patience=settings.heartbeat_timeout / 2,
            busy=service.handlers,
            note=self._note_handling,
        )
        await inbox.run()

    async def _next(self) -> dict[str, Any] | None:
        """Return the next message that is the application's, None at the end; answer all others."""
        service, connection = self._service, self._connection
        settings = service.settings
        most = settings.messages_per_minute
        while True:
            incoming = await self._receive()
            if incoming["type"] != "websocket.receive":
                if self._socket.configure is None and incoming.get("code") in _BY_FRAMES:
                    service.note_refusal(incoming["code"])
                return None
            now = connection.last_seen
            connection.last_seen = service.factory.clock()
            self._allowance = min(most, self._allowance + (connection.last_seen - now) * most / 60) - 1
            if self._allowance < 0:
                raise Refused(POLICY_VIOLATION, f"more than {most} messages in a minute")
            message = parse(text_of(incoming, settings.max_message_bytes))
            if message is None:
                self._malformed += 1
                if self._malformed >= settings.malformed_limit:
                    raise Refused(POLICY_VIOLATION, f"{self._malformed} malformed messages")
                service.refusals["message", "malformed"] += 1
                await connection.send_direct(_error("malformed", "send a JSON object with a string 'type'"))
            elif message["type"] in _OWN:
                await self._answer(message)
            elif service.handling and self._is_overloaded():
                self._refuse_as_busy(message)
            else:
                return message

    async def _answer(self, message: Mapping[str, Any]) -> None:
        kind, connection = message["type"], self._connection
        if kind == "ping":
            self._answers_pings = True
            await connection.send_direct({"type": "pong", "timestamp": time.time()})
        elif kind == "pong":
            self._answers_pings = True
        elif kind == "resume":
            await self._resume(message)
        elif kind == "authenticate":
            await self._authenticate(message)
        else:
            self._manager.associate_thread(connection.connection_id, thread(message.get("thread_id")))
            self._acknowledge(message)

    async def _resume(self, message: Mapping[str, Any]) -> None:
        since = position(message)
        if since is None:
            self._refuse(message, "malformed", "resume needs 'epoch' (string) and 'seq' (number)")
            return
        try:
            await self._manager.resume(self._connection, since)
        except ResourceLimitExceeded as exc:
            self._refuse(message, "rate_limited", str(exc))
        except BackplaneUnavailable as exc:
            raise unavailable(exc) from exc
        else:
            self._acknowledge(message)
            # The next one is not looked at before this one's events have left.
            await self._connection.drained()

    async def _authenticate(self, message: Mapping[str, Any]) -> None:
        token = message.get("token")
        if not isinstance(token, str) or not token:
            self._refuse(message, "malformed", "authenticate needs 'token' (string)")
            return
        try:
            answer = await self._session.renew(token)
        except TokenRefused as refusal:
            self._refuse(message, refusal.code, str(refusal))
            return
        if answer is not None:
            self._connection.post(answer)
            self._acknowledge(message)

    def _is_overloaded(self) -> bool:
        # A handler outlives its connection; a client that comes again and again must not gather them.
        return self._service.handling[self._connection.user_id] > self._service.factory.limits.connections_per_user

    def _handle(self, message: Mapping[str, Any]) -> Any:
        return self._service.on_message(self._manager, self._connection, message)  # type: ignore[misc]

    def _settle(self, message: Mapping[str, Any], exc: Exception | None) -> None:
        if exc is None:
            self._acknowledge(message)
        else:
            logger.error("handler failed; connection %s is closed", self._connection.connection_id, exc_info=exc)
            self._connection.condemn(INTERNAL_ERROR, "internal error")

    def _note_handling(self, change: int) -> None:
        handling, user_id = self._service.handling, self._connection.user_id
        handling[user_id] += change
        if not handling[user_id]:
            del handling[user_id]

    def _refuse_as_busy(self, message: Mapping[str, Any]) -> None:
        self._refuse(message, "busy", "earlier messages are still being handled; send this one again later")

    def _acknowledge(self, message: Mapping[str, Any]) -> None:
        if "ack" in message and type(message["ack"]) in (str, int):
            self._connection.post({"type": "ack", "ack": message["ack"]})

    def _refuse(self, message: Mapping[str, Any], code: str, text: str) -> None:
        self._service.refusals["message", code] += 1
        ack = message.get("ack")
        self._connection.post({**_error(code, text), **({"ack": ack} if type(ack) in (str, int) else {})})

    async def _ping(self) -> None:
        """Under a server whose pings are not these settings': ask a silent client for a sign of life.

        One that has answered before and does so no more is evicted; others may not know these messages.
        """
        settings, clock, connection = self._service.settings, self._service.factory.clock, self._connection
        while connection.active:
            await asyncio.sleep(settings.heartbeat_interval)
            silent = clock() - connection.last_seen
            if self._answers_pings and silent > settings.heartbeat_interval + settings.heartbeat_timeout:
                connection.evict(INTERNAL_ERROR, f"no answer to pings for {silent:.1f} s")
            elif silent >= settings.heartbeat_interval:
                connection.post({"type": "ping"})


def text_of(incoming: Mapping[str, Any], most: int) -> str:
    """Return the text of a message. Raises Refused for a binary one and for one longer than ``most`` bytes."""
    text = incoming.get("text")
    if not isinstance(text, str):
        raise Refused(UNSUPPORTED_DATA, "only text messages are understood")
    if len(text) > most or (len(text) * 4 > most and len(text.encode(errors="replace")) > most):
        raise Refused(TOO_LARGE, f"a message is longer than {most} bytes")
    return text


def parse(text: str) -> dict[str, Any] | None:
    """Return a client's message, None for what is no JSON object with a type."""
    try:
        message = loads(text)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and isinstance(message.get("type"), str) else None


def thread(named: Any) -> str | None:
    """Return the thread that a client names; None for all of them."""
    if not isinstance(named, str) or not named:
        return None
    if len(named) > LONGEST_THREAD_ID:
        raise Refused(POLICY_VIOLATION, f"a thread ID has more than {LONGEST_THREAD_ID} characters")
    return named


def position(source: Mapping[str, Any]) -> Position | None:
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


def unavailable(exc: BackplaneUnavailable) -> Refused:
    """Return what a client is told of a backplane that is away; what exactly and where is for the log."""
    logger.warning("a client is asked to come back later: %s", exc)
    return Refused(TRY_AGAIN_LATER, "events are unavailable; connect again later")


def _error(code: str, text: str) -> dict[str, Any]:
    return {"type": "error", "code": code, "message": text}
