"""Origins of handshakes by environment."""

from __future__ import annotations

import asyncio

import pytest

from compat.netra.components.auth import cors


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """No handler of an earlier test, no variables of the machine."""
    monkeypatch.setattr(cors, "_global_cors_handler", None)
    for name in ("ENVIRONMENT", "CORS_ORIGINS"):
        monkeypatch.delenv(name, raising=False)


class Handshake:
    def __init__(self, headers):
        self.headers = headers


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://app.example.com", True),
        ("https://app.example.com/", True),
        ("https://a.wild.example.com", True),
        ("https://wild.example.com", False),
        ("https://evil.com/.wild.example.com", False),
        ("https://evil.com", False),
        ("https://app.example.com.evil.com", False),
        ("https://" + "a" * 300 + ".wild.example.com", False),
        ("", False),
        (None, False),
    ],
)
def test_origins_and_patterns(origin, allowed):
    handler = cors.WebSocketCORSHandler(["https://app.example.com", "https://*.wild.example.com"])
    assert handler.is_origin_allowed(origin) is allowed


def test_production_wants_https_and_refuses_suspicious_shapes():
    handler = cors.WebSocketCORSHandler(["http://plain.example", "https://*", "https://10.0.0.1"], "production")
    assert not handler.is_origin_allowed("http://plain.example")
    assert not handler.is_origin_allowed("https://10.0.0.2")
    assert not handler.is_origin_allowed("https://abc.ngrok.io")
    assert handler.is_origin_allowed("https://10.0.0.1")
    assert handler.is_origin_allowed("https://ok.example")


def test_who_keeps_trying_is_blocked_and_can_be_unblocked():
    handler = cors.WebSocketCORSHandler(["https://ok.example"], "production")
    for _ in range(5):
        assert not handler.is_origin_allowed("https://evil.com")
    stats = handler.get_security_stats()
    assert (stats["blocked_origins"], stats["violation_counts"], stats["total_violations"]) == (
        ["https://evil.com"],
        {"https://evil.com": 5},
        5,
    )
    assert handler.unblock_origin("https://evil.com") is True
    assert handler.unblock_origin("https://evil.com") is False
    assert handler.get_security_stats()["total_violations"] == 0


def test_development_blocks_nobody_and_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(cors, "MAX_TRACKED_ORIGINS", 3)
    handler = cors.WebSocketCORSHandler(["https://ok.example"])
    for number in range(10):
        handler.is_origin_allowed(f"https://evil{number}.com")
        handler.is_origin_allowed("https://evil0.com")
    assert handler.get_security_stats()["blocked_origins"] == []
    assert len(handler._violation_counts) == 3


def test_headers_of_allowed_origins_only():
    handler = cors.WebSocketCORSHandler(["https://ok.example"])
    headers = handler.get_cors_headers("https://ok.example")
    assert headers["Access-Control-Allow-Origin"] == "https://ok.example"
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert handler.get_cors_headers("https://evil.com") == {}


@pytest.mark.parametrize(
    ("environment", "has", "lacks"),
    [
        ("development", "http://localhost:3000", "https://app.netrasystems.ai"),
        ("staging", "https://app.staging.netrasystems.ai", "https://app.netrasystems.ai"),
        ("production", "https://app.netrasystems.ai", "http://localhost:3000"),
        ("anything", "http://localhost:3000", "https://app.netrasystems.ai"),
    ],
)
def test_each_environment_has_its_origins(monkeypatch, environment, has, lacks):
    monkeypatch.setenv("ENVIRONMENT", environment)
    origins = cors.get_environment_origins()
    assert has in origins
    assert lacks not in origins
    assert origins == cors.get_environment_origins_for_environment(environment)


def test_a_variable_takes_the_place_of_the_defaults(monkeypatch):
    monkeypatch.setenv("CORS_ORIGINS", "https://a.example, https://b.example")
    assert cors.get_environment_origins() == ["https://a.example", "https://b.example"]


def test_the_origin_header_is_found_in_any_case():
    for headers in ({"origin": "https://a"}, {"Origin": "https://a"}, [(b"ORIGIN", b"https://a")]):
        assert cors._extract_origin_from_websocket(Handshake(headers)) == "https://a"
    assert cors._extract_origin_from_websocket(Handshake({})) is None

    class OnlyGet:
        def get(self, name, default=None):
            return "https://a" if name == "origin" else default

    assert cors._extract_origin_from_websocket(Handshake(OnlyGet())) == "https://a"
    assert cors._extract_origin_from_websocket(object()) is None


def test_the_handler_of_the_process_follows_the_environment(monkeypatch):
    monkeypatch.setenv("ENVIRONMENT", "development")
    first = cors.get_websocket_cors_handler()
    assert (first.environment, cors.get_websocket_cors_handler()) == ("development", first)
    assert cors.check_websocket_cors(Handshake({"origin": "http://localhost:3000"}))
    assert not cors.check_websocket_cors(Handshake({}))
    assert cors.get_websocket_cors_headers(Handshake({"origin": "http://localhost:3000"}))["Vary"] == "Origin"
    assert cors.get_websocket_cors_headers(Handshake({})) == {}
    assert cors.get_websocket_cors_handler("production").environment == "production"


def test_the_middleware_closes_foreign_handshakes_before_the_app_sees_them():
    passed, sent = [], []

    async def app(scope, receive, send):
        passed.append(scope["type"])

    async def send(message):
        sent.append(message)

    middleware = cors.configure_websocket_cors(app, "development")

    def call(kind, *headers):
        asyncio.run(middleware({"type": kind, "headers": headers}, None, send))

    call("websocket", (b"origin", b"http://localhost:3000"))
    call("websocket", (b"origin", b"https://evil.com"))
    call("websocket")
    call("http")
    assert passed == ["websocket", "http"]
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": "Origin not allowed"}] * 2


def test_strictness_by_environment():
    assert cors.get_security_config("production")["require_https_production"] is True
    assert cors.get_security_config()["block_suspicious_patterns"] is False
    assert cors.get_security_config("development") == cors.SECURITY_CONFIG
