"""uvicorn's WebSocket protocol, able to let go of a peer that does not read.

uvicorn ends a connection by ``transport.close()``, which first flushes a buffer that such a peer never lets drain; the
socket, and megabytes of kernel buffers, then stay for ever. It also writes a text message without a coroutine and a dict in
between, which costs a third of what ASGI's way does.
"""

from __future__ import annotations

import struct
from typing import Any

from .sockets import ABORT_EXTENSION, WRITE_EXTENSION

_TEXT = 0x81  # a whole text message in one frame
_SHORT = struct.Struct("!BB").pack
_MEDIUM = struct.Struct("!BBH").pack
_LONG = struct.Struct("!BBQ").pack


def abortable_protocol(close_timeout: float) -> Any:
    """Return a protocol class for uvicorn's ``ws=``; peers get ``close_timeout`` seconds to take a close frame.

    On a uvicorn without the sans-IO protocol, return the name of its own choice: eviction is then the kernel's, by
    TCP_USER_TIMEOUT.
    """
    try:
        from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
        from websockets.protocol import State
    except ImportError:
        return "auto"

    class AbortableProtocol(WebSocketsSansIOProtocol):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            # The library's debug log has every header, tokens among them.
            self.conn.debug = False

        def handle_connect(self, event: Any) -> None:
            super().handle_connect(event)
            scope: Any = getattr(self, "scope", None)
            if scope is not None:
                scope["extensions"][ABORT_EXTENSION] = self.transport.abort
                if not self.config.ws_per_message_deflate:
                    scope["extensions"][WRITE_EXTENSION] = self.write_text

        def write_text(self, text: str) -> bool:
            """Write a message now; False where it would have to wait, or the connection is not open."""
            if (
                not self.writable.is_set()
                or self.close_sent
                or self.disconnected
                or self.conn.state is not State.OPEN
                or not self.handshake_complete
            ):
                return False
            payload = text.encode()
            size = len(payload)
            if size < 126:
                header = _SHORT(_TEXT, size)
            elif size < 65536:
                header = _MEDIUM(_TEXT, 126, size)
            else:
                header = _LONG(_TEXT, 127, size)
            self.transport.write(header + payload)
            return True

        def keepalive_timeout(self) -> None:
            super().keepalive_timeout()
            self.loop.call_later(close_timeout, self.transport.abort)

        def shutdown(self) -> None:
            super().shutdown()
            self.loop.call_later(close_timeout, self.transport.abort)

        async def send(self, message: Any) -> None:
            await super().send(message)
            if message["type"] == "websocket.close" and not self.disconnected:
                self.loop.call_later(close_timeout, self.transport.abort)

        def handle_parser_exception(self) -> None:
            super().handle_parser_exception()
            self.loop.call_later(close_timeout, self.transport.abort)

    return AbortableProtocol
