"""What the chaos run serves: an application whose handler takes a minute, with all its times a twentieth of real ones."""

from __future__ import annotations

import asyncio
import os

from compat.canonical import Limits, Settings, create_app

HEARTBEAT = 1.0  # interval and patience: 20 seconds each by default
A_MINUTE = 3.0


async def on_message(manager, connection, message) -> None:
    """Work for what would be a minute, and say so."""
    await asyncio.sleep(A_MINUTE)


chat = app = create_app(
    Settings(
        environment="test",
        jwt_secret=os.environ["CHAOS_SECRET"],
        redis_url=os.environ["CHAOS_REDIS"],
        internal_token="internal",
        max_message_bytes=10_000,
        heartbeat_interval=HEARTBEAT,
        heartbeat_timeout=9 * HEARTBEAT,  # the clients of a storm share a loop
        handshake_timeout=3.0,
        drain_timeout=10.0,
        limits=Limits(history_events=5000, replays_per_minute=2000, send_timeout=2.0, close_timeout=1.0),
    ),
    on_message=on_message,
)
if os.environ["CHAOS_MOUNTED"] == "yes":
    from fastapi import FastAPI

    app = FastAPI()
    app.mount("/chat", chat)
