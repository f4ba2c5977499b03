"""What authentication looks at in a WebSocket handshake, read once from an ASGI scope."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from .subprotocol import (
    carries_token,
    extract_jwt_from_subprotocol,
    negotiate_websocket_subprotocol,
    split_protocols,
    strip_bearer,
)

#: Query parameters that would put a token into access logs and histories; their presence refuses the handshake.
TOKEN_PARAMETERS = frozenset({"token", "access_token", "auth_token", "jwt", "authorization", "auth", "bearer", "id_token"})


@dataclass(frozen=True)
class Handshake:
    """The headers (names in lower case), the query string and the peer's address of one WebSocket handshake."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    address: str = ""

    @classmethod
    def from_scope(cls, scope: Mapping[str, Any], trusted_proxies: Iterable[str] = ()) -> Handshake:
        """Read an ASGI ``websocket`` (or ``http``) scope; header bytes are latin-1, as HTTP has them.

        ``trusted_proxies``: addresses and networks whose ``X-Forwarded-For`` says where the peer is.
        """
        headers = _collect((_text(name), _text(value)) for name, value in scope.get("headers") or ())
        offered = scope.get("subprotocols")
        if offered and "sec-websocket-protocol" not in headers:
            headers["sec-websocket-protocol"] = ", ".join(offered)
        client = scope.get("client") or ("",)
        address = _client_address(str(client[0] or ""), headers.get("x-forwarded-for", ""), trusted_proxies)
        return cls(headers, _text(scope.get("query_string") or b""), address)

    @property
    def origin(self) -> str | None:
        """The ``Origin`` header, None where there is none."""
        return self.headers.get("origin")

    @property
    def protocols(self) -> list[str]:
        """The offered subprotocols, in the client's order."""
        return split_protocols(self.headers.get("sec-websocket-protocol"))

    @property
    def accepted_protocol(self) -> str | None:
        """The subprotocol to accept the connection with, None for none."""
        plain = [protocol for protocol in self.protocols if not carries_token(protocol)]
        # A token that is answered with would stand in the logs of whatever lies between.
        return negotiate_websocket_subprotocol(plain) or (plain[0] if plain else negotiate_websocket_subprotocol(self.protocols))

    @property
    def token_in_url(self) -> str | None:
        """The name of the query parameter that carries a token, None where the URL is clean."""
        for name, value in parse_qsl(self.query, keep_blank_values=False, encoding="latin-1"):
            if name.lower() in TOKEN_PARAMETERS and value:
                return name
        return None

    def find_token(self) -> tuple[str, str] | None:
        """Return ``(token, "authorization" | "subprotocol")``, the header before the subprotocol; None if neither."""
        token = strip_bearer(self.headers.get("authorization"))
        if token is not None:
            return token, "authorization"
        token = extract_jwt_from_subprotocol(self.headers.get("sec-websocket-protocol"))
        return None if token is None else (token, "subprotocol")


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, (bytes, bytearray)) else str(value)


def _collect(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    collected: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        collected[key] = f"{collected[key]}, {value}" if key in collected else value
    return collected


def _client_address(peer: str, forwarded: str, trusted: Iterable[str]) -> str:
    """Return the nearest address that is no trusted proxy's: every hop writes behind what the one before has written."""
    networks = [ipaddress.ip_network(network) for network in trusted]
    for address in (peer, *reversed([part.strip() for part in forwarded.split(",") if part.strip()])):
        try:
            is_proxy = any(ipaddress.ip_address(address) in network for network in networks)
        except ValueError:
            is_proxy = False
        if not is_proxy:
            return address
        peer = address
    return peer
