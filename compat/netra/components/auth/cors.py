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

#: Origins of these shapes are refused where ``block_suspicious_patterns`` is on, listed or not.
SUSPICIOUS_PATTERNS = [
    r".*localhost.*:(?!" + "|".join(map(str, _LOCAL_PORTS)) + r")\d+.*",
    r".*\d+\.\d+\.\d+\.\d+.*",
    r".*\.ngrok\.io.*",
    r".*\.localtunnel\.me.*",
    r".*\.herokuapp\.com.*",
    r"chrome-extension://.*",
    r"moz-extension://.*",
]

#: Violations after which an origin is blocked outright, where violations are limited.
BLOCK_AFTER = 5
#: How many origins' violations are remembered.
MAX_TRACKED_ORIGINS = 1000


def get_security_config(environment: str = "development") -> dict[str, Any]:
    """Return how strictly origins are judged in an environment: development is lenient, staging takes plain HTTP."""
    lenient = environment == "development"
    return {
        "max_origin_length": 253,
        "require_https_production": environment not in ("development", "staging"),
        "block_suspicious_patterns": not lenient,
        "log_security_violations": True,
        "rate_limit_violations": not lenient,
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


#: Local origins that are not suspicious: of a machine, and in development of the services of a compose file.
_LOCAL = re.compile(r"https?://(?:127\.0\.0\.1|0\.0\.0\.0|\[::1\]|localhost)(?::\d+)?(?:/.*)?", re.IGNORECASE)
_SERVICES = re.compile(r"https?://(?:(?:netra-)?(?:frontend|backend|auth)|172\.\d+\.\d+\.\d+)(?::\d+)?(?:/.*)?", re.IGNORECASE)
_ALLOWED_HEADERS = "Authorization, Content-Type, Origin, Accept, X-Request-ID, X-Trace-ID, X-Service-ID, X-Cross-Service-Auth"
_PRODUCTION_HEADERS = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-XSS-Protection": "1; mode=block",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}


class WebSocketCORSHandler:
    """Judges the ``Origin`` of handshakes.

    ``allowed_origins`` holds origins and patterns, by default those of the environment. A star stands for anything but a
    slash, so that no path of another host passes for a host. In development every origin is let in; elsewhere a foreign
    page's origin is counted, and blocked outright after five violations. Clients that send no origin are let in in
    development and testing only.
    """

    def __init__(self, allowed_origins: list[str] | None = None, environment: str = "development") -> None:
        self.environment = environment
        self.allowed_origins = (
            get_environment_origins_for_environment(environment) if allowed_origins is None else list(allowed_origins)
        )
        self.security_config = get_security_config(environment)
        self._origin_patterns = [_compiled(origin) for origin in self.allowed_origins]
        self._suspicious_patterns = (
            [re.compile(pattern, re.IGNORECASE) for pattern in SUSPICIOUS_PATTERNS]
            if self.security_config["block_suspicious_patterns"]
            else []
        )
        self._violation_counts: dict[str, int] = {}
        self._blocked_origins: set[str] = set()

    def is_origin_allowed(self, origin: str | None) -> bool:
        """Return whether a handshake with this origin may go on."""
        if not origin or not isinstance(origin, str):
            if self.environment in ("development", "testing"):
                return True
            self._record_violation("<missing>", "No origin header provided")
            return False
        if self.environment == "development":
            return True
        secure, reason = self._validate_origin_security(origin)
        if secure and self._is_origin_explicitly_allowed(origin):
            return True
        self._record_violation(origin, reason or "Origin not in allowed list")
        return False

    def _validate_origin_security(self, origin: str | None) -> tuple[bool, str]:
        if not origin:
            return False, "No origin header provided"
        longest = self.security_config["max_origin_length"]
        if len(origin) > longest:
            return False, f"Origin too long ({len(origin)} > {longest})"
        if origin in self._blocked_origins:
            return False, "Origin temporarily blocked due to violations"
        wants_https = self.security_config["require_https_production"] and self.environment == "production"
        if wants_https and not origin.lower().startswith("https://"):
            return False, "HTTPS required in production"
        if self._is_suspicious_origin(origin):
            return False, "Origin matches suspicious pattern"
        return True, ""

    def _is_suspicious_origin(self, origin: str) -> bool:
        if not self.security_config["block_suspicious_patterns"]:
            return False
        if self.environment in ("staging", "development") and _LOCAL.fullmatch(origin):
            return False
        if self.environment == "development" and _SERVICES.fullmatch(origin):
            return False
        return any(pattern.match(origin) for pattern in self._suspicious_patterns)

    def _is_origin_explicitly_allowed(self, origin: str) -> bool:
        return any(pattern.fullmatch(origin) for pattern in self._origin_patterns)

    def _record_violation(self, origin: str, reason: str) -> None:
        key = origin[: self.security_config["max_origin_length"]]
        if self.security_config["log_security_violations"]:
            logger.warning("WebSocket origin %r refused: %s", key, reason)
        if self.environment == "development":
            return
        if key in self._violation_counts or len(self._violation_counts) < MAX_TRACKED_ORIGINS:
            self._violation_counts[key] = self._violation_counts.get(key, 0) + 1
        if (
            self.security_config["rate_limit_violations"]
            and key != "<missing>"
            and self._violation_counts.get(key, 0) >= BLOCK_AFTER
        ):
            self._blocked_origins.add(key)

    def get_cors_headers(self, origin: str) -> dict[str, str]:
        """Return the response headers for an origin, which is not checked here."""
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Allow-Methods": "GET",
            "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
            "Access-Control-Expose-Headers": "X-Trace-ID, X-Request-ID, X-Service-Name, X-Service-Version",
            "Vary": "Origin",
            **(_PRODUCTION_HEADERS if self.environment == "production" else {}),
        }

    def get_security_stats(self) -> dict[str, Any]:
        """Return violations by origin and in all, the blocked origins, and the settings."""
        return {
            "violation_counts": dict(self._violation_counts),
            "blocked_origins": sorted(self._blocked_origins),
            "total_violations": sum(self._violation_counts.values()),
            "blocked_origin_count": len(self._blocked_origins),
            "environment": self.environment,
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
    """Return the ``Origin`` header of a handshake, whatever the case of its name; None where there is none.

    Of several that differ none counts, but in development the first.
    """
    headers = getattr(websocket, "headers", None)
    items = getattr(headers, "items", None)
    try:
        pairs = list(items()) if callable(items) else header_pairs(headers)
    except Exception as error:
        logger.warning("the headers of a WebSocket cannot be read: %s", error)
        return None
    return _origin_of(pairs)


def _origin_of(pairs: Any) -> str | None:
    found = [_plain(value) for name, value in pairs if _plain(name).lower() == "origin" and value]
    if len(set(found)) > 1 and _environment() != "development":
        return None
    return found[0] if found else None


def _plain(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def validate_websocket_origin(websocket: Any, cors_handler: WebSocketCORSHandler) -> bool:
    """Return whether the handshake's origin is allowed by the handler."""
    return cors_handler.is_origin_allowed(_extract_origin_from_websocket(websocket))


class WebSocketCORSMiddleware:
    """ASGI middleware that closes handshakes of foreign origins with 1008, before they are accepted."""

    def __init__(self, app: Any, cors_handler: WebSocketCORSHandler | None = None) -> None:
        self.app = app
        self.cors_handler = cors_handler or WebSocketCORSHandler(get_environment_origins(), _environment())

    async def __call__(
        self,
        scope: Any,
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """Pass everything on but the handshakes that are refused."""
        if scope["type"] == "websocket":
            origin = _origin_of(scope.get("headers") or ())
            if not self.cors_handler.is_origin_allowed(origin):
                await send({"type": "websocket.close", "code": 1008, "reason": "Origin not allowed"})
                return
            scope["websocket_cors_origin"] = origin
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
    origin, handler = _extract_origin_from_websocket(websocket), get_websocket_cors_handler()
    return handler.get_cors_headers(origin) if origin and handler.is_origin_allowed(origin) else {}
