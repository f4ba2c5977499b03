"""Secrets, tokens and handshakes for the tests of authentication."""

from __future__ import annotations

import base64
import json
import time

import pytest

SECRET = "s" * 48
OTHER_SECRET = "o" * 48


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture
def b64():
    """Base64url without padding."""
    return _b64


@pytest.fixture
def secret() -> str:
    """The secret that the authenticator under test holds."""
    return SECRET


@pytest.fixture
def make_token():
    """Build a signed token: keyword arguments are claims, None leaves a claim out."""
    jwt = pytest.importorskip("jwt", reason="PyJWT is in the server extra")

    def build(key=SECRET, algorithm="HS256", headers=None, **changes):
        claims = {"sub": "user_1", "exp": int(time.time()) + 600, "iss": "https://issuer.example", "aud": "netra"}
        claims.update(changes)
        return jwt.encode({k: v for k, v in claims.items() if v is not None}, key, algorithm=algorithm, headers=headers)

    return build


@pytest.fixture
def forge():
    """Build a token by hand: header, claims and signature are taken as they come."""

    def build(header, claims, signature=b"x" * 32):
        return ".".join([_b64(json.dumps(header).encode()), _b64(json.dumps(claims).encode()), _b64(signature)])

    return build
