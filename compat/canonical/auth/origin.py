"""Which web origins may open a WebSocket: browsers attach cookies and tokens to foreign pages' sockets, too."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def normalize_origin(origin: str) -> str:
    """Return ``scheme://host[:port]`` in lower case, the scheme's default port dropped; "" if it is no origin."""
    text = origin.strip()
    if any(character in text for character in "?#\t\r\n"):
        return ""  # urlsplit() passes over an empty query, and over these within a host
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return ""
    if not parts.scheme or not parts.hostname or parts.path not in ("", "/") or "@" in parts.netloc:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    suffix = "" if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f":{port}"
    return f"{parts.scheme}://{host}{suffix}"


class OriginPolicy:
    """The origins that are let in.

    Parameters
    ----------
    allowed:
        Exact origins (``"https://app.example.com"``), all subdomains of one (``"https://*.example.com"``), or ``"*"``.
    allow_missing:
        Whether a handshake without an ``Origin`` header passes. Browsers always send one; programs seldom do.
    """

    __slots__ = ("_exact", "_suffixes", "allow_any", "allow_missing", "allowed")

    def __init__(self, allowed: Iterable[str] = (), *, allow_missing: bool = True) -> None:
        self.allowed = tuple(allowed)
        self.allow_missing = allow_missing
        self.allow_any = "*" in self.allowed
        exact, suffixes = set(), []
        for entry in self.allowed:
            if entry == "*":
                continue
            scheme, separator, host = entry.partition("://")
            wildcard = host.startswith("*.")
            plain = normalize_origin(f"{scheme}://{host[2:]}" if wildcard else entry)
            if not separator or not plain or "*" in plain:
                raise ValueError(f"{entry!r} is no origin; write 'https://host', 'https://host:port', 'https://*.host' or '*'")
            if wildcard:
                suffixes.append((f"{scheme.lower()}://", "." + plain.partition("://")[2]))
            else:
                exact.add(plain)
        self._exact = frozenset(exact)
        self._suffixes = tuple(suffixes)

    def allows(self, origin: str | None) -> bool:
        """Return whether a handshake with this ``Origin`` header (None if it had none) may go on."""
        if origin is None:
            return self.allow_missing
        if self.allow_any:
            return True
        plain = normalize_origin(origin)
        if plain in self._exact:
            return True
        return any(plain.startswith(scheme) and plain.endswith(host) for scheme, host in self._suffixes)

    def __repr__(self) -> str:
        return f"OriginPolicy({list(self.allowed)!r}, allow_missing={self.allow_missing!r})"
