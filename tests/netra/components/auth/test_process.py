"""One authenticator, one limiter and one session book per process, whichever legacy entry asks."""

# ruff: noqa: E402 - what the extras install is asked for first

from __future__ import annotations

import asyncio
import time

import pytest

jwt = pytest.importorskip("jwt", reason="PyJWT is in the server extra")
pytest.importorskip("pydantic", reason="pydantic is in the server extra")
starlette = pytest.importorskip("starlette.websockets", reason="Starlette is in the server extra")

from compat.canonical.auth import AuthenticationFailed, Handshake
from compat.canonical.settings import Settings
from compat.netra.adapters.auth_handler import AuthHandler, WebSocketAuthenticator
from compat.netra.components.auth.authentication_service import AuthenticationService
from compat.netra.components.auth.handshakes import handshake_of
from compat.netra.components.auth.process import process_authenticator, process_sessions, reset_authentication
from compat.netra.components.auth.websocket_auth import get_unified_auth_service
from compat.netra.components.context.handshake_contexts import get_unified_auth
from compat.netra.serve_ws import application

SECRET, OTHER = "s" * 48, "o" * 48


@pytest.fixture(autouse=True)
def own_process(monkeypatch):
    """A process that has let nobody in."""
    monkeypatch.setenv("JWT_SECRET_KEY", SECRET)
    for name in ("ENVIRONMENT", "JWT_SECRET_KEY_PREVIOUS", "JWT_JWKS", "JWT_ISSUER", "JWT_AUDIENCE", "ALLOWED_ORIGINS"):
        monkeypatch.delenv(name, raising=False)
    reset_authentication()
    yield
    reset_authentication()


def token(secret: str = SECRET) -> str:
    return jwt.encode({"sub": "user_1", "exp": int(time.time()) + 600}, secret, algorithm="HS256")


@pytest.mark.filterwarnings("ignore::compat.LegacyUseWarning")
def test_every_legacy_entry_and_the_server_share_one_authenticator() -> None:
    one = process_authenticator()
    app = application(Settings(jwt_secret=SECRET))
    found = [
        get_unified_auth(),
        get_unified_auth_service().authenticator,
        AuthenticationService().authenticator,
        AuthHandler().canonical,
        WebSocketAuthenticator().canonical,
        app.state.service.authenticator,
    ]
    assert [authenticator is one for authenticator in found] == [True] * 6
    assert get_unified_auth_service() is get_unified_auth_service()


def test_failures_through_one_entry_are_counted_at_all_of_them() -> None:
    scope = {"headers": [(b"authorization", b"Bearer no.such.token")], "client": ("203.0.113.9", 1)}
    limit = process_authenticator().failures.limit
    for _ in range(limit):
        with pytest.raises(AuthenticationFailed):
            asyncio.run(get_unified_auth().authenticate(scope))
    websocket = starlette.WebSocket({"type": "websocket", **scope}, None, None)
    result, _ = asyncio.run(get_unified_auth_service().authenticate_websocket(websocket))
    assert result.error_code == "RATE_LIMITED"
    assert process_authenticator().stats.snapshot()["rejections"] == {"malformed": limit, "rate_limited": 1}


def test_the_variables_are_followed_and_counts_stay(monkeypatch) -> None:
    assert asyncio.run(get_unified_auth().verify(token())).user_id == "user_1"
    monkeypatch.setenv("JWT_SECRET_KEY", OTHER)
    assert asyncio.run(get_unified_auth().verify(token(OTHER))).user_id == "user_1"
    with pytest.raises(AuthenticationFailed, match="the signature does not match"):
        asyncio.run(get_unified_auth().verify(token()))
    assert process_authenticator().stats.successes == 2


def test_a_servers_settings_hold_whatever_the_variables_say() -> None:
    application(Settings(jwt_secret=OTHER))
    assert asyncio.run(get_unified_auth().verify(token(OTHER))).user_id == "user_1"


def test_a_reset_forgets_failures_sessions_and_settings() -> None:
    process_authenticator({"JWT_SECRET_KEY": OTHER}).failures.record("203.0.113.9")
    process_sessions().open("client_1", "user_1")
    reset_authentication()
    assert len(process_authenticator().failures) == len(process_sessions()) == 0
    assert asyncio.run(get_unified_auth().verify(token())).user_id == "user_1"


def test_sessions_are_opened_closed_and_bounded() -> None:
    sessions = process_sessions()
    assert sessions.open("client_1", "user_1").user_id == "user_1"
    sessions.open("client_2")
    assert (len(sessions), "client_2" in sessions, sessions.get("client_1").user_id) == (2, True, "user_1")
    assert sessions.users() == {"user_1"}
    assert sessions.close("client_1").client_id == "client_1"
    assert sessions.close("client_1") is None
    with pytest.raises(ValueError, match="client_id must be a non-empty string, got ''"):
        sessions.open("")
    sessions.limit = 1
    with pytest.raises(OverflowError, match="1 sessions are open"):
        sessions.open("client_3")


def test_handshakes_are_read_from_framework_objects() -> None:
    scope = {"type": "websocket", "headers": [(b"authorization", b"Bearer a.b.c")], "client": ("203.0.113.7", 1)}
    assert handshake_of(starlette.WebSocket(scope, None, None)) == Handshake.from_scope(scope)

    class Plain:
        headers = {"Authorization": "Bearer abc", "Origin": "https://a.example"}

    assert handshake_of(Plain()).find_token() == ("abc", "authorization")
    assert handshake_of(Plain()).origin == "https://a.example"
    assert handshake_of(object()).find_token() is None
