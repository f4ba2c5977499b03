"""The doors for programs, by HTTP: publish, broadcast, and the operator's. Each is behind a token, and each answer is JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Callable

from ..close_codes import GOING_AWAY, NORMAL, POLICY_VIOLATION, SERVICE_RESTART, TRY_AGAIN_LATER
from ..core.codec import loads
from ..errors import BackplaneUnavailable, ManagerClosed, ResourceLimitExceeded, Undelivered
from ..factory import isolation_key
from .control import DAY, MOST_LISTED
from .pages import brings
from .service import WebSocketService

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_LONGEST_KEY = 200
_LONGEST_ID = 1000
_LONGEST_REASON = 123  # bytes: what a close frame has room for
_LONGEST_TIME = 366 * DAY
_CODES = (NORMAL, GOING_AWAY, POLICY_VIOLATION, SERVICE_RESTART, TRY_AGAIN_LATER)
_ONE = "give either 'user_id' or '{other}', as text of 1 to 1000 characters"

Work = Callable[[WebSocketService, Any], Any]


class Target:
    """Whom a body names; as a context is read."""

    def __init__(self, user_id: Any, thread_id: Any) -> None:
        self.user_id, self.thread_id = user_id, thread_id


class _Refused(Exception):
    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


class Door:
    """What a page does for whoever brings the token of ``setting``."""

    def __init__(self, work: Work, setting: str = "internal_token") -> None:
        self._work, self._setting = work, setting

    async def __call__(self, service: WebSocketService, request: Request) -> Response:
        """Answer a request: 200, or ``{"error": ...}`` with 400, 403, 413, 429 or 503."""
        from starlette.requests import ClientDisconnect
        from starlette.responses import JSONResponse, Response

        body: dict[str, Any]
        try:
            if not brings(getattr(service.settings, self._setting), request):
                variable = f"COMPAT_WS_{self._setting.upper()}"
                raise _Refused(403, f"send 'Authorization: Bearer <token>'; the server has it as {variable}")
            if service.draining:
                raise _Refused(503, "the server is shutting down")
            return JSONResponse(await self._work(service, request))
        except ClientDisconnect:  # in the middle of its body
            service.refusals["http", "400"] += 1
            return Response(status_code=400)
        except _Refused as exc:
            status, body = exc.status, {"error": str(exc)}
        except ValueError as exc:  # a user ID that is no text for Redis, a message that is no JSON
            status, body = 400, {"error": str(exc)}
        except ResourceLimitExceeded as exc:
            status, body = 429, {"error": str(exc)}
        except (BackplaneUnavailable, Undelivered, ManagerClosed) as exc:
            status, body = 503, {"error": "events are unavailable", "uncertain": getattr(exc, "uncertain", False)}
        service.refusals["http", str(status)] += 1
        return JSONResponse(body, status_code=status)


async def _publish(service: WebSocketService, request: Request) -> dict[str, Any]:
    key = _key_of(request)
    how = 'send {"user_id": text, "message": {"type": text, ...}}, and "thread_id" for one thread'
    read = await _object(service, request, ("user_id", "message", "thread_id"), how)
    target, message = Target(read.get("user_id"), read.get("thread_id")), _message(read, how)
    try:
        isolation_key(target)
    except Exception as exc:
        raise _Refused(400, str(exc)) from exc
    await service.start()
    delivery = await service.factory.get(target).send(message, idempotency_key=key)
    return delivery._asdict()


async def _broadcast(service: WebSocketService, request: Request) -> dict[str, Any]:
    key = _key_of(request)
    how = 'send {"message": {"type": text, ...}}, and "exclude": [user IDs] for all users but these'
    read = await _object(service, request, ("message", "exclude"), how)
    message, exclude = _message(read, how), read.get("exclude", [])
    if not isinstance(exclude, list) or not all(isinstance(user, str) for user in exclude):
        raise _Refused(400, how)
    await service.start()
    return {"users": await service.factory.broadcast(message, exclude=exclude, idempotency_key=key)}


async def _connections(service: WebSocketService, request: Request) -> dict[str, Any]:
    query = request.query_params
    unknown = sorted(set(query) - {"user_id", "after", "limit"})
    limit = query.get("limit", "100")
    if unknown or not (limit.isascii() and limit.isdigit() and len(limit) < 5 and 1 <= int(limit) <= MOST_LISTED):
        raise _Refused(400, f"ask with ?user_id=, ?after= and ?limit=, a number from 1 to {MOST_LISTED}")
    await service.start()
    return await service.control.connections(query.get("user_id"), after=query.get("after", ""), limit=int(limit))


async def _disconnect(service: WebSocketService, request: Request) -> dict[str, Any]:
    read = await _object(service, request, ("user_id", "connection_id", "code", "reason"), _ONE.format(other="connection_id"))
    chosen = _one_of(read, "connection_id")
    code, reason = read.get("code", NORMAL), read.get("reason", "")
    if type(code) is not int or not (code in _CODES or 4000 <= code <= 4999):
        raise _Refused(400, f"'code' must be one of {', '.join(map(str, _CODES))}, or from 4000 to 4999")
    if not isinstance(reason, str) or len(reason.encode("utf-8", "replace")) > _LONGEST_REASON:
        raise _Refused(400, f"'reason' must be text of at most {_LONGEST_REASON} bytes")
    await service.start()
    return await service.control.disconnect(**chosen, code=code, reason=reason)


async def _revoke(service: WebSocketService, request: Request) -> dict[str, Any]:
    read = await _object(service, request, ("user_id", "token_id", "seconds"), _ONE.format(other="token_id"))
    chosen, seconds = _one_of(read, "token_id"), read.get("seconds", DAY)
    if type(seconds) not in (int, float) or not 1 <= seconds <= _LONGEST_TIME:
        raise _Refused(400, f"'seconds' must be a number from 1 to {_LONGEST_TIME:.0f}")
    await service.start()
    return await service.control.revoke(**chosen, seconds=seconds)


def _key_of(request: Request) -> str | None:
    key: str | None = request.headers.get("idempotency-key")
    if key is not None and not 0 < len(key) <= _LONGEST_KEY:
        raise _Refused(400, f"Idempotency-Key must have 1 to {_LONGEST_KEY} characters")
    return key


async def _object(service: WebSocketService, request: Request, names: Collection[str], how: str) -> dict[str, Any]:
    """Return the JSON object of a body, which has no other fields than ``names``."""
    most, body = service.settings.max_message_bytes, b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise _Refused(413, f"the body is longer than {most} bytes")
    try:
        read = loads(body)
    except (ValueError, RecursionError):
        raise _Refused(400, "the body is not JSON") from None
    if not isinstance(read, dict):
        raise _Refused(400, how)
    unknown = next((name for name in read if name not in names), None)
    if unknown is not None:
        raise _Refused(400, f"{unknown[:50]!r} is no field here; {how}")
    return read


def _message(read: Mapping[str, Any], how: str) -> dict[str, Any]:
    message = read.get("message")
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise _Refused(400, how)
    return message


def _one_of(read: Mapping[str, Any], other: str) -> dict[str, str]:
    chosen = {name: read[name] for name in ("user_id", other) if name in read}
    if len(chosen) != 1 or not all(isinstance(value, str) and 0 < len(value) <= _LONGEST_ID for value in chosen.values()):
        raise _Refused(400, _ONE.format(other=other))
    return chosen


publish = Door(_publish)
broadcast = Door(_broadcast, "broadcast_token")
connections = Door(_connections)
disconnect = Door(_disconnect)
revoke = Door(_revoke)
