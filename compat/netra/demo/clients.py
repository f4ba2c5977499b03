"""Real WebSocket clients of the demo: one per user, each with a token of its own, each remembering what it received."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any


def token_for(user_id: str, secret: str, issuer: str, audience: str) -> str:
    """A signed token that lets ``user_id`` in for five minutes."""
    import jwt

    now = int(time.time())
    claims = {"sub": user_id, "iat": now, "exp": now + 300, "iss": issuer, "aud": audience}
    return str(jwt.encode(claims, secret, algorithm="HS256"))


class Client:
    """One user's connection to the server under test."""

    def __init__(self, url: str, user_id: str, token: str) -> None:
        self.url, self.user_id, self.token = url, user_id, token
        self.received: list[dict[str, Any]] = []
        self.welcomed = asyncio.Event()
        self._socket: Any = None
        self._reader: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Open the connection; the token goes with the handshake's subprotocols."""
        import websockets

        self._socket = await websockets.connect(self.url, subprotocols=[f"jwt.{self.token}"], compression=None)  # type: ignore[list-item]
        self._reader = asyncio.create_task(self._read())
        await asyncio.wait_for(self.welcomed.wait(), 5)

    async def _read(self) -> None:
        import websockets

        try:
            async for text in self._socket:
                message = json.loads(text)
                self.received.append(message)
                self.welcomed.set()
        except websockets.ConnectionClosed:
            pass

    def events(self, kinds: tuple[str, ...]) -> list[dict[str, Any]]:
        """What was received of the given types, in order."""
        return [message for message in self.received if message.get("type") in kinds]

    async def close(self) -> None:
        """Close the connection and end its reader."""
        await self._socket.close()
        if self._reader is not None:
            await self._reader


async def is_refused(url: str, token: str) -> bool:
    """Whether the server refuses a connection with this token before it is open."""
    import websockets

    try:
        socket = await websockets.connect(url, subprotocols=[f"jwt.{token}"], compression=None)  # type: ignore[list-item]
    except (websockets.InvalidHandshake, websockets.InvalidMessage, OSError):
        return True
    try:
        await asyncio.wait_for(socket.recv(), 5)
    except websockets.ConnectionClosed as closed:
        return closed.rcvd is not None and closed.rcvd.code == 1008
    finally:
        await socket.close()
    return False
