"""Origins of WebSocket handshakes by environment: patterns, suspicious shapes, and blocking of who keeps trying."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from compat.canonical.core.logged import get_logger

from ..environment.reading import read_variable
from .handshakes import header_pairs

__all__ = [
    "SECURITY_CONFIG",
    "SUSPICIOUS_PATTERNS",
    "WebSocketCORS",
    "WebSocketCORSHandler",
    "WebSocketCORSMiddleware",
    "check_websocket_cors",
    "configure_websocket_cors",
    "get_environment_origins",
    "get_environment_origins_for_environment",
    "get_security_config",
    "get_websocket_cors_handler",
    "get_websocket_cors_headers",
    "validate_websocket_origin",
]

logger = get_logger(__name__)

_LOCAL_PORTS = (3000, 3001, 3002, 3003, 4000, 4001, 4200, 5173, 5174, 8000, 8001, 8002, 8003, 8080, 8081, 8082, 8083)
_DEVELOPMENT_ORIGINS = [f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in _LOCAL_PORTS]
_STAGING_ORIGINS = [
    "https://staging.netrasystems.ai",
    "https://app.staging.netrasystems.ai",
    "https://api.staging.netrasystems.ai",
    "https://auth.staging.netrasystems.ai",
    "http://localhost:3000",
]
_PRODUCTION_ORIGINS = [
    "https://netrasystems.ai",
    "https://www.netrasystems.ai",
    "https://app.netrasystems.ai",
    "https://api.netrasystems.ai",
    "https://auth.netrasystems.ai",
]

#: Origins of these shapes are refused where ``block_suspicious_patterns`` is on, unless they are listed word for word.
SUSPICIOUS_PATTERNS = [
    r".*localhost.*:(?!" + "|".join(map(str, _LOCAL_PORTS)) + r")\d+.*",
    r".*\d+\.\d+\.\d+\.\d+.*",
    r".*\.ngrok\.io.*",
    r".*\.localtunnel\.me.*",
    r".*\.local$",
    r"chrome-extension://.*",
    r"moz-extension://.*",
]

#: Violations after which an origin is blocked outright, where violations are limited.
BLOCK_AFTER = 5
#: How many origins' violations are remembered.
MAX_TRACKED_ORIGINS = 1000


def get_security_config(environment: str = "development") -> dict[str, Any]:
    """Return how strictly origins are judged in an environment; local ones are lenient."""
    strict = environment not in ("development", "testing", "test", "local")
    return {
        "block_suspicious_patterns": strict,
        "log_security_violations": True,
        "max_origin_length": 253,
        "rate_limit_violations": strict,
        "require_https_production": environment == "production",
    }


SECURITY_CONFIG = get_security_config()


def get_environment_origins_for_environment(environment: str) -> list[str]:
    """Return the origins an environment lets in; ``CORS_ORIGINS`` (comma separated) takes their place where it is set."""
    configured = [item.strip() for item in read_variable("CORS_ORIGINS").split(",") if item.strip()]
    if configured:
        return configured
    if environment == "production":
        return list(_PRODUCTION_ORIGINS)
    if environment == "staging":
        return list(_STAGING_ORIGINS)
    return list(_DEVELOPMENT_ORIGINS)


def get_environment_origins() -> list[str]:
    """Return the origins of the environment that ``ENVIRONMENT`` names; development without it."""
    return get_environment_origins_for_environment(_environment())


def _environment() -> str:
    return read_variable("ENVIRONMENT", "development").lower()


class WebSocketCORSHandler:
    """Judges the ``Origin`` of handshakes.

    ``allowed_origins`` holds origins and patterns in which ``*`` stands for anything; by default those of the
    environment. A foreign page's origin is counted, and blocked outright after five violations outside development.
    """

    def __init__(self, allowed_origins: list[str] | None = None, environment: str = "development") -> None:
        self.environment = environment
        self.allowed_origins = (
            get_environment_origins_for_environment(environment) if allowed_origins is None else list(allowed_origins)
        )
        self.security_config = get_security_config(environment)
        self._origin_patterns = [_compiled(origin) for origin in self.allowed_origins]
        self._suspicious_patterns = [re.compile(pattern, re.IGNORECASE) for pattern in SUSPICIOUS_PATTERNS]
        self._violation_counts: dict[str, int] = {}
        self._blocked_origins: set[str] = set()

    def is_origin_allowed(self, origin: str | None) -> bool:
        """Return whether a handshake with this origin may go on; one without an origin may not."""
        if not origin or not isinstance(origin, str):
            self._record_violation("<missing>", "no origin")
            return False
        if origin in self._blocked_origins:
            self._record_violation(origin, "blocked")
            return False
        reason = self._security_fault(origin)
        if reason is None and any(pattern.fullmatch(origin) for pattern in self._origin_patterns):
            return True
        self._record_violation(origin, reason or "not allowed")
        return False

    def _security_fault(self, origin: str) -> str | None:
        if len(origin) > self.security_config["max_origin_length"]:
            return "too long"
        if self.security_config["require_https_production"] and not origin.lower().startswith("https://"):
            return "not https"
        if (
            self.security_config["block_suspicious_patterns"]
            and origin not in self.allowed_origins
            and any(pattern.match(origin) for pattern in self._suspicious_patterns)
        ):
            return "suspicious"
        return None

    def _record_violation(self, origin: str, reason: str) -> None:
        key = origin[: self.security_config["max_origin_length"]]
        if key in self._violation_counts or len(self._violation_counts) < MAX_TRACKED_ORIGINS:
            self._violation_counts[key] = self._violation_counts.get(key, 0) + 1
        if self.security_config["log_security_violations"]:
            logger.warning("WebSocket origin %r refused: %s", key, reason)
        if (
            self.security_config["rate_limit_violations"]
            and key != "<missing>"
            and self._violation_counts.get(key, 0) >= BLOCK_AFTER
        ):
            self._blocked_origins.add(key)

    def get_cors_headers(self, origin: str) -> dict[str, str]:
        """Return the response headers for an origin, none for one that is not allowed."""
        if not self.is_origin_allowed(origin):
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, Sec-WebSocket-Protocol, "
            "Sec-WebSocket-Key, Sec-WebSocket-Version, Sec-WebSocket-Extensions",
            "Vary": "Origin",
        }

    def get_security_stats(self) -> dict[str, Any]:
        """Return violations by origin and in all, the blocked origins, and the settings."""
        return {
            "environment": self.environment,
            "allowed_origins": list(self.allowed_origins),
            "blocked_origins": sorted(self._blocked_origins),
            "violation_counts": dict(self._violation_counts),
            "total_violations": sum(self._violation_counts.values()),
            "security_config": dict(self.security_config),
        }

    def unblock_origin(self, origin: str) -> bool:
        """Forget an origin's violations; return whether it was blocked."""
        blocked = origin in self._blocked_origins
        self._blocked_origins.discard(origin)
        self._violation_counts.pop(origin, None)
        return blocked


