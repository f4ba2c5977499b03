"""Serves the usage page, /api/usage and /metrics over HTTP, under known host names and behind a token."""

from __future__ import annotations

import base64
import binascii
import hmac
import io
import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timezone
from threading import Lock
from time import monotonic
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..history.database import History
from ..history.queries import KEYS
from ..report.digest import Judged
from ..report.usage_report import MoveFacts, Report, as_dict, build_report
from .html import policy, write_page

Opener = Callable[[], "AbstractContextManager[History]"]

KEPT_PAGES = 8
NO_METRICS = (
    "Metrics are those of one state directory, and need prometheus-client: pip install 'netra-compat[prometheus]'. "
    "Serve a directory to have them."
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


def is_loopback(host: str) -> bool:
    """Whether an address to bind to is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def create_app(
    open_history: Opener,
    facts: Mapping[str, MoveFacts],
    *,
    narrowed: bool = False,
    token: str | None = None,
    hosts: Iterable[str] = (),
    where: str = "",
    live: int = 10,
    metrics: Callable[[], tuple[bytes, str]] | None = None,
    verdicts: Callable[[History, datetime], dict[str, Any]] | None = None,
    judged: Callable[[History, datetime, str], Sequence[Judged]] | None = None,
    owners: Callable[[str], str] | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
) -> ASGIApp:
    """Make the application.

    Parameters
    ----------
    open_history:
        Opens the history afresh for each answer.
    narrowed:
        Leave out the uses of what lies below none of the top-level packages of ``facts``.
    token:
        What a client must present, as ``Authorization: Bearer TOKEN``, or as the password of a browser's own prompt.
    hosts:
        The names under which it may be reached, beside those of loopback; others are refused, so that a page of
        another site cannot read it by pointing its own name here.
    live:
        Seconds between refreshes of the page.
    metrics:
        Returns the body and the content type of ``/metrics``; without it, there is none.
    verdicts:
        Returns what ``/api/ready`` answers of a history at a moment; without it, there is none.
    judged:
        Returns the verdicts that the page shows of a history at a moment, on the moves that match a pattern.
    owners:
        Says whose a file is, where owners are known.
    clock:
        Says which day is today.
    """

    answers = Answers(
        open_history, facts, narrowed=narrowed, where=where, live=live, metrics=metrics, verdicts=verdicts, clock=clock
    )
    answers.judged, answers.owners = judged, owners
    app = Starlette(
        routes=[
            Route("/", answers.page),
            Route("/api/usage", answers.usage),
            Route("/api/ready", answers.ready),
            Route("/metrics", answers.exposition),
        ]
    )
    return Guard(app, token=token, hosts=hosts)


class Answers:
    """The answers: the page, the report and the verdicts as JSON, the metrics. Parameters as those of :func:`create_app`."""

    def __init__(
        self,
        open_history: Opener,
        facts: Mapping[str, MoveFacts],
        *,
        narrowed: bool,
        where: str,
        live: int,
        metrics: Callable[[], tuple[bytes, str]] | None,
        verdicts: Callable[[History, datetime], dict[str, Any]] | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._open_history, self._facts, self._narrowed = open_history, facts, narrowed
        self._where, self._live, self._metrics, self._clock = where, live, metrics, clock
        self._verdicts = verdicts
        self.judged: Callable[[History, datetime, str], Sequence[Judged]] | None = None
        self.owners: Callable[[str], str] | None = None
        self._pages: dict[tuple[str, str], tuple[float, str]] = {}
        self._drawing = Lock()

    async def page(self, request: Request) -> Response:
        """Answer with the HTML page."""
        try:
            text = await run_in_threadpool(self._drawn, *_asked(request, "90d"))
        except ValueError as wrong:
            return PlainTextResponse(f"{wrong}\n", 400)
        # frame-ancestors has no effect in the page's own meta element.
        secure = {"content-security-policy": f"{policy()}; frame-ancestors 'none'"}
        return Response(text, media_type="text/html", headers=secure)

    async def usage(self, request: Request) -> Response:
        """Answer with one report as JSON."""
        try:
            made = await run_in_threadpool(self._usage, request.query_params.get("by", KEYS[0]), *_asked(request, "30d"))
        except ValueError as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        return JSONResponse(as_dict(made))

    async def ready(self, request: Request) -> Response:
        """Answer with the verdicts as JSON, if there are any."""
        if self._verdicts is None:
            return JSONResponse({"error": "no verdicts are given here"}, 501)
        return JSONResponse(await run_in_threadpool(self._judged, self._verdicts))

    def _judged(self, verdicts: Callable[[History, datetime], dict[str, Any]]) -> dict[str, Any]:
        with self._open_history() as history:
            return verdicts(history, self._clock())

    async def exposition(self, request: Request) -> Response:
        """Answer with the metrics, if there are any."""
        if self._metrics is None:
            return PlainTextResponse(f"{NO_METRICS}\n", 501)
        body, kind = await run_in_threadpool(self._metrics)
        return Response(body, headers={"content-type": kind})

    def _usage(self, by: str, since: str, match: str) -> Report:
        with self._open_history() as history:
            return self._report(history, by, since, match)

    def _drawn(self, since: str, match: str) -> str:
        # One at a time, and once per refresh for all readers: the page of a large history takes seconds to draw.
        pages = self._pages
        with self._drawing:
            kept = pages.get((since, match))
            if kept is not None and monotonic() - kept[0] < self._live / 2:
                return kept[1]
            with self._open_history() as history:
                text = io.StringIO()
                report = self._report(history, "move", since, match, lines=False)
                judged = () if self.judged is None else self.judged(history, report.generated, match)
                more: dict[str, Any] = {"judged": judged, "owners": self.owners}
                write_page(report, history.connection, text, self._where, live=self._live, **more)
            while len(pages) >= KEPT_PAGES:
                del pages[next(iter(pages))]
            pages.pop((since, match), None)
            pages[since, match] = monotonic(), text.getvalue()
            return text.getvalue()

    def _report(self, history: History, by: str, since: str, match: str, lines: bool = True) -> Report:
        return build_report(
            history.connection,
            by=by,
            since=since,
            match=match,
            facts=self._facts,
            narrowed=self._narrowed,
            problems=history.problems,
            now=self._clock(),
            lines=lines,
        )


def _asked(request: Request, since: str) -> tuple[str, str]:
    return request.query_params.get("since", since), request.query_params.get("match", "")


class Guard:
    """Lets a request through that names a known host and presents the token, and hardens every answer."""

    def __init__(self, app: ASGIApp, *, token: str | None, hosts: Iterable[str]) -> None:
        self._app = app
        self._token = None if token is None else token.encode()
        self._hosts = {"localhost", *(host.lower().strip("[]") for host in hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        headers = Headers(scope=scope)
        if not self._is_known(headers.get("host", "")):
            refusal = PlainTextResponse("This host name is not served here; allow it with --allow-host NAME.\n", 421)
            await refusal(scope, receive, hardened)
        elif not self._is_allowed(headers.get("authorization", "")):
            ask = {"www-authenticate": 'Basic realm="compat", charset="UTF-8"'}
            await PlainTextResponse("The token is missing or wrong.\n", 401, ask)(scope, receive, hardened)
        else:
            await self._app(scope, receive, hardened)

    def _is_known(self, host: str) -> bool:
        name, _, port = host.rpartition(":") if not host.endswith("]") and ":" in host else (host, "", "")
        name = name.strip("[]").lower()
        return (not port or port.isdigit()) and (name in self._hosts or is_loopback(name))

    def _is_allowed(self, authorization: str) -> bool:
        if self._token is None:
            return True
        kind, _, given = authorization.partition(" ")
        if kind.lower() == "bearer":
            offered = given.strip().encode("latin-1")  # the bytes as they were sent
        elif kind.lower() == "basic":
            try:
                offered = base64.b64decode(given, validate=True).partition(b":")[2]
            except binascii.Error:
                offered = b""
        else:
            offered = b""
        # Compared in constant time: how long it takes says nothing of how much was right.
        return hmac.compare_digest(offered, self._token)
