"""Handshakes of frameworks' WebSocket objects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compat.canonical.auth.handshake import Handshake


def handshake_of(websocket: Any) -> Handshake:
    """Read a Starlette ``WebSocket``, or anything with ``headers``, ``client`` and ``url`` like it."""
    scope = getattr(websocket, "scope", None)
    if isinstance(scope, Mapping) and "headers" in scope:
        return Handshake.from_scope(scope)
    query = getattr(getattr(websocket, "url", None), "query", "")
    host = getattr(getattr(websocket, "client", None), "host", "")
    read = {
        "headers": header_pairs(getattr(websocket, "headers", None)),
        "query_string": query if isinstance(query, str) else "",
        "client": (host if isinstance(host, str) else "",),
    }
    return Handshake.from_scope(read)


def header_pairs(headers: Any) -> list[tuple[str, str]]:
    """Return names and values of a framework's headers, names in their own case; [] for what is none.

    Of an object that only has ``get``, the headers that matter here are asked for by name.
    """
    if isinstance(headers, Mapping):
        return [(_text(name), _text(value)) for name, value in headers.items()]
    if isinstance(headers, (list, tuple)):
        return [(_text(name), _text(value)) for name, value in headers]
    get = getattr(headers, "get", None)
    if not callable(get):
        return []
    pairs = []
    for name in ("authorization", "sec-websocket-protocol", "origin"):
        # By the name in capitals too: what only has ``get`` may be no mapping that knows headers.
        value = next((given for given in (get(name), get(name.title())) if isinstance(given, str)), None)
        if value is not None:
            pairs.append((name, value))
    return pairs


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, (bytes, bytearray)) else str(value)
