"""``POST /publish``: send an event to a user by HTTP, for services in another language, behind the internal token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core.codec import loads
from ..errors import BackplaneUnavailable, ManagerClosed, ResourceLimitExceeded, Undelivered
from ..factory import isolation_key
from .pages import brings_token
from .service import WebSocketService

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_LONGEST_KEY = 200


class Target:
    """Whom a body names; as a context is read."""

    def __init__(self, user_id: Any, thread_id: Any) -> None:
        self.user_id, self.thread_id = user_id, thread_id


class _Refused(Exception):
    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


async def publish(service: WebSocketService, request: Request) -> Response:
    """Send ``{"user_id": ..., "message": {"type": ...}, "thread_id": optional}``; ``Idempotency-Key`` makes it safe to repeat."""
    from starlette.responses import JSONResponse

    try:
        if not brings_token(service, request):
            raise _Refused(403, "send 'Authorization: Bearer <token>'; the server has it as COMPAT_WS_INTERNAL_TOKEN")
        if service.draining:
            raise _Refused(503, "the server is shutting down")
        key = request.headers.get("idempotency-key")
        if key is not None and not 0 < len(key) <= _LONGEST_KEY:
            raise _Refused(400, f"Idempotency-Key must have 1 to {_LONGEST_KEY} characters")
        target, message = _read(await _body(request, service.settings.max_message_bytes))
        await service.start()
        manager = service.factory.get(target)
        delivery = await manager.send(message, idempotency_key=key)
    except _Refused as exc:
        return JSONResponse({"error": str(exc)}, status_code=exc.status)
    except ValueError as exc:  # a user ID that is no text for Redis
        return JSONResponse({"error": str(exc)}, status_code=400)
    except ResourceLimitExceeded as exc:
        return JSONResponse({"error": str(exc)}, status_code=429)
    except (BackplaneUnavailable, Undelivered, ManagerClosed) as exc:
        return JSONResponse({"error": "events are unavailable", "uncertain": getattr(exc, "uncertain", False)}, status_code=503)
    return JSONResponse(delivery._asdict())


async def _body(request: Request, most: int) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise _Refused(413, f"the body is longer than {most} bytes")
    return body


def _read(body: bytes) -> tuple[Target, dict[str, Any]]:
    try:
        read = loads(body)
    except (ValueError, RecursionError):
        raise _Refused(400, "the body is not JSON") from None
    message = read.get("message") if isinstance(read, dict) else None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise _Refused(400, 'send {"user_id": text, "message": {"type": text, ...}}, and "thread_id" for one thread')
    target = Target(read.get("user_id"), read.get("thread_id"))
    try:
        isolation_key(target)
    except Exception as exc:
        raise _Refused(400, str(exc)) from exc
    return target, message
