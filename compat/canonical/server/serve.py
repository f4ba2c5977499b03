"""Run the server under uvicorn: ``python -m compat.canonical.server.serve``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib
import logging
import operator
import socket
import sys
from collections.abc import Sequence
from typing import Any, Callable

from ..core.logged import get_logger
from ..errors import CanonicalError, SettingsError, WebSocketComponentError
from ..settings import Settings

logger = get_logger(__name__)


def serve(settings: Settings | None = None, *, app: Any = None, log_level: str = "info") -> None:
    """Serve until SIGINT or SIGTERM; then drain: connections are closed with 1001, and nothing is left running.

    ``app`` is an application of :func:`compat.canonical.server.app.create_app`, or one that has it mounted; made from
    ``settings`` by default. Port 0 takes a free port; the line ``listening on ws://...`` on the standard output says which.
    """
    asyncio.run(serve_async(settings, app=app, log_level=log_level))


async def serve_async(settings: Settings | None = None, *, app: Any = None, log_level: str = "info") -> None:
    """As :func:`serve`, on the running loop."""
    from .app import create_app

    settings = settings or Settings.from_environ()
    application = app if app is not None else create_app(settings)
    service = getattr(getattr(application, "state", None), "service", None)
    if service is not None:
        await service.start()  # what cannot start is an error of one line, and nobody is listened to before
    server = build_server(settings, application, log_level=log_level)
    listener = listen(settings.host, settings.port, settings.limits.send_timeout)
    try:
        host, port = listener.getsockname()[:2]
        print(f"listening on ws://{f'[{host}]' if ':' in host else host}:{port}{settings.path}", flush=True)
        await server.serve(sockets=[listener])
    finally:
        listener.close()


def build_server(settings: Settings, app: Any, *, log_level: str = "info") -> Any:
    """Return a ``uvicorn.Server`` for ``app``, set up as this core needs it."""
    try:
        import uvicorn
    except ImportError as exc:
        raise WebSocketComponentError("serving needs uvicorn: pip install 'netra-compat[server]'") from exc
    from .http_protocol import head_timeout_protocol
    from .uvicorn_protocol import abortable_protocol

    return uvicorn.Server(
        uvicorn.Config(
            app,
            ws=abortable_protocol(settings.limits.close_timeout),
            ws_max_size=settings.max_message_bytes,
            ws_ping_interval=settings.heartbeat_interval,
            ws_ping_timeout=settings.heartbeat_timeout,
            ws_per_message_deflate=False,
            log_level=log_level,
            timeout_graceful_shutdown=max(1, int(settings.drain_timeout)),
            lifespan="on",
            server_header=False,
            forwarded_allow_ips=",".join(settings.trusted_proxies) or None,
            http=head_timeout_protocol(settings.handshake_timeout),
        )
    )


def listen(host: str, port: int, stall_timeout: float) -> socket.socket:
    """Return a listening socket whose connections the kernel drops once unacknowledged for ``stall_timeout`` seconds.

    The option exists on Linux; elsewhere the server's own eviction works alone.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # Later than the server's own eviction, which can say why; this one is for what slips past it.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(stall_timeout * 2000))
        listener.bind((host, port))
        listener.listen(2048)
        listener.setblocking(False)
    except (TypeError, ValueError, OverflowError) as exc:  # a name that is none
        listener.close()
        raise WebSocketComponentError(f"cannot listen on host {host!r}, port {port}: {exc}") from exc
    except OSError:
        listener.close()
        raise
    return listener


def main(argv: Sequence[str] | None = None, *, make_app: Callable[[Settings], Any] | None = None) -> int:
    """Parse the command line, serve what ``make_app`` returns (create_app() by default), return the exit code."""
    parser = argparse.ArgumentParser(
        prog="serve-ws",
        description="Serve WebSockets. Everything else is set by variables: COMPAT_WS_*, JWT_SECRET_KEY, REDIS_URL, ...",
    )
    parser.add_argument("--host")
    parser.add_argument("--port", type=int, help="0 takes a free port")
    parser.add_argument("--app", metavar="MODULE:NAME", help="an application of your own, such as one with an on_message")
    parser.add_argument("--log-level", default="info", choices=["critical", "error", "warning", "info", "debug"])
    options = parser.parse_args(argv)
    changes = {name: value for name in ("host", "port") if (value := getattr(options, name)) is not None}
    logging.basicConfig(level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = Settings.from_environ(**changes)
        with contextlib.suppress(KeyboardInterrupt):
            if options.app:
                app = _load(options.app)
            else:
                if not settings.jwt_secret and not settings.jwt_jwks:
                    raise SettingsError(["nobody can be let in: set JWT_SECRET_KEY or JWT_JWKS"])
                app = make_app(settings) if make_app is not None else None
            serve(settings, app=app, log_level=options.log_level)
    except (CanonicalError, OSError) as exc:
        print("error:", " ".join(str(exc).split()), file=sys.stderr)
        return 2
    return 0


def _load(name: str) -> Any:
    """Return the application that ``module:name`` names, found from the working directory, too."""
    module, _, attribute = name.partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return operator.attrgetter(attribute)(importlib.import_module(module))
    except (ImportError, AttributeError, ValueError, TypeError) as exc:
        raise WebSocketComponentError(f"--app {name}: {exc}") from exc


if __name__ == "__main__":
    raise SystemExit(main())
