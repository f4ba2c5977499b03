"""uvicorn's WebSocket protocol, able to let go of a peer that does not read.

uvicorn ends a connection by ``transport.close()``, which first flushes a buffer that such a peer never lets drain; the
socket, and megabytes of kernel buffers, then stay for ever. It also writes a text message without a coroutine and a dict in
between, which costs a third of what ASGI's way does.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any

from ..core.sockets import ABORT_EXTENSION, WRITE_EXTENSION

_TEXT = 0x81  # a whole text message in one frame
_AT_ONCE = struct.pack("ii", 1, 0)  # linger: on, for 0 seconds
_SHORT = struct.Struct("!BB").pack
_MEDIUM = struct.Struct("!BBH").pack
_LONG = struct.Struct("!BBQ").pack


def abortable_protocol(close_timeout: float) -> Any:
    """Return a protocol class for uvicorn's ``ws=``; peers get ``close_timeout`` seconds to take a close frame.

    On a uvicorn without the sans-IO protocol, return the name of its own choice: eviction is then the kernel's, by
    TCP_USER_TIMEOUT.
    """
    try:
        from uvicorn.protocols.utils import ClientDisconnected
        from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
        from websockets.frames import Opcode
        from websockets.server import ServerProtocol
    except ImportError:
        return "auto"

    class LenientProtocol(ServerProtocol):
        """Takes a close frame within a fragmented message for what it is, a close, and answers with its code."""

        current_size: int | None
        cur_size: int | None  # the name before websockets 16

        def recv_frame(self, frame: Any) -> None:
            if frame.opcode is Opcode.CLOSE:
                self.current_size = self.cur_size = None
            super().recv_frame(frame)

    class AbortableProtocol(WebSocketsSansIOProtocol):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            # The library's debug log has every header, tokens among them.
            self.conn.debug = False
            # uvicorn makes its connection itself, and offers no other way to choose its class.
            self.conn.__class__ = LenientProtocol

        def handle_connect(self, event: Any) -> None:
            super().handle_connect(event)
            scope: Any = getattr(self, "scope", None)
            if scope is not None:
                scope["extensions"][ABORT_EXTENSION] = self.abort
                if not self.config.ws_per_message_deflate:
                    scope["extensions"][WRITE_EXTENSION] = self.write_text

        def abort(self) -> None:
            """Free the connection now, what the kernel would still send for it included."""
            with contextlib.suppress(OSError, AttributeError):  # closed already, or no socket
                # An aborted transport closes its socket, and the kernel then goes on offering the rest to a peer that does not
                # take it, for minutes. Without lingering it resets the connection instead.
                self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            self.transport.abort()

        def write_text(self, text: str) -> bool:
            """Write a message now; False where it would have to wait, or the connection is not open."""
            if not self.writable.is_set() or self.close_sent or not self.handshake_complete or self.transport.is_closing():
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

        async def send(self, message: Any) -> None:
            await self.writable.wait()
            if message["type"] == "websocket.send" and self.transport.is_closing():
                raise ClientDisconnected
            await super().send(message)
            if message["type"] == "websocket.close":
                self._abort_later()

        def pause_writing(self) -> None:
            self.writable.clear()

        def resume_writing(self) -> None:
            self.writable.set()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            # Whoever waits to write would wait for ever: a lost transport never resumes.
            self.writable.set()

        def keepalive_timeout(self) -> None:
            super().keepalive_timeout()
            self._abort_later()

        def shutdown(self) -> None:
            super().shutdown()
            self._abort_later()

        def handle_parser_exception(self) -> None:
            super().handle_parser_exception()
            self._abort_later()

        def _abort_later(self) -> None:
            if not self.transport.is_closing() or self.transport.get_write_buffer_size():
                self.loop.call_later(close_timeout, self.abort)

    return AbortableProtocol if hasattr(WebSocketsSansIOProtocol, "start_keepalive") else _with_heartbeat(AbortableProtocol)


def _with_heartbeat(protocol: Any) -> Any:
    """Add the pings that uvicorn before 0.40 does not send with this protocol."""

    class HeartbeatProtocol(protocol):  # type: ignore[misc]
        _heard = 0.0
        _ping_timer: Any = None

        def data_received(self, data: bytes) -> None:
            self._heard = self.loop.time()
            if self._ping_timer is None and self.config.ws_ping_interval:
                self._ping_timer = self.loop.call_later(self.config.ws_ping_interval, self._ping)
            super().data_received(data)

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self._ping_timer is not None:
                self._ping_timer.cancel()

        def _ping(self) -> None:
            if self.transport.is_closing():
                return
            if self.loop.time() - self._heard > self.config.ws_ping_interval + self.config.ws_ping_timeout:
                self.abort()
                return
            if self.handshake_complete and not self.close_sent:
                self.conn.send_ping(b"")
                self.transport.write(b"".join(self.conn.data_to_send()))
            self._ping_timer = self.loop.call_later(self.config.ws_ping_interval, self._ping)

    return HeartbeatProtocol
