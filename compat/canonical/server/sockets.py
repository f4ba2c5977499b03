"""A WebSocket as ASGI hands it over, as an object that connections can use; and what its server can do beyond ASGI."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Mapping, MutableMapping
from typing import Any, Callable

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: The key under ``scope["extensions"]`` where a server offers to free a connection without waiting for its peer.
ABORT_EXTENSION = "compat.abort"
#: Where it offers ``write(text) -> bool``, which writes a text message at once, or not at all (False).
WRITE_EXTENSION = "compat.write_text"
#: Where it offers ``configure(max_bytes, ping_interval, ping_timeout, on_shutdown, on_refusal)`` for this one connection.
CONFIGURE_EXTENSION = "compat.configure"
_LONGEST_REASON = 123  # bytes: what a close frame has room for
_DESCRIPTORS = next((path for path in ("/proc/self/fd", "/dev/fd") if os.path.isdir(path)), "")
#: linger: on, for 0 seconds. The kernel then drops what a peer does not take, instead of offering it for minutes.
AT_ONCE = struct.pack("ii", 1, 0)


class AsgiSocket:
    """Text in, text out, close; without the state machine of a framework's object, which costs a third of a send."""

    __slots__ = ("_closed", "_extensions", "_receive", "_send", "scope", "write_now")

    prefers_text = True

    def __init__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self._closed = False
        self._extensions: Mapping[str, Any] = scope.get("extensions") or {}
        self.write_now: Callable[[str], bool] | None = self._extensions.get(WRITE_EXTENSION)

    @property
    def configure(self) -> Callable[..., None] | None:
        """Set size, heartbeat and what to do at shutdown for this connection; None where the server does not offer it."""
        return self._extensions.get(CONFIGURE_EXTENSION)

    @property
    def abort(self) -> Callable[[], None] | None:
        """Free socket and buffers at once; None where neither the server nor the operating system offers it."""
        offered: Callable[[], None] | None = self._extensions.get(ABORT_EXTENSION)
        return offered if offered is not None or not self.has_descriptor else self._cut_soon

    @property
    def has_descriptor(self) -> bool:
        """Whether the connection can be found among the open files of this process, by its two addresses."""
        ends = self.scope.get("client"), self.scope.get("server")
        return bool(_DESCRIPTORS) and all(isinstance(end, (list, tuple)) and len(end) > 1 and _is_port(end[1]) for end in ends)

    def send_text(self, text: str) -> Awaitable[None] | None:
        """Send one text message; None if it is written already."""
        if self.write_now is not None and self.write_now(text):
            return None
        return self._send({"type": "websocket.send", "text": text})

    async def accept(self, subprotocol: str | None = None) -> None:
        """Complete the handshake."""
        await self._send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": []})

    def receive(self) -> Awaitable[Message]:
        """Return the next ASGI message."""
        return self._receive()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close; before :meth:`accept` the peer sees HTTP 403. Idempotent."""
        if not self._closed:
            self._closed = True
            fitting = reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
            await self._send({"type": "websocket.close", "code": code, "reason": fitting})

    def _cut_soon(self) -> None:
        # In a thread: with thousands of connections the search takes milliseconds.
        asyncio.get_running_loop().run_in_executor(None, cut, self.scope["client"], self.scope["server"])


def _is_port(value: Any) -> bool:
    return str(value or "").isdecimal() and int(value) > 0


def cut(client: Any, server: Any) -> bool:
    """Shut down the connection between two addresses, whatever server in this process holds it; return whether it was found.

    The server's transport sees a broken connection and lets go of it, and of what it still wanted to write.
    """
    peer, port = (client[0], int(client[1])), int(server[1])  # some servers write ports as text
    for name in os.listdir(_DESCRIPTORS):
        try:
            link = socket.socket(fileno=os.dup(int(name)))
        except (OSError, ValueError):
            continue  # closed meanwhile, or no socket
        with link:
            try:
                if link.getpeername()[:2] == peer and link.getsockname()[1] == port:
                    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                    link.shutdown(socket.SHUT_RDWR)
                    return True
            except (OSError, IndexError):
                continue
    return False
