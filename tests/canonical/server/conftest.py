"""A server with real sockets for the tests of this folder."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

SECRET = "a secret of at least thirty-two bytes"


class Running:
    """A server on a free port, in the test's loop."""

    def __init__(self, app: Any, settings: Any) -> None:
        self.app, self.settings = app, settings
        self.service = app.state.service
        self.factory = self.service.factory

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.settings.port}"

    def connect(self, query: str = "", user: str = "u", **options: Any) -> Any:
        import websockets

        headers = {"Authorization": f"Bearer {token(user)}"}
        return websockets.connect(f"ws://{self.address}/ws{query}", additional_headers=headers, **options)

    def manager(self, user: str = "u") -> Any:
        return self.factory.get(SimpleNamespace(user_id=user))


def token(user: str = "u", seconds: float = 3600) -> str:
    import jwt

    return jwt.encode({"sub": user, "exp": time.time() + seconds}, SECRET, "HS256")


@contextlib.asynccontextmanager
async def _running(on_message: Any = None, factory: Any = None, **changes: Any):
    from compat.canonical import Settings, create_app
    from compat.canonical.server.serve import build_server, listen

    listener = listen("127.0.0.1", 0, 10)
    settings = Settings(**{"jwt_secret": SECRET, "port": listener.getsockname()[1], "environment": "test", **changes})
    app = create_app(settings, on_message=on_message, factory=factory)
    server = build_server(settings, app, log_level="info")
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        yield Running(app, settings)
    finally:
        server.should_exit = True
        await serving
        listener.close()


@pytest.fixture
def running() -> Any:
    """``async with running(on_message, **settings) as server``: the core under uvicorn, as serve() has it."""
    for module in ("starlette", "uvicorn", "websockets", "jwt"):
        pytest.importorskip(module, reason=f"{module} is in the server extra")
    return _running


class Client:
    """What the tests ask of a WebSocket client."""

    def __init__(self, link: Any) -> None:
        self.link = link

    async def say(self, **message: Any) -> None:
        await self.link.send(json.dumps(message))

    async def hear(self, kind: str = "") -> dict[str, Any]:
        """The next message, or the next of a kind."""
        while True:
            message = json.loads(await asyncio.wait_for(self.link.recv(), 20))
            if not kind or message["type"] == kind:
                return message

    async def closed(self) -> tuple[int, str]:
        from websockets.exceptions import ConnectionClosed

        with pytest.raises(ConnectionClosed) as caught:
            while True:
                await asyncio.wait_for(self.link.recv(), 20)
        frame = caught.value.rcvd
        return (frame.code, frame.reason) if frame is not None else (1006, "")


@pytest.fixture
def client_of() -> type[Client]:
    return Client
