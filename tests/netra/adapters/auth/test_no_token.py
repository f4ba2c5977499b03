"""Who brings no token is refused at every door, and the authentication service does not hear of it."""

# ruff: noqa: E402 - what the extras install is asked for first

from __future__ import annotations

import asyncio
import time
import warnings
from types import SimpleNamespace
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest

jwt = pytest.importorskip("jwt", reason="PyJWT is in the server extra")
for module in ("pydantic", "starlette", "uvicorn", "websockets"):
    pytest.importorskip(module, reason=f"{module} is in the server extra")

import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from compat.netra.adapters import auth_handler
from compat.netra.components.auth import websocket_auth
from compat.netra.components.auth.process import process_sessions, reset_authentication

UNIFIED = "netra_backend.app.websocket_core.unified_websocket_auth"
SECRET = "s" * 48
TEXT = "No authentication token found in WebSocket headers or subprotocols"


class YesMan:
    """A service that lets everybody in, and counts how often it was asked."""

    def __init__(self, user_id="user_1"):
        self.asked, self.user_id = 0, user_id

    def _yes(self):
        self.asked += 1
        return SimpleNamespace(success=True, user_id=self.user_id, email=None, permissions=[], metadata={}, error=None)

    async def authenticate_websocket(self, websocket, **named):
        return self._yes(), SimpleNamespace(user_id=self.user_id)

    async def authenticate_token(self, token, *more, **named):
        return self._yes()


@pytest.fixture(autouse=True)
def environment(monkeypatch, served):
    """A secret, and nothing left of another test."""
    monkeypatch.setenv("JWT_SECRET_KEY", SECRET)
    for name in ("ENVIRONMENT", "E2E_TESTING", "JWT_JWKS", "JWT_ISSUER", "JWT_AUDIENCE", "ALLOWED_ORIGINS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(websocket_auth, "_service", None)
    reset_authentication()
    monkeypatch.setattr(auth_handler, "_websocket_authenticator", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def yes_man(monkeypatch):
    made = YesMan()
    monkeypatch.setattr(websocket_auth, "_service", made)
    return made


def token(**claims):
    return jwt.encode({"sub": "user_1", "exp": int(time.time()) + 600, **claims}, SECRET, algorithm="HS256")


class Broken:
    client_state = SimpleNamespace(name="CONNECTED")

    @property
    def headers(self):
        raise RuntimeError("gone")


SOCKETS = {
    "None": lambda: None,
    "a mock": Mock,
    "a magic mock": MagicMock,
    "an async mock": AsyncMock,
    "no headers": lambda: SimpleNamespace(headers={}),
    "another scheme": lambda: SimpleNamespace(headers={"authorization": "Basic dXNlcjpwdw=="}),
    "an empty bearer": lambda: SimpleNamespace(headers={"Authorization": "Bearer   "}),
    "a plain subprotocol": lambda: SimpleNamespace(headers={"sec-websocket-protocol": "jwt-auth, jwt."}),
    "closed": lambda: SimpleNamespace(headers={}, client_state=SimpleNamespace(name="DISCONNECTED")),
    "headers that raise": Broken,
}


def doors():
    from netra_backend.app.websocket_core import unified_websocket_auth as module

    made = module.UnifiedWebSocketAuthenticator()
    return {
        "the function": module.authenticate_websocket_ssot,
        "the module's": module.authenticate_websocket_connection,
        "the class's": made.authenticate_websocket_connection,
        "a request": made.authenticate_request,
        "a request with an empty token": lambda socket: made.authenticate_request(socket, ""),
        "a request with a blank token": lambda socket: made.authenticate_request(socket, "  "),
        "a token of None": lambda socket: made.authenticate_token(None, socket),
        "a token of nothing": lambda socket: made.authenticate_token("", socket),
        "a token of blanks": lambda socket: made.authenticate_token(" \t", socket),
        "a scheme alone": lambda socket: made.authenticate_token("Bearer ", socket),
        "a mock of a token": lambda socket: made.authenticate_token(Mock(), socket),
    }


@pytest.mark.parametrize("kind", SOCKETS)
def test_a_handshake_without_a_token_is_refused_at_every_door_before_the_service_is_asked(kind, yes_man):
    for door, authenticate in doors().items():
        result = asyncio.run(authenticate(SOCKETS[kind]()))
        assert (result.success, result.error_code, result.error_message) == (False, "NO_TOKEN", TEXT), door
        assert (result.user_context, result.auth_result, result.user_id) == (None, None, None), door
    assert yes_man.asked == 0


def test_a_token_that_stands_in_the_url_alone_is_none(yes_man):
    socket = SimpleNamespace(scope={"headers": [], "query_string": b"token=" + token().encode()})
    for door, authenticate in doors().items():
        result = asyncio.run(authenticate(socket))
        assert (result.success, result.error_code) == (False, "NO_TOKEN"), door
        assert result.error_message == f"{TEXT}; one in the URL is refused, because URLs are logged"
    assert yes_man.asked == 0


@pytest.mark.parametrize("named", [None, "", "  ", 5, Mock()])
def test_a_success_that_names_no_user_lets_nobody_in(named, monkeypatch):
    monkeypatch.setattr(websocket_auth, "_service", YesMan(named))
    from netra_backend.app.websocket_core import unified_websocket_auth as module

    socket = SimpleNamespace(headers={"authorization": f"Bearer {token()}"})
    made = module.UnifiedWebSocketAuthenticator()
    for asked in (module.authenticate_websocket_ssot(socket), made.authenticate_token(token())):
        result = asyncio.run(asked)
        assert (result.success, result.error_code) == (False, "MISSING_USER_ID")
        assert result.error_message == "Authentication successful but user ID missing"
    assert asyncio.run(module.validate_websocket_token_business_logic(token())) is None


def test_over_real_sockets_a_token_opens_and_its_absence_does_not(yes_man):
    from netra_backend.app.websocket_core.unified_websocket_auth import authenticate_websocket_ssot

    async def endpoint(websocket):
        result = await authenticate_websocket_ssot(websocket)
        await websocket.accept()
        await websocket.send_json([result.success, result.error_code, result.user_id])
        await websocket.close()

    async def run():
        config = uvicorn.Config(Starlette(routes=[WebSocketRoute("/ws", endpoint)]), port=0, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.ensure_future(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        url = f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/ws"
        answers = []
        for options in (
            {},
            {"additional_headers": {"Authorization": "Bearer "}},
            {"additional_headers": {"X-Token": token()}},
            {"additional_headers": {"Authorization": f"Bearer {token()}"}},
            {"subprotocols": [f"jwt.{token()}"]},
        ):
            async with websockets.connect(url, **options) as client:
                answers.append(await client.recv())
        async with websockets.connect(f"{url}?token={token()}") as client:
            answers.append(await client.recv())
        server.should_exit = True
        await serving
        return answers

    refused, let_in = '[false,"NO_TOKEN",null]', '[true,null,"user_1"]'
    assert asyncio.run(run()) == [refused, refused, refused, let_in, let_in, refused]
    assert yes_man.asked == 2


def test_a_message_does_not_take_over_the_session_of_another_users_client():
    from netra_backend.app.websocket_core.auth import AuthHandler

    async def run():
        handler = AuthHandler()
        for user, status in (("user_1", "processed"), ("user_2", "error"), ("user_1", "processed")):
            message = {"type": "authenticate", "token": token(sub=user), "client_id": "c1"}
            assert (await handler.process_message(message))["status"] == status
            assert process_sessions().get("c1").user_id == "user_1"

    asyncio.run(run())
