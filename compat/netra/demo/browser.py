"""``compat demo --browser``: a page with two users side by side, whose connections can be cut."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

USERS = ("ann", "ben")
TOKEN_SECONDS = 60  # short, so that the page shows tokens renewed
PAUSE = 0.9  # seconds between two steps of an answer: time enough to cut a connection
HERE = Path(__file__).parent
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' ws:; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Demo:
    """The core with an application that answers questions slowly, and a hand on each user's cable."""

    def __init__(self, port: int) -> None:
        from compat.canonical import Limits, Settings, WebSocketManagerFactory, create_app

        self._secret = secrets.token_hex(32)
        origins = tuple(f"http://{host}:{port}" for host in ("127.0.0.1", "localhost"))
        # As it is, whatever this machine's variables say of other servers.
        self.settings = Settings(
            environment="local", port=port, jwt_secret=self._secret, allowed_origins=origins, heartbeat_interval=5.0
        )
        factory = WebSocketManagerFactory(Limits())
        self._core = create_app(self.settings, factory=factory, on_message=self._answer)
        self._factory = factory
        self._cut: set[str] = set()
        self.app = self._application()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request; a user whose cable is cut gets no connection."""
        if scope["type"] == "websocket" and any(f"who={user}".encode() in scope["query_string"] for user in self._cut):
            await receive()
            await send({"type": "websocket.close", "code": 1013})
            return
        await self.app(scope, receive, send)

    def _application(self) -> Any:
        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.middleware.trustedhost import TrustedHostMiddleware
        from starlette.responses import FileResponse
        from starlette.routing import Mount, Route

        from compat.canonical.client import javascript

        files = {
            "/": (HERE / "page.html", "text/html"),
            "/page.js": (HERE / "page.js", "text/javascript"),
            "/page.css": (HERE / "page.css", "text/css"),
            "/client.js": (javascript(), "text/javascript"),
        }

        def file(path: Path, kind: str) -> Any:
            return lambda request: FileResponse(path, media_type=kind, headers=HEADERS)

        return Starlette(
            routes=[
                *(Route(path, file(*found), methods=["GET"]) for path, found in files.items()),
                Route("/token/{user}", self._token, methods=["POST"]),
                Route("/cable/{user}/{state}", self._cable, methods=["POST"]),
                Mount("/", self._core),
            ],
            # A name that another site gave this address would let that site ask for tokens.
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
            lifespan=self._core.state.service.lifespan,
        )

    async def _token(self, request: Request) -> Response:
        """A token for a minute: the demo knows both users and asks neither for a password."""
        import jwt
        from starlette.responses import PlainTextResponse

        user = request.path_params["user"]
        if user not in USERS:
            return PlainTextResponse("no such user\n", status_code=404)
        now = int(time.time())
        claims = {"sub": user, "iat": now, "exp": now + TOKEN_SECONDS, "jti": secrets.token_hex(8)}
        return PlainTextResponse(jwt.encode(claims, self._secret, "HS256"), headers=HEADERS)

    async def _cable(self, request: Request) -> Response:
        """Cut a user's connections, without a close frame, and let none through until it is mended."""
        from starlette.responses import PlainTextResponse

        user, state = request.path_params["user"], request.path_params["state"]
        if user not in USERS or state not in ("cut", "mended"):
            return PlainTextResponse("no such user, or no such state\n", status_code=404)
        if state == "mended":
            self._cut.discard(user)
            return PlainTextResponse("mended\n", headers=HEADERS)
        self._cut.add(user)
        for connection in self._factory.connections(user):
            if connection.abort is not None:
                connection.abort()
        return PlainTextResponse("cut\n", headers=HEADERS)

    async def _answer(self, manager: Any, connection: Any, message: Any) -> None:
        """Answer a question in steps, each an event to its user, connected or not."""
        question = str(message.get("text", ""))[:200]
        steps = (
            ("agent_started", f"Working on “{question}”"),
            ("agent_thinking", "Reading the question"),
            ("tool_executing", "Searching the archive"),
            ("agent_thinking", "Reading twelve documents"),
            ("tool_completed", "Three results"),
            ("agent_thinking", "Weighing them"),
            ("agent_completed", f"The answer for {manager.user_id.title()}: 42"),
        )
        for number, (kind, text) in enumerate(steps):
            if number:
                await asyncio.sleep(PAUSE)
            await manager.emit(kind, {"text": text, "owner": manager.user_id})


def serve(port: int) -> int:
    """Serve the page until Ctrl-C; return the exit code."""
    from compat.canonical.server.serve import build_server, listen

    try:
        listener = listen("127.0.0.1", port, 10.0)
    except OSError as error:
        sys.stderr.write(f"compat demo: port {port} cannot be used ({error.strerror}); write --port 0 for a free one\n")
        return 2
    with contextlib.closing(listener), contextlib.suppress(KeyboardInterrupt):
        demo = Demo(listener.getsockname()[1])
        server = build_server(demo.settings, demo, log_level="error")
        sys.stdout.write(f"Two users side by side: http://127.0.0.1:{demo.settings.port}/ (Ctrl-C ends)\n")
        sys.stdout.flush()
        asyncio.run(server.serve(sockets=[listener]))
    return 0
