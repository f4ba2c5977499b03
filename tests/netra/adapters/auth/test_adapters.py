"""The old authentication classes do real work, through their legacy paths."""

# ruff: noqa: E402 - what the extras install is asked for first

from __future__ import annotations

import asyncio
import time
import warnings
from types import SimpleNamespace
from unittest.mock import AsyncMock, Mock, patch

import pytest

jwt = pytest.importorskip("jwt", reason="PyJWT is in the server extra")
pytest.importorskip("pydantic", reason="pydantic is in the server extra")

from compat.canonical.auth import Authenticator
from compat.canonical.factory import get_websocket_manager_factory, set_websocket_manager_factory
from compat.errors import LegacyUseWarning
from compat.netra.components.auth.process import process_sessions, reset_authentication

UNIFIED = "netra_backend.app.websocket_core.unified_websocket_auth"
SECRET = "s" * 48


@pytest.fixture(autouse=True)
def environment(monkeypatch, served):
    """A secret, and nothing left of another test."""
    from compat.netra.adapters import auth_handler

    monkeypatch.setenv("JWT_SECRET_KEY", SECRET)
    reset_authentication()
    monkeypatch.setattr(auth_handler, "_websocket_authenticator", None)
    for name in ("ENVIRONMENT", "E2E_TESTING", "JWT_JWKS", "JWT_ISSUER", "JWT_AUDIENCE", "ALLOWED_ORIGINS"):
        monkeypatch.delenv(name, raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    set_websocket_manager_factory(None)


def token(user="user_1", **claims):
    return jwt.encode({"sub": user, "exp": int(time.time()) + 600, **claims}, SECRET, algorithm="HS256")


def socket(credential=None, **headers):
    made = Mock()
    made.headers = {**({"authorization": f"Bearer {credential}"} if credential else {}), **headers}
    made.client_state = Mock()
    made.client_state.name = "CONNECTED"
    made.application_state = None
    made.send_json = AsyncMock()
    made.close = AsyncMock()
    return made


class Tab:
    """A connection of the canonical core."""

    def __init__(self):
        self.received = []

    async def send_json(self, message):
        self.received.append(message)

    async def close(self, code=1000, reason=""):
        """Nothing to free."""


def test_auth_handler_connects_broadcasts_and_disconnects():
    from types import SimpleNamespace

    from netra_backend.app.websocket_core.auth import AuthHandler

    from compat.canonical.factory import get_websocket_manager

    async def run():
        handler = AuthHandler()
        assert await handler.connect("client_1", "user_1") == "auth_conn_client_1"
        assert await handler.connect("client_2") == "auth_conn_client_2"
        assert process_sessions().users() == {"user_1"}
        tab, stranger = Tab(), Tab()
        get_websocket_manager(SimpleNamespace(user_id="user_1", thread_id=None)).add_connection(tab)
        get_websocket_manager(SimpleNamespace(user_id="user_2", thread_id=None)).add_connection(stranger)
        await handler.broadcast("news", {"text": "hello"})
        assert [message["type"] for message in tab.received] == ["news"]
        assert tab.received[0]["text"] == "hello" or tab.received[0]["data"]["text"] == "hello"
        assert stranger.received == []
        await handler.disconnect("client_1")
        await handler.disconnect("client_1")
        assert process_sessions().users() == set()
        assert isinstance(handler, Authenticator)
        await get_websocket_manager_factory().close()

    asyncio.run(run())


def test_auth_handler_judges_messages():
    from netra_backend.app.websocket_core.auth import AuthHandler

    async def run():
        handler = AuthHandler()
        assert await handler.process_message({"type": "ping"}) == {"status": "processed", "message_type": "ping"}
        assert await handler.process_message({}) == {"status": "error", "message": "Missing message type"}
        assert await handler.process_message("text") == {"status": "error", "message": "Invalid message format"}
        good = await handler.process_message({"type": "authenticate", "token": token(), "client_id": "c1"})
        assert good == {"status": "processed", "message_type": "authenticate", "user_id": "user_1"}
        assert process_sessions().get("c1").user_id == "user_1"
        bad = await handler.process_message({"type": "authenticate", "token": token(exp=1)})
        assert (bad["status"], bad["error_code"]) == ("error", "TOKEN_EXPIRED")
        await handler.process_message({"type": "disconnect", "client_id": "c1"})
        assert "c1" not in process_sessions()
        assert handler.stats.attempts == 2

    asyncio.run(run())


def test_each_legacy_method_is_warned_where_it_is_called():
    from netra_backend.app.websocket_core.auth import AuthHandler

    with pytest.warns(LegacyUseWarning) as caught:
        warnings.simplefilter("always")
        handler = AuthHandler()
        asyncio.run(handler.connect("c1", "user_1"))
    assert any("AuthHandler.connect" in str(one.message) for one in caught)
    assert {one.filename for one in caught if "AuthHandler" in str(one.message)} == {__file__}


def test_websocket_authenticator_has_real_numbers():
    from netra_backend.app.websocket_core.auth import WebSocketAuth, WebSocketAuthenticator, create_websocket_authenticator

    assert WebSocketAuth is WebSocketAuthenticator

    async def run():
        authenticator = create_websocket_authenticator()
        assert await authenticator.connect("c1", "user_1") == "ws_conn_c1"
        assert authenticator.user_id == "user_1"
        ok, context, error = await authenticator.authenticate_connection(token(), "conn_1")
        assert (ok, context.user_id, error) == (True, "user_1", None)
        assert await authenticator.authenticate_connection("a.b.c", "conn_2") == (
            False,
            None,
            "the token's header cannot be read",
        )
        stats = authenticator.get_websocket_auth_stats()["websocket_auth_statistics"]
        assert (stats["total_attempts"], stats["successful_authentications"], stats["failed_authentications"]) == (2, 1, 1)
        assert (stats["success_rate_percent"], stats["active_sessions"]) == (50.0, 2)
        await authenticator.disconnect("c1")
        assert authenticator.user_id is None
        flags = {"status": "healthy", "compatibility_layer": "active", "user_id_support": True, "async_methods": True}
        assert await authenticator.get_health_status() == flags
        assert authenticator.get_health_status_sync() == {**flags, "ssot_authenticator": "available"}

    asyncio.run(run())


def test_a_weak_secret_lets_nobody_in_but_breaks_nothing(monkeypatch):
    monkeypatch.setenv("JWT_SECRET_KEY", "short")
    from netra_backend.app.websocket_core.auth import WebSocketAuthenticator

    authenticator = WebSocketAuthenticator()
    assert authenticator.get_health_status_sync()["status"] == "healthy"  # of the class, not of the key
    assert asyncio.run(authenticator.authenticate_connection(token(), "c"))[0] is False


@pytest.mark.parametrize("answer", [(True, "context", None), Mock(success=True, user_id="user_1"), None])
def test_what_a_test_puts_in_the_place_of_the_one_function_answers(answer):
    from netra_backend.app.websocket_core.auth import WebSocketAuthenticator

    asked = AsyncMock(return_value=answer)
    with patch("netra_backend.app.websocket_core.auth.authenticate_websocket_ssot", asked):
        assert asyncio.run(WebSocketAuthenticator().authenticate_connection("any", "conn_1")) is answer
    asked.assert_awaited_once_with("any", "conn_1")
    assert asyncio.run(WebSocketAuthenticator().authenticate_connection("any", "conn_1"))[0] is False


@pytest.mark.parametrize(
    ("answer", "code"),
    [(Mock(success=True, user_id="user_7", metadata={}), None), (Mock(success=False, error="no", error_code="BAD"), "BAD")],
)
def test_the_service_of_an_authenticator_can_be_replaced_in_place(answer, code):
    from netra_backend.app.websocket_core.unified_websocket_auth import UnifiedWebSocketAuthenticator

    made = UnifiedWebSocketAuthenticator()
    with patch.object(made._auth_service, "authenticate_websocket", AsyncMock(return_value=(answer, None))) as asked:
        result = asyncio.run(made.authenticate_websocket_connection(socket("any.token.here")))
        assert asyncio.run(made.authenticate_websocket_connection(socket())).error_code == "NO_TOKEN"
    assert (result.success, result.error_code) == (code is None, code)
    asked.assert_awaited_once()


def test_authenticating_a_connection_gives_a_result():
    from netra_backend.app.websocket_core.unified_websocket_auth import WebSocketAuthResult, authenticate_websocket_ssot

    result = asyncio.run(authenticate_websocket_ssot(socket(token(email="a@example.com")), preliminary_connection_id="conn_9"))
    assert isinstance(result, WebSocketAuthResult)
    assert (result.success, result.is_valid, result.user_id, result.email) == (True, True, "user_1", "a@example.com")
    assert result.user_context.websocket_client_id == "conn_9"
    assert result.to_dict() == {
        "success": True,
        "error_message": None,
        "error_code": None,
        "user_id": "user_1",
        "websocket_client_id": "conn_9",
        "thread_id": result.user_context.thread_id,
        "run_id": result.user_context.run_id,
        "email": "a@example.com",
        "permissions": [],
        "validated_at": result.auth_result.validated_at,
    }
    assert WebSocketAuthResult(True, auth_result=result.auth_result).user_id is None
    failed = asyncio.run(authenticate_websocket_ssot(socket()))
    assert (failed.success, failed.error_code, failed.user_context) == (False, "NO_TOKEN", None)
    closed = socket(token())
    closed.client_state.name = "DISCONNECTED"
    assert asyncio.run(authenticate_websocket_ssot(closed)).error_code == "INVALID_WEBSOCKET_STATE"
    foreign = asyncio.run(authenticate_websocket_ssot(socket(token(), origin="https://evil.example")))
    assert foreign.error_code == "ORIGIN_NOT_ALLOWED"


def test_the_service_is_replaced_by_its_legacy_path():
    service = Mock()
    held = SimpleNamespace(success=True, user_id="user_7", metadata={"own": 1})
    service.authenticate_websocket = AsyncMock(return_value=(held, Mock(user_id="user_8")))
    with patch(f"{UNIFIED}.get_unified_auth_service", return_value=service):
        from netra_backend.app.websocket_core.unified_websocket_auth import (
            UnifiedWebSocketAuthenticator,
            authenticate_websocket_ssot,
        )

        connection = socket(token())
        result = asyncio.run(authenticate_websocket_ssot(connection))
        assert (result.success, result.user_id, result.auth_result) == (True, "user_7", held)
        assert result.user_context.thread_id.startswith("thread_ws_") and result.user_context.run_id.startswith("run_ws_")
        assert result.user_context.request_id.startswith("ws_req_")
        assert result.user_context.websocket_client_id.startswith("ws_client_user_7")
        assert held.metadata == {
            "own": 1,
            "phase2_lifecycle_enabled": True,
            "token_lifecycle_manager": "registered",
            "connection_duration_expected": "5+ minutes",
            "token_refresh_interval": "45 seconds",
        }
        asked = service.authenticate_websocket.call_args
        assert asked.args == (connection,) and sorted(asked.kwargs) == ["e2e_context", "preliminary_connection_id"]
        assert asked.kwargs["preliminary_connection_id"].startswith("ws_conn_prelim_")
        mark = {"is_e2e_testing": True}
        known = asyncio.run(authenticate_websocket_ssot(connection, mark, "conn_9"))
        assert known.user_context.websocket_client_id == "conn_9"
        assert service.authenticate_websocket.call_args.kwargs == {"e2e_context": mark, "preliminary_connection_id": "conn_9"}
        authenticator = UnifiedWebSocketAuthenticator()
        assert asyncio.run(authenticator.authenticate_websocket_connection(connection)).success
        service.authenticate_websocket = AsyncMock(side_effect=ConnectionError("auth service is down"))
        failed = asyncio.run(authenticator.authenticate_websocket_connection(connection))
        assert (failed.success, failed.error_code) == (False, "SSOT_AUTH_EXCEPTION")
        assert failed.error_message == "SSOT authentication error: auth service is down"
        refused = SimpleNamespace(success=False, error="revoked", error_code="REVOKED", user_id="user_7", email="a@b.c")
        service.authenticate_websocket = AsyncMock(return_value=(refused, None))
        failed = asyncio.run(authenticator.authenticate_websocket_connection(connection))
        assert (failed.error_message, failed.error_code, failed.auth_result, failed.user_id) == ("revoked", "REVOKED", None, None)
        assert failed.to_dict() == {"success": False, "error_message": "revoked", "error_code": "REVOKED"}


def test_the_unified_authenticator_counts_what_it_did():
    from netra_backend.app.websocket_core.unified_websocket_auth import (
        UnifiedWebSocketAuth,
        UnifiedWebSocketAuthenticator,
        get_websocket_authenticator,
    )

    assert UnifiedWebSocketAuth is UnifiedWebSocketAuthenticator
    assert get_websocket_authenticator() is get_websocket_authenticator()

    async def run():
        authenticator = UnifiedWebSocketAuthenticator()
        assert (await authenticator.authenticate_token(token())).user_id == "user_1"
        assert (await authenticator.authenticate_request(socket(), token="Bearer " + token())).success
        assert (await authenticator.authenticate_request(socket(token()))).success
        assert (await authenticator.authenticate_token("x")).error_code == "INVALID_FORMAT"
        stats = authenticator.get_websocket_auth_stats()
        assert stats["deprecated_warning"] == "This class is deprecated - use authenticate_websocket_ssot()"
        assert set(stats) == {
            "deprecated_warning",
            "websocket_auth_statistics",
            "migration_required",
            "ssot_function",
            "timestamp",
        }
        assert stats["websocket_auth_statistics"] == {
            "total_attempts": 4,
            "successful_authentications": 3,
            "failed_authentications": 1,
            "success_rate_percent": 75.0,
        }
        assert UnifiedWebSocketAuthenticator().get_websocket_auth_stats()["websocket_auth_statistics"]["total_attempts"] == 0
        refused = socket()
        await authenticator.handle_authentication_failure(refused, await authenticator.authenticate_token(""))
        assert refused.send_json.call_args.args[0]["error_code"] == "NO_TOKEN"
        refused.close.assert_called_once_with(
            code=1008, reason="No authentication token found in WebSocket headers or subprotocols"
        )
        await authenticator.create_auth_success_response(refused, await authenticator.authenticate_token(token()))
        assert refused.send_json.call_args.args[0]["user_id"] == "user_1"

    asyncio.run(run())


def test_methods_are_replaced_on_the_instance():
    from netra_backend.app.websocket_core.unified_websocket_auth import UnifiedWebSocketAuthenticator

    authenticator = UnifiedWebSocketAuthenticator()
    authenticator.authenticate_token = AsyncMock(return_value="mine")
    assert asyncio.run(authenticator.authenticate_token("t")) == "mine"
    spec = AsyncMock(spec=UnifiedWebSocketAuthenticator)
    assert spec.authenticate_websocket_connection


def test_small_functions():
    from netra_backend.app.websocket_core.auth import authenticate_websocket_connection as by_token
    from netra_backend.app.websocket_core.unified_websocket_auth import (
        _extract_token_from_websocket,
        _validate_critical_environment_configuration,
        authenticate_websocket_connection,
        create_authenticated_user_context,
        validate_websocket_token_business_logic,
    )

    assert asyncio.run(by_token(token(), "conn_1"))[0] is True
    assert asyncio.run(authenticate_websocket_connection(socket(token()))).success
    assert asyncio.run(validate_websocket_token_business_logic(token()))["user_id"] == "user_1"
    assert asyncio.run(validate_websocket_token_business_logic("")) is None
    assert asyncio.run(validate_websocket_token_business_logic("x.y.z")) is None
    assert _extract_token_from_websocket(socket(token())) == token()
    assert _validate_critical_environment_configuration() == {
        "valid": True,
        "errors": [],
        "warnings": [],
        "environment": "test",
    }
    context = create_authenticated_user_context(Mock(user_id="user_1"), socket(), "thread_9")
    assert (context.user_id, context.thread_id) == ("user_1", "thread_9")
    with pytest.raises(ValueError, match="names no user"):
        create_authenticated_user_context(Mock(user_id=None), socket())


@pytest.mark.parametrize(
    ("variables", "headers", "found"),
    [
        ({}, {}, False),
        ({"DEMO_MODE": "1"}, {}, False),
        ({}, {"X-E2E-Test": "true"}, True),
        ({}, {"X-E2E-Test": "no"}, False),
        ({}, {"X-Test-Environment": "Staging"}, True),
        ({}, {"X-Other": "test"}, False),
        ({"E2E_TESTING": "1"}, {}, True),
        ({"STAGING_E2E_TEST": "1"}, {}, True),
        ({"E2E_OAUTH_SIMULATION_KEY": "k"}, {}, True),
        ({"E2E_TEST_ENV": "staging"}, {}, True),
        ({"E2E_TEST_ENV": "other"}, {}, False),
        ({"PYTEST_RUNNING": "1"}, {}, False),
        ({"PYTEST_RUNNING": "1", "E2E_TEST_ALLOW_BYPASS": "1"}, {}, True),
        ({"PYTEST_XDIST_WORKER": "gw0"}, {}, True),
        ({"RACE_CONDITION_TEST_MODE": "1"}, {}, True),
        ({"CONCURRENT_E2E_SESSION_ID": "s"}, {}, True),
        ({"E2E_TESTING": "1", "ENVIRONMENT": "production"}, {"X-E2E-Test": "true"}, False),
        ({"E2E_TESTING": "1", "ENVIRONMENT": "prod-eu"}, {}, False),
        ({"E2E_TESTING": "1", "GOOGLE_CLOUD_PROJECT": "netra-prod"}, {}, False),
    ],
)
def test_test_traffic_is_marked_but_never_in_production(monkeypatch, variables, headers, found):
    from netra_backend.app.websocket_core.unified_websocket_auth import extract_e2e_context_from_websocket

    from compat.netra.components.auth import marks

    monkeypatch.setattr(marks, "read_variable", lambda name, default="": variables.get(name, default))
    context = extract_e2e_context_from_websocket(socket(**headers))
    assert (context is not None) is found
    if found:
        by_variables = bool(variables)
        assert context == {
            "is_e2e_testing": True,
            "demo_mode_enabled": False,
            "detection_method": {
                "via_headers": bool(headers),
                "via_environment": by_variables,
                "via_env_vars": by_variables,
                "via_demo_mode": False,
            },
            "security_mode": "development_permissive",
            "e2e_headers": headers,
            "environment": "unknown",
            "google_cloud_project": "",
            "k_service": "",
            "e2e_oauth_key": variables.get("E2E_OAUTH_SIMULATION_KEY"),
            "test_environment": variables.get("E2E_TEST_ENV"),
            "bypass_enabled": True,
            "enhanced_detection": True,
            "fix_version": context["fix_version"],
        }


def test_the_module_has_the_names_that_callers_reach_for():
    import netra_backend.app.websocket_core.unified_websocket_auth as module
    from starlette.websockets import WebSocketState

    assert module.WebSocketState is WebSocketState and module.AuthenticationContext.WEBSOCKET.value == "websocket"
    module._websocket_authenticator = made = object()
    assert module.get_websocket_authenticator() is made
    module._websocket_authenticator = None


def test_a_mark_opens_nothing(monkeypatch):
    monkeypatch.setenv("E2E_TESTING", "1")
    from netra_backend.app.websocket_core.unified_websocket_auth import authenticate_websocket_ssot

    result = asyncio.run(authenticate_websocket_ssot(socket(**{"X-E2E-Bypass": "true"}), {"bypass_enabled": True}))
    assert (result.success, result.error_code) == (False, "NO_TOKEN")


def test_the_protocol_handler():
    from netra_backend.app.websocket_core.unified_jwt_protocol_handler import (
        UnifiedJWTProtocolHandler,
        extract_jwt_from_subprotocol,
        extract_jwt_token,
    )

    held = token()
    assert UnifiedJWTProtocolHandler.extract_jwt_from_websocket(socket(held)) == held
    assert extract_jwt_token(socket(**{"sec-websocket-protocol": f"jwt.{held}"})) == held
    assert extract_jwt_from_subprotocol(f"jwt.{held}") == held
    assert UnifiedJWTProtocolHandler.normalize_jwt_for_validation(f"Bearer {held}") == held
    info = UnifiedJWTProtocolHandler.get_authentication_info(socket(held))
    assert (info["has_authorization_header"], info["jwt_source"], info["has_jwt"]) == (True, "authorization", True)


def test_a_mock_without_usable_headers_has_no_token_and_is_not_iterated():
    from netra_backend.app.websocket_core.unified_jwt_protocol_handler import UnifiedJWTProtocolHandler

    held, mock = token(), Mock()
    mock.headers.get = Mock(return_value=None)
    assert UnifiedJWTProtocolHandler.extract_jwt_from_websocket(mock) is None
    mock.headers.get = {"Authorization": f"Bearer {held}"}.get
    assert UnifiedJWTProtocolHandler.extract_jwt_from_websocket(mock) == held


def test_the_context_extractor_and_its_counts():
    from netra_backend.app.websocket_core.user_context_extractor import (
        UserContextExtractor,
        WebSocketUserContextExtractor,
        extract_websocket_user_context,
        get_user_context_extractor,
    )

    from compat.canonical.auth import AuthenticationFailed
    from compat.netra.components.context import handshake_contexts

    handshake_contexts._auth = None
    counting = WebSocketUserContextExtractor()

    async def run():
        context, info = await counting.extract_context_with_metrics(socket(token(email="a@example.com")))
        assert (context.user_id, info["email"], info["auth_method"]) == ("user_1", "a@example.com", "jwt")
        with pytest.raises(AuthenticationFailed, match="no token in Authorization"):
            await counting.extract_context_with_metrics(socket())
        with pytest.raises(AuthenticationFailed, match="does not hold"):
            await extract_websocket_user_context(socket(token(exp=1)))

    asyncio.run(run())
    stats = counting.get_extraction_stats()
    assert (stats["total_extractions"], stats["failed_extractions"], stats["success_rate_percent"]) == (2, 1, 50.0)
    counting.reset_stats()
    assert counting.get_extraction_stats()["total_extractions"] == 0
    assert isinstance(get_user_context_extractor(), UserContextExtractor)
    with pytest.raises(ValueError, match="name no subject"):
        counting.create_user_context_from_jwt({}, socket())
    assert counting.create_test_user_context("user_5").user_id == "user_5"
