"""The attack list against a real server on a real socket: HTTP 403 before anything is accepted, each counted."""

# ruff: noqa: E402 - what the extras install is asked for first

from __future__ import annotations

import asyncio
import base64
import time

import pytest

for module in ("starlette", "uvicorn", "jwt"):
    pytest.importorskip(module, reason=f"{module} is in the server extra")

from compat.canonical.auth import Authenticator, FailureLimiter, KeySet, OriginPolicy, TokenRules
from compat.canonical.limits import Limits
from compat.canonical.server.app import create_app
from compat.canonical.server.serve import build_server, listen
from compat.canonical.settings import Settings

SECRET = "s" * 48
REVOKED = {"stolen"}


def handshake(path=b"/ws", **headers):
    """The bytes of one handshake; header values may be any bytes."""
    lines = [
        b"GET " + path + b" HTTP/1.1",
        b"Host: localhost",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Version: 13",
        b"Sec-WebSocket-Key: " + base64.b64encode(b"k" * 16),
    ]
    lines += [name.replace("_", "-").encode() + b": " + value for name, value in headers.items()]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def bearer(token):
    return {"Authorization": b"Bearer " + (token if isinstance(token, bytes) else token.encode())}


async def status(port, request):
    """The status line's number that a handshake is answered with."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        line = await asyncio.wait_for(reader.readline(), 30)
        return int(line.split()[1]) if line else 0
    finally:
        writer.close()


def test_the_attack_list_over_the_wire(make_token, forge, b64):
    good = make_token(jti="fresh")
    listener = listen("127.0.0.1", 0, Limits().send_timeout)
    port = listener.getsockname()[1]
    authenticator = Authenticator(
        KeySet.shared_secret(SECRET),
        TokenRules(issuer="https://issuer.example", audience="netra", max_bytes=4096),
        origins=OriginPolicy(["https://app.example"]),
        revoked=lambda claims: claims.get("jti") in REVOKED,
        failures=FailureLimiter(0),
    )
    none = forge({"alg": "none"}, {"sub": "user_1", "exp": time.time() + 60}, b"")
    attacks = {
        "algorithm": [handshake(**bearer(none)), handshake(**bearer(forge({"alg": "RS256"}, {"sub": "u"})))],
        "signature": [handshake(**bearer(make_token("o" * 48)))],
        "expired": [handshake(**bearer(make_token(exp=1)))],
        "not_yet_valid": [handshake(**bearer(make_token(nbf=9_999_999_999)))],
        "audience": [handshake(**bearer(make_token(aud="elsewhere")))],
        "issuer": [handshake(**bearer(make_token(iss="https://evil.example")))],
        "subject": [handshake(**bearer(make_token(sub=None)))],
        "origin": [handshake(**bearer(good), Origin=b"https://evil.example"), handshake(**bearer(good), Origin=b"null")],
        "revoked": [handshake(**bearer(make_token(jti="stolen")))] * 2,
        "too_large": [handshake(**bearer("x" * 5000))],
        "malformed": [handshake(**bearer(b"\xff\xfe.\xff.\xff"))],
        "token_in_url": [handshake(b"/ws?token=" + good.encode()), handshake(b"/ws?access_token=x", **bearer(good))],
    }

    async def run():
        settings = Settings(jwt_secret=SECRET, port=port, environment="test", first_message_auth=False)
        server = build_server(settings, create_app(settings, authenticator=authenticator), log_level="error")
        serving = asyncio.ensure_future(server.serve(sockets=[listener]))
        try:
            assert await status(port, handshake(**bearer(good), Origin=b"https://app.example")) == 101
            assert await status(port, handshake(Sec_WebSocket_Protocol=b"jwt." + b64(good.encode()).encode())) == 101
            for reason, requests in attacks.items():
                for request in requests:
                    assert await status(port, request) == 403, reason
            utf8 = handshake(Sec_WebSocket_Protocol=b"jwt." + b64(b"\xff\xfe" * 20).encode())
            assert await status(port, utf8) == 403
        finally:
            server.should_exit = True
            await serving
            listener.close()

    asyncio.run(run())
    counted = authenticator.stats.snapshot()
    assert counted["rejections"] == {**{reason: len(requests) for reason, requests in attacks.items()}, "no_token": 1}
    assert counted["successes"] == 2
