"""Clients of the core's protocol: one for Python, and ``client.js`` (with ``client.d.ts``) for browsers and Node.

Both come back by themselves, lose no event and see none twice. Not imported by the server.
"""

from __future__ import annotations

from pathlib import Path

from .reconnecting import Client, ClientError


def javascript() -> Path:
    """Return the file of the JavaScript client, an ES module to be served or copied; its types are ``client.d.ts`` beside it."""
    return Path(__file__).with_name("client.js")


__all__ = ["Client", "ClientError", "javascript"]
