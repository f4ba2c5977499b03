"""What lies between a client and the core in tests: a real server, and a wire that is cut, stands still, or is half open."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

#: What a stage serves besides, by path: the file and its type.
FILES: dict[str, tuple[Any, str]] = {}
SECRET = "a secret of at least thirty-two bytes"


class Wire:
    """A TCP proxy before a server. What was silenced or half closed once never speaks again."""

    def __init__(self) -> None:
        self.target = 0
        self.mode = "pass"  # or "refuse": new connections are reset; "hole": they are taken, and nothing comes
        self.accepted = 0
        self._links: set[Link] = set()
        self._server: Any = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Wire:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        self.mode = "refuse"
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)

    @property
    def port(self) -> int:
        return self._server.sockets[0].getsockname()[1]

    @property
    def live(self) -> int:
        """How many connections there are."""
        return len(self._links)

    def cut(self) -> int:
        """Reset all connections; return how many there were."""
        links = tuple(self._links)
        for link in links:
            link.down.transport.abort()
            link.up.transport.abort()
        return len(links)

    def silence(self) -> None:
        """Let nothing pass on the present connections, in either direction, without ending them."""
        for link in self._links:
            link.is_silent = True

    def half_close(self) -> None:
        """End the present connections for the server, and not for the client."""
        for link in self._links:
            link.is_silent = True
            link.up.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.current_task())
        self.accepted += 1
        try:
            if self.mode == "refuse":
                writer.transport.abort()
            elif self.mode == "hole":
                while await reader.read(65536):
                    pass
            else:
                await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(asyncio.current_task())

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
        link = Link(writer, up_writer)
        self._links.add(link)
        try:
            up, down = (asyncio.ensure_future(pump) for pump in (link.pump(reader, up_writer), link.pump(up_reader, writer)))
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            if link.is_silent:
                await up  # the client's side stays open until the client ends it
            for pump in (up, down):
                pump.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
        finally:
            self._links.discard(link)
            up_writer.transport.abort()


class Link:
    """One connection through the wire."""

    def __init__(self, down: asyncio.StreamWriter, up: asyncio.StreamWriter) -> None:
        self.down, self.up, self.is_silent = down, up, False

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if not self.is_silent:
                    writer.write(data)
                    await writer.drain()


class Stage:
    """A server behind a wire, and what its application has been asked to do."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.handled: Counter[Any] = Counter()
        self.release = asyncio.Event()
        self.sent: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()
        self.token_seconds = 3600.0
        self.app: Any = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.wire.port}/ws"

    @property
    def origin(self) -> str:
        """Of the server itself, not of the wire: pages and tokens come from there."""
        return f"http://127.0.0.1:{self.app.state.service.settings.port}"

    @property
    def factory(self) -> Any:
        return self.app.state.service.factory

    def manager(self, user: str = "u") -> Any:
        return self.factory.get(SimpleNamespace(user_id=user))

    def connections(self, user: str = "u") -> list[Any]:
        return list(self.manager(user)._stream.connections.values())

    async def publish(self, user: str = "u", **more: Any) -> None:
        """Send one numbered event."""
        n = self.sent[user]
        self.sent[user] += 1
        await self.manager(user).send({"type": "note", "owner": user, "n": n, **more})

    def token(self, user: str = "u") -> str:
        import jwt

        self.tokens[user] += 1
        now = time.time()
        return jwt.encode({"sub": user, "iat": now, "exp": now + self.token_seconds, "jti": str(now)}, SECRET, "HS256")

    async def handle(self, manager: Any, connection: Any, message: Any) -> None:
        self.handled[message.get("n")] += 1
        if message["type"] == "wait":
            await self.release.wait()
        elif message["type"] == "fail":
            raise RuntimeError("asked to fail")

    async def answer_token(self, request: Any) -> Any:
        from starlette.responses import PlainTextResponse

        return PlainTextResponse(self.token(request.query_params.get("user", "u")), headers={"Access-Control-Allow-Origin": "*"})


async def until(condition: Any, seconds: float = 30) -> None:
    """Wait until a condition, awaitable or not, holds."""
    deadline = time.monotonic() + seconds
    while True:
        holds = condition()
        if asyncio.iscoroutine(holds):
            holds = await holds
        if holds:
            return
        assert time.monotonic() < deadline, "it never came to that"
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def staged(*, handles: bool = True, **changes: Any) -> AsyncIterator[Stage]:
    """A running server with a wire before it."""
    from starlette.responses import FileResponse
    from starlette.routing import Route

    from compat.canonical import Settings, create_app
    from compat.canonical.factory import set_websocket_manager_factory
    from compat.canonical.server.serve import build_server, listen

    before = set_websocket_manager_factory(None)
    listener = listen("127.0.0.1", 0, 10)
    port = listener.getsockname()[1]
    async with Wire() as wire:
        wire.target = port
        stage = Stage(wire)
        changes = {"allowed_origins": (f"http://127.0.0.1:{port}",), **changes}
        settings = Settings(**{"jwt_secret": SECRET, "port": port, "environment": "test", **changes})
        app = stage.app = create_app(settings, on_message=stage.handle if handles else None)
        app.router.routes.append(Route("/token", stage.answer_token))
        for path, (file, kind) in FILES.items():
            app.router.routes.append(Route(path, lambda request, file=file, kind=kind: FileResponse(file, media_type=kind)))
        server = build_server(settings, app, log_level="critical")
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        try:
            yield stage
        finally:
            stage.release.set()
            server.should_exit = True
            await serving
            listener.close()
            set_websocket_manager_factory(before)
