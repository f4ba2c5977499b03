"""What of this core's promises holds under the server that runs it; ASGI alone has words for half of them."""

from __future__ import annotations

import sys
from typing import Any

from ..core.logged import get_logger
from .signals import DrainingSignals
from .sockets import AsgiSocket

logger = get_logger(__name__)

PROTOCOL = "compat.canonical.server.uvicorn_protocol:Protocol"


class Capabilities:
    """The promises, each with how it is kept; known from the first connection on, and then logged once."""

    def __init__(self, signals: DrainingSignals) -> None:
        self._signals = signals
        self._socket: AsgiSocket | None = None

    def note(self, socket: AsgiSocket) -> None:
        """Look at the first connection; all of them come from one server."""
        if self._socket is not None:
            return
        self._socket = socket
        missing = {name: how for name, (holds, how) in self._table().items() if not holds}
        if missing:
            said = "; ".join(f"{name}: {how}" for name, how in missing.items())
            logger.warning("this server does not keep all promises: %s. Under uvicorn, --ws %s keeps them", said, PROTOCOL)

    def report(self) -> dict[str, Any]:
        """Return ``{promise: {"holds": bool or None, "how": text}}``; None before the first connection."""
        return {name: {"holds": holds, "how": how} for name, (holds, how) in self._table().items()}

    def _table(self) -> dict[str, tuple[bool | None, str]]:
        socket = self._socket
        if socket is None:
            return dict.fromkeys(("message_size", "heartbeat", "eviction", "drain"), (None, "known from the first connection on"))
        if socket.configure is not None:
            return {
                "message_size": (True, "the frame's head is refused with 1009"),
                "heartbeat": (True, "ping frames"),
                "eviction": (True, "the transport is aborted"),
                "drain": (True, "closes with 1001 before the server does"),
            }
        return {
            "message_size": (True, "refused with 1009 once the server has read it, up to the server's own limit"),
            "heartbeat": (True, "JSON pings; a client that has answered one is held to it, for others the server's own apply"),
            "eviction": self._eviction(socket),
            "drain": (True, "SIGTERM closes with 1001 before the server hears of it")
            if self._signals.attached
            else (False, "the server's own close code: no signal handler was found to come before"),
        }

    def _eviction(self, socket: AsgiSocket) -> tuple[bool, str]:
        if "granian" in sys.modules:
            return False, "the server takes without limit what a client does not read, and nobody here sees it"
        if not socket.has_descriptor:
            return False, "the socket stays until the server lets go: the peer's address is not that of the connection"
        return True, "the socket is shut down by its file descriptor"
