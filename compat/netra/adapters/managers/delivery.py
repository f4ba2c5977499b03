"""The one way of a legacy manager's messages: through the user's canonical manager, and waited for as they always were."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, NamedTuple

from compat.canonical.core.codec import dumps
from compat.canonical.core.events import Delivery
from compat.canonical.core.manager import UnifiedWebSocketManager

_CLOSED = ("DISCONNECTED", "CLOSED")

Place = tuple[str, int]
"""Epoch and number: where the core has a message."""


class Socket:
    """What a canonical connection writes to: the record's present socket, as it takes messages."""

    def __init__(self, record: Any) -> None:
        self.record = record

    def send_json(self, message: Any) -> Any:
        """Send through ``send_json``, or as text through what there is."""
        websocket = self.record.websocket
        if websocket is None:
            raise ConnectionError(f"connection {self.record.connection_id} has no socket")
        send = getattr(websocket, "send_json", None)
        if send is not None:
            return send(message)
        send_text = getattr(websocket, "send_text", None) or websocket.send
        return send_text(dumps(message))

    def close(self, code: int = 1000, reason: str = "") -> Any:
        """Close the socket where it can be closed."""
        close = getattr(self.record.websocket, "close", None)
        return close(code=code, reason=reason) if close is not None else None


def is_open(record: Any) -> bool:
    """Whether a connection has a socket that does not say that it is closed."""
    websocket = getattr(record, "websocket", None)
    if websocket is None:
        return False
    for state in ("client_state", "application_state", "state"):
        name = getattr(getattr(websocket, state, None), "name", None)
        if isinstance(name, str) and name.upper() in _CLOSED:
            return False
    return getattr(websocket, "closed", False) is not True


class Sent(NamedTuple):
    """What became of one message: how many connections took it, and where the core has it."""

    took: int
    places: tuple[Place, ...]


async def deliver(manager: UnifiedWebSocketManager, sending: Awaitable[Delivery]) -> Sent:
    """Await what sends through ``manager``, then the sockets that legacy code attached, whose results its callers look at.

    A client of the canonical server is not waited for; nor is a peer that reads nothing, for longer than the limits say.
    """
    held = [connection for connection in manager.connections.values() if isinstance(connection.websocket, Socket)]
    delivery = await sending
    alive = [connection for connection in held if connection.active]
    slow = [connection.drained() for connection in alive if connection.writing]
    if slow:
        await asyncio.gather(*slow)
    lost = sum(not connection.active for connection in alive)
    return Sent(max(0, delivery.receivers - lost), ((delivery.epoch, delivery.seq),))
