"""The pages beside the WebSocket: alive, ready, metrics. What is internal is shown to whoever brings the internal token."""

from __future__ import annotations

import contextlib
import hmac
from typing import TYPE_CHECKING, Any

from ..errors import BackplaneUnavailable
from .service import WebSocketService

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


class Page:
    """A response made from the service, as an ASGI application."""

    def __init__(self, service: WebSocketService, respond: Any) -> None:
        self._service, self._respond = service, respond

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from starlette.requests import Request

        response = await self._respond(self._service, Request(scope, receive))
        await response(scope, receive, send)


def is_internal(service: WebSocketService, request: Request) -> bool:
    """Whether a request brings ``internal_token``; without one, whether this process runs where only its developer is."""
    if not service.settings.internal_token:
        return not service.settings.is_exposed
    return brings(service.settings.internal_token, request)


def brings(expected: str, request: Request) -> bool:
    """Whether a request brings this token; nobody does where there is none."""
    given = request.headers.get("authorization", "")
    return bool(expected) and hmac.compare_digest(given.encode("utf-8", "replace"), f"Bearer {expected}".encode())


async def alive(service: WebSocketService, request: Request) -> Response:
    """Whether the process serves."""
    from starlette.responses import JSONResponse

    return JSONResponse({"status": "alive"})


async def ready(service: WebSocketService, request: Request) -> Response:
    """Whether clients should be sent here; to the operator also why not, and which promises this server keeps."""
    from starlette.responses import JSONResponse

    if not service.draining:
        # A mounted application may not have been told of the start: readiness must not wait for its first client.
        with contextlib.suppress(BackplaneUnavailable):
            await service.start()
    health = service.health()
    body = {name: health[name] for name in ("healthy", "draining")}
    if is_internal(service, request):
        body = {**health, "promises": service.capabilities.report()}
    return JSONResponse(body, status_code=200 if health["healthy"] else 503)


async def metrics(service: WebSocketService, request: Request) -> Response:
    """The state of the factory, for Prometheus."""
    from starlette.responses import PlainTextResponse
    from starlette.responses import Response as AnyResponse

    from ..metrics import render_metrics

    if not is_internal(service, request):
        how = "send 'Authorization: Bearer <token>'" if service.settings.internal_token else "set COMPAT_WS_INTERNAL_TOKEN"
        return PlainTextResponse(f"metrics are internal: {how}\n", status_code=403)
    rendered = render_metrics(service.factory, service.authenticator, service.refusals)
    if rendered is None:
        return PlainTextResponse("metrics need prometheus-client: pip install 'netra-compat[prometheus]'\n", status_code=501)
    text, content_type = rendered
    return AnyResponse(text, media_type=content_type)
