"""uvicorn's HTTP protocol with a limit on how long a client may take for the head of a request, from the first byte on."""

from __future__ import annotations

from typing import Any


def head_timeout_protocol(seconds: float) -> Any:
    """Return a protocol class for uvicorn's ``http=``: uvicorn itself limits only the time between requests."""
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    base: Any = AutoHTTPProtocol

    class HeadTimeoutProtocol(base):  # type: ignore[misc]
        _head_timer: Any = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._head_timer = self.loop.call_later(seconds, transport.abort)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if not self._is_in_head():
                self._end_head()
            elif self._head_timer is None:
                self._head_timer = self.loop.call_later(seconds, self.transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            self._end_head()
            super().connection_lost(exc)

        def _is_in_head(self) -> bool:
            # After an upgrade the transport has another protocol.
            own = self.transport.get_protocol() is self and not self.transport.is_closing()
            return own and (self.cycle is None or self.cycle.response_complete)

        def _end_head(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

    return HeadTimeoutProtocol
