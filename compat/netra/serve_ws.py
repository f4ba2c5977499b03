"""``compat serve-ws``: the canonical WebSocket core under uvicorn."""

from __future__ import annotations

import click

_LEVELS = ("critical", "error", "warning", "info", "debug")


@click.command()
@click.option("--host", help="Address to bind to.")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--log-level", type=click.Choice(_LEVELS), default="info", show_default=True, help="What is logged.")
def command(host: str | None, port: int | None, log_level: str) -> int:
    """Serve WebSockets on the canonical core.

    Everything else is set by variables: COMPAT_WS_*, JWT_SECRET_KEY, REDIS_URL.
    """
    from compat.canonical.server.serve import main

    arguments = ["--log-level", log_level]
    if host is not None:
        arguments += ["--host", host]
    if port is not None:
        arguments += ["--port", str(port)]
    return main(arguments)
