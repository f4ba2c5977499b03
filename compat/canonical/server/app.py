"""The Starlette application: the WebSocket endpoint, health, readiness, metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ..errors import WebSocketComponentError
from ..factory import WebSocketManagerFactory
from ..settings import Settings
from .endpoint import WebSocketEndpoint
from .protocols import AuthenticatorProtocol, MessageHandler
from .service import WebSocketService

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response


def create_app(
    settings: Settings | None = None,
    *,
    factory: WebSocketManagerFactory | None = None,
    authenticator: AuthenticatorProtocol | None = None,
    on_message: MessageHandler | None = None,
) -> Starlette:
    """Return the application; mountable in another, FastAPI's included.

    ``app.state.service`` is its :class:`WebSocketService`, with ``factory`` to send from. ``on_message(manager,
    connection, message)`` is awaited for each client message that the server does not answer itself; what it raises
    closes that one connection with 1011.

    Raises
    ------
    WebSocketComponentError
        Starlette is not installed
    """
    try:
        from starlette.applications import Starlette
        from starlette.routing import Route, WebSocketRoute
    except ImportError as exc:
        raise WebSocketComponentError("the server needs Starlette: pip install 'netra-compat[server]'") from exc

    settings = settings or Settings.from_environ()
    service = WebSocketService(settings, factory=factory, authenticator=authenticator, on_message=on_message)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await service.start()
        yield
        await service.drain()

    app = Starlette(
        routes=[
            WebSocketRoute(settings.path, WebSocketEndpoint(service)),
            Route("/healthz", _Page(service, _alive), methods=["GET"]),
            Route("/readyz", _Page(service, _ready), methods=["GET"]),
            Route("/metrics", _Page(service, _metrics), methods=["GET"]),
        ],
        lifespan=lifespan,
    )
    app.state.service = service
    return app


class _Page:
    """A response made from the service, as an ASGI application."""

    def __init__(self, service: WebSocketService, respond: Any) -> None:
        self._service, self._respond = service, respond

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from starlette.requests import Request

        response = self._respond(self._service, Request(scope, receive))
        await response(scope, receive, send)


def _alive(service: WebSocketService, request: Request) -> Response:
    from starlette.responses import JSONResponse

    return JSONResponse({"status": "alive"})


def _ready(service: WebSocketService, request: Request) -> Response:
    from starlette.responses import JSONResponse

    health = service.health()
    # Anybody may read this page: what an error quotes (addresses, commands, user IDs) stays in health() and in the log.
    public = {name: health[name] for name in ("healthy", "draining", "managers", "connections")}
    public["backplane"] = {name: health["backplane"].get(name) for name in ("healthy", "kind")}
    return JSONResponse(public, status_code=200 if health["healthy"] else 503)


def _metrics(service: WebSocketService, request: Request) -> Response:
    from starlette.responses import PlainTextResponse
    from starlette.responses import Response as AnyResponse

    from ..metrics import render_metrics

    rendered = render_metrics(service.factory, service.authenticator)
    if rendered is None:
        return PlainTextResponse("metrics need prometheus-client: pip install 'netra-compat[prometheus]'\n", status_code=501)
    text, content_type = rendered
    return AnyResponse(text, media_type=content_type)
