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
    handler = cors.WebSocketCORSHandler(["https://app.example.com", "https://*.wild.example.com"], "staging")
    assert handler.is_origin_allowed(origin) is allowed


def test_production_wants_https_and_refuses_suspicious_shapes():
    handler = cors.WebSocketCORSHandler(["http://plain.example", "https://*", "https://10.0.0.1"], "production")
    assert not handler.is_origin_allowed("http://plain.example")
    assert not handler.is_origin_allowed("https://10.0.0.2")
    assert not handler.is_origin_allowed("https://abc.ngrok.io")
    assert not handler.is_origin_allowed("https://10.0.0.1")
    assert not handler.is_origin_allowed("https://x.herokuapp.com")
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


def test_development_lets_everybody_in_and_counts_nobody():
    handler = cors.WebSocketCORSHandler(["https://ok.example"])
    assert handler.is_origin_allowed("https://evil.com") and handler.is_origin_allowed(None)
    handler._record_violation("https://evil.com", "why")
    assert (handler._suspicious_patterns, handler.get_security_stats()["violation_counts"]) == ([], {})


def test_clients_without_an_origin_are_let_in_where_nobody_is_served():
    allowed = {
        e: cors.WebSocketCORSHandler([], e).is_origin_allowed("") for e in ("development", "testing", "staging", "production")
    }
    assert allowed == {"development": True, "testing": True, "staging": False, "production": False}


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(cors, "MAX_TRACKED_ORIGINS", 3)
    handler = cors.WebSocketCORSHandler(["https://ok.example"], "staging")
    for number in range(10):
        handler.is_origin_allowed(f"https://evil{number}.com")
    assert len(handler._violation_counts) == 3


@pytest.mark.parametrize(
    ("environment", "origin", "answer"),
    [
        ("production", None, (False, "No origin header provided")),
        ("production", "https://" + "a" * 250, (False, "Origin too long (258 > 253)")),
        ("production", "https://blocked.example", (False, "Origin temporarily blocked due to violations")),
        ("production", "http://ok.example", (False, "HTTPS required in production")),
        ("production", "https://a.ngrok.io", (False, "Origin matches suspicious pattern")),
        ("production", "https://10.0.0.1", (False, "Origin matches suspicious pattern")),
        ("production", "chrome-extension://abc", (False, "HTTPS required in production")),
        ("staging", "moz-extension://abc", (False, "Origin matches suspicious pattern")),
        ("staging", "http://127.0.0.1:9999/path", (True, "")),
        ("staging", "http://[::1]:9999", (True, "")),
        ("staging", "http://backend:8000", (True, "")),
        ("testing", "http://localhost:9999", (False, "Origin matches suspicious pattern")),
        ("development", "http://172.18.0.2:9999", (True, "")),
    ],
)
def test_the_security_of_an_origin(environment, origin, answer):
    handler = cors.WebSocketCORSHandler([], environment)
    handler._blocked_origins.add("https://blocked.example")
    assert handler._validate_origin_security(origin) == answer


def test_headers_are_given_for_any_origin_and_more_in_production():
    headers = cors.WebSocketCORSHandler([]).get_cors_headers("https://any.example")
    assert headers == {
        "Access-Control-Allow-Origin": "https://any.example",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "GET",
        "Access-Control-Allow-Headers": (
            "Authorization, Content-Type, Origin, Accept, X-Request-ID, X-Trace-ID, X-Service-ID, X-Cross-Service-Auth"
        ),
        "Access-Control-Expose-Headers": "X-Trace-ID, X-Request-ID, X-Service-Name, X-Service-Version",
        "Vary": "Origin",
    }
    more = cors.WebSocketCORSHandler([], "production").get_cors_headers("https://any.example")
    assert {name: value for name, value in more.items() if name not in headers} == {
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-XSS-Protection": "1; mode=block",
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }


def test_the_statistics_of_a_handler():
    assert list(cors.WebSocketCORSHandler([]).get_security_stats()) == [
        "violation_counts", "blocked_origins", "total_violations", "blocked_origin_count", "environment", "security_config",
    ]  # fmt: skip


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

    class OnlyItems:
        def items(self):
            return [("ORIGIN", "https://a")]

    assert cors._extract_origin_from_websocket(Handshake(OnlyItems())) == "https://a"


def test_of_several_origins_that_differ_none_counts_but_in_development(monkeypatch):
    same, other = [("origin", "https://a"), ("Origin", "https://a")], [("origin", "https://a"), ("Origin", "https://b")]
    monkeypatch.setenv("ENVIRONMENT", "production")
    assert cors._extract_origin_from_websocket(Handshake(same)) == "https://a"
    assert cors._extract_origin_from_websocket(Handshake(other)) is None
    monkeypatch.setenv("ENVIRONMENT", "development")
    assert cors._extract_origin_from_websocket(Handshake(other)) == "https://a"


def test_the_handler_of_the_process_follows_the_environment(monkeypatch):
    monkeypatch.setenv("ENVIRONMENT", "staging")
    first = cors.get_websocket_cors_handler()
    assert (first.environment, cors.get_websocket_cors_handler()) == ("staging", first)
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

    middleware = cors.configure_websocket_cors(app, "staging")

    def call(kind, *headers):
        scope = {"type": kind, "headers": headers}
        asyncio.run(middleware(scope, None, send))
        return scope

    assert call("websocket", (b"origin", b"http://localhost:3000"))["websocket_cors_origin"] == "http://localhost:3000"
    call("websocket", (b"origin", b"https://evil.com"))
    call("websocket")
    call("http")
    assert passed == ["websocket", "http"]
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": "Origin not allowed"}] * 2


def test_a_middleware_without_a_handler_judges_as_its_environment(monkeypatch):
    monkeypatch.setenv("ENVIRONMENT", "production")
    handler = cors.WebSocketCORSMiddleware(None).cors_handler
    assert (handler.environment, handler.allowed_origins) == ("production", cors.get_environment_origins())


@pytest.mark.parametrize(
    ("environment", "switches"),
    [
        ("development", (False, False, True, False)),
        ("staging", (False, True, True, True)),
        ("production", (True, True, True, True)),
        ("testing", (True, True, True, True)),
    ],
)
def test_strictness_by_environment(environment, switches):
    assert cors.get_security_config(environment) == {
        "max_origin_length": 253,
        **dict(
            zip(
                ("require_https_production", "block_suspicious_patterns", "log_security_violations", "rate_limit_violations"),
                switches,
            )
        ),
    }
