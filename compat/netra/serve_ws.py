"""``compat serve-ws``: the canonical WebSocket core under uvicorn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from compat.canonical.settings import Settings

_LEVELS = ("critical", "error", "warning", "info", "debug")


@click.command()
@click.option("--host", help="Address to bind to.")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--app", metavar="MODULE:NAME", help="An application of your own, such as one with an on_message.")
@click.option("--log-level", type=click.Choice(_LEVELS), default="info", show_default=True, help="What is logged.")
def command(host: str | None, port: int | None, app: str | None, log_level: str) -> int:
    """Serve WebSockets on the canonical core.

    Everything else is set by variables: COMPAT_WS_*, JWT_SECRET_KEY, REDIS_URL.
    """
    from compat.canonical.server.serve import main

    arguments = ["--log-level", log_level]
    if host is not None:
        arguments += ["--host", host]
    if port is not None:
        arguments += ["--port", str(port)]
    if app is not None:
        arguments += ["--app", app]
    return main(arguments, make_app=application)


def application(settings: Settings) -> Starlette:
    """Return the core's application; it shares the authenticator of this process with the legacy entries."""
    from compat.canonical.server.app import create_app

    from .components.auth.process import process_authenticator

    return create_app(settings, authenticator=process_authenticator(settings.auth_variables()))
