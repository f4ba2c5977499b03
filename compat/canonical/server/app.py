"""The Starlette application: the WebSocket endpoint, health, readiness, metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import WebSocketComponentError
from ..factory import WebSocketManagerFactory
from ..settings import Settings
from .doors import broadcast, connections, disconnect, publish, revoke
from .endpoint import WebSocketEndpoint
from .pages import Page, alive, metrics, ready
from .protocols import AuthenticatorProtocol, MessageHandler
from .service import WebSocketService

if TYPE_CHECKING:
    from starlette.applications import Starlette


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

    app = Starlette(
        routes=[
            WebSocketRoute(settings.path, WebSocketEndpoint(service)),
            Route("/healthz", Page(service, alive), methods=["GET"]),
            Route("/readyz", Page(service, ready), methods=["GET"]),
            Route("/metrics", Page(service, metrics), methods=["GET"]),
            Route("/publish", Page(service, publish), methods=["POST"]),
            Route("/broadcast", Page(service, broadcast), methods=["POST"]),
            Route("/connections", Page(service, connections), methods=["GET"]),
            Route("/disconnect", Page(service, disconnect), methods=["POST"]),
            Route("/revoke", Page(service, revoke), methods=["POST"]),
        ],
        lifespan=service.lifespan,
    )
    app.state.service = service
    return app
