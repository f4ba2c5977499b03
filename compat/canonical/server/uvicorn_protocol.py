"""uvicorn's WebSocket protocol, with what this core promises and ASGI has no words for.

``uvicorn module:app --ws compat.canonical.server.uvicorn_protocol:Protocol`` uses it; ``serve()`` does so by itself.

uvicorn ends a connection by ``transport.close()``, which first flushes a buffer that a peer that does not read never lets
drain: socket and megabytes of kernel buffers then stay for ever. This one aborts. It takes sizes and heartbeat from the
application, connection by connection, leaves the last word at shutdown to the application, and writes a text message
without a coroutine and a dict in between, which costs a third of what ASGI's way does.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any, Callable

from .sockets import ABORT_EXTENSION, AT_ONCE, CONFIGURE_EXTENSION, WRITE_EXTENSION

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
            # Compression doubles the CPU and triples the memory of each connection.
            self.conn.available_extensions = []
            self._on_shutdown: Callable[[], None] | None = None
            self._on_refusal: Callable[[int], None] | None = None
            self._paused = False  # as ``writable`` says, without a call

        def handle_connect(self, event: Any) -> None:
            super().handle_connect(event)
            scope: Any = getattr(self, "scope", None)
            if scope is not None:
                scope["extensions"][ABORT_EXTENSION] = self.abort
                scope["extensions"][WRITE_EXTENSION] = self.write_text
                scope["extensions"][CONFIGURE_EXTENSION] = self.configure

        def configure(
            self,
            max_bytes: int,
            ping_interval: float,
            ping_timeout: float,
            on_shutdown: Callable[[], None],
            on_refusal: Callable[[int], None],
        ) -> None:
            """Take the application's bounds in the place of the server's; ``on_shutdown()`` must end in a close.

            ``on_refusal(code)`` is called where a frame is refused before the application sees it.
            """
            conn: Any = self.conn
            conn.max_message_size = conn.max_size = max_bytes  # the second is its name before websockets 16
            self.ping_interval, self.ping_timeout = ping_interval, ping_timeout
            self._on_shutdown, self._on_refusal = on_shutdown, on_refusal

        def abort(self) -> None:
            """Free the connection now, what the kernel would still send for it included."""
            with contextlib.suppress(OSError, AttributeError):  # closed already, or no socket
                # An aborted transport closes its socket, and the kernel then goes on offering the rest to a peer that does not
                # take it, for minutes. Without lingering it resets the connection instead.
                self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            self.transport.abort()

        def write_text(self, text: str) -> bool:
            """Write a message now; False where it would have to wait, or the connection is not open."""
            transport = self.transport
            if self.close_sent or not self.handshake_complete or self._paused or transport.is_closing():
                return False
            payload = text.encode()
            size = len(payload)
            if size < 126:
                header = _SHORT(_TEXT, size)
            elif size < 65536:
                header = _MEDIUM(_TEXT, 126, size)
            else:
                header = _LONG(_TEXT, 127, size)
            transport.write(header + payload)
            return True

        async def send(self, message: Any) -> None:
            await self.writable.wait()
            if message["type"] == "websocket.send" and self.transport.is_closing():
                raise ClientDisconnected
            await super().send(message)
            if message["type"] == "websocket.close":
                self._abort_later()

        def pause_writing(self) -> None:
            self._paused = True
            self.writable.clear()

        def resume_writing(self) -> None:
            self._paused = False
            self.writable.set()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            # Whoever waits to write would wait for ever: a lost transport never resumes.
            self.writable.set()

        def keepalive_timeout(self) -> None:
            if self.read_paused:
                # The application is behind: the peer's answer may lie unread.
                self.pong_timer = self.loop.call_later(self.ping_timeout or 0.0, self.keepalive_timeout)
                return
            super().keepalive_timeout()
            self._abort_later()

        def shutdown(self) -> None:
            if self._on_shutdown is not None and self.handshake_complete and not self.close_sent:
                self._on_shutdown()
                return
            super().shutdown()
            self._abort_later()

        def handle_parser_exception(self) -> None:
            if self._on_refusal is not None and not self.close_sent and self.conn.close_sent is not None:
                self._on_refusal(self.conn.close_sent.code)
            super().handle_parser_exception()
            self._abort_later()

        def _abort_later(self) -> None:
            if not self.transport.is_closing() or self.transport.get_write_buffer_size():
                self.loop.call_later(close_timeout, self.abort)

    return AbortableProtocol if hasattr(WebSocketsSansIOProtocol, "start_keepalive") else _with_heartbeat(AbortableProtocol)


def _with_heartbeat(protocol: Any) -> Any:
    """Add the pings that uvicorn before 0.40 does not send with this protocol."""

    class HeartbeatProtocol(protocol):  # type: ignore[misc]
        ping_interval = ping_timeout = None
        _heard = 0.0
        _ping_timer: Any = None

        def data_received(self, data: bytes) -> None:
            self._heard = self.loop.time()
            if self._ping_timer is None:
                self._begin_pings()
            super().data_received(data)

        def configure(self, *args: Any, **kwargs: Any) -> None:
            super().configure(*args, **kwargs)
            self._begin_pings()

        def _begin_pings(self) -> None:
            if self._ping_timer is not None:
                self._ping_timer.cancel()
            interval = self.ping_interval or self.config.ws_ping_interval
            self._ping_timer = self.loop.call_later(interval, self._ping) if interval else None

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self._ping_timer is not None:
                self._ping_timer.cancel()

        def _ping(self) -> None:
            if self.transport.is_closing():
                return
            interval = self.ping_interval or self.config.ws_ping_interval
            patience = interval + (self.ping_timeout or self.config.ws_ping_timeout or interval)
            if self.loop.time() - self._heard > patience and not self.read_paused:
                self.abort()
                return
            if self.handshake_complete and not self.close_sent:
                self.conn.send_ping(b"")
                self.transport.write(b"".join(self.conn.data_to_send()))
            self._begin_pings()

    return HeartbeatProtocol


def __getattr__(name: str) -> Any:
    if name != "Protocol":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return abortable_protocol(5.0)