WebSocketCORS = WebSocketCORSHandler


def _compiled(origin: str) -> re.Pattern[str]:
    """Return the pattern of an allowed origin; a star within the host stops at a slash, a lone star is anything."""
    if origin == "*":
        return re.compile(r".+")
    return re.compile(re.escape(origin.rstrip("/")).replace(r"\*", r"[^/@]*") + "/?", re.IGNORECASE)


def _extract_origin_from_websocket(websocket: Any) -> str | None:
    """Return the ``Origin`` header of a handshake, whatever the case of its name; None where there is none."""
    return _origin_of(header_pairs(getattr(websocket, "headers", None)))


def _origin_of(pairs: Any) -> str | None:
    for name, value in pairs:
        plain = name.decode("latin-1") if isinstance(name, bytes) else str(name)
        if plain.lower() == "origin" and value:
            return value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return None


def validate_websocket_origin(websocket: Any, cors_handler: WebSocketCORSHandler) -> bool:
    """Return whether the handshake's origin is allowed by the handler."""
    return cors_handler.is_origin_allowed(_extract_origin_from_websocket(websocket))


class WebSocketCORSMiddleware:
    """ASGI middleware that closes handshakes of foreign origins with 1008, before they are accepted."""

    def __init__(self, app: Any, cors_handler: WebSocketCORSHandler | None = None) -> None:
        self.app = app
        self.cors_handler = cors_handler or get_websocket_cors_handler()

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """Pass everything on but the handshakes that are refused."""
        if scope["type"] == "websocket" and not self.cors_handler.is_origin_allowed(_origin_of(scope.get("headers") or ())):
            await send({"type": "websocket.close", "code": 1008, "reason": "Origin not allowed"})
            return
        await self.app(scope, receive, send)


_global_cors_handler: WebSocketCORSHandler | None = None


def get_websocket_cors_handler(environment: str | None = None) -> WebSocketCORSHandler:
    """Return the handler of this process; it is made when first asked for, and anew for another environment."""
    global _global_cors_handler
    wanted = environment or (_global_cors_handler.environment if _global_cors_handler else _environment())
    if _global_cors_handler is None or _global_cors_handler.environment != wanted:
        _global_cors_handler = WebSocketCORSHandler(environment=wanted)
    return _global_cors_handler


def configure_websocket_cors(app: Any, environment: str | None = None) -> WebSocketCORSMiddleware:
    """Return the app behind a :class:`WebSocketCORSMiddleware` of an environment."""
    return WebSocketCORSMiddleware(app, get_websocket_cors_handler(environment))


def check_websocket_cors(websocket: Any) -> bool:
    """Return whether this process's handler allows the handshake's origin."""
    return validate_websocket_origin(websocket, get_websocket_cors_handler())


def get_websocket_cors_headers(websocket: Any) -> dict[str, str]:
    """Return the response headers for the handshake's origin, none for one that is not allowed."""
    origin = _extract_origin_from_websocket(websocket)
    return get_websocket_cors_handler().get_cors_headers(origin) if origin else {}
