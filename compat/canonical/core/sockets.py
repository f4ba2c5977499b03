"""A WebSocket as ASGI hands it over, as an object that connections can use."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, MutableMapping
from typing import Any, Callable

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: The key under ``scope["extensions"]`` where a server offers to free a connection without waiting for its peer.
ABORT_EXTENSION = "compat.abort"
#: Where it offers ``write(text) -> bool``, which writes a text message at once, or not at all (False).
WRITE_EXTENSION = "compat.write_text"
_LONGEST_REASON = 123  # bytes: what a close frame has room for


class AsgiSocket:
    """Text in, text out, close; without the state machine of a framework's object, which costs a third of a send."""

    __slots__ = ("_closed", "_receive", "_send", "scope", "write_now")

    prefers_text = True

    def __init__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self._closed = False
        self.write_now: Callable[[str], bool] | None = (scope.get("extensions") or {}).get(WRITE_EXTENSION)

    @property
    def abort(self) -> Callable[[], None] | None:
        """Free socket and buffers at once; None where the server does not offer it."""
        return (self.scope.get("extensions") or {}).get(ABORT_EXTENSION)

    def send_text(self, text: str) -> Awaitable[None] | None:
        """Send one text message; None if it is written already."""
        if self.write_now is not None and self.write_now(text):
            return None
        return self._send({"type": "websocket.send", "text": text})

    async def accept(self, subprotocol: str | None = None) -> None:
        """Complete the handshake."""
        await self._send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": []})

    async def receive(self) -> Message:
        """Return the next ASGI message."""
        return await self._receive()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close; before :meth:`accept` the peer sees HTTP 403. Idempotent."""
        if not self._closed:
            self._closed = True
            fitting = reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
            await self._send({"type": "websocket.close", "code": code, "reason": fitting})
